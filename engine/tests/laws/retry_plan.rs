//! What runs again is planned under what held for all: checked by code that shares nothing with
//! the planner or with what makes the smaller workload.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rasher::attempt::Outcome;
use rasher::constraint::ConstraintSpec;
use rasher::flake::{FlakeOptions, Scores};
use rasher::history::History;
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, PoolSpec, Terms, Workload, plan};
use rasher::retry::{
    Again, AgainError, Demands, Planned, RetryEvidence, RetryOptions, RetrySet, before, cases,
    outstanding,
};
use rasher::test_id::TestTable;
use rasher::units::Micros;

use crate::plan::config;
use crate::retry::fold;

const TESTS: usize = 14;

/// Tests of four classes, the last ones alone.
fn name(at: usize) -> String {
    if at < 11 { format!("c{}#t{at:02}", at % 4) } else { format!("t{at:02}") }
}

/// Rules that name tests, some classes, and some tests that there are not.
fn spec() -> impl Strategy<Value = ConstraintSpec> {
    let entry = || {
        (0..TESTS + 6).prop_map(|at| match at {
            at if at < TESTS => name(at),
            at if at < TESTS + 4 => format!("c{}", at - TESTS),
            at => format!("gone{at}"),
        })
    };
    let lists =
        move |most: usize| prop::collection::vec(prop::collection::vec(entry(), 2..4), 0..most);
    (lists(2), lists(2), lists(4), lists(2)).prop_map(|(together, apart, before, resources)| {
        let resources =
            resources.into_iter().enumerate().map(|(at, list)| (format!("r{at}"), list)).collect();
        ConstraintSpec { together, apart, before, resources, ..ConstraintSpec::default() }
    })
}

/// The first plan of all tests, on so many workers.
fn planned_under(terms: Terms, shards: u32) -> Option<PlanDocument> {
    let mut tests = TestTable::new();
    for test in (0..TESTS).map(name) {
        tests.intern(&test, test.split_once('#').map(|(class, _)| class));
    }
    let (tests, _) = tests.sorted();
    let spans: Vec<Micros> = (1..=TESTS as u64).map(Micros::from_secs).collect();
    let setups = vec![Micros::from_secs(1); tests.group_count()];
    let workload = Workload::new(&tests, &spans, &spans, &setups).expect("columns fit");
    let mut options = PlanOptions::new(shards);
    options.constraints =
        rasher::constraint::Constraints::resolve(&terms.constraints, &tests).ok()?;
    options.pools = terms.pools.clone();
    options.slots = terms.slots;
    let plan = plan(&workload, &options).ok()?;
    Some(plan.document(&workload, PlanFacts { terms, ..PlanFacts::default() }))
}

fn outstanding_of(first: &PlanDocument, failed: &[usize]) -> (Planned, RetrySet) {
    let planned = Planned::new(std::slice::from_ref(first));
    let names: Vec<String> = (0..TESTS).map(name).collect();
    let rows: Vec<(&str, Outcome)> = (0..TESTS)
        .map(|at| {
            let end = if failed.contains(&at) { Outcome::Failed } else { Outcome::Passed };
            (names[at].as_str(), end)
        })
        .collect();
    let cases = cases(&planned, &fold(&[(1, &rows)]));
    let demands = Demands::of(&first.terms.constraints, planned.tests());
    let scores = Scores::new(FlakeOptions::default());
    let evidence = RetryEvidence { scores: &scores, base: None, demands: &demands, durations: &[] };
    let set = outstanding(&planned, &cases, &evidence, &RetryOptions::default());
    (planned, set)
}

fn again(
    first: &PlanDocument,
    failed: &[usize],
    shards: Option<u32>,
) -> Result<PlanDocument, AgainError> {
    let (planned, set) = outstanding_of(first, failed);
    let terms = Terms::of(std::slice::from_ref(first));
    let again = Again::Reshard { shards, deadline: None, terms: &terms };
    let made = set.plan(&planned, std::slice::from_ref(first), &History::new("ci"), again)?;
    Ok(made.expect("a plan was given"))
}

/// What an entry of a rule stands for among all tests: itself, or its class.
fn members(entry: &str) -> Vec<String> {
    let class = format!("{entry}#");
    (0..TESTS).map(name).filter(|test| test == entry || test.starts_with(&class)).collect()
}

/// For each test its shard and its place there.
fn places(document: &PlanDocument) -> BTreeMap<&str, (usize, usize)> {
    let mut places = BTreeMap::new();
    for (shard, of) in document.shards.iter().enumerate() {
        for (at, test) in of.tests.iter().enumerate() {
            assert!(places.insert(test.as_str(), (shard, at)).is_none(), "{test} stands twice");
        }
    }
    places
}

/// Who must run before whom among all tests, however many lists lie between.
fn comes_before(spec: &ConstraintSpec) -> BTreeSet<(String, String)> {
    let mut before = BTreeSet::new();
    for list in &spec.before {
        let entries: Vec<Vec<String>> =
            list.iter().map(|entry| members(entry)).filter(|all| !all.is_empty()).collect();
        for pair in entries.windows(2) {
            for first in &pair[0] {
                before.extend(pair[1].iter().map(|then| (first.clone(), then.clone())));
            }
        }
    }
    loop {
        let longer: Vec<(String, String)> = before
            .iter()
            .flat_map(|(a, b)| {
                before
                    .iter()
                    .filter(move |pair| pair.0 == *b)
                    .map(|pair| (a.clone(), pair.1.clone()))
            })
            .filter(|pair| !before.contains(pair))
            .collect();
        if longer.is_empty() {
            return before;
        }
        before.extend(longer);
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn what_runs_before_a_test_is_the_same_for_a_verdict_and_for_an_experiment(
        slots in 1..4_u32, shards in 1..4_u32,
    ) {
        let terms = Terms { slots, ..Terms::default() };
        let plan = planned_under(terms, shards).expect("nothing forbids a plan");
        let planned = Planned::new(std::slice::from_ref(&plan));
        for test in planned.tests().ids() {
            let name = planned.tests().name(test);
            let names = planned.before(test).into_iter().map(|it| planned.tests().name(it).to_owned());
            let names: Vec<String> = names.collect();
            prop_assert_eq!(Some(names.as_slice()), before(&plan, name));
        }
        // The first test of each lane runs after none.
        let lanes: usize = plan.shards.iter().map(|shard| shard.lanes.len().max(1)).sum();
        let first = planned.tests().ids().filter(|test| planned.before(*test).is_empty()).count();
        prop_assert_eq!((lanes, first), ((shards * slots) as usize, (shards * slots) as usize));
    }

    #[test]
    fn what_two_sources_both_say_counts_once(one in spec(), other in spec()) {
        let mut both = one.clone();
        both.merge(other.clone());
        let mut again = both.clone();
        again.merge(one);
        again.merge(other);
        prop_assert_eq!(again, both);
    }

    #[test]
    fn what_runs_again_keeps_every_rule_that_still_speaks_of_two_of_its_tests(
        spec in spec(), failed in prop::collection::vec(0..TESTS, 1..8), shards in 2..6_u32,
        asked in prop::option::of(1..5_u32),
    ) {
        let terms = Terms { constraints: spec.clone(), ..Terms::default() };
        let Some(first) = planned_under(terms, shards) else { return Ok(()) };
        let Ok(document) = again(&first, &failed, asked) else {
            // Only where somebody asked for so few workers that what keeps apart would meet.
            prop_assert!(asked.is_some() && !spec.apart.is_empty());
            return Ok(());
        };
        let places = places(&document);
        let before = comes_before(&spec);
        // Exactly what failed and what that needs.
        let wanted: BTreeSet<String> = (0..TESTS)
            .map(name)
            .filter(|test| failed.iter().map(|at| name(*at)).any(|it| {
                it == *test || before.contains(&(test.clone(), it))
            }))
            .collect();
        prop_assert_eq!(places.keys().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>(), wanted);
        for (a, b) in &before {
            if let (Some(a), Some(b)) = (places.get(a.as_str()), places.get(b.as_str())) {
                prop_assert!(a.0 == b.0 && a.1 < b.1, "order does not hold: {:?} {:?}", spec, document);
            }
        }
        for list in spec.together.iter().chain(spec.resources.values()) {
            let here: BTreeSet<usize> = list.iter().flat_map(|it| members(it))
                .filter_map(|test| places.get(test.as_str()).map(|place| place.0)).collect();
            prop_assert!(here.len() <= 1, "{:?} was parted", list);
        }
        for list in &spec.apart {
            for (at, one) in list.iter().enumerate() {
                for other in &list[at + 1..] {
                    for (a, b) in members(one).iter().flat_map(|a| {
                        members(other).into_iter().map(move |b| (a.clone(), b))
                    }).filter(|(a, b)| a != b) {
                        if let (Some(a), Some(b)) = (places.get(a.as_str()), places.get(b.as_str())) {
                            prop_assert!(a.0 != b.0, "{:?} met", list);
                        }
                    }
                }
            }
        }
        prop_assert_eq!(&document.terms, &first.terms, "the next retry must know them too");
    }

    #[test]
    fn a_retry_is_the_plan_of_a_workload_that_never_had_the_other_tests(
        spec in spec(), failed in prop::collection::vec(0..TESTS, 1..8), shards in 1..5_u32,
    ) {
        let terms = Terms { constraints: spec.clone(), ..Terms::default() };
        let Some(first) = planned_under(terms, 6) else { return Ok(()) };
        let Ok(document) = again(&first, &failed, Some(shards)) else { return Ok(()) };
        // The rules with every name struck out that does not run again.
        let kept: BTreeSet<&str> = places(&document).into_keys().collect();
        let strike = |list: &Vec<String>| -> Vec<String> {
            list.iter().filter(|it| members(it).iter().any(|test| kept.contains(test.as_str())))
                .cloned().collect()
        };
        let spec = ConstraintSpec {
            together: spec.together.iter().map(strike).collect(),
            apart: spec.apart.iter().map(strike).collect(),
            before: spec.before.iter().map(strike).collect(),
            resources: spec.resources.iter().map(|(key, list)| (key.clone(), strike(list))).collect(),
            ..ConstraintSpec::default()
        };
        let mut tests = TestTable::new();
        for test in &kept {
            tests.intern(test, Some(test.split_once('#').map_or(*test, |(class, _)| class)));
        }
        let (tests, _) = tests.sorted();
        let estimates = rasher::estimate::estimate(&History::new("ci"), &tests);
        let workload = Workload::new(&tests, &estimates.mean, &estimates.upper, &estimates.setup)
            .expect("columns fit");
        let mut options = PlanOptions::new(shards);
        options.constraints =
            rasher::constraint::Constraints::resolve(&spec, &tests).expect("held for more tests");
        let naive = plan(&workload, &options).expect("a plan").document(&workload, PlanFacts::default());
        prop_assert_eq!(&document.shards, &naive.shards);
        prop_assert_eq!(document.lower_bound_ms, naive.lower_bound_ms);
    }
}

fn pool(name: &str, workers: u32, tags: &[&str]) -> PoolSpec {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    PoolSpec { tags, ..PoolSpec::plain(name, workers) }
}

#[test]
fn tagged_tests_run_again_where_their_tag_is_and_no_idle_worker_is_started() {
    let tags = BTreeMap::from([("gpu".to_owned(), vec!["t13".to_owned()])]);
    let constraints = ConstraintSpec { tags, ..ConstraintSpec::default() };
    let pools = vec![pool("plain", 6, &[]), pool("gpu", 2, &["gpu"])];
    let terms = Terms { constraints, pools, slots: 1 };
    let first = planned_under(terms, 0).expect("a plan");
    let pools_of = |failed: &[usize], shards| -> Vec<(String, Vec<String>)> {
        let document = again(&first, failed, shards).expect("a plan");
        let shards = document.shards.into_iter();
        shards.map(|shard| (shard.pool.unwrap_or_default(), shard.tests)).collect()
    };
    assert_eq!(pools_of(&[13], None), [("gpu".to_owned(), vec!["t13".to_owned()])]);
    assert_eq!(pools_of(&[12], None), [("plain".to_owned(), vec!["t12".to_owned()])]);
    let both = pools_of(&[12, 13], Some(2));
    assert_eq!(both[0], ("plain".to_owned(), vec!["t12".to_owned()]));
    assert_eq!(both[1], ("gpu".to_owned(), vec!["t13".to_owned()]));
    // In proportion: six to two.
    let all: Vec<usize> = (0..TESTS).collect();
    let many = pools_of(&all, Some(4));
    assert_eq!(many.iter().filter(|it| it.0 == "plain").count(), 3);
}

#[test]
fn what_runs_again_without_those_it_belongs_to_says_so() {
    let constraints = ConstraintSpec {
        together: vec![vec![name(11), name(12), "gone".to_owned()]],
        ..ConstraintSpec::default()
    };
    let first = planned_under(Terms { constraints, ..Terms::default() }, 3).expect("a plan");
    let document = again(&first, &[11], None).expect("a plan");
    let note =
        "1 test is to be kept together with others that do not run again: `t11` without `t12`";
    assert_eq!(document.notes, [note]);
    assert!(again(&first, &[11, 12], None).expect("a plan").notes.is_empty());
}

#[test]
fn what_keeps_apart_gets_the_workers_it_needs_unless_somebody_says_how_many() {
    let constraints =
        ConstraintSpec { apart: vec![(8..12).map(name).collect()], ..ConstraintSpec::default() };
    let first = planned_under(Terms { constraints, ..Terms::default() }, 4).expect("a plan");
    let document = again(&first, &[8, 9, 10, 11], None).expect("a plan");
    assert_eq!(document.shards.len(), 4, "the time alone would ask for fewer");
    assert!(again(&first, &[8, 9, 10, 11], Some(2)).is_err());
}
