//! Verbs about a run: what a worker is to run, what its reports prove, what runs again.
//!
//! Answers the documents that the command writes with `--json`, byte for byte, as it does with a
//! store of the earlier runs that the request holds: the bridge itself reads no store.

use std::ops::Range;

use rasher::attempt::{Isolation, Recording};
use rasher::constraint::ConstraintSpec;
use rasher::error::ErrorKind;
use rasher::estimate::{estimate, follow_renames};
use rasher::flake::Scores;
use rasher::history::History;
use rasher::ingest::{Limits, Reader};
use rasher::outcome::Outcomes;
use rasher::outcome::ledger::{Ledger, LedgerError, Rules, Verification, chain};
use rasher::plan::Terms;
use rasher::plan::document::PlanDocument;
use rasher::retry::{
    Again, Demands, Planned, RetryEvidence, RetryLimits, RetryOptions, cases, outstanding,
};
use rasher::units::Micros;
use rasher::verdict::{VerdictOptions, judge};
use serde::{Deserialize, Serialize};

use super::past::{PastRun, past};
use super::reports::FileProblem;
use super::section::*;
use super::{answer, control};
use crate::fault::Fault;
use crate::frame::{Frame, FrameWriter};

/// How a verb ended, beside its document.
#[derive(Serialize)]
struct Ending {
    exit_code: u8,
    problems: Vec<FileProblem>,
}

/// Plans of a run in their order, and what was reported of it.
struct Given {
    plans: Vec<PlanDocument>,
    recording: Recording,
    reports: Vec<(u16, Range<usize>)>,
    problems: Vec<FileProblem>,
}

impl Given {
    fn read(frame: &Frame<'_>) -> Result<Self, Fault> {
        let plans = frame.blobs(PLANS, PLAN_ENDS)?.into_iter().enumerate().map(|(at, bytes)| {
            PlanDocument::from_json(bytes).map_err(|e| Fault::usage(format!("plan {at}: {e}")))
        });
        let plans: Vec<PlanDocument> = plans.collect::<Result<_, Fault>>()?;
        let plans = chain(&plans).map_err(wrong)?;
        let rounds = frame.u32s(FILE_ROUND)?;
        let files = frame.blobs(FILES, FILE_ENDS)?;
        if !rounds.is_empty() && rounds.len() != files.len() {
            let told = format!("{} files, but attempts for {}", files.len(), rounds.len());
            return Err(Fault::usage(told));
        }
        let mut given = Self {
            plans,
            recording: Recording::default(),
            reports: Vec::new(),
            problems: Vec::new(),
        };
        let round = |at: usize| rounds.get(at).map_or(Ok(1), |round| u16::try_from(*round));
        let rounds = (0..files.len()).map(round).collect::<Result<Vec<u16>, _>>();
        let rounds = rounds.map_err(|_| Fault::usage("more attempts than can be counted"))?;
        if rounds.contains(&0) {
            return Err(wrong(LedgerError::NoRound));
        }
        (given.recording, given.reports) = ingest(&files, &rounds, &mut given.problems);
        if given.reports.is_empty() && !files.is_empty() {
            let told = "none of the files is a report that rasher knows";
            return Err(Fault::new(ErrorKind::Store, told));
        }
        Ok(given)
    }

    /// The ledger's word. That a test is gone is believed as the command believes it: not where a
    /// report could not be read whole.
    fn verify(&self, rules: Rules, gone: &[String]) -> Result<Verification, Fault> {
        let gone = if self.problems.is_empty() { gone } else { &[] };
        let ledger = Ledger::open(&self.plans).map_err(wrong)?.with_rules(rules);
        let mut ledger = ledger.with_gone(gone);
        for (round, part) in &self.reports {
            ledger.report(*round, &self.recording, part.clone()).map_err(wrong)?;
        }
        Ok(ledger.close())
    }

    fn outcomes(&self) -> Outcomes {
        let environment = self.plans.first().map_or("", |plan| &plan.environment);
        Outcomes::of_reports(environment, &self.recording, &self.reports, &self.plans)
    }

    /// What earlier runs of the plan's environment tell.
    fn past(&self, frame: &Frame<'_>, runs: &[PastRun]) -> Result<(History, Scores), Fault> {
        let environment = self.plans.last().map_or("", |plan| &plan.environment);
        let judged = self.plans.iter().find_map(|plan| plan.run.as_deref());
        past(frame, runs, environment, (judged, &self.recording))
    }

    fn answer<T: Serialize>(self, document: &T, end: Option<ErrorKind>) -> Answered {
        let exit_code = end.map_or(0, ErrorKind::exit_code);
        let answer = answer(&Ending { exit_code, problems: self.problems })?;
        Ok(answer.bytes(DOCUMENT, pretty(document)?))
    }
}

type Answered = Result<FrameWriter, Fault>;

fn wrong(error: LedgerError) -> Fault {
    Fault::usage(error)
}

/// As the command writes it.
fn pretty<T: Serialize>(document: &T) -> Result<Vec<u8>, Fault> {
    let mut text =
        serde_json::to_vec_pretty(document).map_err(|e| Fault::new(ErrorKind::Defect, e))?;
    text.push(b'\n');
    Ok(text)
}

/// Reads files in order; a file that is no report costs only itself.
fn ingest(
    files: &[&[u8]],
    rounds: &[u16],
    problems: &mut Vec<FileProblem>,
) -> (Recording, Vec<(u16, Range<usize>)>) {
    let mut reader = Reader::new(Limits::default());
    let mut reports = Vec::new();
    let mut next = 0;
    for (at, (bytes, round)) in files.iter().zip(rounds).enumerate() {
        let report = reader.read(bytes, None);
        if !report.is_refused() {
            reports.push((*round, next..next + report.attempts));
            next += report.attempts;
        }
        problems.extend(report.problems.into_iter().map(|it| FileProblem::new(at, it)));
    }
    (reader.finish(), reports)
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ShardControl {
    index: u32,
    of: usize,
}

/// The tests of one worker, by name: a plan is a document, and its tests have no positions.
pub(super) fn shard(frame: &Frame<'_>) -> Answered {
    let wanted: ShardControl = control(frame)?;
    let plan = PlanDocument::from_json(frame.needed(PLANS)?).map_err(Fault::usage)?;
    let shard = plan.shards.iter().find(|shard| shard.index == wanted.index);
    match shard {
        Some(shard) if plan.shards.len() == wanted.of => Ok(FrameWriter::default().strings(
            NAMES,
            NAME_ENDS,
            shard.tests.iter().map(|test| test.as_bytes()),
        )),
        _ => Err(Fault::usage(format!(
            "shard {}/{} of a plan of {} shards: plan for as many workers as there are",
            wanted.index,
            wanted.of,
            plan.shards.len()
        ))),
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct VerifyControl {
    accept_unknown: bool,
    accept_repeated: bool,
    gone: Vec<String>,
}

/// Proves that every planned test has a result of its own, or says which has not.
pub(super) fn verify(frame: &Frame<'_>) -> Answered {
    let wanted: VerifyControl = control(frame)?;
    let given = Given::read(frame)?;
    let rules =
        Rules { accept_unknown: wanted.accept_unknown, accept_repeated: wanted.accept_repeated };
    let verified = given.verify(rules, &wanted.gone)?;
    let end = (!verified.complete).then_some(ErrorKind::Incomplete);
    given.answer(&verified, end)
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct VerdictControl {
    p_real_max: Option<f64>,
    error_max: Option<f64>,
    gone: Vec<String>,
    history: Vec<PastRun>,
}

/// Judges the failures of a run.
pub(super) fn verdict(frame: &Frame<'_>) -> Answered {
    let wanted: VerdictControl = control(frame)?;
    let given = Given::read(frame)?;
    let mut options = VerdictOptions::default();
    options.p_real_max = share("p_real_max", wanted.p_real_max)?.unwrap_or(options.p_real_max);
    options.doubt.error_max = share("error_max", wanted.error_max)?.unwrap_or(0.01);
    let verified = given.verify(Rules::default(), &wanted.gone)?;
    options.unaccounted = verified.missing;
    let base = frame.blobs(BASE_FILES, BASE_ENDS)?;
    let base = (!base.is_empty()).then(|| {
        let (recording, reports) = ingest(&base, &vec![1; base.len()], &mut Vec::new());
        Outcomes::of_reports("", &recording, &reports, &[])
    });
    let outcomes = given.outcomes();
    let planned = Planned::new(&given.plans).without(&verified.gone).with_unplanned(&outcomes);
    let (_, mut scores) = given.past(frame, &wanted.history)?;
    follow_renames(&mut scores, planned.tests());
    let verdict = judge(&planned, &outcomes, base.as_ref(), &scores, &options);
    let end = ErrorKind::of_run(verdict.run);
    given.answer(&verdict, end)
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Reshard,
    Replay,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RetryControl {
    mode: Mode,
    shards: Option<u32>,
    deadline: Option<String>,
    max_tests: Option<usize>,
    max_share: Option<f64>,
    max_time: Option<String>,
    max_attempts: Option<u32>,
    whole: Vec<String>,
    constraints: ConstraintSpec,
    gone: Vec<String>,
    history: Vec<PastRun>,
}

/// Plans what must run again.
pub(super) fn retry(frame: &Frame<'_>) -> Answered {
    let wanted: RetryControl = control(frame)?;
    let given = Given::read(frame)?;
    let limits = RetryLimits::default();
    let terms = Terms::of(&given.plans).with(wanted.constraints);
    let (again, isolation) = match wanted.mode {
        Mode::Replay => (Again::Replay, Isolation::Replay),
        Mode::Reshard => {
            let deadline = span("deadline", wanted.deadline)?;
            (
                Again::Reshard { shards: wanted.shards, deadline, terms: &terms },
                Isolation::FreshWorker,
            )
        }
    };
    let mut options = RetryOptions {
        limits: RetryLimits {
            tests_max: wanted.max_tests.unwrap_or(limits.tests_max),
            share_max: share("max_share", wanted.max_share)?.unwrap_or(limits.share_max),
            time_max: span("max_time", wanted.max_time)?.unwrap_or(limits.time_max),
            ..limits
        },
        isolation,
        ..RetryOptions::default()
    };
    options.doubt.attempts_max = wanted.max_attempts.unwrap_or(15);
    let outcomes = given.outcomes();
    let gone = given.verify(Rules::default(), &wanted.gone)?.gone;
    let planned = Planned::new(&given.plans).without(&gone);
    let (history, mut scores) = given.past(frame, &wanted.history)?;
    follow_renames(&mut scores, planned.tests());
    let estimates = estimate(&history, planned.tests());
    let mut demands = Demands::of(&terms.constraints, planned.tests());
    demands.whole = wanted.whole;
    let cases = cases(&planned, &outcomes);
    let evidence = RetryEvidence {
        scores: &scores,
        base: None,
        demands: &demands,
        durations: &estimates.mean,
    };
    let set = outstanding(&planned, &cases, &evidence, &options);
    let document = set.plan(&planned, &given.plans, &history, again).map_err(Fault::usage)?;
    let document = document.ok_or_else(|| Fault::usage("no plan was given"))?;
    given.answer(&document, None)
}

fn share(name: &str, given: Option<f64>) -> Result<Option<f64>, Fault> {
    match given {
        Some(share) if !(0.0..=1.0).contains(&share) => {
            Err(Fault::usage(format!("{name} is {share}, and must be a share from 0 to 1")))
        }
        given => Ok(given),
    }
}

fn span(name: &str, given: Option<String>) -> Result<Option<Micros>, Fault> {
    let parsed = given.map(|text| text.parse::<Micros>()).transpose();
    parsed.map_err(|e| Fault::usage(format!("{name}: {e}")))
}
