//! Families with set-ups: whole classes first, a class split only where it would stretch the run.
//!
//! Decides which families are split and over which workers. Up to four answers are made and the
//! best is kept: **whole** (no family split), **brim** (families too long for one worker fill whole
//! workers, the rest is balanced), **wrap** (whole families packed into a target, what fits nowhere
//! poured over the emptiest workers) and **split** (large families cut into even parts
//! beforehand). Never splits a family where whole families balance.

use super::balance::{Effort, STEPS_MIN, balance_quickly, deal_and_prove, refine};
use super::brim::brim;
use super::families::Families;
use super::longest_first::{Assignment, longest_first};
use super::pour::Pours;
use super::repartition::repartition;
use super::wrap::Wrap;

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
/// Large workloads that come this near to the bound (in millionths) are not improved further.
const LARGE_PPM: u64 = 5_000;
/// Units up to which everything is tried for the last part in ten thousand.
const SPLIT_UNITS: usize = 8_192;

/// Assigns units to workers. With the bound that was proved on the way, where that was looked for.
pub(crate) fn assign(
    pours: &mut Pours<'_>,
    workers: usize,
    effort: Effort,
) -> (Assignment, Option<u64>) {
    let families = pours.families;
    let totals: Vec<u64> = (0..families.len()).map(|family| families.total(family)).collect();
    if families.is_plain() {
        let mut best = refine(&totals, balance_quickly(&totals, workers, effort.target), effort);
        let proved = deal_and_prove(&totals, &mut best, effort);
        return (whole(families, best), Some(proved));
    }
    let effort = effort.within(CLASS_PPM);
    let steps = effort.steps.min(STEPS_MIN);
    let near = effort.within(WHOLE_PPM).target;
    let mut best = balance_quickly(&totals, workers, effort.target);
    if totals.iter().all(|total| *total <= near) {
        best = refine(&totals, best, effort);
    }
    if best.makespan() <= near {
        repartition(&totals, &mut best, effort.target, steps);
        return (whole(families, best), None);
    }
    (cut(pours, workers, whole(families, best), effort), None)
}

/// The same where some families are cut.
fn cut(pours: &mut Pours<'_>, workers: usize, mut best: Assignment, effort: Effort) -> Assignment {
    let families = pours.families;
    let small = families.work.len() <= SPLIT_UNITS;
    let enough = if small { effort.target } else { effort.within(LARGE_PPM).target };
    if families.setup.iter().all(|setup| *setup == 0) {
        // Nothing is known to be paid twice: no class makes up more than a quarter of a shard, so
        // that one which turns out slow as a whole is shared by several workers.
        let cap = (effort.bound / 12).saturating_mul(UNPAID_TWELFTHS).max(1);
        best = split(families, workers, cap, effort.target);
        if best.makespan() <= enough {
            return best;
        }
    }
    if let Some(other) = brim(pours, workers, effort) {
        best = best.or_shorter(other);
    }
    if best.makespan() <= enough {
        return best;
    }
    if let Some(other) = Wrap::new(pours, workers).search(effort) {
        best = best.or_shorter(other);
    }
    for twelfths in SPLIT_TWELFTHS {
        if best.makespan() <= enough {
            return best;
        }
        let cap = (effort.bound / 12).saturating_mul(twelfths).max(1);
        best = best.or_shorter(split(families, workers, cap, effort.target));
    }
    let (parts, mut placed) = Parts::of(families, &best);
    repartition(&parts.work, &mut placed, effort.target, effort.steps.min(STEPS_MIN));
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
    /// One more part of a family.
    pub(crate) fn push(&mut self, family: usize, work: u64) {
        self.work.push(work);
        self.family.push(family as u32);
    }

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
        // A set-up above the cap whose tests take no time is one part still.
        let count = count.min(units.len() as u64).min(workers as u64).max(1) as usize;
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
