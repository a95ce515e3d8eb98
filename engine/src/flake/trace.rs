//! The last runs of a test, bit by bit, and its counts. Written only where a test did not simply
//! pass, so that a calm run costs nothing.

use super::Seen;

/// Runs kept bit by bit.
const KEPT: u32 = 64;

#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) failed: u64,
    pub(super) absent: u64,
    /// The run that the lowest bit stands for.
    pub(super) anchor: u32,
    pub(super) born: u32,
    pub(super) failures: u32,
    pub(super) absences: u32,
    pub(super) retries: u16,
    pub(super) retries_failed: u16,
}

/// The last runs of a test and what they add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strip {
    /// Bit `i` is set where the test failed `i` runs ago.
    pub failed: u64,
    /// Bit `i` is set where the test had a result `i` runs ago.
    pub seen: u64,
    /// Runs with a result, all told.
    pub runs: u32,
    /// Runs in which the first attempt failed, all told.
    pub failures: u32,
    /// Retries, and those that failed.
    pub retries: (u16, u16),
}

impl Trace {
    pub(super) const fn new(run: u32) -> Self {
        Self {
            failed: 0,
            absent: 0,
            anchor: run,
            born: run,
            failures: 0,
            absences: 0,
            retries: 0,
            retries_failed: 0,
        }
    }

    fn shift(bits: u64, runs: u32) -> u64 {
        bits.checked_shl(runs).unwrap_or(0)
    }

    pub(super) fn note(&mut self, seen: Seen, run: u32) {
        if seen == Seen::Passed {
            return;
        }
        let passed = run - self.anchor;
        self.failed = Self::shift(self.failed, passed);
        self.absent = Self::shift(self.absent, passed);
        self.anchor = run;
        if seen == Seen::Failed {
            self.failed |= 1;
            self.failures += 1;
        } else {
            self.absent |= 1;
            self.absences += 1;
        }
    }

    pub(super) fn note_retry(&mut self, failed: bool) {
        self.retries = self.retries.saturating_add(1);
        self.retries_failed = self.retries_failed.saturating_add(u16::from(failed));
    }

    pub(super) fn strip(&self, run: u32) -> Strip {
        let passed = run - self.anchor;
        let lived = run - self.born;
        let known = if lived >= KEPT { u64::MAX } else { (1_u64 << lived) - 1 };
        Strip {
            failed: Self::shift(self.failed, passed),
            seen: known & !Self::shift(self.absent, passed),
            runs: lived - self.absences,
            failures: self.failures,
            retries: (self.retries, self.retries_failed),
        }
    }
}

impl Strip {
    /// Share of passes among the results of the last `runs` runs (at most 64); `None` without one.
    pub fn pass_rate(&self, runs: u32) -> Option<f64> {
        let window = if runs >= KEPT { u64::MAX } else { (1_u64 << runs) - 1 };
        let seen = (self.seen & window).count_ones();
        let failed = (self.failed & self.seen & window).count_ones();
        (seen > 0).then(|| f64::from(seen - failed) / f64::from(seen))
    }

    /// Share of passes over all runs with a result; `None` without one.
    pub fn long_pass_rate(&self) -> Option<f64> {
        (self.runs > 0).then(|| 1.0 - f64::from(self.failures) / f64::from(self.runs))
    }

    /// The last runs as text, oldest first: `.` passed, `F` failed, a space where it had no result.
    pub fn text(&self, runs: u32) -> String {
        let sign = |at: u32| match (self.seen >> at & 1, self.failed >> at & 1) {
            (0, _) => ' ',
            (_, 0) => '.',
            _ => 'F',
        };
        (0..runs.min(KEPT)).rev().map(sign).collect::<String>().trim_start().to_owned()
    }
}
