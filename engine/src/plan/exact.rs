//! The exact answer for a dozen items: every assignment that could be shorter, tried in order.
//!
//! Decides by depth first search, longest items first, with workers of equal load taken for one.
//! Only for so few items that it ends; what it finds is then proved.

use super::longest_first::Assignment;

/// Items above which the search is not begun.
const ITEMS_MAX: usize = 16;
/// Nodes after which it is given up, some nanoseconds each.
const NODES_MAX: u64 = 1_000_000;

struct Search<'a> {
    /// Duration and item, falling.
    falling: &'a [(u64, u32)],
    /// From each position on, what is left.
    left: Vec<u64>,
    loads: Vec<u64>,
    worker: Vec<u32>,
    target: u64,
    nodes: u64,
}

/// Replaces `best` by the optimum where there are few items; true where it then is one, or meets
/// the target.
pub(crate) fn solve_exactly(items: &[u64], best: &mut Assignment, target: u64) -> bool {
    if best.makespan() <= target {
        return true;
    }
    if items.len() > ITEMS_MAX {
        return false;
    }
    let mut falling: Vec<(u64, u32)> = items.iter().copied().zip(0..).collect();
    falling.sort_unstable_by_key(|(work, item)| (std::cmp::Reverse(*work), *item));
    let mut left = vec![0; falling.len() + 1];
    for at in (0..falling.len()).rev() {
        left[at] = left[at + 1] + falling[at].0;
    }
    let (loads, worker) = (vec![0; best.loads.len()], vec![0; items.len()]);
    let nodes = NODES_MAX;
    let mut search = Search { falling: &falling, left, loads, worker, target, nodes };
    search.place(0, best);
    search.nodes > 0
}

impl Search<'_> {
    /// Places items from a position on, in every way that ends before the best that is known.
    fn place(&mut self, at: usize, best: &mut Assignment) {
        let known = best.makespan();
        if self.nodes == 0 || known <= self.target {
            return;
        }
        self.nodes -= 1;
        let Some((work, item)) = self.falling.get(at).copied() else {
            best.worker.copy_from_slice(&self.worker);
            best.loads.copy_from_slice(&self.loads);
            return;
        };
        // What is left must find room below the best that is known.
        let room = self.loads.iter().map(|load| (known - 1).saturating_sub(*load));
        if room.fold(0, u64::saturating_add) < self.left[at] {
            return;
        }
        for to in 0..self.loads.len() {
            let load = self.loads[to];
            if load + work >= best.makespan() || self.loads[..to].contains(&load) {
                continue;
            }
            self.loads[to] += work;
            self.worker[item as usize] = to as u32;
            self.place(at + 1, best);
            self.loads[to] = load;
        }
    }
}
