//! T12: from the store on disk to shards.

use std::time::Duration;

use rasher::attempt::{Isolation, RunContext};
use rasher::estimate::{Estimates, estimate};
use rasher::history::History;
use rasher::plan::longest_first::longest_first;
use rasher::plan::{PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher_store::Store;
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use crate::corpus::{MadeRun, Monolith};
use crate::measure::{against_sort, time};

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
    let unit = against_sort(&durations, effort.rounds, || ()).unit;
    let mut row = |from: &str, to: &str, took: Duration| {
        let ratio = took.as_secs_f64() / unit.as_secs_f64();
        found.row(vec![json!(from), json!(to), json!(took.as_secs_f64() * 1e3), json!(ratio)]);
        ratio
    };
    let best = |call: &dyn Fn() -> usize| {
        (0..effort.rounds.max(3)).map(|_| time(call)).min().unwrap_or_default()
    };
    row("store", "history in memory", best(&|| load(&store).map_or(0, |h| h.len())));
    row("store", "history and estimates", best(&|| estimated(&store).map_or(0, |e| e.mean.len())));
    let to_workers = best(&|| workers(&store).unwrap_or(0));
    let ratio = row("store", "estimates and a worker for each test", to_workers);
    row(
        "store",
        "shards with names, classes and set-ups",
        best(&|| whole_plan(&store).unwrap_or(0)),
    );
    let parse = best(&|| {
        serde_json::from_slice::<std::collections::HashMap<String, f64>>(&json)
            .map_or(0, |m| m.len())
    });
    let parsed = row("`.test_durations` as JSON", "a map in memory (serde_json)", parse);
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
fn estimated(store: &Store) -> Option<Estimates> {
    let store = Store::open(store.path()).ok()?;
    let history = load(&store)?;
    let tests = newest(&history)?;
    Some(estimate(&history, &tests))
}

/// The same, and a worker for each test by longest first.
fn workers(store: &Store) -> Option<usize> {
    let estimates = estimated(store)?;
    let durations: Vec<u64> = estimates.mean.iter().map(|mean| mean.get()).collect();
    Some(longest_first(&durations, SHARDS).loads.len())
}

fn newest(history: &History) -> Option<TestTable> {
    history.tests_of(&history.newest_run(None)?.run)
}

/// As `rasher plan` does it: every test of the newest run, with its class.
fn whole_plan(store: &Store) -> Option<usize> {
    let history = load(store)?;
    let tests = newest(&history)?;
    let costs = estimate(&history, &tests);
    let workload = Workload::new(&tests, &costs.mean, &costs.upper, &costs.setup).ok()?;
    plan(&workload, &PlanOptions::new(SHARDS as u32)).ok().map(|plan| plan.shards.len())
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
