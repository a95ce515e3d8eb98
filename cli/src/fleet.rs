//! Workers of named pools, as `rasher plan --pool NAME=N` asks for them.
//!
//! Decides which pools of `rasher.toml` are meant, and what a plan on them costs. Never sizes: that
//! is what a budget does.

use std::str::FromStr;

use rasher::budget::{Money, Pool};
use rasher::plan::PoolSpec;
use rasher::plan::document::{BudgetDocument, PlanDocument};
use rasher::units::Micros;

use crate::fault::Fault;
use crate::output::count;
use crate::policy::Settings;

/// `NAME=N` of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolAsked {
    name: String,
    workers: u32,
}

impl FromStr for PoolAsked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once('=').filter(|(name, _)| !name.is_empty());
        let read = parts.and_then(|(name, n)| Some((name, n.parse().ok()?)));
        match read {
            Some((name, workers @ 1..)) => Ok(Self { name: name.to_owned(), workers }),
            _ => Err(format!("`{text}` is not a pool and a number of workers such as `spot=20`")),
        }
    }
}

/// Pools with a number of workers each.
pub(crate) type Fleet = Vec<(Pool, u32)>;

/// The pools that were asked for, as rasher.toml has them.
///
/// # Errors
/// Exit code 2 for a pool that is not in the file, twice asked for, or smaller than asked for.
pub(crate) fn named(asked: &[PoolAsked], settings: &Settings) -> Result<Fleet, Fault> {
    let mut fleet = Fleet::new();
    for PoolAsked { name, workers } in asked {
        let known = settings.pools.iter().find(|pool| pool.name == *name);
        let Some(pool) = known.filter(|_| settings.pools_named) else {
            let names: Vec<&str> = settings.pools.iter().map(|pool| pool.name.as_str()).collect();
            let hint = match settings.pools_named {
                true => format!("pools of rasher.toml: {}", names.join(", ")),
                false => "rasher.toml has no [[pool]]".to_owned(),
            };
            return Err(Fault::usage(format!("there is no pool `{name}`")).hint(hint));
        };
        if fleet.iter().any(|(other, _)| other.name == *name) {
            return Err(Fault::usage(format!("the pool `{name}` is asked for twice")));
        }
        if let Some(most) = pool.workers_max.filter(|most| workers > most) {
            let what = format!("the pool `{name}` has at most {}", count(most as usize, "worker"));
            return Err(Fault::usage(what).hint("its `workers-max` stands in rasher.toml"));
        }
        fleet.push((pool.clone(), *workers));
    }
    Ok(fleet)
}

/// The fleet as the planner takes it.
pub(crate) fn specs(fleet: &[(Pool, u32)]) -> Vec<PoolSpec> {
    fleet.iter().map(|(pool, workers)| PoolSpec::of(pool, *workers)).collect()
}

/// What the document says of a fleet that was asked for.
pub(crate) fn budget(
    fleet: &[(Pool, u32)],
    plan: &PlanDocument,
    settings: &Settings,
) -> BudgetDocument {
    let cost = cost(fleet, plan);
    let parts: Vec<String> =
        fleet.iter().map(|(pool, n)| format!("{n} of {}", pool.name)).collect();
    BudgetDocument {
        rule: "--pool".to_owned(),
        predicted_finish_ms: plan.makespan_ms,
        startup_ms: fleet.iter().map(|(pool, _)| pool.fixed()).max().unwrap_or_default(),
        workers: plan.shards.len() as u32,
        cost: cost.map(Money::as_f64),
        currency: cost.and(settings.account.currency.clone()),
        feasible: true,
        why: format!("{} were asked for", parts.join(", ")),
        ..BudgetDocument::default()
    }
}

/// What the workers of a plan cost; none where a pool has no price. A worker without tests is
/// paid for too: it is started before anyone knows.
fn cost(fleet: &[(Pool, u32)], plan: &PlanDocument) -> Option<Money> {
    let mut sum = 0_u64;
    for shard in &plan.shards {
        let (pool, _) = fleet.iter().find(|(pool, _)| Some(&pool.name) == shard.pool.as_ref())?;
        let up: Micros = shard.predicted_ms.max(pool.fixed());
        sum = sum.saturating_add(pool.cost(up)?.millionths());
    }
    Some(Money::from_millionths(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_asked_for_by_name_and_number() {
        let asked: PoolAsked = "a=b=3".parse().expect("a pool");
        assert_eq!((asked.name.as_str(), asked.workers), ("a=b", 3));
        for text in ["", "spot", "spot=", "=3", "spot=0", "spot=-1", "spot=x"] {
            assert!(text.parse::<PoolAsked>().is_err(), "{text}");
        }
    }
}
