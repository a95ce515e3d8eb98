//! What was planned, and what came of each test of it.

use std::collections::BTreeSet;

use crate::attempt::{Isolation, Outcome};
use crate::outcome::{Outcomes, Trial};
use crate::plan::document::PlanDocument;
use crate::test_id::{TestId, TestTable};

/// The tests of a run: those of its first plan and of every retry of it.
#[derive(Clone, Debug)]
pub struct Planned {
    tests: TestTable,
    seats: Vec<Seat>,
}

/// Where the first plan that has a test runs it.
#[derive(Clone, Copy, Debug, Default)]
struct Seat {
    /// 0 where no plan has it.
    shard: u32,
    /// Where its lane begins on the shard, and its own position there.
    lane_start: usize,
    position: usize,
}

impl Planned {
    /// The union of the plans of one run, in canonical order. O(n log n).
    pub fn new(plans: &[PlanDocument]) -> Self {
        let mut tests = TestTable::new();
        let mut seats: Vec<Seat> = Vec::new();
        for plan in plans {
            for shard in &plan.shards {
                let groups = shard
                    .groups
                    .iter()
                    .flat_map(|span| std::iter::repeat_n(Some(span.group.as_str()), span.tests));
                let groups = groups.chain(std::iter::repeat(None));
                for ((name, group), position) in shard.tests.iter().zip(groups).zip(0..) {
                    let test = tests.intern(name, group.filter(|group| !group.is_empty()));
                    if test.index() == seats.len() {
                        let lane_start = shard.lane_start(position);
                        seats.push(Seat { shard: shard.index, lane_start, position });
                    }
                }
            }
        }
        Self::sorted(&tests, &seats)
    }

    /// The same with every test that failed without being planned: a failure nobody planned is a
    /// failure. Rows about a planned class, and tests of a class planned as one unit, are not new.
    pub fn with_unplanned(self, outcomes: &Outcomes) -> Self {
        let reported = outcomes.tests();
        let unplanned = |test: &TestId| {
            let name = reported.name(*test);
            let unit = reported.group(*test).map(|group| reported.group_name(group));
            let known = self.tests.find(name).is_some()
                || self.tests.find_group(name).is_some()
                || unit.is_some_and(|unit| self.tests.find(unit).is_some());
            !known && outcomes.of(*test).iter().any(|trial| trial.outcome.is_failure())
        };
        let new: Vec<TestId> = reported.ids().filter(unplanned).collect();
        let (mut tests, mut seats) = (self.tests.clone(), self.seats.clone());
        for test in new {
            let group = reported.group(test).map(|group| reported.group_name(group));
            tests.intern(reported.name(test), group);
            seats.push(Seat::default());
        }
        Self::sorted(&tests, &seats)
    }

    /// The same without these tests: what is no longer there runs no more and is not judged.
    #[must_use]
    pub fn without(self, names: &[String]) -> Self {
        if names.is_empty() {
            return self;
        }
        let (mut tests, mut seats) = (TestTable::new(), Vec::new());
        let gone: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        for test in self.tests.ids().filter(|test| !gone.contains(self.tests.name(*test))) {
            let group = self.tests.group(test).map(|group| self.tests.group_name(group));
            tests.intern(self.tests.name(test), group);
            seats.push(self.seats[test.index()]);
        }
        // In order already; sorted again so that groups that are gone leave no trace.
        Self::sorted(&tests, &seats)
    }

    fn sorted(tests: &TestTable, seats: &[Seat]) -> Self {
        let (tests, old) = tests.sorted();
        Self { seats: old.iter().map(|test| seats[test.index()]).collect(), tests }
    }

    /// The tests, sorted by name.
    pub fn tests(&self) -> &TestTable {
        &self.tests
    }

    /// The shard of the first plan that ran a test.
    pub fn shard(&self, test: TestId) -> u32 {
        self.seats[test.index()].shard
    }

    /// The tests that its first plan ran before a test on its worker, one after the other: among them
    /// is what makes it fail, where it fails only after others. O(n).
    pub fn before(&self, test: TestId) -> Vec<TestId> {
        let own = self.seats[test.index()];
        let earlier = |it: &TestId| {
            let of = self.seats[it.index()];
            own.shard > 0
                && of.shard == own.shard
                && (own.lane_start..own.position).contains(&of.position)
        };
        let mut before: Vec<TestId> = self.tests.ids().filter(earlier).collect();
        before.sort_by_key(|test| self.seats[test.index()].position);
        before
    }
}

/// What a failure's message says of failures that no later pass takes back: they show a defect, and
/// whether it strikes is chance.
const FINAL: [&str; 6] = [
    "DATA RACE",
    "ThreadSanitizer",
    "AddressSanitizer",
    "LeakSanitizer",
    "MemorySanitizer",
    "UndefinedBehaviorSanitizer",
];

/// What a base commit showed of a test: `Some(true)` where it failed there and never passed.
pub(crate) fn failed_on_base(base: &Outcomes, name: &str) -> Option<bool> {
    let trials = base.of_name(name);
    let results = || trials.iter().filter(|trial| trial.outcome.is_result());
    results().next()?;
    Some(results().all(|trial| trial.outcome.is_failure()))
}

/// How a test stands, one execution after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Which test, in the table of the [`Planned`].
    pub test: TestId,
    /// The executions that count, in order: how each ended and where it ran.
    pub executions: Vec<(Outcome, Isolation)>,
    /// True where one id stands for several invocations: it passes only where all of them do.
    pub several: bool,
    /// True where reports contradicted each other.
    pub conflicting: bool,
    /// The signature of the last failure.
    pub signature: Option<u64>,
    /// The message of the last failure.
    pub message: Option<Box<str>>,
}

impl Case {
    /// Executions that failed, and that passed.
    pub fn counts(&self) -> (u32, u32) {
        let count = |of: fn(Outcome) -> bool| {
            self.executions.iter().filter(|(outcome, _)| of(*outcome)).count() as u32
        };
        (count(Outcome::is_failure), count(|outcome| outcome == Outcome::Passed))
    }

    /// Executions after the tests that ran before it in the suite, the first one included, that
    /// failed and that passed; none where no shard was replayed.
    pub fn in_order(&self) -> Option<(u32, u32)> {
        let after_same =
            |it: &&(Outcome, Isolation)| matches!(it.1, Isolation::InSuite | Isolation::Replay);
        self.executions.iter().find(|it| it.1 == Isolation::Replay && it.0.is_result())?;
        let count = |of: fn(Outcome) -> bool| {
            self.executions.iter().filter(after_same).filter(|it| of(it.0)).count() as u32
        };
        Some((count(Outcome::is_failure), count(|outcome| outcome == Outcome::Passed)))
    }

    /// True where it fails each time after the tests that ran before it, and passes without them.
    pub fn depends_on_order(&self) -> bool {
        self.in_order().is_some_and(|(failed, passed)| failed > 1 && passed == 0)
            && self.counts().1 > 0
    }

    /// How the last failing execution ended.
    pub fn last_failure(&self) -> Option<Outcome> {
        self.executions.iter().rev().map(|(outcome, _)| *outcome).find(|it| it.is_failure())
    }

    /// True where it failed in a way that a later pass does not take back, such as a data race.
    pub fn is_final(&self) -> bool {
        self.message.as_deref().is_some_and(|text| FINAL.iter().any(|sign| text.contains(sign)))
    }

    /// True where there is no result and it was not left out on purpose.
    pub fn is_missing(&self) -> bool {
        self.executions.is_empty()
    }

    /// True where it was left out on purpose and has no result.
    pub fn is_skipped(&self) -> bool {
        !self.is_missing() && self.counts() == (0, 0)
    }
}

/// One case for each planned test, in canonical order.
///
/// A planned name that no report knows, but that is a class of reported tests, was planned as one
/// unit: it takes the worst of them in each round. A failed row about a whole class counts in that
/// round for each of its planned tests that did not fail on its own.
pub fn cases(planned: &Planned, outcomes: &Outcomes) -> Vec<Case> {
    let tests = planned.tests();
    let members = members(outcomes.tests());
    let one = |test: TestId| {
        let name = tests.name(test);
        let own = outcomes.of_name(name);
        let mut trials: Vec<&Trial> = own.iter().collect();
        let mut unit = false;
        if own.is_empty()
            && let Some(group) = outcomes.tests().find_group(name)
        {
            unit = true;
            trials.extend(members[group.index()].iter().flat_map(|test| outcomes.of(*test)));
        }
        let class = tests.group(test).map(|group| tests.group_name(group));
        let rows = class.filter(|class| *class != name).map_or(&[][..], |it| outcomes.of_name(it));
        case(test, trials, rows, unit)
    };
    tests.ids().map(one).collect()
}

/// The reported tests of each group.
fn members(tests: &TestTable) -> Vec<Vec<TestId>> {
    let mut members = vec![Vec::new(); tests.group_count()];
    for test in tests.ids() {
        if let Some(group) = tests.group(test) {
            members[group.index()].push(test);
        }
    }
    members
}

/// A rerun ends at the first pass. What follows a pass in one report is another invocation under
/// the same id, and a pass of one is no pass of the other.
fn goes_on_after_pass(report: &[&Trial]) -> bool {
    let first = report.iter().position(|trial| trial.outcome == Outcome::Passed);
    first.is_some_and(|at| at + 1 < report.len())
}

fn case(test: TestId, mut trials: Vec<&Trial>, class: &[Trial], unit: bool) -> Case {
    trials.retain(|trial| trial.outcome != Outcome::NotRun);
    trials.sort_by_key(|trial| (trial.round, trial.shard, trial.ordinal));
    let same_report = |a: &&Trial, b: &&Trial| (a.round, a.shard) == (b.round, b.shard);
    let several = unit || trials.chunk_by(same_report).any(goes_on_after_pass);
    let mut conflicting = trials.iter().any(|trial| trial.conflicting);
    let mut executions = Vec::new();
    let rounds: BTreeSet<u16> =
        trials.iter().map(|it| it.round).chain(class.iter().map(|it| it.round)).collect();
    for round in rounds {
        let from = trials.partition_point(|trial| trial.round < round);
        let to = trials.partition_point(|trial| trial.round <= round);
        let own = &trials[from..to];
        let mut found = of_round(own, several, unit, &mut conflicting);
        let failed = found.iter().any(|(outcome, _)| outcome.is_failure());
        if !failed && let Some(row) = failed_class(class, round) {
            found = vec![(row.outcome, row.isolation)];
        }
        executions.extend(found);
    }
    let failure = trials.iter().rev().copied().chain(class).find(|it| it.outcome.is_failure());
    Case {
        test,
        executions,
        several,
        conflicting,
        signature: failure.and_then(|trial| trial.signature),
        message: failure.and_then(|trial| trial.message.clone()),
    }
}

/// The row that says in a round that a whole class failed and was not made good.
fn failed_class(rows: &[Trial], round: u16) -> Option<&Trial> {
    let of_round = || rows.iter().filter(move |row| row.round == round);
    let passed = of_round().any(|row| row.outcome == Outcome::Passed);
    of_round().find(|row| row.outcome.is_failure() && !passed)
}

/// The executions of one round that count. A test is to be reported once in a round: where several
/// reports tell of it, or one id stands for several invocations, the worst of them counts.
fn of_round(
    own: &[&Trial],
    several: bool,
    unit: bool,
    conflicting: &mut bool,
) -> Vec<(Outcome, Isolation)> {
    let reports: Vec<&[&Trial]> = own.chunk_by(|a, b| a.shard == b.shard).collect();
    if reports.len() <= 1 && !several {
        return own.iter().map(|trial| (trial.outcome, trial.isolation)).collect();
    }
    let ends: Vec<&Trial> = if several {
        own.to_vec()
    } else {
        reports.iter().filter_map(|report| report.last().copied()).collect()
    };
    let differ = ends.iter().any(|end| end.outcome != ends[0].outcome);
    *conflicting |= differ && !unit && reports.len() > 1;
    let worst = ends.iter().max_by_key(|trial| trial.outcome.badness());
    worst.map(|trial| (trial.outcome, trial.isolation)).into_iter().collect()
}
