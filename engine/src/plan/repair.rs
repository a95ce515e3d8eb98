//! Repair of an earlier plan: most tests stay where they were.
//!
//! Decides which few tests move so that an old plan fits a changed workload. Stability is worth
//! more than the last per cent of balance: caches, order and blame stay with their shard.

use std::collections::BTreeMap;

use super::document::PlanDocument;
use super::families::Families;
use super::longest_first::Assignment;
use crate::test_id::TestTable;

/// How far above its bound a repaired plan may be, in millionths.
pub(crate) const REPAIR_PPM: u64 = 10_000;
/// Workers that the fullest one tries to give to.
const PARTNERS: usize = 8;

/// Where an earlier plan had each test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Previous {
    /// By position in the table, the shard from 0; `u32::MAX` where the test is new.
    pub(crate) shard_of: Vec<u32>,
}

const NEW: u32 = u32::MAX;

impl Previous {
    /// Reads where an earlier plan had the tests of this table. O(n).
    pub fn of(plan: &PlanDocument, tests: &TestTable) -> Self {
        let mut shard_of = vec![NEW; tests.len()];
        for (at, shard) in (0..).zip(&plan.shards) {
            for test in shard.tests.iter().filter_map(|name| tests.find(name)) {
                shard_of[test.index()] = at;
            }
        }
        Self { shard_of }
    }

    /// How many tests stand on another shard than before; new ones do not count.
    pub(crate) fn moved(&self, shard_of: &[u32]) -> usize {
        let known = self.shard_of.iter().zip(shard_of).filter(|(old, _)| **old != NEW);
        known.filter(|(old, new)| old != new).count()
    }
}

/// An old plan under repair.
struct Repair<'a> {
    families: &'a Families,
    worker: Vec<u32>,
    loads: Vec<u64>,
    /// By worker and family, the units there.
    held: Vec<BTreeMap<u32, Vec<u32>>>,
    family_of: Vec<u32>,
}

/// The old plan, with new tests placed and as few others moved as `target` needs; it may stay
/// above the target where no single move helps.
pub(crate) fn repair(
    families: &Families,
    workers: usize,
    previous: &Previous,
    target: u64,
) -> Assignment {
    let mut family_of = vec![0; families.work.len()];
    for family in 0..families.len() {
        family_of[families.range(family)].fill(family as u32);
    }
    let worker = vec![NEW; families.work.len()];
    let held = vec![BTreeMap::new(); workers];
    let mut repair = Repair { families, worker, loads: vec![0; workers], held, family_of };
    let mut open = Vec::new();
    for unit in 0..families.work.len() {
        // A block goes where its first known test was.
        let old = families.tests_of(unit).map(|test| previous.shard_of[test.index()]);
        match old.into_iter().find(|old| (*old as usize) < workers) {
            Some(old) => repair.put(unit as u32, old),
            None => open.push(unit as u32),
        }
    }
    open.sort_by_key(|unit| std::cmp::Reverse(families.work[*unit as usize]));
    for unit in open {
        repair.settle(unit, target);
    }
    let limit = 2 * families.work.len() + 64;
    for _ in 0..limit {
        if !repair.relieve(target) {
            break;
        }
    }
    Assignment { worker: repair.worker, loads: repair.loads }
}

/// Units that leave a worker together, and what that changes.
struct Move {
    units: Vec<u32>,
    freed: u64,
    added: u64,
    to: u32,
}

impl Repair<'_> {
    fn put(&mut self, unit: u32, to: u32) {
        let family = self.family_of[unit as usize];
        let units = self.held[to as usize].entry(family).or_default();
        if units.is_empty() {
            self.loads[to as usize] += self.families.setup[family as usize];
        }
        units.push(unit);
        self.loads[to as usize] += self.families.work[unit as usize];
        self.worker[unit as usize] = to;
    }

    fn take(&mut self, unit: u32) {
        let family = self.family_of[unit as usize];
        let from = self.worker[unit as usize] as usize;
        let Some(units) = self.held[from].get_mut(&family) else { return };
        units.retain(|other| *other != unit);
        self.loads[from] -= self.families.work[unit as usize];
        if units.is_empty() {
            self.held[from].remove(&family);
            self.loads[from] -= self.families.setup[family as usize];
        }
    }

    /// What a family costs beside its units where it does not run yet.
    fn entry(&self, family: u32, to: u32) -> u64 {
        let there = self.held[to as usize].contains_key(&family);
        if there { 0 } else { self.families.setup[family as usize] }
    }

    /// Places a new unit with its family where that fits, else where it ends earliest.
    fn settle(&mut self, unit: u32, target: u64) {
        let family = self.family_of[unit as usize];
        let work = self.families.work[unit as usize];
        let end = |to: u32| self.loads[to as usize] + work + self.entry(family, to);
        let all = 0..self.loads.len() as u32;
        let home = all
            .clone()
            .filter(|to| self.held[*to as usize].contains_key(&family) && end(*to) <= target);
        let best = home.min_by_key(|to| end(*to)).or_else(|| all.min_by_key(|to| end(*to)));
        self.put(unit, best.unwrap_or(0));
    }

    /// Moves as few tests as possible off the fullest worker; false where it is not above the
    /// target or nothing helps.
    fn relieve(&mut self, target: u64) -> bool {
        let Some(full) = (0..self.loads.len()).max_by_key(|at| (self.loads[*at], usize::MAX - *at))
        else {
            return false;
        };
        if self.loads[full] <= target {
            return false;
        }
        let mut ranks: Vec<u32> = (0..self.loads.len() as u32).collect();
        ranks.sort_by_key(|at| (self.loads[*at as usize], *at));
        let mut best: Option<((bool, u64, u64), Move)> = None;
        for to in ranks.into_iter().take(PARTNERS).filter(|to| *to as usize != full) {
            for offer in self.offers(full, to) {
                let Some(cost) = self.cost(full, &offer, target) else { continue };
                if best.as_ref().is_none_or(|(known, _)| cost < *known) {
                    best = Some((cost, offer));
                }
            }
        }
        let Some((_, offer)) = best else { return false };
        for unit in offer.units {
            self.take(unit);
            self.put(unit, offer.to);
        }
        true
    }

    /// Whole families and single units of them that could leave.
    fn offers(&self, full: usize, to: u32) -> Vec<Move> {
        let mut offers = Vec::new();
        for (family, units) in &self.held[full] {
            let entry = self.entry(*family, to);
            let work: u64 = units.iter().map(|unit| self.families.work[*unit as usize]).sum();
            let freed = work + self.families.setup[*family as usize];
            offers.push(Move { units: units.clone(), freed, added: work + entry, to });
            if units.len() > 1 {
                offers.extend(units.iter().map(|unit| {
                    let freed = self.families.work[*unit as usize];
                    Move { units: vec![*unit], freed, added: freed + entry, to }
                }));
            }
        }
        offers
    }

    /// What a move costs: none where it does not help; those that settle the matter first, then
    /// few tests, then little work moved; of the others, much work for each test.
    fn cost(&self, full: usize, offer: &Move, target: u64) -> Option<(bool, u64, u64)> {
        let end = self.loads[offer.to as usize] + offer.added;
        if offer.freed == 0 || end >= self.loads[full] {
            return None;
        }
        let tests: usize =
            offer.units.iter().map(|unit| self.families.tests_of(*unit as usize).len()).sum();
        let settled = self.loads[full] - offer.freed <= target && end <= target;
        if settled {
            return Some((false, tests as u64, offer.freed));
        }
        if end > target {
            return None;
        }
        Some((true, u64::MAX - offer.freed / tests.max(1) as u64, offer.freed))
    }
}
