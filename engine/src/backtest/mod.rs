//! The past played again: what a budget would have done, run by run.
//!
//! Decides, for each recorded run, how many workers would have been asked for with nothing known
//! but the runs before it, and how that run would have ended. Never lets a run see itself or a
//! later one.

mod document;
mod overhead;
mod replay;
mod suit;
mod trial;

pub use document::{
    BACKTEST_SCHEMA, BacktestDocument, EstimatorScore, FinishDocument, FixedDocument, OverBound,
    RunDocument,
};
pub use overhead::{WorkerOverhead, worker_overhead};
pub use replay::{Predictor, Replay, ReplayedRun};
pub use suit::{Suited, suited};
pub use trial::{Past, Ruled, SUITED, Trial, backtest, branch_kind, needed, score_estimators};
