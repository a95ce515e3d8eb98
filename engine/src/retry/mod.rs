//! What to run again, from stored results, never from the split.
//!
//! Decides which tests are outstanding, what they demand, what is settled and why, and how sure a
//! verdict on one failing test is. The result is a smaller workload: planning it is planning.

mod again;
mod alarm;
mod case;
mod closure;
mod demands;
mod doubt;
mod prefix;
mod select;
mod smaller;

pub use again::{Again, AgainError};
pub use alarm::Alarm;
pub(crate) use alarm::read;
pub(crate) use case::failed_on_base;
pub use case::{Case, Planned, cases};
pub use demands::Demands;
pub use doubt::{Doubt, DoubtOptions, Known, Next, Posterior, retries_needed};
pub use prefix::{after_some, before};
pub(crate) use select::ORDER_SURE;
pub use select::{
    RetryEvidence, RetryLimits, RetryOptions, RetryRule, RetrySet, neighbours, outstanding, weigh,
};
