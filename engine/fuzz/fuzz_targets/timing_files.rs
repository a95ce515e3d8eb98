//! Timing files and recordings of the harness: every row kept has a name, a timing also a time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasher::ingest::{Dialect, Limits, Reader};

const STARTS: [&str; 8] = [
    "",
    "{\"a.py::b\": 1, ",
    "[[\"a.py::b\", 1], ",
    "{\"spec/a_spec.rb\": 1.5, ",
    "{\"/a.test.js\": 1500, ",
    "spec/a_spec.rb:1.5\n",
    "{\"schema\":\"rasher.attempts/1\"}\n",
    "{\"schema\":\"rasher.attempts/1\"}\n{\"begin\":0,\"class\":\"a.B\",\"name\":\"c\"}\n",
];

fuzz_target!(|input: (u8, &str)| {
    let (start, rest) = input;
    let text = format!("{}{rest}", STARTS[usize::from(start) % STARTS.len()]);
    let mut reader = Reader::new(Limits::default());
    let dialect = reader.read(text.as_bytes(), None).dialect;
    let recording = reader.finish();
    for attempt in &recording.attempts {
        assert!(!recording.tests.name(attempt.test).is_empty());
        let is_timing = matches!(
            dialect,
            Some(
                Dialect::TestDurations
                    | Dialect::Knapsack
                    | Dialect::ParallelTests
                    | Dialect::JestBalance
            )
        );
        assert!(!is_timing || attempt.duration.is_some());
    }
});
