//! Which results are too sick to learn from.

use super::Seen;

/// A run in which this share of the tests failed says nothing about a single test.
const RUN_SHARE: f64 = 0.02;
/// The same for the tests of one worker, which is smaller and so may fail more by chance.
const WORKER_SHARE: f64 = 0.2;
/// Fewer failures than this on a worker are never its fault.
const WORKER_FAILURES: usize = 8;
/// Runs below this many failures are learned from whatever their share: a suite of forty tests
/// with one failure is no disaster.
const RUN_FAILURES: usize = 8;

/// What the gate left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// True where the whole run was left out.
    pub whole_run: bool,
    /// The workers whose tests were left out, in order.
    pub workers: Vec<u32>,
}

/// Blanks what must not be learned from: the whole run where at least 2 % of its tests (and eight)
/// failed, or four times the share that usually fails, where that is more; else the workers where
/// at least a fifth (and eight) did. `worker_of` names the worker of each test, where known.
/// `usual` is the median share of failing tests in past runs, 0 where there are none. O(tests).
///
/// ```
/// use rasher::flake::{Seen, gate};
/// let mut run = vec![Seen::Passed; 100];
/// run[..50].fill(Seen::Failed);
/// assert!(gate(&mut run, &[], 0.0).whole_run);
/// assert!(run.iter().all(|seen| *seen == Seen::Nothing));
/// ```
pub fn gate(first: &mut [Seen], worker_of: &[u32], usual: f64) -> Gate {
    let ran = first.iter().filter(|seen| **seen != Seen::Nothing).count();
    let failed = first.iter().filter(|seen| **seen == Seen::Failed).count();
    if failed >= RUN_FAILURES && failed as f64 >= RUN_SHARE.max(4.0 * usual) * ran as f64 {
        first.fill(Seen::Nothing);
        return Gate { whole_run: true, workers: Vec::new() };
    }
    if failed < WORKER_FAILURES || worker_of.is_empty() {
        return Gate::default();
    }
    let last = worker_of.iter().copied().max().unwrap_or_default() as usize;
    let mut counts = vec![(0_usize, 0_usize); last + 1];
    for (seen, worker) in first.iter().zip(worker_of) {
        let (ran, failed) = &mut counts[*worker as usize];
        *ran += usize::from(*seen != Seen::Nothing);
        *failed += usize::from(*seen == Seen::Failed);
    }
    let sick = |(ran, failed): (usize, usize)| {
        failed >= WORKER_FAILURES && failed as f64 >= WORKER_SHARE * ran as f64
    };
    for (seen, worker) in first.iter_mut().zip(worker_of) {
        if sick(counts[*worker as usize]) {
            *seen = Seen::Nothing;
        }
    }
    let sick = (0..=last).filter(|worker| sick(counts[*worker])).map(|worker| worker as u32);
    Gate { whole_run: false, workers: sick.collect() }
}

/// The share of tests that failed, of those with a result.
pub(super) fn failed_share(first: &[Seen]) -> f64 {
    let ran = first.iter().filter(|seen| **seen != Seen::Nothing).count();
    let failed = first.iter().filter(|seen| **seen == Seen::Failed).count();
    failed as f64 / ran.max(1) as f64
}

/// The median of the newest shares; 0 where there are none.
pub(super) fn usual(shares: &[f64]) -> f64 {
    let mut newest = shares[shares.len().saturating_sub(50)..].to_vec();
    newest.sort_unstable_by(f64::total_cmp);
    newest.get(newest.len() / 2).copied().unwrap_or_default()
}
