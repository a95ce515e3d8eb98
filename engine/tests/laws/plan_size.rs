//! Numbers of workers: what holds for every frontier.

use proptest::prelude::*;
use rasher::plan::{frontier_bounds, frontier_of};
use rasher::units::Micros;

use crate::plan::{config, optimum, suites};

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_frontier_never_rises_above_a_plan_or_the_optimum(suite in suites(9)) {
        let bounds = frontier_bounds(&suite.workload(), 5);
        prop_assert_eq!(bounds.len(), 5);
        for (shards, bound) in (1..).zip(&bounds) {
            prop_assert!(*bound <= suite.plan(shards).makespan);
            if shards < 4 {
                prop_assert!(*bound <= optimum(&suite, shards as usize));
            }
        }
    }

    #[test]
    fn a_frontier_is_near_the_bound_of_the_plan(suite in suites(200), shards in 1..30_u32) {
        let bounds = frontier_bounds(&suite.workload(), shards);
        let plan = suite.plan(shards);
        let near = bounds[shards as usize - 1].as_secs_f64() * 1.001 + 2e-6;
        prop_assert!(near >= plan.lower_bound.as_secs_f64() || plan.gap() > 0.0);
    }

    #[test]
    fn bare_durations_have_the_same_frontier(
        durations in prop::collection::vec(0..5_000_u64, 0..400),
    ) {
        let rows: Vec<_> = durations.iter().map(|span| (0, *span)).collect();
        let suite = crate::plan::Suite::of(&rows, &[]);
        let bounds: Vec<u64> =
            frontier_bounds(&suite.workload(), 40).into_iter().map(Micros::get).collect();
        prop_assert_eq!(frontier_of(&durations, 40), bounds);
    }
}
