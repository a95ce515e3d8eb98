//! `rasher bench`: measures Rasher on instance sets made from seeds, beside its peers and against
//! its own targets, and checks plans with code that the planner does not share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;
use rasher::attempt::Recording;
use rasher::error::ErrorKind;
use rasher::test_id::{TestId, TestTable};
use rasher::units::Micros;
use rasher_bench::checker::{Facts, check};
use rasher_bench::command::{self, BenchDocument, Effort, Part, cell, target_cells};
use rasher_bench::corpus::Monolith;
use rasher_bench::simulate::outcomes::{Past, table as table_of};
use rasher_bench::suite::Suite;
use serde::Serialize;
use serde_json::Value;

use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, table, to_json};
use crate::reports;
use crate::session::Session;
use crate::verbs::record;

/// Options of `bench`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Flags {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    measure: Measure,
}

/// What is done beside measuring.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Prove that a plan is an exact partition whose loads add up, by code the planner does not share
    Check(CheckFlags),
    /// Plan suites of your own in every variant, and check each plan
    Suites(SuitesFlags),
    /// Write COMPARE.md from a results document
    Compare(CompareFlags),
    /// Write the made monolith as a file that other tools read
    Corpus(CorpusFlags),
    /// Tell what gate, filter and retry rule would have done on recorded pasts
    Outcomes(OutcomesFlags),
}

#[derive(Debug, clap::Args)]
struct OutcomesFlags {
    /// Tables of outcomes: CSV with columns for run, test and outcome, or for counts of runs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Measure {
    /// What to measure
    #[arg(value_enum, value_name = "PART", default_value = "all")]
    parts: Vec<Asked>,
    /// Seeds per family and size
    #[arg(long, value_name = "N", default_value_t = Effort::default().seeds)]
    seeds: u64,
    /// Rounds of which the minimum counts
    #[arg(long, value_name = "N", default_value_t = Effort::default().rounds)]
    rounds: usize,
    /// Write a picture of the targets
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Put what was measured into this results document, beside what it holds
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// The script that times the peers, in Rasher's repository
    #[arg(long, value_name = "FILE", default_value = "benches/peers/compare.py")]
    peers_script: PathBuf,
    /// Where benches/peers/install.sh put the peers
    #[arg(long, value_name = "DIR", default_value = "target/peers")]
    peers_dir: PathBuf,
    /// Seconds for each optimum of the oracle
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    oracle_seconds: f64,
    /// Seconds for all of them; what is open then stays open
    #[arg(long, value_name = "S", default_value_t = 300.0)]
    oracle_total: f64,
}

#[derive(Debug, clap::Args)]
struct CheckFlags {
    /// The plan
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// What is true of its tests: JSON of test to seconds, or durations with groups and set-ups
    #[arg(long, value_name = "FILE")]
    durations: PathBuf,
}

#[derive(Debug, clap::Args)]
struct SuitesFlags {
    /// Reports or timing files; each path is one suite
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct CompareFlags {
    /// The results of `rasher bench`
    #[arg(long, value_name = "FILE", default_value = "benches/results.json")]
    results: PathBuf,
    /// The Markdown file to write
    #[arg(long, value_name = "FILE", default_value = "COMPARE.md")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct CorpusFlags {
    /// `durations` is pytest-split's .test_durations, `junit` one report
    #[arg(value_enum)]
    form: Form,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How many tests
    #[arg(long, value_name = "N", default_value_t = rasher_bench::corpus::MONOLITH_TESTS)]
    tests: usize,
    /// Which of its runs
    #[arg(long, value_name = "N", default_value_t = 0)]
    run: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Durations,
    Junit,
}

/// A part, as it is asked for on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Every part but the peers and the oracle.
    All,
    /// The peers, which must be installed.
    Peers,
    /// The optima of hard instances, for which the peers' solver must be installed.
    Oracle,
    /// One part.
    Part(Part),
}

impl ValueEnum for Asked {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Asked; Part::ALL.len() + 3] = {
            let mut all = [Asked::All; Part::ALL.len() + 3];
            let mut at = 0;
            while at < Part::ALL.len() {
                all[at + 1] = Asked::Part(Part::ALL[at]);
                at += 1;
            }
            all[Part::ALL.len() + 1] = Asked::Peers;
            all[Part::ALL.len() + 2] = Asked::Oracle;
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let name = match self {
            Self::All => "all",
            Self::Peers => "peers",
            Self::Oracle => "oracle",
            Self::Part(part) => part.name(),
        };
        Some(clap::builder::PossibleValue::new(name))
    }
}

/// Measures, checks or writes.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    match &flags.what {
        None => measure(&flags.measure, session),
        Some(What::Check(flags)) => check_plan(flags, session),
        Some(What::Suites(flags)) => suites(flags, session),
        Some(What::Compare(flags)) => compare(flags, session),
        Some(What::Corpus(flags)) => corpus(flags, session),
        Some(What::Outcomes(flags)) => outcomes(flags, session),
    }
}

fn measure(flags: &Measure, session: &Session) -> Result<Exit, Fault> {
    let mut document = BenchDocument::begin();
    let effort = Effort { seeds: flags.seeds.max(1), rounds: flags.rounds.max(1) };
    let parts = Part::ALL.into_iter().filter(|part| {
        flags.parts.iter().any(|asked| *asked == Asked::All || *asked == Asked::Part(*part))
    });
    let parts: Vec<Part> = parts.collect();
    let bar = session.output.progress(parts.len() as u64, "measuring");
    for part in parts {
        bar.set_prefix(part.name());
        document.add(part.measure(effort));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if flags.parts.contains(&Asked::Peers) {
        document.add(peers(flags)?);
    }
    if flags.parts.contains(&Asked::Oracle) {
        match oracle(flags, effort)? {
            Some(found) => document.add(found),
            None => session.output.warn(
                "the oracle is left out: benches/peers/install.sh installs highspy and ortools",
            ),
        }
    }
    if let Some(path) = &flags.svg {
        let svg = command::picture(&document).map_err(|e| defect("no picture", &e))?;
        files::write(path, svg.as_bytes())?;
    }
    if let Some(path) = &flags.into {
        files::write(path, to_json(&merged(path, &document)?)?.as_bytes())?;
    }
    session.output.show(&document, people)?;
    Ok(Exit::DONE)
}

/// The results in a file with the new ones in their place.
fn merged(path: &Path, new: &BenchDocument) -> Result<BenchDocument, Fault> {
    let mut old = match files::read_if_there(path)? {
        Some(bytes) => results(path, &bytes)?,
        None => return Ok(new.clone()),
    };
    old.version.clone_from(&new.version);
    old.unit = new.unit;
    for section in &new.sections {
        let targets = new.targets.iter().filter(|target| target.section == section.name);
        let targets = targets.cloned().collect();
        old.add(command::Measured { section: section.clone(), targets });
    }
    Ok(old)
}

fn results(path: &Path, bytes: &[u8]) -> Result<BenchDocument, Fault> {
    let wrong = |what: String| {
        Fault::usage(format!("not the results of `rasher bench`: {what}")).at(path.display())
    };
    let document: BenchDocument =
        serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
    if document.schema == command::BENCH_SCHEMA {
        Ok(document)
    } else {
        Err(wrong(format!("schema `{}`", document.schema)))
    }
}

/// Runs the script that times the peers on the durations of the made monolith.
fn peers(flags: &Measure) -> Result<command::Measured, Fault> {
    if !flags.peers_script.exists() {
        let what = format!("there is no `{}`", flags.peers_script.display());
        return Err(Fault::usage(what).hint("stand in Rasher's repository, or give --peers-script"));
    }
    let spawn = |e: std::io::Error| Fault::store(format!("cannot run the peers: {e}"));
    let durations = tempfile::NamedTempFile::new().map_err(spawn)?;
    files::write(durations.path(), &Monolith::full().run(0).test_durations())?;
    let output = Command::new("python3")
        .arg(&flags.peers_script)
        .args(["--json", "--rounds", &flags.rounds.to_string(), "--durations"])
        .arg(durations.path())
        .arg("--rasher")
        .arg(std::env::current_exe().map_err(spawn)?)
        .arg("--peers")
        .arg(&flags.peers_dir)
        .stderr(Stdio::inherit())
        .output()
        .map_err(spawn)?;
    let document: Value = serde_json::from_slice(&output.stdout).map_err(|e| {
        Fault::store(format!("the peers' script printed no document: {e}"))
            .at(flags.peers_script.display())
    })?;
    command::peers_section(&document).map_err(|e| defect("no section of the peers", &e))
}

/// Asks the solvers for the optima of the hard instances; none where they are not installed.
fn oracle(flags: &Measure, effort: Effort) -> Result<Option<command::Measured>, Fault> {
    let python = flags.peers_dir.join("venv/bin/python");
    let script = flags.peers_script.with_file_name("oracle.py");
    if !python.exists() || !script.exists() {
        return Ok(None);
    }
    let question = command::oracle_question(effort);
    let failed = |e: std::io::Error| Fault::store(format!("cannot ask the oracle: {e}"));
    let mut input = tempfile::NamedTempFile::new().map_err(failed)?;
    std::io::Write::write_all(&mut input, question.instances.to_string().as_bytes())
        .map_err(failed)?;
    let output = Command::new(python)
        .arg(&script)
        .args(["--seconds", &flags.oracle_seconds.to_string()])
        .args(["--total", &flags.oracle_total.to_string()])
        .stdin(input.reopen().map_err(failed)?)
        .stderr(Stdio::inherit())
        .output()
        .map_err(failed)?;
    let answers: Value = serde_json::from_slice(&output.stdout).map_err(|e| {
        Fault::store(format!("the oracle printed no document: {e}")).at(script.display())
    })?;
    let found = command::oracle_section(&question, &answers);
    found.map(Some).map_err(|e| defect("no section of the oracle", &e))
}

fn defect(what: &str, why: &str) -> Fault {
    Fault::new(ErrorKind::Defect, format!("{what}: {why}"))
}

/// What the checker found, `rasher.check/1`.
#[derive(Debug, Serialize)]
struct Checked {
    schema: &'static str,
    plan: String,
    tests: usize,
    sound: bool,
    faults: Vec<String>,
}

fn check_plan(flags: &CheckFlags, session: &Session) -> Result<Exit, Fault> {
    let plan: Value = serde_json::from_slice(&files::read(&flags.plan)?)
        .map_err(|e| Fault::usage(format!("not a plan: {e}")).at(flags.plan.display()))?;
    let facts = Facts::from_json(&files::read(&flags.durations)?)
        .map_err(|e| Fault::usage(e).at(flags.durations.display()))?;
    let faults: Vec<String> = check(&plan, &facts).iter().map(ToString::to_string).collect();
    let checked = Checked {
        schema: "rasher.check/1",
        plan: plan["id"].as_str().unwrap_or_default().to_owned(),
        tests: facts.durations.len(),
        sound: faults.is_empty(),
        faults,
    };
    session.output.show(&checked, |checked| {
        if checked.sound {
            format!("sound: {} exactly once, loads add up", count(checked.tests, "test"))
        } else {
            checked.faults.join("\n")
        }
    })?;
    Ok(if checked.sound { Exit::DONE } else { ErrorKind::Incomplete.into() })
}

/// Plans suites from reports or timing files in every variant.
fn suites(flags: &SuitesFlags, session: &Session) -> Result<Exit, Fault> {
    let mut suites = Vec::new();
    for path in &flags.paths {
        let read = reports::read(std::slice::from_ref(path), session.output);
        record::say_problems(session, &read.problems);
        if let Some(fault) = read.failures.into_iter().next() {
            return Err(fault);
        }
        suites.push(suite(path, &read.recording));
    }
    let mut document = BenchDocument::begin();
    document.add(command::variants_section(&suites));
    session.output.show(&document, people)?;
    let sound = document.targets.iter().all(|target| target.met);
    Ok(if sound { Exit::DONE } else { ErrorKind::Incomplete.into() })
}

/// The tests of a recording that have a time, with the mean of their times.
fn suite(path: &Path, recording: &Recording) -> Suite {
    let mut times: BTreeMap<TestId, (u64, u64)> = BTreeMap::new();
    for attempt in &recording.attempts {
        if let Some(duration) = attempt.duration {
            let (sum, count) = times.entry(attempt.test).or_default();
            (*sum, *count) = (*sum + duration.get(), *count + 1);
        }
    }
    let mut named = TestTable::new();
    let mut means = Vec::new();
    for (test, (sum, count)) in times {
        let group = recording.tests.group(test);
        named.intern(
            recording.tests.name(test),
            group.map(|group| recording.tests.group_name(group)),
        );
        means.push(Micros::new((sum / count).max(1)));
    }
    let (tests, old) = named.sorted();
    let mut setup = vec![Micros::ZERO; tests.group_count()];
    for known in &recording.setups {
        if let Some(group) = tests.find_group(recording.tests.group_name(known.group)) {
            setup[group.index()] = known.setup;
        }
    }
    let mean = old.iter().map(|test| means[test.index()]).collect();
    Suite { name: path.display().to_string(), tests, mean, setup }
}

fn compare(flags: &CompareFlags, session: &Session) -> Result<Exit, Fault> {
    let document = results(&flags.results, &files::read(&flags.results)?)?;
    files::write(&flags.out, document.markdown().as_bytes())?;
    session.output.say(&format!("wrote {}", flags.out.display()));
    Ok(Exit::DONE)
}

fn outcomes(flags: &OutcomesFlags, session: &Session) -> Result<Exit, Fault> {
    let mut pasts = Vec::new();
    for path in &flags.paths {
        let name = path.file_stem().map(|name| name.to_string_lossy()).unwrap_or_default();
        let wrong = |what| Fault::usage(what).at(path.display());
        pasts.push(Past::read(&name, &files::read(path)?).map_err(wrong)?);
    }
    let mut document = BenchDocument::begin();
    document.add(table_of(&pasts));
    session.output.show(&document, people)?;
    Ok(Exit::DONE)
}

fn corpus(flags: &CorpusFlags, session: &Session) -> Result<Exit, Fault> {
    let made = Monolith::new(flags.tests, rasher_bench::corpus::MONOLITH_SEED);
    let run = made.run(flags.run);
    let bytes = match flags.form {
        Form::Durations => run.test_durations(),
        Form::Junit => run.junit(),
    };
    files::write(&flags.out, &bytes)?;
    session.output.say(&format!("wrote {}", flags.out.display()));
    Ok(Exit::DONE)
}

/// The tables, then the targets.
fn people(document: &BenchDocument) -> String {
    let mut text =
        format!("unit: sorting 45,000 durations takes {:.0} µs here\n", document.unit.sort_us);
    for section in &document.sections {
        let rows = section.rows.iter().map(|row| row.iter().map(cell).collect());
        text.push_str(&format!("\n{}: {}\n", section.name, section.title));
        text.push_str(&wide_table(&section.columns, rows));
    }
    if !document.targets.is_empty() {
        let rows = document.targets.iter().map(target_cells);
        text.push('\n');
        text.push_str(&table(["target", "what", "demanded", "measured", ""], &[3], rows));
    }
    text
}

/// A table whose number of columns is not known beforehand: text left, all else right.
fn wide_table(columns: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.collect();
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([columns[at].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for row in std::iter::once(&columns.to_vec()).chain(&rows) {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(|(at, (cell, width))| match at {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}
