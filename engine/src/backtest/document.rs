//! A backtest as a document.
//!
//! Decides the names and the shape of the fields, and the sums over the runs.

use jiff::Timestamp;
use serde::Serialize;

use crate::budget::Money;
use crate::units::Micros;

/// The schema that this version writes.
pub const BACKTEST_SCHEMA: &str = "rasher.backtest/1";

/// How every run would have gone, and how well that was foreseen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacktestDocument {
    /// [`BACKTEST_SCHEMA`].
    pub schema: &'static str,
    /// The runs that were judged, oldest first.
    pub runs: Vec<RunDocument>,
    /// Runs before these, from which was only learned.
    pub learned_runs: usize,
    /// Runs that collapsed: most of their tests did not pass; they are not judged.
    pub collapsed_runs: usize,
    /// Share of the runs with a deadline that could be met in which it was met.
    pub kept_share: Option<f64>,
    /// Share of the runs with a confidence that ended within what was promised, which is at most the
    /// deadline: the calibration of promises, without the slack of whole workers.
    pub covered_share: Option<f64>,
    /// Mean of what was promised over what came.
    pub promise_width: Option<f64>,
    /// Mean of workers over the fewest that would have done, had everything been known.
    pub workers_over_oracle: Option<f64>,
    /// How far the runs ended over their bound, on average.
    pub over_bound: OverBound,
    /// The estimator of the replay; `suited` where each run had the one that suited its past.
    pub estimator: &'static str,
    /// What every estimator would have given, static plan, same workers.
    pub estimators: Vec<EstimatorScore>,
    /// The smallest fixed number of workers that, in hindsight, would have kept the deadline as
    /// often as was asked for.
    pub fixed: Option<FixedDocument>,
    /// The same had every duration been known beforehand: no planner needs fewer.
    pub fixed_oracle: Option<FixedDocument>,
    /// What all judged runs together cost.
    pub cost: Option<Money>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunDocument {
    /// Its id.
    pub run: String,
    /// When it was.
    pub at: Timestamp,
    /// The rule whose budget applied.
    pub rule: String,
    /// What its durations were expected by.
    pub estimator: &'static str,
    /// How many workers would have been asked for.
    pub workers: u32,
    /// When it was predicted to be done, from the request.
    pub predicted_ms: Micros,
    /// When it was promised to be done: stretched for the confidence asked for.
    pub promised_ms: Micros,
    /// The past runs that promise rests on.
    pub promise_runs: usize,
    /// The deadline.
    pub deadline_ms: Option<Micros>,
    /// When it would have been done.
    pub finish_ms: FinishDocument,
    /// The bound on that, for the real durations and the same workers.
    pub bound_ms: Micros,
    /// Whether it would have met its deadline; absent without one or where it could not be met.
    pub kept: Option<bool>,
    /// Whether it would have ended within what was promised; absent without a confidence.
    pub covered: Option<bool>,
    /// Whether a fleet was found that was expected to meet the budget.
    pub feasible: bool,
    /// What it would have cost.
    pub cost: Option<Money>,
    /// The fewest workers that would have done, had everything been known.
    pub oracle_workers: Option<u32>,
}

/// A finish for each way to hand out work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FinishDocument {
    /// As planned.
    #[serde(rename = "static")]
    pub as_planned: Micros,
    /// Planned, with idle workers taking over.
    pub steal: Micros,
    /// From a queue.
    pub queue: Micros,
}

/// A share over the bound for each way to hand out work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct OverBound {
    /// As planned.
    #[serde(rename = "static")]
    pub as_planned: f64,
    /// Planned, with idle workers taking over.
    pub steal: f64,
    /// From a queue.
    pub queue: f64,
}

/// What one estimator would have given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EstimatorScore {
    /// Its name.
    pub estimator: &'static str,
    /// Mean share over the bound.
    pub over_bound: OverBound,
}

/// A fixed number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FixedDocument {
    /// How many.
    pub workers: u32,
    /// Share of the deadlines met.
    pub kept_share: f64,
    /// What the runs would have cost.
    pub cost: Option<Money>,
}
