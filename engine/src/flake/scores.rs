//! A filter fed from recordings, its tests known by name.

use std::collections::{BTreeMap, BTreeSet};

use super::gate::{failed_share, usual};
use super::{Belief, Clusters, Filter, FlakeOptions, Retried, Score, Seen, Strip, gate};
use crate::attempt::{Isolation, Outcome};
use crate::history::RunRecording;
use crate::test_id::{TestId, TestTable};
use crate::units::Micros;

/// Past runs whose surprising failures are remembered.
const CALM_RUNS: usize = 200;

/// Classes of tests by duration: faster tests are flaky less often, so each class has its own
/// prior. The limits lie between the medians of unit, functional and browser tests.
fn class_of(duration: Option<Micros>) -> u8 {
    match duration {
        Some(span) if span <= Micros::from_millis(300) => 0,
        Some(span) if span > Micros::from_secs(8) => 2,
        Some(_) => 1,
        None => 0,
    }
}

/// Branches whose runs show what the suite is like, whoever works on it.
const MAIN: [&str; 4] = ["main", "master", "trunk", "develop"];

/// True where a run of this branch teaches the scores: one of a main branch, or any as long as no
/// run of a main branch is known. What a change does to its own tests says little of the suite.
///
/// ```
/// use rasher::flake::teaches;
/// assert!(teaches(Some("main"), true) && !teaches(Some("fix-1"), true));
/// assert!(teaches(Some("fix-1"), false));
/// ```
pub fn teaches(branch: Option<&str>, main_known: bool) -> bool {
    !main_known || branch.is_some_and(|branch| MAIN.contains(&branch))
}

/// Flake scores of one environment, folded run by run.
///
/// ```
/// use rasher::flake::{FlakeOptions, Scores};
/// let scores = Scores::new(FlakeOptions::default());
/// assert!(scores.belief("demo.ATest#adds").rate < 0.02);
/// ```
#[derive(Clone, Debug)]
pub struct Scores {
    names: TestTable,
    filter: Filter,
    folded: BTreeSet<String>,
    last_commit: Option<String>,
    surprising: Vec<u32>,
    /// The share of failing tests of each run, sick ones too.
    shares: Vec<f64>,
    /// Names that a test has now, beside the one it was seen under. Not kept: who asks says them.
    renamed: BTreeMap<String, TestId>,
}

/// One attempt with its key first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    test: u32,
    round: u16,
    ordinal: u16,
    shard: u32,
    outcome: Outcome,
    isolation: Isolation,
}

/// Adds the newest and forgets the oldest.
fn keep<T>(newest: &mut Vec<T>, value: T) {
    if newest.len() >= CALM_RUNS {
        newest.remove(0);
    }
    newest.push(value);
}

impl Scores {
    /// No run folded yet.
    pub fn new(options: FlakeOptions) -> Self {
        Self {
            names: TestTable::new(),
            filter: Filter::new(options),
            folded: BTreeSet::new(),
            last_commit: None,
            surprising: Vec::new(),
            shares: Vec::new(),
            renamed: BTreeMap::new(),
        }
    }

    /// Takes in all recordings of one run, in order of time from run to run. False, and nothing
    /// changed, where a run of this name was folded before. O(n log n) in the attempts.
    pub fn fold(&mut self, run: &[RunRecording]) -> bool {
        let Some(first) = run.first() else { return false };
        if !self.folded.insert(first.context.run.clone()) {
            return false;
        }
        let told = self.collect(run);
        let mut seen = vec![Seen::Nothing; self.names.len()];
        let mut workers = vec![0_u32; self.names.len()];
        let mut retried = Vec::new();
        for test in told.chunk_by(|a, b| a.test == b.test) {
            let results: Vec<&Told> = test.iter().filter(|t| t.outcome.is_result()).collect();
            let Some(one) = results.first() else { continue };
            let at = one.test as usize;
            seen[at] = if one.outcome.is_failure() { Seen::Failed } else { Seen::Passed };
            workers[at] = one.shard;
            if one.outcome.is_failure() {
                retried.extend(results[1..].iter().map(|again| Retried {
                    test: TestId(again.test),
                    failed: again.outcome.is_failure(),
                    isolation: again.isolation,
                }));
            }
        }
        let several = workers.iter().any(|worker| *worker != workers[0]);
        let usual = usual(&self.shares);
        keep(&mut self.shares, failed_share(&seen));
        let left_out = gate(&mut seen, if several { &workers } else { &[] }, usual);
        if !left_out.whole_run {
            let odd = |(test, seen): (TestId, &Seen)| {
                *seen == Seen::Failed && self.filter.belief(test).is_surprising()
            };
            let count = self.names.ids().zip(&seen).filter(|pair| odd(*pair)).count();
            keep(&mut self.surprising, count as u32);
        }
        retried.retain(|retried| seen[retried.test.index()] == Seen::Failed);
        let commit = &first.context.commit;
        let same = commit.is_some() && *commit == self.last_commit;
        self.last_commit.clone_from(commit);
        self.filter.update_grouped(&seen, &retried, &self.groups(), !same);
        true
    }

    /// The group of each test; a test without one is on its own.
    fn groups(&self) -> Vec<u32> {
        let group =
            |test: TestId| self.names.group(test).map_or(u32::MAX - test.0, |group| group.0);
        self.names.ids().map(group).collect()
    }

    /// All attempts in order of test, round and ordinal, each once.
    fn collect(&mut self, run: &[RunRecording]) -> Vec<Told> {
        let mut told = Vec::new();
        for RunRecording { context, recording } in run {
            let known = &recording.tests;
            for attempt in &recording.attempts {
                let group = known.group(attempt.test).map(|group| known.group_name(group));
                let test = self.names.intern(known.name(attempt.test), group);
                if test.index() == self.filter.len() {
                    self.filter.add(class_of(attempt.duration));
                }
                told.push(Told {
                    test: test.0,
                    round: context.attempt,
                    ordinal: attempt.ordinal,
                    shard: context.shard.unwrap_or_default(),
                    outcome: attempt.outcome,
                    isolation: context.isolation,
                });
            }
        }
        told.sort_unstable();
        told.dedup_by_key(|told| (told.test, told.round, told.ordinal, told.shard));
        told
    }

    /// What is kept beside names and filter: runs, newest commit, surprising failures, shares.
    pub(super) fn told(&self) -> (&BTreeSet<String>, Option<&str>, &[u32], &[f64]) {
        (&self.folded, self.last_commit.as_deref(), &self.surprising, &self.shares)
    }

    /// Scores that were kept.
    pub(super) fn restored(
        (names, filter): (TestTable, Filter),
        folded: BTreeSet<String>,
        last_commit: Option<String>,
        (surprising, shares): (Vec<u32>, Vec<f64>),
    ) -> Self {
        let renamed = BTreeMap::new();
        Self { names, filter, folded, last_commit, surprising, shares, renamed }
    }

    /// True where a run of this name was folded.
    pub fn has_run(&self, run: &str) -> bool {
        self.folded.contains(run)
    }

    /// The tests that were ever seen, in order of first appearance.
    pub fn names(&self) -> &TestTable {
        &self.names
    }

    /// The filter, by the ids of [`Scores::names`].
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// How many runs were folded.
    pub fn runs(&self) -> u32 {
        self.filter.runs()
    }

    /// From now on what is asked of this name is answered for a test seen under another one.
    pub(crate) fn follow(&mut self, name: &str, test: TestId) {
        self.renamed.insert(name.to_owned(), test);
    }

    /// The test that has this name now, by the ids of [`Scores::names`].
    pub fn find(&self, name: &str) -> Option<TestId> {
        self.renamed.get(name).copied().or_else(|| self.names.find(name))
    }

    /// The name that a test was seen under, where it is another one than it has now.
    pub fn known_as(&self, name: &str) -> Option<&str> {
        self.renamed.get(name).map(|test| self.names.name(*test))
    }

    /// What is believed of a test; the prior where it was never seen.
    pub fn belief(&self, name: &str) -> Belief {
        self.find(name).map_or_else(|| self.filter.prior(0), |test| self.filter.belief(test))
    }

    /// The score of a test that was seen.
    pub fn score(&self, name: &str) -> Option<Score> {
        self.find(name).map(|test| self.filter.score(test))
    }

    /// The last runs of a test and its counts.
    pub fn strip(&self, name: &str) -> Strip {
        self.find(name).map(|test| self.filter.strip(test)).unwrap_or_default()
    }

    /// Chance that a retry of this test repeats a flake whatever its rate.
    pub fn correlation(&self, name: &str, isolation: Isolation) -> f32 {
        let class = self.find(name).map_or(0, |test| self.filter.class(test));
        self.filter.correlation(class, isolation)
    }

    /// The tests that fail together, by the ids of [`Scores::names`].
    pub fn clusters(&self) -> Clusters {
        self.filter.clusters()
    }

    /// Surprising failures of each of the last normal runs.
    pub fn surprising(&self) -> &[u32] {
        &self.surprising
    }
}
