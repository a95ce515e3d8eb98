//! What one would write without Rasher: baselines, and the optimum by trying everything.
//!
//! Decides nothing for Rasher; shares no code with its planner.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::instances::families::Grouped;

/// Longest first with a sort and a heap: the worker of each duration, and the makespan.
///
/// ```
/// use rasher_bench::textbook::longest_first;
/// assert_eq!(longest_first(&[7, 5, 4, 3, 1], 2).1, 10);
/// ```
pub fn longest_first(durations: &[u64], shards: usize) -> (Vec<u32>, u64) {
    let mut order: Vec<(u64, u32)> = durations.iter().copied().zip(0..).collect();
    order.sort_unstable_by_key(|pair| Reverse(*pair));
    let mut emptiest: BinaryHeap<Reverse<(u64, u32)>> =
        (0..shards as u32).map(|worker| Reverse((0, worker))).collect();
    let mut worker_of = vec![0; durations.len()];
    for (duration, test) in order {
        let Some(Reverse((load, worker))) = emptiest.pop() else { break };
        worker_of[test as usize] = worker;
        emptiest.push(Reverse((load + duration, worker)));
    }
    let makespan = emptiest.into_iter().map(|Reverse((load, _))| load).max().unwrap_or(0);
    (worker_of, makespan)
}

/// Whole classes longest first, each with its set-up: what class-level splitters do.
pub fn whole_classes(made: &Grouped) -> u64 {
    let mut totals = made.setups.clone();
    for (duration, group) in made.durations.iter().zip(&made.group_of) {
        totals[*group as usize] += duration;
    }
    longest_first(&totals, made.shards).1
}

/// Single tests longest first with set-ups ignored, and then paid: what test-level splitters do.
pub fn set_ups_ignored(made: &Grouped) -> u64 {
    let (worker_of, _) = longest_first(&made.durations, made.shards);
    let mut loads = vec![0_u64; made.shards];
    let mut paid = std::collections::HashSet::new();
    for ((duration, group), worker) in made.durations.iter().zip(&made.group_of).zip(worker_of) {
        loads[worker as usize] += duration;
        if paid.insert((worker, *group)) {
            loads[worker as usize] += made.setups[*group as usize];
        }
    }
    loads.into_iter().max().unwrap_or(0)
}

/// The best makespan there is, by trying every assignment that differs; for a dozen items.
///
/// `group_of` and `setups` may be empty. Exponential: keep to twelve items.
///
/// ```
/// use rasher_bench::textbook::optimum;
/// assert_eq!(optimum(&[3, 3, 2, 2, 2], &[], &[], 2), 6);
/// ```
pub fn optimum(durations: &[u64], group_of: &[u32], setups: &[u64], shards: usize) -> u64 {
    let mut search = Search { durations, group_of, setups, best: u64::MAX };
    let mut loads = vec![(0, Vec::new()); shards];
    search.place(0, &mut loads);
    if search.best == u64::MAX { 0 } else { search.best }
}

struct Search<'a> {
    durations: &'a [u64],
    group_of: &'a [u32],
    setups: &'a [u64],
    best: u64,
}

impl Search<'_> {
    fn place(&mut self, test: usize, loads: &mut [(u64, Vec<u32>)]) {
        let Some(duration) = self.durations.get(test) else {
            let makespan = loads.iter().map(|(load, _)| *load).max().unwrap_or(0);
            self.best = self.best.min(makespan);
            return;
        };
        let group = self.group_of.get(test).copied();
        for worker in 0..loads.len() {
            let setup = match group {
                Some(group) if !loads[worker].1.contains(&group) => self.setups[group as usize],
                _ => 0,
            };
            let was_empty = loads[worker].1.is_empty() && loads[worker].0 == 0;
            let before = loads[worker].clone();
            if before.0 + setup + duration < self.best {
                loads[worker].0 += setup + duration;
                loads[worker].1.extend(group);
                self.place(test + 1, loads);
                loads[worker] = before;
            }
            if was_empty {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimum_counts_each_set_up_once_a_worker() {
        assert_eq!(optimum(&[4, 4], &[0, 0], &[3], 2), 7);
        assert_eq!(optimum(&[1, 1], &[0, 0], &[3], 2), 4);
        assert_eq!(optimum(&[1, 1, 5], &[0, 0, 1], &[3, 0], 2), 5);
        assert_eq!(optimum(&[], &[], &[], 2), 0);
    }

    #[test]
    fn baselines_are_never_below_the_optimum() {
        let made = Grouped {
            name: String::new(),
            shards: 2,
            durations: vec![5, 4, 3, 3, 2],
            group_of: vec![0, 0, 1, 1, 2],
            setups: vec![2, 1, 0],
        };
        let best = optimum(&made.durations, &made.group_of, &made.setups, made.shards);
        assert!(whole_classes(&made) >= best && set_ups_ignored(&made) >= best);
        assert_eq!(whole_classes(&made), 11);
    }
}
