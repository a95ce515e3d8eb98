//! Which fleet meets a budget.
//!
//! Decides how many workers of which pool: the cheapest or fewest that meet a deadline, the
//! fastest that a sum pays for. The answer is that of an exhaustive search over all fleets: bounds only spare
//! the search the fleets that cannot be better. Never plans: the loads of a fleet's workers are
//! asked for through a closure.

use std::cmp::Reverse;

use super::confidence::Factor;
use super::cost::{Bill, Money, Pool};
use super::frontier::Bounds;
use crate::units::Micros;

/// More fleets than this are not looked at: then at most one pool is used beside those that are
/// at their limit.
const FLEETS_MAX: u64 = 250_000;
/// More plans than this are not made once one meets what is asked; [`Sizing::gap`] then says by how
/// much another fleet could be better at most.
const PROBES_MAX: u32 = 400;

/// How many workers of each pool, in the order of the pools.
pub type Fleet = Vec<u32>;

/// The predicted load of each worker, beside the position of its pool.
pub type Loads = Vec<(usize, Micros)>;

/// What must be run: bounds on it, and a way to ask for real loads.
pub struct Work<'a> {
    /// Lower bounds for any number of workers.
    pub bounds: &'a Bounds,
    /// A real plan for a fleet.
    pub loads: &'a mut dyn FnMut(&[u32]) -> Loads,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask {
    /// By when all must be done.
    pub deadline: Option<Micros>,
    /// What it may cost.
    pub cost_max: Option<Money>,
    /// By what predictions are stretched before they are held against the deadline.
    pub factor: Factor,
    /// Of the fleets that meet the deadline the one with the fewest workers, though another is
    /// cheaper.
    pub fewest: bool,
}

/// What limits every fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// At least so many workers, or all there are.
    pub workers_min: u32,
    /// At most so many workers.
    pub workers_max: u32,
    /// So many run at once in this account; more come in waves.
    pub concurrent_max: Option<u32>,
}

/// The fleet that was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizing {
    /// Workers of each pool.
    pub fleet: Fleet,
    /// All workers.
    pub workers: u32,
    /// When the run is predicted to be done, from the request.
    pub finish: Micros,
    /// The same, stretched by the factor of the ask.
    pub promised: Micros,
    /// What it is predicted to cost; `None` where a pool that is used has no price.
    pub cost: Option<Money>,
    /// Whether it meets what was asked for.
    pub feasible: bool,
    /// Why this fleet, or what stands in the way.
    pub why: String,
    /// How many plans were made to find it.
    pub probes: u32,
    /// By what share of its cost, time or workers (what it was chosen by) another fleet could be
    /// better at most: zero where none can be, more only where the search was cut short.
    pub gap: f64,
}

/// A fleet with what it can be at best.
struct Candidate {
    fleet: Fleet,
    workers: u32,
    promised: Micros,
    bill: Bill,
    /// What it will probably cost: looked at in this order, the best is found early.
    guess: Bill,
}

/// What a fleet really is.
#[derive(Clone)]
struct Probed {
    fleet: Fleet,
    workers: u32,
    finish: Micros,
    promised: Micros,
    bill: Bill,
}

/// What is better, smaller first.
#[derive(Clone, Copy, PartialEq)]
enum Objective {
    Fewest,
    Cheapest,
    Fastest,
}

type Key = (u128, u128, u128);

impl Objective {
    fn key(self, workers: u32, bill: Bill, promised: Micros) -> Key {
        let (workers, bill, time) = (u128::from(workers), bill.raw(), u128::from(promised.get()));
        match self {
            Self::Fewest => (workers, bill, time),
            Self::Cheapest => (bill, time, workers),
            Self::Fastest => (time, bill, workers),
        }
    }
}

/// The best fleet for what is asked; where none meets it, the one that comes nearest and the reason.
///
/// With a deadline: the cheapest fleet that meets it, and the one with the fewest workers where
/// prices are not known or [`Ask::fewest`] is set. With a sum alone: the fastest that it pays for.
/// With neither: the fastest. Ties go to the cheaper, then to the smaller fleet.
///
/// Each fleet costs a bound of some nanoseconds; plans are made only for those whose bound is
/// better than the best plan so far, most often one to three. Where that would take more than 400
/// plans, the rest is left out and [`Sizing::gap`] bounds what could have been gained.
///
/// ```
/// use rasher::budget::{Ask, Bounds, Factor, Limits, Pool, Work, size};
/// use rasher::units::Micros;
/// let tests = [7u64, 5, 4, 4, 2, 2];
/// let bounds = Bounds::new(&tests, 6);
/// let mut loads = |fleet: &[u32]| {
///     let mut loads = vec![(0, Micros::ZERO); fleet[0] as usize];
///     for test in tests {
///         let least = loads.iter_mut().min_by_key(|l| l.1).expect("a worker");
///         least.1 += Micros::new(test);
///     }
///     loads
/// };
/// let ask = Ask { deadline: Some(Micros::new(9)), cost_max: None, factor: Factor::ONE, fewest: true };
/// let limits = Limits { workers_min: 1, workers_max: 6, concurrent_max: None };
/// let found = size(Work { bounds: &bounds, loads: &mut loads }, &[Pool::plain("any")], limits, ask);
/// assert_eq!((found.workers, found.feasible), (3, true));
/// ```
pub fn size<'a>(work: Work<'a>, pools: &'a [Pool], limits: Limits, ask: Ask) -> Sizing {
    let mut search = Search { work, pools, limits, ask, probes: 0 };
    let candidates = search.candidates();
    let priced = pools.iter().all(|p| p.price_per_hour.is_some());
    let objective = match (ask.deadline, ask.cost_max) {
        (Some(_), _) if priced && !ask.fewest => Objective::Cheapest,
        (Some(_), _) => Objective::Fewest,
        (None, _) => Objective::Fastest,
    };
    if let Some((best, gap)) = search.best(&candidates, objective, true) {
        let why = search.reason(objective) + &search.fewer(&candidates, (objective, &best));
        return search.answer(best, gap, Ok(why));
    }
    let timely = |c: &&Candidate| ask.deadline.is_none_or(|d| c.promised <= d);
    // The money is short where time alone would do; otherwise time is what cannot be had.
    let nearest = if candidates.iter().any(|c| timely(&c)) && ask.cost_max.is_some() {
        Objective::Cheapest
    } else {
        Objective::Fastest
    };
    let found = search.best(&candidates, nearest, false);
    let Some((best, gap)) = found else { return Sizing::nothing(pools.len()) };
    let why = search.obstacle(&best);
    search.answer(best, gap, Err(why))
}

impl Sizing {
    /// No pool has a worker to give.
    fn nothing(pools: usize) -> Self {
        Self {
            fleet: vec![0; pools],
            workers: 0,
            finish: Micros::MAX,
            promised: Micros::MAX,
            cost: None,
            feasible: false,
            why: "no pool that this budget allows has a worker".to_owned(),
            probes: 0,
            gap: 0.0,
        }
    }
}

struct Search<'a> {
    work: Work<'a>,
    pools: &'a [Pool],
    limits: Limits,
    ask: Ask,
    probes: u32,
}

impl Search<'_> {
    /// Every fleet within the limits, with its bounds.
    fn candidates(&self) -> Vec<Candidate> {
        let most = self.limits.workers_max;
        let caps: Vec<u32> =
            self.pools.iter().map(|p| p.workers_max.unwrap_or(most).min(most)).collect();
        let all: u64 = caps.iter().fold(1, |n: u64, cap| n.saturating_mul(u64::from(*cap) + 1));
        let mut fleets = Vec::new();
        if all <= FLEETS_MAX {
            every_fleet(&caps, &mut Vec::new(), most, &mut fleets);
        } else {
            filled_fleets(&caps, most, &mut fleets);
        }
        // A minimum above what there is means all there is.
        let there = caps.iter().fold(0, |n: u32, cap| n.saturating_add(*cap)).min(most);
        let least = self.limits.workers_min.min(there).max(1);
        fleets
            .into_iter()
            .filter(|f| f.iter().sum::<u32>() >= least)
            .map(|fleet| self.bounded(fleet))
            .collect()
    }

    /// What no plan for this fleet can be better than.
    fn bounded(&self, fleet: Fleet) -> Candidate {
        let workers: u32 = fleet.iter().sum();
        let total = self.work.bounds.total().get() as f64;
        let used = || self.pools.iter().zip(&fleet).filter(|(_, n)| **n > 0);
        // Rounded down by a hair, so that no rounding lifts a bound over the truth.
        let floor = |x: f64| Micros::new((x * (1.0 - 1e-12)) as u64);
        let stretch = self.ask.factor.factor;
        let (mut rate, mut fixed_rate, mut fixed_sum) = (0.0, 0.0, 0.0);
        let (mut latest, mut quickest) = (Micros::ZERO, f64::INFINITY);
        let mut alone = Micros::MAX;
        for (pool, count) in used() {
            let (fixed, slow) = (pool.fixed().get() as f64, pool.slowdown() * stretch);
            let count = f64::from(*count);
            rate += count / slow;
            fixed_rate += count * fixed / slow;
            fixed_sum += count * fixed;
            latest = latest.max(pool.fixed());
            quickest = quickest.min(slow);
            // The very sum that a plan's longest worker is held against: never above it.
            alone = alone.min(pool.fixed() + self.work.bounds.single().scale(slow));
        }
        let even = floor((total + fixed_rate) / rate);
        let mut promised = latest.max(even).max(alone);
        if let (Some((pool, _)), true) = (used().next(), used().count() == 1) {
            let load = self.work.bounds.lower(workers).scale(pool.slowdown() * stretch);
            promised = promised.max(pool.fixed() + load);
        }
        if let Some(cap) = self.limits.concurrent_max.filter(|cap| *cap < workers) {
            let slots = f64::from(cap.max(1));
            promised = promised.max(floor((total * quickest + fixed_sum) / slots));
        }
        let bill = self.least_bill(&fleet);
        let guess = self.guessed_bill(&fleet, even).max(bill);
        Candidate { fleet, workers, promised, bill, guess }
    }

    /// What the fleet costs at least: every worker's start, and all the work at the cheapest rate.
    fn least_bill(&self, fleet: &[u32]) -> Bill {
        let used = || self.pools.iter().zip(fleet).filter(|(_, n)| **n > 0);
        let started: Bill = used().map(|(p, n)| p.bill(p.fixed()).times(u64::from(*n))).sum();
        let total = self.work.bounds.total().get() as f64 * (1.0 - 1e-9);
        let up = |p: &Pool, n: u32| {
            // All the work on one pool, in whole steps of its billing.
            let time = (total * p.slowdown()) as u128 + u128::from(p.fixed().get()) * u128::from(n);
            let step = u128::from(p.billing.granularity.get().max(1));
            Bill::of(p.price_per_hour.unwrap_or(Money::ZERO), time.div_ceil(step) * step)
        };
        if used().count() == 1 {
            return used().map(|(p, n)| up(p, *n)).sum::<Bill>().max(started);
        }
        let price = |p: &Pool| p.price_per_hour.unwrap_or(Money::ZERO).millionths() as f64;
        let rate = used().map(|(p, _)| price(p) * p.slowdown()).fold(f64::INFINITY, f64::min);
        let fixed: Bill = used()
            .map(|(p, n)| {
                let price = p.price_per_hour.unwrap_or(Money::ZERO);
                Bill::of(price, u128::from(p.fixed().get()) * u128::from(*n))
            })
            .sum();
        (fixed + Bill::from_raw((total * rate) as u128)).max(started)
    }

    /// What the fleet costs where all its workers end together, at the stretched time `even`.
    fn guessed_bill(&self, fleet: &[u32], even: Micros) -> Bill {
        let used = self.pools.iter().zip(fleet).filter(|(_, n)| **n > 0);
        used.map(|(pool, n)| {
            let work = (even - pool.fixed()).scale(1.0 / self.ask.factor.factor.max(1e-9));
            pool.bill(pool.fixed() + work).times(u64::from(*n))
        })
        .sum()
    }

    /// A real plan for the fleet.
    fn probe(&mut self, fleet: &[u32], workers: u32) -> Probed {
        self.probes += 1;
        let loads = (self.work.loads)(fleet);
        let mut bill = Bill::default();
        let (mut plain, mut stretched) = (Vec::new(), Vec::new());
        for (pool, load) in loads {
            let pool = &self.pools[pool];
            let up = pool.up(load);
            bill = bill + pool.bill(up);
            plain.push(up);
            stretched.push(pool.fixed() + load.scale(pool.slowdown() * self.ask.factor.factor));
        }
        let cap = self.limits.concurrent_max;
        Probed {
            fleet: fleet.to_vec(),
            workers,
            finish: in_waves(plain, cap),
            promised: in_waves(stretched, cap),
            bill,
        }
    }

    fn meets(&self, promised: Micros, bill: Bill) -> bool {
        self.ask.deadline.is_none_or(|d| promised <= d)
            && self.ask.cost_max.is_none_or(|most| bill.money() <= most)
    }

    /// The best real fleet, and by what share another could at most be better.
    fn best(&mut self, all: &[Candidate], by: Objective, must: bool) -> Option<(Probed, f64)> {
        let possible = |c: &&Candidate| !must || self.meets(c.promised, c.bill);
        let key = |c: &Candidate| by.key(c.workers, c.bill, c.promised);
        let mut order: Vec<&Candidate> = all.iter().filter(possible).collect();
        order.sort_by_cached_key(|c| (by.key(c.workers, c.guess, c.promised), key(c)));
        let mut best: Option<(Key, Probed)> = None;
        let mut open: Option<Key> = None;
        let first = self.probes;
        for candidate in order {
            let bound = key(candidate);
            if best.as_ref().is_some_and(|(least, _)| bound >= *least) {
                continue;
            }
            if best.is_some() && self.probes - first >= PROBES_MAX {
                open = Some(open.map_or(bound, |least| least.min(bound)));
                continue;
            }
            let real = self.probe(&candidate.fleet, candidate.workers);
            if must && !self.meets(real.promised, real.bill) {
                continue;
            }
            let own = by.key(real.workers, real.bill, real.promised);
            if best.as_ref().is_none_or(|(least, _)| own < *least) {
                best = Some((own, real));
            }
        }
        let (found, best) = best?;
        let gap = open
            .filter(|open| *open < found)
            .map_or(0.0, |open| 1.0 - open.0 as f64 / (found.0 as f64).max(1.0));
        Some((best, gap))
    }

    fn answer(&self, best: Probed, gap: f64, why: Result<String, String>) -> Sizing {
        let priced =
            self.pools.iter().zip(&best.fleet).all(|(p, n)| *n == 0 || p.price_per_hour.is_some());
        Sizing {
            workers: best.workers,
            finish: best.finish,
            promised: best.promised,
            cost: priced.then(|| best.bill.money()),
            feasible: why.is_ok(),
            why: why.unwrap_or_else(|obstacle| obstacle),
            fleet: best.fleet,
            probes: self.probes,
            gap,
        }
    }

    fn reason(&self, by: Objective) -> String {
        match by {
            Objective::Fewest => "the fewest workers that meet the deadline".to_owned(),
            Objective::Cheapest => "the cheapest workers that meet the deadline".to_owned(),
            Objective::Fastest if self.ask.cost_max.is_some() => {
                "the fastest that the sum pays for".to_owned()
            }
            Objective::Fastest => "the fastest that the limits allow".to_owned(),
        }
    }

    /// Why one worker less would not do, where that was the question.
    fn fewer(&self, all: &[Candidate], (by, best): (Objective, &Probed)) -> String {
        let fewer = all.iter().filter(|c| c.workers + 1 == best.workers);
        let soonest = fewer.map(|c| c.promised).min();
        let late = |end: &Micros| self.ask.deadline.is_some_and(|deadline| *end > deadline);
        match soonest.filter(|end| by == Objective::Fewest && late(end)) {
            Some(end) => format!("; {} would need {end} at least", best.workers - 1),
            None => String::new(),
        }
    }

    /// What stands between the best fleet and what was asked for.
    fn obstacle(&self, best: &Probed) -> String {
        let Some(deadline) = self.ask.deadline.filter(|d| best.promised > *d) else {
            let least = best.bill.money();
            let most = self.ask.cost_max.unwrap_or_default();
            return format!("the cheapest way costs {least}, the limit is {most}");
        };
        let used = self.pools.iter().zip(&best.fleet).filter(|(_, n)| **n > 0);
        let stretch = self.ask.factor.factor;
        let single = self.work.bounds.single();
        let alone = |p: &Pool| p.fixed() + single.scale(p.slowdown() * stretch);
        let soonest = used.map(|(p, _)| alone(p)).min().unwrap_or_default();
        if soonest > deadline {
            return format!(
                "the longest test alone takes until {soonest}, the deadline is {deadline}"
            );
        }
        let most = self.limits.workers_max;
        format!("{most} workers would need {}, the deadline is {deadline}", best.promised)
    }
}

/// All fleets of at most `most` workers, in lexicographic order.
fn every_fleet(caps: &[u32], head: &mut Fleet, most: u32, into: &mut Vec<Fleet>) {
    let Some(cap) = caps.get(head.len()) else {
        into.push(head.clone());
        return;
    };
    for count in 0..=(*cap).min(most) {
        head.push(count);
        every_fleet(caps, head, most - count, into);
        head.pop();
    }
}

/// Fleets in which at most one pool is neither unused nor at its limit.
fn filled_fleets(caps: &[u32], most: u32, into: &mut Vec<Fleet>) {
    let pools = caps.len().min(12);
    for open in 0..pools {
        for full in 0u32..1 << pools {
            if full >> open & 1 == 1 {
                continue;
            }
            let mut fleet: Fleet = (0..caps.len())
                .map(|p| if p < 32 && full >> p & 1 == 1 { caps[p] } else { 0 })
                .collect();
            let taken = fleet.iter().fold(0u32, |n, c| n.saturating_add(*c));
            for count in 0..=caps[open].min(most.saturating_sub(taken)) {
                fleet[open] = count;
                if taken <= most {
                    into.push(fleet.clone());
                }
            }
        }
    }
    into.sort_unstable();
    into.dedup();
}

/// When the last worker is done where only so many run at once: the longest start first.
fn in_waves(mut ups: Vec<Micros>, concurrent_max: Option<u32>) -> Micros {
    let slots = concurrent_max.map_or(ups.len(), |cap| (cap.max(1) as usize).min(ups.len()));
    if slots >= ups.len() {
        return ups.into_iter().max().unwrap_or_default();
    }
    ups.sort_unstable_by_key(|up| Reverse(*up));
    let mut free = std::collections::BinaryHeap::from(vec![Reverse(Micros::ZERO); slots]);
    let mut end = Micros::ZERO;
    for up in ups {
        let Reverse(start) = free.pop().unwrap_or_default();
        end = end.max(start + up);
        free.push(Reverse(start + up));
    }
    end
}
