//! The ledger of a run: each planned test, exactly one accepted result.
//!
//! Decides what is missing, told twice, unknown or stale. Never judges whether a test passed, and
//! never accepts what it cannot account for: what is not in the ledger did not run.

mod absent;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hashbrown::HashMap;
use serde::Serialize;

use crate::attempt::{Outcome, Recording};
use crate::plan::document::PlanDocument;
use crate::test_id::{TestId, TestTable};

/// The schema of a [`Verification`].
pub const VERIFY_SCHEMA: &str = "rasher.verify/1";

/// What the ledger says in the end; `rasher verify --json`.
///
/// Lists hold test ids in canonical order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// [`VERIFY_SCHEMA`].
    pub schema: &'static str,
    /// How many tests were planned, each counted once.
    pub planned: usize,
    /// How many of them have a result that counts.
    pub accepted: usize,
    /// Planned, and without a result that counts.
    pub missing: Vec<String>,
    /// Reported twice in one round, where the second report is not a rerun of a failure.
    pub duplicate: Vec<String>,
    /// Those of them that were reported twice by one report only: several cases of one name, or a
    /// report that tells its rows twice.
    pub repeated: Vec<String>,
    /// Reported, and not planned.
    pub unknown: Vec<String>,
    /// The missing ones that may no longer be there: never reported in this run, while others of
    /// their class were, on a shard on which nothing broke off. They stay missing until somebody
    /// says so, for a filter leaves tests out in the same way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vanished: Vec<String>,
    /// Planned tests that somebody says are no longer there, which nothing contradicts: they are
    /// not missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// Names of tests and classes that somebody says are no longer there, where that does not
    /// count: for a test of theirs, or for all, since the plan holds none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_gone: Vec<String>,
    /// The missing ones that were reported, but only in rounds before the newest that planned
    /// them.
    pub stale: Vec<String>,
    /// Shards of a plan that have tests, none of which was reported in that plan's round or later.
    pub silent_shards: Vec<SilentShard>,
    /// How many of the accepted results say that the test was skipped.
    pub skipped: usize,
    /// How many of the accepted results are failures.
    pub failed: usize,
    /// True where nothing is missing, duplicate or unknown but for what the [`Rules`] let pass.
    pub complete: bool,
}

/// A shard that reported nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct SilentShard {
    /// The id of its plan.
    pub plan: String,
    /// Its index in that plan, from 1.
    pub shard: u32,
    /// How many tests it was to run.
    pub tests: usize,
}

/// Why plans make no ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is nothing to verify against.
    #[error("no plan was given")]
    NoPlan,
    /// More than one plan starts a chain, or a retry's plan is absent.
    #[error(
        "the plans `{0}` and `{1}` do not belong to one run: give the first plan and its retries, linked by `retry_of`"
    )]
    Unlinked(String, String),
    /// The first plan of the run is absent: without it a retry proves nothing of the run.
    #[error("the plan `{0}` retries `{1}`, which was not given: give the first plan too")]
    NoFirst(String, String),
    /// Two plans retry the same plan.
    #[error("the plans `{0}` and `{1}` both retry `{2}`: give the one that was followed")]
    Forked(String, String, String),
    /// Rounds count from 1.
    #[error("rounds count from 1")]
    NoRound,
}

/// What a ledger may let pass. The default lets nothing pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Tests that were run and not planned: new ones, where the runner runs those too.
    pub accept_unknown: bool,
    /// Several rows of one name in one report: cases that their runner gives one name.
    pub accept_repeated: bool,
}

/// One planned test.
#[derive(Clone, Default)]
struct Entry {
    /// The first round that planned it.
    first: u16,
    /// The newest round that planned it.
    round: u16,
    /// The newest result so far.
    result: Option<(u16, Outcome)>,
}

/// Plans, and then reports, of one run.
///
/// ```
/// use rasher::attempt::Recording;
/// use rasher::outcome::ledger::Ledger;
/// # use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
/// # let mut tests = rasher::test_id::TestTable::new();
/// # tests.intern("a", None);
/// # let span = [rasher::units::Micros::from_secs(1)];
/// # let workload = Workload::new(&tests, &span, &span, &[])?;
/// # let plan = plan(&workload, &PlanOptions::new(1))?.document(&workload, PlanFacts::default());
/// let mut ledger = Ledger::open(&[plan])?;
/// let nothing = Recording::default();
/// ledger.report(1, &nothing, 0..0)?;
/// let verified = ledger.close();
/// assert_eq!(verified.missing, ["a"]);
/// assert!(!verified.complete);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ledger {
    plans: Vec<PlanDocument>,
    names: TestTable,
    entries: Vec<Entry>,
    /// For each planned test, the planned tests of its group, by the group's name.
    groups: HashMap<String, Vec<TestId>, foldhash::fast::FixedState>,
    /// Reported test and round, with the report that told it first and what it told last.
    told: BTreeMap<(String, u16), (u32, Outcome)>,
    reports: u32,
    duplicate: BTreeSet<String>,
    repeated: BTreeSet<String>,
    unknown: BTreeSet<String>,
    /// Round and name of what ended so that others may be lost with it: a crash, a timeout, a
    /// failure of a whole class. An empty name where it is not known what that was.
    broken: BTreeSet<(u16, String)>,
    /// What is there by a report, and did not run.
    listed: BTreeSet<String>,
    /// What is said to be no longer there.
    gone: BTreeSet<String>,
    rules: Rules,
}

impl Ledger {
    /// A ledger of the first plan of a run and its retries, in any order; each counts once. The
    /// first plan is round 1, its retry round 2, and so on.
    ///
    /// # Errors
    /// Where the plans are none, or do not form one chain by `retry_of`.
    pub fn open(plans: &[PlanDocument]) -> Result<Self, LedgerError> {
        let plans = chain(plans)?;
        let mut ledger = Self {
            plans: Vec::new(),
            names: TestTable::new(),
            entries: Vec::new(),
            groups: HashMap::default(),
            told: BTreeMap::new(),
            reports: 0,
            duplicate: BTreeSet::new(),
            repeated: BTreeSet::new(),
            unknown: BTreeSet::new(),
            broken: BTreeSet::new(),
            listed: BTreeSet::new(),
            gone: BTreeSet::new(),
            rules: Rules::default(),
        };
        for (at, plan) in plans.iter().enumerate() {
            let round = u16::try_from(at + 1).unwrap_or(u16::MAX);
            ledger.enter(plan, round);
        }
        ledger.plans = plans;
        Ok(ledger)
    }

    /// Lets pass what the rules name; without this nothing passes.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Takes somebody's word that these tests, or all tests of these classes, were deleted or
    /// renamed. It counts for a test that was never reported in this run, on a shard that reported
    /// and on which nothing crashed, timed out or failed as a class; for no other.
    #[must_use]
    pub fn with_gone<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.gone.extend(names.into_iter().map(Into::into));
        self
    }

    fn enter(&mut self, plan: &PlanDocument, round: u16) {
        for shard in &plan.shards {
            let mut groups = shard.groups.iter();
            let mut group = groups.next().map(|span| (span.group.as_str(), span.tests));
            for name in &shard.tests {
                while let Some((_, 0)) = group {
                    group = groups.next().map(|span| (span.group.as_str(), span.tests));
                }
                let test = self.names.intern(name, None);
                if test.index() == self.entries.len() {
                    self.entries.push(Entry { first: round, ..Entry::default() });
                    if let Some((group, _)) = group {
                        self.groups.entry_ref(group).or_default().push(test);
                    }
                }
                self.entries[test.index()].round = round;
                group = group.map(|(group, left)| (group, left - 1));
            }
        }
    }

    /// Enters one report: `attempts` is the part of the recording that came from one file of one
    /// worker, `round` the attempt at the run that it belongs to, from 1. O(n log n).
    ///
    /// # Errors
    /// Where `round` is 0.
    pub fn report(
        &mut self,
        round: u16,
        recording: &Recording,
        attempts: Range<usize>,
    ) -> Result<(), LedgerError> {
        if round == 0 {
            return Err(LedgerError::NoRound);
        }
        self.reports += 1;
        let tests = &recording.tests;
        for attempt in recording.attempts.get(attempts).unwrap_or_default() {
            if attempt.outcome == Outcome::NotRun {
                self.listed.insert(tests.name(attempt.test).to_owned());
                continue;
            }
            let group = tests.group(attempt.test).map(|group| tests.group_name(group));
            self.told(round, tests.name(attempt.test), group, attempt.outcome);
        }
        Ok(())
    }

    fn told(&mut self, round: u16, name: &str, group: Option<&str>, outcome: Outcome) {
        let whole = group == Some(name);
        self.note_broken(round, name, whole, outcome);
        if !whole || self.names.find(name).is_some() {
            self.note_repeat(round, name, outcome);
        }
        if let Some(test) = self.names.find(name) {
            self.accept(test, round, outcome);
        } else if whole {
            self.whole_group(round, name, outcome);
        } else if let Some(unit) = group.and_then(|group| self.names.find(group)) {
            self.accept_part(unit, round, outcome);
        } else {
            self.unknown.insert(name.to_owned());
        }
    }

    /// Notes what may have taken others with it.
    fn note_broken(&mut self, round: u16, name: &str, whole: bool, outcome: Outcome) {
        let abrupt = matches!(outcome, Outcome::Crashed | Outcome::TimedOut | Outcome::SetUpFailed);
        if abrupt || (whole && outcome.is_failure()) {
            let known = self.names.find(name).is_some() || self.groups.contains_key(name);
            self.broken.insert((round, if known { name.to_owned() } else { String::new() }));
        }
    }

    /// A row about a whole group that is not a unit of its own. Left out on purpose, it speaks for
    /// its tests; failed to set up, it does not: they never ran.
    fn whole_group(&mut self, round: u16, name: &str, outcome: Outcome) {
        let Some(tests) = self.groups.get(name).cloned() else {
            self.unknown.insert(name.to_owned());
            return;
        };
        if outcome == Outcome::Skipped {
            for test in tests {
                self.accept(test, round, outcome);
            }
        }
    }

    /// A second row is a rerun only in the same report and after a failure.
    fn note_repeat(&mut self, round: u16, name: &str, outcome: Outcome) {
        let key = (name.to_owned(), round);
        match self.told.get_mut(&key) {
            None => {
                self.told.insert(key, (self.reports, outcome));
            }
            Some((report, last)) => {
                if *report != self.reports {
                    self.duplicate.insert(key.0);
                } else if !last.is_failure() {
                    self.repeated.insert(key.0);
                }
                *last = outcome;
            }
        }
    }

    /// The result of a test: that of the newest round, in it the last.
    fn accept(&mut self, test: TestId, round: u16, outcome: Outcome) {
        let result = &mut self.entries[test.index()].result;
        if result.is_none_or(|(known, _)| round >= known) {
            *result = Some((round, outcome));
        }
    }

    /// The result of a group that was planned as one unit: that of the newest round, in it the
    /// worst of its tests.
    fn accept_part(&mut self, unit: TestId, round: u16, outcome: Outcome) {
        let result = &mut self.entries[unit.index()].result;
        let counts = result.is_none_or(|(known, said)| {
            round > known || (round == known && (said == Outcome::Skipped || outcome.is_failure()))
        });
        if counts {
            *result = Some((round, outcome));
        }
    }

    /// Adds up. O(n log n).
    pub fn close(self) -> Verification {
        let mut missing = BTreeSet::new();
        let mut stale = BTreeSet::new();
        let (mut accepted, mut skipped, mut failed) = (0, 0, 0);
        for (test, entry) in self.names.ids().zip(&self.entries) {
            match entry.result {
                Some((round, outcome)) if round >= entry.round => {
                    accepted += 1;
                    skipped += usize::from(outcome == Outcome::Skipped);
                    failed += usize::from(outcome.is_failure());
                }
                result => {
                    missing.insert(self.names.name(test).to_owned());
                    if result.is_some() {
                        stale.insert(self.names.name(test).to_owned());
                    }
                }
            }
        }
        let (vanished, gone) = self.absent(&missing);
        missing.retain(|name| !gone.contains(name));
        let not_gone = self.gone.iter().filter(|name| !self.is_gone(name, &gone, &missing));
        let not_gone = not_gone.cloned().collect();
        let silent_shards = self.silent_shards();
        let repeated: Vec<String> = self.repeated.difference(&self.duplicate).cloned().collect();
        let complete = missing.is_empty()
            && self.duplicate.is_empty()
            && (repeated.is_empty() || self.rules.accept_repeated)
            && (self.unknown.is_empty() || self.rules.accept_unknown);
        let duplicate = self.duplicate.union(&self.repeated).cloned().collect();
        Verification {
            schema: VERIFY_SCHEMA,
            planned: self.entries.len(),
            accepted,
            missing: missing.into_iter().collect(),
            vanished: vanished.into_iter().collect(),
            gone: gone.into_iter().collect(),
            not_gone,
            duplicate,
            repeated,
            unknown: self.unknown.into_iter().collect(),
            stale: stale.into_iter().collect(),
            silent_shards,
            skipped,
            failed,
            complete,
        }
    }

    /// True for a planned test with a result of this round or a later one.
    fn reported(&self, name: &str, round: u16) -> bool {
        let result = self.names.find(name).and_then(|test| self.entries[test.index()].result);
        result.is_some_and(|(newest, _)| newest >= round)
    }

    fn silent_shards(&self) -> Vec<SilentShard> {
        let mut silent = Vec::new();
        for (plan, at) in self.plans.iter().zip(1_u16..) {
            for shard in &plan.shards {
                let reported = |name: &String| self.reported(name, at);
                if !shard.tests.is_empty() && !shard.tests.iter().any(reported) {
                    let tests = shard.tests.len();
                    silent.push(SilentShard { plan: plan.id.clone(), shard: shard.index, tests });
                }
            }
        }
        silent
    }
}

/// The plans of one run in order: the first one, then each retry after what it retries; one that
/// is given twice counts once.
///
/// # Errors
/// Where the plans are none, or do not form one chain by `retry_of`.
pub fn chain(plans: &[PlanDocument]) -> Result<Vec<PlanDocument>, LedgerError> {
    let mut left: BTreeMap<&str, &PlanDocument> = BTreeMap::new();
    for plan in plans {
        left.insert(&plan.id, plan);
    }
    let is_first = |plan: &&PlanDocument| {
        plan.retry_of.as_deref().is_none_or(|of| !plans.iter().any(|other| other.id == of))
    };
    let firsts: Vec<&PlanDocument> = left.values().copied().filter(is_first).collect();
    let mut last = match firsts[..] {
        [] => return Err(LedgerError::NoPlan),
        [first] => first,
        [one, other, ..] => return Err(LedgerError::Unlinked(one.id.clone(), other.id.clone())),
    };
    if let Some(of) = &last.retry_of {
        return Err(LedgerError::NoFirst(last.id.clone(), of.clone()));
    }
    let mut ordered = vec![last.clone()];
    left.remove(last.id.as_str());
    while !left.is_empty() {
        let next: Vec<&PlanDocument> =
            left.values().copied().filter(|p| p.retry_of.as_ref() == Some(&last.id)).collect();
        last = match next[..] {
            [one] => one,
            [one, other, ..] => {
                return Err(LedgerError::Forked(one.id.clone(), other.id.clone(), last.id.clone()));
            }
            [] => {
                let other = left.keys().next().map(|id| (*id).to_owned()).unwrap_or_default();
                return Err(LedgerError::Unlinked(last.id.clone(), other));
            }
        };
        ordered.push(last.clone());
        left.remove(last.id.as_str());
    }
    Ok(ordered)
}
