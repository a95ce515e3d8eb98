//! A store as its users see it.

mod common;
#[path = "common/folder.rs"]
mod folder;

use std::fs;
use std::path::Path;

use common::{ENVIRONMENT, context, recording};
use folder::segments;
use jiff::SignedDuration;
use proptest::prelude::*;
use rasher::attempt::{Outcome, Recording, RunContext};
use rasher::history::{History, RunRecording};
use rasher::test_id::TestId;
use rasher_store::{Retention, Store, segment};

/// The bytes of all summaries of a store.
fn summaries(store: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(store.join("summary")).expect("summaries");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a summary")).collect()
}

#[test]
fn what_is_recorded_is_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("store")).expect("a store");
    let mut recordings = Vec::new();
    for run in 0..4 {
        let (context, recording) = (context(&run.to_string(), run), recording(500, run as u64));
        let recorded = store.record(&context, recording.clone()).expect("recorded");
        assert_eq!(recorded.attempts, 500);
        assert_eq!(recorded.new_tests, if run == 0 { 500 } else { 0 });
        assert_eq!(recorded.passed + recorded.failed, 500);
        recordings.push(RunRecording { context, recording });
    }
    let loaded = store.history(ENVIRONMENT).expect("history");
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    assert_eq!(loaded.value, History::of(ENVIRONMENT, recordings).expect("history"));
    assert_eq!(store.history(ENVIRONMENT).expect("history").value, loaded.value);
    assert!(store.history("windows").expect("history").value.is_empty());
}

#[test]
fn recording_twice_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    store.record(&context("1", 0), recording(100, 1)).expect("recorded");
    let before = (segments(folder.path()), store.history(ENVIRONMENT).expect("history").value);
    let again = store.record(&context("1", 7), recording(100, 1)).expect("recorded");
    assert_eq!((again.attempts, again.ignored_duplicates), (0, 100));
    assert_eq!(again.segment, None);
    let more = store.record(&context("1", 8), recording(103, 1)).expect("recorded");
    assert_eq!((more.attempts, more.ignored_duplicates, more.new_tests), (3, 100, 3));
    assert_eq!(before.0.len() + 1, segments(folder.path()).len());
    assert_eq!(before.1.len() + 3, store.history(ENVIRONMENT).expect("history").value.len());
}

#[test]
fn a_recording_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let mut context = context("1", 0);
    (context.attempt, context.shard) = (3, Some(u32::MAX));
    (context.worker, context.plan) = (Some("w\"\u{1f980}".into()), Some("p".into()));
    let mut given = recording(100, 1);
    let attempt = &mut given.attempts[7];
    attempt.start = Some(context.at);
    attempt.signature = Some(u64::MAX);
    attempt.message = Some("a\nb\u{0}c".into());
    attempt.unique_id = Some(String::new().into());
    given.attempts[8].duration = None;
    store.record(&context, given.clone()).expect("recorded");
    let loaded = store.load_run(ENVIRONMENT, "1").expect("a run").value;
    let [RunRecording { context: found, recording }] = &loaded[..] else { panic!("{loaded:?}") };
    assert_eq!(found, &context);
    let facts = |it: &Recording| {
        let mut facts: Vec<String> = it
            .attempts
            .iter()
            .map(|attempt| {
                let group = it.tests.group(attempt.test).map(|group| it.tests.group_name(group));
                let mut plain = attempt.clone();
                plain.test.0 = 0;
                format!("{} {group:?} {plain:?}", it.tests.name(attempt.test))
            })
            .collect();
        facts.extend(
            it.setups
                .iter()
                .map(|it_is| format!("{} {:?}", it.tests.group_name(it_is.group), it_is.setup)),
        );
        facts.sort();
        facts
    };
    assert_eq!(facts(recording), facts(&given));
}

#[test]
fn environments_never_mix() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    for (environment, seed) in [("linux", 1), ("windows", 2)] {
        let mut context = context("1", 0);
        context.environment = environment.into();
        let recorded = store.record(&context, recording(50, seed)).expect("recorded");
        assert_eq!((recorded.attempts, recorded.new_tests), (50, 50));
    }
    assert_eq!(store.environments().expect("names").value, ["linux", "windows"]);
    let (one, two) = (store.history("linux").expect("it"), store.history("windows").expect("it"));
    assert_ne!(one.value.columns().mean_us, two.value.columns().mean_us);
    assert_eq!(store.load_run("linux", "1").expect("a run").value.len(), 1);
}

#[test]
fn retention_keeps_the_newest_run_of_every_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    for (environment, runs) in [("linux", 10), ("windows", 2)] {
        for run in 0..runs {
            let mut context = context(&run.to_string(), run);
            context.environment = environment.into();
            store.record(&context, recording(20, run as u64)).expect("recorded");
        }
    }
    let runs = |environment: &str| -> Vec<String> {
        let runs = store.runs(environment, None).expect("runs").value;
        runs.into_iter().map(|run| run.run).collect()
    };
    let now = context("9", 9).at;
    let by_count = Retention { runs_max: Some(4), ..Retention::default() };
    assert_eq!(store.retain(&Retention::default(), now).expect("nothing").runs, 0);
    assert_eq!(store.retain(&by_count, now).expect("removed").runs, 6);
    assert_eq!(runs("linux"), ["6", "7", "8", "9"]);
    let by_age = Retention { age_max: Some(SignedDuration::from_hours(2)), ..by_count };
    assert_eq!(store.retain(&by_age, now).expect("removed").runs, 2);
    assert_eq!(
        (runs("linux"), runs("windows")),
        (vec!["7".into(), "8".into(), "9".into()], vec!["1".into()])
    );
    let by_size = Retention { bytes_max: Some(1), ..Retention::default() };
    let removed = store.retain(&by_size, now).expect("removed");
    assert_eq!((removed.runs, removed.problems.len()), (2, 0));
    assert!(removed.bytes > 0);
    assert_eq!((runs("linux"), runs("windows")), (vec!["9".to_owned()], vec!["1".to_owned()]));
}

/// The attempts of a recording dealt to several.
fn deal(whole: &Recording, parts: &[usize]) -> Vec<Recording> {
    let count = parts.iter().max().map_or(1, |most| most + 1);
    let mut dealt = vec![Recording { tests: whole.tests.clone(), ..Recording::default() }; count];
    for (at, attempt) in whole.attempts.iter().enumerate() {
        dealt[parts[at % parts.len()]].attempts.push(attempt.clone());
    }
    dealt.retain(|part| !part.attempts.is_empty());
    dealt
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: Some(Box::new(
            prop::test_runner::FileFailurePersistence::Direct("../proptest-regressions/store.txt"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn order_split_and_repetition_of_recordings_change_nothing(
        parts in prop::collection::vec(0..3_usize, 1..20),
        order in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle(),
        read_between in any::<bool>(),
        tests in 1..40_usize,
    ) {
        let plain = |run: usize| -> (RunContext, Recording) {
            let mut recording = recording(tests + run, run as u64);
            recording.setups.clear();
            (context(&run.to_string(), run as i64), recording)
        };
        let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
        let stores = folders.each_ref().map(|it| Store::open(it.path()).expect("a store"));
        for run in 0..4 {
            let (context, recording) = plain(run);
            stores[0].record(&context, recording).expect("recorded");
        }
        for run in &order {
            let (context, whole) = plain(*run);
            for part in deal(&whole, &parts) {
                stores[1].record(&context, part).expect("recorded");
            }
            if read_between {
                stores[1].history(ENVIRONMENT).expect("history");
            }
            let again = stores[1].record(&context, whole).expect("recorded");
            prop_assert_eq!((again.attempts, again.new_tests), (0, 0));
        }
        let [one, two] = stores.each_ref().map(|it| it.history(ENVIRONMENT).expect("history").value);
        prop_assert_eq!(&one, &two);

        // From the same segments come the same bytes, in however many steps they were folded.
        let stepwise = summaries(folders[1].path());
        fs::remove_dir_all(folders[1].path().join("summary")).expect("removed");
        prop_assert_eq!(&stores[1].history(ENVIRONMENT).expect("history").value, &two);
        prop_assert_eq!(summaries(folders[1].path()), stepwise);
    }
}

#[test]
fn a_segment_of_the_first_layout_is_read_for_ever() {
    let bytes = include_bytes!("golden/layout-1.parquet");
    let read = segment::decode(&bytes.as_slice().into()).expect("a segment of layout 1");
    assert_eq!(read.context, context("golden", 1));
    let tests = &read.recording.tests;
    let names: Vec<&str> = tests.ids().map(|test| tests.name(test)).collect();
    let class = "com.example.shop.module0.Class0Test";
    assert_eq!(names, [0, 1, 2].map(|at| format!("{class}#checksOrder{at}")));
    assert_eq!(tests.group(TestId(2)).map(|group| tests.group_name(group)), Some(class));
    let outcomes: Vec<Outcome> = read.recording.attempts.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::Passed, Outcome::Failed, Outcome::Passed]);
    let failed = &read.recording.attempts[1];
    assert_eq!(failed.message.as_deref(), Some("expected 3 but was 4"));
    assert_eq!((failed.signature, failed.ordinal), (Some(u64::MAX), 0));
    let given = recording(3, 7);
    for (read, given) in read.recording.attempts.iter().zip(&given.attempts) {
        assert_eq!(read.duration, given.duration);
    }
    assert_eq!(read.recording.setups.len(), 1);
    assert_eq!(read.recording.setups[0].setup, given.setups[0].setup);
}
