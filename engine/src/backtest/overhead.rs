//! What a worker spends beside its tests.
//!
//! Decides it from recorded shards whose attempts carry their start: how long the shard was at work
//! against what its tests and set-ups took. Never guesses: without such shards there is no answer.

use crate::history::RunRecording;
use crate::units::Micros;

/// Fewer shards than this tell nothing.
const SHARDS_MIN: usize = 3;

/// Time of a worker that no test and no set-up accounts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerOverhead {
    /// The median over the shards.
    pub time: Micros,
    /// How many shards it rests on.
    pub shards: usize,
}

/// The median over recorded shards of the time between the first start and the last end, less what
/// tests and measured set-ups took: discovery, class loading, reports between tests. `None` with
/// fewer than three shards whose attempts carry their start. A shard that ran several tests at a
/// time counts as one without overhead. O(n log n) in the shards.
///
/// ```
/// assert_eq!(rasher::backtest::worker_overhead(&[]), None);
/// ```
pub fn worker_overhead(recordings: &[RunRecording]) -> Option<WorkerOverhead> {
    let mut times: Vec<Micros> = recordings.iter().filter_map(beside_tests).collect();
    if times.len() < SHARDS_MIN {
        return None;
    }
    let (shards, middle) = (times.len(), times.len() / 2);
    let (_, time, _) = times.select_nth_unstable(middle);
    Some(WorkerOverhead { time: *time, shards })
}

fn beside_tests(run: &RunRecording) -> Option<Micros> {
    run.context.shard?;
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    let mut busy: Micros = run.recording.setups.iter().map(|it| it.setup).sum();
    for attempt in &run.recording.attempts {
        // What was skipped never started.
        let Some(took) = attempt.duration.filter(|took| !took.is_zero()) else { continue };
        let start = attempt.start?.as_microsecond();
        let end = start.saturating_add(i64::try_from(took.get()).unwrap_or(i64::MAX));
        (first, last) = (first.min(start), last.max(end));
        busy += took;
    }
    let span = u64::try_from(last.checked_sub(first)?).ok()?;
    Some(Micros::new(span) - busy)
}
