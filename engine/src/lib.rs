#![forbid(unsafe_code)]
//! Rasher splits tens of thousands of tests into balanced shards from historical durations,
//! chooses how many workers a run needs under a budget of time and money, and after a failure
//! re-runs only what must be re-run.
//!
//! The crate decides; it never acts. It takes values and returns values: no clock, no file, no
//! environment, no thread, no hash order. Randomness comes only from a seed in its options.
//!
//! The modules below stand in the order of the flow, and each uses only modules above it
//! (`tests/arrows.rs` holds that).

pub mod units;
pub mod test_id;
pub mod attempt;
pub mod ingest;
pub mod history;
pub mod flake;
pub mod culprit;
pub mod estimate;
pub mod constraint;
pub mod budget;
pub mod plan;
pub mod dispatch;
pub mod backtest;
pub mod outcome;
pub mod retry;
pub mod verdict;
pub mod bypass;
pub mod report;
pub mod error;

/// The examples of the README, run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
