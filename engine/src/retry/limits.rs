//! How much may run again: tests, their share, time and money.
//!
//! Decides what a retry still takes, and names the limit that leaves a test out.

use crate::test_id::{TestId, TestSet};
use crate::units::Micros;

/// How much may be run again.
#[derive(Clone, Debug)]
pub struct RetryLimits {
    /// At most so many tests.
    pub tests_max: usize,
    /// At most this share of the planned tests.
    pub share_max: f64,
    /// At most so much predicted test time.
    pub time_max: Micros,
    /// At most so much money, at [`RetryLimits::price_per_hour`] of test time.
    pub cost_max: f64,
    /// What an hour of a worker costs.
    pub price_per_hour: f64,
    /// How many copies of the retry run at once; time and money are counted for all.
    pub copies: u32,
}

impl Default for RetryLimits {
    fn default() -> Self {
        Self {
            tests_max: usize::MAX,
            share_max: 1.0,
            time_max: Micros::MAX,
            cost_max: f64::INFINITY,
            price_per_hour: 0.0,
            copies: 1,
        }
    }
}

/// What has been taken within the limits.
pub(super) struct Taken<'a> {
    /// The tests taken.
    pub(super) set: TestSet,
    count: usize,
    share_max: usize,
    time: Micros,
    limits: &'a RetryLimits,
    durations: &'a [Micros],
}

impl<'a> Taken<'a> {
    pub(super) fn new(planned: usize, durations: &'a [Micros], limits: &'a RetryLimits) -> Self {
        Self {
            set: TestSet::with_len(planned),
            count: 0,
            share_max: (limits.share_max.clamp(0.0, 1.0) * planned as f64).floor() as usize,
            time: Micros::ZERO,
            limits,
            durations,
        }
    }

    /// Takes all of these tests, or none where that would pass a limit, which it names.
    pub(super) fn take(&mut self, tests: &[TestId]) -> Result<(), String> {
        let new: Vec<TestId> =
            tests.iter().copied().filter(|test| !self.set.contains(*test)).collect();
        let duration =
            |test: &TestId| self.durations.get(test.index()).copied().unwrap_or_default();
        let time = self.time + new.iter().map(duration).sum();
        let count = self.count + new.len();
        let limits = self.limits;
        let spent = Micros::new(time.get().saturating_mul(u64::from(limits.copies.max(1))));
        let cost = spent.as_secs_f64() / 3_600.0 * limits.price_per_hour;
        if count > limits.tests_max {
            return Err(format!("{} tests", limits.tests_max));
        }
        if count > self.share_max {
            return Err(format!("{}% of the planned tests", 100.0 * limits.share_max));
        }
        if spent > limits.time_max {
            return Err(format!("{} of test time", limits.time_max));
        }
        if cost > limits.cost_max {
            return Err(format!("{} in money", limits.cost_max));
        }
        (self.count, self.time) = (count, time);
        for test in new {
            self.set.insert(test);
        }
        Ok(())
    }
}
