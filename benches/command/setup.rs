//! T7: classes with set-ups, against the bound and against splitters that do not know of them.

use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use super::solve::Prepared;
use crate::instances::families::{Grouped, SETUP_SHARES, SIZES, make};
use crate::measure::against_sort;
use crate::textbook;

/// Plans of set C.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "setup",
        "Classes with a set-up that each worker pays anew: gap to the set-up bound, in per cent, worst \
         of the seeds; the others are their makespan over the same bound",
        &[
            "tests",
            "classes",
            "shards",
            "set-up share",
            "gap, %",
            "× sort",
            "whole classes, longest first, %",
            "tests, set-ups ignored, %",
            "faults found by the checker",
        ],
    );
    let (mut many, mut any, mut cost, mut faults) = (0.0_f64, 0.0_f64, 0.0_f64, 0_usize);
    for size in SIZES {
        for share in SETUP_SHARES {
            let row = size_row(size, share, effort);
            any = any.max(row.gap);
            if size.1 / size.2 >= 10 {
                many = many.max(row.gap);
            }
            if size.0 >= 45_000 {
                cost = cost.max(row.ratio);
            }
            faults += row.faults;
            found.row(vec![
                json!(size.0),
                json!(size.1),
                json!(size.2),
                json!(format!("{share} %")),
                json!(row.gap * 100.0),
                json!(row.ratio),
                json!(row.whole * 100.0),
                json!(row.ignored * 100.0),
                json!(row.faults),
            ]);
        }
    }
    found.target(Target::at_most("T7", "≥ 10 classes per worker: worst gap, %", 0.1, many * 100.0));
    found.target(Target::at_most("T7", "always: worst gap, %", 0.6, any * 100.0));
    found.target(Target::at_most("T7", "45,000 tests: worst time, × sort", 10.0, cost));
    found.target(Target::at_most(
        "T13",
        "set C: plans in which the checker finds a fault",
        0.0,
        faults as f64,
    ));
    found
}

#[derive(Default)]
struct Row {
    gap: f64,
    ratio: f64,
    whole: f64,
    ignored: f64,
    faults: usize,
}

fn size_row(size: (usize, usize, usize), share: u32, effort: Effort) -> Row {
    let mut row = Row::default();
    for seed in 0..effort.seeds {
        let made: Grouped = make(size, share, seed);
        let prepared = Prepared::grouped(&made);
        let plan = prepared.plan(made.shards);
        let timing =
            against_sort(&made.durations, effort.rounds.min(5), || prepared.plan(made.shards));
        let bound = plan.lower_bound.get() as f64;
        let over = |makespan: u64| (makespan as f64 - bound) / bound;
        row.gap = row.gap.max(plan.gap());
        row.ratio = row.ratio.max(timing.ratio());
        row.whole = row.whole.max(over(textbook::whole_classes(&made)));
        row.ignored = row.ignored.max(over(textbook::set_ups_ignored(&made)));
        row.faults += usize::from(!prepared.faults(&plan, None).is_empty());
    }
    row
}
