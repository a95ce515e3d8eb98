//! An open suite, and what it costs beyond its cases.

use std::rc::Rc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::attributes::{Attributes, Stamp};
use crate::attempt::Outcome;
use crate::ingest::rows::Rows;
use crate::ingest::{Dialect, seconds};
use crate::test_id::{GroupId, TestId};
use crate::units::Micros;

/// What is known of an open suite.
#[derive(Debug, Default)]
pub(super) struct Suite {
    /// Shared, because each case of the suite may be named after it.
    pub(super) name: Rc<str>,
    pub(super) file: String,
    pub(super) stamp: Option<Stamp>,
    pub(super) rows: u64,
    pub(super) retries: Retries,
    /// Where its tag stands.
    pub(super) at: usize,
    /// What it says it holds, and what it and its inner suites do hold.
    says: Held,
    holds: Held,
    time: Option<Micros>,
    cases: Cases,
}

/// How many tests or attempts, and how many of them failed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    pub(super) attempts: u64,
    pub(super) failed: u64,
}

impl Held {
    fn said(attributes: &Attributes<'_>) -> Self {
        let number = |name: &str| attributes.some(name).and_then(|n| n.parse::<u64>().ok());
        let failed = number("failures").unwrap_or(0).saturating_add(number("errors").unwrap_or(0));
        Self { attempts: number("tests").unwrap_or(0), failed }
    }
}

/// What the cases of a suite say about its set-up.
#[derive(Debug, Default)]
struct Cases {
    group: Option<GroupId>,
    sum: Micros,
    count: u64,
    /// Several groups, a case without a time or about the whole group, a retry or an inner suite: the
    /// rest of the suite's time is not the set-up of one group.
    mixed: bool,
}

/// Finds failed attempts that TestNG wrote as skips, because it tried them again.
///
/// Such a skip took time and its test has a result in the same suite. Reports do not keep the order
/// of the attempts; the result was the last of them.
#[derive(Debug, Default)]
pub(super) struct Retries {
    last: Option<TestId>,
    /// The row at which the unbroken run of rows of the last test began.
    run: u64,
    skips: HashMap<TestId, Vec<Skip>, FixedState>,
    results: HashMap<TestId, usize, FixedState>,
}

#[derive(Clone, Copy, Debug)]
struct Skip {
    place: usize,
    row: u64,
    /// With a reason it is taken for a retry only where the result follows at once.
    reason: bool,
}

impl Suite {
    pub(super) fn new(attributes: &Attributes<'_>, stamp: Option<Stamp>, at: usize) -> Self {
        let time = attributes.get("time").and_then(|time| seconds::parse(time).ok());
        Self {
            name: Rc::from(attributes.get("name").unwrap_or_default()),
            file: attributes.text("file"),
            stamp,
            at,
            says: Held::said(attributes),
            time,
            ..Self::default()
        }
    }

    pub(super) fn has_suites(&mut self) {
        self.cases.mixed = true;
    }

    /// Counts attempts of its own or of an inner suite.
    pub(super) fn hold(&mut self, held: Held) {
        self.holds.attempts += held.attempts;
        self.holds.failed += held.failed;
    }

    pub(super) const fn holds(&self) -> Held {
        self.holds
    }

    /// What is wrong where the suite announces more tests or failures than it holds: something ran,
    /// or was to run, and left no row. pytest counts sub-tests without writing them.
    pub(super) fn missing(&self, dialect: Dialect) -> Option<String> {
        let (says, holds) = (self.says, self.holds);
        let (of, says, holds) = match () {
            () if dialect == Dialect::Pytest => return None,
            () if says.attempts > holds.attempts => ("tests", says.attempts, holds.attempts),
            () if says.failed > holds.failed => ("failures", says.failed, holds.failed),
            () => return None,
        };
        let name = crate::ingest::failure::cut(&self.name, 80);
        Some(format!("suite `{name}` says {says} {of} and holds {holds}; the rest is unknown"))
    }

    /// Takes note of a case; `mixed` where it is no plain execution of one test.
    pub(super) fn count(&mut self, group: Option<GroupId>, time: Option<Micros>, mixed: bool) {
        let cases = &mut self.cases;
        cases.count += 1;
        cases.mixed |= mixed || group.is_none() || time.is_none();
        cases.mixed |= cases.count > 1 && cases.group != group;
        cases.group = group;
        cases.sum += time.unwrap_or(Micros::ZERO);
    }

    /// Records the set-up where the suite is one group.
    ///
    /// Many writers (Surefire in several versions, Gradle) give as time of the suite the sum of its
    /// cases, some with rounding: no difference is no measurement. On 27 real sets the difference
    /// is zero either in all suites or in hardly any.
    pub(super) fn close(self, dialect: Dialect, rows: &mut Rows) {
        let (Some(time), Some(group)) = (self.time, self.cases.group) else { return };
        let cases = &self.cases;
        let rounding = match dialect {
            Dialect::Gradle => Micros::from_millis(cases.count + 1),
            _ => Micros::ZERO,
        };
        let measured = !cases.mixed && !cases.sum.is_zero() && time > cases.sum + rounding;
        if measured {
            rows.set_up(group, time.saturating_sub(cases.sum));
        }
    }
}

impl Retries {
    /// A result at `place`: the skips it is a retry of failed.
    pub(super) fn result(&mut self, test: TestId, row: u64, place: usize, rows: &mut Rows) {
        self.begin(test, row);
        self.results.insert(test, place);
        if self.skips.is_empty() {
            return;
        }
        for skip in self.skips.remove(&test).unwrap_or_default() {
            if !skip.reason || skip.row >= self.run {
                rows.correct(skip.place, Outcome::Failed);
            }
        }
    }

    /// A skip at `place` that took time.
    pub(super) fn skip(&mut self, test: TestId, skip: (u64, usize, bool), rows: &mut Rows) {
        let (row, place, reason) = skip;
        self.begin(test, row);
        match self.results.get(&test) {
            Some(result) if !reason => {
                rows.correct(place, Outcome::Failed);
                rows.swap_ordinals(place, *result);
            }
            _ => self.skips.entry(test).or_default().push(Skip { place, row, reason }),
        }
    }

    fn begin(&mut self, test: TestId, row: u64) {
        if self.last != Some(test) {
            self.last = Some(test);
            self.run = row;
        }
    }
}
