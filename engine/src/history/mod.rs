//! What past runs say about each test of one environment, folded from their recordings.
//!
//! Decides which observations count and how they age. The order of arrival decides nothing: runs
//! are folded by their time and id, whatever order they came in. Never mixes environments, never
//! learns durations from a run that collapsed, never counts one attempt twice.

mod fold;
mod names;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use fold::{Placement, RunRecording};
pub use names::SortedNames;

use crate::attempt::Outcome;
use crate::test_id::TestTable;
use crate::units::Micros;

/// In a column of places: there is none.
pub const NONE: u32 = u32::MAX;

/// How many pass durations of a test are kept, newest first.
pub const RECENT: usize = 16;

/// How many of the recent durations the spread is taken from.
const SPREAD_OVER: usize = 9;

/// Why recordings or columns do not make a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A recording of another environment.
    #[error("run `{run}` is of environment `{found}`, this history is of `{wanted}`")]
    OtherEnvironment {
        /// The run of the recording.
        run: String,
        /// Its environment.
        found: String,
        /// The environment of the history.
        wanted: String,
    },
    /// Recordings of several runs, or none, where those of one are wanted.
    #[error("the recordings of exactly one run are folded at a time")]
    NotOneRun,
    /// A run that is not after the newest one folded, so that the fold has to begin anew.
    #[error("run `{run}` is not later than what is already folded; fold all runs again")]
    NotLater {
        /// The run.
        run: String,
    },
    /// Columns that contradict each other.
    #[error("the history is malformed: {0}")]
    Malformed(&'static str),
}

/// One run that was folded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSeen {
    /// Its id.
    pub run: String,
    /// When its first recording was made.
    pub at: Timestamp,
    /// Its branch, where known.
    pub branch: Option<String>,
    /// Its commit, where known.
    pub commit: Option<String>,
    /// How many tests it reported.
    pub tests: u32,
    /// How many of them passed at least once.
    pub passed: u32,
    /// How many of them were only skipped.
    pub skipped: u32,
    /// More than half of its tests did not pass: its durations were not learned.
    pub collapsed: bool,
}

/// The columns of a history, one value a test in the order of its names. Sixty-four bytes a test
/// without [`Columns::recent_us`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Exponentially weighted mean of pass durations, in microseconds.
    pub mean_us: Vec<u64>,
    /// An upper quantile of pass durations, in microseconds: median and two standard deviations of
    /// the last nine, and never below the mean.
    pub upper_us: Vec<u64>,
    /// The same mean over durations of failures, apart because a failure says little of a pass.
    pub failed_mean_us: Vec<u64>,
    /// Which of the last sixty-four runs named the test: the lowest bit stands for the newest.
    pub seen: Vec<u64>,
    /// The place of the group, or [`NONE`].
    pub group: Vec<u32>,
    /// Attempts that passed.
    pub passes: Vec<u32>,
    /// Attempts that failed, errored, timed out, crashed or could not be set up.
    pub failures: Vec<u32>,
    /// Attempts that were skipped.
    pub skips: Vec<u32>,
    /// The last run that named the test, as a place among [`History::runs`].
    pub last_run: Vec<u32>,
    /// The run that measured a pass duration last: when [`Columns::mean_us`] was true. [`NONE`]
    /// where the test never passed with a time.
    pub measured_run: Vec<u32>,
    /// The run that measured a failure's duration last, or [`NONE`].
    pub failed_run: Vec<u32>,
    /// How many of [`Columns::recent_us`] are in use (low byte), and the last outcome (second byte,
    /// its place in [`Outcome::ALL`] and one; 0 for none).
    pub state: Vec<u32>,
    /// The last pass durations, newest first, in microseconds.
    pub recent_us: Vec<[f32; RECENT]>,
}

/// What is known of each group, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupColumns {
    /// Exponentially weighted mean of the set-up, in microseconds.
    pub setup_us: Vec<u64>,
    /// How often it was measured; 0 where never.
    pub measured: Vec<u32>,
    /// The run that measured it last, or [`NONE`].
    pub measured_run: Vec<u32>,
}

/// Everything known of the tests of one environment, by name.
///
/// ```
/// use rasher::history::History;
/// let history = History::new("linux");
/// assert!(history.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    environment: String,
    runs: Vec<RunSeen>,
    tests: SortedNames,
    groups: SortedNames,
    columns: Columns,
    group_columns: GroupColumns,
}

impl History {
    /// A history that knows nothing.
    pub fn new(environment: impl Into<String>) -> Self {
        Self {
            environment: environment.into(),
            runs: Vec::new(),
            tests: SortedNames::default(),
            groups: SortedNames::default(),
            columns: Columns::default(),
            group_columns: GroupColumns::default(),
        }
    }

    /// The environment whose tests these are.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The runs folded, oldest first.
    pub fn runs(&self) -> &[RunSeen] {
        &self.runs
    }

    /// The newest run, of `branch` where one is given.
    pub fn newest_run(&self, branch: Option<&str>) -> Option<&RunSeen> {
        let wanted = |run: &&RunSeen| branch.is_none() || run.branch.as_deref() == branch;
        self.runs.iter().rev().find(wanted)
    }

    /// The tests that a run named, in canonical order with their groups; `None` where the run is
    /// not among the last sixty-four, whose tests are not remembered one by one. O(n).
    ///
    /// ```
    /// use rasher::history::History;
    /// assert!(History::new("linux").tests_of("17").is_none());
    /// ```
    pub fn tests_of(&self, run: &str) -> Option<TestTable> {
        let age = self.runs.iter().rev().take(64).position(|seen| seen.run == run)?;
        let named = |at: &u32| self.columns.seen[*at as usize] >> age & 1 == 1;
        let tests: Vec<u32> = (0..self.len() as u32).filter(named).collect();
        let column = &self.columns.group;
        // The place of each group among those that have a test, counted from their marks.
        let mut place = vec![NONE; self.groups.len()];
        for test in &tests {
            let group = column[*test as usize];
            if group != NONE {
                place[group as usize] = 0;
            }
        }
        let groups: Vec<u32> =
            (0..self.groups.len() as u32).filter(|at| place[*at as usize] == 0).collect();
        for (new, old) in groups.iter().enumerate() {
            place[*old as usize] = new as u32;
        }
        let of = |test: &u32| place.get(column[*test as usize] as usize).copied().unwrap_or(NONE);
        let group_of = tests.iter().map(of).collect();
        let shared = |names: &SortedNames, kept: &[u32]| match kept.len() == names.len() {
            true => Arc::clone(names.shared()),
            false => names.only(kept),
        };
        let (tests, groups) = (shared(&self.tests, &tests), shared(&self.groups, &groups));
        Some(TestTable::sharing(&tests, &groups, group_of))
    }

    /// The names of the tests.
    pub fn tests(&self) -> &SortedNames {
        &self.tests
    }

    /// The names of the groups.
    pub fn groups(&self) -> &SortedNames {
        &self.groups
    }

    /// What is known of each test.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// What is known of each group.
    pub fn group_columns(&self) -> &GroupColumns {
        &self.group_columns
    }

    /// How many tests are known.
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// True where no test is known.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// What is known of one test. O(log n).
    pub fn test(&self, name: &str) -> Option<TestHistory> {
        let at = self.tests.find(name)?;
        let columns = &self.columns;
        let run_at = |run: u32| self.runs.get(run as usize).map(|run| run.at);
        let known = |run: u32, micros: u64| (run != NONE).then_some(Micros::new(micros));
        let recent = &columns.recent_us[at][..columns.recent_count(at)];
        Some(TestHistory {
            mean: known(columns.measured_run[at], columns.mean_us[at]),
            upper: known(columns.measured_run[at], columns.upper_us[at]),
            failed_mean: known(columns.failed_run[at], columns.failed_mean_us[at]),
            measured_at: run_at(columns.measured_run[at]),
            recent: recent.iter().map(|micros| Micros::new(*micros as u64)).collect(),
            passes: columns.passes[at],
            failures: columns.failures[at],
            skips: columns.skips[at],
            last_outcome: columns.last_outcome(at),
            last_seen_at: run_at(columns.last_run[at]),
        })
    }
}

/// What a history knows of one test, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct TestHistory {
    /// Expected duration of a pass.
    pub mean: Option<Micros>,
    /// Upper quantile of it.
    pub upper: Option<Micros>,
    /// Expected duration of a failure.
    pub failed_mean: Option<Micros>,
    /// When a pass was last timed.
    pub measured_at: Option<Timestamp>,
    /// The last pass durations, newest first.
    pub recent: Vec<Micros>,
    /// Attempts that passed.
    pub passes: u32,
    /// Attempts that failed in any way.
    pub failures: u32,
    /// Attempts that were skipped.
    pub skips: u32,
    /// How the last attempt ended.
    pub last_outcome: Option<Outcome>,
    /// When the last run that named it was.
    pub last_seen_at: Option<Timestamp>,
}

impl Columns {
    /// How many of the recent durations of a test are in use.
    pub fn recent_count(&self, at: usize) -> usize {
        ((self.state[at] & 0xff) as usize).min(RECENT)
    }

    /// How the last attempt of a test ended.
    pub fn last_outcome(&self, at: usize) -> Option<Outcome> {
        let code = (self.state[at] >> 8 & 0xff) as usize;
        Outcome::ALL.get(code.checked_sub(1)?).copied()
    }

    /// Mean and standard deviation of the last nine pass durations, in microseconds; zero where
    /// there are none.
    pub fn recent_spread(&self, at: usize) -> (f64, f64) {
        let last = &self.recent_us[at][..self.recent_count(at).min(SPREAD_OVER)];
        let count = last.len().max(1) as f64;
        let mean = last.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
        let square = |value: &f32| (f64::from(*value) - mean) * (f64::from(*value) - mean);
        let squares: f64 = last.iter().map(square).sum();
        (mean, (squares / (count - 1.0).max(1.0)).sqrt())
    }

    fn lengths(&self) -> [usize; 13] {
        [
            self.mean_us.len(),
            self.upper_us.len(),
            self.failed_mean_us.len(),
            self.seen.len(),
            self.group.len(),
            self.passes.len(),
            self.failures.len(),
            self.skips.len(),
            self.last_run.len(),
            self.measured_run.len(),
            self.failed_run.len(),
            self.state.len(),
            self.recent_us.len(),
        ]
    }
}

/// A history taken apart, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The environment.
    pub environment: String,
    /// The runs folded, oldest first.
    pub runs: Vec<RunSeen>,
    /// The names of the tests.
    pub tests: SortedNames,
    /// The names of the groups.
    pub groups: SortedNames,
    /// What is known of each test.
    pub columns: Columns,
    /// What is known of each group.
    pub group_columns: GroupColumns,
}

impl TryFrom<Parts> for History {
    type Error = HistoryError;

    /// Puts a history together again; refuses columns of unequal length, places that point
    /// nowhere and runs out of order. One pass over the places.
    fn try_from(parts: Parts) -> Result<Self, HistoryError> {
        let Parts { environment, runs, tests, groups, columns, group_columns } = parts;
        let wrong = |what| Err(HistoryError::Malformed(what));
        if columns.lengths().iter().any(|len| *len != tests.len()) {
            return wrong("its columns are not as long as its list of tests");
        }
        let GroupColumns { setup_us, measured, measured_run } = &group_columns;
        if [setup_us.len(), measured.len(), measured_run.len()] != [groups.len(); 3] {
            return wrong("its columns are not as long as its list of groups");
        }
        let points = |column: &[u32], len: usize, none: bool| {
            column.iter().all(|at| (*at as usize) < len || (none && *at == NONE))
        };
        if !points(&columns.group, groups.len(), true) {
            return wrong("a test belongs to a group that is not there");
        }
        let measured = [&columns.measured_run, &columns.failed_run, measured_run];
        if !points(&columns.last_run, runs.len(), false)
            || !measured.iter().all(|column| points(column, runs.len(), true))
        {
            return wrong("it names a run that is not there");
        }
        if !runs.windows(2).all(|pair| fold::key(&pair[0]) < fold::key(&pair[1])) {
            return wrong("its runs are out of order");
        }
        Ok(Self { environment, runs, tests, groups, columns, group_columns })
    }
}
