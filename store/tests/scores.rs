//! Flake scores as the store keeps them.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{ENVIRONMENT, context, recording};
use rasher::flake::{FlakeOptions, Scores};
use rasher_store::Store;

fn kept(store: &Path) -> PathBuf {
    let files = fs::read_dir(store.join("summary")).expect("summaries");
    let mut files = files.map(|file| file.expect("a file").path());
    files.find(|path| path.extension().is_some_and(|it| it == "rscr")).expect("kept scores")
}

fn bytes(store: &Store) -> Vec<u8> {
    let loaded = store.scores(ENVIRONMENT).expect("scores");
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    loaded.value.to_bytes()
}

#[test]
fn scores_kept_between_calls_are_those_folded_at_once_to_the_last_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let mut at_once = Scores::new(FlakeOptions::default());
    for run in 0..12 {
        let (context, recording) = (context(&run.to_string(), run), recording(300, run as u64));
        store.record(&context, recording).expect("recorded");
        at_once.fold(&store.load_run(ENVIRONMENT, &run.to_string()).expect("a run").value);
        if run % 3 == 0 {
            bytes(&store);
        }
    }
    assert_eq!(bytes(&store), at_once.to_bytes());
    assert_eq!(bytes(&store), at_once.to_bytes(), "read from what was kept");
}

#[test]
fn recording_twice_leaves_the_scores_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    store.record(&context("1", 0), recording(100, 1)).expect("recorded");
    let before = bytes(&store);
    store.record(&context("1", 7), recording(100, 1)).expect("recorded");
    assert_eq!(bytes(&store), before);
}

#[test]
fn kept_scores_that_are_damaged_are_folded_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    for run in 0..4 {
        store.record(&context(&run.to_string(), run), recording(60, run as u64)).expect("recorded");
    }
    let sound = bytes(&store);
    let path = kept(folder.path());
    let whole = fs::read(&path).expect("kept");
    for at in (0..whole.len()).step_by(97) {
        let mut other = whole.clone();
        other[at] ^= 0x10;
        fs::write(&path, &other).expect("damaged");
        assert_eq!(bytes(&store), sound, "byte {at}");
    }
    fs::write(&path, &whole[..whole.len() / 2]).expect("cut");
    assert_eq!(bytes(&store), sound);
    fs::remove_file(&path).expect("removed");
    assert_eq!(bytes(&store), sound);
}

#[test]
fn runs_of_a_main_branch_take_over_once_there_are_any() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let record = |run: i64, branch: &str| {
        let mut context = context(&run.to_string(), run);
        context.branch = Some(branch.to_owned());
        store.record(&context, recording(50, run as u64)).expect("recorded");
        store.scores(ENVIRONMENT).expect("scores").value.runs()
    };
    assert_eq!((record(0, "fix-1"), record(1, "fix-2")), (1, 2));
    assert_eq!(record(2, "main"), 1, "what changes did to their own tests is forgotten");
    assert_eq!(record(3, "fix-3"), 1);
    assert_eq!(record(4, "main"), 2);
}
