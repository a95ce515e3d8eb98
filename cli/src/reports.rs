//! Reports on the disk: which files are meant, which module each is of, and reading them.
//!
//! Decides by path what to open, never what it says: that is the engine's.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rasher::attempt::Recording;
use rasher::ingest::{Limits, Reader};
use serde::Serialize;
use walkdir::{DirEntry, WalkDir};

use crate::fault::Fault;
use crate::files;
use crate::output::Output;

/// Something that could not be used as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileProblem {
    /// Which file.
    pub(crate) file: String,
    /// The line, from 1, where there is one.
    pub(crate) line: Option<u64>,
    /// What is wrong and what was done about it.
    pub(crate) what: String,
}

/// What came of one file.
#[derive(Clone, Debug)]
pub(crate) struct FileRead {
    /// Its attempts, as a part of the recording.
    pub(crate) attempts: Range<usize>,
    /// Which of the paths that were asked for it was found by.
    pub(crate) asked: usize,
}

/// All that was read.
#[derive(Debug, Default)]
pub(crate) struct ReportsRead {
    /// The attempts of all files, in the order of `files`.
    pub(crate) recording: Recording,
    /// The files that were reports.
    pub(crate) files: Vec<FileRead>,
    /// What could not be used.
    pub(crate) problems: Vec<FileProblem>,
    /// Paths that hold no report at all, with the reason. What was readable was read.
    pub(crate) failures: Vec<Fault>,
    /// A hash of the content of all files, whatever their names and order.
    pub(crate) content: String,
}

/// Reads every report that the paths name: files, directories (searched), patterns.
///
/// A path that names nothing is a failure in the answer; what the others name is read.
pub(crate) fn read(paths: &[PathBuf], output: Output) -> ReportsRead {
    let mut all = ReportsRead::default();
    let mut found: Vec<(usize, PathBuf)> = Vec::new();
    for (asked, path) in paths.iter().enumerate() {
        match find(path) {
            Ok(files) => found.extend(files.into_iter().map(|file| (asked, file))),
            Err(fault) => all.failures.push(fault),
        }
    }
    let mut reader = Reader::new(Limits::default());
    let mut hashes: BTreeSet<[u8; 32]> = BTreeSet::new();
    let mut next = 0;
    let bar = output.progress(found.len() as u64, "reading");
    for (asked, path) in found {
        bar.inc(1);
        let name = path.display().to_string();
        let bytes = match files::read(&path) {
            Ok(bytes) => bytes,
            Err(fault) => {
                all.problems.push(FileProblem { file: name, line: None, what: fault.what() });
                continue;
            }
        };
        let report = reader.read(&bytes, module_of(&path).as_deref());
        all.problems.extend(report.problems.iter().map(|problem| FileProblem {
            file: name.clone(),
            line: problem.line,
            what: problem.what.clone(),
        }));
        if !report.is_refused() {
            hashes.insert(*blake3::hash(&bytes).as_bytes());
            all.files.push(FileRead { attempts: next..next + report.attempts, asked });
            next += report.attempts;
        }
    }
    bar.finish_and_clear();
    note_fruitless(paths, &mut all);
    let mut content = blake3::Hasher::new();
    for hash in &hashes {
        content.update(hash);
    }
    all.content = content.finalize().to_hex()[..16].to_owned();
    all.recording = reader.finish();
    all
}

/// A path all of whose files were refused names no report.
fn note_fruitless(paths: &[PathBuf], all: &mut ReportsRead) {
    if all.files.is_empty() && all.failures.is_empty() && !paths.is_empty() {
        let mut fault = Fault::store("none of the files is a report that rasher knows")
            .hint("known: JUnit XML, .test_durations, Knapsack, parallel_tests and Jest timings");
        if let Some(problem) = all.problems.first() {
            let line = problem.line.map_or(String::new(), |line| format!(":{line}"));
            fault = fault.at(format!("{}{line}: {}", problem.file, problem.what));
        }
        all.failures.push(fault);
    }
}

/// The files that a path names, in order of their names.
fn find(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    if path.as_os_str() == "-" {
        return Ok(vec![path.to_path_buf()]);
    }
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => search(path, &is_report_name).and_then(|files| {
            let empty = || {
                Fault::store(format!("there is no report in `{}`", path.display())).hint(
                    "looked for *.xml, *.attempts.jsonl, .test_durations, knapsack, parallel_tests and Jest timings, \
                     also in its folders; name a file to read it whatever its name",
                )
            };
            if files.is_empty() { Err(empty()) } else { Ok(files) }
        }),
        Ok(_) => Ok(vec![path.to_path_buf()]),
        Err(e) if e.kind() == io::ErrorKind::NotFound => expand(path, &e),
        Err(e) => Err(files::trouble("read", path, &e)),
    }
}

/// A path that does not exist as it stands may be a pattern that no shell has expanded.
fn expand(path: &Path, error: &io::Error) -> Result<Vec<PathBuf>, Fault> {
    let is_glob =
        |part: Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    let text = path.to_string_lossy();
    let root: PathBuf = path.components().take_while(|part| !is_glob(*part)).collect();
    if root.as_path() == path {
        return Err(files::trouble("read", path, error));
    }
    let glob = GlobBuilder::new(&text)
        .literal_separator(true)
        .build()
        .map_err(|e| Fault::usage(format!("`{text}` is no pattern: {}", e.kind())))?;
    let matcher: GlobMatcher = glob.compile_matcher();
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root.as_path() };
    let found = search(root, &|file: &Path| {
        matcher.is_match(file) || file.strip_prefix("./").is_ok_and(|file| matcher.is_match(file))
    })?;
    if found.is_empty() {
        return Err(Fault::store(format!("no file matches `{text}`"))
            .hint("`*` stays within a folder, `**` goes through folders"));
    }
    Ok(found)
}

fn search(root: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_foreign(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && wanted(entry.path()) => {
                found.push(entry.into_path());
            }
            Ok(_) => {}
            Err(e) if e.loop_ancestor().is_some() => {}
            Err(e) => {
                let at = e.path().unwrap_or(root).to_path_buf();
                let error = e.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into());
                return Err(files::trouble("search", &at, &error));
            }
        }
    }
    Ok(found)
}

/// Folders that hold no reports of this project: versioning, dependencies, our own store.
pub(crate) fn is_foreign(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    entry.file_type().is_dir()
        && [".git", ".hg", ".svn", ".rasher", "node_modules", ".venv"].iter().any(|it| name == *it)
}

fn is_report_name(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let json = name.ends_with(".json");
    name.ends_with(".xml")
        || name.ends_with(".attempts.jsonl")
        || name.starts_with(".test_durations")
        || (name.starts_with("knapsack") && json)
        || (name.starts_with("parallel_runtime") && name.ends_with(".log"))
        || (name.starts_with("jest-balance") && json)
}

/// The project that a report in a Maven or Gradle layout is of: `…/MODULE/target/surefire-reports`,
/// `…/MODULE/build/test-results/test`. As a path from here, so that it is the same on every
/// machine; of a path from elsewhere the last folder.
fn module_of(path: &Path) -> Option<String> {
    let here = std::env::current_dir().ok();
    let inner = here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    let parts: Vec<&str> = inner
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    let is_layout = |pair: &[&str]| {
        (pair[0] == "target" && matches!(pair[1], "surefire-reports" | "failsafe-reports"))
            || (pair[0] == "build" && pair[1] == "test-results")
            || (matches!(pair[0], "target" | "build") && pair[1] == "rasher")
    };
    let at = parts.windows(2).position(is_layout)?;
    let module = &parts[..at];
    let from = if inner.is_relative() { 0 } else { module.len().saturating_sub(1) };
    (!module.is_empty()).then(|| module[from..].join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_a_report_is_its_project() {
        for (path, module) in [
            ("core/target/surefire-reports/TEST-a.xml", Some("core")),
            ("./a/core/target/failsafe-reports/TEST-a.xml", Some("a/core")),
            ("app/build/test-results/test/TEST-a.xml", Some("app")),
            ("target/surefire-reports/TEST-a.xml", None),
            ("/elsewhere/x/core/target/surefire-reports/TEST-a.xml", Some("core")),
            ("reports/TEST-a.xml", None),
        ] {
            assert_eq!(module_of(Path::new(path)).as_deref(), module, "{path}");
        }
    }

    #[test]
    fn timing_files_are_known_by_name_in_a_folder() {
        for name in [
            "TEST-a.xml",
            ".test_durations",
            ".test_durations.linux",
            "knapsack_rspec_report.json",
            "parallel_runtime_rspec.log",
            "jest-balance.json",
        ] {
            assert!(is_report_name(Path::new(name)), "{name}");
        }
        for name in ["package.json", "build.log", "a.txt"] {
            assert!(!is_report_name(Path::new(name)), "{name}");
        }
    }
}
