//! Pools: workers that differ in speed, start-up and in what they can run.
//!
//! Decides which workers there are, which of them may run what, and how early they can be done at
//! best. Never assigns.

use serde::{Deserialize, Serialize};

use super::bound::first_true;
use super::families::Families;
use super::{Plan, PlanError, PlanOptions};
use crate::budget::Pool;
use crate::constraint::{Constraints, TAGS_MAX};
use crate::units::Micros;

/// Workers of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolSpec {
    /// Its name in the plan.
    pub name: String,
    /// How many workers of it the plan uses.
    pub workers: u32,
    /// Speed in thousandths of the workers that history was measured on; at least 1.
    pub speed_permille: u32,
    /// From the request to the first test.
    #[serde(rename = "startup_ms")]
    pub startup: Micros,
    /// Tags of tests that only such workers can run.
    pub tags: Vec<String>,
}

impl PoolSpec {
    /// Workers like those of history, without start-up or tags.
    pub fn plain(name: &str, workers: u32) -> Self {
        let startup = Micros::ZERO;
        Self { name: name.to_owned(), workers, speed_permille: 1000, startup, tags: Vec::new() }
    }

    /// Workers of a pool that a budget knows: its start-up with what each worker spends beside its
    /// tests, and its speed with what interruptions cost.
    ///
    /// ```
    /// use rasher::budget::Pool;
    /// use rasher::plan::PoolSpec;
    /// let slow = Pool { speed: 0.5, ..Pool::plain("slow") };
    /// assert_eq!(PoolSpec::of(&slow, 3).speed_permille, 500);
    /// ```
    pub fn of(pool: &Pool, workers: u32) -> Self {
        Self {
            name: pool.name.clone(),
            workers,
            speed_permille: (1000.0 / pool.slowdown()).round().clamp(1.0, 4e9) as u32,
            startup: pool.fixed(),
            tags: pool.tags.clone(),
        }
    }

    /// When such a worker is done with so much work.
    fn finish(&self, work: u64) -> u64 {
        let speed = u128::from(self.speed_permille.max(1));
        let span = (u128::from(work) * 1000).div_ceil(speed);
        self.startup.get().saturating_add(u64::try_from(span).unwrap_or(u64::MAX))
    }

    /// The most work that such a worker can have done by then.
    ///
    /// ```
    /// use rasher::plan::PoolSpec;
    /// use rasher::units::Micros;
    /// let startup = Micros::from_secs(30);
    /// let fast = PoolSpec { speed_permille: 2000, startup, ..PoolSpec::plain("fast", 1) };
    /// assert_eq!(fast.work_by(Micros::from_secs(40)), Micros::from_secs(20));
    /// ```
    pub fn work_by(&self, end: Micros) -> Micros {
        let span = u128::from(end.get().saturating_sub(self.startup.get()));
        let work = span * u128::from(self.speed_permille.max(1)) / 1000;
        Micros::new(u64::try_from(work).unwrap_or(u64::MAX))
    }
}

/// The pools as equal workers, where nothing tells theirs apart: the question that the fast path
/// answers.
pub(super) fn as_equal(options: &PlanOptions) -> Option<PlanOptions> {
    let first = options.pools.first()?;
    let same = |pool: &PoolSpec| {
        (pool.speed_permille, pool.startup) == (first.speed_permille, first.startup)
    };
    let alike = options.constraints.tags.is_empty() && options.pools.iter().all(same);
    alike.then(|| PlanOptions {
        shards: options.pools.iter().map(|pool| pool.workers).sum(),
        pools: Vec::new(),
        ..options.clone()
    })
}

/// A plan for equal workers at the speed and with the start-up of pools that are alike.
pub(super) fn at_their_speed(plan: &mut Plan, pools: &[PoolSpec]) {
    let Some(first) = pools.first() else { return };
    let finish = |work: Micros| Micros::new(first.finish(work.get()));
    let names = pools.iter().flat_map(|p| std::iter::repeat_n(&p.name, p.workers as usize));
    for (shard, name) in plan.shards.iter_mut().zip(names) {
        shard.pool.clone_from(name);
        if !shard.tests.is_empty() {
            let bare = finish(shard.predicted - shard.setup);
            shard.predicted = finish(shard.predicted);
            shard.setup = shard.predicted - bare;
        }
    }
    plan.makespan = plan.shards.iter().map(|shard| shard.predicted).max().unwrap_or_default();
    // Tests that take no time wait for a worker all the same.
    if plan.shards.iter().any(|shard| !shard.tests.is_empty()) {
        plan.lower_bound = finish(plan.lower_bound);
    }
}

/// More pools than this are refused: the bound looks at every subset of them.
pub const POOLS_MAX: usize = 10;

/// The workers of a plan, slot by slot.
pub(crate) struct Sites {
    pub(crate) pools: Vec<PoolSpec>,
    /// The pool of each machine.
    pub(crate) pool_of: Vec<u16>,
    /// Slots of each machine.
    pub(crate) slots: usize,
    /// For each pool the tags it carries, by bit of the constraints.
    carries: Vec<u64>,
}

impl Sites {
    /// Lays out `pools`, or `shards` equal workers where there are none.
    pub(crate) fn new(
        pools: &[PoolSpec],
        shards: u32,
        slots: u32,
        constraints: &Constraints,
    ) -> Self {
        let tagged = !pools.is_empty();
        let pools = if tagged { pools.to_vec() } else { vec![PoolSpec::plain("", shards)] };
        let carries = pools.iter().map(|pool| {
            let bits = constraints.tags.iter().enumerate().take(TAGS_MAX);
            bits.filter(|(_, (tag, _))| !tagged || pool.tags.contains(tag))
                .fold(0, |all, (bit, _)| all | 1 << bit)
        });
        let carries = carries.collect();
        let pool_of = pools
            .iter()
            .enumerate()
            .flat_map(|(at, pool)| std::iter::repeat_n(at as u16, pool.workers as usize))
            .collect();
        Self { pools, pool_of, slots: slots as usize, carries }
    }

    /// How many slots there are on all machines.
    pub(crate) fn len(&self) -> usize {
        self.pool_of.len() * self.slots
    }

    /// The machine of a slot.
    pub(crate) fn machine(&self, site: u32) -> usize {
        site as usize / self.slots
    }

    pub(crate) fn pool(&self, site: u32) -> &PoolSpec {
        &self.pools[usize::from(self.pool_of[self.machine(site)])]
    }

    /// True where a pool can run what needs `tags`.
    pub(crate) fn may(&self, pool: usize, tags: u64) -> bool {
        self.pools[pool].workers > 0 && tags & !self.carries[pool] == 0
    }

    /// When a worker of a pool is done with so much work.
    pub(crate) fn finish(&self, pool: usize, work: u64) -> u64 {
        self.pools[pool].finish(work)
    }

    /// The earliest that any eligible worker is done with one piece of work; none where no pool
    /// may run it.
    pub(crate) fn earliest(&self, work: u64, tags: u64) -> Option<u64> {
        (0..self.pools.len())
            .filter(|pool| self.may(*pool, tags))
            .map(|pool| self.finish(pool, work))
            .min()
    }

    /// When the workers of some pools, by bit, are done with all of `work` at best.
    fn area(&self, pools: usize, work: u64) -> u64 {
        first_true(0, |end| {
            let done: u128 = (self.pools.iter().enumerate())
                .filter(|(at, _)| pools >> at & 1 == 1)
                .map(|(_, pool)| {
                    let span = end.saturating_sub(pool.startup.get());
                    u128::from(span)
                        * u128::from(pool.speed_permille.max(1))
                        * u128::from(pool.workers)
                })
                .sum();
            done * self.slots as u128 >= u128::from(work) * 1000
        })
    }

    /// Bound 6: for every subset of pools, the work that only they can run over what they can do.
    /// The value, and the pool that holds it up where the subset is not all of them. `beside` is
    /// work that any pool may do.
    pub(crate) fn bound(
        &self,
        families: &Families,
        beside: u64,
    ) -> Result<(u64, Option<usize>), PlanError> {
        let count = self.pools.len();
        let mut demand = vec![0u64; 1 << count];
        demand[(1 << count) - 1] = beside;
        for (family, work) in families.work_once(self.slots).enumerate() {
            let tags = families.kind(family).tags;
            let may =
                (0..count).filter(|pool| self.may(*pool, tags)).fold(0, |all, at| all | 1 << at);
            demand[may] = demand[may].saturating_add(work);
        }
        let everything = (1usize << count) - 1;
        let mut best = (0, None);
        for pools in 1..=everything {
            let work: u64 = demand
                .iter()
                .enumerate()
                .filter(|(may, _)| may & !pools == 0)
                .map(|(_, d)| d)
                .sum();
            if self.pools.iter().enumerate().any(|(at, p)| pools >> at & 1 == 1 && p.workers > 0) {
                let value = self.area(pools, work);
                if value > best.0 {
                    let named = (pools != everything).then_some(pools.trailing_zeros() as usize);
                    best = (value, named);
                }
            }
        }
        Ok(best)
    }
}
