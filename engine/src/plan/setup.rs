//! Families with set-ups: whole classes first, a class split only where it would stretch the run.
//!
//! Decides which families are split and over which workers. Three answers are made and the best is
//! kept: **whole** (no family split), **split** (large families cut into even parts beforehand)
//! and **wrap** (whole families packed into a target, what fits nowhere poured over the emptiest
//! workers, the target searched for). Never splits a family where whole families balance.

use super::balance::{Effort, balance_quickly, deal_again, refine};
use super::exchange::exchange;
use super::families::Families;
use super::longest_first::{Assignment, longest_first};
use super::packing::Room;

/// Whole families that come this near to the bound (in millionths) are not split.
const WHOLE_PPM: u64 = 500;
/// Families that come this near to the bound (in millionths) are not improved further: what they
/// are predicted by is coarser than single tests.
const CLASS_PPM: u64 = 100;
/// Shares of the bound above which `split` cuts a family, in twelfths.
const SPLIT_TWELFTHS: [u64; 7] = [12, 9, 6, 4, 3, 2, 1];
/// The same where no class has a set-up: cutting costs nothing that is known, and tests of one class
/// are slow together. Measured on recorded series: 9.4 % over the bound against 11.7 % for whole
/// classes, 8.9 % for tests spread one by one.
const UNPAID_TWELFTHS: u64 = 3;
/// `wrap` looks no nearer to the bound than one part in this power of two.
const WRAP_STEP: u32 = 14;

/// Assigns units to workers.
pub(crate) fn assign(families: &Families, workers: usize, effort: Effort) -> Assignment {
    let totals: Vec<u64> = (0..families.len()).map(|family| families.total(family)).collect();
    let plain = families.is_plain();
    let effort = if plain { effort } else { effort.within(CLASS_PPM) };
    let near = effort.within(WHOLE_PPM).target;
    let mut best = balance_quickly(&totals, workers, effort.target);
    if plain || totals.iter().all(|total| *total <= near) {
        best = refine(&totals, best, effort);
    }
    if plain || best.makespan() <= near {
        deal_again(&totals, &mut best, effort);
        return whole(families, best);
    }
    let mut best = whole(families, best);
    if families.setup.iter().all(|setup| *setup == 0) {
        // Nothing is known to be paid twice: no class makes up more than a quarter of a shard, so
        // that one which turns out slow as a whole is shared by several workers.
        let cap = (effort.bound / 12).saturating_mul(UNPAID_TWELFTHS).max(1);
        best = split(families, workers, cap, effort.target);
    }
    if best.makespan() <= effort.target {
        return best;
    }
    if let Some(other) = Wrap::new(families, workers).search(effort) {
        best = best.or_shorter(other);
    }
    for twelfths in SPLIT_TWELFTHS {
        if best.makespan() <= effort.target {
            return best;
        }
        let cap = (effort.bound / 12).saturating_mul(twelfths).max(1);
        best = best.or_shorter(split(families, workers, cap, effort.target));
    }
    let (parts, mut placed) = Parts::of(families, &best);
    deal_again(&parts.work, &mut placed, effort);
    best.or_shorter(parts.spread(families, &placed, workers))
}

/// Every family on one worker.
fn whole(families: &Families, answer: Assignment) -> Assignment {
    let mut worker = vec![0; families.work.len()];
    for (family, at) in answer.worker.iter().enumerate() {
        worker[families.range(family)].fill(*at);
    }
    Assignment { worker, loads: answer.loads }
}

/// Families above `cap` cut into parts that stay below it, then balanced like the rest.
fn split(families: &Families, workers: usize, cap: u64, target: u64) -> Assignment {
    let parts = Parts::cut(families, workers, cap);
    let answer = balance_quickly(&parts.work, workers, target);
    parts.spread(families, &answer, workers)
}

/// Items made of units of one family each.
#[derive(Default)]
pub(crate) struct Parts {
    /// Work and set-up of each part.
    pub(crate) work: Vec<u64>,
    /// The family of each part.
    pub(crate) family: Vec<u32>,
    /// The part of each unit.
    pub(crate) of_unit: Vec<u32>,
}

impl Parts {
    /// Families above `cap` cut into even parts that stay below it.
    pub(crate) fn cut(families: &Families, workers: usize, cap: u64) -> Self {
        let mut parts = Self::default();
        for family in 0..families.len() {
            parts.add(families, family, workers, cap);
        }
        parts
    }

    fn add(&mut self, families: &Families, family: usize, workers: usize, cap: u64) {
        let (setup, units) = (families.setup[family], families.units(family));
        let first = self.work.len() as u32;
        if families.total(family) <= cap || units.len() < 2 {
            self.work.push(families.total(family));
            self.family.push(family as u32);
            self.of_unit.extend(units.iter().map(|_| first));
            return;
        }
        let room = cap.saturating_sub(setup).max(1);
        let count = families.sums[family].div_ceil(room);
        let count = count.min(units.len() as u64).min(workers as u64) as usize;
        let cut = longest_first(units, count);
        self.work.extend(cut.loads.iter().map(|load| load + setup));
        self.family.extend(std::iter::repeat_n(family as u32, count));
        self.of_unit.extend(cut.worker.iter().map(|part| first + part));
    }

    /// The parts of an assignment of units: what each family has on each worker.
    pub(crate) fn of(families: &Families, given: &Assignment) -> (Self, Assignment) {
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
                    parts.family.push(family as u32);
                    placed.worker.push(at);
                }
                parts.work[*part as usize] += families.work[unit];
                parts.of_unit.push(*part);
            }
        }
        (parts, placed)
    }

    pub(crate) fn spread(
        &self,
        families: &Families,
        answer: &Assignment,
        workers: usize,
    ) -> Assignment {
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
    fn search(mut self, effort: Effort) -> Option<Assignment> {
        let Effort { bound, target, .. } = effort;
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
        Some(answer.or_shorter(better))
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

/// A packing of everything into as few workers as first fit needs to end at `target`, which is at
/// least the longest unit with its set-up: for each unit its worker, and how many there are.
pub(crate) fn packed(families: &Families, target: u64) -> (Vec<u32>, u32) {
    let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
    let units = families.work.len().max(1);
    // First fit leaves no two workers that would fit on one: twice the area is nearly always enough.
    let area = total.checked_div(target).unwrap_or(0) as usize;
    let mut workers = area.saturating_mul(2).saturating_add(2).clamp(1, units);
    let mut wrap = Wrap::new(families, workers);
    loop {
        wrap.workers = workers;
        if let Some(worker) = wrap.pack(target) {
            let used = worker.iter().copied().max().unwrap_or(0) + 1;
            return (worker, used);
        }
        if workers == units {
            return ((0..units as u32).collect(), units as u32);
        }
        workers = workers.saturating_mul(2).min(units);
    }
}
