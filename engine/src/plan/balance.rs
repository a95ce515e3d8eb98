//! Balance of plain items on equal workers: the portfolio behind every plan.
//!
//! Decides which of the balancing algorithms run and in which order, each only where the one
//! before leaves a gap. Never looks at set-ups.

use super::bound::{common_step, round_up, target_of};
use super::combine::{counted_bound, packed_bound};
use super::differencing::{self, difference};
use super::exact::solve_exactly;
use super::exchange::exchange;
use super::longest_first::{Assignment, Order, in_order, place_on};
use super::multifit::multifit;
use super::repartition::repartition;

/// Items above which the second order is not worth its time.
const SLACK_ITEMS_MAX: usize = 50_000;

/// Steps that a plan of any size may take: some milliseconds, only where a gap remains.
pub(crate) const STEPS_MIN: u64 = 200_000;
/// Steps for tests that few that a worker gets a handful: some hundredths of a second.
const STEPS_MAX: u64 = 20_000_000;
/// Items up to which that many are taken; with more of them, as many fewer.
const STEPS_ITEMS: u64 = 400;

/// How many steps are worth their time for so many items.
pub(crate) fn steps_for(items: usize) -> u64 {
    let share = STEPS_MAX.saturating_mul(STEPS_ITEMS) / (items as u64).max(1);
    share.clamp(STEPS_MIN, STEPS_MAX)
}

/// How near to the bound is near enough, and how much work may be spent on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// A proved lower bound.
    pub(crate) bound: u64,
    /// A makespan that is good enough.
    pub(crate) target: u64,
    /// How near that is to the bound, in millionths.
    tolerance_ppm: u64,
    /// How many ways of dealing items out again may be looked at.
    pub(crate) steps: u64,
}

impl Effort {
    pub(crate) fn new(bound: u64, tolerance_ppm: u64, steps: u64) -> Self {
        Self { bound, target: target_of(bound, tolerance_ppm), tolerance_ppm, steps }
    }

    /// The same, content with a makespan that is within so many millionths.
    pub(crate) fn within(self, tolerance_ppm: u64) -> Self {
        Self::new(self.bound, tolerance_ppm.max(self.tolerance_ppm), self.steps)
    }

    /// The same towards another bound.
    pub(crate) fn towards(self, bound: u64) -> Self {
        Self::new(bound, self.tolerance_ppm, self.steps)
    }
}

/// Assigns bare durations to equal workers as [`plan`](super::plan) does it, and tells the lower
/// bound: no assignment has a smaller makespan.
///
/// `tolerance_ppm` is how near to the bound is near enough, in millionths; `steps` is how many ways
/// of dealing a few durations out again may be looked at where a gap remains. Durations are taken
/// as 2^62 over their number at most. With no worker, nothing is assigned.
///
/// ```
/// use rasher::plan::balanced;
/// let (answer, bound) = balanced(&[8, 7, 6, 5, 4], 2, 1, 1_000);
/// assert_eq!((answer.makespan(), bound), (15, 15));
/// ```
pub fn balanced(
    durations: &[u64],
    workers: usize,
    tolerance_ppm: u64,
    steps: u64,
) -> (Assignment, u64) {
    if workers == 0 {
        return (Assignment::default(), 0);
    }
    let most = (1 << 62) / (durations.len() as u64 + 1);
    let longest = durations.iter().copied().max().unwrap_or(0);
    let capped: Vec<u64>;
    let durations = if longest > most {
        capped = durations.iter().map(|duration| (*duration).min(most)).collect();
        &capped
    } else {
        durations
    };
    let area = durations.iter().sum::<u64>().div_ceil(workers as u64);
    let area = round_up(area, common_step(durations.iter().copied()));
    let bound = area.max(longest.min(most));
    let effort = Effort::new(bound, tolerance_ppm, steps);
    let mut answer = refine(durations, balance_quickly(durations, workers, effort.target), effort);
    let bound = deal_and_prove(durations, &mut answer, effort);
    (answer, bound)
}

/// What [`balance_quickly`] found, improved by everything but dealing out again.
pub(crate) fn refine(items: &[u64], mut best: Assignment, effort: Effort) -> Assignment {
    let workers = best.loads.len();
    if best.makespan() <= effort.target {
        return best;
    }
    let order = Order::descending(items, workers);
    let offer = |mut other: Assignment, best: &mut Assignment| {
        exchange(&order, &mut other, effort.target);
        if other.makespan() < best.makespan() {
            *best = other;
        }
        best.makespan() <= effort.target
    };
    if items.len() <= SLACK_ITEMS_MAX && offer(by_slack(items, workers, &order), &mut best) {
        return best;
    }
    let makespan = best.makespan();
    if let Some(other) = multifit(&order, workers, effort.bound, makespan)
        && offer(other, &mut best)
    {
        return best;
    }
    if items.len().saturating_mul(workers) <= differencing::SIZE_MAX
        && items.len() > workers
        && offer(difference(items, workers), &mut best)
    {
        return best;
    }
    best
}

/// Deals items out again towards the best bound that is known for them, and tells that bound: what
/// is proved about few items is found where it is needed, between two rounds of dealing.
pub(crate) fn deal_and_prove(items: &[u64], best: &mut Assignment, effort: Effort) -> u64 {
    if best.makespan() <= effort.target {
        return effort.bound;
    }
    let workers = best.loads.len();
    let mut falling = items.to_vec();
    falling.sort_unstable_by(|a, b| b.cmp(a));
    let bound = counted_bound(&falling, workers, effort.bound);
    let target = effort.towards(bound).target;
    if effort.steps > 0 && solve_exactly(items, best, target) {
        return if best.makespan() <= target { bound } else { best.makespan() };
    }
    let first = effort.steps.min(STEPS_MIN);
    repartition(items, best, target, first);
    if best.makespan() <= target {
        return bound;
    }
    let bound = packed_bound(&falling, workers, bound, best.makespan());
    repartition(items, best, effort.towards(bound).target, effort.steps - first);
    bound
}

/// The first two steps of [`balanced`]: longest first, then exchange.
pub(crate) fn balance_quickly(items: &[u64], workers: usize, target: u64) -> Assignment {
    let order = Order::descending(items, workers);
    let mut answer = in_order(items, workers, &order);
    exchange(&order, &mut answer, target);
    answer
}

/// The SLACK rule (Della Croce and Scatamacchia 2018): rows of as many items as there are workers,
/// the most uneven row first, each item to the emptiest worker.
fn by_slack(items: &[u64], workers: usize, order: &Order) -> Assignment {
    let pairs: Vec<(u64, u32)> = order.pairs().collect();
    let slack = |row: &[(u64, u32)]| {
        let last = if row.len() < workers { 0 } else { row[row.len() - 1].0 };
        row[0].0 - last.min(row[0].0)
    };
    let mut rows: Vec<&[(u64, u32)]> = pairs.chunks(workers).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(slack(row)));
    let turned: Vec<(u64, u32)> = rows.concat();
    let mut worker = vec![0; items.len()];
    let durations = turned.iter().map(|(work, _)| *work);
    let loads =
        place_on(durations, vec![0; workers], |rank, at| worker[turned[rank].1 as usize] = at);
    let loads = if order.shift == 0 {
        loads
    } else {
        super::longest_first::sum_loads(items, &worker, workers)
    };
    Assignment { worker, loads }
}
