//! What to run again, from stored results, never from the split.
//!
//! Decides which tests are outstanding, what they demand, what is settled and why, and how sure a
//! verdict on one failing test is. The result is a smaller workload: planning it is planning.

mod again;
mod case;
mod doubt;
mod select;

pub use again::Again;
pub use case::{Case, Planned, cases};
pub use doubt::{Doubt, DoubtOptions, Known, Next, Posterior, retries_needed};
pub use select::{Demands, RetryLimits, RetryOptions, RetrySet, neighbours, outstanding, weigh};
