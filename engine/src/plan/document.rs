//! The plan as a document: what `rasher plan` writes and every later verb reads.
//!
//! Decides the names and the shape of the fields and the content id. Never plans.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Terms;
use crate::attempt::Isolation;
pub use crate::estimate::SourceCounts;
use crate::units::Micros;

/// The schema that this version writes and reads.
pub const PLAN_SCHEMA: &str = "rasher.plan/1";

/// A plan, complete: every worker, `verify` and `retry` need nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanDocument {
    /// [`PLAN_SCHEMA`].
    pub schema: String,
    /// Hash of the content, without `id` and `created`.
    pub id: String,
    /// The run this plan is for, where it is known.
    #[serde(default)]
    pub run: Option<String>,
    /// The instant the plan speaks for: the one asked for, else that of its newest evidence. Never
    /// a clock, so that equal input gives equal bytes.
    pub created: Timestamp,
    /// The environment whose history was used.
    pub environment: String,
    /// How many tests are planned.
    pub tests: usize,
    /// The shards in order of their index.
    pub shards: Vec<ShardDocument>,
    /// Predicted time of the longest shard.
    pub makespan_ms: Micros,
    /// No assignment to this many workers can be shorter.
    pub lower_bound_ms: Micros,
    /// `(makespan - lower bound) / lower bound`.
    pub gap: f64,
    /// What holds the bound up.
    pub bound_by: BoundBy,
    /// More workers than this cannot make the run shorter.
    #[serde(default)]
    pub useful_workers_max: Option<u32>,
    /// What binds the plan and what would help, where the plan was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Reasons>,
    /// Where the predictions come from.
    pub sources: SourceCounts,
    /// The budget that chose the number of workers.
    pub budget: BudgetDocument,
    /// How many tests sit on another shard than in `--previous`; absent without one.
    #[serde(default)]
    pub moved: Option<usize>,
    /// Tests in the workload that history did not know.
    #[serde(default)]
    pub new_tests: usize,
    /// Tests of the newest recorded run that the workload no longer has.
    #[serde(default)]
    pub vanished_tests: usize,
    /// What it was made under, so that a retry of it is made under the same.
    #[serde(default, skip_serializing_if = "Terms::is_plain")]
    pub terms: Terms,
    /// What a reader should know of it beside the figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The plan whose outstanding tests this one runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<String>,
    /// How it runs them again; absent where it is no retry, or one that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RetryMode>,
    /// For each test of that plan that is left out, why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Vec<Settled>>,
}

/// How a plan runs tests again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryMode {
    /// Spread anew, without the tests that ran before them at first.
    Reshard,
    /// In their shards as planned, after the tests that ran before them at first.
    Replay,
}

/// The tests of one worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardDocument {
    /// From 1.
    pub index: u32,
    /// The pool its worker comes from.
    #[serde(default)]
    pub pool: Option<String>,
    /// Predicted time of the whole shard, set-ups included.
    pub predicted_ms: Micros,
    /// The part of it that is set-up of classes.
    pub setup_ms: Micros,
    /// Test ids in the order in which to run them.
    pub tests: Vec<String>,
    /// For each test the position of its group in `groups`, where the groups are not the ids
    /// themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupSpan>,
    /// How many of the first tests are fixed; the rest may be taken over by an idle worker in
    /// group-sized chunks. Absent: all fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_tests: Option<usize>,
    /// How many of the tests, in order, run in each lane of a worker that runs several at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<usize>,
}

impl ShardDocument {
    /// Where the lane of a test begins: what stands between there and the test runs before it on its
    /// worker, one after the other.
    pub(crate) fn lane_start(&self, position: usize) -> usize {
        let ends = self.lanes.iter().scan(0, |end, tests| {
            *end += tests;
            Some(*end)
        });
        ends.take_while(|end| *end <= position).last().unwrap_or(0)
    }
}

/// A run of neighbouring tests of a shard that belong to one class or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSpan {
    /// The class or file.
    pub group: String,
    /// How many of the shard's tests, in order, belong to it.
    pub tests: usize,
    /// False where other shards run other tests of the same group.
    pub whole: bool,
}

/// What holds the lower bound up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundBy {
    /// The kind of bound.
    pub kind: BoundKind,
    /// The test, class, resource or pool; for `work` the sum in words.
    pub name: String,
}

/// What binds a plan and what would help, beside its bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasons {
    /// Where a test or class binds equal workers: the bound if that one were cut into small pieces.
    #[serde(default)]
    pub bound_if_split_ms: Option<Micros>,
    /// All the work, each set-up once.
    pub work_ms: Micros,
    /// How many groups run on more than one shard.
    pub split_groups: usize,
    /// Set-ups that are paid again because of that.
    pub repeated_setup_ms: Micros,
}

/// The kinds of lower bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BoundKind {
    /// The total of the work over the workers.
    Work,
    /// The longest test.
    Test,
    /// A class: its set-up and what cannot be split.
    Class,
    /// An exclusive resource.
    Resource,
    /// The tests that must run alone.
    Serial,
    /// A chain of tests in order.
    Path,
    /// A pool that alone may run some tests.
    Pool,
}

/// The budget of a plan and what it means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetDocument {
    /// The policy rule that matched, or the option that was given.
    pub rule: String,
    /// By when the run must be done.
    #[serde(default)]
    pub deadline_ms: Option<Micros>,
    /// How sure that must be, from 0 to 1.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// The part of the deadline that is kept for retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<Micros>,
    /// Probability of meeting the deadline.
    #[serde(default)]
    pub p_meet: Option<f64>,
    /// Start-up and makespan together.
    pub predicted_finish_ms: Micros,
    /// What a worker costs before its first test.
    pub startup_ms: Micros,
    /// How many workers.
    pub workers: u32,
    /// What the run costs, as a plain decimal; absent where no price is known.
    #[serde(default)]
    pub cost: Option<f64>,
    /// The currency of `cost`.
    #[serde(default)]
    pub currency: Option<String>,
    /// False where no choice meets the budget; the plan is then the best there is.
    pub feasible: bool,
    /// The reason, in a sentence.
    pub why: String,
}

/// A test that a retry leaves out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The test id.
    pub test: String,
    /// Why it need not run again.
    pub reason: String,
}

/// Why bytes are not a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanReadError {
    /// Not JSON of the right shape.
    #[error("not a plan: {0}")]
    Shape(String),
    /// A plan of another schema.
    #[error("a plan of schema `{0}`; this version reads `{PLAN_SCHEMA}`")]
    Schema(String),
    /// The content does not match the id: the file was edited or damaged.
    #[error(
        "the plan's content does not match its id `{0}`: the file was changed after it was made"
    )]
    Id(String),
}

impl PlanDocument {
    /// Sets `id` to the hash of the content.
    pub fn seal(&mut self) {
        self.id.clear();
        let created = std::mem::replace(&mut self.created, Timestamp::UNIX_EPOCH);
        let bytes = serde_json::to_vec(&*self).unwrap_or_default();
        self.created = created;
        self.id = blake3::hash(&bytes).to_hex()[..32].to_owned();
    }

    /// The hash of all fields but `id` and `created`: 32 hexadecimal digits of BLAKE3.
    pub fn content_id(&self) -> String {
        let mut plain = self.clone();
        plain.seal();
        plain.id
    }

    /// Where the tests of this plan run: a retry takes workers of its own.
    pub fn isolation(&self) -> Isolation {
        match (self.mode, &self.retry_of) {
            (Some(RetryMode::Replay), _) => Isolation::Replay,
            (None, None) => Isolation::InSuite,
            _ => Isolation::FreshWorker,
        }
    }

    /// Reads a plan and checks its schema and its id.
    ///
    /// # Errors
    /// Where the bytes are no plan, one of another schema, or one that was changed.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PlanReadError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let shape = |e: serde_json::Error| PlanReadError::Shape(e.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(shape)?;
        if head.schema != PLAN_SCHEMA {
            return Err(PlanReadError::Schema(head.schema));
        }
        let mut plan: Self = serde_json::from_slice(bytes).map_err(shape)?;
        let written = std::mem::take(&mut plan.id);
        plan.seal();
        if plan.id == written { Ok(plan) } else { Err(PlanReadError::Id(written)) }
    }
}
