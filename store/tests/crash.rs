//! Writers killed at random lose nothing that was acknowledged. `examples/crash.rs` does the same
//! at length.

mod common;
#[path = "common/crash.rs"]
mod crash;

use std::path::Path;
use std::process::Command;

use crash::{toll, writer};

/// Where the store of a writer is, for the copy of this test that is one.
const STORE: &str = "RASHER_TEST_WRITER_STORE";
const NUMBER: &str = "RASHER_TEST_WRITER_NUMBER";

#[test]
fn killed_writers_lose_nothing_that_was_acknowledged() {
    if let (Ok(store), Ok(number)) = (std::env::var(STORE), std::env::var(NUMBER)) {
        return writer(Path::new(&store), &number);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let own = std::env::current_exe().expect("this test");
    let toll = toll(folder.path(), (40, 8), |store, number| {
        let mut command = Command::new(&own);
        command.args(["killed_writers", "--nocapture", "--quiet"]);
        command.env(STORE, store).env(NUMBER, number);
        command
    });
    let toll = toll.expect("processes");
    assert!(toll.acknowledged > 40, "too little was written to prove anything: {toll:?}");
    let interrupted = 40 + 8;
    assert!(toll.unacknowledged <= interrupted && toll.temporary <= interrupted, "{toll:?}");
    assert_eq!((toll.lost, toll.damaged), (0, 0), "{toll:?}");
}
