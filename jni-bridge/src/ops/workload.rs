//! A workload as columns, and its plan as positions in them.

use rasher::plan::document::BoundBy;
use rasher::plan::{Plan, PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::{Arena, ArenaError, Arranged, TestId, TestTable};
use rasher::units::Micros;
use serde::{Deserialize, Serialize};

use super::section::*;
use super::{answer, json};
use crate::fault::Fault;
use crate::frame::{Frame, FrameWriter};

/// The columns of a workload in canonical order, with the way back to the request.
pub(super) struct Columns {
    tests: TestTable,
    /// For each test in canonical order its position in the request.
    place: Vec<TestId>,
    mean: Vec<Micros>,
    /// None where the means are all that is known.
    upper: Option<Vec<Micros>>,
    setup: Vec<Micros>,
}

/// What came, so that the caller can tell that it came whole.
#[derive(Serialize)]
pub(super) struct Summary {
    tests: usize,
    groups: usize,
    work_us: u64,
    /// In decimals, as text: 64 bits are more than every reader of JSON keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
}

impl Summary {
    pub(super) fn with_handle(self, handle: u64) -> Self {
        Self { handle: Some(handle.to_string()), ..self }
    }
}

impl Columns {
    /// Takes the columns out of a frame; none where its names may have lost characters. Names that
    /// come in order are not touched one by one.
    pub(super) fn read(frame: &mut Frame<'_>) -> Result<Option<Self>, Fault> {
        let group_of = frame.u32s(GROUP_OF)?;
        let mean = micros(frame, MEAN_US)?.ok_or_else(|| Fault::usage("no durations"))?;
        let upper = micros(frame, UPPER_US)?;
        let setup = micros(frame, SETUP_US)?;
        let names = arena(frame, (NAMES, NAMES_LATIN1, NAME_ENDS), "tests")?;
        let groups = arena(frame, (GROUPS, GROUPS_LATIN1, GROUP_ENDS), "groups")?;
        let (Some(names), Some(groups)) = (names, groups) else { return Ok(None) };
        check("durations", Some(&mean), names.len())?;
        check("upper durations", upper.as_ref(), names.len())?;
        check("set-ups", setup.as_ref(), groups.len())?;
        let Arranged { table, tests, groups } =
            TestTable::from_arenas(names, &groups, &group_of).map_err(Fault::usage)?;
        let ordered = tests.iter().enumerate().all(|(at, test)| test.index() == at);
        let column = |of: Vec<Micros>| match ordered {
            true => of,
            false => tests.iter().map(|test| of[test.index()]).collect(),
        };
        let setup_of = |at: usize| setup.as_ref().map_or(Micros::ZERO, |setup| setup[at]);
        Ok(Some(Self {
            mean: column(mean),
            upper: upper.map(column),
            setup: groups.iter().map(|group| setup_of(group.index())).collect(),
            tests: table,
            place: tests,
        }))
    }

    pub(super) fn summary(&self, handle: Option<u64>) -> Summary {
        let work = self.mean.iter().fold(0_u64, |sum, mean| sum.wrapping_add(mean.get()));
        Summary {
            tests: self.tests.len(),
            groups: self.tests.group_count(),
            work_us: work & ((1 << 52) - 1),
            handle: handle.map(|handle| handle.to_string()),
        }
    }
}

/// Names as they crossed; none where they may have lost characters.
fn arena(
    frame: &mut Frame<'_>,
    (utf8, latin1, ends): (u32, u32, u32),
    what: &str,
) -> Result<Option<Arena>, Fault> {
    let ends: Vec<usize> = frame.u32s(ends)?.into_iter().map(|end| end as usize).collect();
    let wrong = |broken| Fault::usage(format!("{what}: {broken}"));
    let mut bytes = frame.take(latin1);
    match seen(&bytes) {
        (true, _) => return Ok(None),
        (_, true) => return widened(&bytes, ends).map(Some).map_err(wrong),
        _ if bytes.is_empty() => bytes = frame.take(utf8),
        _ => {}
    }
    let text = String::from_utf8(bytes).map_err(|broken| {
        let at = broken.utf8_error().valid_up_to();
        Fault::usage(format!("the names of {what} are no UTF-8 at byte {at}"))
    })?;
    Arena::new(text, ends).map(Some).map_err(wrong)
}

/// Whether there is a question mark, and whether there is anything but ASCII. One pass without a
/// branch a byte, which the compiler makes one for many bytes.
fn seen(bytes: &[u8]) -> (bool, bool) {
    let (asked, all) =
        bytes.iter().fold((false, 0), |(asked, all), byte| (asked | (*byte == b'?'), all | byte));
    (asked, !all.is_ascii())
}

/// Latin-1 as UTF-8.
fn widened(bytes: &[u8], mut ends: Vec<usize>) -> Result<Arena, ArenaError> {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    let mut start = 0;
    for (at, end) in ends.iter_mut().enumerate() {
        let name = bytes.get(start..*end).ok_or(ArenaError::End { at, end: *end })?;
        text.extend(name.iter().copied().map(char::from));
        start = *end;
        *end = text.len();
    }
    Arena::new(text, ends)
}

fn check(what: &str, column: Option<&Vec<Micros>>, wanted: usize) -> Result<(), Fault> {
    match column.map(Vec::len) {
        Some(given) if given != wanted => {
            Err(Fault::usage(format!("{given} {what} where {wanted} are wanted")))
        }
        _ => Ok(()),
    }
}

fn micros(frame: &Frame<'_>, id: u32) -> Result<Option<Vec<Micros>>, Fault> {
    let column = frame.u64s(id)?;
    Ok(column.map(|values| values.into_iter().map(Micros::new).collect()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PlanControl {
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
}

pub(super) fn plan_columns(columns: &Columns, wanted: PlanControl) -> Result<FrameWriter, Fault> {
    let upper = columns.upper.as_ref().unwrap_or(&columns.mean);
    let workload = Workload::new(&columns.tests, &columns.mean, upper, &columns.setup)
        .map_err(Fault::usage)?;
    let plan = plan(&workload, &PlanOptions::new(wanted.shards)).map_err(Fault::usage)?;
    let head = PlanHead {
        makespan_ms: plan.makespan,
        lower_bound_ms: plan.lower_bound,
        gap: plan.gap(),
        bound_by: &plan.bound_by,
        useful_workers_max: plan.useful_workers_max,
    };
    let answer = placed(&plan, &columns.place, answer(&head)?);
    if !wanted.document {
        return Ok(answer);
    }
    let facts = PlanFacts { environment: wanted.environment, ..PlanFacts::default() };
    Ok(answer.bytes(DOCUMENT, json(&plan.document(&workload, facts))?))
}

/// The tests of each shard as positions in the request, and the time of each.
fn placed(plan: &Plan, place: &[TestId], answer: FrameWriter) -> FrameWriter {
    let tests = plan.shards.iter().flat_map(|shard| &shard.tests);
    let mut end = 0;
    let ends = plan.shards.iter().map(|shard| {
        end += shard.tests.len() as u32;
        end
    });
    answer
        .u32s(SHARD_TESTS, tests.map(|test| place[test.index()].0))
        .u32s(SHARD_ENDS, ends)
        .u64s(SHARD_US, plan.shards.iter().map(|shard| shard.predicted.get()))
        .u64s(SHARD_SETUP_US, plan.shards.iter().map(|shard| shard.setup.get()))
}
