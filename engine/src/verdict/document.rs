//! The verdict as a document: what `rasher verdict` writes.

use serde::{Deserialize, Serialize};

use crate::retry::Doubt;

/// The schema that this version writes.
pub const VERDICT_SCHEMA: &str = "rasher.verdict/1";

/// The verdict on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// Every planned test passed, was left out on purpose, fails on the base too, or is in
    /// quarantine.
    Passed,
    /// Every failing test passed again, and hardly any failure is real.
    Flaky,
    /// A failure is the commit's, or nothing speaks for it.
    Failed,
    /// A planned test has no result that counts.
    Incomplete,
    /// The environment failed: no verdict on the commit.
    Environment,
}

/// The verdict on one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Word {
    /// Failed, passed on this commit, and is not to blame on it.
    Flaky,
    /// The same, but in doubt or for the first time ever.
    Suspect,
    /// Never passed on this commit, or is more likely real than not.
    Failed,
    /// Never passed on this commit, is hardly to blame on it, and was not settled, since another
    /// failure is proven to be: that one blocks, and this one is not let through.
    Open,
    /// The base fails it too.
    PreExisting,
    /// Passed alone, and fails again after the same tests as before: their order is to blame. It
    /// blocks where it never failed before this commit.
    Order,
    /// Its worker is to blame; it must pass elsewhere.
    Environment,
    /// No result that counts.
    Missing,
}

/// A verdict, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerdictDocument {
    /// [`VERDICT_SCHEMA`].
    pub schema: String,
    /// On the run.
    pub run: RunVerdict,
    /// True where the commit may not be merged.
    pub blocks: bool,
    /// Probability that any failure is the commit's.
    pub p_real: f64,
    /// How many tests were planned.
    pub planned: usize,
    /// How many of them were left out on purpose.
    pub skipped: usize,
    /// What a probe of a mass failure said, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbance: Option<String>,
    /// Every test that did not simply pass, by name.
    pub tests: Vec<TestVerdict>,
    /// Who merged in spite of it.
    #[serde(default)]
    pub bypass: Vec<serde_json::Value>,
}

/// The verdict on one test with its grounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestVerdict {
    /// The test id.
    pub test: String,
    /// The verdict.
    pub verdict: Word,
    /// Probability that the commit is to blame; absent where nothing failed.
    pub p_real: Option<f64>,
    /// What was seen, in a line.
    pub evidence: String,
    /// Why this verdict.
    pub reason: String,
    /// True where the test is in quarantine, so that its failure does not block.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quarantined: bool,
    /// True where this test alone makes the run block.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocks: bool,
    /// Of a test that fails only after others: the classes, or tests without one, that run before
    /// it on its shard, in order. Among them is what it fails after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Whose test it is, where that is known; who judges does not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The probability of each explanation; absent where nothing failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posterior: Option<PosteriorDocument>,
}

/// The probability of each explanation of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PosteriorDocument {
    /// The commit broke it for good.
    pub real: f64,
    /// The commit made it fail at times.
    pub partial: f64,
    /// A flake of the test.
    pub flake: f64,
    /// The base already breaks it.
    pub base: f64,
    /// The environment failed.
    pub environment: f64,
    /// The tests before it made it fail.
    #[serde(default)]
    pub order: f64,
}

/// Nine digits: what the last bits of a logarithm differ in on other machines is cut off.
fn rounded(p: f64) -> f64 {
    (p * 1e9).round() / 1e9
}

pub(super) fn test(
    name: &str,
    verdict: Word,
    doubt: Option<&Doubt>,
    evidence: String,
) -> TestVerdict {
    let posterior = doubt.map(|doubt| {
        let it = doubt.posterior();
        PosteriorDocument {
            real: rounded(it.real),
            partial: rounded(it.partial),
            flake: rounded(it.flake),
            base: rounded(it.base),
            environment: rounded(it.environment),
            order: rounded(it.order),
        }
    });
    TestVerdict {
        test: name.to_owned(),
        verdict,
        p_real: doubt.map(|doubt| rounded(doubt.p_real())),
        evidence,
        reason: String::new(),
        quarantined: false,
        blocks: false,
        after: Vec::new(),
        owner: None,
        posterior,
    }
}

impl TestVerdict {
    pub(super) fn because(mut self, reason: String, quarantined: bool, blocks: bool) -> Self {
        self.reason = reason;
        self.blocks = blocks;
        self.quarantined = quarantined;
        self
    }
}
