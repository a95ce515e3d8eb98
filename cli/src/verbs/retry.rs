//! `rasher retry`: from stored results to the next, smaller plan.

use std::path::PathBuf;

use rasher::attempt::Isolation;
use rasher::estimate::estimate;
use rasher::history::History;
use rasher::plan::document::PlanDocument;
use rasher::retry::{
    Again, Demands, Planned, RetryLimits, RetryOptions, RetrySet, cases, outstanding,
};
use rasher::units::Micros;

use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, to_json};
use crate::session::Session;
use crate::verbs::plan;
use crate::verbs::verdict::share;
use crate::verbs::verify::{self, Results};

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
    let again = match flags.mode {
        Mode::Reshard => Again::Reshard { shards: flags.shards, deadline: flags.deadline },
        Mode::Replay => Again::Replay,
    };
    let document = set
        .plan(&planned, &given.plans, &history, again)
        .map_err(|e| Fault::usage(e.to_string()))?
        .ok_or_else(|| Fault::usage("no plan was given"))?;
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
