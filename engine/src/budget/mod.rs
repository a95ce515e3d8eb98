//! How many workers, by when, for how much, how sure.
//!
//! Decides, from the rules of a policy and the situation of a run, the budget that applies; and
//! from a budget, the pools and the work, the fleet that meets it. Never reads a clock: the
//! instant is given. Never plans: a real plan is asked for through a closure where a bound alone
//! does not settle the answer.

mod calendar;
mod confidence;
mod cost;
mod frontier;
mod hours;
mod policy;
mod size;

pub use calendar::{Calendar, CalendarError, DaySpan, Weekdays};
pub use confidence::{Calibration, Factor, settle};
pub use cost::{Billing, Money, MoneyError, Pool, Spot};
pub use frontier::{Bounds, Frontier, FrontierPoint, Unit, frontier};
pub use hours::Stretch;
pub use policy::{
    Branches, Budget, Choice, Policy, PolicyError, Rule, RuleTrace, Situation, Trigger,
};
pub use size::{Ask, Fleet, Limits, Loads, Sizing, Work, size};
