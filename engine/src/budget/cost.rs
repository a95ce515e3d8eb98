//! What a worker takes and what it costs.
//!
//! Decides the time a worker of a pool is up for the work it is given, and what is billed for
//! that. Never decides how many workers there are.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::units::Micros;

/// Millionths in one unit of a currency.
const UNIT: u64 = 1_000_000;
const HOUR_MICROS: u128 = 3_600_000_000;

/// An amount of money in millionths of its unit; the currency is the user's.
///
/// ```
/// use rasher::budget::Money;
/// let price: Money = "0.0416".parse()?;
/// assert_eq!(price.to_string(), "0.0416");
/// assert!("-1".parse::<Money>().is_err());
/// # Ok::<(), rasher::budget::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u64);

/// Text that is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount of money such as `12` or `0.0416` (at most six decimals)")]
pub struct MoneyError(pub String);

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of `millionths` of the unit.
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// The amount in millionths of the unit.
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// The amount as documents write it.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / UNIT as f64
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads a plain decimal of at most six places; a sign, a currency or an exponent is refused.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let wrong = || MoneyError(text.to_owned());
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 6 {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
        whole.checked_mul(UNIT).and_then(|w| w.checked_add(part)).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Money {
    /// Writes a plain decimal with at least two places.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:06}", self.0 % UNIT);
        let kept = part.trim_end_matches('0').len().max(2);
        f.pad(&format!("{}.{}", self.0 / UNIT, &part[..kept]))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.as_f64())
    }
}

/// Exact money × time, so that sums over workers are not rounded one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bill(u128);

impl Bill {
    pub(crate) fn of(price_per_hour: Money, billed: u128) -> Self {
        Self(u128::from(price_per_hour.0).saturating_mul(billed))
    }

    /// The amount, rounded up to a millionth.
    pub(crate) fn money(self) -> Money {
        Money(u64::try_from(self.0.div_ceil(HOUR_MICROS)).unwrap_or(u64::MAX))
    }

    /// The exact product, to compare and to bound.
    pub(crate) const fn raw(self) -> u128 {
        self.0
    }

    pub(crate) const fn from_raw(product: u128) -> Self {
        Self(product)
    }

    pub(crate) fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(u128::from(count)))
    }
}

impl Add for Bill {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Bill {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), Add::add)
    }
}

/// In what steps a pool bills a worker's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Billing {
    /// Every started step is billed whole; zero bills to the microsecond.
    pub granularity: Micros,
    /// What is billed at least for a worker that starts.
    pub minimum: Micros,
}

impl Billing {
    /// By the second, with a minimum of one minute, as the large clouds bill virtual machines.
    pub const SECOND: Self =
        Self { granularity: Micros::from_secs(1), minimum: Micros::from_secs(60) };
    /// By the started minute.
    pub const MINUTE: Self =
        Self { granularity: Micros::from_secs(60), minimum: Micros::from_secs(60) };
    /// By the started hour.
    pub const HOUR: Self =
        Self { granularity: Micros::from_secs(3_600), minimum: Micros::from_secs(3_600) };

    /// What is billed for a worker that is up for `time`.
    ///
    /// ```
    /// use rasher::{budget::Billing, units::Micros};
    /// let up = Micros::from_secs(61 * 60);
    /// assert_eq!(Billing::HOUR.billed(up), Micros::from_secs(7_200));
    /// assert_eq!(Billing::SECOND.billed(Micros::from_secs(5)), Micros::from_secs(60));
    /// ```
    pub fn billed(self, time: Micros) -> Micros {
        let step = self.granularity.get().max(1);
        let up = time.max(self.minimum).get();
        Micros::new(up.div_ceil(step).saturating_mul(step))
    }
}

/// How a pool of interruptible workers behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// Expected interruptions of one worker in an hour of work.
    pub interruptions_per_hour: f64,
    /// Work that is lost when a worker is taken away: the length of what was leased to it.
    pub work_lost: Micros,
}

/// A kind of worker that can be had, and at what price.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name in the policy and in plans.
    pub name: String,
    /// Price of one worker for an hour; without it costs are not known.
    pub price_per_hour: Option<Money>,
    /// How its time is billed.
    pub billing: Billing,
    /// From the request to the first test.
    pub startup: Micros,
    /// What a worker spends beside its tests once it is up: discovery, reports, upload.
    pub overhead: Micros,
    /// How fast it is, relative to the workers that history was measured on.
    pub speed: f64,
    /// How many of it there are at most.
    pub workers_max: Option<u32>,
    /// Tags of tests that only such workers can run.
    pub tags: Vec<String>,
    /// Set for interruptible workers.
    pub spot: Option<Spot>,
}

impl Pool {
    /// A pool of plain workers: no price, no start-up, billed by the second.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            price_per_hour: None,
            billing: Billing::SECOND,
            startup: Micros::ZERO,
            overhead: Micros::ZERO,
            speed: 1.0,
            workers_max: None,
            tags: Vec::new(),
            spot: None,
        }
    }

    /// What every worker spends before and beside its tests.
    pub fn fixed(&self) -> Micros {
        self.startup + self.overhead
    }

    /// Time on this pool for one unit of predicted work, interruptions included.
    ///
    /// An interruption comes with rate r and costs the work of the current lease and a new
    /// start-up s. A lease of length c then takes (1/r + s)(e^rc - 1) on average (the renewal
    /// argument of checkpointing: Young 1974, Daly 2006).
    pub fn slowdown(&self) -> f64 {
        let plain = 1.0 / self.speed.max(1e-6);
        let Some(spot) = self.spot else { return plain };
        let rate = spot.interruptions_per_hour / 3.6e9;
        let lease = (spot.work_lost.get() as f64 * plain).max(1.0);
        if rate.is_nan() || rate <= 0.0 {
            return plain;
        }
        plain * (1.0 / rate + self.startup.get() as f64) * exp_m1(rate * lease) / lease
    }

    /// How long a worker is up for `load` of predicted work.
    ///
    /// ```
    /// use rasher::{budget::Pool, units::Micros};
    /// let slow = Pool { startup: Micros::from_secs(60), speed: 0.5, ..Pool::plain("slow") };
    /// assert_eq!(slow.up(Micros::from_secs(30)), Micros::from_secs(120));
    /// ```
    pub fn up(&self, load: Micros) -> Micros {
        self.fixed() + load.scale(self.slowdown())
    }

    /// What a worker costs that is up for `time`.
    pub(crate) fn bill(&self, time: Micros) -> Bill {
        let price = self.price_per_hour.unwrap_or(Money::ZERO);
        Bill::of(price, u128::from(self.billing.billed(time).get()))
    }

    /// What a worker costs that is up for `time`; `None` where the pool has no price.
    pub fn cost(&self, time: Micros) -> Option<Money> {
        self.price_per_hour.map(|_| self.bill(time).money())
    }
}

/// `e^x - 1` for `x >= 0` from additions, products and quotients alone: the libraries of two
/// systems differ in the last bit of `exp`, and equal input must give equal bytes.
fn exp_m1(x: f64) -> f64 {
    let mut halvings = 0;
    let mut small = x.min(700.0);
    while small > 0.5 {
        small /= 2.0;
        halvings += 1;
    }
    let mut term = small;
    let mut sum = small;
    for k in 2..20 {
        term *= small / f64::from(k);
        sum += term;
    }
    for _ in 0..halvings {
        sum *= sum + 2.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_and_written_as_plain_decimals() {
        for (text, millionths, shown) in [
            ("12", 12_000_000, "12.00"),
            ("0.0416", 41_600, "0.0416"),
            ("1.5", 1_500_000, "1.50"),
            ("0.000001", 1, "0.000001"),
        ] {
            let money: Money = text.parse().expect("money");
            assert_eq!(money.millionths(), millionths);
            assert_eq!(money.to_string(), shown);
        }
        for text in ["", ".", "1.", ".5", "-1", "1e3", "1,5", "0.0000001", "99999999999999999999"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    #[test]
    fn own_exponential_agrees_with_the_library() {
        for k in 0..2_000 {
            let x = f64::from(k) / 100.0;
            assert!((exp_m1(x) - x.exp_m1()).abs() <= 1e-12 * x.exp_m1(), "{x}");
        }
    }

    #[test]
    fn a_worker_never_interrupted_works_at_its_own_speed() {
        let calm = Spot { interruptions_per_hour: 0.0, work_lost: Micros::from_secs(600) };
        let pool = Pool { spot: Some(calm), ..Pool::plain("spot") };
        assert_eq!(pool.slowdown(), 1.0);
        let stormy = Spot { interruptions_per_hour: 1.0, ..calm };
        let pool = Pool { spot: Some(stormy), startup: Micros::from_secs(120), ..pool };
        // Once an hour: half a lease of ten minutes and two minutes of start-up, 7 of 60.
        assert!((pool.slowdown() - 1.12).abs() < 0.01, "{}", pool.slowdown());
    }

    #[test]
    fn the_slowdown_is_what_interrupted_leases_take_on_average() {
        // Leases of eight minutes, taken away twice an hour, ninety seconds to start anew.
        let (lease, startup, rate) = (480.0, 90.0, 2.0 / 3_600.0);
        let spot = Spot { interruptions_per_hour: 2.0, work_lost: Micros::from_secs(480) };
        let pool = Pool { spot: Some(spot), startup: Micros::from_secs(90), ..Pool::plain("spot") };
        let mut state = 42u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
        };
        let leases = 200_000;
        let mut total = 0.0;
        for _ in 0..leases {
            // Until one lease is not interrupted: what was done is lost, and a worker starts.
            loop {
                let until = -uniform().ln() / rate;
                if until >= lease {
                    break total += lease;
                }
                total += until + startup;
            }
        }
        let seen = total / (f64::from(leases) * lease);
        assert!((seen - pool.slowdown()).abs() < 0.005, "{seen} {}", pool.slowdown());
    }
}
