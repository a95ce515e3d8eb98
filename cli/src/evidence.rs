//! What retry and verdict look at: the results of a run by file, and the scores of its tests.

use std::path::PathBuf;

use rasher::attempt::{Recording, Rows, SAME_RUN_AMONG};
use rasher::flake::{FlakeOptions, Scores, teaches};
use rasher::history::RunSeen;
use rasher::outcome::Outcomes;
use rasher::outcome::ledger::{Ledger, Verification, chain};
use rasher::plan::document::PlanDocument;

use crate::fault::Fault;
use crate::reports::{self, FileRead, ReportsRead};
use crate::session::{Session, store_fault};
use crate::verbs::record;
use crate::verbs::verify::Results;

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
    /// What their rows say.
    rows: Rows,
}

impl Given {
    /// The recorded runs that are the run under judgement, and so say nothing of what was before
    /// it: the one of the plan's name; and where there is none, because it was recorded under
    /// another, the newest one whose rows are all among those judged, or all of those judged
    /// among its own, down to the time that each test took.
    pub(crate) fn recorded_as(&self, session: &Session) -> Vec<String> {
        let named: Vec<String> =
            self.plans.iter().find_map(|plan| plan.run.clone()).into_iter().collect();
        let Ok(store) = session.open_store() else { return named };
        let Ok(runs) = store.runs(&session.environment, None) else { return named };
        if runs.value.iter().any(|run| named.contains(&run.run)) {
            return named;
        }
        let is_same = |run: &&RunSeen| {
            let Ok(loaded) = store.load_run(&session.environment, &run.run) else { return false };
            Rows::of(loaded.value.iter().map(|it| &it.recording)).is_run_of(&self.rows)
        };
        let same =
            runs.value.iter().rev().take(SAME_RUN_AMONG).find(is_same).map(|run| run.run.clone());
        if let Some(run) = &same {
            session
                .output
                .say(&format!("run `{run}` has these very results: it is no earlier run"));
        }
        named.into_iter().chain(same).collect()
    }
}

/// Reads results of a run and enters them in its ledger.
pub(crate) fn read(
    session: &Session,
    plans: &[PlanDocument],
    results: &[Results],
    gone: &[String],
) -> Result<Given, Fault> {
    let wrong = |e: rasher::outcome::ledger::LedgerError| Fault::usage(e.to_string());
    let paths: Vec<PathBuf> = results.iter().map(|results| results.path.clone()).collect();
    let read = reports::read(&paths, session.output);
    let gone = believed(session, gone, &read);
    let mut ledger = Ledger::open(plans).map_err(wrong)?.with_gone(gone);
    record::say_problems(session, &read.problems);
    for file in &read.files {
        let attempt = results[file.asked].attempt;
        ledger.report(attempt, &read.recording, file.attempts.clone()).map_err(wrong)?;
    }
    let plans = chain(plans).map_err(wrong)?;
    let round = |file: &FileRead| results[file.asked].attempt;
    let outcomes = fold(session, (&read.recording, &read.files), &plans, round);
    let rows = Rows::of([&read.recording]);
    Ok(Given { outcomes, verified: ledger.close(), plans, failures: read.failures, rows })
}

/// Which tests may be gone by somebody's word: none where a report could not be read to its end,
/// for what it lost looks the same.
pub(crate) fn believed<'a>(
    session: &Session,
    gone: &'a [String],
    read: &ReportsRead,
) -> &'a [String] {
    if gone.is_empty() || (read.problems.is_empty() && read.failures.is_empty()) {
        return gone;
    }
    let what = "--gone does not count: a report could not be read whole, and lost tests look alike";
    session.output.warn(what);
    &[]
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
    Some(fold(session, (&read.recording, &read.files), &[], |_| 1))
}

/// Each file is one report; a file given twice, or copied, is the same report.
fn fold(
    session: &Session,
    (recording, files): (&Recording, &[FileRead]),
    plans: &[PlanDocument],
    round: impl Fn(&FileRead) -> u16,
) -> Outcomes {
    let reports: Vec<_> = files.iter().map(|file| (round(file), file.attempts.clone())).collect();
    Outcomes::of_reports(&session.environment, recording, &reports, plans)
}

/// True for a branch whose runs show what the suite is like, whoever works on it.
pub(crate) fn is_main(branch: Option<&str>) -> bool {
    teaches(branch, true)
}

/// Flake scores as the store keeps them; of the newest `runs_max` runs only where that is asked
/// for, and without the run under judgement where that was recorded already. Runs of a main branch
/// count where there are any, else all.
pub(crate) fn scores(
    session: &Session,
    runs_max: Option<usize>,
    judged: &[String],
) -> Result<Scores, Fault> {
    let store = session.open_store()?;
    if runs_max.is_none() {
        let loaded = store.scores(&session.environment).map_err(|e| store_fault(&e))?;
        let scores = session.usable(loaded);
        if !judged.iter().any(|run| scores.has_run(run)) {
            return Ok(scores);
        }
    }
    scores_of(session, runs_max, |run| !judged.contains(&run.run))
}

/// The same of the runs that are wanted, read anew.
pub(crate) fn scores_of(
    session: &Session,
    runs_max: Option<usize>,
    wanted: impl Fn(&RunSeen) -> bool,
) -> Result<Scores, Fault> {
    let store = session.open_store()?;
    let mut scores = Scores::new(FlakeOptions::default());
    let all = store.runs(&session.environment, None).map_err(|e| store_fault(&e))?;
    let mut runs = session.usable(all);
    let main = runs.iter().any(|run| is_main(run.branch.as_deref()));
    runs.retain(|run| teaches(run.branch.as_deref(), main) && wanted(run));
    let most = runs_max.unwrap_or(usize::MAX).min(runs.len());
    let bar = session.output.progress(most as u64, "scoring");
    for run in runs.iter().skip(runs.len() - most) {
        let loaded = store.load_run(&session.environment, &run.run).map_err(|e| store_fault(&e))?;
        scores.fold(&session.usable(loaded));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(scores)
}

/// Scores for a verdict: a store that cannot be read costs what history knows, never the verdict.
pub(crate) fn scores_or_none(
    session: &Session,
    runs_max: Option<usize>,
    judged: &[String],
) -> Scores {
    scores(session, runs_max, judged).unwrap_or_else(|fault| {
        session.output.warn(&format!("history cannot be used: {}", fault.what()));
        Scores::new(FlakeOptions::default())
    })
}
