//! To the brim: families too long for one worker fill whole workers, the rest is balanced.
//!
//! Decides where a family that must be split is cut: its pieces fill as many workers as they can up
//! to a brim, and what is left of it is one more item among the families that stay whole, which the
//! balance deals to the other workers. No set-up is paid more often than the bound counts it, so
//! only the balance of those items is left to chance; where that fails, a higher brim takes more
//! work away from them.

use super::balance::{Effort, balance_quickly, refine};
use super::bound::target_of;
use super::longest_first::Assignment;
use super::pour::Pours;
use super::repartition::repartition;
use super::setup::Parts;

/// How far above the bound the first brim is, in millionths.
const BRIM_PPM: u64 = 60;
/// Brims that are tried.
const BRIMS: usize = 4;
/// Steps of the last improvement for each brim; the same whatever was asked for, since the next
/// brim depends on what comes of this one, and more steps must never end later.
const STEPS: u64 = 60_000;
/// Items times workers up to which more than longest first and exchange is tried.
const CAREFUL: usize = 100_000;
/// Where nothing is on a full worker.
const OPEN: u32 = u32::MAX;

/// The shortest assignment of those to some brims; none where no brim can be filled.
pub(crate) fn brim(pours: &mut Pours<'_>, workers: usize, effort: Effort) -> Option<Assignment> {
    let mut best: Option<(u64, Parts, Vec<u32>)> = None;
    let mut brim = target_of(effort.bound, BRIM_PPM);
    for _ in 0..BRIMS {
        let (parts, mut worker) = fill(pours, workers, brim)?;
        let Some(longest) = balance_open(&parts, &mut worker, workers, brim) else {
            // No worker is left: a higher brim frees some.
            brim = brim.saturating_add((brim - effort.bound).saturating_mul(4));
            continue;
        };
        let makespan = parts.work.iter().copied().filter(|work| *work <= brim).max();
        let makespan = longest.max(makespan.unwrap_or(0));
        if best.as_ref().is_none_or(|(known, ..)| makespan < *known) {
            best = Some((makespan, parts, worker));
        }
        if longest <= brim.max(effort.target) {
            break;
        }
        brim += (longest - brim) / 2;
    }
    let (_, parts, worker) = best?;
    let placed = Assignment { worker, loads: Vec::new() };
    Some(parts.spread(pours.families, &placed, workers))
}

/// Cuts families at the brim. Each part has its worker where it fills one.
fn fill(pours: &mut Pours<'_>, workers: usize, brim: u64) -> Option<(Parts, Vec<u32>)> {
    let families = pours.families;
    let mut parts = Parts::default();
    parts.of_unit.resize(families.work.len(), 0);
    let mut placed = Vec::with_capacity(families.len());
    let mut full = 0;
    for family in 0..families.len() {
        let setup = families.setup[family];
        let total = families.total(family);
        if total <= brim {
            parts.of_unit[families.range(family)].fill(placed.len() as u32);
            parts.push(family, total);
            placed.push(OPEN);
            continue;
        }
        let pour = pours.full(family);
        loop {
            let part = placed.len() as u32;
            let of_unit = &mut parts.of_unit;
            let taken = pour.take(brim - setup, |unit| of_unit[unit as usize] = part)?;
            parts.push(family, setup + taken);
            if pour.is_empty() {
                placed.push(OPEN);
                break;
            }
            if full == workers {
                return None;
            }
            placed.push(full as u32);
            full += 1;
        }
    }
    Some((parts, placed))
}

/// Deals the parts that fill no worker to the workers that are left; the longest of those.
fn balance_open(parts: &Parts, worker: &mut [u32], workers: usize, brim: u64) -> Option<u64> {
    let full = worker.iter().filter(|at| **at != OPEN).count();
    let open: Vec<usize> = (0..worker.len()).filter(|part| worker[*part] == OPEN).collect();
    let items: Vec<u64> = open.iter().map(|part| parts.work[*part]).collect();
    let free = workers - full;
    if free == 0 {
        return None;
    }
    let mut dealt = balance_quickly(&items, free, brim);
    // With many items the next brim does it, for less.
    if items.len().saturating_mul(free) <= CAREFUL {
        dealt = refine(&items, dealt, Effort::new(brim, 0, 0));
        repartition(&items, &mut dealt, brim, STEPS);
    }
    for (part, at) in open.into_iter().zip(&dealt.worker) {
        worker[part] = full as u32 + at;
    }
    Some(dealt.makespan())
}
