//! T3 and T4: how near to the lower bound whole plans of set A are, and what that costs.

use rasher::plan::{balanced, plan};
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use super::solve::{Prepared, options};
use crate::instances::balance::{Family, SIZES, make};
use crate::measure::against_sort;

/// Steps of the balance that is timed: what a plan of such sizes takes.
const STEPS: u64 = 200_000;

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
///
/// With a hundred tests per worker and more the tolerance is 1e-6; with fewer it is first 1e-4, then
/// 1e-5.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "quality",
        "Plans of set A: worst gap to the lower bound over the seeds, and worst time of the balance (of \
         the durations, without names) as a multiple of sorting them",
        &[
            "family",
            "tests",
            "shards",
            "asked for",
            "worst gap",
            "share that reached it",
            "× sort",
            "faults found by the checker",
        ],
    );
    let dense = table(&mut found, &SIZES[..3], (&Family::ALL, 1), effort);
    let others: Vec<_> = Family::ALL.into_iter().filter(|f| *f != Family::Bimodal).collect();
    let near = table(&mut found, &SIZES[3..4], (&others, 100), effort);
    let nearer = table(&mut found, &SIZES[3..4], (&others, 10), effort);
    let bimodal = table(&mut found, &SIZES[3..4], (&[Family::Bimodal], 100), effort);
    let share = dense.reached as f64 / dense.count as f64;
    let mut at_most = |id: &str, what: &str, limit: f64, measured: f64| {
        found.target(Target::at_most(id, what, limit, measured));
    };
    at_most("T3", "n/m ≥ 100, 13,000 tests and more: worst time, × sort", 2.5, dense.ratio);
    at_most("T4", "45,000 × 1,000: worst gap", 1e-4, near.gap.max(bimodal.gap));
    at_most("T4", "45,000 × 1,000 to 1e-4, without bimodal: × sort", 2.5, near.ratio);
    at_most("T4", "45,000 × 1,000 to 1e-5, without bimodal: × sort", 40.0, nearer.ratio);
    at_most("T4", "45,000 × 1,000 to 1e-4, bimodal: × sort", 20.0, bimodal.ratio);
    let faults = (dense.faults + near.faults + nearer.faults + bimodal.faults) as f64;
    at_most("T13", "set A: plans in which the checker finds a fault", 0.0, faults);
    found.target(Target::at_least("T3", "n/m ≥ 100: share within 1e-6", 1.0, share));
    found
}

/// Adds the rows of some sizes and families to a tolerance in millionths, and sums them up.
fn table(
    found: &mut Measured,
    sizes: &[(usize, usize)],
    (families, tolerance_ppm): (&[Family], u64),
    effort: Effort,
) -> Row {
    let mut sum = Row::default();
    for size in sizes {
        for family in families {
            let row = family_row(*family, *size, tolerance_ppm, effort);
            // Below 13,000 tests the sort takes some microseconds: too short for a ratio.
            sum.ratio = sum.ratio.max(if size.0 >= 13_000 { row.ratio } else { 0.0 });
            sum.gap = sum.gap.max(row.gap);
            sum.reached += row.reached;
            sum.count += row.count;
            sum.faults += row.faults;
            found.row(vec![
                json!(family.name()),
                json!(size.0),
                json!(size.1),
                json!(tolerance_ppm as f64 / 1e6),
                json!(row.gap),
                json!(row.reached as f64 / row.count as f64),
                json!(row.ratio),
                json!(row.faults),
            ]);
        }
    }
    sum
}

fn family_row(family: Family, size: (usize, usize), tolerance_ppm: u64, effort: Effort) -> Row {
    let mut row = Row::default();
    let mut options = options(size.1);
    options.tolerance_ppm = tolerance_ppm;
    for seed in 0..effort.seeds {
        let made = make(family, size, seed);
        let prepared = Prepared::plain(&made.durations);
        let Ok(plan) = plan(&prepared.workload(), &options) else { continue };
        let timing = against_sort(&made.durations, effort.rounds, || {
            balanced(&made.durations, made.shards, tolerance_ppm, STEPS)
        });
        row.gap = row.gap.max(plan.gap());
        row.ratio = row.ratio.max(timing.ratio());
        row.reached += usize::from(plan.gap() <= tolerance_ppm as f64 / 1e6);
        row.faults += usize::from(!prepared.faults(&plan, made.optimum).is_empty());
        row.count += 1;
    }
    row
}
