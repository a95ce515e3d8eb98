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
}

/// The largest makespan within so many millionths of a bound.
pub(crate) fn target_of(bound: u64, tolerance_ppm: u64) -> u64 {
    let slack = u128::from(bound) * u128::from(tolerance_ppm) / 1_000_000;
    bound.saturating_add(u64::try_from(slack).unwrap_or(u64::MAX))
}

/// The largest number that divides every duration and set-up; 0 where there is none.
pub(crate) fn common_step(values: impl IntoIterator<Item = u64>) -> u64 {
    let mut step = 0u64;
    let mut divides = Divisor::new(1);
    for value in values {
        if step == 1 {
            break;
        }
        if step == 0 || !divides.divides(value) {
            let (mut a, mut b) = (value, step);
            while b != 0 {
                (a, b) = (b, a % b);
            }
            step = a;
            divides = Divisor::new(step.max(1));
        }
    }
    step
}

/// A divisor that is asked often: a multiplication answers what a division would (Granlund and
/// Montgomery 1994).
struct Divisor {
    inverse: u64,
    twos: u32,
    most: u64,
}

impl Divisor {
    /// For a divisor that is not 0.
    fn new(divisor: u64) -> Self {
        let twos = divisor.trailing_zeros();
        let odd = divisor >> twos;
        let mut inverse = odd;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        }
        Self { inverse, twos, most: u64::MAX / divisor }
    }

    fn divides(&self, value: u64) -> bool {
        value.wrapping_mul(self.inverse).rotate_right(self.twos) <= self.most
    }
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
pub(crate) fn first_true(start: u64, passes: impl Fn(u64) -> bool) -> u64 {
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

/// Where the longest family or unit binds: the bound if it were cut into pieces that bind nothing.
pub(crate) fn if_split(families: &Families, workers: usize) -> Option<u64> {
    let family = match families_bound(families, workers).cause {
        Cause::Family(family) => family,
        Cause::Unit(unit) => {
            (0..families.len()).find(|family| families.range(*family).contains(&unit))?
        }
        Cause::Work => return None,
    };
    let others = (0..families.len()).filter(|other| *other != family);
    let longest = others.map(|other| families.setup[other] + families.longest[other]).max();
    let rest = families.units(family).iter().filter(|unit| **unit != families.longest[family]);
    let within = rest.max().map(|unit| unit + families.setup[family]);
    let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
    let area = total.div_ceil(workers as u64);
    Some(area.max(longest.unwrap_or(0)).max(within.unwrap_or(0)))
}
