//! How time and memory of a whole plan grow from ten thousand tests to a million.

use serde_json::json;

use super::Effort;
use super::document::Measured;
use super::solve::Prepared;
use crate::instances::balance::{Family, make};
use crate::measure::{against_sort, peak_memory};

/// Tests and shards, smallest first, so that peak memory belongs to the row.
const SIZES: [(usize, usize); 4] =
    [(10_000, 50), (45_000, 200), (200_000, 500), (1_000_000, 1_000)];

/// Whole plans of growing workloads.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "scale",
        "Whole plans (log-normal durations): how time and memory grow",
        &["tests", "shards", "ms", "ns / test", "× sort", "gap", "peak memory of the process, MB"],
    );
    for size in SIZES {
        let made = make(Family::LogNormal, size, 0);
        let prepared = Prepared::plain(&made.durations);
        let rounds = effort.rounds.min(5);
        let timing = against_sort(&made.durations, rounds, || prepared.plan(made.shards));
        found.row(vec![
            json!(size.0),
            json!(size.1),
            json!(timing.subject.as_secs_f64() * 1e3),
            json!(timing.subject.as_nanos() as f64 / size.0 as f64),
            json!(timing.ratio()),
            json!(prepared.plan(made.shards).gap()),
            json!(peak_memory().map(|bytes| bytes as f64 / 1e6)),
        ]);
    }
    found
}
