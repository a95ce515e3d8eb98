//! The verbs, one file each: `Flags` (what clap reads) and `run`.

mod backtest;
mod bench;
mod bridge;
mod culprit;
mod demo;
mod doctor;
mod explain;
mod flaky;
mod frontier;
mod lock;
mod plan;
pub(crate) mod record;
mod report;
mod retry;
mod shard;
mod verdict;
pub(crate) mod verify;

pub(crate) use frontier::{FrontierDocument, PointDocument};

use crate::fault::{Exit, Fault};
use crate::session::Session;

/// What to do. A new verb is a module, a variant and an arm.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Take reports or timing files into history
    Record(record::Flags),
    /// Make a plan: balanced shards with the proof of how good they are
    Plan(plan::Flags),
    /// Show workers against finish and cost, over the whole range
    Frontier(frontier::Flags),
    /// Play the recorded runs again under a budget: predicted against real
    Backtest(backtest::Flags),
    /// Print one shard's tests for a test runner
    Shard(shard::Flags),
    /// Prove that every planned test has exactly one result that counts
    Verify(verify::Flags),
    /// Plan what must run again, and nothing else
    Retry(retry::Flags),
    /// Say whether the commit may be merged, and why
    Verdict(verdict::Flags),
    /// Rank the tests that fail without cause
    Flaky(flaky::Flags),
    /// Make a page of what is known; show what is skipped, and who merged in spite of what
    Report(report::Flags),
    /// Let one merge run at a time
    Lock(lock::Flags),
    /// Say what is known of a test and why it sits where it sits
    Explain(explain::Flags),
    /// Search for the commit, or the test before it, that makes a test fail
    Culprit(culprit::Flags),
    /// Check the set-up step by step
    Doctor(doctor::Flags),
    /// Answer one request of the JVM bridge from stdin
    #[command(hide = true)]
    Bridge(bridge::Flags),
    /// See the whole line at work on 45,000 made tests
    Demo(demo::Flags),
    /// Measure Rasher beside its peers and against its targets; check a plan
    Bench(Box<bench::Flags>),
}

impl Verb {
    /// Does it.
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Fault> {
        match self {
            Self::Bench(flags) => bench::run(&flags, session),
            Self::Bridge(flags) => bridge::run(&flags, session),
            Self::Record(flags) => record::run(&flags, session),
            Self::Frontier(flags) => frontier::run(&flags, session),
            Self::Backtest(flags) => backtest::run(&flags, session),
            Self::Plan(flags) => plan::run(&flags, session),
            Self::Shard(flags) => shard::run(&flags, session),
            Self::Verify(flags) => verify::run(&flags, session),
            Self::Retry(flags) => retry::run(&flags, session),
            Self::Verdict(flags) => verdict::run(&flags, session),
            Self::Flaky(flags) => flaky::run(&flags, session),
            Self::Report(flags) => report::run(&flags, session),
            Self::Lock(flags) => lock::run(&flags, session),
            Self::Culprit(flags) => culprit::run(&flags, session),
            Self::Explain(flags) => explain::run(&flags, session),
            Self::Demo(flags) => demo::run(&flags, session),
            Self::Doctor(flags) => doctor::run(&flags, session),
        }
    }
}
