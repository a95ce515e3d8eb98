//! What a shard takes by the facts, and what no plan can be below: sums and a bisection, in the
//! plainest form there is.

use std::collections::BTreeMap;

use super::{Facts, Shard};

/// The tests of each lane; all of them in one where the worker runs one at a time.
pub(super) fn lanes<'a>(shard: &'a Shard<'_>) -> Vec<&'a [&'a str]> {
    if shard.lanes.is_empty() {
        return vec![&shard.tests];
    }
    let mut rest = shard.tests.as_slice();
    let mut lanes = Vec::new();
    for size in &shard.lanes {
        let (lane, behind) = rest.split_at((*size).min(rest.len()));
        lanes.push(lane);
        rest = behind;
    }
    lanes
}

/// The time that the facts give a shard, the part of it that is set-up, and how far two honest
/// roundings may differ: a pool of another speed divides the work, rounded up to a microsecond for
/// each test or once.
///
/// Lanes run side by side, after the tests that run alone; each lane pays its own set-ups.
pub(super) fn load(shard: &Shard<'_>, facts: &Facts) -> (u64, u64, u64) {
    if shard.tests.is_empty() {
        return (0, 0, 0);
    }
    let alone = usize::from(!facts.serial.is_empty() && facts.slots > 1);
    let costs: Vec<(u64, u64)> =
        lanes(shard).iter().map(|lane| facts.cost(lane.iter().copied())).collect();
    let (first, beside) = costs.split_at(alone.min(costs.len()));
    let longest = beside.iter().copied().max_by_key(|(work, setup)| work + setup);
    let (work, setup) = longest.unwrap_or_default();
    let (first_work, first_setup) = first.first().copied().unwrap_or_default();
    let (work, setup) = (work + first_work, setup + first_setup);
    let startup = shard.pool.and_then(|pool| facts.startups.get(pool)).copied().unwrap_or(0);
    let speed = shard.pool.and_then(|pool| facts.speeds.get(pool)).copied().unwrap_or(1.0);
    // Lanes of equal length may pay different set-ups: either is true of the worker.
    let ties = beside.iter().filter(|(w, s)| longest.is_some_and(|(a, b)| w + s == a + b));
    let spread = ties.map(|(_, s)| s.abs_diff(setup - first_setup)).max().unwrap_or(0);
    if speed == 1.0 {
        return (startup + work + setup, setup, spread);
    }
    let slowed = |micros: u64| (micros as f64 / speed).ceil() as u64;
    (
        startup + slowed(work + setup),
        slowed(setup),
        2 * shard.tests.len() as u64 + 2 + slowed(spread),
    )
}

/// The longest test with its set-up, where it is done first; and all work, each set-up once, over
/// all lanes of all workers, who begin when they are there.
pub(super) fn plain_bound(shards: &[Shard<'_>], facts: &Facts) -> u64 {
    let mut pools: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for shard in shards {
        *pools.entry(shard.pool).or_default() += 1;
    }
    let speed =
        |pool: &Option<&str>| pool.and_then(|p| facts.speeds.get(p)).copied().unwrap_or(1.0);
    let start =
        |pool: &Option<&str>| pool.and_then(|p| facts.startups.get(p)).copied().unwrap_or(0);
    let setup = |test: &str| {
        facts.group_of.get(test).and_then(|group| facts.setups.get(group)).copied().unwrap_or(0)
    };
    let may = |test: &str, pool: Option<&str>| {
        let allowed = facts.eligible.get(test);
        allowed.is_none_or(|all| pool.is_some_and(|pool| all.iter().any(|p| p == pool)))
    };
    // A hair and two microseconds below, so that no honest rounding lies under it.
    let floor = |micros: f64| (micros * (1.0 - 1e-12)).max(0.0) as u64;
    let slack = if facts.speeds.is_empty() { 0 } else { 2 };
    let alone = |test: &str, work: u64| {
        let ends = pools.keys().filter(|pool| may(test, **pool));
        let ends = ends.map(|pool| start(pool) + floor(work as f64 / speed(pool)));
        ends.min().unwrap_or(0)
    };
    let longest = facts.durations.iter().map(|(test, d)| alone(test, d + setup(test))).max();
    let slots = facts.slots.max(1);
    let serial =
        facts.durations.iter().filter(|(test, _)| slots > 1 && facts.serial.contains(*test));
    let stopped: u64 = serial.map(|(_, duration)| duration * (slots - 1)).sum();
    let (work, setups) = facts.cost(facts.durations.keys().map(String::as_str));
    let work = (work + setups + stopped) as f64;
    let done = |end: u64| -> f64 {
        let of = |(pool, workers): (&Option<&str>, &u64)| {
            end.saturating_sub(start(pool)) as f64 * speed(pool) * (workers * slots) as f64
        };
        pools.iter().map(of).sum()
    };
    let (mut low, mut high) = (0, 1_u64 << 50);
    while low < high {
        let middle = low + (high - low) / 2;
        if done(middle) >= work * (1.0 - 1e-12) { high = middle } else { low = middle + 1 }
    }
    low.max(longest.unwrap_or(0)).saturating_sub(slack)
}
