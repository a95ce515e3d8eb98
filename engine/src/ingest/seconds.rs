//! A time as reports print it, in seconds.
//!
//! Decides which separator is the decimal one. Never makes a duration of what is none: negative,
//! not a number, infinite or longer than any test runs.

use crate::units::Micros;

/// No attempt takes longer than this: thirty days.
const LONGEST: Micros = Micros::from_secs(30 * 24 * 3_600);

/// Why a time is not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTime {
    Empty,
    NoNumber,
    Negative,
    NotFinite,
    Huge,
}

impl NoTime {
    pub(super) const fn why(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::NoNumber => "is no number",
            Self::Negative => "is negative",
            Self::NotFinite => "is not finite",
            Self::Huge => "is longer than thirty days",
        }
    }
}

/// Reads `0.5`, `1,234.5`, `1.234,5`, `0,123`, `1 234,5`, `4E-5` or `2s`.
pub(super) fn parse(text: &str) -> Result<Micros, NoTime> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NoTime::Empty);
    }
    if text.len() > 64 {
        return Err(NoTime::NoNumber);
    }
    let plain = text.strip_suffix('s').map_or(text, str::trim_end);
    if let Ok(seconds) = plain.parse::<f64>() {
        return from_f64(seconds);
    }
    let digits: String = plain
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}' | '_'))
        .collect();
    point(&digits).parse::<f64>().map_or(Err(NoTime::NoNumber), from_f64)
}

/// A number of seconds as a duration.
pub(super) fn from_f64(seconds: f64) -> Result<Micros, NoTime> {
    if !seconds.is_finite() {
        return Err(NoTime::NotFinite);
    }
    if seconds < 0.0 {
        return Err(NoTime::Negative);
    }
    Micros::from_secs_f64(seconds).filter(|span| *span <= LONGEST).ok_or(NoTime::Huge)
}

/// The number with `.` as its only separator. The last separator is the decimal one, unless it is
/// repeated, and then all are for thousands. A lone comma is decimal: the writers that group by
/// thousands also print decimals.
fn point(digits: &str) -> String {
    let (commas, dots) = (digits.matches(',').count(), digits.matches('.').count());
    let decimal = match (digits.rfind(','), digits.rfind('.')) {
        (Some(comma), Some(dot)) => Some(if comma > dot { ',' } else { '.' }),
        (Some(_), None) if commas == 1 => Some(','),
        (None, Some(_)) if dots == 1 => Some('.'),
        _ => None,
    };
    let keep = |c: char| match c {
        ',' | '.' => (Some(c) == decimal).then_some('.'),
        other => Some(other),
    };
    digits.chars().filter_map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_their_writers_meant_them() {
        for (text, micros) in [
            ("0.5", 500_000),
            (" 1.25 ", 1_250_000),
            ("1,234.5", 1_234_500_000),
            ("1,234,567.25", 1_234_567_250_000),
            ("1.234,5", 1_234_500_000),
            ("0,123", 123_000),
            ("1,234", 1_234_000),
            ("1,234,567", 1_234_567_000_000),
            ("1 234,5", 1_234_500_000),
            ("1\u{202f}234,5", 1_234_500_000),
            ("1'234.5", 1_234_500_000),
            ("4E-5", 40),
            ("2s", 2_000_000),
            ("-0.0", 0),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Micros::new(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_why() {
        for (text, why) in [
            ("", NoTime::Empty),
            ("soon", NoTime::NoNumber),
            ("-1 mins", NoTime::NoNumber),
            ("1.2.3,4,5", NoTime::NoNumber),
            ("-1", NoTime::Negative),
            ("-0,5", NoTime::Negative),
            ("NaN", NoTime::NotFinite),
            ("inf", NoTime::NotFinite),
            ("-inf", NoTime::NotFinite),
            ("1e999", NoTime::NotFinite),
            ("1e30", NoTime::Huge),
            ("99999999999", NoTime::Huge),
        ] {
            assert_eq!(parse(text), Err(why), "{text}");
        }
    }
}
