//! The exchange step: a few moves and swaps between the fullest and the emptiest workers.
//!
//! Decides which items change places so that the makespan comes within a tolerance of the lower
//! bound. It stops at the target: chasing the exact integer bound costs ten to a hundred times
//! more and wins nothing. Never makes an assignment worse.

use super::longest_first::Assignment;

/// How many of the emptiest workers are tried before the fullest one counts as stuck.
const PARTNERS: usize = 6;
/// Lists up to this length are searched for two against one too.
const TRIPLE_LIST: usize = 56;

/// An item of a worker: its duration and its index.
type Item = (u64, u32);

struct Workers<'a> {
    durations: &'a [u64],
    /// Items by worker as first assigned: `items[starts[w]..starts[w + 1]]`.
    items: Vec<u32>,
    starts: Vec<u32>,
    /// Sorted by rising duration; made when a worker is first touched.
    lists: Vec<Option<Vec<Item>>>,
    /// Workers by rising load.
    ranks: Vec<(u64, u32)>,
}

impl<'a> Workers<'a> {
    fn new(durations: &'a [u64], given: &Assignment) -> Self {
        let workers = given.loads.len();
        let mut starts = vec![0u32; workers + 1];
        for worker in &given.worker {
            starts[*worker as usize + 1] += 1;
        }
        for at in 0..workers {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut items = vec![0; given.worker.len()];
        for (item, worker) in given.worker.iter().enumerate() {
            let slot = &mut next[*worker as usize];
            items[*slot as usize] = item as u32;
            *slot += 1;
        }
        let mut ranks: Vec<(u64, u32)> =
            given.loads.iter().enumerate().map(|(at, load)| (*load, at as u32)).collect();
        ranks.sort_unstable();
        Self { durations, items, starts, lists: vec![None; workers], ranks }
    }

    fn list(&mut self, worker: u32) -> &mut Vec<Item> {
        let at = worker as usize;
        let own = self.starts[at] as usize..self.starts[at + 1] as usize;
        self.lists[at].get_or_insert_with(|| {
            let mut list: Vec<Item> =
                self.items[own].iter().map(|id| (self.durations[*id as usize], *id)).collect();
            list.sort_unstable();
            list
        })
    }

    fn set_load(&mut self, old: (u64, u32), load: u64) {
        if let Ok(at) = self.ranks.binary_search(&old) {
            self.ranks.remove(at);
        }
        let new = (load, old.1);
        let at = self.ranks.partition_point(|rank| *rank < new);
        self.ranks.insert(at, new);
    }

    /// Takes `items` out of one worker's list and puts them into another's.
    fn shift(&mut self, from: u32, to: u32, items: &[Item]) {
        for item in items {
            let source = self.list(from);
            if let Ok(at) = source.binary_search(item) {
                source.remove(at);
            }
            let target = self.list(to);
            let at = target.partition_point(|other| other < item);
            target.insert(at, *item);
        }
    }
}

/// What changes places between a full and an empty worker: `give` goes, `take` comes back.
#[derive(Clone, Default)]
struct Swap {
    give: Vec<Item>,
    take: Vec<Item>,
}

/// The best swap seen so far for one pair of workers.
struct Search {
    /// The smallest net amount that brings the full worker to the target.
    least: u64,
    /// The largest that keeps the empty one at the target.
    most: u64,
    /// Load of the full one minus load of the empty one.
    spread: u64,
    best: Option<(u64, Swap)>,
}

impl Search {
    /// Distance from what is wanted: 0.. inside the window (smaller amounts first, they leave more
    /// room), else by how far the fuller of the two would stay above.
    fn cost(&self, amount: u64) -> Option<u64> {
        if amount == 0 || amount >= self.spread {
            return None;
        }
        if self.least <= amount && amount <= self.most {
            return Some((amount - self.least) / 2);
        }
        // Twice the peak of the pair over its mean, above every cost inside the window.
        Some((self.spread / 2).saturating_add(amount.abs_diff(self.spread - amount)))
    }

    fn offer(&mut self, amount: u64, swap: impl FnOnce() -> Swap) {
        if let Some(cost) = self.cost(amount)
            && self.best.as_ref().is_none_or(|(best, _)| cost < *best)
        {
            self.best = Some((cost, swap()));
        }
    }

    fn fits(&self) -> bool {
        self.best.as_ref().is_some_and(|(cost, _)| *cost < self.spread / 2)
    }

    /// True where nothing better need be looked for: inside the window, near its lower end.
    fn close(&self) -> bool {
        let width = self.most.saturating_sub(self.least);
        self.least <= self.most && self.best.as_ref().is_some_and(|(cost, _)| *cost <= width / 16)
    }

    /// What an amount should be near to.
    fn aim(&self) -> u64 {
        if self.least <= self.most { self.least } else { self.spread / 2 }
    }

    /// Every `extra + give - take` of one item each (or none back), by two pointers.
    fn pairs(&mut self, give: &[Item], take: &[Item], extra: Option<Item>) {
        let aim = self.aim();
        let base = extra.map_or(0, |item| item.0);
        let mut at = 0;
        for first in give {
            if extra.is_some_and(|item| item.1 == first.1) {
                continue;
            }
            if self.close() {
                return;
            }
            let sum = base.saturating_add(first.0);
            let swap = |back: Option<Item>| Swap {
                give: extra.into_iter().chain([*first]).collect(),
                take: back.into_iter().collect(),
            };
            self.offer(sum, || swap(None));
            while at < take.len() && take[at].0.saturating_add(aim) <= sum {
                at += 1;
            }
            for back in &take[at.saturating_sub(1)..take.len().min(at + 1)] {
                self.offer(sum.saturating_sub(back.0), || swap(Some(*back)));
            }
        }
    }

    /// Every `give - take - extra`: one item goes, two come back.
    fn pairs_back(&mut self, give: &[Item], take: &[Item], extra: Item) {
        let aim = self.aim();
        let mut at = 0;
        for first in give {
            let Some(rest) = first.0.checked_sub(extra.0) else { continue };
            if self.close() {
                return;
            }
            while at < take.len() && take[at].0.saturating_add(aim) <= rest {
                at += 1;
            }
            for back in &take[at.saturating_sub(1)..take.len().min(at + 1)] {
                if back.1 != extra.1 {
                    let swap = || Swap { give: vec![*first], take: vec![extra, *back] };
                    self.offer(rest.saturating_sub(back.0), swap);
                }
            }
        }
    }
}

/// Moves and swaps items until no load is above `target` or nothing helps; true where the target
/// is reached. O(n) to begin with, then two sorted lists for each swap.
pub(crate) fn exchange(durations: &[u64], given: &mut Assignment, target: u64) -> bool {
    if given.makespan() <= target {
        return true;
    }
    if given.loads.len() < 2 {
        return false;
    }
    let mut workers = Workers::new(durations, given);
    let limit = 4 * given.loads.len() + 64;
    for _ in 0..limit {
        let Some(fullest) = workers.ranks.last().copied() else { break };
        if fullest.0 <= target || !relieve(&mut workers, fullest, target) {
            break;
        }
    }
    for (load, worker) in &workers.ranks {
        given.loads[*worker as usize] = *load;
    }
    for (worker, list) in workers.lists.iter().enumerate() {
        for (_, item) in list.iter().flatten() {
            given.worker[*item as usize] = worker as u32;
        }
    }
    given.makespan() <= target
}

/// Brings the fullest worker down, to the target where that is possible.
fn relieve(workers: &mut Workers<'_>, fullest: (u64, u32), target: u64) -> bool {
    let mut best: Option<(u64, (u64, u32), Swap)> = None;
    for triples in [false, true] {
        for rank in 0..PARTNERS.min(workers.ranks.len() - 1) {
            let emptiest = workers.ranks[rank];
            let Some((amount, fits, swap)) = search(workers, fullest, emptiest, target, triples)
            else {
                continue;
            };
            let peak = (fullest.0 - amount).max(emptiest.0 + amount);
            if best.as_ref().is_none_or(|(known, _, _)| peak < *known) {
                best = Some((peak, emptiest, swap));
            }
            if fits {
                break;
            }
        }
        if best.as_ref().is_some_and(|(peak, _, _)| *peak <= target) {
            break;
        }
    }
    let Some((_, emptiest, swap)) = best else { return false };
    let sum = |items: &[Item]| items.iter().map(|item| item.0).sum::<u64>();
    let amount = sum(&swap.give) - sum(&swap.take);
    workers.shift(fullest.1, emptiest.1, &swap.give);
    workers.shift(emptiest.1, fullest.1, &swap.take);
    workers.set_load(fullest, fullest.0 - amount);
    workers.set_load(emptiest, emptiest.0 + amount);
    true
}

/// The best swap between two workers: its net amount and whether both end at the target.
fn search(
    workers: &mut Workers<'_>,
    full: (u64, u32),
    empty: (u64, u32),
    target: u64,
    triples: bool,
) -> Option<(u64, bool, Swap)> {
    let most = target.checked_sub(empty.0)?;
    let mut search = Search { least: full.0 - target, most, spread: full.0 - empty.0, best: None };
    workers.list(empty.1);
    // Out of the table for as long as it is read beside the other list.
    let give = std::mem::take(workers.list(full.1));
    let take = workers.list(empty.1);
    if !triples {
        search.pairs(&give, take, None);
    } else if give.len() <= TRIPLE_LIST && take.len() <= TRIPLE_LIST {
        for item in &give {
            search.pairs(&give, take, Some(*item));
        }
        for item in take.iter() {
            search.pairs_back(&give, take, *item);
        }
    }
    *workers.list(full.1) = give;
    let fits = search.fits();
    let (_, swap) = search.best?;
    let sum = |items: &[Item]| items.iter().map(|item| item.0).sum::<u64>();
    Some((sum(&swap.give) - sum(&swap.take), fits, swap))
}
