//! What came of each test of one run: attempts from any number of reports, folded.
//!
//! Decides what counts as the same execution told twice, what contradicts itself, and how a test
//! stands. Never forgives: a test without a passing attempt of its own does not stand as passed,
//! and what has no result stands as missing.

pub mod environment;
pub mod ledger;
mod reports;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::attempt::{Isolation, Outcome, Recording, RunContext};
use crate::test_id::{TestId, TestTable};
use crate::units::Micros;

/// One execution of one test, with what its report said of where it ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Which test, in the table of the [`Outcomes`].
    pub test: TestId,
    /// The round of the run, from 1; retries have higher ones.
    pub round: u16,
    /// Its place among the executions of this test in its report.
    pub ordinal: u16,
    /// Which shard reported it, where the run was split.
    pub shard: Option<u32>,
    /// Which machine, as a position in [`Outcomes::workers`].
    pub worker: Option<u32>,
    /// Where it ran.
    pub isolation: Isolation,
    /// How it ended. Where reports contradict each other over one execution, the worst.
    pub outcome: Outcome,
    /// True where two reports of this one execution told different ends.
    pub conflicting: bool,
    /// How long it took, where known.
    pub duration: Option<Micros>,
    /// Equal for equal failures.
    pub signature: Option<u64>,
    /// The first characters of the failure's message.
    pub message: Option<Box<str>>,
}

impl Trial {
    /// What makes two reports speak of the same execution.
    fn key(&self) -> (TestId, u16, u16, Option<u32>) {
        (self.test, self.round, self.ordinal, self.shard)
    }

    /// Any fixed total order, so that the order of reports has no say.
    fn canonical(&self, other: &Self) -> Ordering {
        let rest = |t: &Self| (t.outcome, t.isolation, t.worker, t.duration, t.signature);
        self.key()
            .cmp(&other.key())
            .then_with(|| rest(self).cmp(&rest(other)))
            .then_with(|| self.message.cmp(&other.message))
    }
}

/// How a test stands after all its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Every result is a pass, and there is at least one.
    Passed,
    /// Both passing and failing attempts in one run.
    Flaky,
    /// Failed, and never passed. Carries how the last attempt ended.
    Failed(Outcome),
    /// Left out on purpose; no result, no failure.
    Skipped,
    /// No result at all.
    Missing,
}

/// Collects reports of one run, in any order, with repetitions.
#[derive(Debug, Default)]
pub struct Folder {
    tests: TestTable,
    workers: TestTable,
    trials: Vec<Trial>,
}

impl Folder {
    /// Nothing collected yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes all attempts of one recording. O(attempts).
    pub fn add(&mut self, context: &RunContext, recording: &Recording) {
        self.take(context, recording, 0..recording.attempts.len(), false);
    }

    /// Takes a part of a recording, such as the attempts of one file; executions of a test are
    /// counted anew in it. Nothing where the part lies beyond the attempts. O(n log n).
    pub fn add_part(&mut self, context: &RunContext, recording: &Recording, part: Range<usize>) {
        self.take(context, recording, part, true);
    }

    fn take(
        &mut self,
        context: &RunContext,
        recording: &Recording,
        part: Range<usize>,
        count_anew: bool,
    ) {
        let worker = context.worker.as_deref().map(|name| self.workers.intern(name, None).0);
        let known = &recording.tests;
        let mut first: BTreeMap<TestId, u16> = BTreeMap::new();
        for attempt in recording.attempts.get(part).unwrap_or_default() {
            let group = known.group(attempt.test).map(|group| known.group_name(group));
            let from = if count_anew { attempt.ordinal } else { 0 };
            let first = *first.entry(attempt.test).or_insert(from);
            self.trials.push(Trial {
                test: self.tests.intern(known.name(attempt.test), group),
                round: context.attempt,
                ordinal: attempt.ordinal.saturating_sub(first),
                shard: context.shard,
                worker,
                isolation: context.isolation,
                outcome: attempt.outcome,
                conflicting: false,
                duration: attempt.duration,
                signature: attempt.signature,
                message: attempt.message.clone(),
            });
        }
    }

    /// The fold. The same for every order of [`Folder::add`] and for recordings added twice.
    /// O(n log n).
    pub fn finish(self) -> Outcomes {
        let (tests, old) = self.tests.sorted();
        let (workers, old_workers) = self.workers.sorted();
        let new_test = inverse(&old);
        let new_worker = inverse(&old_workers);
        let mut trials = self.trials;
        for trial in &mut trials {
            trial.test = TestId(new_test[trial.test.index()]);
            trial.worker = trial.worker.map(|worker| new_worker[worker as usize]);
        }
        trials.sort_unstable_by(Trial::canonical);
        let told = trials.len();
        let trials = merge_told_twice(trials);
        let mut starts = vec![0_usize; tests.len() + 1];
        for trial in &trials {
            starts[trial.test.index() + 1] += 1;
        }
        for at in 0..tests.len() {
            starts[at + 1] += starts[at];
        }
        let workers = workers.ids().map(|worker| workers.name(worker).to_owned()).collect();
        Outcomes { tests, workers, duplicates: told - trials.len(), trials, starts }
    }
}

fn inverse(old: &[TestId]) -> Vec<u32> {
    let mut new = vec![0; old.len()];
    for (at, old) in old.iter().enumerate() {
        new[old.index()] = at as u32;
    }
    new
}

/// Keeps one trial of each key: of equal reports the first, of contradicting ones the worst,
/// marked. A report that a test has not run contradicts nothing.
fn merge_told_twice(sorted: Vec<Trial>) -> Vec<Trial> {
    let mut kept: Vec<Trial> = Vec::with_capacity(sorted.len());
    for trial in sorted {
        match kept.last_mut() {
            Some(last) if last.key() == trial.key() => {
                let told = last.outcome != Outcome::NotRun && trial.outcome != Outcome::NotRun;
                let conflicting = last.conflicting || (told && last.outcome != trial.outcome);
                if trial.outcome.badness() > last.outcome.badness() {
                    *last = trial;
                }
                last.conflicting = conflicting;
            }
            _ => kept.push(trial),
        }
    }
    kept
}

/// All trials of one run, by test in canonical order, each test's in order of round and ordinal.
#[derive(Clone, Debug)]
pub struct Outcomes {
    tests: TestTable,
    workers: Vec<String>,
    trials: Vec<Trial>,
    starts: Vec<usize>,
    duplicates: usize,
}

impl Outcomes {
    /// The tests that were reported, sorted by name.
    pub fn tests(&self) -> &TestTable {
        &self.tests
    }

    /// The names of the machines.
    pub fn workers(&self) -> &[String] {
        &self.workers
    }

    /// How many executions were told more than once; each counts once.
    pub fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// Every trial.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The trials of one test.
    pub fn of(&self, test: TestId) -> &[Trial] {
        &self.trials[self.starts[test.index()]..self.starts[test.index() + 1]]
    }

    /// The trials of a test by its name; none where it was never reported.
    pub fn of_name(&self, name: &str) -> &[Trial] {
        self.tests.find(name).map_or(&[], |test| self.of(test))
    }
}

/// How a test stands, from its trials in order.
///
/// A pass counts only where no other report of the same execution contradicts it. `NotRun` and
/// `Skipped` are no results: they neither pass nor fail a test that has others.
///
/// ```
/// use rasher::outcome::{standing, Standing};
/// assert_eq!(standing(&[]), Standing::Missing);
/// ```
pub fn standing(trials: &[Trial]) -> Standing {
    let passed = trials.iter().any(|t| t.outcome == Outcome::Passed);
    let failed = trials.iter().rev().find(|t| t.outcome.is_failure());
    let skipped = trials.iter().any(|t| t.outcome == Outcome::Skipped);
    match (passed, failed) {
        (true, None) => Standing::Passed,
        (true, Some(_)) => Standing::Flaky,
        (false, Some(trial)) => Standing::Failed(trial.outcome),
        (false, None) if skipped => Standing::Skipped,
        (false, None) => Standing::Missing,
    }
}
