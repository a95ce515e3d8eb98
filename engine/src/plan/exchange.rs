//! The exchange step: a few moves and swaps between the fullest and the emptiest workers.
//!
//! Decides which items change places so that the makespan comes within a tolerance of the lower
//! bound. It stops at the target: chasing the exact integer bound costs ten to a hundred times
//! more and wins nothing. Never makes an assignment worse.

use super::longest_first::{Assignment, Order};

/// How many of the emptiest workers are tried before the fullest one counts as stuck.
const PARTNERS: usize = 6;
/// Lists up to this length are searched for two against one too.
const TRIPLE_LIST: usize = 56;

/// An item of a worker as the order has it: its duration above its index.
type Item = u64;

/// No item.
const NONE: Item = u64::MAX;

struct Workers {
    /// Bits of the index in an item.
    id_bits: u32,
    /// Items by worker as first assigned, shorter ones before longer ones up to the width of a
    /// bucket: `items[starts[w]..starts[w + 1]]`.
    items: Vec<Item>,
    starts: Vec<u32>,
    /// Sorted by rising duration; made when a worker is first touched.
    lists: Vec<Option<Vec<Item>>>,
    /// Workers by rising load.
    ranks: Vec<(u64, u32)>,
}

impl Workers {
    fn new(given: &Assignment, order: &Order) -> Self {
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
        let mask = (1 << order.id_bits) - 1;
        for item in order.packed.iter().rev() {
            let slot = &mut next[given.worker[(item & mask) as usize] as usize];
            items[*slot as usize] = *item;
            *slot += 1;
        }
        let mut ranks: Vec<(u64, u32)> =
            given.loads.iter().enumerate().map(|(at, load)| (*load, at as u32)).collect();
        ranks.sort_unstable();
        let lists = vec![None; workers];
        Self { id_bits: order.id_bits, items, starts, lists, ranks }
    }

    fn list(&mut self, worker: u32) -> &mut Vec<Item> {
        let at = worker as usize;
        let own = self.starts[at] as usize..self.starts[at + 1] as usize;
        self.lists[at].get_or_insert_with(|| {
            let mut list = self.items[own].to_vec();
            sort_nearly(&mut list);
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
    fn shift(&mut self, from: u32, to: u32, items: [Item; 2]) {
        for item in items.iter().filter(|item| **item != NONE) {
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

/// Sorts a list that is sorted but for neighbours, in one pass; any other as usual.
fn sort_nearly(list: &mut [Item]) {
    let mut moves = 4 * list.len();
    for at in 1..list.len() {
        let item = list[at];
        let mut to = at;
        while to > 0 && list[to - 1] > item {
            list[to] = list[to - 1];
            to -= 1;
        }
        list[to] = item;
        let Some(left) = moves.checked_sub(at - to) else { return list.sort_unstable() };
        moves = left;
    }
}

/// What changes places between a full and an empty worker: `give` goes, `take` comes back.
#[derive(Clone, Copy)]
struct Swap {
    amount: u64,
    give: [Item; 2],
    take: [Item; 2],
}

/// The best swap seen so far for one pair of workers.
struct Search {
    /// The smallest net amount that brings the full worker to the target.
    least: u64,
    /// By how much it may be larger and keep the empty one at the target; none where no amount
    /// does both.
    width: Option<u64>,
    /// Load of the full one minus load of the empty one.
    spread: u64,
    id_bits: u32,
    /// True where anything inside the window will do.
    quick: bool,
    cost: u64,
    best: Swap,
}

impl Search {
    fn work(&self, item: Item) -> u64 {
        item >> self.id_bits
    }

    /// Distance from what is wanted: inside the window smaller amounts first, they leave more room;
    /// outside, above all of those, by how far the fuller of the two would stay above.
    fn cost_of(&self, amount: u64) -> u64 {
        let over = amount.wrapping_sub(self.least);
        if self.width.is_some_and(|width| over <= width) {
            return over;
        }
        if amount == 0 || amount >= self.spread {
            return u64::MAX;
        }
        self.spread.saturating_add(amount.abs_diff(self.spread - amount))
    }

    fn offer(&mut self, amount: u64, give: [Item; 2], take: [Item; 2]) {
        let cost = self.cost_of(amount);
        if cost < self.cost {
            (self.cost, self.best) = (cost, Swap { amount, give, take });
        }
    }

    /// True where it will do: inside the window or, where there is none, nearly even.
    fn fits(&self) -> bool {
        match self.width {
            Some(width) => self.cost <= width,
            None => self.cost <= self.spread.saturating_add(self.spread >> 3),
        }
    }

    /// True where nothing better need be looked for: near the lower end of the window.
    fn close(&self) -> bool {
        match self.width {
            Some(width) if !self.quick => self.cost <= width >> 4,
            _ => self.fits(),
        }
    }

    /// What an amount should be near to.
    fn aim(&self) -> u64 {
        if self.width.is_some() { self.least } else { self.spread / 2 }
    }

    /// Every `extra + give - take` of one item each (or none back), by two pointers; `extra` may
    /// be none.
    fn pairs(&mut self, give: &[Item], take: &[Item], extra: Item) {
        let aim = self.aim();
        let base = if extra == NONE { 0 } else { self.work(extra) };
        let mut at = 0;
        for first in give.iter().copied().filter(|first| *first != extra) {
            let sum = base.saturating_add(self.work(first));
            self.offer(sum, [extra, first], [NONE; 2]);
            while at < take.len() && self.work(take[at]).saturating_add(aim) <= sum {
                at += 1;
            }
            for back in &take[at.saturating_sub(1)..take.len().min(at + 1)] {
                self.offer(sum.saturating_sub(self.work(*back)), [extra, first], [NONE, *back]);
            }
            if self.close() {
                return;
            }
        }
    }

    /// Every `give - take - extra`: one item goes, two come back.
    fn pairs_back(&mut self, give: &[Item], take: &[Item], extra: Item) {
        let aim = self.aim();
        let mut at = 0;
        let from = give.partition_point(|first| self.work(*first) < self.work(extra));
        for first in &give[from..] {
            let rest = self.work(*first) - self.work(extra);
            while at < take.len() && self.work(take[at]).saturating_add(aim) <= rest {
                at += 1;
            }
            for back in &take[at.saturating_sub(1)..take.len().min(at + 1)] {
                if *back != extra {
                    let amount = rest.saturating_sub(self.work(*back));
                    self.offer(amount, [NONE, *first], [extra, *back]);
                }
            }
            if self.close() {
                return;
            }
        }
    }
}

/// Moves and swaps items until no load is above `target` or nothing helps; true where the target
/// is reached. `order` is that of the items; where it leaves bits out, nothing is exchanged. O(n)
/// to begin with, then two lists for each swap.
pub(crate) fn exchange(order: &Order, given: &mut Assignment, target: u64) -> bool {
    if given.makespan() <= target {
        return true;
    }
    if given.loads.len() < 2 || order.shift > 0 {
        return false;
    }
    let mut workers = Workers::new(given, order);
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
    let mask = (1 << order.id_bits) - 1;
    for (worker, list) in workers.lists.iter().enumerate() {
        for item in list.iter().flatten() {
            given.worker[(item & mask) as usize] = worker as u32;
        }
    }
    given.makespan() <= target
}

/// Brings the fullest worker down, to the target where that is possible.
fn relieve(workers: &mut Workers, fullest: (u64, u32), target: u64) -> bool {
    let mut best: Option<(u64, (u64, u32), Swap)> = None;
    'found: for triples in [false, true] {
        for rank in 0..PARTNERS.min(workers.ranks.len() - 1) {
            let emptiest = workers.ranks[rank];
            let Some((fits, swap)) = search(workers, fullest, emptiest, target, triples) else {
                continue;
            };
            let peak = (fullest.0 - swap.amount).max(emptiest.0 + swap.amount);
            if best.as_ref().is_none_or(|(known, _, _)| peak < *known) {
                best = Some((peak, emptiest, swap));
            }
            if fits {
                break 'found;
            }
        }
    }
    let Some((_, emptiest, swap)) = best else { return false };
    workers.shift(fullest.1, emptiest.1, swap.give);
    workers.shift(emptiest.1, fullest.1, swap.take);
    workers.set_load(fullest, fullest.0 - swap.amount);
    workers.set_load(emptiest, emptiest.0 + swap.amount);
    true
}

/// The best swap between two workers, and whether it will do.
fn search(
    workers: &mut Workers,
    full: (u64, u32),
    empty: (u64, u32),
    target: u64,
    triples: bool,
) -> Option<(bool, Swap)> {
    let most = target.checked_sub(empty.0)?;
    let mut search = Search {
        least: full.0 - target,
        width: most.checked_sub(full.0 - target),
        spread: full.0 - empty.0,
        id_bits: workers.id_bits,
        quick: triples,
        cost: u64::MAX,
        best: Swap { amount: 0, give: [NONE; 2], take: [NONE; 2] },
    };
    workers.list(empty.1);
    // Out of the table for as long as it is read beside the other list.
    let give = std::mem::take(workers.list(full.1));
    let take = workers.list(empty.1);
    if !triples {
        search.pairs(&give, take, NONE);
    } else if give.len() <= TRIPLE_LIST && take.len() <= TRIPLE_LIST {
        for item in &give {
            search.pairs(&give, take, *item);
            if search.fits() {
                break;
            }
        }
        for item in take.iter() {
            if search.fits() {
                break;
            }
            search.pairs_back(&give, take, *item);
        }
    }
    *workers.list(full.1) = give;
    (search.cost < u64::MAX).then(|| (search.fits(), search.best))
}
