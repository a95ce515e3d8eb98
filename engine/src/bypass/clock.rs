//! How long a bypassed failure may stay on the main branch.
//!
//! Decides, for one bypassed test, from what the main branch did after the merge. A pure state
//! machine: events in the order of their time in, a state out. Reads no clock.
//!
//! | state | event | next state |
//! |---|---|---|
//! | waiting | failed on main | running, or stopped by quarantine if it is in one |
//! | waiting | passed on main | waiting; cleared after [`ClockOptions::clear_after`] passes |
//! | waiting | put in quarantine, released from it | waiting |
//! | running | passed on main | stopped by the fix |
//! | running | put in quarantine | stopped by quarantine |
//! | running | failed on main, released | running |
//! | cleared, stopped | any | the same |
//!
//! A run in which the test failed and passed proves neither and is no event; nor is one in which it
//! did not run: a test that is skipped keeps its clock running.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// What the clock goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockOptions {
    /// From the first failure on the main branch to the fix; four hours, as in the talk.
    pub limit: SignedDuration,
    /// After so many runs of the main branch that passed the test, before any failed, it is over.
    pub clear_after: u32,
}

impl Default for ClockOptions {
    fn default() -> Self {
        Self { limit: SignedDuration::from_hours(4), clear_after: 3 }
    }
}

/// What happened to a bypassed test after the merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockEvent {
    /// It was put in quarantine.
    Quarantined,
    /// Its quarantine ended.
    Released,
    /// A run of the main branch failed it.
    Failed,
    /// A run of the main branch passed it.
    Passed,
}

/// What stopped a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// The main branch passed the test again.
    Fix,
    /// The test was put in quarantine.
    Quarantine,
}

/// How the clock of one bypassed test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ClockState {
    /// The main branch has not failed it since.
    Waiting {
        /// Runs of the main branch that passed it.
        passes: u32,
    },
    /// The main branch passed it often enough: the bypass did no harm.
    Cleared {
        /// When.
        at: Timestamp,
    },
    /// The main branch fails it.
    Running {
        /// The first failure.
        since: Timestamp,
        /// When it is to be fixed or in quarantine.
        due: Timestamp,
        /// True where that time has passed.
        overdue: bool,
    },
    /// It was fixed or put in quarantine.
    Stopped {
        /// The first failure.
        since: Timestamp,
        /// When it stopped.
        at: Timestamp,
        /// What stopped it.
        #[serde(rename = "stopped_by")]
        by: StoppedBy,
        /// True where that was too late.
        late: bool,
    },
}

/// The clock of one bypassed test.
///
/// ```
/// use rasher::bypass::clock::{Clock, ClockEvent, ClockOptions, ClockState};
/// let merged = "2026-01-05T02:00:00Z".parse()?;
/// let mut clock = Clock::new(merged, ClockOptions::default());
/// clock.observe("2026-01-05T03:00:00Z".parse()?, ClockEvent::Failed);
/// let state = clock.state("2026-01-05T07:30:00Z".parse()?);
/// assert!(matches!(state, ClockState::Running { overdue: true, .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    merged: Timestamp,
    options: ClockOptions,
    in_quarantine: bool,
    state: ClockState,
}

impl Clock {
    /// The clock of a test that was bypassed at an instant.
    pub fn new(merged: Timestamp, options: ClockOptions) -> Self {
        let state = ClockState::Waiting { passes: 0 };
        Self { merged, options, in_quarantine: false, state }
    }

    /// Takes the next event, in the order of time. Runs before the merge, or at its instant, say
    /// nothing of it; a quarantine from before it still counts. O(1).
    pub fn observe(&mut self, at: Timestamp, event: ClockEvent) {
        match event {
            ClockEvent::Quarantined => self.in_quarantine = true,
            ClockEvent::Released => self.in_quarantine = false,
            ClockEvent::Failed | ClockEvent::Passed if at <= self.merged => return,
            ClockEvent::Failed | ClockEvent::Passed => {}
        }
        self.state = self.next(at, event);
    }

    fn next(&self, at: Timestamp, event: ClockEvent) -> ClockState {
        use ClockEvent::{Failed, Passed, Quarantined};
        match (self.state, event) {
            (ClockState::Waiting { .. }, Failed) if self.in_quarantine => {
                self.stopped((at, self.due(at)), at, StoppedBy::Quarantine)
            }
            (ClockState::Waiting { .. }, Failed) => {
                ClockState::Running { since: at, due: self.due(at), overdue: false }
            }
            (ClockState::Waiting { passes }, Passed) => match passes + 1 {
                passes if passes >= self.options.clear_after => ClockState::Cleared { at },
                passes => ClockState::Waiting { passes },
            },
            (ClockState::Running { since, due, .. }, Passed) => {
                self.stopped((since, due), at, StoppedBy::Fix)
            }
            (ClockState::Running { since, due, .. }, Quarantined) => {
                self.stopped((since, due), at.max(since), StoppedBy::Quarantine)
            }
            (state, _) => state,
        }
    }

    fn stopped(
        &self,
        (since, due): (Timestamp, Timestamp),
        at: Timestamp,
        by: StoppedBy,
    ) -> ClockState {
        ClockState::Stopped { since, at, by, late: at > due }
    }

    fn due(&self, since: Timestamp) -> Timestamp {
        since.checked_add(self.options.limit).unwrap_or(Timestamp::MAX)
    }

    /// How it stands at an instant not before the last event.
    pub fn state(&self, now: Timestamp) -> ClockState {
        match self.state {
            ClockState::Running { since, due, .. } => {
                ClockState::Running { since, due, overdue: now > due }
            }
            other => other,
        }
    }
}
