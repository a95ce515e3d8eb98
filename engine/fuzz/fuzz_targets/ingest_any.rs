//! Any bytes: what the reader says of them holds together, and a second reader says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasher::ingest::{Limits, ProblemKind, Reader};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(Limits::default());
    let report = reader.read(bytes, None);
    let again = reader.read(bytes, None);
    assert_eq!(again.attempts, 0, "the same bytes count once");
    let recording = reader.finish();
    assert_eq!(report.attempts, recording.attempts.len());
    let refused = report.problems.iter().any(|problem| problem.kind == ProblemKind::Refused);
    assert_eq!(report.is_refused(), refused);

    let mut other = Reader::new(Limits::default());
    assert_eq!(other.read(bytes, Some("module")), report);
    let other = other.finish();
    assert_eq!(other.attempts, recording.attempts);
    assert_eq!(other.setups, recording.setups);
});
