//! What retry and verdict look at: the results of a run by file, and the scores of its tests.

use std::path::PathBuf;

use rasher::attempt::Recording;
use rasher::flake::{FlakeOptions, Scores};
use rasher::outcome::Outcomes;
use rasher::outcome::ledger::{Ledger, Verification, chain};
use rasher::plan::document::PlanDocument;

use crate::fault::Fault;
use crate::reports::{self, FileRead};
use crate::session::{Session, store_fault};
use crate::verbs::record;
use crate::verbs::verify::Results;

/// Branches whose runs show what the suite is like, whoever works on it.
const MAIN: [&str; 4] = ["main", "master", "trunk", "develop"];

/// True for a main branch.
pub(crate) fn is_main(branch: Option<&str>) -> bool {
    branch.is_some_and(|branch| MAIN.contains(&branch))
}

/// Results as given.
pub(crate) struct Given {
    /// What came of each test.
    pub(crate) outcomes: Outcomes,
    /// The ledger's word on them.
    pub(crate) verified: Verification,
    /// The plans, the first one first.
    pub(crate) plans: Vec<PlanDocument>,
    /// Paths that held no report.
    pub(crate) failures: Vec<Fault>,
}

/// Reads results of a run and enters them in its ledger.
pub(crate) fn read(
    session: &Session,
    plans: &[PlanDocument],
    results: &[Results],
) -> Result<Given, Fault> {
    let wrong = |e: rasher::outcome::ledger::LedgerError| Fault::usage(e.to_string());
    let mut ledger = Ledger::open(plans).map_err(wrong)?;
    let paths: Vec<PathBuf> = results.iter().map(|results| results.path.clone()).collect();
    let read = reports::read(&paths, session.output);
    record::say_problems(session, &read.problems);
    for file in &read.files {
        let attempt = results[file.asked].attempt;
        ledger.report(attempt, &read.recording, file.attempts.clone()).map_err(wrong)?;
    }
    let outcomes = fold(session, &read.recording, &read.files, |file| results[file.asked].attempt);
    let failures = read.failures;
    Ok(Given { outcomes, verified: ledger.close(), plans: chain(plans).map_err(wrong)?, failures })
}

/// Reads results of the base: one round, whatever the paths.
pub(crate) fn read_base(session: &Session, paths: &[PathBuf]) -> Option<Outcomes> {
    if paths.is_empty() {
        return None;
    }
    let read = reports::read(paths, session.output);
    record::say_problems(session, &read.problems);
    for fault in &read.failures {
        session.output.warn(&fault.what());
    }
    Some(fold(session, &read.recording, &read.files, |_| 1))
}

/// Each file is one report; a file given twice, or copied, is the same report.
fn fold(
    session: &Session,
    recording: &Recording,
    files: &[FileRead],
    round: impl Fn(&FileRead) -> u16,
) -> Outcomes {
    let reports: Vec<_> = files.iter().map(|file| (round(file), file.attempts.clone())).collect();
    Outcomes::of_reports(&session.environment, recording, &reports)
}

/// Flake scores from the newest `runs_max` recorded runs: those of a main branch where there are
/// any, else all; never those of the run under judgement.
pub(crate) fn scores(
    session: &Session,
    runs_max: usize,
    judged: Option<&str>,
) -> Result<Scores, Fault> {
    let mut scores = Scores::new(FlakeOptions::default());
    let store = session.open_store()?;
    let all = store.runs(&session.environment, None).map_err(|e| store_fault(&e))?;
    let all = session.usable(all);
    let main = all.iter().any(|run| is_main(run.branch.as_deref()));
    let mut runs = all;
    runs.retain(|run| {
        (!main || is_main(run.branch.as_deref())) && Some(run.run.as_str()) != judged
    });
    let bar = session.output.progress(runs.len().min(runs_max) as u64, "scoring");
    for run in runs.iter().skip(runs.len().saturating_sub(runs_max)) {
        let loaded = store.load_run(&session.environment, &run.run).map_err(|e| store_fault(&e))?;
        scores.fold(&session.usable(loaded));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(scores)
}

/// Scores for a verdict: a store that cannot be read costs what history knows, never the verdict.
pub(crate) fn scores_or_none(session: &Session, runs_max: usize, judged: Option<&str>) -> Scores {
    scores(session, runs_max, judged).unwrap_or_else(|fault| {
        session.output.warn(&format!("history cannot be used: {}", fault.what()));
        Scores::new(FlakeOptions::default())
    })
}
