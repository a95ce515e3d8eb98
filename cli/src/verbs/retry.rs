//! `rasher retry`: from stored results to the next, smaller plan.

use std::path::PathBuf;

use rasher::attempt::Isolation;
use rasher::estimate::{Estimates, estimate};
use rasher::history::History;
use rasher::plan::PlanFacts;
use rasher::plan::document::{BoundBy, BoundKind, BudgetDocument, PlanDocument, SourceCounts};
use rasher::retry::{Demands, Planned, RetryLimits, RetryOptions, RetrySet, cases, outstanding};
use rasher::test_id::{TestSet, TestTable};
use rasher::units::Micros;

use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, to_json};
use crate::session::Session;
use crate::verbs::plan;
use crate::verbs::verdict::share;
use crate::verbs::verify::{self, Results};
use crate::workload::Workload;

/// Options of `retry`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The plan; give it again for each retry [default: the one kept for the CI's run]
    #[arg(long, value_name = "FILE")]
    plan: Vec<PathBuf>,
    /// Reports of the run: files, folders, patterns; those of a later attempt as `2=PATH`
    #[arg(long, required = true, value_name = "[ATTEMPT=]PATH")]
    results: Vec<Results>,
    /// `reshard` spreads what is outstanding anew; `replay` runs its shards again as planned, with
    /// the tests that ran before it
    #[arg(long, value_name = "MODE", default_value = "reshard")]
    mode: Mode,
    /// How many workers for a reshard [default: so many that it takes no longer than the plan]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    shards: Option<u32>,
    /// The time a reshard may take; chooses the workers [default: what the plan's budget keeps for
    /// retries, less the start-up]
    #[arg(long, value_name = "DURATION", conflicts_with = "shards")]
    deadline: Option<Micros>,
    /// Retry at most this many tests
    #[arg(long, value_name = "N")]
    max_tests: Option<usize>,
    /// Retry at most this share of the planned tests
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_share: Option<f64>,
    /// Retry at most this much test time, summed over workers
    #[arg(long, value_name = "DURATION")]
    max_time: Option<Micros>,
    /// Attempts of one test at most, the first included
    #[arg(long, value_name = "N", default_value_t = 15,
        value_parser = clap::value_parser!(u32).range(1..))]
    max_attempts: u32,
    /// Pairs of a test and one that must run before it, a tab between, one pair a line
    #[arg(long, value_name = "FILE")]
    needs: Option<PathBuf>,
    /// A class that runs whole or not at all: ordered or stateful
    #[arg(long, value_name = "CLASS")]
    whole: Vec<String>,
    /// Score tests by this many of the newest recorded runs
    #[arg(long, value_name = "N", default_value_t = 200)]
    history_runs: usize,
    /// Write the plan to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a retry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Reshard,
    Replay,
}

/// Plans the retry.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let plans = verify::read_plans(&flags.plan, session)?;
    let given = evidence::read(session, &plans, &flags.results)?;
    for fault in &given.failures {
        session.output.warn(&fault.what());
    }
    let judged = plans.iter().find_map(|plan| plan.run.as_deref());
    let scores = evidence::scores_or_none(session, flags.history_runs, judged);
    let history = session.history().unwrap_or_else(|fault| {
        session.output.warn(&format!("history cannot be used: {}", fault.what()));
        History::new(&*session.environment)
    });
    let planned = Planned::new(&given.plans);
    let estimates = estimate(&history, planned.tests());
    let demands = demands(flags, &planned)?;
    let cases = cases(&planned, &given.outcomes);
    let costs = (&demands, estimates.mean.as_slice());
    let set = outstanding(&planned, &cases, &scores, costs, &options(flags));
    let last = given.plans.last().ok_or_else(|| Fault::usage("no plan was given"))?;
    let document = match flags.mode {
        Mode::Reshard => reshard(flags, (&planned, &set), last, &history)?,
        Mode::Replay => replay((&planned, &set), &given.plans, last),
    };
    if let Some(path) = &flags.out {
        files::write(path, to_json(&document)?.as_bytes())?;
    }
    say(session, &set);
    session.output.show(&document, people)?;
    Ok(Exit::DONE)
}

fn options(flags: &Flags) -> RetryOptions {
    let limits = RetryLimits::default();
    let isolation = match flags.mode {
        Mode::Reshard => Isolation::FreshWorker,
        Mode::Replay => Isolation::Replay,
    };
    let mut options = RetryOptions {
        limits: RetryLimits {
            tests_max: flags.max_tests.unwrap_or(limits.tests_max),
            share_max: flags.max_share.unwrap_or(limits.share_max),
            time_max: flags.max_time.unwrap_or(limits.time_max),
        },
        isolation,
        ..RetryOptions::default()
    };
    options.doubt.attempts_max = flags.max_attempts;
    options
}

/// What the caller says retries demand.
fn demands(flags: &Flags, planned: &Planned) -> Result<Demands, Fault> {
    let mut demands = Demands { needs: Vec::new(), whole: flags.whole.clone() };
    let Some(path) = &flags.needs else { return Ok(demands) };
    let bytes = files::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}:{}", path.display(), number + 1);
        let Some((test, first)) = line.split_once('\t') else {
            return Err(Fault::usage("no tab between a test and what it needs").at(place()));
        };
        let find = |name: &str| {
            let unknown = || Fault::usage(format!("`{name}` is not in the plan")).at(place());
            planned.tests().find(name).ok_or_else(unknown)
        };
        demands.needs.push((find(test)?, find(first)?));
    }
    Ok(demands)
}

/// The outstanding tests as a workload of their own.
fn reshard(
    flags: &Flags,
    (planned, set): (&Planned, &RetrySet),
    last: &PlanDocument,
    history: &History,
) -> Result<PlanDocument, Fault> {
    let mut tests = TestTable::new();
    for test in &set.tests {
        let group = planned.tests().group(*test).map(|group| planned.tests().group_name(group));
        tests.intern(planned.tests().name(*test), group);
    }
    let (tests, _) = tests.sorted();
    let estimates = estimate(history, &tests);
    let workload = Workload { tests, ..Workload::default() };
    let facts = || PlanFacts {
        run: last.run.clone(),
        created: last.created,
        environment: last.environment.clone(),
        ..PlanFacts::default()
    };
    let most = (workload.tests.len() as u32).max(1);
    let deadline = flags.deadline.or_else(|| kept_for_retries(last));
    let guess = || first_guess(deadline, last, &estimates);
    let mut shards = flags.shards.unwrap_or_else(guess).max(1);
    if flags.shards.is_none() {
        shards = shards.min(most);
    }
    let mut document = plan::document(&workload, &estimates, shards, facts())?;
    let deadline = deadline.filter(|_| flags.shards.is_none());
    while let Some(deadline) = deadline
        && document.makespan_ms > deadline
        && shards < most.min(document.useful_workers_max.unwrap_or(most))
    {
        shards += 1;
        document = plan::document(&workload, &estimates, shards, facts())?;
    }
    if flags.shards.is_none() {
        note_budget(&mut document, deadline, flags.deadline.is_some());
    }
    document.retry_of = Some(last.id.clone());
    document.settled = Some(set.settled.clone());
    document.seal();
    Ok(document)
}

/// What the plan's budget keeps for retries, once a worker is up.
fn kept_for_retries(plan: &PlanDocument) -> Option<Micros> {
    let kept = plan.budget.retry_ms? - plan.budget.startup_ms;
    Some(kept).filter(|kept| !kept.is_zero())
}

fn note_budget(document: &mut PlanDocument, deadline: Option<Micros>, asked: bool) {
    let budget = &mut document.budget;
    budget.rule = match deadline {
        Some(_) if asked => "--deadline",
        Some(_) => "retry-share",
        None => "retry",
    }
    .to_owned();
    budget.deadline_ms = deadline;
    budget.feasible = deadline.is_none_or(|deadline| document.makespan_ms <= deadline);
    budget.why = match deadline {
        Some(_) => "the fewest workers that meet the deadline, as far as workers can help",
        None => "so many workers that the retry takes no longer than the plan it retries",
    }
    .to_owned();
}

/// Work over the time it may take; one worker where nothing is known.
fn first_guess(deadline: Option<Micros>, last: &PlanDocument, estimates: &Estimates) -> u32 {
    let work: Micros = estimates.mean.iter().chain(&estimates.setup).copied().sum();
    let time = deadline.unwrap_or(last.makespan_ms).get().max(1);
    let workers = u32::try_from(work.get().div_ceil(time)).unwrap_or(u32::MAX);
    let planned = (last.shards.len() as u32).max(1);
    if deadline.is_some() { workers } else { workers.min(planned) }
}

/// The shards that hold an outstanding test, as their plan had them; the others stay, empty.
fn replay(
    (planned, set): (&Planned, &RetrySet),
    plans: &[PlanDocument],
    last: &PlanDocument,
) -> PlanDocument {
    let mut wanted = TestSet::with_len(planned.tests().len());
    for test in &set.tests {
        wanted.insert(*test);
    }
    let first = plans.first().unwrap_or(last);
    let mut document = first.clone();
    let mut kept = TestSet::with_len(planned.tests().len());
    for shard in &mut document.shards {
        let ids = || shard.tests.iter().filter_map(|name| planned.tests().find(name));
        if ids().any(|test| wanted.contains(test)) {
            ids().collect::<Vec<_>>().into_iter().for_each(|test| {
                kept.insert(test);
            });
        } else {
            shard.tests.clear();
            shard.groups.clear();
            shard.fixed_tests = None;
            (shard.predicted_ms, shard.setup_ms) = (Micros::ZERO, Micros::ZERO);
        }
    }
    document.tests = document.shards.iter().map(|shard| shard.tests.len()).sum();
    let longest = document.shards.iter().map(|shard| shard.predicted_ms).max().unwrap_or_default();
    (document.makespan_ms, document.lower_bound_ms, document.gap) = (longest, longest, 0.0);
    document.bound_by =
        BoundBy { kind: BoundKind::Work, name: "shards run again as they were".to_owned() };
    document.useful_workers_max = None;
    (document.sources, document.reasons) = (SourceCounts::default(), None);
    document.budget = BudgetDocument {
        rule: "replay".to_owned(),
        predicted_finish_ms: longest,
        workers: document.shards.len() as u32,
        feasible: true,
        why: "the shards with outstanding tests, as planned".to_owned(),
        ..BudgetDocument::default()
    };
    let unkept = |it: &&rasher::plan::document::Settled| {
        planned.tests().find(&it.test).is_none_or(|test| !kept.contains(test))
    };
    (document.new_tests, document.vanished_tests, document.moved) = (0, 0, None);
    document.retry_of = Some(last.id.clone());
    document.settled = Some(set.settled.iter().filter(unkept).cloned().collect());
    document.seal();
    document
}

fn say(session: &Session, set: &RetrySet) {
    if set.tests.is_empty() && set.over_limit == 0 {
        session.output.say("nothing to do: every planned test is settled");
        return;
    }
    if set.demanded > 0 {
        let demanded = count(set.demanded, "test");
        session.output.say(&format!("{demanded} run again because others demand them"));
    }
    if set.over_limit > 0 {
        session.output.warn(&format!(
            "{} stay outstanding: the limit of this retry leaves them out",
            count(set.over_limit, "test")
        ));
    }
}

fn people(document: &PlanDocument) -> String {
    let mut text = plan::people(document);
    let settled = document.settled.as_deref().unwrap_or_default();
    let passed = settled.iter().filter(|it| it.reason == "passed").count();
    text += &format!("\n{} settled: {passed} passed\n", count(settled.len(), "test"));
    for it in settled.iter().filter(|it| it.reason != "passed").take(20) {
        text += &format!("  {}: {}\n", it.test.escape_debug(), it.reason);
    }
    text
}
