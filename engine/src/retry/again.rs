//! The next plan of a run: what is outstanding, spread anew or run again as it was.
//!
//! Decides on how many workers, and says so. Never which tests: that is `select`'s.

use super::smaller::Smaller;
use super::{Planned, RetrySet};
use crate::constraint::ConstraintError;
use crate::estimate::Estimates;
use crate::history::History;
use crate::plan::document::{
    BoundBy, BoundKind, BudgetDocument, PlanDocument, RetryMode, SourceCounts,
};
use crate::plan::{PlanError, Terms};
use crate::test_id::TestSet;
use crate::units::Micros;

/// How outstanding tests run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again<'a> {
    /// Spread over workers anew.
    Reshard {
        /// How many; where none is said, so many that it takes no longer than what the plan's budget
        /// keeps for retries, else than the plan before, and that what keeps apart can.
        shards: Option<u32>,
        /// The time it may take; chooses the workers where their number is not given.
        deadline: Option<Micros>,
        /// What holds for the tests that run again; what speaks of others falls away.
        terms: &'a Terms,
    },
    /// In their shards as these were planned, with the tests that ran before them.
    Replay,
}

/// Why there is no plan of what runs again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgainError {
    /// So many workers cannot run it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// What holds for the tests cannot all hold.
    #[error(transparent)]
    Constraints(#[from] ConstraintError),
}

impl RetrySet {
    /// The plan that runs the set again. `plans` are those of the run, the first one first; none of
    /// them gives none. O(n log n), for each number of workers that is tried.
    ///
    /// # Errors
    /// Where no plan can be made for so many workers, or where constraints contradict each other.
    pub fn plan(
        &self,
        planned: &Planned,
        plans: &[PlanDocument],
        history: &History,
        again: Again<'_>,
    ) -> Result<Option<PlanDocument>, AgainError> {
        let (Some(first), Some(last)) = (plans.first(), plans.last()) else { return Ok(None) };
        let (mut document, mode) = match again {
            Again::Reshard { shards, deadline, terms } => {
                let smaller = Smaller::new(planned, self, history, terms)?;
                let mut document = reshard(&smaller, last, (shards, deadline))?;
                document.settled = Some(self.settled.clone());
                (document, RetryMode::Reshard)
            }
            Again::Replay => (replay((planned, self), first), RetryMode::Replay),
        };
        document.mode = Some(mode);
        document.retry_of = Some(last.id.clone());
        document.seal();
        Ok(Some(document))
    }
}

/// The outstanding tests as a workload of their own.
fn reshard(
    smaller: &Smaller<'_>,
    last: &PlanDocument,
    (asked, deadline): (Option<u32>, Option<Micros>),
) -> Result<PlanDocument, PlanError> {
    let most = smaller.workers_max();
    let allowed = deadline.or_else(|| kept_for_retries(last)).filter(|_| asked.is_none());
    let guess = || first_guess(allowed, last, smaller.estimates()).min(most);
    let mut workers = asked.unwrap_or_else(guess);
    loop {
        match smaller.planned_on(workers, last) {
            // What is kept apart needs workers, whatever the time.
            Err(PlanError::Apart { .. }) if asked.is_none() && workers < most => {}
            Err(error) => return Err(error),
            Ok(mut document) => {
                let late = allowed.is_some_and(|allowed| document.makespan_ms > allowed);
                if !late || workers >= most.min(document.useful_workers_max.unwrap_or(most)) {
                    if asked.is_none() {
                        note_budget(&mut document, allowed, deadline.is_some());
                    }
                    return Ok(document);
                }
            }
        }
        workers += 1;
    }
}

/// Work over the time it may take; one worker where nothing is known.
fn first_guess(deadline: Option<Micros>, last: &PlanDocument, estimates: &Estimates) -> u32 {
    let work: Micros = estimates.mean.iter().chain(&estimates.setup).copied().sum();
    let time = deadline.unwrap_or(last.makespan_ms).get().max(1);
    let workers = u32::try_from(work.get().div_ceil(time)).unwrap_or(u32::MAX);
    let planned = (last.shards.len() as u32).max(1);
    let guess = if deadline.is_some() { workers } else { workers.min(planned) };
    guess.max(1)
}

/// What the plan's budget keeps for retries, once a worker is up.
fn kept_for_retries(plan: &PlanDocument) -> Option<Micros> {
    let kept = plan.budget.retry_ms? - plan.budget.startup_ms;
    Some(kept).filter(|kept| !kept.is_zero())
}

fn note_budget(document: &mut PlanDocument, deadline: Option<Micros>, asked: bool) {
    let budget = &mut document.budget;
    budget.rule = match deadline {
        Some(_) if asked => "--deadline",
        Some(_) => "retry-share",
        None => "retry",
    }
    .to_owned();
    budget.deadline_ms = deadline;
    budget.feasible = deadline.is_none_or(|deadline| document.makespan_ms <= deadline);
    budget.why = match deadline {
        Some(_) => "the fewest workers that meet the deadline, as far as workers can help",
        None => "so many workers that the retry takes no longer than the plan it retries",
    }
    .to_owned();
}

/// The shards that hold an outstanding test, as their plan had them; the others stay, empty.
fn replay((planned, set): (&Planned, &RetrySet), first: &PlanDocument) -> PlanDocument {
    let mut wanted = TestSet::with_len(planned.tests().len());
    for test in &set.tests {
        wanted.insert(*test);
    }
    let mut document = first.clone();
    let mut kept = TestSet::with_len(planned.tests().len());
    for shard in &mut document.shards {
        let ids = || shard.tests.iter().filter_map(|name| planned.tests().find(name));
        if ids().any(|test| wanted.contains(test)) {
            ids().collect::<Vec<_>>().into_iter().for_each(|test| {
                kept.insert(test);
            });
        } else {
            shard.tests.clear();
            shard.groups.clear();
            shard.fixed_tests = None;
            (shard.predicted_ms, shard.setup_ms) = (Micros::ZERO, Micros::ZERO);
        }
    }
    note_replay(&mut document);
    let unkept = |it: &&crate::plan::document::Settled| {
        planned.tests().find(&it.test).is_none_or(|test| !kept.contains(test))
    };
    document.settled = Some(set.settled.iter().filter(unkept).cloned().collect());
    document
}

pub(super) fn note_replay(document: &mut PlanDocument) {
    document.tests = document.shards.iter().map(|shard| shard.tests.len()).sum();
    let longest = document.shards.iter().map(|shard| shard.predicted_ms).max().unwrap_or_default();
    (document.makespan_ms, document.lower_bound_ms, document.gap) = (longest, longest, 0.0);
    document.bound_by =
        BoundBy { kind: BoundKind::Work, name: "shards run again as they were".to_owned() };
    document.useful_workers_max = None;
    (document.sources, document.reasons) = (SourceCounts::default(), None);
    document.budget = BudgetDocument {
        rule: "replay".to_owned(),
        predicted_finish_ms: longest,
        workers: document.shards.len() as u32,
        feasible: true,
        why: "the shards with outstanding tests, as planned".to_owned(),
        ..BudgetDocument::default()
    };
    (document.new_tests, document.vanished_tests, document.moved) = (0, 0, None);
}
