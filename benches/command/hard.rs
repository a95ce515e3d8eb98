//! T5 and T6: the literature's classes, where few tests share a worker.

use std::time::Duration;

use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use super::solve::Prepared;
use crate::instances::literature::{self, PER_WORKER};
use crate::measure::time;
use crate::textbook;

/// What is kept of a ratio of tests to workers.
#[derive(Clone, Copy, Default)]
struct Row {
    count: usize,
    gap: f64,
    worst: f64,
    textbook: f64,
    proved: usize,
    longest: Duration,
    faults: usize,
}

/// Plans of set B: gap, share proved optimal, time.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "literature",
        "Classes 1 to 7 of the literature, 40 to 200 tests, by tests per worker",
        &[
            "tests / worker",
            "instances",
            "mean gap",
            "worst gap",
            "longest first: mean gap",
            "proved optimal",
            "longest time, ms",
            "faults found by the checker",
        ],
    );
    let mut rows = [Row::default(); PER_WORKER.len()];
    for (_, per_worker, made) in literature::all(effort.seeds.max(4)) {
        let at = PER_WORKER.iter().position(|p| *p == per_worker).unwrap_or(0);
        let prepared = Prepared::plain(&made.durations);
        let mut plan = None;
        let mut took = time(|| plan = Some(prepared.plan(made.shards)));
        // The minimum counts; where the first call is quick the others have nothing to say.
        for _ in 1..if took > Duration::from_millis(20) { effort.rounds } else { 1 } {
            took = took.min(time(|| prepared.plan(made.shards)));
        }
        let Some(plan) = plan else { continue };
        let bound = plan.lower_bound.get();
        let (_, longest_first) = textbook::longest_first(&made.durations, made.shards);
        let row = &mut rows[at];
        row.count += 1;
        row.gap += plan.gap();
        row.worst = row.worst.max(plan.gap());
        row.textbook += (longest_first - bound) as f64 / bound as f64;
        row.proved += usize::from(plan.makespan == plan.lower_bound);
        row.longest = row.longest.max(took);
        row.faults += usize::from(!prepared.faults(&plan, None).is_empty());
    }
    for (per_worker, row) in PER_WORKER.into_iter().zip(&rows) {
        let mean = |sum: f64| sum / row.count as f64;
        found.row(vec![
            json!(per_worker as f64 / 100.0),
            json!(row.count),
            json!(mean(row.gap)),
            json!(row.worst),
            json!(mean(row.textbook)),
            json!(mean(row.proved as f64)),
            json!(row.longest.as_secs_f64() * 1e3),
            json!(row.faults),
        ]);
    }
    add_targets(&mut found, &rows);
    found
}

fn add_targets(found: &mut Measured, rows: &[Row]) {
    let share = |rows: &[Row]| {
        let count: usize = rows.iter().map(|row| row.count).sum();
        rows.iter().map(|row| row.proved).sum::<usize>() as f64 / count as f64
    };
    let (few, many) = rows.split_at(5);
    found.target(Target::at_least("T5", "set B: share proved optimal", 0.75, share(rows)));
    found.target(Target::at_least("T5", "set B, n/m ≥ 5: share proved optimal", 1.0, share(many)));
    let longest = rows.iter().map(|row| row.longest).max().unwrap_or_default();
    let longest = longest.as_secs_f64() * 1e3;
    found.target(Target::at_most("T5", "set B: longest time of a plan, ms", 100.0, longest));
    let count: usize = few.iter().map(|row| row.count).sum();
    let gap = few.iter().map(|row| row.gap).sum::<f64>() / count as f64;
    found.target(Target::at_most("T6", "set B, n/m 2 to 3: mean gap", 0.003, gap));
    let faults = rows.iter().map(|row| row.faults).sum::<usize>() as f64;
    found.target(Target::at_most(
        "T13",
        "set B: plans in which the checker finds a fault",
        0.0,
        faults,
    ));
}
