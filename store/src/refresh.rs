//! Bringing the summary of an environment up to date with its segments.

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::Timestamp;
use rasher::attempt::RunContext;
use rasher::history::{History, RunRecording};
use rasher::test_id::{TestId, TestSet, TestTable};

use crate::files::{SegmentFile, SegmentName};
use crate::summary::Summary;
use crate::{Loaded, Problem, Store, StoreError, summary};

/// More rows than this are not read beyond a summary to see which tests are new.
const UNCOVERED_ROWS_MAX: usize = 1_000_000;

/// Segments of one run, and when it began.
pub(crate) struct Run {
    pub(crate) at: Timestamp,
    pub(crate) run: String,
    /// The branch that its first segment names.
    pub(crate) branch: Option<String>,
    pub(crate) files: Vec<SegmentFile>,
}

pub(crate) fn history(store: &Store, environment: &str) -> Result<Loaded<History>, StoreError> {
    let listed = store.environment_segments(environment)?;
    let mut problems = Vec::new();
    let kept = summary::read(&store.files.summary_path(environment), environment);
    let kept = kept.filter(|kept| is_subset(&kept.covered, &listed));
    let fresh = match &kept {
        Some(kept) if kept.covered.len() == listed.len() => Vec::new(),
        Some(kept) => usable(store, environment, uncovered(&listed, &kept.covered), &mut problems),
        None => Vec::new(),
    };
    let folded = match kept {
        Some(kept) if fresh.is_empty() => {
            return Ok(Loaded { value: kept.history, problems });
        }
        Some(kept) if all_later(&kept.history, &fresh) => fold(store, kept, fresh, &mut problems),
        _ => rebuild(store, environment, &listed, &mut problems),
    };
    let folded = match folded {
        Err(StoreError::History(_)) => rebuild(store, environment, &listed, &mut problems)?,
        folded => folded?,
    };
    if !store.files.read_only && !folded.covered.is_empty() {
        let path = store.files.summary_path(environment);
        let bytes = summary::encode(&folded)?;
        if let Err(why) = store.files.put(&path, &bytes) {
            problems.push(Problem::new(&path, format!("could not be written ({why})")));
        }
    }
    Ok(Loaded { value: folded.history, problems })
}

/// Folds all segments but those already found wanting. Where one proves unusable only when its
/// rows are read, its run may have another time than it seemed: then again without it.
fn rebuild(
    store: &Store,
    environment: &str,
    listed: &[SegmentFile],
    problems: &mut Vec<Problem>,
) -> Result<Summary, StoreError> {
    loop {
        let known = problems.len();
        let wanting: HashSet<PathBuf> = problems.iter().map(|it| it.path.clone()).collect();
        let rest = listed.iter().filter(|file| !wanting.contains(&file.path)).cloned().collect();
        let runs = usable(store, environment, rest, problems);
        match fold(store, Summary::new(environment), runs, problems) {
            Err(StoreError::History(_)) if problems.len() > known => {}
            folded => return folded,
        }
    }
}

/// Adds to `known` the tests of `tests` that the environment has seen, by the segments `listed`.
///
/// Asks the summary, however old it is, and of the segments beyond it only as many as it takes
/// until no test is left to ask about: where two hundred shards of a run are recorded at once, none
/// has to fold the history of the others. Where that is much to read, the summary is brought up to
/// date instead, so that the next recording finds less.
pub(crate) fn known_tests(
    store: &Store,
    environment: &str,
    listed: &[SegmentFile],
    tests: &TestTable,
) -> Result<TestSet, StoreError> {
    let kept = summary::read(&store.files.summary_path(environment), environment);
    let mut known = TestSet::with_len(tests.len());
    let mut unknown = tests.len();
    if let Some(kept) = &kept {
        for test in in_history(&kept.history, tests) {
            unknown -= usize::from(known.insert(test));
        }
    }
    let mut rows = 0;
    for file in uncovered(listed, kept.as_ref().map_or(&[], |kept| &kept.covered)) {
        if unknown == 0 {
            break;
        }
        if rows > UNCOVERED_ROWS_MAX {
            let history = history(store, environment)?.value;
            for test in in_history(&history, tests) {
                known.insert(test);
            }
            break;
        }
        // What cannot be read here is named by whoever needs its content.
        if let Ok(it) = store.load(&file)
            && it.context.environment == environment
        {
            let table = &it.recording.tests;
            rows += it.recording.attempts.len();
            for test in table.ids().filter_map(|test| tests.find(table.name(test))) {
                unknown -= usize::from(known.insert(test));
            }
        }
    }
    Ok(known)
}

fn in_history<'a>(history: &'a History, tests: &'a TestTable) -> impl Iterator<Item = TestId> + 'a {
    tests.ids().filter(|test| history.tests().find(tests.name(*test)).is_some())
}

/// Both sorted by name.
pub(crate) fn is_subset(covered: &[SegmentName], listed: &[SegmentFile]) -> bool {
    let mut listed = listed.iter();
    covered.iter().all(|name| listed.any(|file| file.name == *name))
}

pub(crate) fn uncovered(listed: &[SegmentFile], covered: &[SegmentName]) -> Vec<SegmentFile> {
    let new = |file: &&SegmentFile| covered.binary_search(&file.name).is_err();
    listed.iter().filter(new).cloned().collect()
}

/// The readable segments of the environment among `files`, by run, in the order of folding.
pub(crate) fn usable(
    store: &Store,
    environment: &str,
    files: Vec<SegmentFile>,
    problems: &mut Vec<Problem>,
) -> Vec<Run> {
    let mut found: Vec<(RunContext, SegmentFile)> = Vec::new();
    for file in files {
        match store.context(&file) {
            Ok(context) if context.environment == environment => found.push((context, file)),
            Ok(_) => {}
            Err(problem) => problems.push(problem),
        }
    }
    found.sort_by(|a, b| (&a.0.run, a.0.at).cmp(&(&b.0.run, b.0.at)));
    let runs = found.chunk_by(|a, b| a.0.run == b.0.run).map(|run| Run {
        at: run[0].0.at,
        run: run[0].0.run.clone(),
        branch: run[0].0.branch.clone(),
        files: run.iter().map(|(_, file)| file.clone()).collect(),
    });
    let mut runs: Vec<Run> = runs.collect();
    runs.sort_by(|a, b| (a.at, &a.run).cmp(&(b.at, &b.run)));
    runs
}

fn all_later(history: &History, fresh: &[Run]) -> bool {
    let Some(last) = history.runs().last() else { return true };
    let known: HashSet<&str> = history.runs().iter().map(|run| run.run.as_str()).collect();
    fresh.iter().all(|run| {
        (run.at, run.run.as_str()) > (last.at, last.run.as_str())
            && !known.contains(run.run.as_str())
    })
}

fn fold(
    store: &Store,
    mut onto: Summary,
    runs: Vec<Run>,
    problems: &mut Vec<Problem>,
) -> Result<Summary, StoreError> {
    for run in runs {
        let mut recordings: Vec<RunRecording> = Vec::new();
        for file in run.files {
            match store.load(&file) {
                Ok(recording) => {
                    onto.covered.push(file.name);
                    recordings.push(recording);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if !recordings.is_empty() {
            onto.history.fold(&recordings)?;
        }
    }
    onto.covered.sort_unstable();
    Ok(onto)
}
