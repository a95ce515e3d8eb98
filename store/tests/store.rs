//! A store as its users see it.

mod common;

use std::fs;
use std::path::Path;

use common::{ENVIRONMENT, context, recording};
use rasher::history::{History, RunRecording};
use rasher_store::Store;

fn segments(store: &Path) -> Vec<std::path::PathBuf> {
    let dates = fs::read_dir(store.join("segments")).expect("segments");
    let mut files: Vec<_> = dates
        .flat_map(|date| fs::read_dir(date.expect("a date").path()).expect("a folder"))
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    files
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
