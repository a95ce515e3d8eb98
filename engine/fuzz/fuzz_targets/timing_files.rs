//! Timing files in JSON and in lines: every row kept has a name and a time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasher::ingest::{Limits, Reader};

const STARTS: [&str; 6] = [
    "",
    "{\"a.py::b\": 1, ",
    "[[\"a.py::b\", 1], ",
    "{\"spec/a_spec.rb\": 1.5, ",
    "{\"/a.test.js\": 1500, ",
    "spec/a_spec.rb:1.5\n",
];

fuzz_target!(|input: (u8, &str)| {
    let (start, rest) = input;
    let text = format!("{}{rest}", STARTS[usize::from(start) % STARTS.len()]);
    let mut reader = Reader::new(Limits::default());
    reader.read(text.as_bytes(), None);
    let recording = reader.finish();
    for attempt in &recording.attempts {
        assert!(!recording.tests.name(attempt.test).is_empty());
        assert!(text.trim_start().starts_with('<') || attempt.duration.is_some());
    }
});
