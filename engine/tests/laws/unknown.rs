//! Tests without a past of their own: renamed, moved, only skipped, known elsewhere, copied values.

use jiff::{SignedDuration, Timestamp};
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::backtest::worker_overhead;
use rasher::estimate::{Source, borrow, estimate};
use rasher::history::{History, RunRecording};
use rasher::test_id::TestTable;
use rasher::units::Micros;

/// (group, full name, microseconds; none for a skip).
type Row<'a> = (&'a str, &'a str, Option<u64>);

fn run(environment: &str, number: u32, rows: &[Row]) -> RunRecording {
    let mut recording = Recording::default();
    for (group, name, micros) in rows {
        let group = (!group.is_empty()).then_some(*group);
        recording.attempts.push(Attempt {
            test: recording.tests.intern(name, group),
            ordinal: 0,
            start: None,
            duration: micros.map(Micros::new),
            outcome: if micros.is_some() { Outcome::Passed } else { Outcome::Skipped },
            signature: None,
            message: None,
            unique_id: None,
        });
    }
    let context = RunContext {
        environment: environment.into(),
        branch: None,
        commit: None,
        base_commit: None,
        run: format!("{number:04}"),
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(number.into()),
    };
    RunRecording { context, recording }
}

fn of(runs: Vec<RunRecording>) -> History {
    let environment = runs[0].context.environment.clone();
    History::of(environment, runs).expect("one environment")
}

fn table(tests: &[(&str, &str)]) -> TestTable {
    let mut table = TestTable::new();
    for (group, name) in tests {
        table.intern(name, (!group.is_empty()).then_some(*group));
    }
    table.sorted().0
}

/// What is expected of each name, in microseconds, and why.
fn expected<'a>(history: &History, table: &'a TestTable) -> Vec<(&'a str, u64, Source)> {
    let all = estimate(history, table);
    let of = |test: rasher::test_id::TestId| {
        (table.name(test), all.mean[test.index()].get(), all.source[test.index()])
    };
    table.ids().map(of).collect()
}

#[test]
fn a_file_that_moved_keeps_the_past_of_its_tests() {
    let rows = [
        ("old/test_a.py", "old/test_a.py::one", Some(1_001)),
        ("old/test_a.py", "old/test_a.py::two", Some(2_002)),
        ("old/test_b.py", "old/test_b.py::one", Some(3_003)),
    ];
    let history = of(vec![run("ci", 1, &rows)]);
    let table = table(&[
        ("new/deep/test_a.py", "new/deep/test_a.py::one"),
        ("new/deep/test_a.py", "new/deep/test_a.py::two"),
        ("new/test_b.py", "new/test_b.py::one"),
    ]);
    let found = expected(&history, &table);
    assert_eq!(found.iter().map(|it| it.1).collect::<Vec<_>>(), [1_001, 2_002, 3_003]);
    assert!(found.iter().all(|it| it.2 == Source::Renamed));
}

#[test]
fn every_path_of_a_suite_of_files_may_change_on_one_day() {
    let old: Vec<String> = (0..758).map(|at| format!("spec/dir{}/f{at}_spec.rb", at % 9)).collect();
    let rows: Vec<Row> =
        old.iter().zip(1..).map(|(name, at)| ("", name.as_str(), Some(at * 1_003))).collect();
    let history = of(vec![run("ci", 1, &rows)]);
    let new: Vec<String> = old.iter().map(|name| format!("app/{name}")).collect();
    let pairs: Vec<(&str, &str)> = new.iter().map(|name| ("", name.as_str())).collect();
    let table = table(&pairs);
    for (name, micros, source) in expected(&history, &table) {
        let at = new.iter().position(|own| own == name).expect("one of them") as u64;
        assert_eq!((micros, source), ((at + 1) * 1_003, Source::Renamed), "{name}");
    }
}

#[test]
fn a_renamed_class_is_known_by_its_methods_and_a_renamed_method_by_its_place() {
    let rows = [
        ("a.OldTest", "a.OldTest#adds", Some(1_001)),
        ("a.OldTest", "a.OldTest#subtracts", Some(2_002)),
        ("a.OldTest", "a.OldTest#divides", Some(3_003)),
        ("a.StayTest", "a.StayTest#first", Some(4_004)),
        ("a.StayTest", "a.StayTest#second", Some(5_005)),
    ];
    let history = of(vec![run("ci", 1, &rows)]);
    let table = table(&[
        ("a.NewTest", "a.NewTest#adds"),
        ("a.NewTest", "a.NewTest#subtracts"),
        ("a.NewTest", "a.NewTest#divides"),
        ("a.StayTest", "a.StayTest#first"),
        ("a.StayTest", "a.StayTest#secondOfAll"),
    ]);
    let found = expected(&history, &table);
    let micros = |name: &str| found.iter().find(|it| it.0 == name).map(|it| (it.1, it.2));
    assert_eq!(micros("a.NewTest#adds"), Some((1_001, Source::Renamed)));
    assert_eq!(micros("a.NewTest#divides"), Some((3_003, Source::Renamed)));
    assert_eq!(micros("a.StayTest#first"), Some((4_004, Source::Own)));
    assert_eq!(micros("a.StayTest#secondOfAll"), Some((5_005, Source::Renamed)));
}

#[test]
fn what_is_only_new_is_no_rename() {
    let rows = [
        ("a.ATest", "a.ATest#one", Some(1_001)),
        ("a.ATest", "a.ATest#two", Some(3_001)),
        ("a.GoneTest", "a.GoneTest#test", Some(9_001)),
    ];
    let history = of(vec![run("ci", 1, &rows)]);
    let table = table(&[
        ("a.ATest", "a.ATest#one"),
        ("a.ATest", "a.ATest#two"),
        ("a.ATest", "a.ATest#three"),
        ("b.OtherTest", "b.OtherTest#test"),
    ]);
    let found = expected(&history, &table);
    let source = |name: &str| found.iter().find(|it| it.0 == name).map(|it| (it.1, it.2));
    assert_eq!(source("a.ATest#three"), Some((2_001, Source::Group)));
    let (_, source) = source("b.OtherTest#test").expect("planned");
    assert_eq!(source, Source::Suite, "one method in common proves nothing");
}

#[test]
fn a_test_that_is_always_skipped_costs_next_to_nothing() {
    let rows = [("a.ATest", "a.ATest#runs", Some(60_000_000)), ("a.ATest", "a.ATest#skips", None)];
    let history = of(vec![run("ci", 1, &rows), run("ci", 2, &rows)]);
    let table = table(&[("a.ATest", "a.ATest#runs"), ("a.ATest", "a.ATest#skips")]);
    let found = expected(&history, &table);
    assert_eq!((found[1].1, found[1].2), (1_000, Source::Own));
    // Once it ran, what it took counts, however often it is skipped again.
    let ran = [("a.ATest", "a.ATest#skips", Some(7_007))];
    let history = of(vec![run("ci", 1, &rows), run("ci", 2, &ran), run("ci", 3, &rows)]);
    assert_eq!(expected(&history, &table)[1].1, 7_007);
}

#[test]
fn a_new_environment_borrows_the_ranking_and_keeps_its_own_level() {
    let names: Vec<String> = (0..12).map(|at| format!("a.ATest#t{at:02}")).collect();
    let rows = |count: usize, factor: u64| -> Vec<Row> {
        let named = names.iter().zip(1u64..).take(count);
        named.map(|(name, at)| ("a.ATest", name.as_str(), Some(at * 10_001 * factor))).collect()
    };
    let linux = of(vec![run("linux", 1, &rows(12, 1))]);
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| ("a.ATest", name.as_str())).collect();
    let table = table(&pairs);
    let cold = |known: usize| {
        let here = match known {
            0 => History::new("windows"),
            known => of(vec![run("windows", 1, &rows(known, 3))]),
        };
        let mut estimates = estimate(&here, &table);
        let borrowed = borrow(&mut estimates, &table, &linux);
        assert_eq!(borrowed, 12 - known);
        assert_eq!(estimates.sources().borrowed, borrowed);
        estimates.mean
    };
    // Nothing is known of the level: the other's stands.
    assert!(cold(0).iter().zip(1..).all(|(mean, at)| mean.get() == at * 10_001));
    // Three times as slow here.
    assert!(cold(9).iter().zip(1..).all(|(mean, at)| mean.get() == at * 30_003));
}

#[test]
fn a_value_copied_from_the_last_snapshot_is_not_measured_again() {
    let snapshot = |number, copied: u64| {
        run(
            "ci",
            number,
            &[("", "stale", Some(copied)), ("", "fresh", Some(number as u64 * 1_001))],
        )
    };
    let history = of(vec![snapshot(1, 5_003), snapshot(2, 5_003), snapshot(3, 5_003)]);
    let (stale, fresh) = (history.test("stale"), history.test("fresh"));
    let (stale, fresh) = (stale.expect("recorded"), fresh.expect("recorded"));
    assert_eq!((stale.recent.len(), fresh.recent.len()), (1, 3));
    assert!(stale.measured_at < fresh.measured_at, "it carries its own age");
    assert_eq!(stale.last_seen_at, fresh.last_seen_at);
    assert_eq!(stale.passes, 3, "the outcome counts each time");
    // Whole milliseconds are how a coarse clock measures: the same twice is no copy.
    let coarse = of(vec![snapshot(1, 5_000), snapshot(2, 5_000)]);
    assert_eq!(coarse.test("stale").expect("recorded").recent.len(), 2);
}

#[test]
fn what_a_worker_spends_beside_its_tests_is_learned_from_shards_that_say_when_they_ran() {
    // Ten tests of a second, half a second between them.
    let shard = |number: u32, gap: i64| {
        let names: Vec<String> = (0..10).map(|at| format!("t{at}")).collect();
        let rows: Vec<Row> = names.iter().map(|n| ("", n.as_str(), Some(1_000_001))).collect();
        let mut one = run("ci", number, &rows);
        one.context.shard = Some(number);
        for (attempt, at) in one.recording.attempts.iter_mut().zip(0i64..) {
            attempt.start = Timestamp::from_microsecond(at * (1_000_001 + gap)).ok();
        }
        one
    };
    let gaps = [500_000, 500_000, 9_000_000];
    let shards: Vec<RunRecording> = gaps.iter().zip(1..).map(|(gap, at)| shard(at, *gap)).collect();
    let learned = worker_overhead(&shards).expect("three shards");
    assert_eq!((learned.time, learned.shards), (Micros::new(9 * 500_000), 3));
    assert_eq!(worker_overhead(&shards[..2]), None, "two tell nothing");
    let mut whole = shards;
    whole[0].context.shard = None;
    assert_eq!(worker_overhead(&whole), None, "a whole run is no worker");
}
