//! Which of several estimators a suite is predicted with.
//!
//! Decides nothing but the figure that each would give: which is best is a question for a replay
//! of the suite's own past, where the makespan is the score and not the error.

use serde::Serialize;

use super::{Estimates, Source, estimate};
use crate::history::{History, NONE};
use crate::test_id::TestTable;
use crate::units::Micros;

/// A way to expect a duration from the past ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Estimator {
    /// Exponentially weighted mean, 0.4 for the newest.
    #[default]
    Weighted,
    /// The newest.
    Last,
    /// The median of the last five.
    Median,
    /// The mean of the last sixteen.
    Mean,
    /// The upper quartile of the last nine.
    UpperQuartile,
}

impl Estimator {
    /// Every estimator; the first is the one to take where nothing speaks for another.
    pub const ALL: [Self; 5] =
        [Self::Weighted, Self::Last, Self::Median, Self::Mean, Self::UpperQuartile];

    /// Its name in answers and in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Weighted => "weighted",
            Self::Last => "last",
            Self::Median => "median",
            Self::Mean => "mean",
            Self::UpperQuartile => "upper_quartile",
        }
    }

    /// The expectation from the last durations, newest first.
    fn expect(self, weighted: u64, recent: &[f32]) -> u64 {
        let of = |count: usize, rank: fn(usize) -> usize| {
            let mut last = recent[..recent.len().min(count)].to_vec();
            last.sort_unstable_by(f32::total_cmp);
            last.get(rank(last.len())).map_or(weighted, |micros| *micros as u64)
        };
        match self {
            Self::Weighted => weighted,
            Self::Last => of(1, |_| 0),
            Self::Median => of(5, |n| n / 2),
            Self::UpperQuartile => of(9, |n| n * 3 / 4),
            Self::Mean if recent.is_empty() => weighted,
            Self::Mean => {
                let sum: f64 = recent.iter().map(|micros| f64::from(*micros)).sum();
                (sum / recent.len() as f64) as u64
            }
        }
    }
}

/// What is expected of each test of `tests`, by a chosen estimator where a test has a past of its
/// own, and as [`estimate`] does otherwise. O(n).
///
/// ```
/// use rasher::estimate::{Estimator, estimate, estimate_by};
/// use rasher::history::History;
/// use rasher::test_id::TestTable;
/// let (history, tests) = (History::new("linux"), TestTable::new());
/// assert_eq!(estimate_by(&history, &tests, Estimator::Last), estimate(&history, &tests));
/// ```
pub fn estimate_by(history: &History, tests: &TestTable, by: Estimator) -> Estimates {
    let mut answer = estimate(history, tests);
    if by == Estimator::Weighted {
        return answer;
    }
    let columns = history.columns();
    let places = history.tests().find_all(tests.ids().map(|test| tests.name(test)));
    for (test, at) in places.enumerate() {
        let Some(at) = at.map(|at| at as usize).filter(|at| columns.measured_run[*at] != NONE)
        else {
            continue;
        };
        if answer.source[test] == Source::Own {
            let recent = &columns.recent_us[at][..columns.recent_count(at)];
            let mean = Micros::new(by.expect(columns.mean_us[at], recent).max(1));
            answer.mean[test] = mean;
            answer.upper[test] = answer.upper[test].max(mean);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_estimator_expects_what_its_name_says() {
        let recent = [5.0, 1.0, 9.0, 3.0, 7.0, 100.0, 100.0, 100.0, 100.0];
        let expect = |by: Estimator| by.expect(42, &recent);
        assert_eq!(Estimator::ALL.map(expect), [42, 5, 5, 47, 100]);
        assert_eq!(Estimator::ALL.map(|by| by.expect(42, &[])), [42; 5]);
    }
}
