//! Each recorded run beside what was expected of it at the time.
//!
//! Decides what was known before a run, by folding the runs one after another, and what the run
//! then really took.

use super::suit::suited;
use crate::attempt::{Outcome, RunContext};
use crate::estimate::{Estimates, Estimator, estimate_by};
use crate::history::{History, HistoryError, RunRecording, RunSeen};
use crate::plan::{Plan, PlanOptions, Workload, plan};
use crate::test_id::{TestId, TestTable};
use crate::units::Micros;

/// A recorded run, what it really took and what was expected before it.
#[derive(Clone, Debug)]
pub struct ReplayedRun {
    /// The run.
    pub seen: RunSeen,
    /// Its tests in canonical order.
    pub tests: TestTable,
    /// What each took in the first attempt of the run; zero for what was skipped.
    pub real: Vec<Micros>,
    /// The measured set-up of each group; zero where none was measured.
    pub real_setup: Vec<Micros>,
    /// What was expected, from the runs before this one alone.
    pub expected: Estimates,
    /// The estimator that expected it.
    pub estimator: Estimator,
    /// How many runs had been learned from.
    pub known_runs: usize,
}

/// How the estimator of a replayed run is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predictor {
    /// One for all runs.
    Always(Estimator),
    /// For each run the one that [`suited`] finds in its past, as a plan does.
    Suited {
        /// The workers that it is found for.
        workers: u32,
    },
}

/// Runs in order of time, each with its own past.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    runs: Vec<ReplayedRun>,
}

impl ReplayedRun {
    /// A plan for `workers` workers from what was expected; `None` for no worker.
    pub fn plan(&self, workers: u32) -> Option<Plan> {
        let mut options = PlanOptions::new(workers);
        // Against an error of some percent the last millionths of balance buy nothing.
        options.steps = Some(0);
        plan(&self.workload()?, &options).ok()
    }

    /// What was to be planned.
    pub fn workload(&self) -> Option<Workload<'_>> {
        let Estimates { mean, upper, setup, .. } = &self.expected;
        Workload::new(&self.tests, mean, upper, setup).ok()
    }
}

impl Replay {
    /// Folds recordings of one environment run by run; each run meets only what was folded before
    /// it. O(n log n) in the attempts.
    ///
    /// Durations are expected by one estimator, or for every run by the one that suits its past.
    ///
    /// # Errors
    /// Where recordings of several environments are mixed.
    pub fn new(
        environment: &str,
        mut recordings: Vec<RunRecording>,
        by: Predictor,
    ) -> Result<Self, HistoryError> {
        recordings.sort_by(|a, b| key(&a.context).cmp(&key(&b.context)));
        let mut parts: Vec<Vec<RunRecording>> = Vec::new();
        for recording in recordings {
            match parts.iter_mut().find(|run| run[0].context.run == recording.context.run) {
                Some(run) => run.push(recording),
                None => parts.push(vec![recording]),
            }
        }
        let mut history = History::new(environment);
        let mut runs = Vec::with_capacity(parts.len());
        for part in &parts {
            let (tests, real, real_setup) = reality(part);
            let estimator = match by {
                Predictor::Always(by) => by,
                Predictor::Suited { workers } => suited(&history, workers).estimator,
            };
            let expected = estimate_by(&history, &tests, estimator);
            let known_runs = history.runs().len();
            history.fold(part)?;
            if let Some(seen) = history.runs().last().cloned() {
                runs.push(ReplayedRun {
                    seen,
                    tests,
                    real,
                    real_setup,
                    expected,
                    estimator,
                    known_runs,
                });
            }
        }
        Ok(Self { runs })
    }

    /// The runs, oldest first.
    pub fn runs(&self) -> &[ReplayedRun] {
        &self.runs
    }
}

fn key(context: &RunContext) -> (jiff::Timestamp, &str, u16, Option<u32>) {
    (context.at, &context.run, context.attempt, context.shard)
}

/// The tests of a run and what its first attempt took.
fn reality(run: &[RunRecording]) -> (TestTable, Vec<Micros>, Vec<Micros>) {
    let mut table = TestTable::new();
    for RunRecording { recording, .. } in run {
        for attempt in &recording.attempts {
            let group = recording.tests.group(attempt.test);
            let group = group.map(|group| recording.tests.group_name(group));
            table.intern(recording.tests.name(attempt.test), group);
        }
    }
    let (tests, _) = table.sorted();
    let mut real = vec![Micros::ZERO; tests.len()];
    let mut round = vec![u16::MAX; tests.len()];
    let mut setup = vec![Micros::ZERO; tests.group_count()];
    for RunRecording { context, recording } in run {
        for attempt in &recording.attempts {
            let name = recording.tests.name(attempt.test);
            let Some(TestId(at)) = tests.find(name) else { continue };
            let (at, earlier) = (at as usize, context.attempt < round[at as usize]);
            if attempt.outcome == Outcome::NotRun || context.attempt > round[at] {
                continue;
            }
            if earlier {
                (round[at], real[at]) = (context.attempt, Micros::ZERO);
            }
            real[at] += attempt.duration.unwrap_or_default();
        }
        for one in &recording.setups {
            if let Some(group) = tests.find_group(recording.tests.group_name(one.group)) {
                setup[group.index()] = setup[group.index()].max(one.setup);
            }
        }
    }
    (tests, real, setup)
}
