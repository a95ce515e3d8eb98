//! The past played again: what a budget would have done, run by run.
//!
//! Decides, for each recorded run, how many workers would have been asked for with nothing known
//! but the runs before it, and how that run would have ended. Never lets a run see itself or a
//! later one.

mod replay;
mod trial;
mod document;

pub use document::{
    BACKTEST_SCHEMA, BacktestDocument, EstimatorScore, FinishDocument, FixedDocument, OverBound,
    RunDocument,
};
pub use replay::{Replay, ReplayedRun};
pub use trial::{Past, Ruled, Trial, backtest, branch_kind, choose_estimator};
