//! Damage is found, named and contained.

mod common;
#[path = "common/folder.rs"]
mod folder;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use common::{ENVIRONMENT, context, recording};
use folder::segments;
use rasher::history::History;
use rasher_store::segment::SegmentError;
use rasher_store::{Store, StoreError, segment, summary};

/// A store of three runs of `tests` tests each.
fn three_runs(folder: &Path, tests: usize) -> Store {
    let store = Store::open(folder).expect("a store");
    for run in 0..3 {
        let taken = store.record(&context(&run.to_string(), run), recording(tests, run as u64));
        assert_eq!(taken.expect("recorded").attempts, tests);
    }
    store
}

fn history(store: &Store) -> History {
    let loaded = store.history(ENVIRONMENT).expect("history");
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    loaded.value
}

fn segment_of(store: &Path, run: &str) -> PathBuf {
    let is_of = |path: &PathBuf| {
        let bytes = Bytes::from(fs::read(path).expect("a segment"));
        segment::decode_context(&bytes).expect("a segment").run == run
    };
    segments(store).into_iter().find(is_of).expect("a segment of the run")
}

fn summary_of(store: &Path) -> PathBuf {
    let mut files = fs::read_dir(store.join("summary")).expect("summaries");
    files.next().expect("a summary").expect("an entry").path()
}

#[test]
fn every_truncation_and_every_flipped_bit_of_a_segment_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    store.record(&context("0", 0), recording(1, 0)).expect("recorded");
    let path = segments(folder.path()).remove(0);
    let whole = fs::read(&path).expect("a segment");
    let reader = Store::open_read(folder.path()).expect("a store");
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).expect("written");
        let checked = reader.check().expect("a check");
        assert_eq!((checked.value, checked.problems.len()), (0, 1), "{what} was accepted");
    };
    for len in 0..whole.len() {
        refused(&whole[..len], &format!("a truncation to {len} bytes"));
    }
    let mut flipped = whole.clone();
    for at in 0..whole.len() {
        // One bit of each byte in a file, all of them in memory below.
        flipped[at] ^= 1 << (at % 8);
        refused(&flipped, &format!("a flipped bit of byte {at}"));
        flipped[at] = whole[at];
    }
    fs::write(&path, &whole).expect("written");
    assert_eq!(reader.check().expect("a check").value, 1);
}

#[test]
fn bytes_that_are_nearly_a_segment_never_panic() {
    let whole = segment::encode(&context("0", 0), &recording(3, 0)).expect("bytes");
    for len in 0..whole.len() {
        assert!(segment::decode(&Bytes::copy_from_slice(&whole[..len])).is_err());
    }
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // Without its hash, a changed value may well be read; what counts is to come back.
        let _ = segment::decode(&flipped.into());
    }
}

#[test]
fn every_truncation_and_every_flipped_bit_of_a_summary_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = three_runs(folder.path(), 2);
    let known = history(&store);
    let whole = fs::read(summary_of(folder.path())).expect("a summary");
    assert_eq!(summary::decode(&whole).as_ref(), Some(&known));
    for len in 0..whole.len() {
        assert!(summary::decode(&whole[..len]).is_none(), "cut to {len}");
    }
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // The bytes that fill a line of cache mean nothing.
        let read = summary::decode(&flipped);
        assert!(read.is_none() || read.as_ref() == Some(&known), "bit {bit} was accepted");
    }
}

#[test]
fn a_damaged_segment_is_set_aside_and_costs_only_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = three_runs(folder.path(), 50);
    let lost = segment_of(folder.path(), "1");
    fs::write(&lost, b"PAR1 and then something else").expect("written");
    let reader = Store::open_read(folder.path()).expect("a store");
    let before = reader.history(ENVIRONMENT).expect("history");
    assert_eq!(before.problems.len(), 1);
    assert!(lost.exists(), "reading only moved something");

    let loaded = store.history(ENVIRONMENT).expect("history");
    assert_eq!(loaded.value, before.value);
    let runs: Vec<&str> = loaded.value.runs().iter().map(|run| run.run.as_str()).collect();
    assert_eq!(runs, ["0", "2"]);
    let [problem] = &loaded.problems[..] else { panic!("{:?}", loaded.problems) };
    assert_eq!(problem.path, lost);
    assert!(problem.set_aside.as_ref().is_some_and(|to| to.exists()) && !lost.exists());
    assert!(problem.to_string().contains("damaged"), "{problem}");

    assert_eq!(history(&store), loaded.value);
    let again = store.record(&context("1", 1), recording(50, 1)).expect("recorded");
    assert_eq!((again.attempts, again.new_tests), (50, 0));
    assert_eq!(history(&store).runs().len(), 3);
}

#[test]
fn a_summary_may_be_deleted_or_damaged_at_any_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = three_runs(folder.path(), 50);
    let known = history(&store);
    let path = summary_of(folder.path());
    let whole = fs::read(&path).expect("a summary");
    fs::remove_dir_all(folder.path().join("summary")).expect("removed");
    assert_eq!(history(&store), known);
    assert_eq!(fs::read(&path).expect("a summary"), whole, "the same bytes again");
    for (at, value) in [(0, 0), (8, 99), (whole.len() / 2, !whole[whole.len() / 2])] {
        let mut damaged = whole.clone();
        damaged[at] = value;
        fs::write(&path, &damaged).expect("written");
        assert_eq!(history(&store), known);
        assert_eq!(fs::read(&path).expect("a summary"), whole);
    }
}

#[test]
fn a_segment_of_a_later_release_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = three_runs(folder.path(), 5);
    let path = segment_of(folder.path(), "2");
    let mut bytes = fs::read(&path).expect("a segment");
    let mark = b"{\"version\":1,";
    let at = bytes.windows(mark.len()).position(|it| it == mark).expect("a version");
    bytes[at + mark.len() - 2] = b'2';
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
    let hash = &blake3::hash(&bytes).to_hex()[..32];
    let later = path.with_file_name(format!("{}-{hash}.parquet", &name[..16]));
    fs::remove_file(&path).expect("removed");
    fs::write(&later, &bytes).expect("written");
    for _ in 0..2 {
        let loaded = store.history(ENVIRONMENT).expect("history");
        assert_eq!(loaded.value.runs().len(), 2);
        assert!(loaded.problems[0].what.contains("later release"), "{:?}", loaded.problems);
    }
    assert!(later.exists());
}

#[test]
fn what_is_not_of_the_store_is_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = three_runs(folder.path(), 5);
    let known = history(&store);
    let date = segments(folder.path())[0].parent().expect("a folder").to_path_buf();
    let strangers = [
        date.join("notes.txt"),
        date.join("mine.parquet"),
        date.join("0123456789abcdef-00.parquet"),
        folder.path().join("segments").join("README"),
    ];
    for stranger in &strangers {
        fs::write(stranger, b"mine").expect("written");
    }
    assert_eq!(history(&store), known);
    assert!(strangers.iter().all(|stranger| stranger.exists()));
}

#[test]
fn what_dead_writers_left_is_swept_and_what_living_ones_write_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = three_runs(folder.path(), 5);
    let tmp = folder.path().join("tmp");
    let (dead, alive) = (tmp.join("1-1-1.part"), tmp.join("2-2-2.part"));
    for path in [&dead, &alive] {
        fs::write(path, b"half a seg").expect("written");
    }
    let long_ago = SystemTime::now() - Duration::from_secs(7_200);
    let file = fs::File::options().write(true).open(&dead).expect("a file");
    file.set_modified(long_ago).expect("a time");
    store.record(&context("9", 9), recording(5, 9)).expect("recorded");
    assert!(!dead.exists() && alive.exists());
}

#[test]
fn a_place_that_cannot_be_a_store_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, b"not a folder").expect("written");
    let refused = Store::open(&file).map(|_| ());
    assert!(matches!(refused, Err(StoreError::NotAFolder { .. })), "{refused:?}");
    let refused = Store::open(file.join("store")).map(|_| ());
    assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");

    let store = Store::open(folder.path().join("store")).expect("a store");
    fs::create_dir(folder.path().join("store")).expect("a folder");
    fs::write(folder.path().join("store").join("tmp"), b"in the way").expect("written");
    let refused = store.record(&context("0", 0), recording(5, 0)).expect_err("no place to write");
    assert!(refused.to_string().contains("tmp"), "{refused}");

    let reader = Store::open_read(folder.path()).expect("a store");
    let refused = reader.record(&context("0", 0), recording(5, 0)).map(|_| ());
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
}

#[test]
fn a_file_made_to_harm_is_refused_before_memory_is_given_to_it() {
    let hostile = include_bytes!("hostile/claims-more-names-than-rows.parquet");
    let refused = segment::decode(&Bytes::from_static(hostile)).map(|_| ());
    assert!(matches!(refused, Err(SegmentError::Unreadable(_))), "{refused:?}");
}

#[test]
fn long_and_many_texts_are_kept_as_they_are() {
    let mut given = recording(1_000, 0);
    for (at, attempt) in given.attempts.iter_mut().enumerate() {
        attempt.message = (at % 3 > 0).then(|| "x".repeat(at * 7).into());
        attempt.signature = (at % 5 > 0).then_some(u64::MAX / (at as u64 + 1));
        attempt.unique_id = Some(format!("[id:{}]", at * at).into());
    }
    let bytes = segment::encode(&context("0", 0), &given).expect("bytes");
    let read = segment::decode(&bytes.into()).expect("a segment").recording;
    assert_eq!(read.attempts.len(), given.attempts.len());
    for attempt in &read.attempts {
        let test = given.tests.find(read.tests.name(attempt.test)).expect("a test that was given");
        let mut given = given.attempts[test.index()].clone();
        given.test = attempt.test;
        assert_eq!(attempt, &given);
    }
}
