//! An open suite, and what it costs beyond its cases.

use super::attributes::{Attributes, Stamp};
use crate::ingest::rows::Rows;
use crate::ingest::{Dialect, seconds};
use crate::test_id::{GroupId, TestId};
use crate::units::Micros;
use std::collections::BTreeMap;

/// What is known of an open suite.
#[derive(Debug, Default)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) stamp: Option<Stamp>,
    pub(super) rows: u64,
    pub(super) skips: Skips,
    time: Option<Micros>,
    cases: Cases,
}

/// What the cases of a suite say about its set-up.
#[derive(Debug, Default)]
struct Cases {
    group: Option<GroupId>,
    sum: Micros,
    count: u64,
    /// Several groups, a case without a time, a retry or an inner suite: the rest of the suite's
    /// time is not the set-up of one group.
    mixed: bool,
}

/// Skips that took time, and so may turn out to be retried failures.
#[derive(Debug, Default)]
pub(super) struct Skips {
    last: Option<TestId>,
    run: u64,
    open: BTreeMap<TestId, Vec<Skip>>,
}

#[derive(Clone, Copy, Debug)]
struct Skip {
    place: usize,
    row: u64,
    /// With a reason it is taken for a retry only where the result follows at once.
    reason: bool,
}

impl Suite {
    pub(super) fn new(attributes: &Attributes<'_>, stamp: Option<Stamp>) -> Self {
        let time = attributes.get("time").and_then(|time| seconds::parse(time).ok());
        Self {
            name: attributes.text("name"),
            file: attributes.text("file"),
            stamp,
            time,
            ..Self::default()
        }
    }

    pub(super) fn has_suites(&mut self) {
        self.cases.mixed = true;
    }

    /// Takes note of a case; `retried` where the report holds more than its one execution.
    pub(super) fn count(&mut self, group: Option<GroupId>, time: Option<Micros>, retried: bool) {
        let cases = &mut self.cases;
        cases.count += 1;
        cases.mixed |= retried || group.is_none() || time.is_none();
        cases.mixed |= cases.count > 1 && cases.group != group;
        cases.group = group;
        cases.sum += time.unwrap_or(Micros::ZERO);
    }

    /// Records the set-up where the suite is one group.
    ///
    /// Gradle's suite time is the sum of its cases: no difference there is no measurement.
    pub(super) fn close(self, dialect: Dialect, rows: &mut Rows) {
        let (Some(time), Some(group)) = (self.time, self.cases.group) else { return };
        let cases = &self.cases;
        if cases.mixed || time.is_zero() || cases.sum.is_zero() {
            return;
        }
        let rounding = Micros::from_millis(cases.count + 1);
        let known = match dialect {
            Dialect::Gradle => time > cases.sum + rounding,
            _ => time + rounding >= cases.sum,
        };
        if known {
            rows.set_up(group, time.saturating_sub(cases.sum));
        }
    }
}

impl Skips {
    /// A row of `test` begins.
    pub(super) fn row(&mut self, test: TestId, row: u64) {
        if self.last != Some(test) {
            self.last = Some(test);
            self.run = row;
        }
    }

    /// The row was a skip that took time.
    pub(super) fn skipped(&mut self, test: TestId, place: usize, row: u64, reason: bool) {
        self.open.entry(test).or_default().push(Skip { place, row, reason });
    }

    /// The row was a result: gives the places of the skips it was a retry of.
    pub(super) fn settled(&mut self, test: TestId) -> Vec<usize> {
        let run = self.run;
        let skips = self.open.remove(&test).unwrap_or_default();
        skips.iter().filter(|skip| !skip.reason || skip.row >= run).map(|skip| skip.place).collect()
    }
}
