//! Lower bounds: what no assignment can beat, and what holds that limit up.
//!
//! Decides how short a run can possibly be. A bound is proved, never estimated: a plan that meets
//! it is the best there is. Numbers in comments are those of the list in the planning notes.

use super::families::Families;

/// What holds a bound up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// All the work over all the workers.
    Work,
    /// One unit.
    Unit(usize),
    /// A family: its set-up and its longest unit.
    Family(usize),
}

/// A lower bound on the makespan and its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) value: u64,
    pub(crate) cause: Cause,
}

impl Bound {
    fn raise(&mut self, value: u64, cause: Cause) {
        if value > self.value {
            *self = Self { value, cause };
        }
    }

    /// The largest makespan within one part in `1 / tolerance_ppm` million of the bound.
    pub(crate) fn target(&self, tolerance_ppm: u64) -> u64 {
        let slack = u128::from(self.value) * u128::from(tolerance_ppm) / 1_000_000;
        self.value.saturating_add(u64::try_from(slack).unwrap_or(u64::MAX))
    }
}

/// The largest number that divides every duration and set-up; 0 where there is none.
pub(crate) fn common_step(values: impl IntoIterator<Item = u64>) -> u64 {
    let mut step = 0u64;
    for value in values {
        if step == 1 {
            break;
        }
        if step == 0 || !value.is_multiple_of(step) {
            let (mut a, mut b) = (value, step);
            while b != 0 {
                (a, b) = (b, a % b);
            }
            step = a;
        }
    }
    step
}

pub(crate) fn round_up(value: u64, step: u64) -> u64 {
    if step > 1 { value.div_ceil(step) * step } else { value }
}

/// Bounds 1 and 5: the longest unit with its set-up; the total over the workers, each family's
/// set-up counted as often as the family must be split to end in time. O(n).
pub(crate) fn families_bound(families: &Families, workers: usize) -> Bound {
    let mut bound = longest(families);
    let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
    let start = bound.value.max(total.div_ceil(workers as u64));
    let large: Vec<(u64, u64)> = (0..families.len())
        .filter(|family| families.total(*family) > start && families.setup[*family] > 0)
        .map(|family| (families.setup[family], families.sums[family]))
        .collect();
    let enough = |target: u64| {
        let again: u128 = large
            .iter()
            .map(|(setup, work)| {
                let pieces = work.div_ceil((target - setup).max(1)).max(1);
                u128::from(*setup) * u128::from(pieces - 1)
            })
            .sum();
        u128::from(total) + again <= u128::from(target) * workers as u128
    };
    let value = first_true(start, enough);
    let step = common_step(families.work.iter().chain(&families.setup).copied());
    bound.raise(round_up(value, step), Cause::Work);
    bound
}

/// The longest unit with its set-up.
pub(crate) fn longest(families: &Families) -> Bound {
    let mut bound = Bound { value: 0, cause: Cause::Work };
    for family in 0..families.len() {
        let value = families.setup[family] + families.longest[family];
        if value > bound.value {
            let at =
                families.units(family).iter().position(|unit| *unit == families.longest[family]);
            let cause = if families.setup[family] > 0 {
                Cause::Family(family)
            } else {
                Cause::Unit(families.range(family).start + at.unwrap_or(0))
            };
            bound.raise(value, cause);
        }
    }
    bound
}

/// The smallest value from `start` on that passes a test which, once passed, stays passed.
fn first_true(start: u64, passes: impl Fn(u64) -> bool) -> u64 {
    if passes(start) {
        return start;
    }
    let (mut low, mut step) = (start, 1);
    while !passes(low.saturating_add(step)) {
        low = low.saturating_add(step);
        step *= 2;
    }
    let mut high = low.saturating_add(step);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passes(middle) { high = middle } else { low = middle }
    }
    high
}

/// A bound raised by what costs a sort: bound 2. O(n log n).
pub(crate) fn raised(bound: Bound, families: &Families, workers: usize) -> Bound {
    let mut bound = bound;
    let mut falling: Vec<(u64, usize)> =
        families.work.iter().copied().enumerate().map(|(unit, work)| (work, unit)).collect();
    falling.sort_unstable_by(|a, b| b.cmp(a));
    let durations: Vec<u64> = falling.iter().map(|(work, _)| *work).collect();
    if let Some((value, last)) = tuple_bound(&durations, workers) {
        bound.raise(value, Cause::Unit(falling[last].1));
    }
    bound
}

/// Bound 2: of the `k * workers + 1` longest items some worker gets `k + 1`, at least the smallest
/// ones. `falling` are items in falling order. O(n / workers).
fn tuple_bound(falling: &[u64], workers: usize) -> Option<(u64, usize)> {
    let mut best = None;
    for k in 1..=falling.len().saturating_sub(1) / workers {
        let last = k * workers;
        let value: u64 = falling[last - k..=last].iter().sum();
        if best.is_none_or(|(known, _)| value > known) {
            best = Some((value, last));
        }
    }
    best
}
