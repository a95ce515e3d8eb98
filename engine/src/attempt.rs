//! One execution of one test, and the recording it stands in.
//!
//! An attempt is both what history is folded from and what a run returns: today's report is
//! tomorrow's history. This module knows no file format and judges nothing.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::test_id::{GroupId, TestId, TestTable};
use crate::units::Micros;

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Ran to its end and passed.
    Passed,
    /// An assertion failed.
    Failed,
    /// Ended by an error outside an assertion.
    Errored,
    /// Stopped because it took too long.
    TimedOut,
    /// The process died while it ran.
    Crashed,
    /// The set-up of its class or fixture failed, so that it could not run.
    SetUpFailed,
    /// Was left out on purpose. Never updates a rate.
    Skipped,
    /// Has no result. Never counts as passed.
    NotRun,
}

impl Outcome {
    /// All outcomes, in the order of their codes in history.
    pub const ALL: [Self; 8] = [
        Self::Passed,
        Self::Failed,
        Self::Errored,
        Self::TimedOut,
        Self::Crashed,
        Self::SetUpFailed,
        Self::Skipped,
        Self::NotRun,
    ];

    /// True for the outcomes that call for a retry: it ran, or should have, and did not pass.
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Failed | Self::Errored | Self::TimedOut | Self::Crashed | Self::SetUpFailed
        )
    }

    /// True where the test ran to a result of its own: passed or a failure.
    pub const fn is_result(self) -> bool {
        matches!(self, Self::Passed) || self.is_failure()
    }

    /// Worse ends have higher ranks; among reports of one execution the worst is believed.
    pub(crate) const fn badness(self) -> u8 {
        match self {
            Self::NotRun => 0,
            Self::Passed => 1,
            Self::Skipped => 2,
            Self::Failed => 3,
            Self::Errored => 4,
            Self::TimedOut => 5,
            Self::SetUpFailed => 6,
            Self::Crashed => 7,
        }
    }

    /// The word used in documents and in history.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::TimedOut => "timed_out",
            Self::Crashed => "crashed",
            Self::SetUpFailed => "set_up_failed",
            Self::Skipped => "skipped",
            Self::NotRun => "not_run",
        }
    }

    /// The outcome of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// Where an attempt ran, as far as that bears on what a retry proves.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Isolation {
    /// In its shard, after the tests before it.
    #[default]
    InSuite,
    /// Again, in a process of its own.
    FreshProcess,
    /// Again, on another worker.
    FreshWorker,
    /// Again, after the same tests as before.
    Replay,
}

/// One execution of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which test, in the table of the recording.
    pub test: TestId,
    /// Its place among the executions of this test in this recording, from 0: a report with
    /// reruns holds several.
    pub ordinal: u16,
    /// When it began, where the report says so.
    pub start: Option<Timestamp>,
    /// How long it took; `None` where the report gives no usable time.
    pub duration: Option<Micros>,
    /// How it ended.
    pub outcome: Outcome,
    /// A hash of the kind and text of the failure, numbers and addresses removed; equal failures
    /// have equal signatures.
    pub signature: Option<u64>,
    /// The first characters of the failure's message, for people.
    pub message: Option<Box<str>>,
    /// The JUnit unique id, where the recorder knew it.
    pub unique_id: Option<Box<str>>,
}

/// What a group cost beyond its tests in one recording: time of the suite minus the sum of its
/// cases, where a report carries both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSetUp {
    /// Which class or file, in the table of the recording.
    pub group: GroupId,
    /// Its set-up.
    pub setup: Micros,
}

/// What all attempts of one recording share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunContext {
    /// Os, jdk, browser, job in one short string. Durations and flake scores never mix between
    /// environments.
    pub environment: String,
    /// The branch, where known.
    pub branch: Option<String>,
    /// The commit under test, where known.
    pub commit: Option<String>,
    /// The commit it builds on, where known.
    pub base_commit: Option<String>,
    /// The run that this recording belongs to; all shards and retries of a run share it.
    pub run: String,
    /// Which round of the run this is, from 1.
    pub attempt: u16,
    /// Which shard reported, from 1; `None` where the run was not split.
    pub shard: Option<u32>,
    /// Which machine, where known.
    pub worker: Option<String>,
    /// The id of the plan that was followed, where there was one.
    pub plan: Option<String>,
    /// Where the attempts ran.
    pub isolation: Isolation,
    /// When the recording was made: the time of measurement of every value in it.
    pub at: Timestamp,
}

/// Attempts as reports gave them, with their names. The order is that of the reports.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The names.
    pub tests: TestTable,
    /// The attempts.
    pub attempts: Vec<Attempt>,
    /// What groups cost beyond their tests.
    pub setups: Vec<GroupSetUp>,
    /// The newest time stamp in the reports, where they carry any.
    pub reported_at: Option<Timestamp>,
}

/// So many of the newest earlier runs may be the run under judgement, recorded under another name.
pub const SAME_RUN_AMONG: usize = 10;

/// What the rows of recordings say: of each its test, its end and its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows(BTreeSet<u64>);

impl Rows {
    /// Those of recordings, in whatever order. O(n log n).
    pub fn of<'a>(recordings: impl IntoIterator<Item = &'a Recording>) -> Self {
        let hasher = FixedState::default();
        let mut rows = BTreeSet::new();
        for recording in recordings {
            rows.extend(recording.attempts.iter().map(|it| {
                let took = it.duration.map(Micros::get);
                hasher.hash_one((recording.tests.name(it.test), it.outcome.word(), took))
            }));
        }
        Self(rows)
    }

    /// True where both are of one run: all rows of the one are among those of the other, down to
    /// the time that each test took. Without a row there is no run. Where times are coarse, two runs
    /// may be taken for one: that costs a run of history, and excuses no failure.
    ///
    /// ```
    /// use rasher::attempt::{Recording, Rows};
    /// let nothing = Rows::of(&[Recording::default()]);
    /// assert!(!nothing.is_run_of(&nothing));
    /// ```
    pub fn is_run_of(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        !one.is_empty() && !other.is_empty() && (one.is_subset(other) || other.is_subset(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_words_are_those_of_the_documents() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_word(outcome.word()), Some(outcome));
            let json = serde_json::to_string(&outcome).expect("json");
            assert_eq!(json, format!("\"{}\"", outcome.word()));
        }
    }

    #[test]
    fn a_part_of_a_run_is_of_that_run_and_a_test_that_took_longer_is_not() {
        let rows = |rows: &[(&str, u64)]| {
            let mut recording = Recording::default();
            for (name, micros) in rows {
                let test = recording.tests.intern(name, None);
                recording.attempts.push(Attempt {
                    test,
                    ordinal: 0,
                    start: None,
                    duration: Some(Micros::new(*micros)),
                    outcome: Outcome::Passed,
                    signature: None,
                    message: None,
                    unique_id: None,
                });
            }
            Rows::of(&[recording])
        };
        let (run, part) = (rows(&[("a", 3), ("b", 4)]), rows(&[("b", 4)]));
        assert!(run.is_run_of(&run) && run.is_run_of(&part) && part.is_run_of(&run));
        for other in [rows(&[("b", 5)]), rows(&[("a", 3), ("c", 4)]), rows(&[])] {
            assert!(!run.is_run_of(&other) && !other.is_run_of(&run));
        }
    }
}
