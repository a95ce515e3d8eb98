//! Order inside a shard: which class runs first, and which test of it.
//!
//! Decides nothing about balance. Classes stay together, so that a set-up is paid once; those that
//! may take longest come first, so that what goes wrong goes wrong early. The head of a shard may
//! be fixed and the tail left to whoever is idle.

use std::cmp::Reverse;
use std::ops::Range;

use super::falling::Falling;
use super::families::{Families, cap};
use super::pools::Sites;
use super::{PlanOptions, RunOrder, Shard, Span, Workload};
use crate::test_id::{GroupId, TestId};
use crate::units::Micros;

/// Where everything runs: for each unit a slot, and which of them run alone on their machine.
pub(crate) struct Layout<'a> {
    pub(crate) families: &'a Families,
    pub(crate) sites: &'a Sites,
    pub(crate) site: &'a [u32],
    /// True where serial units have a lane of their own.
    pub(crate) lanes: bool,
}

impl Layout<'_> {
    /// Lanes of each machine.
    fn lanes(&self) -> usize {
        self.sites.slots + usize::from(self.lanes)
    }

    /// The lane of a unit of a family, counted over all machines.
    fn lane(&self, unit: usize, family: usize) -> usize {
        let site = self.site[unit] as usize;
        if self.sites.slots == 1 && !self.lanes {
            return site;
        }
        let (machine, slot) = (site / self.sites.slots, site % self.sites.slots);
        let serial = self.lanes && self.families.kind(family).serial;
        let own = if serial { 0 } else { slot + usize::from(self.lanes) };
        machine * self.lanes() + own
    }
}

/// Fills the shards of an assignment of units. O(n log n) in the units of a chunk.
pub(crate) fn fill(
    workload: &Workload<'_>,
    layout: &Layout<'_>,
    options: &PlanOptions,
) -> Vec<Shard> {
    let chunks = Chunks::of(workload, layout, options.order);
    let machines = layout.sites.pool_of.len();
    let mut writer = Writer::new(workload, layout, &chunks);
    let mut filled: Vec<Shard> =
        (0..machines).map(|machine| writer.shard(machine, options)).collect();
    writer.mark_whole(&mut filled);
    filled
}

/// How long something may take, above all of that what failed lately: larger ones run first.
type Rank = u64;

/// Set in the rank of what failed lately.
const FAILED: Rank = 1 << 63;

/// The tests of one family in one lane of a shard.
#[derive(Clone, Copy)]
struct Chunk {
    rank: Rank,
    family: u32,
    lane: u32,
    /// Where its units stand among all.
    start: u32,
    end: u32,
}

/// Everything that is to run, lane by lane, in the order in which it runs.
struct Chunks {
    chunks: Vec<Chunk>,
    /// By lane, where its chunks end.
    lane_ends: Vec<u32>,
    units: Vec<u32>,
}

impl Chunks {
    fn of(workload: &Workload<'_>, layout: &Layout<'_>, order: RunOrder) -> Self {
        let families = layout.families;
        let lanes = layout.sites.pool_of.len() * layout.lanes();
        // One more than the last chunk of each lane.
        let mut last = vec![0_u32; lanes];
        let mut chunks: Vec<Chunk> = Vec::with_capacity(families.len());
        let mut chunk_of: Vec<u32> = Vec::with_capacity(families.work.len());
        for family in 0..families.len() {
            for unit in families.range(family) {
                let lane = layout.lane(unit, family);
                let known = (last[lane] as usize).checked_sub(1);
                let at = match known.filter(|at| chunks[*at].family == family as u32) {
                    Some(at) => at,
                    None => {
                        let (family, lane) = (family as u32, lane as u32);
                        let rank = families.setup[family as usize];
                        chunks.push(Chunk { rank, family, lane, start: 0, end: 0 });
                        last[lane as usize] = chunks.len() as u32;
                        chunks.len() - 1
                    }
                };
                let own = rank(workload, families, unit, order);
                let chunk = &mut chunks[at];
                chunk.rank = add(chunk.rank, own);
                chunk.end += 1;
                chunk_of.push(at as u32);
            }
        }
        let units = place(&mut chunks, &chunk_of);
        let mut all = Self { chunks, lane_ends: vec![0; lanes], units };
        all.sort(|unit| rank(workload, families, unit as usize, order));
        all
    }

    /// Sorts chunks within lanes and units within chunks.
    fn sort(&mut self, rank: impl Fn(u32) -> Rank) {
        let (mut sorter, mut unsorted) = (Falling::default(), Vec::new());
        for chunk in self.chunks.iter().filter(|chunk| chunk.end - chunk.start > 1) {
            let units = &mut self.units[chunk.start as usize..chunk.end as usize];
            unsorted.clear();
            unsorted.extend(units.iter().map(|unit| (rank(*unit), *unit)));
            let mut sorted = units.iter_mut();
            sorter.sort(unsorted.iter().map(|(rank, _)| *rank), |_, at| {
                if let Some(unit) = sorted.next() {
                    *unit = unsorted[at as usize].1;
                }
            });
        }
        self.chunks.sort_unstable_by_key(|chunk| (chunk.lane, Reverse(chunk.rank), chunk.start));
        for (at, chunk) in (1..).zip(&self.chunks) {
            self.lane_ends[chunk.lane as usize] = at;
        }
        let mut before = 0;
        for end in &mut self.lane_ends {
            before = before.max(*end);
            *end = before;
        }
    }

    /// The chunks of a lane.
    fn lane(&self, lane: usize) -> Range<usize> {
        let start = lane.checked_sub(1).map_or(0, |before| self.lane_ends[before]);
        start as usize..self.lane_ends[lane] as usize
    }

    fn units(&self, chunk: usize) -> &[u32] {
        let Chunk { start, end, .. } = self.chunks[chunk];
        &self.units[start as usize..end as usize]
    }
}

/// Gives every chunk its place among the units, and every unit its place there.
fn place(chunks: &mut [Chunk], chunk_of: &[u32]) -> Vec<u32> {
    let mut next = 0;
    for chunk in &mut *chunks {
        // Counted so far in `end`, which now runs from the start to the end.
        let count = std::mem::replace(&mut chunk.end, next);
        chunk.start = next;
        next += count;
    }
    let mut units = vec![0; chunk_of.len()];
    for (unit, chunk) in (0..).zip(chunk_of) {
        let end = &mut chunks[*chunk as usize].end;
        units[*end as usize] = unit;
        *end += 1;
    }
    units
}

/// The rank of two things together.
fn add(one: Rank, other: Rank) -> Rank {
    let risk = (one & !FAILED).saturating_add(other & !FAILED).min(!FAILED);
    (one | other) & FAILED | risk
}

/// What may go wrong with a unit: whether it failed lately, and its upper quantile.
fn rank(workload: &Workload<'_>, families: &Families, unit: usize, order: RunOrder) -> Rank {
    let own = families.tests_of(unit).map(|test| workload.upper()[test.index()].get());
    let risk = own.fold(0, u64::saturating_add).min(!FAILED);
    let failed = order == RunOrder::FailedFirst
        && families.tests_of(unit).any(|test| workload.failed_lately(test));
    if failed { FAILED | risk } else { risk }
}

/// Writes shards one after another; counts in how many each group stands.
struct Writer<'a> {
    workload: &'a Workload<'a>,
    layout: &'a Layout<'a>,
    chunks: &'a Chunks,
    /// The last lane that paid for a group, with one more.
    paid: Vec<u32>,
}

impl<'a> Writer<'a> {
    fn new(workload: &'a Workload<'a>, layout: &'a Layout<'a>, chunks: &'a Chunks) -> Self {
        let paid = vec![0; workload.tests().group_count()];
        Self { workload, layout, chunks, paid }
    }

    fn shard(&mut self, machine: usize, options: &PlanOptions) -> Shard {
        let sites = self.layout.sites;
        let pool = usize::from(sites.pool_of[machine]);
        let mut shard = Shard { pool: sites.pools[pool].name.clone(), ..Shard::default() };
        let alone = usize::from(self.layout.lanes);
        let (mut serial, mut longest) = ((0, 0), (0, 0));
        let lanes = self.layout.lanes();
        for at in 0..lanes {
            let before = shard.tests.len();
            let (work, setup) = self.lane(machine * lanes + at, &mut shard);
            if at < alone {
                serial = (work, setup);
            } else if work > longest.0 {
                longest = (work, setup);
            }
            if lanes > 1 {
                shard.lanes.push(shard.tests.len() - before);
            }
        }
        if !shard.tests.is_empty() {
            let at_speed = |work| sites.finish(pool, work);
            shard.predicted = Micros::new(at_speed(serial.0 + longest.0));
            let bare = at_speed(serial.0 + longest.0 - serial.1 - longest.1);
            shard.setup = Micros::new(shard.predicted.get() - bare);
        }
        if let (Some(share), 1) = (options.fixed_permille, lanes) {
            shard.fixed_tests = Some(fixed(self.workload, &shard, share));
        }
        shard
    }

    /// Appends the chunks of a lane; its work, set-ups included, and the set-ups.
    fn lane(&mut self, lane: usize, shard: &mut Shard) -> (u64, u64) {
        let (families, chunks) = (self.layout.families, self.chunks);
        let all = chunks.lane(lane);
        shard.tests.reserve(all.clone().map(|at| chunks.units(at).len()).sum());
        shard.spans.reserve(all.len());
        let (mut work, mut setup) = (0, 0);
        let mut open: Option<(Option<GroupId>, usize)> = None;
        for at in all {
            let units = chunks.units(at);
            work += units.iter().map(|unit| families.work[*unit as usize]).sum::<u64>();
            let before = shard.tests.len();
            shard.tests.extend(units.iter().flat_map(|unit| families.tests_of(*unit as usize)));
            let (mut from, end) = (before, shard.tests.len());
            // All tests of a family that is a group are of that group.
            let group = families.group(chunks.chunks[at].family as usize);
            while from < end {
                let own = group.or_else(|| self.workload.tests().group(shard.tests[from]));
                let count = if group.is_some() { end - from } else { 1 };
                match &mut open {
                    Some((last, tests)) if own.is_some() && *last == own => *tests += count,
                    _ => {
                        setup += own.map_or(0, |group| self.pay(group, lane));
                        close(open.replace((own, count)), shard);
                    }
                }
                from += count;
            }
        }
        close(open, shard);
        (work + setup, setup)
    }

    /// What a group costs a lane that begins with it; nothing where it was there before.
    fn pay(&mut self, group: GroupId, lane: usize) -> u64 {
        let paid = std::mem::replace(&mut self.paid[group.index()], lane as u32 + 1);
        if paid == lane as u32 + 1 {
            return 0;
        }
        cap(self.workload)(self.workload.setup()[group.index()])
    }

    /// Marks the spans whose group stands nowhere else.
    fn mark_whole(&self, shards: &mut [Shard]) {
        let mut seen = vec![(u32::MAX, 0u32); self.workload.tests().group_count()];
        for (at, shard) in (0..).zip(&*shards) {
            for group in shard.spans.iter().filter_map(|span| span.group) {
                let (last, count) = &mut seen[group.index()];
                if *last != at {
                    (*last, *count) = (at, *count + 1);
                }
            }
        }
        for span in shards.iter_mut().flat_map(|shard| &mut shard.spans) {
            span.whole = span.group.is_none_or(|group| seen[group.index()].1 == 1);
        }
    }
}

fn close(open: Option<(Option<GroupId>, usize)>, shard: &mut Shard) {
    if let Some((group, tests)) = open {
        shard.spans.push(Span { group, tests, whole: true });
    }
}

/// How many tests of a shard are fixed: whole spans from the front until they hold the share.
fn fixed(workload: &Workload<'_>, shard: &Shard, permille: u32) -> usize {
    let span_of = |tests: &[TestId]| -> u64 {
        tests.iter().map(|test| workload.mean()[test.index()].get()).fold(0, u64::saturating_add)
    };
    let wanted = u128::from(span_of(&shard.tests)) * u128::from(permille);
    let (mut tests, mut work) = (0, 0u64);
    for span in &shard.spans {
        if u128::from(work) * 1000 >= wanted {
            break;
        }
        work = work.saturating_add(span_of(&shard.tests[tests..tests + span.tests]));
        tests += span.tests;
    }
    tests
}
