//! Shards whose machine is to blame.

use crate::flake::Scores;
use crate::outcome::environment::{WorkerCount, mass_limit, suspected_workers};
use crate::retry::{Case, Planned};

/// A machine is suspected only where tests of at least so many classes failed on it: whole classes
/// share a shard, and one broken class is no broken machine.
const GROUPS_MIN: usize = 3;

/// The shards whose machine is suspected, where failures on it surprise, are many, belong to at
/// least half of its classes, and the rest of the run is calm.
pub(super) fn suspects(planned: &Planned, cases: &[Case], scores: &Scores) -> Vec<u32> {
    let tests = planned.tests();
    let last = tests.ids().map(|test| planned.shard(test)).max().unwrap_or_default();
    let mut counts = vec![WorkerCount::default(); last as usize + 1];
    let mut groups = vec![(Vec::new(), Vec::new()); last as usize + 1];
    for case in cases {
        let Some((first, _)) = case.executions.iter().find(|(it, _)| it.is_result()) else {
            continue;
        };
        let at = planned.shard(case.test) as usize;
        let odd = first.is_failure() && scores.belief(tests.name(case.test)).is_surprising();
        counts[at].ran += 1;
        counts[at].surprising += u32::from(odd);
        let group = tests.group(case.test).map_or(u32::MAX - case.test.0, |group| group.0);
        groups[at].0.push(group);
        if odd {
            groups[at].1.push(group);
        }
    }
    let spread = |shard: &u32| {
        let distinct = |groups: &Vec<u32>| {
            let mut groups = groups.clone();
            groups.sort_unstable();
            groups.dedup();
            groups.len()
        };
        let (all, odd) = &groups[*shard as usize];
        let (all, odd) = (distinct(all), distinct(odd));
        odd >= GROUPS_MIN && 2 * odd >= all
    };
    let limit = mass_limit(&mut scores.surprising().to_vec());
    let mut suspects = suspected_workers(&counts, limit);
    suspects.retain(spread);
    suspects
}
