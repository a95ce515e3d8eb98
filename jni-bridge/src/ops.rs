//! The operations: a request frame to an answer frame.
//!
//! Control is the JSON documents of the command; data are flat columns; an answer about tests is
//! their positions in the request, never their names.

use rasher::attempt::{Attempt, Outcome};
use rasher::error::ErrorKind;
use rasher::ingest::{Limits, Reader};
use rasher::plan::document::BoundBy;
use rasher::plan::{Plan, PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::{GroupId, TestId, TestTable};
use rasher::units::Micros;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, catching};
use crate::frame::{Frame, FrameWriter};

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
    /// The plan as `rasher plan --json` writes it.
    pub const DOCUMENT: u32 = 14;
    /// For each attempt the position of its test.
    pub const ATTEMPT_TEST: u32 = 15;
    /// For each attempt the position of its outcome in `Outcome::ALL`, one byte each.
    pub const ATTEMPT_OUTCOME: u32 = 16;
    /// For each attempt its duration in microseconds, `u64::MAX` where it has none.
    pub const ATTEMPT_US: u32 = 17;

    /// All that a request may hold.
    pub const REQUEST: [u32; 11] = [
        CONTROL, NAMES, NAME_ENDS, GROUP_OF, GROUPS, GROUP_ENDS, MEAN_US, UPPER_US, SETUP_US,
        FILES, FILE_ENDS,
    ];
}

use section::*;

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
    let answer = catching(|| {
        let frame = Frame::read(request, &REQUEST)?;
        let answer = match frame.op {
            op::ABOUT => about(),
            op::PLAN => plan_columns(&frame),
            op::INGEST => ingest(&frame),
            op::FAIL => Err(fail(&frame)?),
            other => Err(Fault::usage(format!("operation {other} is not known to this library"))),
        };
        answer.map(|answer| answer.finish(frame.op))
    });
    answer.unwrap_or_else(|fault| {
        let document = serde_json::to_vec(&fault.document()).unwrap_or_default();
        FrameWriter::default().bytes(CONTROL, document).finish(op::FAULT)
    })
}

/// Reads the control document; its defaults where there is none.
fn control<'f, T: Deserialize<'f> + Default>(frame: &Frame<'f>) -> Result<T, Fault> {
    let Some(bytes) = frame.section(CONTROL) else { return Ok(T::default()) };
    serde_json::from_slice(bytes).map_err(|e| Fault::usage(format!("control document: {e}")))
}

fn answer<T: Serialize>(document: &T) -> Result<FrameWriter, Fault> {
    let defect = |e: serde_json::Error| Fault::new(ErrorKind::Defect, e);
    Ok(FrameWriter::default().bytes(CONTROL, serde_json::to_vec(document).map_err(defect)?))
}

#[derive(Serialize)]
struct About {
    version: &'static str,
    abi: i32,
}

fn about() -> Result<FrameWriter, Fault> {
    answer(&About { version: env!("CARGO_PKG_VERSION"), abi: crate::ABI })
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

#[derive(Default, Deserialize)]
#[serde(default)]
struct PlanControl {
    shards: u32,
    environment: String,
    /// Also answer the plan as a document.
    document: bool,
}

#[derive(Serialize)]
struct PlanHead<'p> {
    makespan_ms: Micros,
    lower_bound_ms: Micros,
    gap: f64,
    bound_by: &'p BoundBy,
    useful_workers_max: u32,
    predicted_ms: Vec<Micros>,
    setup_ms: Vec<Micros>,
}

/// The columns of a workload in canonical order, with the way back to the request.
struct Columns {
    tests: TestTable,
    /// For each test in canonical order its position in the request.
    place: Vec<TestId>,
    mean: Vec<Micros>,
    upper: Vec<Micros>,
    setup: Vec<Micros>,
}

fn plan_columns(frame: &Frame<'_>) -> Result<FrameWriter, Fault> {
    let wanted: PlanControl = control(frame)?;
    let columns = columns(frame)?;
    let (mean, upper) = (&columns.mean, &columns.upper);
    let workload =
        Workload::new(&columns.tests, mean, upper, &columns.setup).map_err(Fault::usage)?;
    let plan = plan(&workload, &PlanOptions::new(wanted.shards)).map_err(Fault::usage)?;
    let answer = placed(&plan, &columns.place, answer(&head(&plan))?);
    if !wanted.document {
        return Ok(answer);
    }
    let facts = PlanFacts { environment: wanted.environment, ..PlanFacts::default() };
    let document = serde_json::to_vec(&plan.document(&workload, facts));
    Ok(answer.bytes(DOCUMENT, document.map_err(|e| Fault::new(ErrorKind::Defect, e))?))
}

fn head(plan: &Plan) -> PlanHead<'_> {
    PlanHead {
        makespan_ms: plan.makespan,
        lower_bound_ms: plan.lower_bound,
        gap: plan.gap(),
        bound_by: &plan.bound_by,
        useful_workers_max: plan.useful_workers_max,
        predicted_ms: plan.shards.iter().map(|shard| shard.predicted).collect(),
        setup_ms: plan.shards.iter().map(|shard| shard.setup).collect(),
    }
}

/// The tests of each shard as positions in the request.
fn placed(plan: &Plan, place: &[TestId], answer: FrameWriter) -> FrameWriter {
    let tests = plan.shards.iter().flat_map(|shard| &shard.tests);
    let mut end = 0;
    let ends = plan.shards.iter().map(|shard| {
        end += shard.tests.len() as u32;
        end
    });
    answer.u32s(SHARD_TESTS, tests.map(|test| place[test.index()].0)).u32s(SHARD_ENDS, ends)
}

fn text<'b>(blob: &'b [u8], what: &str, at: usize) -> Result<&'b str, Fault> {
    str::from_utf8(blob).map_err(|_| Fault::usage(format!("{what} {at} is no UTF-8")))
}

fn columns(frame: &Frame<'_>) -> Result<Columns, Fault> {
    let names = frame.blobs(NAMES, NAME_ENDS)?;
    let groups = frame.blobs(GROUPS, GROUP_ENDS)?;
    let group_of = frame.u32s(GROUP_OF)?;
    if !group_of.is_empty() && group_of.len() != names.len() {
        return Err(Fault::usage(format!(
            "{} tests, but groups for {}",
            names.len(),
            group_of.len()
        )));
    }
    let mut given = TestTable::new();
    for (at, name) in names.iter().enumerate() {
        let group = match group_of.get(at) {
            None | Some(&u32::MAX) => None,
            Some(group) => {
                let name = groups.get(*group as usize);
                let name = name.ok_or_else(|| {
                    Fault::usage(format!("test {at} is of group {group}, which is not there"))
                })?;
                Some(text(name, "group", *group as usize)?)
            }
        };
        let test = given.intern(text(name, "test", at)?, group);
        if test.index() != at {
            let first = test.index();
            return Err(Fault::usage(format!("tests {first} and {at} have the same id")));
        }
    }
    let mean = micros(frame, MEAN_US)?.ok_or_else(|| Fault::usage("no durations"))?;
    let upper = micros(frame, UPPER_US)?.unwrap_or_else(|| mean.clone());
    let setup = micros(frame, SETUP_US)?.unwrap_or_else(|| vec![Micros::ZERO; groups.len()]);
    for (what, given, wanted) in [
        ("durations", mean.len(), names.len()),
        ("upper durations", upper.len(), names.len()),
        ("set-ups", setup.len(), groups.len()),
    ] {
        if given != wanted {
            return Err(Fault::usage(format!("{given} {what} where {wanted} are wanted")));
        }
    }
    Ok(ordered(given, &groups, (&mean, &upper, &setup)))
}

/// True where tests and groups stand in the order of their names already.
fn is_canonical(given: &TestTable) -> bool {
    let groups = (0..given.group_count() as u32).map(|at| given.group_name(GroupId(at)));
    given.ids().map(|test| given.name(test)).is_sorted() && groups.is_sorted()
}

/// The same workload in canonical order.
fn ordered(
    given: TestTable,
    groups: &[&[u8]],
    (mean, upper, setup): (&[Micros], &[Micros], &[Micros]),
) -> Columns {
    let (tests, place) = if is_canonical(&given) {
        let place = given.ids().collect();
        (given, place)
    } else {
        given.sorted()
    };
    let mut setup_of = vec![Micros::ZERO; tests.group_count()];
    for (name, setup) in groups.iter().zip(setup) {
        let group = str::from_utf8(name).ok().and_then(|name| tests.find_group(name));
        if let Some(group) = group {
            setup_of[group.index()] = *setup;
        }
    }
    let column = |of: &[Micros]| place.iter().map(|test| of[test.index()]).collect();
    Columns { mean: column(mean), upper: column(upper), setup: setup_of, tests, place }
}

fn micros(frame: &Frame<'_>, id: u32) -> Result<Option<Vec<Micros>>, Fault> {
    let column = frame.u64s(id)?;
    Ok(column.map(|values| values.into_iter().map(Micros::new).collect()))
}

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
struct FileProblem {
    file: usize,
    line: Option<u64>,
    what: String,
}

/// Reads reports; the answer holds their attempts as columns.
fn ingest(frame: &Frame<'_>) -> Result<FrameWriter, Fault> {
    let wanted: IngestControl = control(frame)?;
    let mut reader = Reader::new(Limits::default());
    let mut problems = Vec::new();
    for (file, bytes) in frame.blobs(FILES, FILE_ENDS)?.into_iter().enumerate() {
        let report = reader.read(bytes, wanted.module.as_deref());
        let told = report.problems.into_iter();
        problems.extend(told.map(|p| FileProblem { file, line: p.line, what: p.what }));
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
