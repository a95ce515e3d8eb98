//! A plan as its document.
//!
//! Decides which names stand where. Never changes what was decided.

use jiff::Timestamp;

use super::document::{
    BudgetDocument, GroupSpan, PLAN_SCHEMA, PlanDocument, Reasons, ShardDocument, SourceCounts,
};
use super::{Plan, Shard, Span, Terms, Workload};
use crate::test_id::TestId;

/// What a plan's document says beside the plan itself.
#[derive(Clone, Debug, Default)]
pub struct PlanFacts {
    /// The run the plan is for, where it is known.
    pub run: Option<String>,
    /// The instant the plan speaks for; never a clock.
    pub created: Timestamp,
    /// The environment whose history was used.
    pub environment: String,
    /// Where the predictions come from.
    pub sources: SourceCounts,
    /// What [`Plan::reasons`] says, where it was asked.
    pub reasons: Option<Reasons>,
    /// The budget that chose the number of workers.
    pub budget: BudgetDocument,
    /// Tests in the workload that history did not know.
    pub new_tests: usize,
    /// Tests of the newest recorded run that the workload no longer has.
    pub vanished_tests: usize,
    /// What the plan was made under.
    pub terms: Terms,
}

impl Plan {
    /// The plan as what `rasher plan` writes, sealed with its content id. O(n).
    pub fn document(&self, workload: &Workload<'_>, facts: PlanFacts) -> PlanDocument {
        let grouped = workload.tests().group_count() > 0;
        let shard = |(at, shard): (usize, &Shard)| ShardDocument {
            index: at as u32 + 1,
            pool: (!shard.pool.is_empty()).then(|| shard.pool.clone()),
            predicted_ms: shard.predicted,
            setup_ms: shard.setup,
            tests: shard.tests.iter().map(|test| workload.tests().name(*test).to_owned()).collect(),
            groups: if grouped { spans(workload, shard) } else { Vec::new() },
            fixed_tests: shard.fixed_tests,
            lanes: shard.lanes.clone(),
        };
        let mut document = PlanDocument {
            schema: PLAN_SCHEMA.to_owned(),
            id: String::new(),
            run: facts.run,
            created: facts.created,
            environment: facts.environment,
            tests: workload.tests().len(),
            shards: self.shards.iter().enumerate().map(shard).collect(),
            makespan_ms: self.makespan,
            lower_bound_ms: self.lower_bound,
            gap: self.gap(),
            bound_by: self.bound_by.clone(),
            useful_workers_max: Some(self.useful_workers_max),
            reasons: facts.reasons,
            sources: facts.sources,
            budget: facts.budget,
            moved: self.moved,
            new_tests: facts.new_tests,
            vanished_tests: facts.vanished_tests,
            terms: facts.terms,
            notes: Vec::new(),
            retry_of: None,
            mode: None,
            settled: None,
        };
        document.seal();
        document
    }
}

/// The groups of a shard; a test on its own is a group of its own name.
fn spans(workload: &Workload<'_>, shard: &Shard) -> Vec<GroupSpan> {
    let tests = workload.tests();
    let mut next = shard.tests.iter();
    let span = |span: &Span| {
        let first: Option<TestId> = next.next().copied();
        for _ in 1..span.tests {
            next.next();
        }
        let group = match (span.group, first) {
            (Some(group), _) => tests.group_name(group).to_owned(),
            (None, Some(test)) => tests.name(test).to_owned(),
            (None, None) => String::new(),
        };
        GroupSpan { group, tests: span.tests, whole: span.whole }
    };
    shard.spans.iter().map(span).collect()
}
