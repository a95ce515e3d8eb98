//! Failures beside each other: what breaks one test of a module often breaks its neighbours.

use super::{Retried, Seen};

/// The chance that a commit broke a test beside one other failure of its module; two such failures
/// make it twice as likely.
const BROKEN_BESIDE: f32 = 0.1;

/// More neighbours than this raise it no further.
const COUNTED_MAX: u32 = 4;

/// The chance that this commit broke a test of a module in which so many other failures surprise.
pub(super) fn raised(others: u32) -> f32 {
    BROKEN_BESIDE * others.min(COUNTED_MAX) as f32
}

/// The tests whose surprising failure stands beside others in the same group, each with the number
/// of those. A failure that a retry on the same commit made good speaks for no breakage.
pub(super) fn beside_others(
    first: &[Seen],
    retries: &[Retried],
    groups: &[u32],
    surprises: impl Fn(usize) -> bool,
) -> Vec<(usize, u32)> {
    let failed = first.iter().zip(groups).enumerate().filter(|(_, it)| *it.0 == Seen::Failed);
    let mut odd: Vec<(u32, usize)> =
        failed.filter(|(at, _)| surprises(*at)).map(|(at, (_, group))| (*group, at)).collect();
    if odd.len() < 2 {
        return Vec::new();
    }
    let mut good: Vec<usize> =
        retries.iter().filter(|again| !again.failed).map(|again| again.test.index()).collect();
    good.sort_unstable();
    odd.sort_unstable();
    let mut found = Vec::new();
    for beside in odd.chunk_by(|a, b| a.0 == b.0) {
        let made_good = |at: usize| good.binary_search(&at).is_ok();
        let bad = beside.iter().filter(|(_, at)| !made_good(*at)).count() as u32;
        let others = |at: usize| bad - u32::from(!made_good(at));
        found.extend(beside.iter().map(|(_, at)| (*at, others(*at))).filter(|it| it.1 > 0));
    }
    found
}
