//! How many workers: from when on more of them are of no use, and what each number could reach.
//!
//! Decides nothing about who runs what; budgets choose among the answers.

use super::bound::{common_step, longest, round_up};
use super::families::Families;
use super::longest_first::Order;
use super::pour::Pours;
use super::wrap::packed;
use super::{SHARDS_MAX, Workload};
use crate::units::Micros;

/// The longest run of neighbours that bound 2 looks at; a larger one seldom binds.
const TUPLE_MAX: usize = 8;
/// A bound with set-ups is searched for to one part in this power of two.
const SETUP_STEP: u32 = 14;

/// A number of workers that reaches the shortest possible run; more cannot make it shorter. At
/// least 1. O(n log n) in the families.
pub(crate) fn useful_workers_max(pours: &mut Pours<'_>) -> u32 {
    let longest = longest(pours.families).value;
    packed(pours, longest).0
}

/// For 1, 2, ... `workers_max` equal workers, a time that no plan of the workload can beat; real
/// plans lie at most some thousandths above. At most [`SHARDS_MAX`] values.
///
/// One order of the tests and their prefix sums answer for all numbers at once (bounds 1 and 2,
/// and 5 where there are set-ups): O(n) and a few steps for each number.
///
/// ```
/// use rasher::plan::{Workload, frontier_bounds};
/// use rasher::{test_id::TestTable, units::Micros};
/// let mut tests = TestTable::new();
/// for name in ["a", "b", "c"] {
///     tests.intern(name, None);
/// }
/// let spans = [3, 3, 3].map(Micros::from_secs);
/// let bounds = frontier_bounds(&Workload::new(&tests, &spans, &spans, &[])?, 3);
/// assert_eq!(bounds, [9, 6, 3].map(Micros::from_secs));
/// # Ok::<(), rasher::plan::PlanError>(())
/// ```
pub fn frontier_bounds(workload: &Workload<'_>, workers_max: u32) -> Vec<Micros> {
    let families = Families::of(workload);
    let bounds = bounds_of(&families, workers_max.min(SHARDS_MAX));
    bounds.into_iter().map(Micros::new).collect()
}

/// The same for bare durations, without names, classes and set-ups.
///
/// ```
/// assert_eq!(rasher::plan::frontier_of(&[5, 4, 3, 3, 3], 2), [18, 9]);
/// ```
pub fn frontier_of(durations: &[u64], workers_max: u32) -> Vec<u64> {
    let total: u128 = durations.iter().map(|duration| u128::from(*duration)).sum();
    let floor = durations.iter().copied().max().unwrap_or(0);
    let step = common_step(durations.iter().copied());
    let tuples = Tuples::new(durations, workers_max as usize);
    (1..=u64::from(workers_max.min(SHARDS_MAX)))
        .map(|workers| {
            let area = total.div_ceil(u128::from(workers));
            let area = round_up(u64::try_from(area).unwrap_or(u64::MAX), step);
            let start = area.max(floor);
            start.max(tuples.bound(workers as usize, start))
        })
        .collect()
}

fn bounds_of(families: &Families, workers_max: u32) -> Vec<u64> {
    let mut bounds = frontier_of(&families.work, workers_max);
    if families.setup.iter().all(|setup| *setup == 0) {
        return bounds;
    }
    let floor = longest(families).value;
    let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
    let mut large: Vec<(u64, u64)> = (0..families.len())
        .filter(|family| families.setup[*family] > 0)
        .map(|family| (families.total(family), families.setup[family]))
        .collect();
    large.sort_unstable_by(|a, b| b.cmp(a));
    for (workers, bound) in (1..).zip(&mut bounds) {
        let start = floor.max(total.div_ceil(workers));
        *bound = (*bound).max(with_setups(&large, total, workers, start));
    }
    bounds
}

/// Bound 5 to within a small share: the largest known target that is too short.
fn with_setups(large: &[(u64, u64)], total: u64, workers: u64, start: u64) -> u64 {
    let enough = |target: u64| {
        let above = large.iter().take_while(|(total, _)| *total > target);
        let again: u128 = above
            .map(|(total, setup)| {
                let pieces = (total - setup).div_ceil((target - setup).max(1));
                u128::from(*setup) * u128::from(pieces.max(1) - 1)
            })
            .sum();
        u128::from(total) + again <= u128::from(target) * u128::from(workers)
    };
    let step = (start >> SETUP_STEP).max(1);
    let (mut low, mut high) = (start, start);
    let mut width = step;
    while !enough(high) {
        low = high;
        high = high.saturating_add(width);
        width *= 2;
    }
    while high - low > step {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle }
    }
    if low == high { start } else { low + 1 }
}

/// The longest durations in exact order, for bound 2.
struct Tuples {
    falling: Vec<u64>,
}

impl Tuples {
    fn new(durations: &[u64], workers_max: usize) -> Self {
        let order = Order::descending(durations, 1);
        Self { falling: order.longest(TUPLE_MAX * workers_max + 1) }
    }

    /// Of the first `k * workers + 1` some worker gets `k + 1`.
    fn bound(&self, workers: usize, above: u64) -> u64 {
        let mut best = above;
        for k in 1..=TUPLE_MAX {
            let last = k * workers;
            let Some(first) = self.falling.get(last - k) else { break };
            if last >= self.falling.len() {
                break;
            }
            // The sum is at most `k + 1` times its largest member.
            if first.saturating_mul(k as u64 + 1) > best {
                let sum =
                    self.falling[last - k..=last].iter().fold(0u64, |a, b| a.saturating_add(*b));
                best = best.max(sum);
            }
        }
        best
    }
}
