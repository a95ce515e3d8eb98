//! Prints what a run of 45,000 tests costs to keep and to read, each time beside that of
//! `sort_unstable` over the same durations in the same process.
//!
//! `cargo run --release -p rasher-store --example measure [tests] [runs]`

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

/// The shortest of some calls, in milliseconds: what the work takes where nothing else runs.
fn shortest(mut call: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[0]
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
    store.record(&context("0", 0), first.clone())?;
    let recorded = start.elapsed().as_secs_f64() * 1e3;
    println!("peak memory after the first recording: {:?} MB", peak_mb());

    let durations: Vec<u64> =
        first.attempts.iter().map(|it: &Attempt| it.duration.map_or(0, |it| it.get())).collect();
    let sort = shortest(|| {
        let mut copy = durations.clone();
        copy.sort_unstable();
        black_box(copy);
    });
    show("sort_unstable of the durations", sort, sort);
    show("record, durable, first of an empty store", recorded, sort);
    let shared = context("0", 0);
    let bytes = segment::encode(&shared, &first)?;
    println!("{:<44} {:>9.2} bytes", "a row", bytes.len() as f64 / tests as f64);
    show("recording to segment", shortest(|| drop(segment::encode(&shared, &first))), sort);
    let bytes = Bytes::from(bytes);
    show(
        "hash of the segment",
        shortest(|| {
            black_box(blake3::hash(&bytes));
        }),
        sort,
    );
    show("segment to recording", shortest(|| drop(black_box(segment::decode(&bytes)))), sort);

    for run in 1..runs {
        store.record(&context(&run.to_string(), run as i64), recording(tests, run as u64))?;
    }
    let fold = Instant::now();
    store.history(ENVIRONMENT)?;
    let millis = fold.elapsed().as_secs_f64() * 1e3;
    show(&format!("history folded from {runs} segments"), millis, sort);
    show(
        "history from its summary",
        shortest(|| drop(black_box(store.history(ENVIRONMENT)))),
        sort,
    );
    let one_more = |at: usize| -> Result<f64, Box<dyn std::error::Error>> {
        let run = runs + at;
        store.record(&context(&run.to_string(), run as i64), recording(tests, run as u64))?;
        let start = Instant::now();
        store.history(ENVIRONMENT)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    show("history with one more run", one_more(0)?.min(one_more(1)?), sort);
    let history: History = store.history(ENVIRONMENT)?.value;
    let (table, _) = first.tests.sorted();
    show("estimate", shortest(|| drop(black_box(estimate(&history, &table)))), sort);
    println!("peak memory after all: {:?} MB", peak_mb());
    Ok(())
}
