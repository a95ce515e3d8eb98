//! From workload and options to who runs what: which algorithm answers which question.
//!
//! Decides the way a plan is made: equal workers by the fast path, differences by placement, an
//! earlier plan by repair. Every way ends with a bound that holds for exactly that question.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::balance::{Effort, steps_for};
use super::bound::{self, Cause, families_bound, target_of};
use super::combine::combined_bound;
use super::document::{BoundBy, BoundKind};
use super::families::{Families, cap};
use super::general::{Items, Placement, place};
use super::level::level;
use super::longest_first::Assignment;
use super::pools::Sites;
use super::pour::Pours;
use super::repair::{REPAIR_PPM, repair};
use super::setup::{Parts, assign};
use super::size::useful_workers_max;
use super::wrap::packed;
use super::{PlanError, PlanOptions, Workload};
use crate::constraint::{Block, Constraints, Tie};
use crate::test_id::TestId;
use crate::units::Micros;

/// Fewer workers that are tried, at most, so that more workers never finish later.
const DESCENTS: usize = 24;
/// Twelfths of the bound above which families are cut before they are placed.
const CUTS: [u64; 5] = [12, 6, 4, 2, 1];

/// Who runs what, and the bound.
pub(crate) struct Solved {
    pub(crate) families: Families,
    pub(crate) sites: Sites,
    /// The slot of each unit.
    pub(crate) site: Vec<u32>,
    /// True where serial units have a lane of their own.
    pub(crate) lanes: bool,
    pub(crate) bound: Limit,
    pub(crate) useful_workers_max: u32,
}

/// A lower bound with its name.
pub(crate) struct Limit {
    pub(crate) value: u64,
    pub(crate) by: BoundBy,
}

impl Limit {
    fn raise(&mut self, value: u64, kind: BoundKind, name: impl FnOnce() -> String) {
        if value > self.value {
            *self = Self { value, by: BoundBy { kind, name: name() } };
        }
    }
}

/// Answers a question of any kind.
pub(crate) fn solve(workload: &Workload<'_>, options: &PlanOptions) -> Result<Solved, PlanError> {
    let mut constraints = Cow::Borrowed(&options.constraints);
    let sites = Sites::new(&options.pools, options.shards, options.slots, &constraints);
    let mut plain = Families::of(workload);
    let workers = sites.len();
    let slots_bind = sites.slots > 1 && !constraints.serial.is_empty();
    let equal = options.pools.is_empty() && !slots_bind;
    let mut limit = first_limit(workload, &plain, &sites, options);
    if plain.has_siblings(workload.tests()) {
        let most = families_bound(&plain, workers).value;
        plain = plain.joined(workload.tests(), most);
    }
    let free = constraints.is_empty() || (constraints.blocks.is_empty() && nothing_binds(options));
    let families = if free {
        plain
    } else {
        constraints = Cow::Owned(with_siblings(&constraints, &plain));
        Families::constrained(workload, &constraints)
    };
    if !free || !options.pools.is_empty() {
        raise_by_constraints(&mut limit, workload, &families, &sites, options)?;
    }
    let constraints = &*constraints;
    let mut pours = Pours::new(&families);
    let useful = if equal && constraints.apart.is_empty() {
        useful_workers_max(&mut pours).div_ceil(options.slots.max(1))
    } else {
        families.work.len().max(1) as u32
    };
    let enemies = enemies(&families, constraints);
    let steps = options.steps.unwrap_or_else(|| steps_for(families.work.len()));
    let effort = Effort::new(limit.value, options.tolerance_ppm, steps);
    let mut answer = None;
    if equal {
        let (found, proved) = repaired_or_fresh(workload, &mut pours, workers, effort, options);
        if keeps_apart(&enemies, &found.worker, &sites) {
            if found.makespan() > effort.target {
                let sharpen = || combination(workload, workers, effort.bound, found.makespan());
                raise_by_combination(&mut limit, workers, proved.unwrap_or_else(sharpen));
            }
            answer = Some(found.worker);
        }
    }
    let site = match answer {
        Some(site) => site,
        None => differing(workload, &families, &sites, &enemies, effort)?,
    };
    Ok(Solved {
        families,
        sites,
        site,
        lanes: slots_bind,
        bound: limit,
        useful_workers_max: useful,
    })
}

/// The constraints, with tests that are selected as one kept together where none of them is
/// constrained otherwise.
fn with_siblings(constraints: &Constraints, joined: &Families) -> Constraints {
    let mut all = constraints.clone();
    let tied = all.blocks.iter().flat_map(|block| block.tests.iter().copied());
    let apart = all.apart.iter().flat_map(|(one, other)| [*one, *other]);
    let tagged = all.tags.iter().flat_map(|(_, tests)| tests.iter());
    let bound: BTreeSet<TestId> =
        tied.chain(apart).chain(tagged).chain(all.serial.iter()).collect();
    for unit in 0..joined.work.len() {
        let tests: Vec<TestId> = joined.tests_of(unit).collect();
        if tests.len() > 1 && !tests.iter().any(|test| bound.contains(test)) {
            all.blocks.push(Block { tests, tie: Tie::Together });
        }
    }
    all
}

/// True where no constraint changes what is placed.
fn nothing_binds(options: &PlanOptions) -> bool {
    let tags = options.constraints.tags.is_empty() || options.pools.is_empty();
    let serial = options.constraints.serial.is_empty() || options.slots == 1;
    tags && serial && options.constraints.apart.is_empty()
}

/// The bound of the workload without constraints.
fn first_limit(
    workload: &Workload<'_>,
    families: &Families,
    sites: &Sites,
    options: &PlanOptions,
) -> Limit {
    let work = |families: &Families| {
        let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
        let shards = sites.pool_of.len();
        BoundBy {
            kind: BoundKind::Work,
            name: format!("{} of work on {shards} workers", Micros::new(total)),
        }
    };
    if !options.pools.is_empty() {
        return Limit { value: 0, by: work(families) };
    }
    let bound = families_bound(families, sites.len());
    let by = match bound.cause {
        Cause::Unit(unit) => {
            BoundBy { kind: BoundKind::Test, name: unit_name(workload, families, unit) }
        }
        Cause::Family(family) => {
            let name = families.group(family).map(|group| workload.tests().group_name(group));
            BoundBy { kind: BoundKind::Class, name: name.unwrap_or_default().to_owned() }
        }
        Cause::Work => work(families),
    };
    Limit { value: bound.value, by }
}

fn unit_name(workload: &Workload<'_>, families: &Families, unit: usize) -> String {
    let first = families.tests_of(unit).next().unwrap_or(TestId(0));
    workload.tests().name(first).to_owned()
}

/// Blocks, serial tests and pools can each hold a run up.
fn raise_by_constraints(
    limit: &mut Limit,
    workload: &Workload<'_>,
    families: &Families,
    sites: &Sites,
    options: &PlanOptions,
) -> Result<(), PlanError> {
    let constraints = &options.constraints;
    let capped = cap(workload);
    let name = |test: TestId| workload.tests().name(test).to_owned();
    for family in 0..families.len() {
        let tags = families.kind(family).tags;
        let work = families.setup[family] + families.longest[family];
        let unit = families.range(family).start;
        let first = families.tests_of(unit).next().unwrap_or(TestId(0));
        let Some(end) = sites.earliest(work, tags) else {
            let tags = constraints.tags.iter().enumerate().take(64);
            let tag = tags.filter(|(bit, _)| families.kind(family).tags >> bit & 1 == 1);
            let tags = tag.map(|(_, (tag, _))| tag.clone()).collect();
            return Err(PlanError::NoPool { test: name(first), tags });
        };
        if !options.pools.is_empty() {
            limit.raise(end, BoundKind::Test, || name(first));
        }
    }
    for block in &constraints.blocks {
        let mut groups: Vec<_> =
            block.tests.iter().filter_map(|test| workload.tests().group(*test)).collect();
        groups.sort_unstable();
        groups.dedup();
        let work: u64 = block.tests.iter().map(|test| capped(workload.mean()[test.index()])).sum();
        let setup: u64 = groups.iter().map(|group| capped(workload.setup()[group.index()])).sum();
        let end = sites.earliest(work + setup, 0).unwrap_or(0);
        let ends = || {
            let last = block.tests.last().copied().unwrap_or(TestId(0));
            (name(block.tests[0]), name(last), block.tests.len())
        };
        match &block.tie {
            Tie::Resource(resource) => limit.raise(end, BoundKind::Resource, || resource.clone()),
            Tie::Before => limit.raise(end, BoundKind::Path, || {
                let (first, last, _) = ends();
                format!("{first} … {last}")
            }),
            Tie::Together => limit.raise(end, BoundKind::Class, || {
                let (first, _, count) = ends();
                format!("{first} and {} more that stay together", count - 1)
            }),
        }
    }
    if !options.pools.is_empty() {
        let (value, pool) = sites.bound(families, setups_of_blocks(workload, families))?;
        let by = limit.by.name.clone();
        match pool {
            Some(pool) => limit.raise(value, BoundKind::Pool, || sites.pools[pool].name.clone()),
            None => limit.raise(value, BoundKind::Work, || by),
        }
    } else if sites.slots > 1 && !constraints.serial.is_empty() {
        let beside = setups_of_blocks(workload, families);
        let area = families.work_once(sites.slots).fold(beside, u64::saturating_add);
        let value = area.div_ceil(sites.len() as u64);
        let count = constraints.serial.len();
        limit.raise(value, BoundKind::Serial, || format!("{count} tests that run alone"));
    }
    Ok(())
}

/// The set-up, once, of every group of which no family of its own is left: all its tests stand in
/// blocks.
fn setups_of_blocks(workload: &Workload<'_>, families: &Families) -> u64 {
    let tests = workload.tests();
    let mut wanting = vec![false; tests.group_count()];
    for group in tests.ids().filter_map(|test| tests.group(test)) {
        wanting[group.index()] = true;
    }
    for group in (0..families.len()).filter_map(|family| families.group(family)) {
        wanting[group.index()] = false;
    }
    let capped = cap(workload);
    let setups = workload.setup().iter().zip(wanting).filter(|(_, wanting)| *wanting);
    setups.map(|(setup, _)| capped(*setup)).fold(0, u64::saturating_add)
}

fn raise_by_combination(limit: &mut Limit, workers: usize, value: u64) {
    limit.raise(value, BoundKind::Work, || {
        format!("how the longest tests can be combined on {workers} workers")
    });
}

/// Bounds 2 to 4, where a gap remains.
fn combination(workload: &Workload<'_>, workers: usize, low: u64, high: u64) -> u64 {
    let capped = cap(workload);
    let mut falling: Vec<u64> = workload.mean().iter().map(|span| capped(*span)).collect();
    falling.sort_unstable_by(|a, b| b.cmp(a));
    combined_bound(&falling, workers, low, high)
}

/// An earlier plan repaired, unless a new one is more than a per cent shorter.
fn repaired_or_fresh(
    workload: &Workload<'_>,
    pours: &mut Pours<'_>,
    workers: usize,
    effort: Effort,
    options: &PlanOptions,
) -> (Assignment, Option<u64>) {
    let Some(previous) = options.previous.as_ref().filter(|_| options.slots == 1) else {
        return steady(pours, workers, effort);
    };
    let sharpen = |high| combination(workload, workers, effort.bound, high);
    let (old, target) = repair(pours.families, workers, previous, effort.bound, sharpen);
    if old.makespan() <= target {
        return (old, None);
    }
    let (new, proved) = steady(pours, workers, effort);
    let near = old.makespan() <= target_of(new.makespan(), REPAIR_PPM);
    (if near { old } else { new }, proved)
}

/// An assignment that is no longer than that to fewer workers: where its bound does not prove
/// that, the answers for fewer workers are made too, and the best is kept.
fn steady(pours: &mut Pours<'_>, workers: usize, effort: Effort) -> (Assignment, Option<u64>) {
    let families = pours.families;
    let (mut best, proved) = assign(pours, workers, effort);
    let longest = bound::longest(families).value;
    if best.makespan() > longest && effort.bound == longest {
        let (used, packing) = packed(pours, longest);
        if used as usize <= workers {
            let worker = packing.spread(families);
            let loads = families.loads(&worker, workers);
            best = Assignment { worker, loads };
        }
    }
    let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
    let mut falling: Vec<u64> = Vec::new();
    for fewer in (1..workers).rev().take(DESCENTS) {
        let area = total.div_ceil(fewer as u64);
        let makespan = best.makespan();
        if makespan <= longest.max(area) || makespan <= families_bound(families, fewer).value {
            break;
        }
        if families.is_plain() {
            if falling.is_empty() {
                falling.clone_from(&families.work);
                falling.sort_unstable_by(|a, b| b.cmp(a));
            }
            if makespan <= combined_bound(&falling, fewer, longest.max(area), makespan) {
                break;
            }
        }
        let bound = families_bound(families, fewer).value;
        let (mut other, _) = assign(pours, fewer, effort.towards(bound));
        if other.makespan() < makespan {
            other.loads.resize(workers, 0);
            best = other;
        }
    }
    (level(families, best), proved)
}

/// For each unit the units that must not share its shard; empty where there are none at all.
fn enemies(families: &Families, constraints: &Constraints) -> Vec<Vec<u32>> {
    if constraints.apart.is_empty() {
        return Vec::new();
    }
    let unit_of = families.unit_of_tests();
    let mut enemies = vec![Vec::new(); families.work.len()];
    for (one, other) in &constraints.apart {
        let (a, b) = (unit_of[one.index()], unit_of[other.index()]);
        enemies[a as usize].push(b);
        enemies[b as usize].push(a);
    }
    enemies
}

fn keeps_apart(enemies: &[Vec<u32>], site: &[u32], sites: &Sites) -> bool {
    enemies.iter().zip(site).all(|(enemies, own)| {
        let machine = sites.machine(*own);
        enemies.iter().all(|enemy| sites.machine(site[*enemy as usize]) != machine)
    })
}

/// Workers or items that differ: families cut in several ways, placed, the best improved.
fn differing(
    workload: &Workload<'_>,
    families: &Families,
    sites: &Sites,
    enemies: &[Vec<u32>],
    effort: Effort,
) -> Result<Vec<u32>, PlanError> {
    let mut best: Option<(u64, Parts, Items, Placement)> = None;
    for twelfths in CUTS {
        let limit = (effort.bound / 12).saturating_mul(twelfths).max(1);
        let parts = Parts::cut(families, sites.len(), limit);
        let items = items_of(families, &parts, enemies, sites);
        let placed = place(&items, sites)
            .map_err(|item| refused(workload, families, &parts, enemies, item))?;
        let makespan = placed.makespan(sites);
        if best.as_ref().is_none_or(|(known, ..)| makespan < *known) {
            best = Some((makespan, parts, items, placed));
        }
        if makespan <= effort.target {
            break;
        }
    }
    let Some((_, parts, items, mut placed)) = best else { return Ok(Vec::new()) };
    placed.improve(&items, sites, effort.target);
    Ok(parts.of_unit.iter().map(|part| placed.site[*part as usize]).collect())
}

fn items_of(families: &Families, parts: &Parts, enemies: &[Vec<u32>], sites: &Sites) -> Items {
    let tags = parts.family.iter().map(|family| families.kind(*family as usize).tags).collect();
    let alone = |family: &u32| sites.slots > 1 && families.kind(*family as usize).serial;
    let mut items = Items {
        work: parts.work.clone(),
        tags,
        enemies: vec![Vec::new(); parts.work.len()],
        alone: parts.family.iter().map(alone).collect(),
    };
    for (unit, enemies) in enemies.iter().enumerate() {
        let own = parts.of_unit[unit] as usize;
        items.enemies[own].extend(enemies.iter().map(|enemy| parts.of_unit[*enemy as usize]));
    }
    for enemies in &mut items.enemies {
        enemies.sort_unstable();
        enemies.dedup();
    }
    items
}

fn refused(
    workload: &Workload<'_>,
    families: &Families,
    parts: &Parts,
    enemies: &[Vec<u32>],
    part: u32,
) -> PlanError {
    let bound = |unit: &usize| parts.of_unit[*unit] == part && !enemies[*unit].is_empty();
    let unit = (0..enemies.len()).find(bound).unwrap_or(0);
    let mut others: Vec<String> = enemies
        .get(unit)
        .into_iter()
        .flatten()
        .map(|enemy| unit_name(workload, families, *enemy as usize))
        .collect();
    others.sort_unstable();
    others.dedup();
    PlanError::Apart { test: unit_name(workload, families, unit), others }
}
