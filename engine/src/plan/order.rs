//! Order inside a shard: which class runs first, and which test of it.
//!
//! Decides nothing about balance. Classes stay together, so that a set-up is paid once; those that
//! may take longest come first, so that what goes wrong goes wrong early. The head of a shard may
//! be fixed and the tail left to whoever is idle.

use super::families::{Families, cap};
use super::pools::Sites;
use super::{PlanOptions, RunOrder, Shard, Span, Workload};
use crate::test_id::{GroupId, TestId};
use crate::units::Micros;

/// The tests of one family in one lane of a shard.
struct Chunk {
    family: u32,
    units: Vec<u32>,
    /// Larger ones run first.
    rank: (bool, Micros),
}

/// Where everything runs: for each unit a slot, and which of them run alone on their machine.
pub(crate) struct Layout<'a> {
    pub(crate) families: &'a Families,
    pub(crate) sites: &'a Sites,
    pub(crate) site: &'a [u32],
    /// True where serial units have a lane of their own.
    pub(crate) lanes: bool,
}

/// Fills the shards of an assignment of units.
pub(crate) fn fill(
    workload: &Workload<'_>,
    layout: &Layout<'_>,
    options: &PlanOptions,
) -> Vec<Shard> {
    let families = layout.families;
    let lanes = layout.sites.slots + usize::from(layout.lanes);
    let shards = layout.sites.pool_of.len();
    let mut chunks: Vec<Vec<Chunk>> = (0..shards * lanes).map(|_| Vec::new()).collect();
    for family in 0..families.len() {
        let serial = layout.lanes && families.kind(family).serial;
        for unit in families.range(family) {
            let site = layout.site[unit] as usize;
            let (machine, slot) = (site / layout.sites.slots, site % layout.sites.slots);
            let lane = if serial { 0 } else { slot + usize::from(layout.lanes) };
            let own = &mut chunks[machine * lanes + lane];
            if own.last().is_none_or(|chunk| chunk.family != family as u32) {
                let rank = (false, Micros::new(families.setup[family]));
                own.push(Chunk { family: family as u32, units: Vec::new(), rank });
            }
            if let Some(chunk) = own.last_mut() {
                let (failed, risk) = rank(workload, families, unit, options.order);
                chunk.units.push(unit as u32);
                chunk.rank = (chunk.rank.0 | failed, chunk.rank.1 + risk);
            }
        }
    }
    let mut writer = Writer::new(workload, layout);
    let mut filled = Vec::with_capacity(shards);
    let mut lanes_of = Vec::with_capacity(lanes);
    for own in chunks {
        lanes_of.push(own);
        if lanes_of.len() == lanes {
            filled.push(writer.shard(std::mem::take(&mut lanes_of), filled.len(), options));
        }
    }
    writer.mark_whole(&mut filled);
    filled
}

/// What may go wrong with a unit: whether it failed lately, and its upper quantile.
fn rank(
    workload: &Workload<'_>,
    families: &Families,
    unit: usize,
    order: RunOrder,
) -> (bool, Micros) {
    let failed = order == RunOrder::FailedFirst
        && families.tests_of(unit).any(|test| workload.failed_lately(test));
    let risk = families.tests_of(unit).map(|test| workload.upper()[test.index()]).sum();
    (failed, risk)
}

/// Writes shards one after another; counts in how many each group stands.
struct Writer<'a> {
    workload: &'a Workload<'a>,
    layout: &'a Layout<'a>,
    /// The last lane that paid for a group.
    paid: Vec<u32>,
    lane: u32,
}

impl<'a> Writer<'a> {
    fn new(workload: &'a Workload<'a>, layout: &'a Layout<'a>) -> Self {
        let paid = vec![0; workload.tests().group_count()];
        Self { workload, layout, paid, lane: 0 }
    }

    fn shard(&mut self, lanes: Vec<Vec<Chunk>>, machine: usize, options: &PlanOptions) -> Shard {
        let sites = self.layout.sites;
        let pool = usize::from(sites.pool_of[machine]);
        let mut shard = Shard { pool: sites.pools[pool].name.clone(), ..Shard::default() };
        let alone = usize::from(self.layout.lanes);
        let (mut serial, mut longest) = ((0, 0), (0, 0));
        let several = lanes.len() > 1;
        for (at, lane) in lanes.into_iter().enumerate() {
            let before = shard.tests.len();
            let (work, setup) = self.lane(lane, options, &mut shard);
            if at < alone {
                serial = (work, setup);
            } else if work > longest.0 {
                longest = (work, setup);
            }
            if several {
                shard.lanes.push(shard.tests.len() - before);
            }
        }
        if !shard.tests.is_empty() {
            let at_speed = |work| sites.finish(pool, work);
            shard.predicted = Micros::new(at_speed(serial.0 + longest.0));
            let bare = at_speed(serial.0 + longest.0 - serial.1 - longest.1);
            shard.setup = Micros::new(shard.predicted.get() - bare);
        }
        if let (Some(share), false) = (options.fixed_permille, several) {
            shard.fixed_tests = Some(fixed(self.workload, &shard, share));
        }
        shard
    }

    /// Appends the chunks of a lane; its work, set-ups included, and the set-ups.
    fn lane(
        &mut self,
        mut chunks: Vec<Chunk>,
        options: &PlanOptions,
        shard: &mut Shard,
    ) -> (u64, u64) {
        let families = self.layout.families;
        let capped = cap(self.workload);
        self.lane += 1;
        chunks.sort_by_key(|chunk| std::cmp::Reverse(chunk.rank));
        let (mut work, mut setup) = (0, 0);
        let mut open: Option<(Option<GroupId>, usize)> = None;
        for chunk in &mut chunks {
            let first = |unit: &u32| rank(self.workload, families, *unit as usize, options.order);
            chunk.units.sort_by_cached_key(|unit| std::cmp::Reverse(first(unit)));
            for test in chunk.units.iter().flat_map(|unit| families.tests_of(*unit as usize)) {
                let group = self.workload.tests().group(test);
                if let Some(group) = group
                    && self.paid[group.index()] != self.lane
                {
                    self.paid[group.index()] = self.lane;
                    setup += capped(self.workload.setup()[group.index()]);
                }
                work += capped(self.workload.mean()[test.index()]);
                shard.tests.push(test);
                match &mut open {
                    Some((last, tests)) if group.is_some() && *last == group => *tests += 1,
                    _ => {
                        close(open.take(), shard);
                        open = Some((group, 1));
                    }
                }
            }
        }
        close(open, shard);
        (work + setup, setup)
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
