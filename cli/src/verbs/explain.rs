//! `rasher explain`: what is known of a test, and why it sits where it sits.

mod show;

use std::path::PathBuf;

use jiff::Timestamp;
use rasher::constraint::Bond;
use rasher::estimate::Source;
use rasher::flake::Scores;
use rasher::history::{History, TestHistory};
use rasher::plan::Explanation;
use rasher::plan::document::{BoundBy, PlanDocument, Reasons};
use rasher::test_id::{TestId, TestTable};
use rasher::units::Micros;
use serde::Serialize;

use crate::constraints;
use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::plans;
use crate::prediction::{self, Expected};
use crate::session::Session;
use crate::workload;

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The test's id, or a class or file
    #[arg(value_name = "TEST")]
    test: String,
    /// The plan to look in [default: the one kept for the CI's run]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Score a test that has failed by this many of the newest recorded runs
    #[arg(long, value_name = "N", default_value_t = 100)]
    history_runs: usize,
    #[command(flatten)]
    constraints: constraints::Sources,
}

/// `rasher.explain/1`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    tests: Vec<Explained>,
    plan: Option<PlanBinds>,
}

/// One test.
#[derive(Debug, Serialize)]
struct Explained {
    test: String,
    estimate_ms: Micros,
    upper_ms: Micros,
    source: Source,
    group: Option<String>,
    /// What each shard pays that runs a test of the group.
    group_setup_ms: Option<Micros>,
    history: Option<Past>,
    /// Absent where the test never failed.
    flake: Option<Flake>,
    constraints: Vec<Bond>,
    place: Option<Place>,
}

/// What history holds of a test.
#[derive(Debug, Serialize)]
struct Past {
    passes: u32,
    failures: u32,
    skips: u32,
    last_outcome: Option<&'static str>,
    last_seen_at: Option<Timestamp>,
    measured_at: Option<Timestamp>,
    recent_ms: Vec<Micros>,
}

/// How flaky a test is thought to be.
#[derive(Debug, Serialize)]
struct Flake {
    score: f32,
    p_flaky: f32,
    p_broken: f32,
    flagged: bool,
    failures: u32,
    runs: u32,
    last_runs: String,
}

/// Where a plan puts a test.
#[derive(Debug, Serialize)]
struct Place {
    plan: String,
    #[serde(flatten)]
    at: Explanation,
    bound_by: BoundBy,
    /// When the shortest other shard would be done if it took over what stands together here.
    elsewhere: Option<Elsewhere>,
}

/// What the run would be if the test, with what stands together with it, stood elsewhere.
#[derive(Debug, Serialize)]
struct Elsewhere {
    shard: u32,
    shard_ms: Micros,
    makespan_ms: Micros,
}

/// What binds the plan as a whole.
#[derive(Debug, Serialize)]
struct PlanBinds {
    id: String,
    makespan_ms: Micros,
    lower_bound_ms: Micros,
    gap: f64,
    bound_by: BoundBy,
    workers: usize,
    useful_workers_max: Option<u32>,
    reasons: Option<Reasons>,
}

impl From<TestHistory> for Past {
    fn from(known: TestHistory) -> Self {
        Self {
            passes: known.passes,
            failures: known.failures,
            skips: known.skips,
            last_outcome: known.last_outcome.map(|outcome| outcome.word()),
            last_seen_at: known.last_seen_at,
            measured_at: known.measured_at,
            recent_ms: known.recent,
        }
    }
}

impl From<&PlanDocument> for PlanBinds {
    fn from(plan: &PlanDocument) -> Self {
        Self {
            id: plan.id.clone(),
            makespan_ms: plan.makespan_ms,
            lower_bound_ms: plan.lower_bound_ms,
            gap: plan.gap,
            bound_by: plan.bound_by.clone(),
            workers: plan.shards.len(),
            useful_workers_max: plan.useful_workers_max,
            reasons: plan.reasons.clone(),
        }
    }
}

/// Explains.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let history = session.history()?;
    let plan = plans::given_or_kept(session, flags.plan.as_deref(), session.ci.run.as_deref())?;
    let tests = asked(flags, session, &history, plan.as_ref())?;
    // By the estimator that the plan was made by, or would be.
    let workers = plan.as_ref().map(|plan| plan.shards.len() as u32);
    let expected = prediction::expect(session, &history, &tests, workers);
    let estimates = &expected.estimates;
    let spec = constraints::spec(&flags.constraints, session)?;
    let failed = |name: &str| history.test(name).is_some_and(|known| known.failures > 0);
    let any_failed = tests.ids().any(|test| failed(tests.name(test)));
    let scores =
        any_failed.then(|| evidence::scores_or_none(session, Some(flags.history_runs), &[]));
    let explained = tests.ids().map(|test| {
        let name = tests.name(test);
        let group = tests.group(test);
        let group_name = group.map(|group| tests.group_name(group));
        Explained {
            test: name.to_owned(),
            estimate_ms: estimates.mean[test.index()],
            upper_ms: estimates.upper[test.index()],
            source: estimates.source[test.index()],
            group: group_name.map(str::to_owned),
            group_setup_ms: group.map(|group| estimates.setup[group.index()]),
            history: history.test(name).map(Past::from),
            flake: scores.as_ref().filter(|_| failed(name)).and_then(|it| flake(it, name)),
            constraints: spec.bonds(name, group_name),
            place: plan.as_ref().and_then(|plan| place(plan, (&tests, test), &history, &expected)),
        }
    });
    let document = Document {
        schema: "rasher.explain/1",
        tests: explained.collect(),
        plan: plan.as_ref().map(PlanBinds::from),
    };
    session.output.show(&document, show::people)?;
    Ok(Exit::DONE)
}

/// The tests that the name stands for.
fn asked(
    flags: &Flags,
    session: &Session,
    history: &History,
    plan: Option<&PlanDocument>,
) -> Result<TestTable, Fault> {
    let list = workload::of_list(std::slice::from_ref(&flags.test), history, &TestTable::new());
    if list.new == 0 {
        return Ok(list.tests);
    }
    // What history does not know, a plan may: a new test, or a class of new ones.
    let mut planned = TestTable::new();
    for shard in plan.iter().flat_map(|plan| &plan.shards) {
        let mut tests = shard.tests.iter();
        for span in &shard.groups {
            for test in tests.by_ref().take(span.tests) {
                if *test == flags.test || span.group == flags.test {
                    planned.intern(test, (span.group != *test).then_some(&span.group));
                }
            }
        }
        for test in tests.filter(|test| **test == flags.test) {
            planned.intern(test, None);
        }
    }
    if planned.is_empty() { Err(unknown(&flags.test, history, plan, session)) } else { Ok(planned) }
}

/// The fault for a name that nobody knows, with those that are near it.
fn unknown(test: &str, history: &History, plan: Option<&PlanDocument>, session: &Session) -> Fault {
    const SHOWN: usize = 3;
    let environment = &session.environment;
    let what = match plan {
        Some(_) => {
            format!("neither history of environment `{environment}` nor the plan knows `{test}`")
        }
        None => format!("history of environment `{environment}` does not know `{test}`"),
    };
    let planned = plan.iter().flat_map(|plan| &plan.shards).flat_map(|shard| &shard.tests);
    let known = history.tests().iter().chain(history.groups().iter());
    let mut near: Vec<(u32, &str)> = known
        .chain(planned.map(String::as_str))
        .map(|name| (nearness(test, name), name))
        .filter(|(score, _)| *score > 800)
        .collect();
    near.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.dedup();
    let names: Vec<String> = near.iter().take(SHOWN).map(|(_, name)| format!("`{name}`")).collect();
    Fault::usage(what).hint(match names.as_slice() {
        [] => "ids are written as `rasher shard` prints them".to_owned(),
        [one] => format!("did you mean {one}?"),
        [head @ .., last] => format!("did you mean {} or {last}?", head.join(", ")),
    })
}

/// How near a name is to what was asked, in thousandths; a part of a name is very near.
fn nearness(asked: &str, name: &str) -> u32 {
    if !asked.is_empty() && name.to_lowercase().contains(&asked.to_lowercase()) {
        return 1_000;
    }
    (strsim::jaro_winkler(asked, name) * 1_000.0) as u32
}

fn flake(scores: &Scores, name: &str) -> Option<Flake> {
    let (score, strip) = (scores.score(name)?, scores.strip(name));
    let short = |value: f32| (value * 1e4).round() / 1e4;
    Some(Flake {
        score: short(score.rate),
        p_flaky: short(score.p_flaky),
        p_broken: short(score.p_broken),
        flagged: score.flagged,
        failures: strip.failures,
        runs: strip.runs,
        last_runs: strip.text(40),
    })
}

fn place(
    plan: &PlanDocument,
    (tests, test): (&TestTable, TestId),
    history: &History,
    expected: &Expected,
) -> Option<Place> {
    let at = plan.explain(tests.name(test))?;
    let chunk = chunk(plan, &at, (tests, test), history, expected);
    let others = plan.shards.iter().filter(|shard| shard.index != at.shard);
    // With pools and lanes a move means more than a sum.
    let plain = others.clone().all(|shard| shard.pool.is_none() && shard.lanes.is_empty());
    let shortest = others.clone().min_by_key(|shard| (shard.predicted_ms, shard.index));
    let elsewhere = shortest.filter(|_| plain).map(|shard| {
        let shard_ms = shard.predicted_ms + chunk;
        let rest = others.map(|shard| shard.predicted_ms).max().unwrap_or_default();
        let left = at.shard_predicted_ms - chunk;
        Elsewhere { shard: shard.index, shard_ms, makespan_ms: shard_ms.max(rest).max(left) }
    });
    Some(Place { plan: plan.id.clone(), bound_by: plan.bound_by.clone(), elsewhere, at })
}

/// What would move with a test: the tests of its class on its shard, and their set-up.
fn chunk(
    plan: &PlanDocument,
    at: &Explanation,
    (tests, test): (&TestTable, TestId),
    history: &History,
    expected: &Expected,
) -> Micros {
    let (Some(group), Some(name)) = (tests.group(test), &at.group) else {
        return expected.estimates.mean[test.index()];
    };
    let shard = plan.shards.iter().find(|shard| shard.index == at.shard);
    let mut here = TestTable::new();
    let mut from = 0;
    for span in shard.iter().flat_map(|shard| &shard.groups) {
        let own = shard.and_then(|shard| shard.tests.get(from..from + span.tests));
        for test in own.unwrap_or_default().iter().filter(|_| span.group == *name) {
            here.intern(test, Some(name));
        }
        from += span.tests;
    }
    let work: Micros = expected.of(history, &here).mean.into_iter().sum();
    work + expected.estimates.setup[group.index()]
}
