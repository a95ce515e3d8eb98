//! Taking a recording in, once.

use std::path::PathBuf;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use rasher::attempt::{Outcome, Recording, RunContext};
use rasher::test_id::{TestId, TestSet};

use crate::files::{SegmentFile, SegmentName, run_hash};
use crate::{Problem, Store, StoreError, refresh, segment};

/// What a call of [`Store::record`] did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Recorded {
    /// Attempts that were kept.
    pub attempts: usize,
    /// Tests among them that the environment had never seen.
    pub new_tests: usize,
    /// Attempts that passed.
    pub passed: usize,
    /// Attempts that failed.
    pub failed: usize,
    /// Attempts that errored, timed out, crashed or could not be set up.
    pub errored: usize,
    /// Attempts that were skipped.
    pub skipped: usize,
    /// Attempts without a result.
    pub not_run: usize,
    /// Attempts that were known already.
    pub ignored_duplicates: usize,
    /// The segment, where anything was kept.
    pub segment: Option<PathBuf>,
    /// Files of the store that could not be used.
    pub problems: Vec<Problem>,
}

impl Store {
    /// Keeps a recording. When this returns, it is on the disk to stay.
    ///
    /// An attempt is known by environment, run, round, shard, test and ordinal: one that is already
    /// kept is left out and counted, so that recording twice changes nothing. O(n log n), and a
    /// read of what is kept of the same run.
    pub fn record(
        &self,
        context: &RunContext,
        mut recording: Recording,
    ) -> Result<Recorded, StoreError> {
        if self.files.read_only {
            return Err(StoreError::ReadOnly { path: self.files.root.clone() });
        }
        self.files.sweep();
        let mut answer = Recorded::default();
        let before = recording.attempts.len();
        let listed = self.environment_segments(&context.environment)?;
        self.leave_out_known(context, &listed, &mut recording, &mut answer.problems);
        answer.ignored_duplicates = before - recording.attempts.len();
        if recording.attempts.is_empty() {
            return Ok(answer);
        }
        count(&recording, &mut answer);
        let known = refresh::known_tests(self, &context.environment, &listed, &recording.tests)?;
        answer.new_tests =
            reported(&recording).iter().filter(|test| !known.contains(*test)).count();
        let bytes = segment::encode(context, &recording)?;
        let name = SegmentName::of(&context.environment, &context.run, &bytes);
        answer.segment = Some(self.files.put_segment(name, context.at, &bytes)?);
        Ok(answer)
    }

    fn leave_out_known(
        &self,
        context: &RunContext,
        listed: &[SegmentFile],
        recording: &mut Recording,
        problems: &mut Vec<Problem>,
    ) {
        let mut seen: HashSet<(TestId, u16), FixedState> = HashSet::default();
        seen.reserve(recording.attempts.len());
        let tests = &recording.tests;
        let run = run_hash(&context.environment, &context.run);
        for file in listed.iter().filter(|file| file.name.run == run) {
            let kept = match self.load(file) {
                Ok(kept) => kept,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let same = |it: &RunContext| {
                (&it.environment, &it.run, it.attempt, it.shard)
                    == (&context.environment, &context.run, context.attempt, context.shard)
            };
            if same(&kept.context) {
                let names = &kept.recording.tests;
                seen.extend(kept.recording.attempts.iter().filter_map(|attempt| {
                    Some((tests.find(names.name(attempt.test))?, attempt.ordinal))
                }));
            }
        }
        // A recording may hold one attempt twice: the first stands.
        recording.attempts.retain(|attempt| seen.insert((attempt.test, attempt.ordinal)));
    }
}

/// The tests that have attempts.
fn reported(recording: &Recording) -> TestSet {
    let mut tests = TestSet::with_len(recording.tests.len());
    for attempt in &recording.attempts {
        tests.insert(attempt.test);
    }
    tests
}

fn count(recording: &Recording, answer: &mut Recorded) {
    answer.attempts = recording.attempts.len();
    for attempt in &recording.attempts {
        *match attempt.outcome {
            Outcome::Passed => &mut answer.passed,
            Outcome::Failed => &mut answer.failed,
            Outcome::Skipped => &mut answer.skipped,
            Outcome::NotRun => &mut answer.not_run,
            _ => &mut answer.errored,
        } += 1;
    }
}
