//! Tests whose failures do not block for a while, because a person said so.
//!
//! Decides which entries shield at an instant and which lists are refused. An entry without owner,
//! reason or end is none: quarantine is a loan, and a list over its limit is refused as a whole.
//! Never hides a test: it runs, is judged and is shown as every other.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

/// At most so many entries that have not expired, where nothing else is said.
pub const ENTRIES_MAX: usize = 20;

/// One test, or one class with all its tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuarantineEntry {
    /// The test id, or the name of its class or file.
    pub test: String,
    /// Who mends it.
    pub owner: String,
    /// Why it is in quarantine.
    pub reason: String,
    /// The first day on which it shields, in UTC.
    pub since: Date,
    /// The first day on which it shields no longer, in UTC.
    pub expires: Date,
}

/// How an entry stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineState {
    /// It will shield.
    Ahead,
    /// It shields.
    Active,
    /// It shields no longer.
    Expired,
}

/// Why a list is refused: which entry, and which of its keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct QuarantineError {
    /// The entry, from 0.
    pub entry: usize,
    /// The key in it.
    pub key: &'static str,
    /// What is wrong with it.
    pub what: String,
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    entries: Vec<QuarantineEntry>,
}

impl QuarantineEntry {
    /// How it stands at an instant.
    pub fn state(&self, at: Timestamp) -> QuarantineState {
        let today = at.to_zoned(TimeZone::UTC).date();
        match (today < self.since, today < self.expires) {
            (true, _) => QuarantineState::Ahead,
            (false, true) => QuarantineState::Active,
            (false, false) => QuarantineState::Expired,
        }
    }
}

impl Quarantine {
    /// The list, checked: every text says something, no test twice, an end after the beginning, and
    /// at most `entries_max` entries that have not expired at `at`.
    ///
    /// # Errors
    /// The first entry that is wrong; over the limit, the first one too many.
    pub fn new(
        entries: Vec<QuarantineEntry>,
        entries_max: usize,
        at: Timestamp,
    ) -> Result<Self, QuarantineError> {
        let mut known = BTreeSet::new();
        let mut open = 0;
        for (at_entry, entry) in entries.iter().enumerate() {
            let wrong = |key, what: String| Err(QuarantineError { entry: at_entry, key, what });
            let texts = [("test", &entry.test), ("owner", &entry.owner), ("reason", &entry.reason)];
            if let Some((key, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
                return wrong(key, format!("`{key}` is empty"));
            }
            if entry.expires <= entry.since {
                let what = format!("expires on {}, not after {}", entry.expires, entry.since);
                return wrong("expires", what);
            }
            if !known.insert(entry.test.as_str()) {
                return wrong("test", format!("`{}` is in quarantine already", entry.test));
            }
            open += usize::from(entry.state(at) != QuarantineState::Expired);
            if open > entries_max {
                let what =
                    format!("one more than the {entries_max} tests that may be in quarantine");
                return wrong("test", what);
            }
        }
        Ok(Self { entries })
    }

    /// All entries, in their order.
    pub fn entries(&self) -> &[QuarantineEntry] {
        &self.entries
    }

    /// The entry that shields a test at an instant: its own, or that of its class.
    ///
    /// ```
    /// use rasher::report::quarantine::Quarantine;
    /// let none = Quarantine::default();
    /// assert!(none.shield("x.ATest#b", Some("x.ATest"), "2026-01-05T02:00:00Z".parse()?).is_none());
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn shield(
        &self,
        test: &str,
        group: Option<&str>,
        at: Timestamp,
    ) -> Option<&QuarantineEntry> {
        let names =
            |entry: &&QuarantineEntry| entry.test == test || Some(entry.test.as_str()) == group;
        self.entries.iter().filter(names).find(|it| it.state(at) == QuarantineState::Active)
    }

    /// The entries that shield no longer.
    pub fn expired(&self, at: Timestamp) -> impl Iterator<Item = &QuarantineEntry> {
        self.entries.iter().filter(move |it| it.state(at) == QuarantineState::Expired)
    }
}
