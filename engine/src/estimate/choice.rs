//! Which of several estimators a suite is predicted with.
//!
//! Decides nothing but the figure that each would give: which is best is a question for a replay
//! of the suite's own past, where the makespan is the score and not the error.

use serde::{Deserialize, Serialize};

use super::{Estimates, Source, estimate};
use crate::history::{Columns, History, NONE, RECENT};
use crate::test_id::TestTable;
use crate::units::Micros;

/// A way to expect a duration from the past ones.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Estimator {
    /// Exponentially weighted mean, 0.4 for the newest.
    #[default]
    Weighted,
    /// The newest.
    Last,
    /// Half the newest, half the weighted mean: follows a change sooner than the one and an
    /// outlier less than the other.
    Half,
    /// Exponentially weighted mean, 0.6 for the newest, of durations brought to the level of the
    /// newest run: what made a whole run slow tells nothing of one test.
    Levelled,
    /// The median of the last five.
    Median,
    /// The mean of the last sixteen.
    Mean,
    /// The upper quartile of the last nine.
    UpperQuartile,
}

/// Of [`Estimator::Levelled`], the weight of the newest value.
const LEVELLED: f64 = 0.6;
/// Durations below this tell nothing of a run's level: what is measured there is the clock.
const LEVEL_FLOOR_US: f32 = 1_000.0;
/// A level is taken from at least so many tests.
const LEVEL_TESTS: usize = 20;
/// And from about so many of a large suite.
const LEVEL_TESTS_MAX: usize = 5_000;

/// How much slower or faster the newest run was than each of the last ones: to be multiplied with
/// a duration of the same age.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Levels([f64; RECENT]);

impl Levels {
    /// All runs alike.
    pub(crate) const EVEN: Self = Self([1.0; RECENT]);

    /// The median ratio of the duration at `newest` to each older one, over some tests: every n-th
    /// tells as much as all. O(16 n).
    pub(crate) fn of(
        columns: &Columns,
        newest: usize,
        tests: impl Iterator<Item = usize> + Clone,
    ) -> Self {
        let mut levels = Self::EVEN;
        let mut ratios = Vec::new();
        for age in newest + 1..RECENT {
            ratios.clear();
            for at in tests.clone().filter(|at| columns.recent_count(*at) > age) {
                let recent = &columns.recent_us[at];
                let (new, old) = (recent[newest], recent[age]);
                if new.min(old) >= LEVEL_FLOOR_US {
                    ratios.push(new / old);
                }
            }
            if ratios.len() >= LEVEL_TESTS {
                let middle = ratios.len() / 2;
                let (_, median, _) = ratios.select_nth_unstable_by(middle, f32::total_cmp);
                levels.0[age - newest] = f64::from(*median);
            }
        }
        levels
    }
}

impl Estimator {
    /// Every estimator; the first is the one to take where nothing speaks for another.
    pub const ALL: [Self; 7] = [
        Self::Weighted,
        Self::Last,
        Self::Half,
        Self::Levelled,
        Self::Median,
        Self::Mean,
        Self::UpperQuartile,
    ];

    /// Its name in answers and in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Weighted => "weighted",
            Self::Last => "last",
            Self::Half => "half",
            Self::Levelled => "levelled",
            Self::Median => "median",
            Self::Mean => "mean",
            Self::UpperQuartile => "upper_quartile",
        }
    }

    /// The estimator of a word of [`Estimator::word`].
    ///
    /// ```
    /// use rasher::estimate::Estimator;
    /// assert_eq!(Estimator::from_word("half"), Some(Estimator::Half));
    /// ```
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|estimator| estimator.word() == word)
    }

    /// The expectation from the last durations, newest first, and the weighted mean of all.
    pub(crate) fn expect(self, weighted: u64, recent: &[f32], levels: &Levels) -> u64 {
        let of = |count: usize, rank: fn(usize) -> usize| {
            let mut last = recent[..recent.len().min(count)].to_vec();
            last.sort_unstable_by(f32::total_cmp);
            last.get(rank(last.len())).map_or(weighted, |micros| *micros as u64)
        };
        match self {
            Self::Weighted => weighted,
            Self::Last => of(1, |_| 0),
            Self::Half => u64::midpoint(of(1, |_| 0), weighted),
            Self::Median => of(5, |n| n / 2),
            Self::UpperQuartile => of(9, |n| n * 3 / 4),
            _ if recent.is_empty() => weighted,
            Self::Levelled => {
                let aged = recent.iter().zip(levels.0).map(|(us, level)| f64::from(*us) * level);
                let mean = aged.rev().reduce(|mean, us| mean + LEVELLED * (us - mean));
                mean.unwrap_or_default() as u64
            }
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
/// assert_eq!(estimate_by(&history, &tests, Estimator::Last).mean, estimate(&history, &tests).mean);
/// ```
pub fn estimate_by(history: &History, tests: &TestTable, by: Estimator) -> Estimates {
    let mut answer = Estimates { by, ..estimate(history, tests) };
    if by == Estimator::Weighted {
        return answer;
    }
    let columns = history.columns();
    let levels = match by {
        Estimator::Levelled => {
            let every = history.len() / LEVEL_TESTS_MAX + 1;
            Levels::of(columns, 0, (0..history.len()).step_by(every))
        }
        _ => Levels::EVEN,
    };
    let places = history.tests().find_all(tests.ids().map(|test| tests.name(test)));
    for (test, at) in places.enumerate() {
        let Some(at) = at.map(|at| at as usize).filter(|at| columns.measured_run[*at] != NONE)
        else {
            continue;
        };
        if answer.source[test] == Source::Own {
            let recent = &columns.recent_us[at][..columns.recent_count(at)];
            let mean = by.expect(columns.mean_us[at], recent, &levels).max(1);
            answer.mean[test] = Micros::new(mean);
            answer.upper[test] = answer.upper[test].max(Micros::new(mean));
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
        let expect = |by: Estimator| by.expect(42, &recent, &Levels::EVEN);
        assert_eq!(Estimator::ALL.map(expect), [42, 5, 23, 5, 5, 47, 100]);
        assert_eq!(Estimator::ALL.map(|by| by.expect(42, &[], &Levels::EVEN)), [42; 7]);
    }

    #[test]
    fn a_slow_run_does_not_make_its_tests_slow() {
        let mut columns = Columns::default();
        for test in 1..=40u16 {
            // The newest run but one was three times as slow as the others.
            let usual = f32::from(test) * 10_000.0;
            let mut recent = [usual; RECENT];
            recent[1] = usual * 3.0;
            columns.recent_us.push(recent);
            columns.state.push(RECENT as u32);
        }
        let levels = Levels::of(&columns, 0, 0..40);
        let expect = |by: Estimator| by.expect(0, &columns.recent_us[9], &levels);
        assert_eq!(expect(Estimator::Levelled), 100_000);
        assert!(expect(Estimator::Mean) > 110_000);
    }
}
