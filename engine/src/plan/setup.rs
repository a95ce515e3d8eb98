//! Families with set-ups: whole classes first, a class split only where it would stretch the run.
//!
//! Decides which families are split and over which workers. Three answers are made and the best is
//! kept: **whole** (no family split), **split** (large families cut into even parts beforehand)
//! and **wrap** (whole families packed into a target, what fits nowhere poured over the emptiest
//! workers, the target searched for). Never splits a family where whole families balance.

use super::balance::balance;
use super::bound::Bound;
use super::exchange::exchange;
use super::families::Families;
use super::longest_first::{Assignment, longest_first};

/// Whole families that come this near to the bound (in millionths) are not split.
const WHOLE_PPM: u64 = 500;
/// Shares of the bound above which `split` cuts a family, in twelfths.
const SPLIT_TWELFTHS: [u64; 7] = [12, 9, 6, 4, 3, 2, 1];
/// `wrap` looks no nearer to the bound than one part in this power of two.
const WRAP_STEP: u32 = 14;

/// Assigns units to workers; `target` is how near to the bound is near enough.
pub(crate) fn assign(families: &Families, workers: usize, bound: Bound, target: u64) -> Assignment {
    let whole = whole(families, workers, target);
    if families.is_plain() || whole.makespan() <= bound.target(WHOLE_PPM) {
        return whole;
    }
    let mut best = whole;
    let mut offer = |other: Assignment| {
        if other.makespan() < best.makespan() {
            best = other;
        }
    };
    for twelfths in SPLIT_TWELFTHS {
        let cap = (bound.value / 12).saturating_mul(twelfths).max(1);
        offer(split(families, workers, cap, target));
    }
    if let Some(other) = Wrap::new(families, workers).search(bound.value, target) {
        offer(other);
    }
    best
}

/// Every family on one worker.
fn whole(families: &Families, workers: usize, target: u64) -> Assignment {
    let totals: Vec<u64> = (0..families.len()).map(|family| families.total(family)).collect();
    let answer = balance(&totals, workers, target);
    let mut worker = vec![0; families.work.len()];
    for (family, at) in answer.worker.iter().enumerate() {
        worker[families.range(family)].fill(*at);
    }
    Assignment { worker, loads: answer.loads }
}

/// Families above `cap` cut into parts that stay below it, then balanced like the rest.
fn split(families: &Families, workers: usize, cap: u64, target: u64) -> Assignment {
    let mut parts = Parts::default();
    for family in 0..families.len() {
        let (setup, units) = (families.setup[family], families.units(family));
        if families.total(family) <= cap || units.len() < 2 {
            parts.push_whole(families, family);
            continue;
        }
        let room = cap.saturating_sub(setup).max(1);
        let count =
            families.sums[family].div_ceil(room).min(units.len() as u64).min(workers as u64);
        let cut = longest_first(units, count as usize);
        let first = parts.work.len() as u32;
        parts.work.extend(cut.loads.iter().map(|load| load + setup));
        parts.of_unit.extend(cut.worker.iter().map(|part| first + part));
    }
    let answer = balance(&parts.work, workers, target);
    parts.spread(families, &answer, workers)
}

/// Items made of units of one family each.
#[derive(Default)]
struct Parts {
    /// Work and set-up of each part.
    work: Vec<u64>,
    of_unit: Vec<u32>,
}

impl Parts {
    fn push_whole(&mut self, families: &Families, family: usize) {
        let part = self.work.len() as u32;
        self.work.push(families.total(family));
        self.of_unit.extend(std::iter::repeat_n(part, families.units(family).len()));
    }

    /// The parts of an assignment of units: what each family has on each worker.
    fn of(families: &Families, given: &Assignment) -> (Self, Assignment) {
        let workers = given.loads.len();
        let mut parts = Self::default();
        let mut placed = Assignment { worker: Vec::new(), loads: given.loads.clone() };
        let mut seen = vec![(u32::MAX, 0u32); workers];
        for family in 0..families.len() {
            for unit in families.range(family) {
                let at = given.worker[unit];
                let (last, part) = &mut seen[at as usize];
                if *last != family as u32 {
                    (*last, *part) = (family as u32, parts.work.len() as u32);
                    parts.work.push(families.setup[family]);
                    placed.worker.push(at);
                }
                parts.work[*part as usize] += families.work[unit];
                parts.of_unit.push(*part);
            }
        }
        (parts, placed)
    }

    fn spread(&self, families: &Families, answer: &Assignment, workers: usize) -> Assignment {
        let worker: Vec<u32> =
            self.of_unit.iter().map(|part| answer.worker[*part as usize]).collect();
        let loads = families.loads(&worker, workers);
        Assignment { worker, loads }
    }
}

/// The search for the smallest target into which everything can be packed.
struct Wrap<'a> {
    families: &'a Families,
    workers: usize,
    /// Families by falling total.
    order: Vec<u32>,
    /// Units of a family by falling duration, made when it is first split.
    falling: Vec<Option<Vec<u32>>>,
}

impl<'a> Wrap<'a> {
    fn new(families: &'a Families, workers: usize) -> Self {
        let mut order: Vec<u32> = (0..families.len() as u32).collect();
        order.sort_by_key(|family| std::cmp::Reverse(families.total(*family as usize)));
        Self { families, workers, order, falling: vec![None; families.len()] }
    }

    /// Widens the target until the packing succeeds, narrows it again, then exchanges parts.
    fn search(mut self, bound: u64, target: u64) -> Option<Assignment> {
        let step = (bound >> WRAP_STEP).max(1);
        let (mut low, mut width) = (bound, step);
        let mut found = loop {
            if let Some(answer) = self.pack(bound.saturating_add(width)) {
                break answer;
            }
            low = bound.saturating_add(width);
            width = width.checked_mul(2)?;
        };
        let mut high = bound.saturating_add(width);
        for _ in 0..4 {
            let middle = low + (high - low) / 2;
            if high - low <= step {
                break;
            }
            match self.pack(middle) {
                Some(answer) => (found, high) = (answer, middle),
                None => low = middle,
            }
        }
        let loads = self.families.loads(&found, self.workers);
        let answer = Assignment { worker: found, loads };
        let (parts, mut placed) = Parts::of(self.families, &answer);
        exchange(&parts.work, &mut placed, target);
        let better = parts.spread(self.families, &placed, self.workers);
        Some(if better.makespan() < answer.makespan() { better } else { answer })
    }

    /// Packs everything so that no worker ends after `target`.
    fn pack(&mut self, target: u64) -> Option<Vec<u32>> {
        let mut room = Room::new(self.workers, target);
        let mut worker = vec![0; self.families.work.len()];
        for at in 0..self.order.len() {
            let family = self.order[at] as usize;
            if let Some(first) = room.take_first(self.families.total(family)) {
                worker[self.families.range(family)].fill(first);
            } else {
                self.pour(family, &mut room, &mut worker)?;
            }
        }
        Some(worker)
    }

    /// Pours the units of one family over the emptiest workers, the set-up paid on each.
    fn pour(&mut self, family: usize, room: &mut Room, worker: &mut [u32]) -> Option<()> {
        let families = self.families;
        let falling = self.falling[family].get_or_insert_with(|| {
            let mut units: Vec<u32> = families.range(family).map(|unit| unit as u32).collect();
            units.sort_by_key(|unit| std::cmp::Reverse(families.work[*unit as usize]));
            units
        });
        let mut left = Remaining::new(falling.len());
        while left.next(0) < falling.len() {
            let (at, free) = room.emptiest();
            let free = free.checked_sub(families.setup[family])?;
            let (mut open, mut from, mut any) = (free, 0, false);
            loop {
                let too_long = |unit: &u32| families.work[*unit as usize] > open;
                from = left.next(from.max(falling.partition_point(too_long)));
                let Some(unit) = falling.get(from) else { break };
                open -= families.work[*unit as usize];
                worker[*unit as usize] = at;
                left.remove(from);
                any = true;
            }
            if !any {
                return None;
            }
            room.fill(at, families.setup[family] + free - open);
        }
        Some(())
    }
}

/// Positions of a list not yet taken, found in nearly constant time.
struct Remaining {
    /// For a taken position one further on; for a free one itself.
    jump: Vec<u32>,
}

impl Remaining {
    fn new(len: usize) -> Self {
        Self { jump: (0..=len as u32).collect() }
    }

    /// The first free position from `at` on; the length of the list where there is none.
    fn next(&mut self, at: usize) -> usize {
        let mut end = at;
        while self.jump[end] as usize != end {
            end = self.jump[end] as usize;
        }
        let mut walk = at;
        while walk != end {
            walk = std::mem::replace(&mut self.jump[walk], end as u32) as usize;
        }
        end
    }

    fn remove(&mut self, at: usize) {
        self.jump[at] = at as u32 + 1;
    }
}

/// What is free on each worker, with the largest at the root of a tree.
struct Room {
    tree: Vec<u64>,
    leaves: usize,
}

impl Room {
    fn new(workers: usize, target: u64) -> Self {
        let leaves = workers.next_power_of_two();
        let mut tree = vec![0; 2 * leaves];
        tree[leaves..leaves + workers].fill(target);
        for at in (1..leaves).rev() {
            tree[at] = tree[2 * at].max(tree[2 * at + 1]);
        }
        Self { tree, leaves }
    }

    /// Gives `amount` of the first worker that has so much to its taker.
    fn take_first(&mut self, amount: u64) -> Option<u32> {
        if self.tree[1] < amount {
            return None;
        }
        let mut at = 1;
        while at < self.leaves {
            at *= 2;
            if self.tree[at] < amount {
                at += 1;
            }
        }
        let worker = (at - self.leaves) as u32;
        self.fill(worker, amount);
        Some(worker)
    }

    /// The first of the workers with the most room, and how much that is.
    fn emptiest(&self) -> (u32, u64) {
        let mut at = 1;
        while at < self.leaves {
            at *= 2;
            if self.tree[at] < self.tree[1] {
                at += 1;
            }
        }
        ((at - self.leaves) as u32, self.tree[1])
    }

    fn fill(&mut self, worker: u32, amount: u64) {
        let mut at = self.leaves + worker as usize;
        self.tree[at] -= amount;
        while at > 1 {
            at /= 2;
            self.tree[at] = self.tree[2 * at].max(self.tree[2 * at + 1]);
        }
    }
}

/// How many workers the packing needs to end at `target`, which is at least the longest unit with
/// its set-up: an upper bound on the fewest.
pub(crate) fn packed_workers(families: &Families, target: u64) -> u32 {
    let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
    let mut workers = (total.checked_div(target).unwrap_or(0) as usize).max(1);
    let units = families.work.len().max(1);
    loop {
        let mut wrap = Wrap::new(families, workers);
        if workers >= units {
            return units as u32;
        }
        if let Some(worker) = wrap.pack(target) {
            return worker.iter().copied().max().unwrap_or(0) + 1;
        }
        workers = (workers + workers / 4 + 1).min(units);
    }
}
