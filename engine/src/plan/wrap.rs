//! Wrap: whole families packed into a target, what fits nowhere poured over the emptiest workers.
//!
//! Decides the smallest target into which everything goes, and how many workers a target needs.
//! Never looks at how the families could be cut otherwise.

use super::balance::Effort;
use super::exchange::exchange;
use super::families::Families;
use super::longest_first::{Assignment, Order};
use super::packing::Room;
use super::pour::Pours;
use super::setup::Parts;

/// `wrap` looks no nearer to the bound than one part in this power of two.
const WRAP_STEP: u32 = 14;
/// How often the last widening is halved again: to a sixteenth of what is above the bound.
const NARROWINGS: usize = 3;

/// A packing of families: whole ones by family, the units of the others one by one.
pub(crate) struct Packing {
    /// For each family its worker; [`POURED`] where it is spread.
    whole: Vec<u32>,
    /// Units of spread families, each with its worker.
    poured: Vec<(u32, u32)>,
}

const POURED: u32 = u32::MAX;

impl Packing {
    /// How many workers have anything, all of them before those that have nothing.
    fn used(&self) -> u32 {
        let whole = self.whole.iter().filter(|at| **at != POURED);
        whole.chain(self.poured.iter().map(|(_, at)| at)).max().map_or(1, |last| last + 1)
    }

    /// The worker of each unit.
    pub(crate) fn spread(&self, families: &Families) -> Vec<u32> {
        let mut worker = vec![0; families.work.len()];
        for (family, at) in self.whole.iter().enumerate() {
            if *at != POURED {
                worker[families.range(family)].fill(*at);
            }
        }
        for (unit, at) in &self.poured {
            worker[*unit as usize] = *at;
        }
        worker
    }
}

/// The search for the smallest target into which everything can be packed.
pub(crate) struct Wrap<'p, 'a> {
    pours: &'p mut Pours<'a>,
    families: &'a Families,
    workers: usize,
    /// Families by falling total, up to the width of a bucket.
    order: Vec<u32>,
}

impl<'p, 'a> Wrap<'p, 'a> {
    pub(crate) fn new(pours: &'p mut Pours<'a>, workers: usize) -> Self {
        let families = pours.families;
        let totals: Vec<u64> = (0..families.len()).map(|family| families.total(family)).collect();
        let order = Order::descending(&totals, 1).pairs().map(|(_, family)| family).collect();
        Self { pours, families, workers, order }
    }

    /// Widens the target until the packing succeeds, narrows it again, then exchanges parts.
    pub(crate) fn search(mut self, effort: Effort) -> Option<Assignment> {
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
        for _ in 0..NARROWINGS {
            let middle = low + (high - low) / 2;
            if high - low <= step {
                break;
            }
            match self.pack(middle) {
                Some(answer) => (found, high) = (answer, middle),
                None => low = middle,
            }
        }
        let worker = found.spread(self.families);
        let loads = self.families.loads(&worker, self.workers);
        let answer = Assignment { worker, loads };
        if answer.makespan() <= target {
            return Some(answer);
        }
        let (parts, mut placed) = Parts::of(self.families, &answer);
        let order = Order::descending(&parts.work, self.workers);
        exchange(&order, &mut placed, target);
        let better = parts.spread(self.families, &placed, self.workers);
        Some(answer.or_shorter(better))
    }

    /// Packs everything so that no worker ends after `target`.
    fn pack(&mut self, target: u64) -> Option<Packing> {
        let mut room = Room::new(self.workers, target);
        let whole = vec![POURED; self.families.len()];
        let mut packing = Packing { whole, poured: Vec::new() };
        for at in 0..self.order.len() {
            let family = self.order[at] as usize;
            if let Some(first) = room.take_first(self.families.total(family)) {
                packing.whole[family] = first;
            } else {
                self.pour(family, &mut room, &mut packing.poured)?;
            }
        }
        Some(packing)
    }

    /// Pours the units of one family over the emptiest workers, the set-up paid on each.
    fn pour(&mut self, family: usize, room: &mut Room, poured: &mut Vec<(u32, u32)>) -> Option<()> {
        let setup = self.families.setup[family];
        let pour = self.pours.full(family);
        while !pour.is_empty() {
            let (at, free) = room.emptiest();
            let taken = pour.take(free.checked_sub(setup)?, |unit| poured.push((unit, at)))?;
            room.fill(at, setup + taken);
        }
        Some(())
    }
}

/// A packing of everything into as few workers as first fit needs to end at `target`, which is at
/// least the longest unit with its set-up: how many there are, and who
/// runs what.
pub(crate) fn packed(pours: &mut Pours<'_>, target: u64) -> (u32, Packing) {
    let families = pours.families;
    let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
    let units = families.work.len().max(1);
    // First fit leaves no two workers that would fit on one: twice the area is nearly always enough.
    let area = total.checked_div(target).unwrap_or(0) as usize;
    let mut workers = area.saturating_mul(2).saturating_add(2).clamp(1, units);
    let mut wrap = Wrap::new(pours, workers);
    loop {
        wrap.workers = workers;
        if let Some(packing) = wrap.pack(target) {
            return (packing.used(), packing);
        }
        if workers == units {
            let poured = (0..units as u32).zip(0..).collect();
            return (units as u32, Packing { whole: vec![POURED; families.len()], poured });
        }
        workers = workers.saturating_mul(2).min(units);
    }
}
