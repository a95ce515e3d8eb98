//! T8: the whole frontier of workers and time from one pass, and how real plans lie on it.

use rasher::budget::{Bounds, Pool, frontier};
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use super::solve::Prepared;
use crate::instances::balance::{Family, make};
use crate::measure::against_sort;

const WORKERS: std::ops::RangeInclusive<u32> = 2..=2_000;
/// Numbers of workers at which the frontier is held against a real plan.
const VERIFIED: [u32; 8] = [2, 5, 20, 50, 200, 500, 1_000, 2_000];

/// The frontier at 45,000 tests on every family of set A.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "frontier",
        "All points from 2 to 2,000 workers at 45,000 tests: time as a multiple of sorting the \
         durations, and the distance of real plans from eight of the points",
        &["family", "× sort", "useful workers", "worst distance of a plan"],
    );
    let (mut cost, mut distance) = (0.0_f64, 0.0_f64);
    for family in Family::ALL {
        let made = make(family, (45_000, 200), 0);
        let pool = Pool::plain("any");
        let table = || {
            let bounds = Bounds::new(&made.durations, *WORKERS.end());
            frontier(&bounds, &pool, WORKERS, None)
        };
        let timing = against_sort(&made.durations, effort.rounds, table);
        let points = table();
        let prepared = Prepared::plain(&made.durations);
        let worst = VERIFIED.into_iter().map(|workers| {
            let point = &points.points[(workers - WORKERS.start()) as usize];
            let makespan = prepared.plan(workers as usize).makespan.as_secs_f64();
            (makespan / point.finish.as_secs_f64() - 1.0).abs()
        });
        let worst = worst.fold(0.0, f64::max);
        cost = cost.max(timing.ratio());
        distance = distance.max(worst);
        found.row(vec![
            json!(family.name()),
            json!(timing.ratio()),
            json!(points.useful_workers_max),
            json!(worst),
        ]);
    }
    found.target(Target::at_most(
        "T8",
        "frontier of 2 to 2,000 workers, worst family, × sort",
        1.0,
        cost,
    ));
    found.target(Target::at_most(
        "T8",
        "worst distance of a real plan from its point",
        2e-3,
        distance,
    ));
    found
}
