//! T3 and T4: how near to the lower bound whole plans of set A are, and what that costs.

use rasher::plan::balanced;
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use super::solve::{Prepared, options};
use crate::instances::balance::{Family, SIZES, make};
use crate::measure::against_sort;

/// What is kept of a family and size over its seeds.
#[derive(Default)]
struct Row {
    gap: f64,
    ratio: f64,
    reached: usize,
    count: usize,
    faults: usize,
}

/// Plans of set A but its largest size, with gap, cost and the checker's verdict.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "quality",
        "Whole plans of set A: worst gap to the lower bound over the seeds, and worst time as a \
         multiple of sorting the same durations (of the balance alone, without names)",
        &[
            "family",
            "tests",
            "shards",
            "worst gap",
            "share ≤ 1e-6",
            "× sort",
            "faults found by the checker",
        ],
    );
    let (mut dense, mut sparse) = (Row::default(), Row::default());
    let mut bimodal = 0.0_f64;
    for size in &SIZES[..4] {
        for family in Family::ALL {
            let row = family_row(family, *size, effort);
            let per_shard = size.0 / size.1;
            let sum = if per_shard >= 100 { &mut dense } else { &mut sparse };
            if per_shard < 100 && family == Family::Bimodal {
                bimodal = row.ratio;
            } else {
                // Sizes below 13,000 are too short for a ratio to a sort of some microseconds.
                sum.ratio = sum.ratio.max(if size.0 >= 13_000 { row.ratio } else { 0.0 });
            }
            sum.gap = sum.gap.max(row.gap);
            sum.reached += row.reached;
            sum.count += row.count;
            sum.faults += row.faults;
            found.row(vec![
                json!(family.name()),
                json!(size.0),
                json!(size.1),
                json!(row.gap),
                json!(row.reached as f64 / row.count as f64),
                json!(row.ratio),
                json!(row.faults),
            ]);
        }
    }
    let share = dense.reached as f64 / dense.count as f64;
    found.target(Target::at_least("T3", "share of set A with n/m ≥ 100 within 1e-6", 1.0, share));
    found.target(Target::at_most(
        "T3",
        "its cost, 13,000 tests and more, worst, × sort",
        2.5,
        dense.ratio,
    ));
    found.target(Target::at_most("T4", "45,000 × 1,000: worst gap", 1e-4, sparse.gap));
    found.target(Target::at_most(
        "T4",
        "its cost without bimodal, worst, × sort",
        40.0,
        sparse.ratio,
    ));
    found.target(Target::at_most("T4", "its cost on bimodal, × sort", 20.0, bimodal));
    let faults = (dense.faults + sparse.faults) as f64;
    found.target(Target::at_most(
        "T13",
        "set A: plans in which the checker finds a fault",
        0.0,
        faults,
    ));
    found
}

fn family_row(family: Family, size: (usize, usize), effort: Effort) -> Row {
    let mut row = Row::default();
    let options = options(size.1);
    for seed in 0..effort.seeds {
        let made = make(family, size, seed);
        let prepared = Prepared::plain(&made.durations);
        let plan = prepared.plan(made.shards);
        let timing = against_sort(&made.durations, effort.rounds, || {
            balanced(&made.durations, made.shards, options.tolerance_ppm, options.steps)
        });
        row.gap = row.gap.max(plan.gap());
        row.ratio = row.ratio.max(timing.ratio());
        row.reached += usize::from(plan.gap() <= 1e-6);
        row.faults += usize::from(!prepared.faults(&plan, made.optimum).is_empty());
        row.count += 1;
    }
    row
}
