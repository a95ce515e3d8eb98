//! MULTIFIT: first fit decreasing inside a search for the smallest capacity that works.
//!
//! Decides where the big items go (Coffman, Garey and Johnson 1978); the small ones, which balance
//! by themselves, follow longest first. Worth its cost where a worker gets only a few big items.

use super::longest_first::{Assignment, Order, place_on};
use super::packing::Room;

/// Capacities that are tried.
const PROBES: u32 = 20;
/// Items longer than the capacity over this are big.
const BIG_SHARE: u64 = 64;

/// An assignment whose big items fit into the smallest capacity between `low` and `high` that
/// first fit finds; none where nothing below `high` works. O(n log m).
pub(crate) fn multifit(order: &Order, workers: usize, low: u64, high: u64) -> Option<Assignment> {
    if order.shift > 0 || high <= low {
        return None;
    }
    let pairs: Vec<(u64, u32)> = order.pairs().collect();
    let big = pairs.partition_point(|(work, _)| *work > low / BIG_SHARE);
    let (big, small) = pairs.split_at(big);
    let mut falling = big.to_vec();
    falling.sort_unstable_by_key(|(work, id)| (std::cmp::Reverse(*work), *id));
    let (mut low, mut high) = (low, high);
    let mut best = None;
    for _ in 0..PROBES {
        if low >= high {
            break;
        }
        let middle = low + (high - low) / 2;
        match first_fit(&falling, workers, middle) {
            Some(found) => (best, high) = (Some((found, middle)), middle),
            None => low = middle + 1,
        }
    }
    let ((placed, room), capacity) = best?;
    let mut worker = vec![0; pairs.len()];
    for ((_, id), at) in falling.iter().zip(placed) {
        worker[*id as usize] = at;
    }
    let start = room.free(workers).iter().map(|free| capacity - free).collect();
    let durations = small.iter().map(|(work, _)| *work);
    let loads = place_on(durations, start, |rank, at| worker[small[rank].1 as usize] = at);
    Some(Assignment { worker, loads })
}

/// First fit of falling items into workers of one capacity.
fn first_fit(falling: &[(u64, u32)], workers: usize, capacity: u64) -> Option<(Vec<u32>, Room)> {
    let mut room = Room::new(workers, capacity);
    let placed: Option<Vec<u32>> = falling.iter().map(|(work, _)| room.take_first(*work)).collect();
    Some((placed?, room))
}
