//! Placement with differences: workers of unequal speed, items that not every worker may take,
//! pairs that must not meet, lanes where tests run alone.
//!
//! Decides by earliest finish, longest items first (those with the most enemies before all), then
//! improves by moves and swaps. The fast path for equal workers is elsewhere.

use std::collections::BTreeSet;

use super::pools::Sites;

/// What is placed: work at the reference speed, tags it needs, items it must not meet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items {
    pub(crate) work: Vec<u64>,
    pub(crate) tags: Vec<u64>,
    /// For each item the others that must be on another machine.
    pub(crate) enemies: Vec<Vec<u32>>,
    /// True for what stops all slots of its machine.
    pub(crate) alone: Vec<bool>,
}

/// A placement: the slot of each item, and for each slot what it carries.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub(crate) site: Vec<u32>,
    load: Vec<u64>,
}

/// Rounds of improvement for each slot.
const ROUNDS: usize = 4;
/// Slots that the fullest one tries to swap with.
const PARTNERS: usize = 12;

/// Places all items, those that run alone first.
///
/// # Errors
/// The item for which no slot is left.
pub(crate) fn place(items: &Items, sites: &Sites) -> Result<Placement, u32> {
    let mut order: Vec<u32> = (0..items.work.len() as u32).collect();
    order.sort_by_key(|item| {
        let at = *item as usize;
        let (enemies, work) = (items.enemies[at].len(), items.work[at]);
        // Of those that may not meet, the ones that few machines can take come first.
        let bound = enemies > 0 && items.tags[at] != 0;
        std::cmp::Reverse((items.alone[at], bound, enemies, work))
    });
    let mut load = vec![0; sites.len()];
    let mut site = vec![u32::MAX; items.work.len()];
    let mut free: Vec<BTreeSet<(u64, u32)>> = vec![BTreeSet::new(); sites.pools.len()];
    for (at, load) in load.iter().enumerate() {
        free[usize::from(sites.pool_of[sites.machine(at as u32)])].insert((*load, at as u32));
    }
    for item in order {
        let at = item as usize;
        let taken: Vec<usize> = items.enemies[at]
            .iter()
            .map(|enemy| site[*enemy as usize])
            .filter(|site| *site != u32::MAX)
            .map(|site| sites.machine(site))
            .collect();
        let mut best: Option<(u64, usize, (u64, u32))> = None;
        for (pool, free) in free.iter().enumerate() {
            if !sites.may(pool, items.tags[at]) {
                continue;
            }
            let first = free.iter().find(|(_, slot)| !taken.contains(&sites.machine(*slot)));
            if let Some(slot) = first {
                let finish = sites.finish(pool, slot.0 + items.work[at]);
                if best.is_none_or(|(known, _, _)| finish < known) {
                    best = Some((finish, pool, *slot));
                }
            }
        }
        let (_, pool, slot) = best.ok_or(item)?;
        site[at] = slot.1;
        let machine = (sites.machine(slot.1) * sites.slots) as u32;
        let stopped = if items.alone[at] {
            machine..machine + sites.slots as u32
        } else {
            slot.1..slot.1 + 1
        };
        for slot in stopped {
            let load = &mut load[slot as usize];
            free[pool].remove(&(*load, slot));
            *load += items.work[at];
            free[pool].insert((*load, slot));
        }
    }
    Ok(Placement { site, load })
}

impl Placement {
    /// When a slot is done.
    fn finish(&self, sites: &Sites, site: u32) -> u64 {
        let pool = usize::from(sites.pool_of[sites.machine(site)]);
        sites.finish(pool, self.load[site as usize])
    }

    /// When the last slot that carries anything is done.
    pub(crate) fn makespan(&self, sites: &Sites) -> u64 {
        (0..self.load.len() as u32)
            .filter(|site| self.load[*site as usize] > 0)
            .map(|site| self.finish(sites, site))
            .max()
            .unwrap_or(0)
    }

    /// Moves and swaps items off the slot that is done last, until `target` or nothing helps.
    pub(crate) fn improve(&mut self, items: &Items, sites: &Sites, target: u64) {
        let mut held: Vec<Vec<u32>> = vec![Vec::new(); self.load.len()];
        let moving = self.site.iter().enumerate().filter(|(item, _)| !items.alone[*item]);
        for (item, site) in moving {
            held[*site as usize].push(item as u32);
        }
        let mut ranks: BTreeSet<(u64, u32)> =
            (0..self.load.len() as u32).map(|site| (self.finish(sites, site), site)).collect();
        for _ in 0..ROUNDS * self.load.len() + 64 {
            let busy = |rank: &&(u64, u32)| self.load[rank.1 as usize] > 0;
            let Some(last) = ranks.iter().rev().find(busy).copied() else { break };
            if last.0 <= target {
                break;
            }
            let partners: Vec<u32> = ranks.iter().take(PARTNERS).map(|rank| rank.1).collect();
            let Some(swap) = self.best_swap((items, sites), &held, last, &partners) else { break };
            for site in [last.1, swap.to] {
                ranks.remove(&(self.finish(sites, site), site));
            }
            self.apply(items, &mut held, last.1, &swap);
            for site in [last.1, swap.to] {
                ranks.insert((self.finish(sites, site), site));
            }
        }
    }

    fn apply(&mut self, items: &Items, held: &mut [Vec<u32>], from: u32, swap: &Swap) {
        let mut shift = |item: u32, from: u32, to: u32| {
            held[from as usize].retain(|other| *other != item);
            held[to as usize].push(item);
            self.site[item as usize] = to;
            self.load[from as usize] -= items.work[item as usize];
            self.load[to as usize] += items.work[item as usize];
        };
        shift(swap.give, from, swap.to);
        if let Some(back) = swap.take {
            shift(back, swap.to, from);
        }
    }

    /// The best swap off the slot that is done last, `last` by finish and slot.
    fn best_swap(
        &self,
        (items, sites): (&Items, &Sites),
        held: &[Vec<u32>],
        last: (u64, u32),
        partners: &[u32],
    ) -> Option<Swap> {
        let full = last.1;
        let speed = |site: u32| f64::from(sites.pool(site).speed_permille.max(1)) / 1000.0;
        let mut best: Option<(u64, Swap)> = None;
        for to in partners.iter().copied().filter(|to| *to != full) {
            let mut back: Vec<(u64, u32)> =
                held[to as usize].iter().map(|item| (items.work[*item as usize], *item)).collect();
            back.sort_unstable();
            let spread = last.0.saturating_sub(self.finish(sites, to)) as f64;
            let (a, b) = (speed(full), speed(to));
            let wanted = (spread * a * b / (a + b)) as u64;
            for give in &held[full as usize] {
                let work = items.work[*give as usize];
                let near = back.partition_point(|(other, _)| other + wanted <= work);
                let takes = [near.checked_sub(1), Some(near)].into_iter().flatten();
                let takes = takes.filter_map(|at| back.get(at)).map(|(_, item)| Some(*item));
                for take in takes.chain([None]) {
                    let swap = Swap { give: *give, take, to };
                    let peak = self.peak(items, sites, full, &swap);
                    if peak < last.0
                        && best.as_ref().is_none_or(|(known, _)| peak < *known)
                        && self.legal(items, sites, full, &swap)
                    {
                        best = Some((peak, swap));
                    }
                }
            }
        }
        best.map(|(_, swap)| swap)
    }

    /// When the later of two slots would be done after a swap.
    fn peak(&self, items: &Items, sites: &Sites, from: u32, swap: &Swap) -> u64 {
        let give = items.work[swap.give as usize];
        let take = swap.take.map_or(0, |item| items.work[item as usize]);
        let pool = |site: u32| usize::from(sites.pool_of[sites.machine(site)]);
        let own = sites.finish(pool(from), self.load[from as usize] - give + take);
        let other = sites.finish(pool(swap.to), self.load[swap.to as usize] - take + give);
        own.max(other)
    }

    fn legal(&self, items: &Items, sites: &Sites, from: u32, swap: &Swap) -> bool {
        let fits = |item: u32, to: u32, leaving: Option<u32>| {
            let pool = usize::from(sites.pool_of[sites.machine(to)]);
            sites.may(pool, items.tags[item as usize])
                && items.enemies[item as usize].iter().all(|enemy| {
                    Some(*enemy) == leaving
                        || sites.machine(self.site[*enemy as usize]) != sites.machine(to)
                })
        };
        // Slots of one machine: who leaves the slot still is on the machine.
        let same = sites.machine(from) == sites.machine(swap.to);
        let leaving = |item: u32| (!same).then_some(item);
        fits(swap.give, swap.to, swap.take.and_then(leaving))
            && swap.take.is_none_or(|item| fits(item, from, leaving(swap.give)))
    }
}

/// One item goes to another slot, one may come back.
struct Swap {
    give: u32,
    take: Option<u32>,
    to: u32,
}
