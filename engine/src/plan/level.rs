//! Levelling: what a long shard leaves open, shared evenly among the others.
//!
//! Decides who runs what beside the longest shards. Where one test or class alone makes the run as
//! long as it is, packings are free to heap the rest on few workers; a prediction that is too low
//! there would then lengthen the run although other workers stand idle. Never changes the
//! makespan for the worse, never moves anything off a longest shard, and never splits a class
//! further.

use super::families::Families;
use super::longest_first::{Assignment, longest_first};
use super::setup::Parts;

/// Loads this part above their mean are left as they are: predictions are coarser.
const UNEVEN_PART: u64 = 8;

/// The same assignment, or one of equal makespan whose other shards are even. O(n) where they are
/// even already, else O(n + k log m) for `k` pieces of classes.
pub(crate) fn level(families: &Families, given: Assignment) -> Assignment {
    let makespan = given.makespan();
    let open: Vec<u32> = (0u32..)
        .zip(&given.loads)
        .filter(|(_, load)| **load < makespan)
        .map(|(worker, _)| worker)
        .collect();
    let loads = || open.iter().map(|worker| given.loads[*worker as usize]);
    let Some(longest) = loads().max() else { return given };
    let mean = loads().fold(0, u64::saturating_add) / open.len() as u64;
    if longest - mean <= mean / UNEVEN_PART {
        return given;
    }
    let (parts, mut placed) = Parts::of(families, &given);
    let loose: Vec<usize> = (0..parts.work.len())
        .filter(|part| given.loads[placed.worker[*part] as usize] < makespan)
        .collect();
    let work: Vec<u64> = loose.iter().map(|part| parts.work[*part]).collect();
    let dealt = longest_first(&work, open.len());
    if dealt.makespan() >= longest {
        return given;
    }
    for (part, at) in loose.into_iter().zip(dealt.worker) {
        placed.worker[part] = open[at as usize];
    }
    parts.spread(families, &placed, given.loads.len())
}
