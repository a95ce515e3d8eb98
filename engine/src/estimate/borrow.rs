//! A cold start in a new environment.
//!
//! Decides what a test takes here that was only timed elsewhere: the ranking is the other
//! environment's, the level is this one's. What was measured here is never touched.

use super::{Estimates, Source, own_past};
use crate::history::History;
use crate::test_id::TestTable;
use crate::units::Micros;

/// A level is taken from at least so many tests that both environments timed.
const SHARED_MIN: usize = 8;
/// Shorter tests tell nothing of a level.
const LEVEL_FLOOR_US: u64 = 1_000;

/// Fills in, from the history of another environment, tests that this one never timed; answers how
/// many.
///
/// Durations there are multiplied with the median ratio of here over there, over the tests that
/// both timed; with fewer than eight of those they stand as they are. Set-ups that were measured
/// nowhere here are taken over in the same way. O(n log n).
///
/// ```
/// use rasher::estimate::{borrow, estimate};
/// use rasher::history::History;
/// use rasher::test_id::TestTable;
/// let tests = TestTable::new();
/// let mut cold = estimate(&History::new("windows"), &tests);
/// assert_eq!(borrow(&mut cold, &tests, &History::new("linux")), 0);
/// ```
pub fn borrow(estimates: &mut Estimates, tests: &TestTable, other: &History) -> usize {
    let names = tests.ids().map(|test| tests.name(test));
    let there: Vec<Option<(u64, u64)>> =
        other.tests().find_all(names).map(|at| own_past(other, at? as usize)).collect();
    let level = level(estimates, &there);
    let mut borrowed = 0;
    for (at, there) in there.iter().enumerate() {
        let Some((mean, upper)) = there else { continue };
        if matches!(estimates.source[at], Source::Own | Source::Renamed | Source::Borrowed) {
            continue;
        }
        let mean = Micros::new(*mean).scale(level).max(Micros::new(1));
        estimates.mean[at] = mean;
        estimates.upper[at] = Micros::new(*upper).scale(level).max(mean);
        estimates.source[at] = Source::Borrowed;
        borrowed += 1;
    }
    if estimates.setup.iter().all(|setup| setup.is_zero()) {
        let measured = other.group_columns();
        for group in tests.group_ids() {
            let at = other.groups().find(tests.group_name(group));
            let known = at.filter(|at| measured.measured[*at] > 0);
            if let Some(at) = known {
                estimates.setup[group.index()] = Micros::new(measured.setup_us[at]).scale(level);
            }
        }
    }
    borrowed
}

/// The median of here over there.
fn level(estimates: &Estimates, there: &[Option<(u64, u64)>]) -> f64 {
    let own = estimates.mean.iter().zip(&estimates.source).zip(there);
    let mut ratios: Vec<f64> = own
        .filter(|((_, source), _)| **source == Source::Own)
        .filter_map(|((here, _), there)| Some((here.get(), (*there)?.0)))
        .filter(|(here, there)| *here.min(there) >= LEVEL_FLOOR_US)
        .map(|(here, there)| here as f64 / there as f64)
        .collect();
    if ratios.len() < SHARED_MIN {
        return 1.0;
    }
    let middle = ratios.len() / 2;
    *ratios.select_nth_unstable_by(middle, f64::total_cmp).1
}
