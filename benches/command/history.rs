//! T12: from the store on disk to shards.

use std::collections::HashMap;

use rasher::attempt::{Isolation, RunContext};
use rasher::estimate::{Estimates, estimate};
use rasher::history::History;
use rasher::plan::longest_first::{Assignment, longest_first};
use rasher::plan::{Plan, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher_store::Store;
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use crate::corpus::{MadeRun, Monolith};
use crate::measure::{Timing, against_sort};

const ENVIRONMENT: &str = "bench";
const SHARDS: usize = 200;
/// Runs of the monolith that the store holds.
const RUNS: u32 = 3;

/// Reads of a store that holds the made monolith. Where no store can be made, an empty table that
/// meets no target.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "history",
        "From a store of the made monolith, its summary warm, to 200 shards",
        &["from", "to", "ms", "× sort"],
    );
    let made = Monolith::full();
    let path = tempfile::tempdir().ok();
    let store = path.as_ref().and_then(|folder| filled(folder.path().join("store"), &made));
    let Some(store) = store else { return found };
    let json = made.run(0).test_durations();
    let durations: Vec<u64> = made.run(0).results.iter().map(|r| r.duration.get()).collect();
    let mut row = |from: &str, to: &str, timing: Timing| {
        let took = timing.subject.as_secs_f64() * 1e3;
        found.row(vec![json!(from), json!(to), json!(took), json!(timing.ratio())]);
        timing.ratio()
    };
    let rounds = effort.rounds.max(3);
    let unit = durations.as_slice();
    row("store", "history in memory", against_sort(unit, rounds, || load(&store)));
    row("store", "history and estimates", against_sort(unit, rounds, || estimated(&store)));
    let timing = against_sort(unit, rounds, || workers(&store));
    let ratio = row("store", "estimates and a worker for each test", timing);
    let timing = against_sort(unit, rounds, || whole_plan(&store));
    row("store", "shards with names, classes and set-ups", timing);
    let parse = || serde_json::from_slice::<HashMap<String, f64>>(&json).ok();
    let timing = against_sort(unit, rounds, parse);
    let parsed = row("`.test_durations` as JSON", "a map in memory (serde_json)", timing);
    let what = "open, load, estimate, a worker for each test, × sort";
    found.target(Target::at_most("T12", what, 3.0, ratio));
    found.target(Target::at_least(
        "T12",
        "× faster than parsing the JSON alone",
        10.0,
        parsed / ratio,
    ));
    found
}

fn load(store: &Store) -> Option<History> {
    store.history(ENVIRONMENT).ok().map(|loaded| loaded.value)
}

/// What a caller does: the store is opened and read, the tests of the newest run are estimated.
fn estimated(store: &Store) -> Option<(History, TestTable, Estimates)> {
    let store = Store::open(store.path()).ok()?;
    let history = load(&store)?;
    let tests = newest(&history)?;
    let estimates = estimate(&history, &tests);
    Some((history, tests, estimates))
}

/// The same, and a worker for each test by longest first.
fn workers(store: &Store) -> Option<(impl Sized, Assignment)> {
    let known = estimated(store)?;
    let durations: Vec<u64> = known.2.mean.iter().map(|mean| mean.get()).collect();
    let assigned = longest_first(&durations, SHARDS);
    Some((known, assigned))
}

fn newest(history: &History) -> Option<TestTable> {
    history.tests_of(&history.newest_run(None)?.run)
}

/// As `rasher plan` does it: every test of the newest run, with its class.
fn whole_plan(store: &Store) -> Option<(impl Sized, Plan)> {
    let history = load(store)?;
    let tests = newest(&history)?;
    let costs = estimate(&history, &tests);
    let workload = Workload::new(&tests, &costs.mean, &costs.upper, &costs.setup).ok()?;
    let made = plan(&workload, &PlanOptions::new(SHARDS as u32)).ok()?;
    Some(((history, tests, costs), made))
}

fn filled(path: std::path::PathBuf, made: &Monolith) -> Option<Store> {
    let store = Store::open(path).ok()?;
    for number in 0..RUNS {
        let run = made.run(number);
        store.record(&context(&run, number), run.recording()).ok()?;
    }
    load(&store).filter(|history| history.len() == made.tests()).map(|_| store)
}

fn context(run: &MadeRun<'_>, number: u32) -> RunContext {
    RunContext {
        environment: ENVIRONMENT.to_owned(),
        branch: None,
        commit: None,
        base_commit: None,
        run: format!("run-{number}"),
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: run.at,
    }
}
