//! Set E: pools of different speed, tests in order, exclusive resources.

use rasher::constraint::{ConstraintSpec, Constraints};
use rasher::plan::{PlanFacts, PlanOptions, PoolSpec, plan};
use rasher::units::Micros;
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use super::solve::Prepared;
use crate::checker::{Facts, check};
use crate::instances::constrained::{Constrained, SIZES, chains, exclusive, pools};
use crate::measure::against_sort;

/// Plans of set E, each read by the checker with its constraints.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "constrained",
        "Pools of different speed with restricted tests, chains in order, exclusive resources",
        &["kind", "tests", "shards", "gap", "bound by", "× sort", "faults found by the checker"],
    );
    let (mut worst, mut faults) = (0.0_f64, 0_usize);
    for size in SIZES {
        for (kind, make) in [
            ("pools", pools as fn((usize, usize), u64) -> Constrained),
            ("chains", chains),
            ("exclusive", exclusive),
        ] {
            let made = make(size, 0);
            let prepared = Prepared::plain(&made.durations);
            let Some(options) = options(&made, &prepared, size.1) else { continue };
            let workload = prepared.workload();
            let Ok(answer) = plan(&workload, &options) else { continue };
            let rounds = effort.rounds.min(3);
            let timing = against_sort(&made.durations, rounds, || plan(&workload, &options));
            let document = answer.document(&workload, PlanFacts::default());
            let wrong = match serde_json::to_value(&document) {
                Ok(value) => check(&value, &facts(&made, &prepared)).len(),
                Err(_) => 1,
            };
            worst = worst.max(answer.gap());
            faults += wrong;
            found.row(vec![
                json!(kind),
                json!(size.0),
                json!(size.1),
                json!(answer.gap()),
                json!(answer.bound_by.kind),
                json!(timing.ratio()),
                json!(wrong),
            ]);
        }
    }
    let planned = found.section.rows.len() as f64 / (3 * SIZES.len()) as f64;
    found.target(Target::at_least("E", "share of set E that has a plan", 1.0, planned));
    found.target(Target::at_most("E", "worst gap", 2e-5, worst));
    found.target(Target::at_most(
        "T13",
        "set E: faults that the checker finds",
        0.0,
        faults as f64,
    ));
    found
}

fn names(prepared: &Prepared) -> Vec<String> {
    prepared.tests.ids().map(|test| prepared.tests.name(test).to_owned()).collect()
}

fn options(made: &Constrained, prepared: &Prepared, shards: usize) -> Option<PlanOptions> {
    let names = names(prepared);
    let mut spec = ConstraintSpec::default();
    for (first, second) in &made.before {
        spec.before.push(vec![names[*first as usize].clone(), names[*second as usize].clone()]);
    }
    for (name, resource) in names.iter().zip(&made.resource_of) {
        if let Some(resource) = resource {
            spec.resources.entry(format!("r{resource}")).or_default().push(name.clone());
        }
    }
    for (name, pool) in names.iter().zip(&made.pool_of) {
        if let Some(pool) = pool {
            let tag = made.pools[*pool as usize].name.to_owned();
            spec.tags.entry(tag).or_default().push(name.clone());
        }
    }
    let mut options = PlanOptions::new(shards as u32);
    options.constraints = Constraints::resolve(&spec, &prepared.tests).ok()?;
    if made.pools.len() > 1 {
        options.pools = made.pools.iter().map(pool).collect();
    }
    Some(options)
}

fn pool(kind: &crate::instances::constrained::PoolKind) -> PoolSpec {
    PoolSpec {
        name: kind.name.to_owned(),
        workers: kind.workers as u32,
        speed_permille: (kind.speed * 1e3).round() as u32,
        startup: Micros::ZERO,
        tags: vec![kind.name.to_owned()],
    }
}

fn facts(made: &Constrained, prepared: &Prepared) -> Facts {
    let names = names(prepared);
    let mut facts = Facts::default();
    for (test, name) in names.iter().enumerate() {
        facts.durations.insert(name.clone(), made.durations[test]);
        if let Some(pool) = made.pool_of[test] {
            facts.eligible.insert(name.clone(), vec![made.pools[pool as usize].name.to_owned()]);
        }
    }
    if made.pools.len() > 1 {
        facts.speeds = made.pools.iter().map(|pool| (pool.name.to_owned(), pool.speed)).collect();
    }
    let name = |test: u32| names[test as usize].clone();
    facts.before = made.before.iter().map(|(one, two)| (name(*one), name(*two))).collect();
    for resource in 0..5 {
        let holders = (0..).zip(&made.resource_of).filter(|(_, held)| **held == Some(resource));
        facts.together.push(holders.map(|(test, _)| name(test)).collect());
    }
    facts
}
