//! Any bytes as a summary: refused or read, and what is read answers every question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasher::estimate::estimate;
use rasher::test_id::TestTable;

fuzz_target!(|bytes: &[u8]| {
    let Some(history) = rasher_store::summary::decode(bytes) else { return };
    let mut table = TestTable::new();
    for name in history.tests().iter() {
        assert!(history.test(name).is_some());
        table.intern(name, Some("group"));
    }
    table.intern("new", Some("group"));
    let estimates = estimate(&history, &table);
    assert_eq!(estimates.mean.len(), table.len());
    assert!(estimates.mean.iter().all(|mean| !mean.is_zero()));
    for run in history.runs() {
        let _ = history.tests_of(&run.run);
    }
});
