//! The operations: a request frame to an answer frame.
//!
//! Control is the JSON documents of the command; data are flat columns; an answer about tests is
//! their positions in the request, never their names. Each operation stands in the module of what
//! it works on; this one decides only which it is.

mod past;
mod reports;
mod run;
mod workload;

use rasher::error::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, catching};
use crate::frame::{Frame, FrameWriter};
use crate::handles::Handles;
use workload::Columns;

/// The operations by number.
pub mod op {
    /// Says which version this is.
    pub const ABOUT: u32 = 1;
    /// Plans columns of durations.
    pub const PLAN: u32 = 2;
    /// Reads reports into attempts.
    pub const INGEST: u32 = 3;
    /// Fails as told; proves that a failure arrives whole.
    pub const FAIL: u32 = 4;
    /// Takes a workload over and says what came: how many tests, groups, and how much work.
    pub const WORKLOAD: u32 = 5;
    /// The tests of one worker.
    pub const SHARD: u32 = 6;
    /// Proves that every planned test has a result of its own.
    pub const VERIFY: u32 = 7;
    /// Plans what must run again.
    pub const RETRY: u32 = 8;
    /// Judges the failures of a run.
    pub const VERDICT: u32 = 9;
    /// The answer is a question: names in Latin-1 hold a `?`, which stands for every character that
    /// Latin-1 lacks. Ask again with the names in UTF-8.
    pub const AGAIN: u32 = u32::MAX - 1;
    /// The answer is a fault.
    pub const FAULT: u32 = u32::MAX;
}

/// The sections by number.
pub mod section {
    /// A JSON document.
    pub const CONTROL: u32 = 1;
    /// Names of tests, end to end.
    pub const NAMES: u32 = 2;
    /// Where each name ends.
    pub const NAME_ENDS: u32 = 3;
    /// For each test the position of its group, `u32::MAX` for none.
    pub const GROUP_OF: u32 = 4;
    /// Names of groups, end to end.
    pub const GROUPS: u32 = 5;
    /// Where each group's name ends.
    pub const GROUP_ENDS: u32 = 6;
    /// Expected duration of each test in microseconds.
    pub const MEAN_US: u32 = 7;
    /// Upper quantile of the duration of each test in microseconds; the mean where missing.
    pub const UPPER_US: u32 = 8;
    /// Set-up of each group in microseconds; nothing where missing.
    pub const SETUP_US: u32 = 9;
    /// Files, end to end.
    pub const FILES: u32 = 10;
    /// Where each file ends.
    pub const FILE_ENDS: u32 = 11;
    /// Positions of tests, shard by shard, in the order in which to run them.
    pub const SHARD_TESTS: u32 = 12;
    /// Where each shard ends in `SHARD_TESTS`.
    pub const SHARD_ENDS: u32 = 13;
    /// A document as the command writes it.
    pub const DOCUMENT: u32 = 14;
    /// For each attempt the position of its test.
    pub const ATTEMPT_TEST: u32 = 15;
    /// For each attempt the position of its outcome in `Outcome::ALL`, one byte each.
    pub const ATTEMPT_OUTCOME: u32 = 16;
    /// For each attempt its duration in microseconds, `u64::MAX` where it has none.
    pub const ATTEMPT_US: u32 = 17;
    /// Predicted time of each shard in microseconds.
    pub const SHARD_US: u32 = 18;
    /// The part of it that is set-up.
    pub const SHARD_SETUP_US: u32 = 19;
    /// In place of `NAMES`, a byte a character: how a JVM holds most names, which it copies as they
    /// are, where it would look at every character for UTF-8.
    pub const NAMES_LATIN1: u32 = 20;
    /// In place of `GROUPS`, a byte a character.
    pub const GROUPS_LATIN1: u32 = 21;
    /// Plans as documents, end to end.
    pub const PLANS: u32 = 22;
    /// Where each plan ends.
    pub const PLAN_ENDS: u32 = 23;
    /// For each file the attempt at the run that it reports, from 1; all 1 where missing.
    pub const FILE_ROUND: u32 = 24;
    /// Files about the base commit, end to end.
    pub const BASE_FILES: u32 = 25;
    /// Where each of them ends.
    pub const BASE_ENDS: u32 = 26;
    /// Files of earlier runs, end to end, run by run as the control document lists them.
    pub const HISTORY_FILES: u32 = 27;
    /// Where each of them ends.
    pub const HISTORY_ENDS: u32 = 28;

    /// All that a request may hold.
    pub const REQUEST: [u32; 20] = [
        CONTROL,
        NAMES,
        NAME_ENDS,
        GROUP_OF,
        GROUPS,
        GROUP_ENDS,
        MEAN_US,
        UPPER_US,
        SETUP_US,
        FILES,
        FILE_ENDS,
        NAMES_LATIN1,
        GROUPS_LATIN1,
        PLANS,
        PLAN_ENDS,
        FILE_ROUND,
        BASE_FILES,
        BASE_ENDS,
        HISTORY_FILES,
        HISTORY_ENDS,
    ];
}

use section::{CONTROL, REQUEST};

/// The workloads that callers keep here.
static WORKLOADS: Handles<Columns> = Handles::new();

/// Answers a request. Never panics; a failure is an answer with the operation [`op::FAULT`].
///
/// ```
/// use rasher_jni::frame::{Frame, FrameWriter};
/// use rasher_jni::ops::{call, op, section};
/// let answer = call(&FrameWriter::default().finish(op::ABOUT));
/// assert_eq!(Frame::read(&answer, &[section::CONTROL]).map(|f| f.op), Ok(op::ABOUT));
/// let answer = call(b"nonsense");
/// assert_eq!(Frame::read(&answer, &[section::CONTROL]).map(|f| f.op), Ok(op::FAULT));
/// ```
pub fn call(request: &[u8]) -> Vec<u8> {
    call_frame(Frame::read(request, &REQUEST))
}

pub(crate) fn call_frame(request: Result<Frame<'_>, Fault>) -> Vec<u8> {
    answered(request, |frame| match frame.op {
        op::ABOUT => about().map(Some),
        op::PLAN => {
            let wanted = control(frame)?;
            let columns = Columns::read(frame)?;
            columns.map(|columns| workload::plan_columns(&columns, wanted)).transpose()
        }
        op::INGEST => reports::ingest(frame).map(Some),
        op::SHARD => run::shard(frame).map(Some),
        op::VERIFY => run::verify(frame).map(Some),
        op::RETRY => run::retry(frame).map(Some),
        op::VERDICT => run::verdict(frame).map(Some),
        op::FAIL => Err(fail(frame)?),
        op::WORKLOAD => {
            let columns = Columns::read(frame)?;
            columns.map(|columns| answer(&columns.summary(None))).transpose()
        }
        other => Err(Fault::usage(format!("operation {other} is not known to this library"))),
    })
}

/// Takes a workload over and keeps it: its names need not cross again. The answer's control
/// document holds its `handle`.
pub fn open(request: &[u8]) -> Vec<u8> {
    open_frame(Frame::read(request, &REQUEST))
}

pub(crate) fn open_frame(request: Result<Frame<'_>, Fault>) -> Vec<u8> {
    answered(request, |frame| {
        if frame.op != op::WORKLOAD {
            return Err(Fault::usage(format!("operation {} opens nothing", frame.op)));
        }
        let Some(columns) = Columns::read(frame)? else { return Ok(None) };
        let summary = columns.summary(None);
        answer(&summary.with_handle(WORKLOADS.open(columns)?)).map(Some)
    })
}

/// Answers a request about a workload that is kept.
pub fn call_on(handle: u64, request: &[u8]) -> Vec<u8> {
    call_frame_on(handle, Frame::read(request, &REQUEST))
}

pub(crate) fn call_frame_on(handle: u64, request: Result<Frame<'_>, Fault>) -> Vec<u8> {
    answered(request, |frame| {
        let columns = WORKLOADS.get(handle)?;
        match frame.op {
            op::PLAN => workload::plan_columns(&columns, control(frame)?).map(Some),
            op::WORKLOAD => answer(&columns.summary(Some(handle))).map(Some),
            op::FAIL => Err(fail(frame)?),
            other => Err(Fault::usage(format!("operation {other} is not about a workload"))),
        }
    })
}

/// Lets a workload go. Calls that are using it end as if it were open; false where it was not.
pub fn close(handle: u64) -> bool {
    WORKLOADS.close(handle)
}

/// The answer of `work`, none where the question must be asked again, or its fault.
fn answered(
    request: Result<Frame<'_>, Fault>,
    work: impl FnOnce(&mut Frame<'_>) -> Result<Option<FrameWriter>, Fault>,
) -> Vec<u8> {
    let answer = catching(|| {
        let mut frame = request?;
        let op = frame.op;
        Ok(match work(&mut frame)? {
            Some(answer) => answer.finish(op),
            None => FrameWriter::default().finish(op::AGAIN),
        })
    });
    answer.unwrap_or_else(|fault| {
        let document = serde_json::to_vec(&fault.document()).unwrap_or_default();
        FrameWriter::default().bytes(CONTROL, document).finish(op::FAULT)
    })
}

/// Reads the control document; its defaults where there is none.
fn control<T: for<'f> Deserialize<'f> + Default>(frame: &Frame<'_>) -> Result<T, Fault> {
    let Some(bytes) = frame.section(CONTROL) else { return Ok(T::default()) };
    serde_json::from_slice(bytes).map_err(|e| Fault::usage(format!("control document: {e}")))
}

fn json<T: Serialize>(document: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(document).map_err(|e| Fault::new(ErrorKind::Defect, e))
}

fn answer<T: Serialize>(document: &T) -> Result<FrameWriter, Fault> {
    Ok(FrameWriter::default().bytes(CONTROL, json(document)?))
}

#[derive(Serialize)]
struct About {
    version: &'static str,
    abi: i32,
    kinds: Vec<Kind>,
}

/// A kind of trouble as both sides must know it.
#[derive(Serialize)]
struct Kind {
    exit_code: u8,
    exception: &'static str,
}

fn about() -> Result<FrameWriter, Fault> {
    let kind =
        |kind: ErrorKind| Kind { exit_code: kind.exit_code(), exception: kind.java_exception() };
    let kinds = ErrorKind::ALL.into_iter().map(kind).collect();
    answer(&About { version: env!("CARGO_PKG_VERSION"), abi: crate::ABI, kinds })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fail {
    panic: Option<String>,
    exit_code: u8,
}

/// The failure that is asked for.
fn fail(frame: &Frame<'_>) -> Result<Fault, Fault> {
    let wanted: Fail = control(frame)?;
    if let Some(message) = wanted.panic {
        panic!("{message}");
    }
    let kind = ErrorKind::ALL.into_iter().find(|kind| kind.exit_code() == wanted.exit_code);
    let kind = kind.ok_or_else(|| Fault::usage("no kind of trouble has this exit code"))?;
    Ok(Fault::new(kind, "as asked"))
}
