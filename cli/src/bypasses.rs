//! Merging in spite of a verdict: what is written down, and the clocks that run since.
//!
//! Decides which recorded runs are events for which clock; the clock itself, the ledger and the
//! lock are the engine's and the store's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rasher::bypass::chain::{Chain, Entry};
use rasher::bypass::clock::{Clock, ClockEvent, ClockOptions, ClockState};
use rasher::bypass::{BypassRecord, bypassed};
use rasher::error::ErrorKind;
use rasher::history::RunRecording;
use rasher::plan::document::PlanDocument;
use rasher::report::quarantine::Quarantine;
use rasher::verdict::VerdictDocument;
use rasher_store::Store;
use serde::Serialize;

use crate::evidence;
use crate::fault::Fault;
use crate::session::{Session, store_fault};

/// Options of a verdict that is passed over.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "passing-over")]
pub(crate) struct Flags {
    /// Merge in spite of the verdict: who does it. Written down before the exit code is 0
    #[arg(long, value_name = "NAME", requires = "reason")]
    bypass: Option<String>,
    /// Why it is merged in spite of the verdict
    #[arg(long, value_name = "TEXT", requires = "bypass")]
    reason: Option<String>,
    /// The branch that is merged [default: the CI's]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The commit [default: the CI's]
    #[arg(long, value_name = "HASH")]
    commit: Option<String>,
    /// Block unless the merge lock is still held under this number (see `rasher lock`)
    #[arg(long, value_name = "FENCE")]
    merge_fence: Option<u64>,
}

impl Flags {
    /// Refuses where the merge lock was lost.
    pub(crate) fn check_fence(&self, session: &Session, at: Timestamp) -> Result<(), Fault> {
        let Some(fence) = self.merge_fence else { return Ok(()) };
        let lock = session.open_store()?.merge_lock().map_err(|e| store_fault(&e))?;
        if lock.holds(fence, at) {
            return Ok(());
        }
        let what = format!("the merge lock {fence} is not held any more: another merge may run");
        Err(Fault::new(ErrorKind::Blocked, what).hint("take it again and start this merge anew"))
    }

    /// Writes a bypass down where one is asked for and there is something to pass over. True where
    /// it was.
    pub(crate) fn pass_over(
        &self,
        session: &Session,
        verdict: &mut VerdictDocument,
        plans: &[PlanDocument],
        (p_limit, at): (f64, Timestamp),
    ) -> Result<bool, Fault> {
        let Some((by, reason)) = self.bypass.as_ref().zip(self.reason.as_ref()) else {
            return Ok(false);
        };
        if !verdict.blocks {
            session
                .output
                .say("nothing blocks: there is nothing to bypass, and nothing is recorded");
            return Ok(false);
        }
        for (option, text) in [("--bypass", by), ("--reason", reason)] {
            if text.trim().is_empty() {
                return Err(Fault::usage(format!("{option} says nothing")));
            }
        }
        let first = plans.first();
        let record = BypassRecord {
            at,
            by: by.trim().to_owned(),
            reason: reason.trim().to_owned(),
            environment: session.environment.clone(),
            run: first.and_then(|plan| plan.run.clone()).or_else(|| session.ci.run.clone()),
            commit: session.settle("--commit", self.commit.clone(), session.ci.commit.clone()),
            branch: session.settle("--branch", self.branch.clone(), session.ci.branch.clone()),
            plan: first.map(|plan| plan.id.clone()),
            verdict: verdict.run,
            p_real: verdict.p_real,
            fence: self.merge_fence,
            tests: bypassed(verdict, p_limit),
        };
        let entry = session.open_store()?.record_bypass(&record).map_err(|e| store_fault(&e))?;
        session.output.say(&format!(
            "bypass {} by {} is written down; the ledger now ends with {}",
            entry.entry, record.by, entry.hash
        ));
        verdict.bypass.push(document(&entry));
        Ok(true)
    }
}

/// An entry as it stands in a verdict: the record with its number and its hash.
fn document(entry: &Entry) -> serde_json::Value {
    let mut document = serde_json::to_value(&entry.record).unwrap_or_default();
    document["entry"] = entry.entry.into();
    document["hash"] = entry.hash.clone().into();
    document
}

/// The clock of one bypassed test.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClockRow {
    /// The entry of the ledger.
    pub(crate) entry: u64,
    /// Who merged.
    pub(crate) by: String,
    /// When.
    pub(crate) merged: Timestamp,
    /// Which test.
    pub(crate) test: String,
    /// Whose test it is.
    pub(crate) owner: Option<String>,
    /// How it stands; absent where the store has let go of the runs after the merge.
    #[serde(flatten)]
    pub(crate) state: Option<ClockState>,
}

impl ClockRow {
    /// True where the main branch fails the test for longer than it may.
    pub(crate) fn is_overdue(&self) -> bool {
        matches!(self.state, Some(ClockState::Running { overdue: true, .. }))
    }
}

/// The clock of every bypassed test in doubt, in the order of the ledger.
pub(crate) fn clocks(
    session: &Session,
    chain: &Chain,
    quarantine: &Quarantine,
    (limit, now): (SignedDuration, Timestamp),
) -> Result<Vec<ClockRow>, Fault> {
    let store = session.open_store()?;
    let options = ClockOptions { limit, ..ClockOptions::default() };
    let mut runs: BTreeMap<&str, MainRuns> = BTreeMap::new();
    let mut rows = Vec::new();
    for entry in &chain.entries {
        let record = &entry.record;
        for test in record.tests.iter().filter(|test| test.clock) {
            let environment = record.environment.as_str();
            if !runs.contains_key(environment) {
                runs.insert(environment, MainRuns::load(session, &store, chain, environment)?);
            }
            let main = &runs[environment];
            let state = main.reaches(record.at).then(|| {
                let mut clock = Clock::new(record.at, options);
                for (at, event) in main.events(&test.test, quarantine, now) {
                    clock.observe(at, event);
                }
                clock.state(now)
            });
            rows.push(ClockRow {
                entry: entry.entry,
                by: record.by.clone(),
                merged: record.at,
                test: test.test.clone(),
                owner: test.owner.clone(),
                state,
            });
        }
    }
    Ok(rows)
}

/// What the main branch showed of the bypassed tests of one environment.
#[derive(Default)]
struct MainRuns {
    /// The oldest run that is still kept.
    oldest: Option<Timestamp>,
    /// Which of the tests passed and failed in each run, in order of time.
    runs: Vec<(Timestamp, BTreeMap<String, Shown>)>,
    groups: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Default)]
struct Shown {
    passed: bool,
    failed: bool,
}

impl MainRuns {
    fn load(
        session: &Session,
        store: &Store,
        chain: &Chain,
        environment: &str,
    ) -> Result<Self, Fault> {
        let of_here =
            || chain.entries.iter().map(|it| &it.record).filter(|it| it.environment == environment);
        let tests: BTreeSet<&str> = of_here()
            .flat_map(|record| record.tests.iter().filter(|test| test.clock))
            .map(|test| test.test.as_str())
            .collect();
        let first = of_here().map(|record| record.at).min().unwrap_or(Timestamp::MAX);
        let all = session.usable(store.runs(environment, None).map_err(|e| store_fault(&e))?);
        let mut main = Self { oldest: all.iter().map(|run| run.at).min(), ..Self::default() };
        let later = |run: &&rasher::history::RunSeen| {
            run.at > first && evidence::is_main(run.branch.as_deref())
        };
        for run in all.iter().filter(later) {
            let loaded = store.load_run(environment, &run.run).map_err(|e| store_fault(&e))?;
            let recordings = session.usable(loaded);
            main.take(run.at, &tests, &recordings);
        }
        main.runs.sort_by_key(|(at, _)| *at);
        Ok(main)
    }

    fn take(&mut self, at: Timestamp, tests: &BTreeSet<&str>, recordings: &[RunRecording]) {
        let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
        let mut classes: BTreeSet<String> = BTreeSet::new();
        for it in recordings {
            let table = &it.recording.tests;
            for attempt in &it.recording.attempts {
                let name = table.name(attempt.test);
                let group = table.group(attempt.test).map(|group| table.group_name(group));
                if group == Some(name) && attempt.outcome.is_failure() {
                    classes.insert(name.to_owned());
                }
                if !tests.contains(name) {
                    continue;
                }
                if let Some(group) = group {
                    self.groups.insert(name.to_owned(), group.to_owned());
                }
                let shown = shown.entry(name.to_owned()).or_default();
                shown.passed |= attempt.outcome == rasher::attempt::Outcome::Passed;
                shown.failed |= attempt.outcome.is_failure();
            }
        }
        // A class that could not be set up failed all of its tests.
        for test in tests {
            if self.groups.get(*test).is_some_and(|group| classes.contains(group)) {
                shown.entry((*test).to_owned()).or_default().failed = true;
            }
        }
        self.runs.push((at, shown));
    }

    /// False where the runs after a merge may have been let go of.
    fn reaches(&self, merged: Timestamp) -> bool {
        self.oldest.is_none_or(|oldest| oldest <= merged)
    }

    /// What happened to a test up to now, in order of time.
    fn events(
        &self,
        test: &str,
        quarantine: &Quarantine,
        now: Timestamp,
    ) -> Vec<(Timestamp, ClockEvent)> {
        let mut events: Vec<(Timestamp, ClockEvent)> = Vec::new();
        for (at, shown) in &self.runs {
            match shown.get(test) {
                Some(Shown { passed: true, failed: false }) => {
                    events.push((*at, ClockEvent::Passed))
                }
                Some(Shown { passed: false, failed: true }) => {
                    events.push((*at, ClockEvent::Failed))
                }
                _ => {}
            }
        }
        let group = self.groups.get(test).map(String::as_str);
        let names = |name: &str| name == test || Some(name) == group;
        for entry in quarantine.entries().iter().filter(|entry| names(&entry.test)) {
            let days =
                [(entry.since, ClockEvent::Quarantined), (entry.expires, ClockEvent::Released)];
            for (day, event) in days {
                let midnight = day.to_zoned(TimeZone::UTC).map(|it| it.timestamp());
                events.extend(midnight.ok().map(|at| (at, event)));
            }
        }
        events.retain(|(at, _)| *at <= now);
        events.sort();
        events
    }
}
