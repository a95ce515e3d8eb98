//! Every variant of planning on one suite, each plan read by the checker.
//!
//! Decides what is asked of the planner and, apart from it, what must then be true. Constraints
//! fall on tests by their place in the suite, so that any suite, made or real, gets all of them.

use std::collections::BTreeMap;

use rasher::constraint::{ConstraintSpec, Constraints};
use rasher::plan::{PlanFacts, PlanOptions, PoolSpec, Previous, RunOrder, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use serde_json::json;

use super::document::{Measured, Target};
use super::solve::Prepared;
use crate::checker::{Facts, check};
use crate::instances::balance::{Family, make as balance};
use crate::instances::families::make as families;
use crate::suite::Suite;

/// A question and what must be true of every answer.
struct Asked {
    what: &'static str,
    options: PlanOptions,
    facts: Facts,
}

/// What is laid on a suite beside its size.
#[derive(Clone, Copy, Default)]
struct Load {
    slots: u32,
    serial: bool,
    pools: bool,
    tags: bool,
    ties: bool,
}

/// Variants of made suites: log-normal times, two kinds with few tests per worker, classes with
/// set-ups.
pub(super) fn measure() -> Measured {
    let plain = |family, size| {
        let made = balance(family, size, 0);
        (Prepared::plain(&made.durations), made.name)
    };
    let grouped = |size, share| {
        let made = families(size, share, 0);
        (Prepared::grouped(&made), made.name)
    };
    let suites = [
        plain(Family::LogNormal, (2_000, 20)),
        plain(Family::Bimodal, (60, 20)),
        plain(Family::Pareto, (400, 60)),
        grouped((3_592, 509, 50), 17),
        grouped((3_592, 509, 50), 51),
    ];
    let suites = suites.map(|(made, name)| Suite {
        name,
        tests: made.tests,
        mean: made.mean,
        setup: made.setup,
    });
    variants_section(&suites)
}

/// Every variant of every suite, with what the checker says. Takes some seconds for a suite of
/// fifty thousand tests.
pub fn variants_section(suites: &[Suite]) -> Measured {
    let mut found = Measured::new(
        "variants",
        "Every variant of planning: lanes, serial tests, pools, tags, constraints, repair",
        &["suite", "variant", "tests", "shards", "gap", "bound by", "moved", "checker"],
    );
    let (mut planned, mut asked, mut faults) = (0, 0, 0);
    for suite in suites {
        for shards in [4, 20, 200] {
            if suite.tests.len() < 3 * shards as usize {
                continue;
            }
            for question in questions(suite, shards) {
                asked += 1;
                let (row, wrong) = answered(suite, &question);
                planned += usize::from(wrong.is_some());
                faults += wrong.unwrap_or(0);
                found.row(row);
            }
        }
    }
    let share = planned as f64 / asked.max(1) as f64;
    found.target(Target::at_least("T13", "variants: share that has a plan", 1.0, share));
    let what = "variants: faults that the checker finds";
    found.target(Target::at_most("T13", what, 0.0, faults as f64));
    found
}

/// The row of a question, and the faults of its plan; none where there is no plan.
fn answered(suite: &Suite, asked: &Asked) -> (Vec<serde_json::Value>, Option<usize>) {
    let head = |shards: usize| {
        vec![json!(suite.name), json!(asked.what), json!(suite.tests.len()), json!(shards)]
    };
    let workload = suite.workload();
    let plan = match plan(&workload, &asked.options) {
        Ok(plan) => plan,
        Err(e) => {
            let none = [json!(null), json!(null), json!(null), json!(e.to_string())];
            return (head(0).into_iter().chain(none).collect(), None);
        }
    };
    let document = plan.document(&workload, PlanFacts::default());
    let faults = match serde_json::to_value(&document) {
        Ok(value) => check(&value, &asked.facts),
        Err(_) => Vec::new(),
    };
    let said = faults.first().map_or("sound".to_owned(), |fault| {
        let all = fault.to_string();
        format!("{} faults: {}", faults.len(), all.chars().take(200).collect::<String>())
    });
    let rest = [json!(plan.gap()), json!(plan.bound_by.kind), json!(plan.moved), json!(said)];
    (head(plan.shards.len()).into_iter().chain(rest).collect(), Some(faults.len()))
}

fn questions(suite: &Suite, shards: u32) -> Vec<Asked> {
    let plain = Load::default();
    let quarter = (shards / 4).max(1);
    let mut all: Vec<Asked> = [
        ("equal workers", shards, plain),
        ("4 slots", quarter, Load { slots: 4, ..plain }),
        ("4 slots, serial lane", quarter, Load { slots: 4, serial: true, ..plain }),
        ("pools", shards, Load { pools: true, ..plain }),
        ("pools, tags", shards, Load { pools: true, tags: true, ..plain }),
        ("constraints", shards, Load { ties: true, ..plain }),
        ("constraints, 4 slots", quarter.max(4), Load { ties: true, slots: 4, ..plain }),
        ("constraints, pools, tags", shards, Load { ties: true, pools: true, tags: true, ..plain }),
        (
            "pools, 2 slots, serial lane",
            shards,
            Load { pools: true, slots: 2, serial: true, ..plain },
        ),
    ]
    .into_iter()
    .filter_map(|(what, shards, load)| asked(suite, what, shards, load))
    .collect();
    all.extend(repaired(suite, shards));
    all.extend(asked(suite, "risk fixed, rest taken over", shards, plain).map(|mut asked| {
        asked.options.fixed_permille = Some(600);
        asked.options.order = RunOrder::FailedFirst;
        asked
    }));
    all
}

/// The same suite planned before a fiftieth of its tests were there.
fn repaired(suite: &Suite, shards: u32) -> Option<Asked> {
    let mut asked = asked(suite, "repair of an earlier plan", shards, Load::default())?;
    let mut old = TestTable::new();
    let (mut mean, mut setup) = (Vec::new(), Vec::new());
    for group in suite.tests.group_ids() {
        old.intern_group(suite.tests.group_name(group));
        setup.push(suite.setup[group.index()]);
    }
    for test in suite.tests.ids().filter(|test| test.0 % 50 != 7) {
        let group = suite.tests.group(test).map(|group| suite.tests.group_name(group));
        old.intern(suite.tests.name(test), group);
        mean.push(suite.mean[test.index()]);
    }
    let workload = Workload::new(&old, &mean, &mean, &setup).ok()?;
    let first = plan(&workload, &PlanOptions::new(shards)).ok()?;
    let document = first.document(&workload, PlanFacts::default());
    asked.options.previous = Some(Previous::of(&document, &suite.tests));
    Some(asked)
}

fn asked(suite: &Suite, what: &'static str, shards: u32, load: Load) -> Option<Asked> {
    let mut options = PlanOptions::new(shards);
    let mut facts = plain_facts(suite);
    let mut spec = ConstraintSpec::default();
    options.slots = load.slots.max(1);
    facts.slots = u64::from(load.slots);
    if load.serial {
        spec.serial = every(suite, 97, 3, usize::MAX);
        facts.serial = spec.serial.iter().cloned().collect();
    }
    if load.pools {
        options.pools = pools(suite, shards);
        for pool in &options.pools {
            let speed = f64::from(pool.speed_permille) / 1000.0;
            facts.speeds.insert(pool.name.clone(), speed);
            facts.startups.insert(pool.name.clone(), pool.startup.get());
        }
    }
    if load.tags {
        let tagged = every(suite, 20, 11, usize::MAX);
        let only = vec!["large".to_owned()];
        facts.eligible = tagged.iter().map(|test| (test.clone(), only.clone())).collect();
        spec.tags.insert("gpu".to_owned(), tagged);
    }
    if load.ties {
        tie(suite, shards, &mut spec, &mut facts);
    }
    options.constraints = Constraints::resolve(&spec, &suite.tests).ok()?;
    Some(Asked { what, options, facts })
}

/// Three pools that differ in speed, start-up and tags.
fn pools(suite: &Suite, shards: u32) -> Vec<PoolSpec> {
    let work: Micros = suite.mean.iter().copied().sum();
    let share = work.get() / u64::from(shards);
    let pool = |name: &str, workers: u32, speed_permille: u32, startup: u64| PoolSpec {
        speed_permille,
        startup: Micros::new(startup),
        ..PoolSpec::plain(name, workers)
    };
    let quarter = (shards / 4).max(1);
    let mut large = pool("large", quarter, 1_500, share / 10);
    large.tags.push("gpu".to_owned());
    vec![
        pool("standard", shards - 2 * quarter, 1_000, 0),
        large,
        pool("slow", quarter, 700, share / 20),
    ]
}

/// Pairs apart, blocks together, chains in order and shared resources, on different tests each.
fn tie(suite: &Suite, shards: u32, spec: &mut ConstraintSpec, facts: &mut Facts) {
    let few = shards.min(4) as usize;
    spec.apart = every(suite, 53, 1, 40).chunks(few).map(<[String]>::to_vec).collect();
    spec.together = every(suite, 53, 5, 60).chunks(3).map(<[String]>::to_vec).collect();
    spec.before = every(suite, 53, 9, 60).chunks(4).map(<[String]>::to_vec).collect();
    for (at, holders) in every(suite, 53, 13, 30).chunks(10).enumerate() {
        spec.resources.insert(format!("r{at}"), holders.to_vec());
    }
    facts.apart.clone_from(&spec.apart);
    facts.together.clone_from(&spec.together);
    facts.exclusive = spec.resources.values().cloned().collect();
    let pairs = spec.before.iter().flat_map(|chain| chain.windows(2));
    facts.before = pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect();
}

/// Every so many tests from a place on, at most so many. Short suites have all residues too.
fn every(suite: &Suite, step: u32, from: u32, most: usize) -> Vec<String> {
    let step = step.min((suite.tests.len() as u32 / 3).max(20));
    let of = suite.tests.ids().filter(|test| test.0 % step == from % step);
    of.take(most).map(|test| suite.tests.name(test).to_owned()).collect()
}

fn plain_facts(suite: &Suite) -> Facts {
    let mut facts = Facts::default();
    for test in suite.tests.ids() {
        let name = suite.tests.name(test).to_owned();
        if let Some(group) = suite.tests.group(test) {
            facts.group_of.insert(name.clone(), suite.tests.group_name(group).to_owned());
        }
        facts.durations.insert(name, suite.mean[test.index()].get());
    }
    let setups = suite
        .tests
        .group_ids()
        .map(|group| (suite.tests.group_name(group).to_owned(), suite.setup[group.index()].get()));
    facts.setups = setups.collect::<BTreeMap<_, _>>();
    facts
}
