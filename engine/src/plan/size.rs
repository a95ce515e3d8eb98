//! How many workers: from when on more of them are of no use, and what each number could reach.
//!
//! Decides nothing about who runs what; budgets choose among the answers.

use super::bound::longest;
use super::families::Families;
use super::setup::packed_workers;

/// A number of workers that reaches the shortest possible run; more cannot make it shorter. At
/// least 1. O(n log n) in the families.
pub(crate) fn useful_workers_max(families: &Families) -> u32 {
    packed_workers(families, longest(families).value)
}
