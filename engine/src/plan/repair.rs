//! Repair of an earlier plan: most tests stay where they were.
//!
//! Decides which few tests move so that an old plan fits a changed workload. Stability is worth
//! more than the last per cent of balance: caches, order and blame stay with their shard. A worker
//! that is too full gives a class or a test away, or exchanges one for a shorter one where nobody
//! has room for it.

use std::collections::BTreeSet;

use super::bound::target_of;
use super::document::PlanDocument;
use super::families::Families;
use super::longest_first::Assignment;
use crate::test_id::TestTable;

/// How far above its bound a repaired plan may be, in millionths.
pub(crate) const REPAIR_PPM: u64 = 10_000;
/// Workers that the fullest one turns to first.
const NEAR: usize = 8;
/// Workers that it turns to where those do not settle the matter.
const FAR: usize = 48;
/// What may come back in an exchange: so many that are just short enough are looked at.
const RETURNS: usize = 6;

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

/// The units of one family on one worker, by family.
type Part = (u32, Vec<u32>);

/// An old plan under repair.
struct Repair<'a> {
    families: &'a Families,
    previous: &'a Previous,
    target: u64,
    worker: Vec<u32>,
    loads: Vec<u64>,
    /// By worker.
    parts: Vec<Vec<Part>>,
    /// Workers by rising load.
    ranks: BTreeSet<(u64, u32)>,
    family_of: Vec<u32>,
}

/// The old plan, with new tests placed and as few others moved as the target needs; it may stay
/// above the target where no exchange of two helps. Where the old plan as it stands
/// is not near enough to `bound`, `sharpen` gives a better one for that makespan. With the target.
pub(crate) fn repair(
    families: &Families,
    workers: usize,
    previous: &Previous,
    bound: u64,
    sharpen: impl FnOnce(u64) -> u64,
) -> (Assignment, u64) {
    let target = target_of(bound, REPAIR_PPM);
    let mut repair = Repair::new(families, workers, previous, target);
    let mut open = Vec::new();
    for unit in 0..families.work.len() as u32 {
        // A block goes where its first known test was.
        let mut old = families.tests_of(unit as usize).map(|test| previous.shard_of[test.index()]);
        match old.find(|old| (*old as usize) < workers) {
            Some(old) => repair.put(unit, old),
            None => open.push(unit),
        }
    }
    repair.ranks = (0..).zip(&repair.loads).map(|(at, load)| (*load, at)).collect();
    open.sort_by_key(|unit| std::cmp::Reverse(families.work[*unit as usize]));
    for unit in open {
        repair.settle(unit);
    }
    let makespan = repair.ranks.last().map_or(0, |rank| rank.0);
    if makespan > target {
        repair.target = target_of(sharpen(makespan), REPAIR_PPM);
    }
    let limit = 2 * families.work.len() + 64;
    for _ in 0..limit {
        if !repair.relieve() {
            break;
        }
    }
    (Assignment { worker: repair.worker, loads: repair.loads }, repair.target)
}

/// What may leave a worker for another: one unit, or all it has of a family.
#[derive(Clone, Copy, Debug)]
struct Offer {
    family: u32,
    /// None for all units of the family.
    unit: Option<u32>,
    work: u64,
    /// What that takes off the giver.
    freed: u64,
    /// What that puts on the taker.
    added: u64,
    /// How many more tests would stand away from home.
    churn: i64,
}

/// What changes places between the fullest worker and another.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    give: Offer,
    take: Option<Offer>,
    to: u32,
}

/// Smaller ones are better: exchanges that settle the matter before those that help and those that
/// only lower the peak; then few tests.
type Cost = (u8, i64, u64);

impl<'a> Repair<'a> {
    fn new(families: &'a Families, workers: usize, previous: &'a Previous, target: u64) -> Self {
        let mut family_of = vec![0; families.work.len()];
        for family in 0..families.len() {
            family_of[families.range(family)].fill(family as u32);
        }
        let worker = vec![NEW; families.work.len()];
        let parts = vec![Vec::new(); workers];
        let (loads, ranks) = (vec![0; workers], BTreeSet::new());
        Self { families, previous, target, worker, loads, parts, ranks, family_of }
    }

    fn part(&self, family: u32, at: u32) -> Result<usize, usize> {
        self.parts[at as usize].binary_search_by_key(&family, |part| part.0)
    }

    fn put(&mut self, unit: u32, to: u32) {
        let family = self.family_of[unit as usize];
        let known = self.part(family, to);
        let (parts, load) = (&mut self.parts[to as usize], &mut self.loads[to as usize]);
        match known {
            Ok(at) => parts[at].1.push(unit),
            Err(at) => {
                parts.insert(at, (family, vec![unit]));
                *load += self.families.setup[family as usize];
            }
        }
        *load += self.families.work[unit as usize];
        self.worker[unit as usize] = to;
    }

    fn take(&mut self, unit: u32) {
        let family = self.family_of[unit as usize];
        let from = self.worker[unit as usize];
        let Ok(at) = self.part(family, from) else { return };
        let (parts, load) = (&mut self.parts[from as usize], &mut self.loads[from as usize]);
        parts[at].1.retain(|other| *other != unit);
        *load -= self.families.work[unit as usize];
        if parts[at].1.is_empty() {
            parts.remove(at);
            *load -= self.families.setup[family as usize];
        }
    }

    /// What a family costs beside its units where it does not run yet.
    fn entry(&self, family: u32, to: u32) -> u64 {
        if self.part(family, to).is_ok() { 0 } else { self.families.setup[family as usize] }
    }

    /// Places a new unit with its family where that fits, else where it ends earliest.
    fn settle(&mut self, unit: u32) {
        let family = self.family_of[unit as usize];
        let work = self.families.work[unit as usize];
        let own = self.families.range(family as usize).map(|other| self.worker[other]);
        let home = own.filter(|at| *at != NEW).map(|at| (self.loads[at as usize] + work, at)).min();
        let emptiest = self.ranks.first().map_or(0, |rank| rank.1);
        let end = self.loads[emptiest as usize] + work + self.entry(family, emptiest);
        let to = match home {
            Some((at_home, home)) if at_home <= self.target.max(end) => home,
            _ => emptiest,
        };
        self.ranks.remove(&(self.loads[to as usize], to));
        self.put(unit, to);
        self.ranks.insert((self.loads[to as usize], to));
    }

    /// Moves as few tests as possible off the fullest worker; false where it is not above the
    /// target or nothing helps.
    fn relieve(&mut self) -> bool {
        let Some((load, full)) = self.ranks.last().copied() else { return false };
        if load <= self.target {
            return false;
        }
        let others = self.ranks.iter().take(FAR + 1).map(|rank| rank.1);
        let others: Vec<u32> = others.filter(|at| *at != full).collect();
        let near = NEAR.min(others.len());
        let mut best = None;
        for (partners, pairs) in [(near, false), (near, true), (others.len(), true)] {
            for to in &others[..partners] {
                self.search(full, *to, pairs, &mut best);
            }
            let few = if pairs { 4 } else { 1 };
            if best.is_some_and(|((rank, churn, _), _)| rank == 0 && churn <= few) {
                break;
            }
        }
        let Some((_, exchange)) = best else { return false };
        self.apply(full, &exchange);
        true
    }

    fn apply(&mut self, full: u32, exchange: &Exchange) {
        for at in [full, exchange.to] {
            self.ranks.remove(&(self.loads[at as usize], at));
        }
        let leaving = self.units(full, &exchange.give);
        let back = exchange.take.map(|offer| self.units(exchange.to, &offer)).unwrap_or_default();
        for unit in leaving {
            self.take(unit);
            self.put(unit, exchange.to);
        }
        for unit in back {
            self.take(unit);
            self.put(unit, full);
        }
        for at in [full, exchange.to] {
            self.ranks.insert((self.loads[at as usize], at));
        }
    }

    fn units(&self, from: u32, offer: &Offer) -> Vec<u32> {
        match (offer.unit, self.part(offer.family, from)) {
            (Some(unit), _) => vec![unit],
            (None, Ok(at)) => self.parts[from as usize][at].1.clone(),
            (None, Err(_)) => Vec::new(),
        }
    }

    /// Known tests of a unit that would stand away from home on a worker.
    fn strangers(&self, unit: u32, at: u32) -> i64 {
        let old = self.families.tests_of(unit as usize);
        let old = old.map(|test| self.previous.shard_of[test.index()]);
        old.filter(|old| *old != NEW && *old != at).count() as i64
    }

    /// Whole families and single units of them that could leave `from` for `to`.
    fn offers(&self, from: u32, to: u32) -> Vec<Offer> {
        let mut offers = Vec::new();
        for (family, units) in &self.parts[from as usize] {
            let (entry, setup) = (self.entry(*family, to), self.families.setup[*family as usize]);
            let (mut work, mut churn) = (0, 0);
            for unit in units {
                let own = self.families.work[*unit as usize];
                let away = self.strangers(*unit, to) - self.strangers(*unit, from);
                if units.len() > 1 {
                    offers.push(Offer {
                        family: *family,
                        unit: Some(*unit),
                        work: own,
                        freed: own,
                        added: own + entry,
                        churn: away,
                    });
                }
                work += own;
                churn += away;
            }
            let (freed, added) = (work + setup, work + entry);
            offers.push(Offer { family: *family, unit: None, work, freed, added, churn });
        }
        offers
    }

    /// Looks at what the fullest worker could give to another, and at what could come back.
    fn search(&self, full: u32, to: u32, pairs: bool, best: &mut Option<(Cost, Exchange)>) {
        let mut offer = |give: Offer, take: Option<Offer>| {
            let exchange = Exchange { give, take, to };
            if let Some(cost) = self.cost(full, &exchange)
                && best.as_ref().is_none_or(|(known, _)| cost < *known)
            {
                *best = Some((cost, exchange));
            }
        };
        let gives = self.offers(full, to);
        if !pairs {
            gives.into_iter().for_each(|give| offer(give, None));
            return;
        }
        let mut takes = self.offers(to, full);
        takes.sort_by_key(|take| (take.added, take.unit));
        let excess = self.loads[full as usize] - self.target;
        for give in gives {
            // The longest that may come back, and some shorter ones.
            let most = give.freed.saturating_sub(excess);
            let end = takes.partition_point(|take| take.added <= most);
            let from = end.saturating_sub(RETURNS);
            for take in &takes[from..takes.len().min(end + 1)] {
                offer(give, Some(*take));
            }
        }
    }

    /// What an exchange costs: none where it does not help.
    fn cost(&self, full: u32, exchange: &Exchange) -> Option<Cost> {
        let Exchange { give, take, to } = exchange;
        let (old, other) = (self.loads[full as usize], self.loads[*to as usize]);
        let (mut less, mut more) = ((give.freed, 0), (give.added, 0));
        let mut churn = give.churn;
        if let Some(take) = take {
            (less.1, more.1) = (take.added, take.freed);
            churn += take.churn;
            if take.family == give.family {
                // Both keep the family, and pay for it.
                (less, more) = ((give.work, take.work), (give.work, take.work));
            }
        }
        let own = old - less.0 + less.1;
        let end = (other + more.0).saturating_sub(more.1);
        if own >= old || end >= old {
            return None;
        }
        if own <= self.target && end <= self.target {
            return Some((0, churn, less.0 - less.1));
        }
        if end <= self.target {
            let each = (old - own) / churn.max(1).unsigned_abs();
            return Some((1, -i64::try_from(each).unwrap_or(i64::MAX), old - own));
        }
        Some((2, i64::try_from(own.max(end)).unwrap_or(i64::MAX), end))
    }
}
