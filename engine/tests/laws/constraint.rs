//! Constraints: what a plan may not do, checked by code that shares nothing with the planner.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rasher::constraint::import::{facts, idoft};
use rasher::constraint::{ConstraintError, ConstraintSpec, Constraints, Tie};
use rasher::plan::{Plan, PlanError, PlanOptions, PoolSpec, plan};
use rasher::test_id::TestId;
use rasher::units::Micros;

use crate::plan::{Suite, check, config, suites};

fn name(test: usize) -> String {
    format!("test{test:05}")
}

fn names(tests: &[usize]) -> Vec<String> {
    tests.iter().map(|test| name(*test)).collect()
}

fn spec() -> impl Strategy<Value = ConstraintSpec> {
    let list = || prop::collection::vec(prop::collection::vec(0..40_usize, 2..4), 0..4);
    (list(), list(), list(), list()).prop_map(|(together, apart, before, resources)| {
        let named = |lists: Vec<Vec<usize>>| lists.iter().map(|list| names(list)).collect();
        ConstraintSpec {
            together: named(together),
            apart: named(apart),
            before: named(before),
            resources: resources
                .iter()
                .enumerate()
                .map(|(at, list)| (format!("resource{at}"), names(list)))
                .collect(),
            ..ConstraintSpec::default()
        }
    })
}

/// For each test its shard and its place there.
fn places(plan: &Plan) -> BTreeMap<TestId, (usize, usize)> {
    let mut places = BTreeMap::new();
    for (shard, tests) in plan.shards.iter().enumerate() {
        places.extend(tests.tests.iter().enumerate().map(|(at, test)| (*test, (shard, at))));
    }
    places
}

/// Every rule of the lists as they were written.
fn respected(suite: &Suite, plan: &Plan, spec: &ConstraintSpec) {
    let places = places(plan);
    let found = |list: &[String]| -> Vec<(usize, usize)> {
        list.iter().filter_map(|name| suite.tests.find(name)).map(|test| places[&test]).collect()
    };
    for list in spec.together.iter().chain(spec.resources.values()).chain(&spec.before) {
        assert!(found(list).windows(2).all(|pair| pair[0].0 == pair[1].0), "{list:?} was parted");
    }
    for list in &spec.before {
        assert!(found(list).windows(2).all(|pair| pair[0].1 <= pair[1].1), "{list:?} out of order");
    }
    for list in &spec.apart {
        let mut shards: Vec<(String, usize)> = list
            .iter()
            .filter_map(|name| Some((name.clone(), places[&suite.tests.find(name)?].0)))
            .collect();
        shards.sort();
        shards.dedup();
        let count = shards.len();
        shards.sort_by_key(|pair| pair.1);
        shards.dedup_by_key(|pair| pair.1);
        assert_eq!(shards.len(), count, "{list:?} met");
    }
}

fn with(suite: &Suite, shards: u32, spec: &ConstraintSpec) -> Result<PlanOptions, ConstraintError> {
    let mut options = PlanOptions::new(shards);
    options.constraints = Constraints::resolve(spec, &suite.tests)?;
    Ok(options)
}

/// The partition and the loads, without the rule that groups stand together.
fn adds_up(suite: &Suite, plan: &Plan) {
    let places = places(plan);
    assert_eq!(places.len(), suite.tests.len());
    assert_eq!(plan.shards.iter().map(|shard| shard.tests.len()).sum::<usize>(), places.len());
    for shard in &plan.shards {
        let mut groups: Vec<_> =
            shard.tests.iter().filter_map(|test| suite.tests.group(*test)).collect();
        groups.sort_unstable();
        groups.dedup();
        let work: Micros = shard.tests.iter().map(|test| suite.mean[test.index()]).sum();
        let setup: Micros = groups.iter().map(|group| suite.setup[group.index()]).sum();
        assert_eq!(shard.predicted, work + setup);
    }
    let longest = plan.shards.iter().map(|shard| shard.predicted).max().unwrap_or_default();
    assert_eq!(plan.makespan, longest);
    assert!(plan.lower_bound <= plan.makespan);
}

/// The shortest makespan of all assignments that respect the lists; none where there is none.
fn optimum(suite: &Suite, shards: usize, constraints: &Constraints) -> Option<Micros> {
    let tests = suite.tests.len();
    let mut best = None;
    for code in 0..shards.pow(tests as u32) {
        let shard_of: Vec<usize> =
            (0..tests).map(|test| code / shards.pow(test as u32) % shards).collect();
        let together = constraints.blocks.iter().all(|block| {
            block
                .tests
                .windows(2)
                .all(|pair| shard_of[pair[0].index()] == shard_of[pair[1].index()])
        });
        let apart = constraints
            .apart
            .iter()
            .all(|pair| shard_of[pair.0.index()] != shard_of[pair.1.index()]);
        if !together || !apart {
            continue;
        }
        let load = |shard: usize| {
            let own: Vec<TestId> =
                suite.tests.ids().filter(|test| shard_of[test.index()] == shard).collect();
            let mut groups: Vec<_> =
                own.iter().filter_map(|test| suite.tests.group(*test)).collect();
            groups.sort_unstable();
            groups.dedup();
            own.iter().map(|test| suite.mean[test.index()]).sum::<Micros>()
                + groups.iter().map(|group| suite.setup[group.index()]).sum()
        };
        let makespan = (0..shards).map(load).max().unwrap_or_default();
        best = Some(best.map_or(makespan, |known: Micros| known.min(makespan)));
    }
    best
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn constraints_hold_or_the_contradiction_is_named(
        suite in suites(40), shards in 1..7_u32, spec in spec(),
    ) {
        let options = match with(&suite, shards, &spec) {
            Ok(options) => options,
            Err(ConstraintError::Cycle { cycle }) => {
                prop_assert!(cycle.len() > 1 && cycle.first() == cycle.last(), "{:?}", cycle);
                return Ok(());
            }
            Err(ConstraintError::Torn { path, .. }) => {
                prop_assert!(!path.is_empty());
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        match plan(&suite.workload(), &options) {
            Ok(plan) => {
                adds_up(&suite, &plan);
                respected(&suite, &plan, &spec);
            }
            Err(PlanError::Apart { test, others }) => {
                prop_assert!(suite.tests.find(&test).is_some());
                prop_assert!(!others.is_empty());
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }

    #[test]
    fn the_bound_holds_for_what_constraints_allow(
        suite in suites(7), shards in 2..4_u32,
        together in prop::collection::vec(0..7_usize, 2..3),
        apart in prop::collection::vec(0..7_usize, 2..3),
    ) {
        let spec = ConstraintSpec {
            together: vec![names(&together)],
            apart: vec![names(&apart)],
            ..ConstraintSpec::default()
        };
        let Ok(options) = with(&suite, shards, &spec) else { return Ok(()) };
        let best = optimum(&suite, shards as usize, &options.constraints);
        if let (Ok(plan), Some(best)) = (plan(&suite.workload(), &options), best) {
            prop_assert!(plan.lower_bound <= best, "bound {} optimum {}", plan.lower_bound, best);
            prop_assert!(plan.makespan >= best);
            prop_assert!(plan.makespan <= best.times(2));
        }
    }

    #[test]
    fn constraints_that_bind_nothing_change_nothing(suite in suites(60), shards in 1..9_u32) {
        let spec = ConstraintSpec {
            together: vec![vec![name(0)], vec!["unknown".into(), name(1)]],
            apart: vec![vec![name(2), "vanished".into()]],
            before: vec![vec![name(3)]],
            resources: BTreeMap::from([("db".into(), vec![name(4)])]),
            serial: vec![name(5)],
            tags: BTreeMap::from([("gpu".into(), vec![name(6)])]),
        };
        let mut options = with(&suite, shards, &spec).unwrap();
        prop_assert!(options.constraints.unknown.len() >= 2);
        // With one slot to a machine every test runs alone on it; without pools a tag asks nothing.
        options.constraints.unknown.clear();
        prop_assert_eq!(plan(&suite.workload(), &options).unwrap(), suite.plan(shards));
    }

    #[test]
    fn tests_kept_apart_that_never_met_change_nothing(suite in suites(60), shards in 2..9_u32) {
        let free = suite.plan(shards);
        let places = places(&free);
        let (Some(one), Some(two)) = (suite.tests.find(&name(0)), suite.tests.find(&name(1))) else {
            return Ok(());
        };
        if suite.tests.group(one).is_none() && suite.tests.group(two).is_none()
            && places[&one].0 != places[&two].0
        {
            let spec = ConstraintSpec {
                apart: vec![names(&[0, 1])], ..ConstraintSpec::default()
            };
            let bound = plan(&suite.workload(), &with(&suite, shards, &spec).unwrap()).unwrap();
            prop_assert!(bound.makespan >= free.lower_bound);
            respected(&suite, &bound, &spec);
        }
    }

    #[test]
    fn pools_run_only_what_they_may_and_are_done_no_earlier_than_the_bound(
        suite in suites(80),
        fast in 1..4_u32, slow in 1..4_u32,
        speed in 300..3_000_u32,
        tagged in prop::collection::vec(0..80_usize, 0..10),
    ) {
        let tests: Vec<String> =
            names(&tagged).into_iter().filter(|name| suite.tests.find(name).is_some()).collect();
        let spec = ConstraintSpec {
            tags: BTreeMap::from([("gpu".to_owned(), tests.clone())]), ..ConstraintSpec::default()
        };
        let mut options = with(&suite, 1, &spec).unwrap();
        options.pools = vec![
            PoolSpec { tags: vec!["gpu".into()], ..PoolSpec::plain("gpu", fast) },
            PoolSpec {
                speed_permille: speed, startup: Micros::from_secs(1),
                ..PoolSpec::plain("plain", slow)
            },
        ];
        let plan = plan(&suite.workload(), &options).unwrap();
        prop_assert_eq!(plan.shards.len(), (fast + slow) as usize);
        let places = places(&plan);
        prop_assert_eq!(places.len(), suite.tests.len());
        for test in &tests {
            let shard = &plan.shards[places[&suite.tests.find(test).unwrap()].0];
            prop_assert_eq!(&shard.pool, "gpu");
        }
        for shard in plan.shards.iter().filter(|shard| !shard.tests.is_empty()) {
            let mut groups: Vec<_> =
                shard.tests.iter().filter_map(|test| suite.tests.group(*test)).collect();
            groups.sort_unstable();
            groups.dedup();
            let work: u64 = shard.tests.iter().map(|test| suite.mean[test.index()].get()).sum();
            let setup: u64 = groups.iter().map(|group| suite.setup[group.index()].get()).sum();
            let span = if shard.pool == "gpu" {
                work + setup
            } else {
                1_000_000 + ((work + setup) * 1000).div_ceil(u64::from(speed))
            };
            prop_assert_eq!(shard.predicted.get(), span);
        }
        prop_assert!(plan.lower_bound <= plan.makespan);
    }

    #[test]
    fn serial_tests_have_a_lane_and_every_slot_waits_for_it(
        suite in suites(60), shards in 1..4_u32, slots in 2..4_u32,
        serial in prop::collection::vec(0..60_usize, 0..8),
    ) {
        let spec = ConstraintSpec { serial: names(&serial), ..ConstraintSpec::default() };
        let mut options = with(&suite, shards, &spec).unwrap();
        options.slots = slots;
        let binds = !options.constraints.serial.is_empty();
        let plan = plan(&suite.workload(), &options).unwrap();
        prop_assert_eq!(places(&plan).len(), suite.tests.len());
        for shard in &plan.shards {
            prop_assert_eq!(shard.lanes.len(), slots as usize + usize::from(binds));
            prop_assert_eq!(shard.lanes.iter().sum::<usize>(), shard.tests.len());
            let mut at = 0;
            let mut spans = Vec::new();
            for (lane, count) in shard.lanes.iter().enumerate() {
                let own = &shard.tests[at..at + count];
                at += count;
                for test in own {
                    let alone = options.constraints.serial.contains(*test);
                    prop_assert_eq!(alone, binds && lane == 0);
                }
                let mut groups: Vec<_> =
                    own.iter().filter_map(|test| suite.tests.group(*test)).collect();
                groups.sort_unstable();
                groups.dedup();
                spans.push(
                    own.iter().map(|test| suite.mean[test.index()]).sum::<Micros>()
                        + groups.iter().map(|group| suite.setup[group.index()]).sum(),
                );
            }
            let serial = if binds { spans.remove(0) } else { Micros::ZERO };
            let longest = spans.into_iter().max().unwrap_or_default();
            prop_assert_eq!(shard.predicted, serial + longest);
        }
        prop_assert!(plan.lower_bound <= plan.makespan);
    }
}

#[test]
fn a_cycle_is_named_test_by_test() {
    let suite = Suite::of(&[(0, 1), (0, 1), (0, 1), (0, 1)], &[]);
    let spec = ConstraintSpec {
        before: vec![names(&[0, 1, 2]), names(&[2, 0])],
        ..ConstraintSpec::default()
    };
    let Err(ConstraintError::Cycle { cycle }) = Constraints::resolve(&spec, &suite.tests) else {
        panic!("the cycle was not found");
    };
    assert_eq!(cycle.len(), 4);
    assert_eq!(cycle.first(), cycle.last());
    assert!(cycle.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_pair_that_is_apart_and_together_is_named_with_its_chain() {
    let suite = Suite::of(&[(0, 1), (0, 1), (0, 1)], &[]);
    let spec = ConstraintSpec {
        apart: vec![names(&[0, 2])],
        together: vec![names(&[0, 1])],
        resources: BTreeMap::from([("db".into(), names(&[1, 2]))]),
        ..ConstraintSpec::default()
    };
    let error = Constraints::resolve(&spec, &suite.tests).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`test00000` and `test00002` must be kept apart, but other constraints keep them \
         together: `test00000` and `test00001` stay together, `test00001` and `test00002` both \
         hold `db`"
    );
}

#[test]
fn a_resource_that_binds_is_named() {
    let suite = Suite::of(&[(0, 50), (0, 40), (0, 30), (0, 5)], &[]);
    let spec = ConstraintSpec {
        resources: BTreeMap::from([("db".into(), names(&[0, 1]))]),
        ..ConstraintSpec::default()
    };
    let options = with(&suite, 3, &spec).unwrap();
    assert_eq!(options.constraints.blocks[0].tie, Tie::Resource("db".into()));
    let plan = plan(&suite.workload(), &options).unwrap();
    assert_eq!(plan.lower_bound, Micros::new(90));
    assert_eq!(plan.makespan, Micros::new(90));
    assert_eq!(plan.bound_by.name, "db");
}

#[test]
fn a_tag_that_no_pool_carries_is_refused_by_name() {
    let suite = Suite::of(&[(0, 5), (0, 4)], &[]);
    let spec = ConstraintSpec {
        tags: BTreeMap::from([("gpu".into(), names(&[1]))]),
        ..ConstraintSpec::default()
    };
    let mut options = with(&suite, 1, &spec).unwrap();
    options.pools = vec![PoolSpec::plain("small", 2)];
    let error = plan(&suite.workload(), &options).unwrap_err();
    assert_eq!(error, PlanError::NoPool { test: name(1), tags: vec!["gpu".into()] });
}

#[test]
fn too_few_shards_for_what_is_kept_apart_are_refused_by_name() {
    let suite = Suite::of(&[(0, 5), (0, 4), (0, 3)], &[]);
    let spec = ConstraintSpec { apart: vec![names(&[0, 1, 2])], ..ConstraintSpec::default() };
    let options = with(&suite, 2, &spec).unwrap();
    let Err(PlanError::Apart { others, .. }) = plan(&suite.workload(), &options) else {
        panic!("planned all the same");
    };
    assert_eq!(others.len(), 2);
    check(&suite, &plan(&suite.workload(), &with(&suite, 3, &spec).unwrap()).unwrap());
}

#[test]
fn a_group_in_a_list_stands_for_its_tests() {
    let suite = Suite::of(&[(1, 5), (1, 4), (2, 3), (0, 1)], &[1, 1]);
    let spec = ConstraintSpec {
        before: vec![vec!["class2".into(), "class1".into()]],
        ..ConstraintSpec::default()
    };
    let options = with(&suite, 2, &spec).unwrap();
    let order: Vec<u32> = options.constraints.blocks[0].tests.iter().map(|test| test.0).collect();
    assert_eq!(order, [2, 0, 1]);
}

#[test]
fn who_only_reads_a_resource_is_free() {
    let (spec, unread) = facts("a\tResourceLock\tdb:READ\nb\tResourceLock\tdb:READ\n");
    assert!(spec.is_empty() && unread.is_empty());
    let text = "a\tResourceLock\tdb:READ\nb\tResourceLock\tdb\nc\tIsolated\n# x\nd\tLucky\t7\n";
    let (spec, unread) = facts(text);
    assert_eq!(spec.resources["db"], ["a", "b"]);
    assert_eq!(spec.serial, ["c"]);
    assert_eq!(unread.len(), 1);
    assert_eq!(unread[0].line, 5);
    let text = "a.B#y\tgroups\tbase\na.B#x\tdependsOnGroups\tbase\n";
    assert_eq!(facts(text).0.before, [["a.B#y", "a.B#x"]]);
}

#[test]
fn polluters_and_setters_of_order_dependent_tests_are_read() {
    let text = "Project URL,SHA Detected,Module Path,OD-test,A,B,OD-test-type\n\
        https://example.org/one,1,m,a.B.t,a.B.p,a.B.c,victim\n\
        https://example.org/one,1,m,a.B.t,a.B.p,a.B.d,victim\n\
        https://example.org/two,1,m,a.C.t,a.C.s,,brittle\n\
        https://example.org/two,1,m,a.C.t\n";
    let (spec, unread) = idoft(text, None);
    assert_eq!(spec.apart, [["a.B#p", "a.B#t"]]);
    assert_eq!(spec.before, [["a.C#s", "a.C#t"]]);
    assert_eq!(unread.len(), 1);
    assert!(idoft(text, Some("/two")).0.apart.is_empty());
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn a_measured_table_of_order_dependent_tests_never_contradicts_itself(
        rows in prop::collection::vec((0..9_usize, 0..9_usize, any::<bool>()), 1..40),
    ) {
        let mut text = "header\n".to_owned();
        for (test, other, victim) in &rows {
            let kind = if *victim { "victim" } else { "brittle" };
            text += &format!("u,s,m,{},{},,{kind}\n", name(*test), name(*other));
        }
        let (spec, unread) = idoft(&text, None);
        let mut tests = rasher::test_id::TestTable::new();
        for test in 0..9 {
            tests.intern(&name(test), None);
        }
        prop_assert!(Constraints::resolve(&spec, &tests).is_ok(), "{text}");
        let brittle: std::collections::BTreeSet<usize> =
            rows.iter().filter(|(.., victim)| !victim).map(|(test, ..)| *test).collect();
        prop_assert_eq!(spec.before.len() + unread.len(), brittle.len(), "each is placed or told");
    }
}

#[test]
fn more_tags_than_a_plan_tells_apart_are_refused() {
    let mut tests = rasher::test_id::TestTable::new();
    tests.intern("a", None);
    let spec = |count: usize| ConstraintSpec {
        tags: (0..count).map(|tag| (format!("tag{tag}"), vec!["a".to_owned()])).collect(),
        ..ConstraintSpec::default()
    };
    assert!(Constraints::resolve(&spec(64), &tests).is_ok());
    let refused = Constraints::resolve(&spec(65), &tests).map(|_| ());
    assert_eq!(refused, Err(ConstraintError::Tags { count: 65 }));
}

/// All work over all workers, who begin when they are there: no plan is done earlier.
fn area(pools: &[PoolSpec], work: u64) -> u64 {
    let done = |end: u64| -> u128 {
        let span = |pool: &PoolSpec| u128::from(end.saturating_sub(pool.startup.get()));
        let of = |pool: &PoolSpec| {
            span(pool) * u128::from(pool.workers) * u128::from(pool.speed_permille)
        };
        pools.iter().map(of).sum()
    };
    let (mut low, mut high) = (0, 1 << 40);
    while low < high {
        let middle = (low + high) / 2;
        if done(middle) >= u128::from(work) * 1000 { high = middle } else { low = middle + 1 }
    }
    low
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn a_plan_on_pools_has_the_bound_of_their_speeds_and_is_near_it(
        suite in suites(40),
        speeds in prop::collection::vec((1u32..4, 300u32..3_000, 0u64..200), 1..4),
    ) {
        let startup = |micros: u64| Micros::new(micros);
        let pools: Vec<PoolSpec> = speeds
            .iter()
            .enumerate()
            .map(|(at, (workers, speed, start))| PoolSpec {
                speed_permille: *speed,
                startup: startup(*start),
                ..PoolSpec::plain(&format!("pool{at}"), *workers)
            })
            .collect();
        let mut options = PlanOptions::new(1);
        options.pools = pools.clone();
        let made = plan(&suite.workload(), &options).unwrap();
        let work: u64 = suite.mean.iter().map(|span| span.get()).sum();
        prop_assert!(made.lower_bound.get() >= area(&pools, work), "{:?}", made.lower_bound);
        prop_assert!(made.lower_bound <= made.makespan);
        let placed: usize = made.shards.iter().map(|shard| shard.tests.len()).sum();
        prop_assert_eq!(placed, suite.tests.len());
        let named: Vec<&str> = made.shards.iter().map(|shard| shard.pool.as_str()).collect();
        let wanted: Vec<&str> = pools
            .iter()
            .flat_map(|pool| std::iter::repeat_n(pool.name.as_str(), pool.workers as usize))
            .collect();
        prop_assert_eq!(named, wanted);
    }

    #[test]
    fn pools_that_are_alike_are_planned_as_equal_workers(
        suite in suites(40),
        (one, other) in (1u32..4, 1u32..4),
        (speed, start) in (300u32..3_000, 0u64..200),
    ) {
        let pool = |name: &str, workers: u32| PoolSpec {
            speed_permille: speed,
            startup: Micros::new(start),
            ..PoolSpec::plain(name, workers)
        };
        let mut options = PlanOptions::new(1);
        options.pools = vec![pool("a", one), pool("b", other)];
        let made = plan(&suite.workload(), &options).unwrap();
        let plain = suite.plan(one + other);
        for (shard, equal) in made.shards.iter().zip(&plain.shards) {
            prop_assert_eq!(&shard.tests, &equal.tests);
            let work = options.pools[0].work_by(shard.predicted);
            prop_assert!(shard.tests.is_empty() || work >= equal.predicted);
            prop_assert!(work.get() <= equal.predicted.get() + u64::from(speed) / 1000);
        }
        prop_assert!(made.lower_bound <= made.makespan);
        prop_assert_eq!(made.makespan == made.lower_bound, made.gap() == 0.0);
    }
}

#[test]
fn a_test_is_told_what_binds_it() {
    use rasher::constraint::BondKind::{After, Apart, Before, Resource, Serial, Tag, Together};
    let text = r#"{"together": [["a", "b"]], "apart": [["X", "c"]], "before": [["c", "a", "d"]],
        "resources": {"db": ["a", "c"], "disk": ["d"]}, "serial": ["X"], "tags": {"gpu": ["a"]}}"#;
    let spec: ConstraintSpec = serde_json::from_str(text).unwrap();
    let bonds = spec.bonds("a", Some("X"));
    let kinds: Vec<_> = bonds.iter().map(|bond| bond.kind).collect();
    assert_eq!(kinds, [Together, Apart, After, Before, Resource, Serial, Tag]);
    let with: Vec<String> = bonds.iter().map(|bond| bond.with.join("+")).collect();
    assert_eq!(with, ["b", "c", "c", "d", "c", "", ""]);
    assert!(spec.bonds("e", None).is_empty());
}
