//! Balance of plain items on equal workers: the portfolio behind every plan.
//!
//! Decides which of the balancing algorithms run and in which order, each only where the one
//! before leaves a gap. Never looks at set-ups.

use super::exchange::exchange;
use super::longest_first::{Assignment, longest_first};

/// Assigns items to equal workers, within `target` where that is found.
pub(crate) fn balance(items: &[u64], workers: usize, target: u64) -> Assignment {
    let mut best = longest_first(items, workers);
    exchange(items, &mut best, target);
    best
}
