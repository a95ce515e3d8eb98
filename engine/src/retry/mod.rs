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
mod limits;
mod prefix;
mod scan;
mod select;
mod smaller;

pub use again::{Again, AgainError};
pub use alarm::Alarm;
pub use case::{Case, Planned, cases};
pub use demands::Demands;
pub use doubt::{Doubt, DoubtOptions, Known, Next, Posterior, retries_needed};
pub use limits::RetryLimits;
pub use prefix::{after_some, before};
pub(crate) use scan::Scan;
pub(crate) use select::ORDER_SURE;
pub use select::{
    CONTROLS_MAX, RetryEvidence, RetryOptions, RetryRule, RetrySet, neighbours, outstanding, weigh,
};
