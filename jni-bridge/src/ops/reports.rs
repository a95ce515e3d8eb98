//! Reports as attempts in columns.

use rasher::attempt::{Attempt, Outcome};
use rasher::ingest::{Limits, Problem, Reader};
use rasher::units::Micros;
use serde::{Deserialize, Serialize};

use super::section::*;
use super::{answer, control};
use crate::fault::Fault;
use crate::frame::{Frame, FrameWriter};

#[derive(Default, Deserialize)]
#[serde(default)]
struct IngestControl {
    module: Option<String>,
}

#[derive(Serialize)]
struct IngestHead {
    attempts: usize,
    tests: usize,
    problems: Vec<FileProblem>,
}

#[derive(Serialize)]
pub(super) struct FileProblem {
    file: usize,
    line: Option<u64>,
    what: String,
}

impl FileProblem {
    pub(super) fn new(file: usize, problem: Problem) -> Self {
        Self { file, line: problem.line, what: problem.what }
    }
}

/// Reads reports; the answer holds their attempts as columns.
pub(super) fn ingest(frame: &Frame<'_>) -> Result<FrameWriter, Fault> {
    let wanted: IngestControl = control(frame)?;
    let mut reader = Reader::new(Limits::default());
    let mut problems = Vec::new();
    for (file, bytes) in frame.blobs(FILES, FILE_ENDS)?.into_iter().enumerate() {
        let report = reader.read(bytes, wanted.module.as_deref());
        let told = report.problems.into_iter();
        problems.extend(told.map(|problem| FileProblem::new(file, problem)));
    }
    let recording = reader.finish();
    let attempts = &recording.attempts;
    let tests = &recording.tests;
    let head = IngestHead { attempts: attempts.len(), tests: tests.len(), problems };
    let code = |attempt: &Attempt| {
        let place = Outcome::ALL.iter().position(|outcome| *outcome == attempt.outcome);
        place.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
    };
    Ok(answer(&head)?
        .strings(NAMES, NAME_ENDS, tests.ids().map(|test| tests.name(test).as_bytes()))
        .u32s(ATTEMPT_TEST, attempts.iter().map(|attempt| attempt.test.0))
        .bytes(ATTEMPT_OUTCOME, attempts.iter().map(code).collect())
        .u64s(ATTEMPT_US, attempts.iter().map(|a| a.duration.map_or(u64::MAX, Micros::get))))
}
