//! Quantities with their unit in the type: spans of time and money.
//!
//! Decides how a span is read, written and added up. Never rounds in silence and never lets a
//! number that is not a duration (negative, NaN, infinite) become one.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::fmt::friendly::{Designator, Spacing, SpanParser, SpanPrinter};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span of time in whole microseconds.
///
/// Sums saturate at [`Micros::MAX`] (some 584,000 years), so that a hostile duration can make a
/// plan silly but never makes it panic. In documents it is a number of milliseconds.
///
/// ```
/// use rasher::units::Micros;
/// let span: Micros = "4m30s".parse()?;
/// assert_eq!(span, Micros::from_secs(270));
/// assert_eq!(span.to_string(), "4m30s");
/// # Ok::<(), rasher::units::UnitError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(u64);

/// Text or a number that is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct UnitError {
    /// What was given.
    pub text: String,
    /// What would have been understood.
    pub wanted: &'static str,
}

impl UnitError {
    fn new(text: impl Into<String>, wanted: &'static str) -> Self {
        Self { text: text.into(), wanted }
    }
}

const DURATION_WANTED: &str = "a duration such as `90s`, `4m30s` or `1h`";

impl Micros {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span; sums stop here.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `micros` microseconds.
    pub const fn new(micros: u64) -> Self {
        Self(micros)
    }

    /// A span of `millis` milliseconds, at most [`Micros::MAX`].
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// A span of `secs` seconds, at most [`Micros::MAX`].
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// A span of `secs` seconds to the nearest microsecond; `None` for what is no duration
    /// (negative, NaN, infinite) or does not fit.
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let micros = (secs * 1e6).round();
        (secs >= 0.0 && micros < 18_446_744_073_709_549_568.0).then_some(Self(micros as u64))
    }

    /// The count of microseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Milliseconds, as documents write it.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// Seconds, for people and for ratios.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// True for a span of no length.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The difference, or zero where `other` is longer.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `count` times the span, at most [`Micros::MAX`].
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// The span times `factor`, rounded up; [`Micros::MAX`] where that is no duration.
    pub fn scale(self, factor: f64) -> Self {
        let scaled = (self.0 as f64 * factor).ceil();
        if (0.0..1.8e19).contains(&scaled) { Self(scaled as u64) } else { Self::MAX }
    }
}

impl Add for Micros {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Micros {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Micros {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Sum for Micros {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl FromStr for Micros {
    type Err = UnitError;

    /// Reads `90s`, `4m30s`, `1h`, `1.5s`, `250ms`; a sign or a bare number is refused.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || UnitError::new(text, DURATION_WANTED);
        let span = SpanParser::new().parse_duration(text.trim()).map_err(|_| wrong())?;
        if span.is_negative() {
            return Err(wrong());
        }
        u64::try_from(span.as_micros()).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Micros {
    /// Writes `4m30s`; milliseconds and microseconds only below ten seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            if self.0 >= 10_000_000 { (self.0 + 500_000) / 1_000_000 * 1_000_000 } else { self.0 };
        let span = SignedDuration::from_micros(i64::try_from(shown).unwrap_or(i64::MAX));
        let printer = SpanPrinter::new().designator(Designator::Compact).spacing(Spacing::None);
        f.pad(&printer.duration_to_string(&span))
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(1_000) || self.0 >= EXACT {
            to.serialize_u64(self.0 / 1_000)
        } else {
            to.serialize_f64(self.as_millis_f64())
        }
    }
}

/// Below this (35 years) a float of milliseconds tells every microsecond apart, and comes back as
/// it was; longer spans are written in whole milliseconds.
const EXACT: u64 = 1 << 50;

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Millis;

        impl serde::de::Visitor<'_> for Millis {
            type Value = Micros;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of milliseconds")
            }

            fn visit_u64<E: serde::de::Error>(self, millis: u64) -> Result<Micros, E> {
                Ok(Micros::from_millis(millis))
            }

            fn visit_i64<E: serde::de::Error>(self, millis: i64) -> Result<Micros, E> {
                u64::try_from(millis)
                    .map(Micros::from_millis)
                    .map_err(|_| E::custom(format!("{millis} ms is no duration")))
            }

            fn visit_f64<E: serde::de::Error>(self, millis: f64) -> Result<Micros, E> {
                let micros = (millis * 1e3).round();
                (micros >= 0.0 && micros < u64::MAX as f64)
                    .then_some(Micros(micros as u64))
                    .ok_or_else(|| E::custom(format!("{millis} ms is no duration")))
            }
        }

        from.deserialize_any(Millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_as_people_write_them() {
        for (text, micros) in
            [("90s", 90_000_000), ("4m30s", 270_000_000), ("1h", 3_600_000_000), ("250ms", 250_000)]
        {
            assert_eq!(text.parse::<Micros>(), Ok(Micros::new(micros)), "{text}");
        }
        assert_eq!(Micros::from_secs(90).to_string(), "1m30s");
        assert_eq!(Micros::from_secs(5_400).to_string(), "1h30m");
        assert_eq!(Micros::ZERO.to_string(), "0s");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "-5s", "30", "soon", "1e400s", "NaN"] {
            assert!(text.parse::<Micros>().is_err(), "{text}");
        }
        for secs in [-1.0, f64::NAN, f64::INFINITY, -0.5] {
            assert_eq!(Micros::from_secs_f64(secs), None);
        }
    }

    #[test]
    fn documents_carry_milliseconds_to_the_microsecond() {
        let span = Micros::new(1_234_567);
        let text = serde_json::to_string(&span).expect("json");
        assert_eq!(text, "1234.567");
        assert_eq!(serde_json::from_str::<Micros>(&text).expect("span"), span);
        assert_eq!(serde_json::to_string(&Micros::from_secs(2)).expect("json"), "2000");
        for micros in [1, 999, 1_234_567, EXACT - 1, EXACT + 1, u64::MAX - 1, u64::MAX] {
            let text = serde_json::to_string(&Micros::new(micros)).expect("json");
            let again = serde_json::from_str::<Micros>(&text).expect("what is written is read");
            assert_eq!(serde_json::to_string(&again).expect("json"), text);
            assert!(micros >= EXACT || again.get() == micros);
        }
    }
}
