//! What Rasher reads in reports: a line for each file, every problem, and sums.
//!
//! ```text
//! cargo run --example ingest_files -- [--rows | --totals] PATH…
//! ```
//!
//! Each path, a file or a folder, is one recording. `--rows` prints the attempts instead, as
//! tab-separated outcome, seconds, ordinal, group and test; `--totals` only the sums.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an example at the edge: it reads files and the clock"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rasher::attempt::Recording;
use rasher::ingest::{FileReport, Limits, Reader};

type Counts = BTreeMap<&'static str, usize>;

#[derive(Default)]
struct Totals {
    files: usize,
    dialects: Counts,
    problems: Counts,
    bytes: usize,
    spent: Duration,
}

fn main() -> ExitCode {
    let (flags, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let flag = flags.first().map_or("", String::as_str);
    if paths.is_empty() || flags.len() > 1 || !["", "--rows", "--totals"].contains(&flag) {
        eprintln!("usage: ingest_files [--rows | --totals] PATH…");
        return ExitCode::from(2);
    }
    for path in &paths {
        if let Err(error) = show(Path::new(path), flag) {
            eprintln!("{path}: {error}");
            return ExitCode::from(6);
        }
    }
    ExitCode::SUCCESS
}

fn show(path: &Path, flag: &str) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    collect(path, &mut files)?;
    let mut reader = Reader::new(Limits::default());
    let mut totals = Totals::default();
    for file in &files {
        let bytes = fs::read(file)?;
        let began = Instant::now();
        let report = reader.read(&bytes, None);
        totals.spent += began.elapsed();
        totals.bytes += bytes.len();
        totals.add(&report);
        if flag.is_empty() {
            let shown = file.strip_prefix(path).unwrap_or(file);
            print_file(shown, &report);
        }
    }
    let recording = reader.finish();
    if flag == "--rows" {
        print_rows(&recording)
    } else {
        totals.print(path, &recording)
    }
    Ok(())
}

fn collect(path: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        into.push(path.to_path_buf());
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    entries.iter().try_for_each(|entry| collect(&entry.path(), into))
}

fn print_file(path: &Path, report: &FileReport) {
    let dialect = report.dialect.map_or("refused", |dialect| dialect.name());
    println!("{dialect:<15} {:>6}  {}", report.attempts, path.display());
    for problem in &report.problems {
        println!("{:>24} {problem}", problem.kind.name());
    }
}

fn print_rows(recording: &Recording) {
    for attempt in &recording.attempts {
        let seconds = attempt.duration.map_or("-".to_owned(), |d| d.as_secs_f64().to_string());
        let group = recording.tests.group(attempt.test);
        let group = group.map_or("-", |group| recording.tests.group_name(group));
        let (outcome, ordinal) = (attempt.outcome.word(), attempt.ordinal);
        println!(
            "{outcome}\t{seconds}\t{ordinal}\t{group}\t{:?}",
            recording.tests.name(attempt.test)
        );
    }
}

impl Totals {
    fn add(&mut self, report: &FileReport) {
        self.files += 1;
        let dialect = report.dialect.map_or("refused", |dialect| dialect.name());
        *self.dialects.entry(dialect).or_default() += 1;
        for problem in &report.problems {
            *self.problems.entry(problem.kind.name()).or_default() += 1;
        }
    }

    fn print(&self, path: &Path, recording: &Recording) {
        let mut outcomes = Counts::new();
        for attempt in &recording.attempts {
            *outcomes.entry(attempt.outcome.word()).or_default() += 1;
        }
        let (attempts, tests) = (recording.attempts.len(), recording.tests.len());
        let (groups, setups) = (recording.tests.group_count(), recording.setups.len());
        println!("{}: {} files {:?}", path.display(), self.files, self.dialects);
        println!("  {attempts} attempts {outcomes:?}");
        println!("  {tests} tests in {groups} groups, {setups} set-ups measured");
        println!("  problems {:?}", self.problems);
        println!("  {} bytes read in {:.1?}", self.bytes, self.spent);
    }
}
