//! Prints what a run of 45,000 tests costs to keep and to read, each time beside that of
//! `sort_unstable` over the same durations in the same process.
//!
//! `cargo run --release -p rasher-store --example measure -- [tests] [runs]`

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use common::{ENVIRONMENT, context, recording};
use rasher::attempt::Attempt;
use rasher::estimate::estimate;
use rasher::history::History;
use rasher_store::{Store, segment};

/// Milliseconds that this thread has run, where the system counts them (Linux), so that a busy
/// machine measures the same as an idle one; else milliseconds since `start`.
fn spent(start: Instant) -> f64 {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = counted.and_then(|it| it.split_whitespace().next()?.parse::<f64>().ok());
    nanos.map_or_else(|| start.elapsed().as_secs_f64() * 1e3, |nanos| nanos / 1e6)
}

/// What a call takes in milliseconds of this thread: the mean over half a second of calls, because
/// the system counts in ticks.
fn mean(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let (before, mut calls) = (spent(start), 0.0);
    while spent(start) - before < 500.0 {
        call();
        calls += 1.0;
    }
    (spent(start) - before) / calls
}

/// The most memory this process ever held, in MB, where the system says so.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
}

fn show(what: &str, millis: f64, sort: f64) {
    println!("{what:<44} {millis:>9.3} ms {:>8.2} x sort", millis / sort);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number =
        |at: usize, other: usize| std::env::args().nth(at).map_or(Ok(other), |text| text.parse());
    let (tests, runs) = (number(1, 45_000)?, number(2, 20)?);
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    let first = recording(tests, 0);
    println!("{tests} tests; peak memory before anything is kept: {:?} MB", peak_mb());
    let start = Instant::now();
    let begun = spent(start);
    store.record(&context("0", 0), first.clone())?;
    let (recorded, waited) = (spent(start) - begun, start.elapsed().as_secs_f64() * 1e3);
    println!("peak memory after the first recording: {:?} MB", peak_mb());

    let durations: Vec<u64> =
        first.attempts.iter().map(|it: &Attempt| it.duration.map_or(0, |it| it.get())).collect();
    let sort = mean(|| {
        let mut copy = durations.clone();
        copy.sort_unstable();
        black_box(copy);
    });
    show("sort_unstable of the durations", sort, sort);
    show("record, first of an empty store", recorded, sort);
    show("the same with the wait for the disk", waited, sort);
    let shared = context("0", 0);
    let bytes = segment::encode(&shared, &first)?;
    println!("{:<44} {:>9.2} bytes", "a row", bytes.len() as f64 / tests as f64);
    show("recording to segment", mean(|| drop(segment::encode(&shared, &first))), sort);
    let bytes = Bytes::from(bytes);
    show(
        "hash of the segment",
        mean(|| {
            black_box(blake3::hash(&bytes));
        }),
        sort,
    );
    show("segment to recording", mean(|| drop(black_box(segment::decode(&bytes)))), sort);

    for run in 1..runs {
        store.record(&context(&run.to_string(), run as i64), recording(tests, run as u64))?;
    }
    let begun = spent(start);
    store.history(ENVIRONMENT)?;
    let millis = spent(start) - begun;
    show(&format!("history folded from {runs} segments"), millis, sort);
    show("history from its summary", mean(|| drop(black_box(store.history(ENVIRONMENT)))), sort);
    let one_more = |at: usize| -> Result<f64, Box<dyn std::error::Error>> {
        let run = runs + at;
        store.record(&context(&run.to_string(), run as i64), recording(tests, run as u64))?;
        let begun = spent(start);
        store.history(ENVIRONMENT)?;
        Ok(spent(start) - begun)
    };
    show("history with one more run", one_more(0)?.min(one_more(1)?), sort);
    let history: History = store.history(ENVIRONMENT)?.value;
    let (table, _) = first.tests.sorted();
    show("estimate", mean(|| drop(black_box(estimate(&history, &table)))), sort);
    println!("peak memory after all: {:?} MB", peak_mb());
    Ok(())
}
