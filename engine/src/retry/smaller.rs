//! The tests that run again as a workload of their own, under what held for all.
//!
//! Decides which constraints still speak of somebody, and which workers of which pools there are.
//! Never which tests run again, and never how many workers do.

use std::collections::BTreeSet;

use super::{Planned, RetrySet};
use crate::constraint::{ConstraintError, Constraints, Resolver};
use crate::estimate::{Estimates, estimate};
use crate::history::History;
use crate::plan::document::{BudgetDocument, PlanDocument};
use crate::plan::{PlanError, PlanFacts, PlanOptions, PoolSpec, Terms, Workload, plan};
use crate::test_id::{TestId, TestSet, TestTable};

/// A smaller workload.
pub(super) struct Smaller<'a> {
    tests: TestTable,
    estimates: Estimates,
    constraints: Constraints,
    terms: &'a Terms,
    notes: Vec<String>,
}

impl<'a> Smaller<'a> {
    pub(super) fn new(
        planned: &Planned,
        set: &RetrySet,
        history: &History,
        terms: &'a Terms,
    ) -> Result<Self, ConstraintError> {
        let mut tests = TestTable::new();
        for test in &set.tests {
            let group = planned.tests().group(*test).map(|group| planned.tests().group_name(group));
            tests.intern(planned.tests().name(*test), group);
        }
        let (tests, _) = tests.sorted();
        let constraints = Constraints::resolve(&terms.constraints, &tests)?;
        let estimates = estimate(history, &tests);
        let mut notes = left_alone(planned, set, terms);
        if terms.pools.is_empty() && !constraints.tags.is_empty() {
            notes.push("tags of tests mean nothing here: the plan names no pools".to_owned());
        }
        Ok(Self { tests, estimates, constraints, terms, notes })
    }

    pub(super) fn estimates(&self) -> &Estimates {
        &self.estimates
    }

    /// More workers than this have nothing to do.
    pub(super) fn workers_max(&self) -> u32 {
        (self.tests.len() as u32).max(1)
    }

    pub(super) fn planned_on(
        &self,
        workers: u32,
        last: &PlanDocument,
    ) -> Result<PlanDocument, PlanError> {
        let Estimates { mean, upper, setup, .. } = &self.estimates;
        let workload = Workload::new(&self.tests, mean, upper, setup)?;
        let mut options = PlanOptions::new(workers);
        options.constraints = self.constraints.clone();
        options.slots = self.terms.slots;
        options.pools = self.fleet(workers);
        let plan = plan(&workload, &options)?;
        let count = plan.shards.len() as u32;
        let word = if count == 1 { "worker" } else { "workers" };
        let budget = BudgetDocument {
            rule: "--shards".to_owned(),
            predicted_finish_ms: plan.makespan,
            workers: count,
            feasible: true,
            why: match count == workers {
                true => format!("{count} {word} were asked for"),
                false => format!("{count} {word}: fewer have not all the tags that are needed"),
            },
            ..BudgetDocument::default()
        };
        let facts = PlanFacts {
            run: last.run.clone(),
            created: last.created,
            environment: last.environment.clone(),
            sources: self.estimates.sources(),
            reasons: Some(plan.reasons(&workload)),
            budget,
            terms: self.terms.clone(),
            ..PlanFacts::default()
        };
        let mut document = plan.document(&workload, facts);
        document.notes.clone_from(&self.notes);
        Ok(document)
    }

    /// So many workers of the pools: first one wherever only such a worker can run a test, then in
    /// proportion to those of the plan that is retried.
    fn fleet(&self, workers: u32) -> Vec<PoolSpec> {
        let mut fleet = self.terms.pools.clone();
        let whole: Vec<u64> = fleet.iter().map(|pool| u64::from(pool.workers)).collect();
        for pool in &mut fleet {
            pool.workers = 0;
        }
        for tags in self.tags_needed() {
            let may = |pool: &PoolSpec| tags.iter().all(|tag| pool.tags.iter().any(|it| it == tag));
            if !fleet.iter().any(|pool| pool.workers > 0 && may(pool))
                && let Some(at) = (0..fleet.len()).find(|at| whole[*at] > 0 && may(&fleet[*at]))
            {
                fleet[at].workers = 1;
            }
        }
        let given: u32 = fleet.iter().map(|pool| pool.workers).sum();
        for _ in given..workers {
            let share = |at: &usize| {
                let next = u64::from(fleet[*at].workers) + 1;
                // Millionths of the pool that each worker of it would be; earlier pools first.
                (whole[*at].saturating_mul(1_000_000) / next, std::cmp::Reverse(*at))
            };
            let Some(at) = (0..fleet.len()).filter(|at| whole[*at] > 0).max_by_key(share) else {
                break;
            };
            fleet[at].workers += 1;
        }
        fleet
    }

    /// The sets of tags that tests need, most tags first: who carries those may serve for fewer.
    fn tags_needed(&self) -> Vec<Vec<&str>> {
        let mut sets: BTreeSet<Vec<&str>> = BTreeSet::new();
        for test in self.tests.ids().filter(|_| !self.constraints.tags.is_empty()) {
            let needs = |tagged: &&(String, TestSet)| tagged.1.contains(test);
            let tags = self.constraints.tags.iter().filter(needs);
            sets.insert(tags.map(|(tag, _)| tag.as_str()).collect());
        }
        let mut sets: Vec<Vec<&str>> = sets.into_iter().filter(|tags| !tags.is_empty()).collect();
        sets.sort_by_key(|tags| std::cmp::Reverse(tags.len()));
        sets
    }
}

/// What a reader should know of tests that run without others they were planned with.
fn left_alone(planned: &Planned, set: &RetrySet, terms: &Terms) -> Vec<String> {
    let tests = planned.tests();
    let mut again = TestSet::with_len(tests.len());
    for test in &set.tests {
        again.insert(*test);
    }
    let mut resolver = Resolver::new(tests);
    let mut split = |list: &[String]| -> (Vec<TestId>, Vec<TestId>) {
        let all = list.iter().flat_map(|name| resolver.select(name));
        all.partition(|test| again.contains(*test))
    };
    let spec = &terms.constraints;
    let together = spec.together.iter().map(|list| (&list[..], &list[..], "kept together with"));
    // An entry needs the one before it; what comes after may stay away.
    let before = spec.before.iter().flat_map(|list| list.windows(2));
    let before = before.map(|pair| (&pair[1..], &pair[..1], "run after"));
    let mut found: Vec<(&str, usize, String)> = Vec::new();
    for (these, those, how) in together.chain(before) {
        let ((kept, _), (_, absent)) = (split(these), split(those));
        if let (Some(one), Some(other)) = (kept.first(), absent.first()) {
            let example = format!("`{}` without `{}`", tests.name(*one), tests.name(*other));
            match found.iter_mut().find(|it| it.0 == how) {
                Some(known) => known.1 += kept.len(),
                None => found.push((how, kept.len(), example)),
            }
        }
    }
    let told = found.into_iter().map(|(how, count, example)| {
        let tests = if count == 1 { "test is" } else { "tests are" };
        format!("{count} {tests} to be {how} others that do not run again: {example}")
    });
    told.collect()
}
