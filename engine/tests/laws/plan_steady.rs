//! Steadiness: what more budget, more workers and an earlier plan may change.

use proptest::prelude::*;
use rasher::constraint::Constraints;
use rasher::plan::{Plan, PlanFacts, PlanOptions, Previous, RunOrder, balanced, plan};
use rasher::test_id::{TestId, TestSet};
use rasher::units::Micros;

use crate::plan::{Suite, check, config, optimum, suites};

fn with_steps(suite: &Suite, shards: u32, steps: u64) -> Plan {
    let mut options = PlanOptions::new(shards);
    options.steps = Some(steps);
    plan(&suite.workload(), &options).expect("a plan")
}

/// The best makespan of bare durations, by trying every assignment that matters.
fn best(durations: &[u64], workers: usize) -> u64 {
    fn place(left: &[u64], loads: &mut [u64], best: &mut u64) {
        let longest = loads.iter().copied().max().unwrap_or(0);
        if longest >= *best {
            return;
        }
        let Some((first, rest)) = left.split_first() else {
            *best = longest;
            return;
        };
        for at in 0..loads.len() {
            if loads[..at].contains(&loads[at]) {
                continue;
            }
            loads[at] += first;
            place(rest, loads, best);
            loads[at] -= first;
        }
    }
    let mut best = u64::MAX;
    place(durations, &mut vec![0; workers], &mut best);
    best
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn more_steps_never_finish_later(
        suite in suites(60), shards in 2..9_u32, few in 0..20_000_u64, more in 0..60_000_u64,
    ) {
        let (short, long) = (with_steps(&suite, shards, few), with_steps(&suite, shards, few + more));
        check(&suite, &long);
        prop_assert!(long.makespan <= short.makespan);
    }

    #[test]
    fn more_workers_never_finish_later(suite in suites(70), shards in 1..14_u32) {
        let (few, more) = (with_steps(&suite, shards, 5_000), with_steps(&suite, shards + 1, 5_000));
        prop_assert!(more.makespan <= few.makespan, "{} after {}", more.makespan, few.makespan);
    }

    #[test]
    fn a_balance_of_twelve_is_the_optimum_and_proves_it(
        durations in prop::collection::vec(prop_oneof![1..100_u64, 1..1_000_000_u64], 1..13),
        workers in 1..5_usize,
    ) {
        let (answer, bound) = balanced(&durations, workers, 0, 200_000);
        let optimum = best(&durations, workers);
        prop_assert!(bound <= optimum, "bound {} optimum {}", bound, optimum);
        prop_assert!(answer.makespan() >= optimum);
        prop_assert_eq!((answer.makespan(), bound), (optimum, optimum));
    }

    #[test]
    fn a_bound_never_exceeds_what_is_reached_where_few_items_meet(
        durations in prop::collection::vec(20..100_u64, 10..60), workers in 3..25_usize,
    ) {
        let (answer, bound) = balanced(&durations, workers, 0, 100_000);
        prop_assert!(bound <= answer.makespan());
        let mut loads = vec![0; workers];
        for (duration, at) in durations.iter().zip(&answer.worker) {
            loads[*at as usize] += duration;
        }
        prop_assert_eq!(loads, answer.loads);
    }

    #[test]
    fn with_the_useful_number_of_workers_the_shortest_run_is_reached(suite in suites(80)) {
        let most = suite.plan(1).useful_workers_max;
        let enough = suite.plan(most);
        prop_assert_eq!(enough.makespan, suite.plan(most + 9).lower_bound);
    }

    #[test]
    fn a_repaired_plan_is_exact_counts_what_moved_and_keeps_near_the_bound(
        suite in suites(150), shards in 1..8_u32, gone in 0..7_usize, scale in 90..110_u64,
    ) {
        let first = suite.plan(shards);
        let document = first.document(&suite.workload(), PlanFacts::default());
        let rows: Vec<_> = suite
            .tests
            .ids()
            .filter(|test| gone == 0 || test.index() % 7 != gone)
            .map(|test| {
                let group = suite.tests.group(test).map(|at| suite.tests.group_name(at).to_owned());
                let span = suite.mean[test.index()].get() * scale / 100 + u64::from(test.0) % 3;
                (suite.tests.name(test).to_owned(), group, span)
            })
            .chain([("test_new".to_owned(), None, 700)])
            .collect();
        let setups = (0..suite.tests.group_count() as u32)
            .map(|at| suite.tests.group_name(rasher::test_id::GroupId(at)).to_owned())
            .zip(suite.setup.iter().map(|span| span.get()))
            .collect();
        let now = Suite::new(&rows, &setups);
        let mut options = PlanOptions::new(shards);
        options.previous = Some(Previous::of(&document, &now.tests));
        let repaired = plan(&now.workload(), &options).unwrap();
        check(&now, &repaired);
        let fresh = now.plan(shards);
        prop_assert!(repaired.makespan.as_secs_f64() <= fresh.makespan.as_secs_f64() * 1.0101 + 2e-6);
        let mut moved = 0;
        for (at, shard) in repaired.shards.iter().enumerate() {
            for test in &shard.tests {
                let old = first.shards.iter().position(|shard| {
                    shard.tests.iter().any(|old| suite.tests.name(*old) == now.tests.name(*test))
                });
                moved += usize::from(old.is_some_and(|old| old != at));
            }
        }
        prop_assert_eq!(repaired.moved, Some(moved));
    }

    #[test]
    fn an_unchanged_workload_keeps_its_plan(suite in suites(100), shards in 1..8_u32) {
        let first = suite.plan(shards);
        prop_assume!(first.gap() <= 0.01);
        let document = first.document(&suite.workload(), PlanFacts::default());
        let mut options = PlanOptions::new(shards);
        options.previous = Some(Previous::of(&document, &suite.tests));
        let again = plan(&suite.workload(), &options).unwrap();
        prop_assert_eq!(again.moved, Some(0));
        prop_assert_eq!(again.shards, first.shards);
    }

    #[test]
    fn the_fixed_head_is_whole_spans_and_holds_its_share(
        suite in suites(100), shards in 1..6_u32, share in 0..=1000_u32,
    ) {
        let mut options = PlanOptions::new(shards);
        options.fixed_permille = Some(share);
        let plan = plan(&suite.workload(), &options).unwrap();
        for shard in &plan.shards {
            let fixed = shard.fixed_tests.unwrap();
            let mut ends = vec![0];
            for span in &shard.spans {
                ends.push(ends[ends.len() - 1] + span.tests);
            }
            prop_assert!(ends.contains(&fixed));
            let sum = |tests: &[TestId]| -> u64 {
                tests.iter().map(|test| suite.mean[test.index()].get()).sum()
            };
            let (head, all) = (sum(&shard.tests[..fixed]), sum(&shard.tests));
            prop_assert!(head * 1000 >= all * u64::from(share));
        }
    }

    #[test]
    fn what_failed_lately_runs_first(
        suite in suites(60), shards in 1..5_u32, failed in prop::collection::vec(0..60_u32, 0..5),
    ) {
        let mut lately = TestSet::default();
        for test in failed.iter().filter(|test| (**test as usize) < suite.tests.len()) {
            lately.insert(TestId(*test));
        }
        let mut options = PlanOptions::new(shards);
        options.order = RunOrder::FailedFirst;
        let plan = plan(&suite.workload().with_failed(&lately), &options).unwrap();
        check(&suite, &plan);
        for shard in &plan.shards {
            let mut at = 0;
            let bad: Vec<bool> = shard
                .spans
                .iter()
                .map(|span| {
                    let own = &shard.tests[at..at + span.tests];
                    at += span.tests;
                    own.iter().any(|test| lately.contains(*test))
                })
                .collect();
            prop_assert!(bad.is_sorted_by(|a, b| a >= b), "{:?}", bad);
        }
    }
}

#[test]
fn a_plan_explains_where_a_test_stands_and_what_binds() {
    let suite = Suite::of(&[(1, 900), (1, 800), (2, 100), (0, 50)], &[10, 10]);
    let plan = suite.plan(3);
    check(&suite, &plan);
    let document = plan.document(&suite.workload(), PlanFacts::default());
    let why = document.explain("test00000").unwrap();
    assert!(why.is_longest_shard && !why.group_whole && why.fixed && why.binds);
    assert_eq!(why.group.as_deref(), Some("class1"));
    assert_eq!(why.group_shards.len(), 2);
    let reasons = plan.reasons(&suite.workload());
    assert_eq!(plan.bound_by.name, "class1");
    assert_eq!(reasons.split_groups, 1);
    assert_eq!(reasons.repeated_setup_ms, Micros::new(10));
    assert_eq!(reasons.bound_if_split_ms, Some(Micros::new(810)));
    assert!(document.explain("test00099").is_none());
}

#[test]
fn two_tests_change_places_where_no_single_move_helps() {
    let others: Vec<(usize, u64)> = (0..6_u64)
        .flat_map(|worker| {
            let short = (0..6).map(move |at| 110 + 8 * at + worker);
            short.chain([220 - 6 * worker]).map(|span| (0, span))
        })
        .collect();
    let rows = |long: u64, short: u64| -> Vec<(usize, u64)> {
        [(0, long), (0, long), (0, short), (0, short)].into_iter().chain(others.clone()).collect()
    };
    let mut document = Suite::of(&rows(500, 500), &[])
        .plan(8)
        .document(&Suite::of(&rows(500, 500), &[]).workload(), PlanFacts::default());
    // The earlier plan has the two that grow together, and the two that shrink.
    let names = |range: std::ops::Range<usize>| range.map(|at| format!("test{at:05}")).collect();
    let mut tests: Vec<Vec<String>> = vec![names(0..2), names(2..4)];
    tests.extend((0..6).map(|worker| names(4 + 7 * worker..11 + 7 * worker)));
    for (shard, tests) in document.shards.iter_mut().zip(tests) {
        shard.tests = tests;
    }
    let now = Suite::of(&rows(520, 480), &[]);
    let mut options = PlanOptions::new(8);
    options.previous = Some(Previous::of(&document, &now.tests));
    let repaired = plan(&now.workload(), &options).unwrap();
    check(&now, &repaired);
    assert_eq!(repaired.moved, Some(2));
    assert_eq!(repaired.makespan, Micros::new(1_000));
}

#[test]
fn an_earlier_plan_of_another_table_is_refused() {
    let (suite, other) = (Suite::of(&[(0, 1)], &[]), Suite::of(&[(0, 1), (0, 2)], &[]));
    let document = suite.plan(1).document(&suite.workload(), PlanFacts::default());
    let mut options = PlanOptions::new(1);
    options.previous = Some(Previous::of(&document, &other.tests));
    assert!(plan(&suite.workload(), &options).is_err());
    assert!(options.constraints.is_empty() && Constraints::default().is_empty());
}

#[test]
fn a_known_small_suite_meets_its_optimum() {
    let suite = Suite::of(&[(1, 8), (1, 7), (2, 6), (0, 5), (0, 4)], &[3, 0]);
    assert_eq!(suite.plan(2).makespan, optimum(&suite, 2));
}

#[test]
fn what_a_runner_selects_as_one_stays_on_one_shard() {
    let row = |name: &str, group: &str, span: u64| (name.to_owned(), Some(group.to_owned()), span);
    let mut rows = vec![row("x.org/p#TestX", "x.org/p", 10)];
    rows.extend(["a", "b", "c"].map(|sub| row(&format!("x.org/p#TestX/{sub}"), "x.org/p", 300)));
    rows.extend((0..4).map(|at| row(&format!("d.A#adds(int)[{at}]"), "d.A", 250)));
    rows.extend((0..9).map(|at| row(&format!("d.A#other{at}"), "d.A", 400)));
    let together = |suite: &Suite, plan: &Plan, start: &str| {
        let own = |shard: &&rasher::plan::Shard| {
            shard.tests.iter().any(|test| suite.tests.name(*test).starts_with(start))
        };
        plan.shards.iter().filter(own).count()
    };
    let suite = Suite::new(&rows, &std::collections::BTreeMap::new());
    for shards in 2..5 {
        let plan = suite.plan(shards);
        check(&suite, &plan);
        assert_eq!(together(&suite, &plan, "x.org/p#TestX"), 1);
        assert_eq!(together(&suite, &plan, "d.A#adds"), 1);
    }
    // With so many workers that one method alone would hold the run up, it is spread.
    assert!(together(&suite, &suite.plan(12), "x.org/p#TestX") > 1);
}
