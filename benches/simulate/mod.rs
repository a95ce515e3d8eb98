//! Made suites with known truth, on which scores, retries and verdicts are measured beside every
//! baseline.
//!
//! Decides nothing of its own about tests: it makes runs from a seed, asks the engine and the
//! baselines the same questions, and compares their answers with the truth.

pub mod branch;
pub mod calibration;
pub mod cost;
pub mod detect;
pub mod fate;
pub mod judging;
pub mod mainline;
pub mod metric;
pub mod outcomes;
pub mod policy;
pub mod scoring;
mod show;
pub mod world;

pub use cost::{VerdictCost, verdict_cost};
pub use judging::{PolicyRow, PolicyTable, policy_table};
pub use scoring::{ScoringRow, ScoringTable, scoring_table};
pub use world::World;

#[cfg(test)]
mod tests;
