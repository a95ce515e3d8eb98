use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rasher::attempt::{Attempt, GroupSetUp, Isolation, Outcome, Recording, RunContext};
use rasher::history::{History, HistoryError, RunRecording, SortedNames};
use rasher::units::Micros;

/// One execution: where it belongs, and how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    run: u8,
    attempt: u16,
    shard: u32,
    test: u8,
    ordinal: u16,
    outcome: Outcome,
    duration: Option<Micros>,
}

fn seen() -> impl Strategy<Value = Seen> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Passed),
        2 => prop::sample::select(Outcome::ALL.to_vec()),
    ];
    let duration = prop_oneof![
        6 => (0..100_000_000_u64).prop_map(Some),
        1 => Just(Some(u64::MAX)),
        1 => Just(None),
    ];
    let place = (0..4_u8, 1..3_u16, 0..3_u32, 0..6_u8, 0..2_u16);
    (place, outcome, duration).prop_map(|(place, outcome, duration)| {
        let (run, attempt, shard, test, ordinal) = place;
        Seen { run, attempt, shard, test, ordinal, outcome, duration: duration.map(Micros::new) }
    })
}

fn context(run: u8, attempt: u16, shard: u32) -> RunContext {
    // Runs overlap in time, and the first shard of a run is not always its earliest.
    let minutes = i64::from(run) * 7 + i64::from(attempt) * 5 - i64::from(shard);
    RunContext {
        environment: "ci".into(),
        branch: Some(format!("branch-{}", run % 2)),
        commit: None,
        base_commit: None,
        run: format!("run-{run}"),
        attempt,
        shard: Some(shard),
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1_000 + minutes),
    }
}

fn group(test: u8) -> String {
    format!("class-{}", test / 2)
}

fn add(recording: &mut Recording, seen: &Seen) {
    let name = format!("{}#test-{}", group(seen.test), seen.test);
    let test = recording.tests.intern(&name, Some(&group(seen.test)));
    recording.attempts.push(Attempt {
        test,
        ordinal: seen.ordinal,
        start: None,
        duration: seen.duration,
        outcome: seen.outcome,
        signature: None,
        message: None,
        unique_id: None,
    });
    let group = recording.tests.group(test).expect("just given");
    let setup = Micros::new(u64::from(seen.run) * 1_000 + u64::from(seen.shard));
    recording.setups.push(GroupSetUp { group, setup });
}

/// Each execution in a recording of its own.
fn apart(all: &[Seen]) -> Vec<RunRecording> {
    let of = |seen: &Seen| {
        let mut recording = Recording::default();
        add(&mut recording, seen);
        RunRecording { context: context(seen.run, seen.attempt, seen.shard), recording }
    };
    all.iter().map(of).collect()
}

/// One recording for each shard of each round of each run.
fn together(all: &[Seen]) -> Vec<RunRecording> {
    let mut shards: BTreeMap<(u8, u16, u32), Recording> = BTreeMap::new();
    for seen in all {
        add(shards.entry((seen.run, seen.attempt, seen.shard)).or_default(), seen);
    }
    let of = |((run, attempt, shard), recording)| RunRecording {
        context: context(run, attempt, shard),
        recording,
    };
    shards.into_iter().map(of).collect()
}

fn history(recordings: Vec<RunRecording>) -> History {
    History::of("ci", recordings).expect("recordings of one environment")
}

/// The executions that count, by run in the order of folding, each test's in the order of rounds.
fn counted(all: &[Seen]) -> Vec<(bool, BTreeMap<u8, Vec<Seen>>)> {
    let sorted: BTreeSet<Seen> = all.iter().copied().collect();
    let mut runs: BTreeMap<(Timestamp, u8), Vec<Seen>> = BTreeMap::new();
    for run in 0..4 {
        let of_run: Vec<Seen> = sorted.iter().filter(|seen| seen.run == run).copied().collect();
        let at = of_run.iter().map(|seen| context(run, seen.attempt, seen.shard).at).min();
        if let Some(at) = at {
            runs.insert((at, run), of_run);
        }
    }
    let judge = |seen: Vec<Seen>| {
        let mut tests: BTreeMap<u8, Vec<Seen>> = BTreeMap::new();
        let mut keys = BTreeSet::new();
        for seen in seen {
            if keys.insert((seen.attempt, seen.shard, seen.test, seen.ordinal)) {
                tests.entry(seen.test).or_default().push(seen);
            }
        }
        let any = |wanted: fn(&Seen) -> bool| {
            tests.values().filter(|seen| seen.iter().any(wanted)).count()
        };
        let ran = any(|seen| seen.outcome != Outcome::Skipped);
        let passed = any(|seen| seen.outcome == Outcome::Passed);
        ((ran - passed) * 2 > ran, tests)
    };
    runs.into_values().map(judge).collect()
}

/// The mean of pass durations of a test, folded by hand.
fn mean_by_hand(all: &[Seen], test: u8) -> Option<Micros> {
    let learned = counted(all).into_iter().filter(|(collapsed, _)| !collapsed);
    let passes = learned
        .flat_map(|(_, mut tests)| tests.remove(&test).unwrap_or_default())
        .filter(|seen| seen.outcome == Outcome::Passed)
        .filter_map(|seen| seen.duration);
    let next = |mean: Option<u128>, new: Micros| {
        let new = u128::from(new.get());
        Some(mean.map_or(new, |mean| (3 * mean + 2 * new + 2) / 5))
    };
    passes.fold(None, next).map(|mean| Micros::new(u64::try_from(mean).expect("a mean")))
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            prop::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn history_does_not_depend_on_order_split_or_repetition(
        all in prop::collection::vec(seen(), 1..60),
        turns in any::<prop::sample::Index>(),
    ) {
        let whole = history(together(&all));
        let mut turned = all.clone();
        turned.rotate_left(turns.index(all.len()));
        turned.reverse();
        prop_assert_eq!(&history(apart(&turned)), &whole);
        turned.extend(&all);
        prop_assert_eq!(&history(apart(&turned)), &whole);
        let mut both = together(&all);
        both.extend(apart(&all));
        both.reverse();
        prop_assert_eq!(&history(both), &whole);
    }

    #[test]
    fn history_is_what_a_fold_by_hand_finds(all in prop::collection::vec(seen(), 1..60)) {
        let folded = history(apart(&all));
        let runs = counted(&all);
        let collapsed: Vec<bool> = folded.runs().iter().map(|run| run.collapsed).collect();
        prop_assert_eq!(collapsed, runs.iter().map(|(it, _)| *it).collect::<Vec<_>>());
        for test in 0..6 {
            let of_test = || runs.iter().filter_map(|(_, tests)| tests.get(&test)).flatten();
            let known = folded.test(&format!("{}#test-{test}", group(test)));
            prop_assert_eq!(known.is_some(), of_test().next().is_some());
            let Some(known) = known else { continue };
            let count = |wanted: fn(Outcome) -> bool| {
                of_test().filter(|seen| wanted(seen.outcome)).count() as u32
            };
            prop_assert_eq!(known.passes, count(|it| it == Outcome::Passed));
            prop_assert_eq!(known.failures, count(Outcome::is_failure));
            prop_assert_eq!(known.skips, count(|it| it == Outcome::Skipped));
            prop_assert_eq!(known.last_outcome, of_test().last().map(|seen| seen.outcome));
            prop_assert_eq!(known.mean, mean_by_hand(&all, test));
            prop_assert!(known.upper >= known.mean);
        }
        for (run, (_, tests)) in folded.runs().iter().zip(&runs) {
            let named = folded.tests_of(&run.run).expect("one of the last runs");
            let names: Vec<String> =
                named.ids().map(|test| named.name(test).to_owned()).collect();
            let wanted = tests.keys().map(|it| format!("{}#test-{it}", group(*it)));
            prop_assert_eq!(names, wanted.collect::<Vec<_>>());
        }
    }

    #[test]
    fn folding_run_by_run_is_folding_them_all(all in prop::collection::vec(seen(), 1..60)) {
        let whole = history(together(&all));
        let mut grown = History::new("ci");
        for seen in whole.runs() {
            let of_run = |it: &RunRecording| it.context.run == seen.run;
            let run: Vec<RunRecording> = together(&all).into_iter().filter(of_run).collect();
            let known: Vec<String> = grown.tests().iter().map(str::to_owned).collect();
            let placement = grown.fold(&run).expect("a later run");
            for (name, at) in known.iter().zip(placement.kept) {
                prop_assert_eq!(grown.tests().get(at as usize), name);
            }
            for (it, rows) in run.iter().zip(placement.rows) {
                for (test, row) in it.recording.tests.ids().zip(rows) {
                    prop_assert_eq!(grown.tests().get(row as usize), it.recording.tests.name(test));
                }
            }
            let again = grown.fold(&run);
            let refused = matches!(again, Err(HistoryError::NotLater { .. }));
            prop_assert!(refused);
        }
        prop_assert_eq!(grown, whole);
    }

    #[test]
    fn sorted_names_are_found_and_others_are_not(
        names in prop::collection::btree_set("[a-c]{0,4}", 0..40),
        other in "[a-d]{0,4}",
    ) {
        let text: String = names.iter().map(String::as_str).collect();
        let ends = names.iter().scan(0, |end, name| {
            *end += name.len() as u32;
            Some(*end)
        });
        let sorted = SortedNames::from_parts(text, ends.collect()).expect("sorted names");
        prop_assert!(sorted.iter().eq(names.iter().map(String::as_str)));
        for (at, name) in names.iter().enumerate() {
            prop_assert_eq!(sorted.find(name), Some(at));
        }
        prop_assert_eq!(sorted.find(&other).is_some(), names.contains(&other));
    }
}

#[test]
fn environments_never_mix() {
    let pass = Seen {
        run: 0,
        attempt: 1,
        shard: 0,
        test: 0,
        ordinal: 0,
        outcome: Outcome::Passed,
        duration: Some(Micros::from_secs(1)),
    };
    let mut elsewhere = apart(&[pass]);
    elsewhere[0].context.environment = "windows".into();
    let refused = History::of("ci", elsewhere);
    assert!(matches!(refused, Err(HistoryError::OtherEnvironment { .. })), "{refused:?}");
}

#[test]
fn a_collapsed_run_teaches_no_durations() {
    let seen = |run, test, outcome, secs| Seen {
        run,
        attempt: 1,
        shard: 0,
        test,
        ordinal: 0,
        outcome,
        duration: Some(Micros::from_secs(secs)),
    };
    let mut all: Vec<Seen> = (0..3).map(|test| seen(0, test, Outcome::Passed, 10)).collect();
    all.push(seen(1, 0, Outcome::Passed, 99));
    all.push(seen(1, 1, Outcome::Failed, 1));
    all.push(seen(1, 2, Outcome::Crashed, 1));
    let folded = history(together(&all));
    let known = folded.test("class-0#test-0").expect("recorded");
    assert_eq!((known.mean, known.passes), (Some(Micros::from_secs(10)), 2));
    let known = folded.test("class-1#test-2").expect("recorded");
    assert_eq!((known.failed_mean, known.failures), (None, 1));
    assert!(folded.runs()[1].collapsed);
}
