//! How often who merged in spite of what: counts per test, per person and per week.
//!
//! Decides what is counted: a person once for each bypass, a test once for each bypass that passed
//! over it. A week is one of ISO 8601, in UTC.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::BypassRecord;

/// What is counted for one person, or for one test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Who, or which test.
    pub name: String,
    /// How often in all.
    pub total: u64,
    /// How often in each week, as `2026-W02`, in order.
    pub weeks: BTreeMap<String, u64>,
}

/// Counts of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// By person; the most frequent first.
    pub people: Vec<Count>,
    /// By test; the most frequent first.
    pub tests: Vec<Count>,
    /// Bypasses of each week, in order.
    pub weeks: BTreeMap<String, u64>,
}

/// The ISO week of an instant, in UTC.
///
/// ```
/// use rasher::bypass::tally::week;
/// assert_eq!(week("2027-01-01T00:00:00Z".parse()?), "2026-W53");
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn week(at: Timestamp) -> String {
    let week = at.to_zoned(TimeZone::UTC).date().iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

/// Counts. O(n log n) in the bypassed tests.
pub fn tally<'a>(records: impl IntoIterator<Item = &'a BypassRecord>) -> Tally {
    let mut people: BTreeMap<&str, Count> = BTreeMap::new();
    let mut tests: BTreeMap<&str, Count> = BTreeMap::new();
    let mut weeks: BTreeMap<String, u64> = BTreeMap::new();
    for record in records {
        let week = week(record.at);
        people.entry(&record.by).or_default().add(&week);
        let distinct: BTreeSet<&str> = record.tests.iter().map(|test| test.test.as_str()).collect();
        for test in distinct {
            tests.entry(test).or_default().add(&week);
        }
        *weeks.entry(week).or_default() += 1;
    }
    Tally { people: ranked(people), tests: ranked(tests), weeks }
}

impl Count {
    fn add(&mut self, week: &str) {
        self.total += 1;
        *self.weeks.entry(week.to_owned()).or_default() += 1;
    }
}

fn ranked(counts: BTreeMap<&str, Count>) -> Vec<Count> {
    let named = |(name, count)| Count { name: String::from(name), ..count };
    let mut counts: Vec<Count> = counts.into_iter().map(named).collect();
    counts.sort_by(|a, b| b.total.cmp(&a.total).then_with(|| a.name.cmp(&b.name)));
    counts
}
