//! An independent judge of plan documents: shares no code with the planner, not even the structs of
//! its document.
//!
//! Decides whether a plan is an exact partition whose loads add up, whose makespan is at or above
//! its bound, and which keeps the constraints. Never repairs and never trusts a field that it can
//! compute.

mod facts;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

pub use facts::Facts;
use time::{lanes, load, plain_bound};

/// Something that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which rule is broken.
    pub rule: Rule,
    /// Where and how.
    pub what: String,
}

/// What is demanded of every plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The document has the fields of `rasher.plan/1`.
    Shape,
    /// Each test of the workload is on exactly one shard, and no other test is.
    Partition,
    /// Each shard's time is the sum of its tests and of the set-ups of their groups, lane by lane.
    Load,
    /// The lanes of a worker hold its tests, and those that run alone have a lane of their own.
    Lanes,
    /// The makespan is the longest shard, the gap follows from it and the bound.
    Makespan,
    /// The bound is below the makespan, not below the plainest bound, and says what holds it up.
    Bound,
    /// The spans of groups describe the tests beside them.
    Groups,
    /// Together, apart, in order, on a pool that may run it.
    Constraint,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// One shard as the checker reads it.
struct Shard<'a> {
    index: u64,
    pool: Option<&'a str>,
    predicted: u64,
    setup: u64,
    tests: Vec<&'a str>,
    groups: Vec<(&'a str, u64, bool)>,
    /// How many tests each lane has, in order; empty for one lane.
    lanes: Vec<usize>,
}

/// Everything that is wrong with `plan` as a plan of `facts`; nothing where it is right.
///
/// ```
/// use rasher_bench::checker::{Facts, check};
/// let facts = Facts::from_json(br#"{"a": 2, "b": 1}"#)?;
/// let plan = serde_json::json!({
///     "schema": "rasher.plan/1", "tests": 2, "makespan_ms": 2000, "lower_bound_ms": 2000,
///     "gap": 0.0, "bound_by": {"kind": "test", "name": "a"},
///     "shards": [
///         {"index": 1, "predicted_ms": 2000, "setup_ms": 0, "tests": ["a"]},
///         {"index": 2, "predicted_ms": 1000, "setup_ms": 0, "tests": ["b"]},
///     ],
/// });
/// assert!(check(&plan, &facts).is_empty());
/// # Ok::<(), String>(())
/// ```
pub fn check(plan: &Value, facts: &Facts) -> Vec<Fault> {
    let mut faults = Vec::new();
    match read_shards(plan) {
        Ok(shards) => {
            check_partition(plan, &shards, facts, &mut faults);
            check_loads(&shards, facts, &mut faults);
            check_makespan(plan, &shards, facts, &mut faults);
            check_lanes(&shards, facts, &mut faults);
            check_groups(&shards, facts, &mut faults);
            check_constraints(&shards, facts, &mut faults);
        }
        Err(what) => faults.push(Fault { rule: Rule::Shape, what }),
    }
    faults
}

/// Milliseconds of a document to microseconds.
fn micros(value: Option<&Value>, name: &str) -> Result<u64, String> {
    let millis = value.and_then(Value::as_f64).ok_or_else(|| format!("`{name}` is missing"))?;
    let micros = (millis * 1e3).round();
    if (0.0..9.0e18).contains(&micros) {
        Ok(micros as u64)
    } else {
        Err(format!("`{name}` is {millis}, which is no duration"))
    }
}

fn read_shards(plan: &Value) -> Result<Vec<Shard<'_>>, String> {
    if plan["schema"] != "rasher.plan/1" {
        return Err(format!("schema is {}", plan["schema"]));
    }
    let shards = plan["shards"].as_array().ok_or("`shards` is not a list")?;
    let shards: Vec<_> = shards.iter().map(read_shard).collect::<Result<_, String>>()?;
    let counted = shards.iter().zip(1_u64..).all(|(shard, wanted)| shard.index == wanted);
    if counted { Ok(shards) } else { Err("the shards are not counted from 1".to_owned()) }
}

fn read_shard(shard: &Value) -> Result<Shard<'_>, String> {
    let index = shard["index"].as_u64().ok_or("a shard has no `index`")?;
    let list = shard["tests"].as_array().ok_or("a shard has no `tests`")?;
    let tests = list.iter().map(|test| test.as_str().ok_or("a test is not text"));
    let spans = shard["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let spans = spans.iter().map(|span| {
        let read =
            || Some((span["group"].as_str()?, span["tests"].as_u64()?, span["whole"].as_bool()?));
        read().ok_or_else(|| format!("shard {index}: a span of `groups` is incomplete"))
    });
    Ok(Shard {
        index,
        pool: shard["pool"].as_str(),
        predicted: micros(shard.get("predicted_ms"), "predicted_ms")?,
        setup: micros(shard.get("setup_ms"), "setup_ms")?,
        tests: tests.collect::<Result<_, _>>()?,
        groups: spans.collect::<Result<_, String>>()?,
        lanes: lane_sizes(shard),
    })
}

fn lane_sizes(shard: &Value) -> Vec<usize> {
    let sizes = shard["lanes"].as_array().map(Vec::as_slice).unwrap_or_default();
    sizes.iter().map(|size| size.as_u64().unwrap_or(u64::MAX) as usize).collect()
}

fn check_partition(plan: &Value, shards: &[Shard<'_>], facts: &Facts, faults: &mut Vec<Fault>) {
    let mut fault = |what| faults.push(Fault { rule: Rule::Partition, what });
    let mut seen = BTreeMap::new();
    for shard in shards {
        for test in &shard.tests {
            if let Some(first) = seen.insert(*test, shard.index) {
                fault(format!("`{test}` is on shard {first} and again on shard {}", shard.index));
            }
            if !facts.durations.contains_key(*test) {
                fault(format!("`{test}` on shard {} is not in the workload", shard.index));
            }
        }
    }
    for test in facts.durations.keys().filter(|test| !seen.contains_key(test.as_str())) {
        fault(format!("`{test}` is on no shard"));
    }
    let placed: usize = shards.iter().map(|shard| shard.tests.len()).sum();
    if plan["tests"].as_u64() != Some(placed as u64) {
        fault(format!("`tests` is {}, the shards hold {placed}", plan["tests"]));
    }
}

fn check_loads(shards: &[Shard<'_>], facts: &Facts, faults: &mut Vec<Fault>) {
    for shard in shards {
        let (whole, setup, slack) = load(shard, facts);
        for (name, found, wanted) in
            [("predicted_ms", shard.predicted, whole), ("setup_ms", shard.setup, setup)]
        {
            if found.abs_diff(wanted) > slack {
                let what = format!(
                    "shard {}: `{name}` is {found} µs, its tests and set-ups give {wanted} µs",
                    shard.index
                );
                faults.push(Fault { rule: Rule::Load, what });
            }
        }
    }
}

fn check_lanes(shards: &[Shard<'_>], facts: &Facts, faults: &mut Vec<Fault>) {
    let mut fault = |what| faults.push(Fault { rule: Rule::Lanes, what });
    let slots = facts.slots.max(1) as usize;
    let alone = slots > 1 && !facts.serial.is_empty();
    for shard in shards {
        let wanted = if slots > 1 { slots + usize::from(alone) } else { 0 };
        let placed = shard.lanes.iter().fold(0, |sum: usize, size| sum.saturating_add(*size));
        if shard.lanes.len() != wanted || (wanted > 0 && placed != shard.tests.len()) {
            let (found, tests) = (&shard.lanes, shard.tests.len());
            fault(format!(
                "shard {}: lanes {found:?} where {wanted} share {tests} tests",
                shard.index
            ));
            continue;
        }
        for (at, lane) in lanes(shard).iter().enumerate().filter(|_| alone) {
            if let Some(test) = lane.iter().find(|test| facts.serial.contains(**test) != (at == 0))
            {
                fault(format!(
                    "shard {}: `{test}` does not belong in lane {}",
                    shard.index,
                    at + 1
                ));
            }
        }
    }
}

fn check_makespan(plan: &Value, shards: &[Shard<'_>], facts: &Facts, faults: &mut Vec<Fault>) {
    let read = (|| {
        let makespan = micros(plan.get("makespan_ms"), "makespan_ms")?;
        let bound = micros(plan.get("lower_bound_ms"), "lower_bound_ms")?;
        let gap = plan["gap"].as_f64().ok_or("`gap` is missing")?;
        Ok::<_, String>((makespan, bound, gap))
    })();
    let (makespan, bound, gap) = match read {
        Ok(read) => read,
        Err(what) => return faults.push(Fault { rule: Rule::Shape, what }),
    };
    let mut fault = |rule, what| faults.push(Fault { rule, what });
    let longest = shards.iter().map(|shard| shard.predicted).max().unwrap_or(0);
    if makespan != longest {
        fault(
            Rule::Makespan,
            format!("makespan {makespan} µs, the longest shard takes {longest} µs"),
        );
    }
    let wanted = if bound == 0 { 0.0 } else { (makespan as f64 - bound as f64) / bound as f64 };
    if (gap - wanted).abs() > 1e-9 * (1.0 + wanted.abs()) {
        fault(Rule::Makespan, format!("gap {gap}, makespan and bound give {wanted}"));
    }
    if bound > makespan {
        fault(Rule::Bound, format!("the bound {bound} µs is above the makespan {makespan} µs"));
    }
    if facts.reachable.is_some_and(|reachable| bound > reachable) {
        fault(Rule::Bound, format!("the bound {bound} µs is above a makespan that can be reached"));
    }
    let plain = plain_bound(shards, facts);
    if bound < plain {
        fault(Rule::Bound, format!("the bound {bound} µs is below the plain one of {plain} µs"));
    }
    if let Some(what) = unknown_binder(plan, facts) {
        fault(Rule::Bound, what);
    }
}

fn unknown_binder(plan: &Value, facts: &Facts) -> Option<String> {
    let (kind, name) = (plan["bound_by"]["kind"].as_str(), plan["bound_by"]["name"].as_str());
    let (Some(kind), Some(name)) = (kind, name) else {
        return Some("`bound_by` does not say what holds the bound up".to_owned());
    };
    let known = match kind {
        "test" => facts.durations.contains_key(name),
        "class" => {
            facts.group_of.values().any(|group| group == name)
                || (!facts.together.is_empty() && name.ends_with("that stay together"))
        }
        _ => true,
    };
    (!known).then(|| format!("bound by {kind} `{name}`, which is not in the workload"))
}

fn check_groups(shards: &[Shard<'_>], facts: &Facts, faults: &mut Vec<Fault>) {
    let mut on: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for shard in shards {
        for group in shard.tests.iter().filter_map(|test| facts.group_of.get(*test)) {
            on.entry(group).or_default().insert(shard.index);
        }
        for (group, ..) in &shard.groups {
            on.entry(group).or_default().insert(shard.index);
        }
    }
    let mut fault = |what| faults.push(Fault { rule: Rule::Groups, what });
    for shard in shards.iter().filter(|shard| !shard.groups.is_empty()) {
        let mut rest = shard.tests.iter();
        for (group, tests, whole) in &shard.groups {
            let span: Vec<&&str> = rest.by_ref().take(*tests as usize).collect();
            let here = on.get(group).map_or(1, BTreeSet::len);
            if *whole != (here <= 1) {
                fault(format!(
                    "shard {}: `{group}` has `whole` {whole}, it is on {here} shards",
                    shard.index
                ));
            }
            let foreign = |test: &&str| facts.group_of.get(*test).is_some_and(|own| own != group);
            if span.len() as u64 != *tests || span.into_iter().any(foreign) {
                fault(format!("shard {}: the span of `{group}` holds other tests", shard.index));
            }
        }
        if rest.next().is_some() {
            fault(format!("shard {}: the spans end before its tests", shard.index));
        }
    }
}

fn check_constraints(shards: &[Shard<'_>], facts: &Facts, faults: &mut Vec<Fault>) {
    let mut place = BTreeMap::new();
    for shard in shards {
        for (lane, tests) in lanes(shard).into_iter().enumerate() {
            for (position, test) in tests.iter().enumerate() {
                place.insert(*test, ((shard.index, lane), position));
            }
        }
    }
    let lane_of = |test: &String| place.get(test.as_str()).map(|(lane, _)| *lane);
    let shard_of = |test: &String| lane_of(test).map(|(shard, _)| shard);
    let mut fault = |what| faults.push(Fault { rule: Rule::Constraint, what });
    for set in &facts.together {
        let homes: BTreeSet<u64> = set.iter().filter_map(shard_of).collect();
        if homes.len() > 1 {
            fault(format!("{set:?} must be together, they are on shards {homes:?}"));
        }
    }
    for set in &facts.exclusive {
        let homes: BTreeSet<(u64, usize)> = set.iter().filter_map(lane_of).collect();
        if homes.len() > 1 {
            fault(format!("{set:?} hold one resource, they are on shards and lanes {homes:?}"));
        }
    }
    for set in &facts.apart {
        let mut homes: Vec<u64> = set.iter().filter_map(shard_of).collect();
        homes.sort_unstable();
        if homes.windows(2).any(|pair| pair[0] == pair[1]) {
            fault(format!("{set:?} must be apart, they are on shards {homes:?}"));
        }
    }
    for (first, second) in &facts.before {
        let places = (place.get(first.as_str()), place.get(second.as_str()));
        if let (Some((one, early)), Some((two, late))) = places
            && (one != two || early >= late)
        {
            fault(format!("`{first}` must run before `{second}` on the same shard"));
        }
    }
    let allowed =
        |pool: Option<&str>, pools: &[String]| pool.is_some_and(|p| pools.iter().any(|q| q == p));
    for shard in shards {
        for test in &shard.tests {
            if facts.eligible.get(*test).is_some_and(|pools| !allowed(shard.pool, pools)) {
                fault(format!("`{test}` may not run in the pool of shard {}", shard.index));
            }
        }
    }
}

#[cfg(test)]
mod tests;
