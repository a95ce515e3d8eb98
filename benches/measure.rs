//! Time as a ratio: a subject against `sort_unstable` of the same durations, interleaved in one run.
//!
//! Decides how a time is taken; judges nothing. Seconds mean nothing on a shared machine; the ratio
//! of two minima taken turn by turn does.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Minima of interleaved rounds.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The machine's unit: `sort_unstable` of the same `u64`.
    pub unit: Duration,
    /// The subject.
    pub subject: Duration,
}

impl Timing {
    /// Subject over unit.
    pub fn ratio(&self) -> f64 {
        self.subject.as_secs_f64() / self.unit.as_secs_f64().max(1e-12)
    }
}

/// Times `subject` and the sort of `durations` in turn, `rounds` times, and keeps the minimum of
/// each. The copy that the sort needs is not timed. At least one round is run.
///
/// ```
/// use rasher_bench::measure::against_sort;
/// let durations: Vec<u64> = (0..10_000).map(|n| n * 7919 % 10_007).collect();
/// let timing = against_sort(&durations, 3, || durations.iter().sum::<u64>());
/// assert!(timing.ratio() < 1.0);
/// ```
pub fn against_sort<T>(durations: &[u64], rounds: usize, mut subject: impl FnMut() -> T) -> Timing {
    let mut best = Timing { unit: Duration::MAX, subject: Duration::MAX };
    for _ in 0..rounds.max(1) {
        let mut copy = black_box(durations.to_vec());
        best.unit = best.unit.min(time(|| {
            copy.sort_unstable();
            copy.len()
        }));
        black_box(copy);
        best.subject = best.subject.min(time(&mut subject));
    }
    best
}

/// The time of one call; what it returns is dropped after the clock has stopped.
pub fn time<T>(mut call: impl FnMut() -> T) -> Duration {
    let began = Instant::now();
    let answer = black_box(call());
    let took = began.elapsed();
    drop(answer);
    took
}

/// Peak memory of this process in bytes; `None` where the system does not say. Linux only.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1_024)
}
