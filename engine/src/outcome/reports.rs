//! Reports of one run, told apart by what they tell.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;

use super::{Folder, Outcomes};
use crate::attempt::{Isolation, Recording, RunContext};
use crate::plan::document::PlanDocument;

impl Outcomes {
    /// The fold of reports of one run: for each its attempt at the run, from 1, and its part of the
    /// recording. One that is given twice, or copied under another name, is one report. The plans
    /// of the run in their order say where the tests of each round ran; a round without a plan of
    /// its own ran on fresh workers. O(n log n).
    pub fn of_reports(
        environment: &str,
        recording: &Recording,
        reports: &[(u16, Range<usize>)],
        plans: &[PlanDocument],
    ) -> Self {
        let mut folder = Folder::new();
        let mut known: BTreeMap<([u8; 32], u16), u32> = BTreeMap::new();
        for (round, part) in reports {
            let number = known.len() as u32 + 1;
            let key = (fingerprint(recording, part.clone()), *round);
            let shard = *known.entry(key).or_insert(number);
            let context = RunContext {
                environment: environment.to_owned(),
                branch: None,
                commit: None,
                base_commit: None,
                run: String::new(),
                attempt: *round,
                shard: Some(shard),
                worker: None,
                plan: None,
                isolation: isolation(plans, *round),
                at: Timestamp::UNIX_EPOCH,
            };
            folder.add_part(&context, recording, part.clone());
        }
        folder.finish()
    }
}

/// Where the tests of a round ran. The first round is the suite whatever its plan says.
fn isolation(plans: &[PlanDocument], round: u16) -> Isolation {
    let plan = usize::from(round).checked_sub(1).and_then(|at| plans.get(at));
    match round {
        0 | 1 => Isolation::InSuite,
        _ => plan.map_or(Isolation::FreshWorker, PlanDocument::isolation),
    }
}

/// A hash of what a report tells.
fn fingerprint(recording: &Recording, part: Range<usize>) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    for attempt in recording.attempts.get(part).unwrap_or_default() {
        hash.update(recording.tests.name(attempt.test).as_bytes());
        let start = attempt.start.map(Timestamp::as_nanosecond).unwrap_or_default();
        let duration = attempt.duration.map_or(u64::MAX, |duration| duration.get());
        hash.update(&[0, attempt.outcome as u8]);
        hash.update(&start.to_le_bytes());
        hash.update(&duration.to_le_bytes());
        hash.update(&attempt.signature.unwrap_or_default().to_le_bytes());
    }
    *hash.finalize().as_bytes()
}
