//! Days and hours of the week by the clock on the wall of a named zone.
//!
//! Decides whether an instant falls into a set of days and hours. Never reads a clock and never
//! guesses a zone: the zone data is compiled in, and a name that it lacks is an error.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};

const DAY_MINUTES: usize = 1_440;
const WEEK_MINUTES: usize = 7 * DAY_MINUTES;

/// A set of days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

/// What is wrong with a calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// A zone that the compiled-in data does not have.
    #[error("there is no time zone `{0}`; write a name such as `Europe/Vienna` or `UTC`")]
    Zone(String),
    /// A word that is no day.
    #[error("`{0}` is no day; write `mon` to `sun`, a range such as `mon-fri`, or `weekend`")]
    Day(String),
    /// Text that is no span of hours.
    #[error("`{0}` is no span of hours; write one such as `08:00-18:30` or `22:00-06:00`")]
    Hours(String),
    /// A span from a time to itself.
    #[error("`{0}` is empty: it ends when it begins; leave `hours` away for the whole day")]
    Empty(String),
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0x7f);
    /// No day.
    pub const NONE: Self = Self(0);

    /// Reads `sat`, `mon-fri`, `fri-mon` (over the weekend), `weekend`, `weekday`.
    ///
    /// ```
    /// use rasher::budget::Weekdays;
    /// assert_eq!(Weekdays::parse("fri-mon")?.count(), 4);
    /// # Ok::<(), rasher::budget::CalendarError>(())
    /// ```
    ///
    /// # Errors
    /// Where a word is no day.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let lower = text.trim().to_ascii_lowercase();
        let day = |word: &str| {
            DAYS.iter()
                .position(|d| word.len() >= 3 && long_name(d).starts_with(word.trim()))
                .ok_or_else(|| CalendarError::Day(text.to_owned()))
        };
        match lower.as_str() {
            "weekend" => Ok(Self(0x60)),
            "weekday" | "weekdays" => Ok(Self(0x1f)),
            _ => {
                let (first, last) = lower.split_once('-').unwrap_or((&lower, &lower));
                let (first, last) = (day(first)?, day(last)?);
                let span = (last + 7 - first) % 7;
                Ok(Self((0..=span).fold(0, |set, k| set | 1 << ((first + k) % 7))))
            }
        }
    }

    /// Days in either set.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// How many days.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    const fn has(self, day: usize) -> bool {
        self.0 >> day & 1 == 1
    }
}

fn long_name(short: &str) -> &'static str {
    match short {
        "mon" => "monday",
        "tue" => "tuesday",
        "wed" => "wednesday",
        "thu" => "thursday",
        "fri" => "friday",
        "sat" => "saturday",
        _ => "sunday",
    }
}

/// A span of hours of the day, in minutes after midnight; one that ends before it begins runs
/// over midnight and belongs to the day on which it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DaySpan {
    start: u16,
    end: u16,
}

impl DaySpan {
    /// Reads `08:00-18:30`, `22:00-06:00`, `18-24`.
    ///
    /// # Errors
    /// Where the text is no span, or an empty one.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let wrong = || CalendarError::Hours(text.to_owned());
        let (start, end) = text.split_once('-').ok_or_else(wrong)?;
        let start = minute(start).ok_or_else(wrong)?;
        let end = minute(end).ok_or_else(wrong)?;
        if start == end {
            return Err(CalendarError::Empty(text.to_owned()));
        }
        if usize::from(start) == DAY_MINUTES {
            return Err(wrong());
        }
        Ok(Self { start, end })
    }

    fn minutes(self) -> usize {
        let (start, end) = (usize::from(self.start), usize::from(self.end));
        if end > start { end - start } else { end + DAY_MINUTES - start }
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "00"));
    let number = |s: &str| {
        ((1..=2).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse::<u16>().ok())
            .flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && (hour < 24 || (hour == 24 && minute == 0))).then_some(hour * 60 + minute)
}

/// Days and hours in a zone; what is not said allows everything.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    zone_name: String,
    /// One bit for each minute of the week from Monday 00:00.
    minutes: Vec<u64>,
}

impl Calendar {
    /// Every minute, by UTC.
    pub fn always() -> Self {
        Self::with_zone(TimeZone::UTC, "UTC", Weekdays::ALL, &[])
    }

    /// The days and, on those days, the spans of hours; no span means the whole day.
    ///
    /// # Errors
    /// Where the zone does not exist.
    pub fn new(zone: &str, days: Weekdays, hours: &[DaySpan]) -> Result<Self, CalendarError> {
        let found = TimeZoneDatabase::bundled()
            .get(zone)
            .map_err(|_| CalendarError::Zone(zone.to_owned()))?;
        Ok(Self::with_zone(found, zone, days, hours))
    }

    fn with_zone(zone: TimeZone, name: &str, days: Weekdays, hours: &[DaySpan]) -> Self {
        let mut minutes = vec![0u64; WEEK_MINUTES.div_ceil(64)];
        let whole = [DaySpan { start: 0, end: DAY_MINUTES as u16 }];
        let hours = if hours.is_empty() { &whole[..] } else { hours };
        for day in (0..7).filter(|day| days.has(*day)) {
            for span in hours {
                let first = day * DAY_MINUTES + usize::from(span.start);
                for at in first..first + span.minutes() {
                    let at = at % WEEK_MINUTES;
                    minutes[at / 64] |= 1 << (at % 64);
                }
            }
        }
        Self { zone, zone_name: name.to_owned(), minutes }
    }

    /// Whether the instant falls into the days and hours, by the clock on the wall there: an hour
    /// that daylight saving skips never comes, one that it repeats comes twice.
    ///
    /// ```
    /// use rasher::budget::{Calendar, DaySpan, Weekdays};
    /// let weekend = Calendar::new("America/New_York", Weekdays::parse("weekend")?, &[])?;
    /// let friday_evening = "2026-03-06T23:30:00-05:00".parse()?;
    /// let saturday = "2026-03-07T00:00:00-05:00".parse()?;
    /// assert!(!weekend.contains(friday_evening) && weekend.contains(saturday));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains(&self, at: Timestamp) -> bool {
        let local = self.zone.to_datetime(at);
        let minute = minute_of_week(local.date().weekday(), local.time());
        self.minutes[minute / 64] >> (minute % 64) & 1 == 1
    }

    /// The name of the zone.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The clock on the wall there, as `Sat 14:05`.
    pub fn wall_clock(&self, at: Timestamp) -> String {
        let local = self.zone.to_datetime(at);
        let day = DAYS[usize::from(local.date().weekday().to_monday_zero_offset().unsigned_abs())];
        format!("{day} {:02}:{:02}", local.hour(), local.minute())
    }

    /// Whether there is no minute in it.
    pub fn is_empty(&self) -> bool {
        self.minutes.iter().all(|word| *word == 0)
    }

    /// The minutes of the week, to compare calendars of one zone.
    pub(crate) fn week(&self) -> &[u64] {
        &self.minutes
    }

    pub(crate) fn is_always(&self) -> bool {
        self.minutes.iter().map(|word| word.count_ones() as usize).sum::<usize>() == WEEK_MINUTES
    }
}

fn minute_of_week(day: Weekday, time: Time) -> usize {
    let day = usize::from(day.to_monday_zero_offset().unsigned_abs());
    day * DAY_MINUTES
        + usize::from(time.hour().unsigned_abs()) * 60
        + usize::from(time.minute().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn calendar(zone: &str, days: &str, hours: &[&str]) -> Calendar {
        let hours: Vec<_> = hours.iter().map(|h| DaySpan::parse(h).expect("hours")).collect();
        Calendar::new(zone, Weekdays::parse(days).expect("days"), &hours).expect("a zone")
    }

    #[test]
    fn a_span_over_midnight_belongs_to_the_day_it_began() {
        let night = calendar("UTC", "fri", &["22:00-06:00"]);
        assert!(night.contains(at("2026-11-20T22:00:00Z")));
        assert!(night.contains(at("2026-11-21T05:59:59Z")));
        assert!(!night.contains(at("2026-11-21T06:00:00Z")));
        assert!(!night.contains(at("2026-11-20T05:00:00Z")));
        let sunday = calendar("UTC", "sun", &["23:00-01:00"]);
        assert!(sunday.contains(at("2026-11-23T00:30:00Z")), "over the end of the week");
    }

    #[test]
    fn the_hour_that_daylight_saving_skips_never_comes_and_the_repeated_one_comes_twice() {
        let two = calendar("America/New_York", "sun", &["02:00-03:00"]);
        let hits = |from: &str| {
            let start = at(from).as_second();
            (0..24 * 60)
                .filter(|m| two.contains(Timestamp::from_second(start + m * 60).expect("in range")))
                .count()
        };
        assert_eq!(hits("2026-03-08T00:00:00-05:00"), 0, "spring forward");
        assert_eq!(hits("2026-06-07T00:00:00-04:00"), 60);
        let one = calendar("America/New_York", "sun", &["01:00-02:00"]);
        let start = at("2026-11-01T00:00:00-04:00").as_second();
        let twice = (0..24 * 60)
            .filter(|m| one.contains(Timestamp::from_second(start + m * 60).expect("in range")))
            .count();
        assert_eq!(twice, 120, "fall back");
    }

    #[test]
    fn what_is_no_day_hour_or_zone_is_named() {
        for text in ["", "m", "funday", "mon-", "mon-someday"] {
            assert!(matches!(Weekdays::parse(text), Err(CalendarError::Day(_))), "{text}");
        }
        for text in ["", "8", "08:00", "25:00-26:00", "08:60-09:00", "-1:00-2:00", "24:00-08:00"] {
            assert!(matches!(DaySpan::parse(text), Err(CalendarError::Hours(_))), "{text}");
        }
        assert!(matches!(DaySpan::parse("09:00-09:00"), Err(CalendarError::Empty(_))));
        let wrong = Calendar::new("Europe/Atlantis", Weekdays::ALL, &[]);
        assert!(matches!(wrong, Err(CalendarError::Zone(name)) if name == "Europe/Atlantis"));
    }
}
