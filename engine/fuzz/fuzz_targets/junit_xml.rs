//! Text inside a suite: every attempt has a name, and the attempts of a test count up from zero.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasher::ingest::{Limits, Reader};

const STARTS: [&str; 6] = [
    "<testsuite name='a.B' time='9'>",
    "<testsuite name='pytest'>",
    "<testsuites name='nextest-run'><testsuite name='a::b'>",
    "<testsuites name='jest tests'><testsuite name='a.test.js' time='9'>",
    "<testsuite name='a/b'><properties><property name='go.version'/></properties>",
    "<testsuite ignored='0' hostname='h' name='a.B'>",
];

fuzz_target!(|input: (u8, &str)| {
    let (start, inner) = input;
    if inner.contains('\0') {
        return; // Refused as binary.
    }
    let text = format!("{}{inner}", STARTS[usize::from(start) % STARTS.len()]);
    let mut reader = Reader::new(Limits::default());
    let report = reader.read(text.as_bytes(), None);
    assert!(!report.is_refused());
    let recording = reader.finish();
    let mut seen = vec![Vec::new(); recording.tests.len()];
    for attempt in &recording.attempts {
        assert!(!recording.tests.name(attempt.test).is_empty());
        assert!(attempt.message.as_ref().is_none_or(|message| message.chars().count() <= 200));
        seen[attempt.test.index()].push(attempt.ordinal);
    }
    for ordinals in &mut seen {
        ordinals.sort_unstable();
        assert!(ordinals.iter().enumerate().all(|(at, ordinal)| at == usize::from(*ordinal)));
    }
});
