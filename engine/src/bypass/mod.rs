//! Who merged in spite of a verdict, and what came of it: the talk's #NotMyFault.
//!
//! Decides how a bypass is written down so that no byte of it can change unseen ([`chain`]), how
//! long a bypassed failure may stay on the main branch ([`clock`]), what is counted for whom
//! ([`tally`]), and who may run a merge now ([`lock`]). Never lets anything through by itself: a
//! bypass is what a person did, with a name and a reason, and the verdict stays what it was.

pub mod chain;
pub mod clock;
pub mod lock;
pub mod tally;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::verdict::{RunVerdict, VerdictDocument, Word};

/// One merge in spite of a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BypassRecord {
    /// When it was.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
    /// The environment whose run was judged.
    pub environment: String,
    /// The id of the run, where known.
    pub run: Option<String>,
    /// The commit, where known.
    pub commit: Option<String>,
    /// The branch that was merged, where known.
    pub branch: Option<String>,
    /// The id of the plan.
    pub plan: Option<String>,
    /// The verdict on the run.
    pub verdict: RunVerdict,
    /// Probability that any failure was the commit's, as judged at that moment.
    pub p_real: f64,
    /// The fencing number of the merge lock that was held, where one was.
    pub fence: Option<u64>,
    /// What stood in the way.
    pub tests: Vec<BypassedTest>,
}

/// One test that stood in the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BypassedTest {
    /// The test id.
    pub test: String,
    /// Its verdict.
    pub verdict: Word,
    /// Probability that its failure was the commit's; absent where nothing failed.
    pub p_real: Option<f64>,
    /// Whose test it is, where known.
    pub owner: Option<String>,
    /// True where the clock runs for it.
    pub clock: bool,
}

/// The tests of a verdict that a bypass passes over: all that did not pass but for those in
/// quarantine and those that the base fails too. The clock is for those in doubt: with a
/// probability above `p_limit`, or without one because they never ran.
///
/// ```
/// use rasher::bypass::bypassed;
/// # let verdict = rasher::verdict::VerdictDocument {
/// #     schema: String::new(), run: rasher::verdict::RunVerdict::Failed, blocks: true, p_real: 1.0,
/// #     planned: 0, skipped: 0, disturbance: None, tests: Vec::new(), bypass: Vec::new() };
/// assert!(bypassed(&verdict, 0.01).is_empty());
/// ```
pub fn bypassed(verdict: &VerdictDocument, p_limit: f64) -> Vec<BypassedTest> {
    let in_the_way = verdict.tests.iter().filter(|it| {
        it.verdict == Word::Missing || (it.verdict != Word::PreExisting && !it.quarantined)
    });
    in_the_way
        .map(|test| BypassedTest {
            test: test.test.clone(),
            verdict: test.verdict,
            p_real: test.p_real,
            owner: test.owner.clone(),
            clock: test.p_real.is_none_or(|p| p > p_limit),
        })
        .collect()
}
