//! The ledger of bypasses on a disk: writers at once, writers that die, hands that change it.

use std::fs;
use std::path::Path;
use std::thread;

use jiff::SignedDuration;
use rasher::bypass::BypassRecord;
use rasher::bypass::lock::LockError;
use rasher::verdict::RunVerdict;
use rasher_store::{Retention, Store, StoreError};

fn record(by: &str, second: i64) -> BypassRecord {
    BypassRecord {
        at: jiff::Timestamp::from_second(1_767_578_400 + second).expect("an instant"),
        by: by.to_owned(),
        reason: "outage".to_owned(),
        environment: "linux".to_owned(),
        run: Some("17".to_owned()),
        commit: None,
        branch: None,
        plan: None,
        verdict: RunVerdict::Failed,
        p_real: 0.9,
        fence: None,
        tests: Vec::new(),
    }
}

/// A file, what is done to it, and whether that can be made good.
type Case<'a> = (&'a str, &'a dyn Fn(&Path), bool);

fn store(folder: &Path) -> Store {
    Store::open(folder).expect("a store")
}

#[test]
fn writers_at_once_lose_no_line_and_break_no_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    thread::scope(|scope| {
        for writer in 0..8 {
            let store = store(folder.path());
            scope.spawn(move || {
                for second in 0..25 {
                    let by = format!("writer {writer}");
                    store.record_bypass(&record(&by, second)).expect("written");
                }
            });
        }
    });
    let chain = store(folder.path()).bypasses().expect("readable");
    assert!(chain.is_sound(), "{:?}", chain.problems);
    assert_eq!(chain.entries.len(), 200);
    for writer in 0..8 {
        let by = format!("writer {writer}");
        let own = chain.entries.iter().filter(|entry| entry.record.by == by);
        assert!(own.clone().count() == 25 && own.is_sorted_by_key(|entry| entry.record.at));
    }
}

#[test]
fn what_a_dead_writer_left_is_swept_by_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    store.record_bypass(&record("Ada", 1)).expect("written");
    let whole = fs::read(store.bypass_path()).expect("a ledger");
    store.record_bypass(&record("Bea", 2)).expect("written");
    let both = fs::read(store.bypass_path()).expect("a ledger");
    let head = folder.path().join("bypass.head.json");
    let last = both.len() - 2..=both.len();
    for end in (whole.len()..both.len() - 2).step_by(29).chain(last) {
        fs::remove_dir_all(folder.path()).expect("removed");
        store.record_bypass(&record("Ada", 1)).expect("written");
        fs::write(store.bypass_path(), &both[..end]).expect("written");
        let before = store.bypasses().expect("readable");
        assert!(before.problems.is_empty(), "a crash is no alarm: {:?}", before.problems);
        store.record_bypass(&record("Eve", 3)).expect("written");
        let after = store.bypasses().expect("readable");
        assert!(after.is_sound(), "cut to {end}: {:?}", after.problems);
        let who: Vec<&str> = after.entries.iter().map(|it| it.record.by.as_str()).collect();
        let kept = end + 1 >= both.len();
        assert_eq!(who, if kept { vec!["Ada", "Bea", "Eve"] } else { vec!["Ada", "Eve"] });
    }
    assert!(head.exists());
}

#[test]
fn every_file_that_is_changed_or_removed_is_named_and_the_ledger_goes_on() {
    let change = |path: &Path| {
        let mut bytes = fs::read(path).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).expect("written");
    };
    let remove = |path: &Path| fs::remove_file(path).expect("removed");
    let cut = |path: &Path| {
        let text = fs::read_to_string(path).expect("a file");
        let first = text.lines().next().expect("a line").to_owned() + "\n";
        fs::write(path, first).expect("written");
    };
    let cut_in_line = |path: &Path| {
        let bytes = fs::read(path).expect("a file");
        fs::write(path, &bytes[..bytes.len() - 1]).expect("written");
    };
    // What the ledger lost stays lost; its line end and its head can be made again.
    let cases: [Case<'_>; 6] = [
        ("bypass.jsonl", &change, false),
        ("bypass.jsonl", &remove, false),
        ("bypass.jsonl", &cut, false),
        ("bypass.jsonl", &cut_in_line, true),
        ("bypass.head.json", &change, true),
        ("bypass.head.json", &remove, true),
    ];
    for (name, tamper, heals) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path());
        for second in 0..3 {
            store.record_bypass(&record("Ada", second)).expect("written");
        }
        assert!(store.bypasses().expect("readable").is_sound());
        tamper(&folder.path().join(name));
        assert!(!store.bypasses().expect("readable").is_sound(), "{name}");
        store.record_bypass(&record("Bea", 9)).expect("a record is never refused");
        let after = store.bypasses().expect("readable");
        assert_eq!(after.entries.last().map(|it| it.record.by.as_str()), Some("Bea"), "{name}");
        assert_eq!(after.is_sound(), heals, "{name}: {:?}", after.problems);
    }
}

#[test]
fn retention_lets_go_of_runs_and_never_of_bypasses() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    store.record_bypass(&record("Ada", 1)).expect("written");
    let all = Retention { runs_max: Some(0), ..Retention::default() };
    store.retain(&all, jiff::Timestamp::MAX).expect("removed");
    assert_eq!(store.bypasses().expect("readable").entries.len(), 1);
}

#[test]
fn one_of_many_gets_the_merge_lock() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = jiff::Timestamp::from_second(1_767_578_400).expect("an instant");
    let hour = SignedDuration::from_hours(1);
    let take = |owner: String| {
        store(folder.path()).change_merge_lock(|lock| lock.acquire(&owner, now, hour))
    };
    let given: Vec<bool> = thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|n| scope.spawn(move || take(format!("run {n}")))).collect();
        all.into_iter().map(|it| it.join().expect("ended").expect("a disk").is_ok()).collect()
    });
    assert_eq!(given.iter().filter(|given| **given).count(), 1);
    let lock = store(folder.path()).merge_lock().expect("readable");
    let fence = lock.lease(now).expect("held").fence;
    let released = store(folder.path()).change_merge_lock(|lock| lock.release(fence + 1, now));
    assert_eq!(released.expect("a disk"), Err(LockError::Lost { fence: fence + 1 }));
    fs::write(folder.path().join("merge.lock.json"), b"{}").expect("written");
    assert!(matches!(store(folder.path()).merge_lock(), Err(StoreError::Io { .. })));
}

#[test]
fn a_store_opened_for_reading_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open_read(folder.path()).expect("a store");
    assert!(matches!(store.record_bypass(&record("Ada", 1)), Err(StoreError::ReadOnly { .. })));
    assert!(store.bypasses().expect("readable").entries.is_empty());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
