//! Planning: what holds for every plan, checked by code that shares nothing with the planner.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rasher::plan::longest_first::longest_first;
use rasher::plan::{Plan, PlanError, PlanFacts, PlanOptions, SHARDS_MAX, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;

/// So many cases; failures are kept where all laws keep theirs.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(
            "../../proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

/// A workload that owns its columns.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    pub(crate) tests: TestTable,
    pub(crate) mean: Vec<Micros>,
    pub(crate) upper: Vec<Micros>,
    pub(crate) setup: Vec<Micros>,
}

impl Suite {
    /// Tests as (name, group, duration), in any order; set-ups by group name.
    pub(crate) fn new(
        rows: &[(String, Option<String>, u64)],
        setups: &BTreeMap<String, u64>,
    ) -> Self {
        let mut given = TestTable::new();
        let mut spans = Vec::new();
        for (name, group, duration) in rows {
            given.intern(name, group.as_deref());
            spans.push(Micros::new(*duration));
        }
        let (tests, old) = given.sorted();
        let mean: Vec<Micros> = old.iter().map(|test| spans[test.index()]).collect();
        let upper = mean.iter().map(|span| span.scale(1.3)).collect();
        let setup = (0..tests.group_count() as u32)
            .map(|group| tests.group_name(rasher::test_id::GroupId(group)))
            .map(|name| Micros::new(setups.get(name).copied().unwrap_or(0)))
            .collect();
        Self { tests, mean, upper, setup }
    }

    /// From (group, duration) pairs; group 0 is no group, group g has set-up `setups[g - 1]`.
    pub(crate) fn of(rows: &[(usize, u64)], setups: &[u64]) -> Self {
        let group = |at: usize| (at > 0).then(|| format!("class{at}"));
        let rows: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(test, (at, duration))| (format!("test{test:05}"), group(*at), *duration))
            .collect();
        let setups = setups
            .iter()
            .enumerate()
            .map(|(at, span)| (format!("class{}", at + 1), *span))
            .collect();
        Self::new(&rows, &setups)
    }

    pub(crate) fn workload(&self) -> Workload<'_> {
        Workload::new(&self.tests, &self.mean, &self.upper, &self.setup).expect("fitting columns")
    }

    pub(crate) fn plan(&self, shards: u32) -> Plan {
        plan(&self.workload(), &PlanOptions::new(shards)).expect("a plan")
    }
}

/// What must hold for any plan: an exact partition whose loads add up and whose makespan is at or
/// above its bound.
pub(crate) fn check(suite: &Suite, plan: &Plan) {
    let mut seen = BTreeSet::new();
    let mut longest = Micros::ZERO;
    for shard in &plan.shards {
        let mut groups = BTreeSet::new();
        let mut load = Micros::ZERO;
        let mut setup = Micros::ZERO;
        let mut last = None;
        for test in &shard.tests {
            assert!(seen.insert(*test), "{} stands twice", suite.tests.name(*test));
            load += suite.mean[test.index()];
            let group = suite.tests.group(*test);
            if let Some(group) = group {
                if groups.insert(group) {
                    setup += suite.setup[group.index()];
                } else {
                    assert_eq!(last, Some(group), "a group is torn apart inside a shard");
                }
            }
            last = group;
        }
        assert_eq!(shard.setup, setup);
        assert_eq!(shard.predicted, load + setup);
        assert_eq!(shard.spans.iter().map(|span| span.tests).sum::<usize>(), shard.tests.len());
        longest = longest.max(shard.predicted);
    }
    assert_eq!(seen.len(), suite.tests.len(), "tests were lost");
    assert_eq!(plan.makespan, longest);
    assert!(plan.lower_bound <= plan.makespan, "{plan:?}");
    assert!(plan.gap() >= 0.0);
}

/// The best makespan by trying every assignment.
pub(crate) fn optimum(suite: &Suite, workers: usize) -> Micros {
    fn place(suite: &Suite, shards: &mut Vec<Vec<u32>>, test: u32, workers: usize) -> Micros {
        if test as usize == suite.tests.len() {
            let load = |shard: &Vec<u32>| {
                let mut groups = BTreeSet::new();
                let mut load = Micros::ZERO;
                for test in shard {
                    load += suite.mean[*test as usize];
                    if let Some(group) = suite.tests.group(rasher::test_id::TestId(*test))
                        && groups.insert(group)
                    {
                        load += suite.setup[group.index()];
                    }
                }
                load
            };
            return shards.iter().map(load).max().unwrap_or_default();
        }
        let mut best = Micros::MAX;
        for at in 0..shards.len() {
            shards[at].push(test);
            best = best.min(place(suite, shards, test + 1, workers));
            shards[at].pop();
        }
        if shards.len() < workers {
            shards.push(vec![test]);
            best = best.min(place(suite, shards, test + 1, workers));
            shards.pop();
        }
        best
    }
    place(suite, &mut Vec::new(), 0, workers)
}

/// Rows of a suite with up to `tests` tests in up to four classes.
pub(crate) fn suites(tests: usize) -> impl Strategy<Value = Suite> {
    let duration = prop_oneof![0..60_u64, 1..5_000_000_u64, Just(1_000_000)];
    let rows = prop::collection::vec((0..5_usize, duration), 0..tests);
    let setups = prop::collection::vec(prop_oneof![Just(0), 0..2_000_000_u64], 4);
    (rows, setups).prop_map(|(rows, setups)| Suite::of(&rows, &setups))
}

/// Suites without classes.
fn plain(tests: usize) -> impl Strategy<Value = Suite> {
    let duration = prop_oneof![1..60_u64, 1..5_000_000_u64];
    prop::collection::vec((Just(0_usize), duration), 1..tests)
        .prop_map(|rows| Suite::of(&rows, &[]))
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn every_test_lands_in_exactly_one_shard_and_loads_add_up(
        suite in suites(300), shards in 1..40_u32,
    ) {
        let plan = suite.plan(shards);
        prop_assert_eq!(plan.shards.len(), shards as usize);
        check(&suite, &plan);
    }

    #[test]
    fn beside_one_test_that_outlasts_the_rest_the_other_shards_are_even(
        rest in prop::collection::vec((1..9_usize, 1..1000_u64), 40..200), shards in 3..8_u32,
    ) {
        let mut rows = rest;
        rows.push((1, 400_000));
        let suite = Suite::of(&rows, &[5; 8]);
        let plan = suite.plan(shards);
        check(&suite, &plan);
        prop_assert_eq!(plan.makespan, Micros::new(400_005));
        let mut classes = [5; 9];
        for (group, span) in &rows[..rows.len() - 1] {
            classes[*group] += span;
        }
        let largest = classes.iter().copied().max().unwrap_or(0);
        let others: Vec<u64> = plan.shards.iter().map(|shard| shard.predicted.get())
            .filter(|load| *load != 400_005).collect();
        prop_assert_eq!(others.len(), shards as usize - 1);
        let mean = others.iter().sum::<u64>() / others.len() as u64;
        let longest = others.iter().copied().max().unwrap_or(0);
        prop_assert!(longest <= mean + mean / 8 + largest, "{} on average, {} at most", mean, longest);
    }

    #[test]
    fn the_bound_is_below_the_optimum_and_the_plan_near_it(
        suite in suites(9), shards in 1..5_u32,
    ) {
        let plan = suite.plan(shards);
        check(&suite, &plan);
        let best = optimum(&suite, shards as usize);
        prop_assert!(plan.lower_bound <= best, "bound {} optimum {}", plan.lower_bound, best);
        prop_assert!(plan.makespan >= best);
        prop_assert!(plan.makespan <= best.times(2), "{} against {}", plan.makespan, best);
    }

    #[test]
    fn without_classes_a_plan_is_at_most_a_third_above_the_optimum(
        suite in plain(10), shards in 1..5_u32,
    ) {
        let plan = suite.plan(shards);
        let best = optimum(&suite, shards as usize);
        prop_assert!(plan.lower_bound <= best);
        prop_assert!(plan.makespan.get() * 3 <= best.get() * 4);
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(
        rows in prop::collection::vec((0..5_usize, 1..1_000_u64), 1..60),
        turn in 0..60_usize,
        shards in 1..9_u32,
    ) {
        let named: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(at, (group, span))| {
                (format!("t{at}"), (*group > 0).then(|| format!("c{group}")), *span)
            })
            .collect();
        let mut turned = named.clone();
        turned.rotate_left(turn % named.len());
        turned.reverse();
        let setups = BTreeMap::from([("c1".to_owned(), 500), ("c2".to_owned(), 20)]);
        let (one, other) = (Suite::new(&named, &setups), Suite::new(&turned, &setups));
        let text = |suite: &Suite| {
            let document = suite.plan(shards).document(&suite.workload(), PlanFacts::default());
            serde_json::to_string(&document).unwrap()
        };
        prop_assert_eq!(text(&one), text(&other));
    }

    #[test]
    fn a_name_with_the_same_place_in_the_order_changes_nothing_but_the_name(
        rows in prop::collection::vec((0..5_usize, 1..1_000_u64), 1..60), shards in 1..9_u32,
    ) {
        let suite = Suite::of(&rows, &[500, 0, 7, 900]);
        let renamed = |name: &str| format!("other.{name}");
        let again: Vec<_> = suite
            .tests
            .ids()
            .map(|test| {
                let group = suite.tests.group(test).map(|at| renamed(suite.tests.group_name(at)));
                (renamed(suite.tests.name(test)), group, suite.mean[test.index()].get())
            })
            .collect();
        let setups: BTreeMap<String, u64> =
            (1..5).zip([500, 0, 7, 900]).map(|(at, span)| (format!("other.class{at}"), span)).collect();
        let (plan, other) = (suite.plan(shards), Suite::new(&again, &setups).plan(shards));
        let tests = |plan: &Plan| {
            plan.shards.iter().map(|shard| shard.tests.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(tests(&plan), tests(&other));
    }

    #[test]
    fn without_one_test_a_plan_is_longer_by_no_more_than_its_own_gap(
        suite in suites(120), shards in 1..20_u32, left_out in any::<prop::sample::Index>(),
    ) {
        prop_assume!(suite.tests.len() > 1);
        let out = left_out.index(suite.tests.len());
        let rows: Vec<_> = suite
            .tests
            .ids()
            .filter(|test| test.index() != out)
            .map(|test| {
                let group = suite.tests.group(test).map(|at| suite.tests.group_name(at).to_owned());
                (suite.tests.name(test).to_owned(), group, suite.mean[test.index()].get())
            })
            .collect();
        let setups = (0..suite.tests.group_count() as u32)
            .map(|at| suite.tests.group_name(rasher::test_id::GroupId(at)).to_owned())
            .zip(suite.setup.iter().map(|span| span.get()))
            .collect();
        let (full, less) = (suite.plan(shards), Suite::new(&rows, &setups).plan(shards));
        prop_assert!(less.lower_bound <= full.makespan);
        let allowed = full.makespan.as_secs_f64() * (1.0 + less.gap()) + 1e-9;
        prop_assert!(less.makespan.as_secs_f64() <= allowed);
    }

    #[test]
    fn with_the_useful_number_of_workers_no_further_worker_helps(suite in suites(80)) {
        let most = suite.plan(1).useful_workers_max;
        let floor = suite
            .tests
            .ids()
            .map(|test| {
                let setup = suite.tests.group(test).map_or(Micros::ZERO, |at| suite.setup[at.index()]);
                suite.mean[test.index()] + setup
            })
            .max()
            .unwrap_or_default();
        prop_assert!(most >= 1);
        prop_assert!(suite.plan(most + 7).lower_bound == floor);
        prop_assert!(suite.plan(most).lower_bound == floor);
    }

    #[test]
    fn longest_first_places_every_duration_and_adds_up(
        durations in prop::collection::vec(prop_oneof![0..500_u64, any::<u64>()], 0..700),
        workers in 1..300_usize,
    ) {
        let answer = longest_first(&durations, workers);
        let mut loads = vec![0_u64; workers];
        prop_assert_eq!(answer.worker.len(), durations.len());
        for (duration, worker) in durations.iter().zip(&answer.worker) {
            let load = &mut loads[*worker as usize];
            *load = load.saturating_add(*duration);
        }
        prop_assert_eq!(&answer.loads, &loads);
    }

    #[test]
    fn longest_first_is_the_textbook_rule_up_to_the_width_of_a_bucket(
        durations in prop::collection::vec(1..256_u64, 1..900), workers in 1..5_000_usize,
    ) {
        // Durations below 256 have a bucket of their own, so the textbook rule must be met exactly.
        let mut order: Vec<usize> = (0..durations.len()).collect();
        order.sort_by_key(|at| (std::cmp::Reverse(durations[*at]), *at));
        let mut loads: BTreeSet<(u64, usize)> = (0..workers).map(|worker| (0, worker)).collect();
        let mut expected = vec![0; durations.len()];
        for at in order {
            let (load, worker) = loads.pop_first().unwrap();
            expected[at] = worker as u32;
            loads.insert((load + durations[at], worker));
        }
        prop_assert_eq!(longest_first(&durations, workers).worker, expected);
    }
}

#[test]
fn more_shards_than_tests_leaves_shards_empty_and_listed() {
    let suite = Suite::of(&[(0, 5), (0, 3)], &[]);
    let plan = suite.plan(5);
    check(&suite, &plan);
    assert_eq!(plan.shards.iter().filter(|shard| shard.tests.is_empty()).count(), 3);
}

#[test]
fn no_shard_and_too_many_are_refused_by_name() {
    let suite = Suite::of(&[(0, 5)], &[]);
    let refuse = |shards| plan(&suite.workload(), &PlanOptions::new(shards));
    assert_eq!(refuse(0), Err(PlanError::NoShards));
    assert_eq!(refuse(u32::MAX), Err(PlanError::TooManyShards(u32::MAX)));
    assert!(refuse(SHARDS_MAX).is_ok());
}

#[test]
fn nothing_to_run_is_a_plan_of_empty_shards() {
    let suite = Suite::of(&[], &[]);
    let plan = suite.plan(3);
    check(&suite, &plan);
    assert_eq!(plan.makespan, Micros::ZERO);
    assert!(plan.gap().abs() < f64::EPSILON);
}

#[test]
fn hostile_durations_make_a_silly_plan_but_no_panic() {
    let suite = Suite::of(&[(1, u64::MAX), (1, u64::MAX), (0, u64::MAX), (2, 1)], &[u64::MAX, 0]);
    for shards in 1..4 {
        let plan = suite.plan(shards);
        assert_eq!(plan.shards.iter().map(|shard| shard.tests.len()).sum::<usize>(), 4);
    }
}

#[test]
fn a_class_is_split_only_where_it_would_stretch_the_run() {
    let small = Suite::of(&[(1, 10), (1, 10), (2, 10), (2, 10)], &[5, 5]);
    assert!(small.plan(2).shards.iter().all(|shard| shard.spans.iter().all(|span| span.whole)));
    let large = Suite::of(&[(1, 100), (1, 100), (2, 10)], &[5, 5]);
    let plan = large.plan(2);
    check(&large, &plan);
    assert_eq!(plan.makespan, Micros::new(120));
    assert!(plan.shards.iter().all(|shard| !shard.spans[0].whole || shard.spans[0].tests == 1));
}

#[test]
fn a_dear_set_up_is_not_paid_twice() {
    let suite = Suite::of(&[(1, 10), (1, 10)], &[100]);
    let plan = suite.plan(2);
    check(&suite, &plan);
    assert_eq!(plan.makespan, Micros::new(110), "either way the set-up binds");
    assert_eq!(plan.bound_by.name, "class1");
}

#[test]
fn the_document_names_what_binds_and_reads_back() {
    let suite = Suite::of(&[(0, 5_000_000), (0, 1_000_000), (1, 1_000_000)], &[0]);
    let plan = suite.plan(2);
    let document = plan.document(&suite.workload(), PlanFacts::default());
    assert_eq!(document.bound_by.name, "test00000");
    assert_eq!(document.useful_workers_max, Some(2));
    let bytes = serde_json::to_vec(&document).unwrap();
    let read = rasher::plan::document::PlanDocument::from_json(&bytes).unwrap();
    assert_eq!(read, document);
    assert_eq!(document.shards[0].groups.len(), 1);
}
