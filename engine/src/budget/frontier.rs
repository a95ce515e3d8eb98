//! Workers against finish against cost, over the whole range.
//!
//! Decides how fast any number of workers could be at best, which numbers are dominated (another
//! is no slower and no dearer), and from where on more workers cannot help. Never plans: the points are
//! lower bounds that real plans reach to within some parts in a thousand.

use super::cost::{Bill, Money, Pool};
use crate::test_id::TestTable;
use crate::units::Micros;

/// A class or file as the bound sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// The sum of its tests.
    pub work: u64,
    /// What every worker pays that runs one of them.
    pub setup: u64,
    /// Its longest test.
    pub longest: u64,
}

/// Lower bounds on the makespan for any number of workers, from one pass over the tests.
///
/// Durations are microseconds. Building costs one selection and a sort of the longest
/// `workers_max + 1` tests; [`Bounds::lower`] is then constant time without set-ups and linear in
/// the classes that do not fit a worker with them.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    total: u64,
    /// The longest tests, longest first, and the sums before each.
    longest: Vec<u64>,
    sums: Vec<u64>,
    tests: usize,
    /// Classes with set-up, largest total first, and the sums of their totals before each.
    units: Vec<Unit>,
    /// The longest single thing: a test with its set-up.
    single: u64,
    /// One less than the tests a worker runs at a time.
    slots_beside: u32,
}

impl Bounds {
    /// For tests without set-up, and for up to `workers_max` workers.
    ///
    /// ```
    /// use rasher::budget::Bounds;
    /// let bounds = Bounds::new(&[5, 4, 3, 3, 3], 10);
    /// assert_eq!(bounds.lower(2).get(), 9);
    /// assert_eq!(bounds.lower(4).get(), 6, "five tests on four workers: two of them share one");
    /// assert_eq!(bounds.lower(9).get(), 5);
    /// ```
    pub fn new(durations: &[u64], workers_max: u32) -> Self {
        let keep = (workers_max as usize + 1).min(durations.len());
        let mut longest = durations.to_vec();
        if keep > 0 && keep < longest.len() {
            longest.select_nth_unstable_by(keep - 1, |a, b| b.cmp(a));
            longest.truncate(keep);
        }
        longest.sort_unstable_by(|a, b| b.cmp(a));
        let mut sums = Vec::with_capacity(keep + 1);
        sums.push(0);
        let mut sum = 0u64;
        for duration in &longest {
            sum = sum.saturating_add(*duration);
            sums.push(sum);
        }
        Self {
            total: durations.iter().fold(0, |sum: u64, d| sum.saturating_add(*d)),
            single: longest.first().copied().unwrap_or(0),
            longest,
            sums,
            tests: durations.len(),
            units: Vec::new(),
            slots_beside: 0,
        }
    }

    /// The same for workers that run so many tests at a time; a class pays its set-up in every
    /// slot that runs one of its tests.
    ///
    /// ```
    /// use rasher::budget::Bounds;
    /// assert_eq!(Bounds::new(&[5, 4, 3, 3, 3], 10).with_slots(2).lower(2).get(), 6);
    /// ```
    #[must_use]
    pub fn with_slots(self, slots: u32) -> Self {
        Self { slots_beside: slots.saturating_sub(1), ..self }
    }

    fn slots(&self) -> u64 {
        u64::from(self.slots_beside) + 1
    }

    /// The same where classes pay a set-up on every worker that runs one of their tests; `units`
    /// must be the classes of these tests.
    #[must_use]
    pub fn with_units(mut self, units: &[Unit]) -> Self {
        self.units = units.iter().copied().filter(|unit| unit.setup > 0).collect();
        self.units.sort_unstable_by_key(|u| std::cmp::Reverse(u.work.saturating_add(u.setup)));
        for unit in &self.units {
            self.total = self.total.saturating_add(unit.setup);
            self.single = self.single.max(unit.setup.saturating_add(unit.longest));
        }
        self
    }

    /// For the tests of a table, with the set-up of each of its groups.
    pub fn of(tests: &TestTable, mean: &[Micros], setup: &[Micros], workers_max: u32) -> Self {
        let durations: Vec<u64> = mean.iter().map(|m| m.get()).collect();
        let bounds = Self::new(&durations, workers_max);
        if setup.iter().all(|s| s.is_zero()) {
            return bounds;
        }
        let mut units: Vec<Unit> =
            setup.iter().map(|s| Unit { setup: s.get(), ..Unit::default() }).collect();
        for (test, duration) in tests.ids().zip(durations) {
            if let Some(unit) = tests.group(test).and_then(|g| units.get_mut(g.index())) {
                unit.work = unit.work.saturating_add(duration);
                unit.longest = unit.longest.max(duration);
            }
        }
        units.retain(|unit| unit.work > 0);
        bounds.with_units(&units)
    }

    /// How long one worker takes for all the work at least, every set-up once.
    pub fn total(&self) -> Micros {
        Micros::new(self.total / self.slots())
    }

    /// The longest test, with the set-up of its class.
    pub fn single(&self) -> Micros {
        Micros::new(self.single)
    }

    /// No plan for so many workers can be shorter.
    ///
    /// The largest of: the longest test with its set-up; the work over the workers, where a class
    /// longer than the bound pays its set-up again (Deppert and Jansen 2019); the two shortest of
    /// the `workers + 1` longest tests, since two of those share a worker.
    pub fn lower(&self, workers: u32) -> Micros {
        let workers = u64::from(workers.max(1)) * self.slots();
        let area = self.total.div_ceil(workers);
        let plain = area.max(self.single).max(self.pair(workers as usize));
        Micros::new(self.raise_for_setups(workers, plain))
    }

    fn pair(&self, workers: usize) -> u64 {
        match (
            workers.checked_sub(1).and_then(|at| self.longest.get(at)),
            self.longest.get(workers),
        ) {
            (Some(a), Some(b)) => a.saturating_add(*b),
            _ => 0,
        }
    }

    /// The smallest time from `at` on that also has room for the set-ups of split classes.
    fn raise_for_setups(&self, workers: u64, at: u64) -> u64 {
        let needed = |time| self.work_within(time).div_ceil(workers);
        let (mut low, mut high) = (at, needed(at));
        // What is needed falls as the time grows, so the first fit lies between the two.
        while low < high {
            let middle = low + (high - low) / 2;
            if needed(middle) <= middle { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// All the work where no worker has more than `time`: a class that does not fit pays again.
    fn work_within(&self, time: u64) -> u64 {
        let large = |u: &&Unit| u.work.saturating_add(u.setup) > time;
        let again = self.units.iter().take_while(large).map(|u| {
            let room = time.saturating_sub(u.setup).max(1);
            (u.work.div_ceil(room) - 1).saturating_mul(u.setup)
        });
        again.fold(self.total, u64::saturating_add)
    }

    /// The fewest workers from which on no more can make the run shorter.
    ///
    /// ```
    /// use rasher::budget::Bounds;
    /// assert_eq!(Bounds::new(&[6, 3, 3, 3, 3], 10).useful_workers_max(10), 3);
    /// ```
    pub fn useful_workers_max(&self, workers_max: u32) -> u32 {
        let best = self.lower(workers_max);
        let (mut low, mut high) = (1, workers_max.max(1));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.lower(middle) <= best { high = middle } else { low = middle + 1 }
        }
        low
    }
}

/// One number of workers of one pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrontierPoint {
    /// How many workers.
    pub workers: u32,
    /// When the run would be done, start-up and interruptions included.
    pub finish: Micros,
    /// What it would cost; `None` without a price.
    pub cost: Option<Money>,
    /// Another number of workers is no slower and no dearer (without a price: not more workers).
    pub dominated: bool,
}

/// The points of a pool, by workers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frontier {
    /// From the smallest to the largest number of workers.
    pub points: Vec<FrontierPoint>,
    /// More workers than this cannot make the run shorter.
    pub useful_workers_max: u32,
}

/// Finish and cost of every number of workers in the range, dominated ones marked.
///
/// A worker is billed until its own shard ends: the tests longer than an even share of the rest
/// have a worker each, the others share the rest evenly. Where no more than `concurrent_max` may
/// run at once, more workers come in waves.
///
/// ```
/// use rasher::budget::{Bounds, Pool, frontier};
/// let bounds = Bounds::new(&[60_000_000; 10], 20);
/// let table = frontier(&bounds, &Pool::plain("any"), 1..=20, None);
/// assert_eq!(table.useful_workers_max, 10);
/// assert!(table.points[10..].iter().all(|p| p.dominated));
/// ```
pub fn frontier(
    bounds: &Bounds,
    pool: &Pool,
    workers: std::ops::RangeInclusive<u32>,
    concurrent_max: Option<u32>,
) -> Frontier {
    let mut bills = Longest::new(bounds, pool);
    let first = (*workers.start()).max(1);
    let last = (*workers.end()).min(pool.workers_max.unwrap_or(u32::MAX));
    let points = (first..=last).map(|count| {
        let load = bounds.lower(count);
        let finish = in_waves(pool.up(load), count, concurrent_max);
        let cost = pool.price_per_hour.map(|_| bills.of_fleet(count).money());
        FrontierPoint { workers: count, finish, cost, dominated: false }
    });
    let mut points: Vec<FrontierPoint> = points.collect();
    mark_dominated(&mut points);
    Frontier { points, useful_workers_max: bounds.useful_workers_max(last.max(1)) }
}

/// A worker's time, as often as the cap makes workers wait for another to end.
fn in_waves(up: Micros, count: u32, concurrent_max: Option<u32>) -> Micros {
    let cap = concurrent_max.unwrap_or(u32::MAX).max(1);
    up.times(u64::from(count.div_ceil(cap)))
}

/// What the workers cost that have one of the longest tests each, and the rest.
struct Longest<'a> {
    bounds: &'a Bounds,
    pool: &'a Pool,
    /// So many tests are known to be longer than an even share of the rest.
    alone: usize,
    bill: Bill,
}

impl<'a> Longest<'a> {
    fn new(bounds: &'a Bounds, pool: &'a Pool) -> Self {
        Self { bounds, pool, alone: 0, bill: Bill::default() }
    }

    /// The bill of `count` workers; counts must not fall from call to call.
    fn of_fleet(&mut self, count: u32) -> Bill {
        let count = count as usize;
        while self.alone + 1 < count && self.alone < self.bounds.longest.len() {
            let next = self.bounds.longest[self.alone];
            if next <= self.share(count) {
                break;
            }
            self.bill = self.bill + self.pool.bill(self.pool.up(Micros::new(next)));
            self.alone += 1;
        }
        let even = self.pool.bill(self.pool.up(Micros::new(self.share(count))));
        self.bill + even.times((count - self.alone.min(count)) as u64)
    }

    /// An even share of what is not alone.
    fn share(&self, count: usize) -> u64 {
        let rest = self.bounds.total.saturating_sub(self.bounds.sums[self.alone]);
        if self.alone >= self.bounds.tests {
            return 0;
        }
        rest.div_ceil((count - self.alone).max(1) as u64)
    }
}

/// Marks each point for which another is no slower and no dearer, and better in one; of equal
/// ones the fewest workers stay.
fn mark_dominated(points: &mut [FrontierPoint]) {
    let price = |p: &FrontierPoint| p.cost.map_or(u64::from(p.workers), Money::millionths);
    let key = |p: &FrontierPoint| (p.finish, price(p), p.workers);
    let mut order: Vec<usize> = (0..points.len()).rev().collect();
    // Without waves more workers are never slower, and this is sorted but for ties.
    order.sort_by_key(|at| key(&points[*at]));
    let mut cheapest = None;
    for at in order {
        let own = price(&points[at]);
        points[at].dominated = cheapest.is_some_and(|least| least <= own);
        cheapest = Some(cheapest.map_or(own, |least: u64| least.min(own)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Billing;

    /// The talk's 40 minutes on 200 machines, as equal tests of a second.
    fn talk() -> Bounds {
        Bounds::new(&vec![1_000_000; 480_000], 2_000)
    }

    #[test]
    fn by_the_hour_sixty_minutes_are_faster_and_cheaper_than_ninety() {
        let hourly = Pool {
            price_per_hour: Some(Money::from_millionths(1_000_000)),
            billing: Billing::HOUR,
            startup: Micros::from_secs(120),
            ..Pool::plain("hourly")
        };
        let table = frontier(&talk(), &hourly, 1..=300, None);
        let at = |workers: usize| table.points[workers - 1];
        assert_eq!(at(91).cost.map(Money::as_f64), Some(182.0));
        assert_eq!(at(138).cost.map(Money::as_f64), Some(138.0));
        assert!(at(91).dominated && !at(138).dominated);
        assert!(at(138).finish <= Micros::from_secs(3_600));
    }

    #[test]
    fn dominated_is_what_a_comparison_of_all_pairs_finds() {
        let pool = Pool {
            price_per_hour: Some(Money::from_millionths(90_000)),
            billing: Billing::MINUTE,
            startup: Micros::from_secs(45),
            ..Pool::plain("by the minute")
        };
        let work: Vec<u64> = (1..400).map(|k| k * k * 1_000).collect();
        let table = frontier(&Bounds::new(&work, 300), &pool, 1..=300, Some(40));
        for a in &table.points {
            let beaten = table.points.iter().any(|b| {
                let (own, other) = (a.cost.map(Money::millionths), b.cost.map(Money::millionths));
                b.finish <= a.finish
                    && other <= own
                    && (b.finish < a.finish || other < own || b.workers < a.workers)
            });
            assert_eq!(a.dominated, beaten, "{} workers", a.workers);
        }
        assert!(table.points.iter().any(|p| !p.dominated));
    }

    #[test]
    fn no_tests_at_all_need_one_worker_and_no_time() {
        let table = frontier(&Bounds::new(&[], 5), &Pool::plain("any"), 1..=5, None);
        assert_eq!(table.useful_workers_max, 1);
        assert!(table.points.iter().all(|p| p.finish.is_zero()));
    }
}
