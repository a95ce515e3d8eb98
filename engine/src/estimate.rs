//! What each test will take, and how that is known.
//!
//! Decides the expected duration and an upper quantile for every test of a workload: from its own
//! history, else its group's, else the whole suite's, else a default. Never answers zero and never
//! hides where a figure comes from.

mod borrow;
mod choice;
mod rename;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use borrow::borrow;
pub(crate) use choice::Levels;
pub use choice::{Estimator, estimate_by};
pub use rename::follow_renames;

use crate::history::{GroupColumns, History, NONE};
use crate::test_id::TestTable;
use crate::units::Micros;

/// What a duration rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The test's own past: its passes, or its failures where it never passed.
    Own,
    /// The past of a test that is gone and was most likely the same under another name.
    Renamed,
    /// The test's past in another environment, brought to the level of this one.
    Borrowed,
    /// The other tests of its group.
    Group,
    /// All tests of the environment.
    Suite,
    /// Nothing: the default.
    Default,
}

/// How many durations rest on what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCounts {
    /// On the test's own past.
    pub own: usize,
    /// On other tests of its class or file.
    pub group: usize,
    /// On the suite as a whole.
    pub suite: usize,
    /// On the default: nothing is known.
    pub default: usize,
    /// On the past of a test that is gone and was most likely the same under another name.
    #[serde(default)]
    pub renamed: usize,
    /// On the test's past in another environment.
    #[serde(default)]
    pub borrowed: usize,
    /// What durations were expected by, of the test's own past.
    #[serde(default)]
    pub estimator: Estimator,
}

/// Durations of a workload, one a test (or a group) in the order of its table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimates {
    /// Expected duration: what capacity is counted by. At least a microsecond.
    pub mean: Vec<Micros>,
    /// Upper quantile: what order is decided by. At least the mean.
    pub upper: Vec<Micros>,
    /// What they rest on.
    pub source: Vec<Source>,
    /// The set-up of each group; zero where none was ever measured in this environment.
    pub setup: Vec<Micros>,
    /// What a test with a past was expected by.
    pub by: Estimator,
}

impl Estimates {
    /// How many durations rest on what. O(n).
    pub fn sources(&self) -> SourceCounts {
        let mut counts = SourceCounts { estimator: self.by, ..SourceCounts::default() };
        for source in &self.source {
            *match source {
                Source::Own => &mut counts.own,
                Source::Renamed => &mut counts.renamed,
                Source::Borrowed => &mut counts.borrowed,
                Source::Group => &mut counts.group,
                Source::Suite => &mut counts.suite,
                Source::Default => &mut counts.default,
            } += 1;
        }
        counts
    }
}

/// The duration of a test where nothing at all is known.
pub const DEFAULT_DURATION: Micros = Micros::from_secs(1);

/// A test costs at least this, so that none is free to the planner.
const FLOOR: u64 = 1;

/// What is expected of a test that was only ever skipped: it will be skipped again.
const SKIPPED: u64 = 1_000;

/// Mean and upper quantile, in microseconds.
type Pair = (u64, u64);

/// What is expected of each test of `tests`. O(n) where the table is in canonical order, O(n log n)
/// otherwise.
///
/// A test that history has under another name takes that past: the file or class moved, the class
/// was renamed, or the method in a class that stays. A test only ever skipped is expected to be
/// skipped again. Any other test without a past takes the mean of its group for capacity, and the
/// 0.9 quantile of its group's upper quantiles for order; a group without a past, the same of the
/// suite. Cleverer
/// guesses gained nothing measurable on recorded series: late correction does.
///
/// ```
/// use rasher::estimate::{DEFAULT_DURATION, Source, estimate};
/// use rasher::history::History;
/// use rasher::test_id::TestTable;
/// let mut tests = TestTable::new();
/// tests.intern("never seen", None);
/// let guessed = estimate(&History::new("linux"), &tests);
/// assert_eq!((guessed.mean[0], guessed.source[0]), (DEFAULT_DURATION, Source::Default));
/// ```
pub fn estimate(history: &History, tests: &TestTable) -> Estimates {
    if tests.shares_tests(history.tests().shared()) {
        let at = |test: u32| (Some(test), Source::Own);
        return estimate_at(history, tests, (0..tests.len() as u32).map(at));
    }
    let names = tests.ids().map(|test| tests.name(test));
    let mut places: Vec<(Option<u32>, Source)> = Vec::with_capacity(tests.len());
    places.extend(history.tests().find_all(names).map(|at| (at, Source::Own)));
    if places.iter().any(|(at, _)| at.is_none()) {
        let found: Vec<Option<u32>> = places.iter().map(|(at, _)| *at).collect();
        for (test, at) in rename::renamed(history, tests, &found) {
            places[test.index()] = (Some(at), Source::Renamed);
        }
    }
    estimate_at(history, tests, places.into_iter())
}

/// The same for tests whose places in history are known.
fn estimate_at(
    history: &History,
    tests: &TestTable,
    places: impl Iterator<Item = (Option<u32>, Source)>,
) -> Estimates {
    let len = tests.len();
    let mut answer = Estimates {
        mean: Vec::with_capacity(len),
        upper: Vec::with_capacity(len),
        source: Vec::with_capacity(len),
        setup: setups(history, tests),
        by: Estimator::default(),
    };
    // Made where the first test without a past asks for it.
    let mut fallback: Option<Fallback<'_>> = None;
    for (test, (place, own)) in tests.ids().zip(places) {
        let (pair, source) = match place.and_then(|at| own_past(history, at as usize)) {
            Some(pair) => (pair, own),
            None => {
                let group = tests.group(test).map(|group| tests.group_name(group));
                fallback.get_or_insert_with(|| Fallback::of(history)).guess(group)
            }
        };
        let mean = pair.0.max(FLOOR);
        answer.mean.push(Micros::new(mean));
        answer.upper.push(Micros::new(pair.1.max(mean)));
        answer.source.push(source);
    }
    answer
}

/// Passes first; failures where there was never a pass; next to nothing where it was only skipped;
/// `None` where there was never a time.
fn own_past(history: &History, at: usize) -> Option<Pair> {
    let columns = history.columns();
    if columns.measured_run[at] != NONE {
        Some((columns.mean_us[at], columns.upper_us[at]))
    } else if columns.failed_run[at] != NONE {
        Some((columns.failed_mean_us[at], columns.failed_mean_us[at]))
    } else if columns.skips[at] > 0 && columns.passes[at] == 0 && columns.failures[at] == 0 {
        Some((SKIPPED, SKIPPED))
    } else {
        None
    }
}

/// What stands in for a test without a past. Groups are looked at when they are asked for.
struct Fallback<'a> {
    history: &'a History,
    /// Group `g` has the tests `members[starts[g]..starts[g + 1]]`.
    starts: Vec<u32>,
    members: Vec<u32>,
    /// What was answered for a group.
    known: BTreeMap<usize, Option<Pair>>,
    suite: Option<Option<Pair>>,
}

impl<'a> Fallback<'a> {
    fn of(history: &'a History) -> Self {
        let group = &history.columns().group;
        let mut starts = vec![0; history.groups().len() + 1];
        for at in group.iter().filter(|group| **group != NONE) {
            starts[*at as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut members = vec![0; starts.last().map_or(0, |end| *end as usize)];
        for (test, group) in (0..).zip(group).filter(|(_, group)| **group != NONE) {
            let place = &mut next[*group as usize];
            members[*place as usize] = test;
            *place += 1;
        }
        Self { history, starts, members, known: BTreeMap::new(), suite: None }
    }

    fn guess(&mut self, group: Option<&str>) -> (Pair, Source) {
        let history = self.history;
        if let Some(group) = group.and_then(|name| history.groups().find(name)) {
            let (starts, members) = (&self.starts, &self.members);
            let of_group = || {
                let tests = &members[starts[group] as usize..starts[group + 1] as usize];
                middle(tests.iter().filter_map(|test| own_past(history, *test as usize)))
            };
            if let Some(pair) = *self.known.entry(group).or_insert_with(of_group) {
                return (pair, Source::Group);
            }
        }
        let all = || middle((0..history.len()).filter_map(|at| own_past(history, at)));
        let default = (DEFAULT_DURATION.get(), DEFAULT_DURATION.get());
        let suite = *self.suite.get_or_insert_with(all);
        suite.map_or((default, Source::Default), |pair| (pair, Source::Suite))
    }
}

/// The mean of means and the 0.9 quantile of upper quantiles.
fn middle(tests: impl Iterator<Item = Pair>) -> Option<Pair> {
    let mut sum = 0;
    let mut uppers: Vec<u64> = Vec::new();
    for (mean, upper) in tests {
        sum += u128::from(mean);
        uppers.push(upper);
    }
    let mean = sum.checked_div(uppers.len() as u128)? as u64;
    let rank = (uppers.len() * 9).div_ceil(10) - 1;
    let (_, upper, _) = uppers.select_nth_unstable(rank);
    Some((mean, *upper))
}

/// The set-up of each group: its own, else the median of those known, else none.
fn setups(history: &History, tests: &TestTable) -> Vec<Micros> {
    let GroupColumns { setup_us, measured, .. } = history.group_columns();
    let known = |at: usize| (measured[at] > 0).then(|| setup_us[at]);
    let mut all: Vec<u64> = (0..setup_us.len()).filter_map(known).collect();
    let middle = all.len() / 2;
    let usual = if all.is_empty() { 0 } else { *all.select_nth_unstable(middle).1 };
    let of = |at: Option<u32>| Micros::new(at.and_then(|at| known(at as usize)).unwrap_or(usual));
    if tests.shares_groups(history.groups().shared()) {
        return (0..tests.group_count() as u32).map(|at| of(Some(at))).collect();
    }
    let names = tests.group_ids().map(|group| tests.group_name(group));
    history.groups().find_all(names).map(of).collect()
}
