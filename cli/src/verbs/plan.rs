//! `rasher plan`: history and a list of tests to balanced shards.

use std::path::PathBuf;

use jiff::Timestamp;
use rasher::budget::Situation;
use rasher::error::ErrorKind;
use rasher::estimate::Estimates;
use rasher::history::{History, RunSeen};
use rasher::plan::document::{BoundKind, BudgetDocument, PlanDocument, SourceCounts};
use rasher::plan::{PlanFacts, PlanOptions, SHARDS_MAX, Terms, Workload as Costs, plan};
use rasher::test_id::{TestSet, TestTable};

use crate::budgets::{self, Demand};
use crate::calendar;
use crate::constraints;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::fleet::{self, Fleet, PoolAsked};
use crate::output::{count, span, table, thousands, to_json};
use crate::plans;
use crate::policy::Settings;
use crate::prediction;
use crate::session::Session;
use crate::workload::{self, Workload};

/// Options of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The tests to plan, one a line or a JSON list; `-` is stdin. A line may name a class or file
    /// [default: the tests of the newest recorded run]
    #[arg(long, value_name = "FILE")]
    tests: Option<PathBuf>,
    /// How many workers [default: the CI's]
    #[arg(long, value_name = "N", conflicts_with_all = ["deadline", "max_cost", "policy"],
        value_parser = clap::value_parser!(u32).range(1..=i64::from(SHARDS_MAX)))]
    shards: Option<u32>,
    /// So many workers of a pool of rasher.toml, such as `spot=20`; may be repeated. Shards are
    /// then planned by the pools' speed, start-up and tags
    #[arg(long = "pool", value_name = "NAME=N",
        conflicts_with_all = ["shards", "deadline", "max_cost", "policy"])]
    pools: Vec<PoolAsked>,
    #[command(flatten)]
    budget: budgets::Flags,
    /// The run the plan is for; it is kept in the store under this name [default: the CI's]
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// For no run, also in CI: the plan is not kept in the store
    #[arg(long, conflicts_with = "run")]
    no_run: bool,
    /// The branch [default: the CI's]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The instant the plan speaks for, as RFC 3339 [default: that of the newest evidence]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Write the plan to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan anew in a later attempt at a run that has a plan
    #[arg(long)]
    replan: bool,
    /// Plan nothing: print which rule applies in each hour of this year, for a run of this branch,
    /// trigger and these labels
    #[arg(long, value_name = "YEAR", requires = "policy")]
    calendar: Option<i16>,
    #[command(flatten)]
    shape: constraints::Shape,
}

/// Plans.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    if let Some(year) = flags.calendar {
        return show_year(flags, session, year);
    }
    let ci = session.ci.run.clone().filter(|_| !flags.no_run);
    let run = session.settle("--run", flags.run.clone(), ci);
    let document = match kept(flags, session, run.as_deref())? {
        Some(kept) => kept,
        None => make(flags, session, run.clone())?,
    };
    if let Some(path) = &flags.out {
        files::write(path, to_json(&document)?.as_bytes())?;
    }
    if let Some(run) = &run
        && let Err(fault) = plans::keep(session, run, &document)
    {
        session.output.warn(&format!("the plan is not kept for retried workers: {}", fault.what()));
    }
    session.output.show(&document, people)?;
    if document.budget.feasible {
        return Ok(Exit::DONE);
    }
    session.output.warn(&format!("the budget cannot be met: {}", document.budget.why));
    Ok(ErrorKind::Budget.into())
}

fn show_year(flags: &Flags, session: &Session, year: i16) -> Result<Exit, Fault> {
    let settings = Settings::read(session.config.as_ref())?;
    let branch = session.settle("--branch", flags.branch.clone(), session.ci.branch.clone());
    let now = Situation {
        branch: branch.as_deref(),
        trigger: flags.budget.trigger,
        labels: &flags.budget.labels,
        at: Timestamp::default(),
    };
    let document = calendar::year(&settings.policy, &now, year)?;
    session.output.show(&document, calendar::people)?;
    Ok(Exit::DONE)
}

/// In a later attempt the plan of the first one stands: a worker that is tried again must find its
/// shard as it was.
fn kept(
    flags: &Flags,
    session: &Session,
    run: Option<&str>,
) -> Result<Option<PlanDocument>, Fault> {
    let again = session.ci.attempt.is_some_and(|attempt| attempt > 1);
    let Some(run) = run.filter(|_| again && !flags.replan) else { return Ok(None) };
    let kept = plans::kept(session, run)?;
    if kept.is_some() {
        session.output.say(&format!(
            "this is a later attempt at run {run}: its plan stands (--replan makes a new one)"
        ));
    }
    Ok(kept)
}

fn make(flags: &Flags, session: &Session, run: Option<String>) -> Result<PlanDocument, Fault> {
    let settings = Settings::read(session.config.as_ref())?;
    let workers = workers(flags, session, &settings)?;
    let branch = session.settle("--branch", flags.branch.clone(), session.ci.branch.clone());
    let (history, newest) = evidence(flags, session, branch.as_deref())?;
    let workload = workload(flags, session, &history, newest.as_ref())?;
    let expected = prediction::expect(session, &history, &workload.tests, workers.count());
    if flags.budget.explain_budget {
        expected.explain(session);
    }
    let estimates = expected.estimates;
    let created = flags.at.or(newest.map(|(run, _)| run.at)).unwrap_or_default();
    let facts = PlanFacts {
        run,
        created,
        environment: session.environment.clone(),
        new_tests: workload.new,
        vanished_tests: workload.vanished,
        ..PlanFacts::default()
    };
    let failed = constraints::failed(&flags.shape, &history, &workload.tests);
    let (base, said) = constraints::options(&flags.shape, session, &workload.tests)?;
    let (shards, pools, decided) = match &workers {
        Workers::Equal(shards) => (*shards, Vec::new(), None),
        Workers::Fleet(fleet) => (0, fleet::specs(fleet), None),
        Workers::Budget => {
            let branch = branch.as_deref();
            let ruled = flags.budget.settle(session, &settings, (branch, flags.at))?;
            let (tests, estimates) = (&workload.tests, &estimates);
            let idle = flags.budget.idle;
            let demand = Demand { tests, estimates, branch, options: &base, idle };
            let found = budgets::decide(session, &settings, &ruled, &demand)?;
            (found.sizing.workers.max(1), found.pools, Some(found.document))
        }
    };
    if pools.is_empty() && settings.pools_named && !base.constraints.tags.is_empty() {
        session.output.warn("tags mean nothing on equal workers: name pools, `--pool NAME=N`");
    }
    let mut options = base;
    (options.shards, options.pools) = (shards, pools);
    let facts = PlanFacts { terms: Terms::new(said, &options), ..facts };
    let mut document = shaped(&workload, &estimates, (&options, &failed), facts)?;
    let asked = match &workers {
        Workers::Fleet(fleet) => Some(fleet::budget(fleet, &document, &settings)),
        _ => decided,
    };
    if let Some(budget) = asked {
        document.budget = budget;
        document.seal();
    }
    say(session, &workload, &document);
    Ok(document)
}

/// What a plan is made for.
enum Workers {
    /// So many equal workers.
    Equal(u32),
    /// So many of each pool.
    Fleet(Fleet),
    /// What a budget decides.
    Budget,
}

impl Workers {
    /// How many were asked for, where that is known before a plan is made.
    fn count(&self) -> Option<u32> {
        match self {
            Self::Equal(shards) => Some(*shards),
            Self::Fleet(fleet) => Some(fleet::specs(fleet).iter().map(|pool| pool.workers).sum()),
            Self::Budget => None,
        }
    }
}

/// The workers that were asked for.
fn workers(flags: &Flags, session: &Session, settings: &Settings) -> Result<Workers, Fault> {
    if !flags.pools.is_empty() {
        return fleet::named(&flags.pools, settings).map(Workers::Fleet);
    }
    if flags.shards.is_none() && flags.budget.asked() {
        return Ok(Workers::Budget);
    }
    let total = session.ci.node.map(|node| node.total);
    let shards = session.settle("--shards", flags.shards, total);
    if shards.is_none() && settings.policy.rules().is_empty() {
        return Err(Fault::usage("how many workers?").hint(
            "say `--shards N` or `--deadline 30m`, or write rules in rasher.toml; no CI variable tells it",
        ));
    }
    Ok(shards.map_or(Workers::Budget, Workers::Equal))
}

/// The newest run and its tests.
type Newest = Option<(RunSeen, TestTable)>;

/// What history knows. Where a list of tests is given, a store that cannot be read costs the
/// balance, never the run.
fn evidence(
    flags: &Flags,
    session: &Session,
    branch: Option<&str>,
) -> Result<(History, Newest), Fault> {
    let read = || -> Result<(History, Newest), Fault> {
        let store = session.open_store()?;
        let history = session.history()?;
        let newest = workload::newest_run(session, &store, &history, branch)?;
        Ok((history, newest))
    };
    match read() {
        Err(fault) if flags.tests.is_some() => {
            session.output.warn(&format!("history cannot be used: {}", fault.what()));
            Ok((History::new(&*session.environment), None))
        }
        other => other,
    }
}

fn workload(
    flags: &Flags,
    session: &Session,
    history: &History,
    newest: Option<&(RunSeen, TestTable)>,
) -> Result<Workload, Fault> {
    if let Some(path) = &flags.tests {
        let list = workload::parse_list(&files::read(path)?, &path.display().to_string())?;
        let none = TestTable::new();
        let tests = newest.map_or(&none, |(_, tests)| tests);
        return Ok(workload::of_list(&list, history, tests));
    }
    let Some((run, tests)) = newest else {
        let what = format!(
            "there is nothing to plan: `{}` has no recorded run of environment `{}`",
            session.store.display(),
            session.environment
        );
        return Err(Fault::usage(what).hint(
            "record a report first (`rasher record PATH`), or list the tests (`--tests FILE`)",
        ));
    };
    let say = format!("planning the tests of the newest run, {} of {}", run.run, run.at);
    session.output.say(&say);
    Ok(workload::of_newest(history, tests))
}

/// The plan of a workload on equal workers, as a document.
pub(crate) fn document(
    workload: &Workload,
    estimates: &Estimates,
    shards: u32,
    facts: PlanFacts,
) -> Result<PlanDocument, Fault> {
    let options = PlanOptions::new(shards);
    shaped(workload, estimates, (&options, &TestSet::default()), facts)
}

/// The plan of a workload under options, knowing which tests failed lately.
pub(crate) fn shaped(
    workload: &Workload,
    estimates: &Estimates,
    (options, failed): (&PlanOptions, &TestSet),
    facts: PlanFacts,
) -> Result<PlanDocument, Fault> {
    let wrong = |e: rasher::plan::PlanError| Fault::usage(e.to_string());
    let costs = Costs::new(&workload.tests, &estimates.mean, &estimates.upper, &estimates.setup)
        .map_err(wrong)?
        .with_failed(failed);
    let plan = plan(&costs, options).map_err(wrong)?;
    let budget = BudgetDocument {
        rule: "--shards".to_owned(),
        predicted_finish_ms: plan.makespan,
        workers: plan.shards.len() as u32,
        feasible: true,
        why: format!("{} were asked for", count(plan.shards.len(), "worker")),
        ..BudgetDocument::default()
    };
    let (sources, reasons) = (estimates.sources(), Some(plan.reasons(&costs)));
    Ok(plan.document(&costs, PlanFacts { sources, reasons, budget, ..facts }))
}

fn say(session: &Session, workload: &Workload, plan: &PlanDocument) {
    let output = session.output;
    let sources = &plan.sources;
    let known = plan.tests - sources.default;
    if known == 0 {
        output.warn(&format!(
            "nothing is known of any test: {} are split evenly; record a run to balance the next",
            count(plan.tests, "test")
        ));
    }
    if workload.repeated > 0 {
        let lines = count(workload.repeated, "line");
        output.say(&format!("{lines} of the list named what was listed already; planned once"));
    }
    if workload.new > 0 && known > 0 {
        output.say(&format!("{} unknown to history", count(workload.new, "new test")));
    }
    if let Some(moved) = plan.moved {
        let moved = count(moved, "test");
        output.say(&format!("{moved} on another shard than in the earlier plan"));
    }
    if workload.vanished > 0 {
        let vanished = count(workload.vanished, "test");
        output.say(&format!("{vanished} of the newest run are no longer in the list"));
    }
    let empty = plan.shards.iter().filter(|shard| shard.tests.is_empty()).count();
    if empty > 0 {
        let most = plan
            .useful_workers_max
            .map_or(String::new(), |most| format!("; more than {most} cannot help"));
        output.say(&format!("{} without tests{most}", count(empty, "shard")));
    }
}

/// The plan in a screenful.
pub(crate) fn people(plan: &PlanDocument) -> String {
    let sources = &plan.sources;
    let mut lines = vec![
        format!(
            "{} on {}, plan {}",
            count(plan.tests, "test"),
            count(plan.shards.len(), "shard"),
            plan.id
        ),
        format!(
            "longest shard {}, no plan can be shorter than {} (gap {:.4} %)",
            span(plan.makespan_ms),
            span(plan.lower_bound_ms),
            plan.gap * 100.0
        ),
        format!("bound by {}", bound(plan)),
    ];
    if plan.budget.deadline_ms.is_some() || plan.budget.cost.is_some() {
        lines.push(budget_line(&plan.budget));
    }
    if let Some(most) = plan.useful_workers_max {
        lines.push(format!("more than {} cannot help", count(most as usize, "worker")));
    }
    lines.push(known(sources, plan.tests));
    lines.join("\n") + "\n\n" + &shard_table(plan)
}

/// Where the durations come from, in a line.
fn known(sources: &SourceCounts, tests: usize) -> String {
    let mut line =
        format!("{} of {} have history", thousands(sources.own as u64), count(tests, "test"));
    for (what, number) in [("renamed", sources.renamed), ("from elsewhere", sources.borrowed)] {
        if number > 0 {
            line += &format!("; {what} {}", thousands(number as u64));
        }
    }
    line + &format!(
        "; by class {}, by suite {}, unknown {}",
        thousands(sources.group as u64),
        thousands(sources.suite as u64),
        thousands(sources.default as u64),
    )
}

/// The budget in a line.
fn budget_line(budget: &BudgetDocument) -> String {
    let mut line = format!(
        "budget {}: {}, done after {}",
        budget.rule,
        count(budget.workers as usize, "worker"),
        span(budget.predicted_finish_ms)
    );
    if let Some(deadline) = budget.deadline_ms {
        line += &format!(" of {}", span(deadline));
    }
    if let Some(p) = budget.p_meet {
        line += &format!(", {:.0} % sure", p * 100.0);
    }
    if let Some(cost) = budget.cost {
        line += &format!(", costs {cost:.2} {}", budget.currency.as_deref().unwrap_or(""));
    }
    format!("{}; {}", line.trim_end(), budget.why)
}

/// What holds the bound up, in words.
pub(crate) fn bound(plan: &PlanDocument) -> String {
    let kind = match plan.bound_by.kind {
        BoundKind::Work => "the work",
        BoundKind::Test => "the test",
        BoundKind::Class => "the class",
        BoundKind::Resource => "the resource",
        BoundKind::Serial => "the serial tests",
        BoundKind::Path => "the path",
        BoundKind::Pool => "the pool",
        _ => "",
    };
    format!("{kind}: {}", plan.bound_by.name)
}

/// All shards where they are few, else the longest and the shortest.
fn shard_table(plan: &PlanDocument) -> String {
    const FEW: usize = 16;
    const ENDS: usize = 4;
    let row = |shard: &rasher::plan::document::ShardDocument| {
        [
            shard.index.to_string(),
            span(shard.predicted_ms),
            span(shard.setup_ms),
            thousands(shard.tests.len() as u64),
            shard.pool.clone().unwrap_or_default(),
        ]
    };
    let pooled = plan.shards.iter().any(|shard| shard.pool.is_some());
    let header = ["shard", "predicted", "set-up", "tests", if pooled { "pool" } else { "" }];
    if plan.shards.len() <= FEW {
        return table(header, &[0, 1, 2, 3], plan.shards.iter().map(row));
    }
    let mut order: Vec<_> = plan.shards.iter().collect();
    order.sort_by_key(|shard| std::cmp::Reverse(shard.predicted_ms));
    let (first, last) = (&order[..ENDS], &order[order.len() - ENDS..]);
    let dots = ["…", "…", "…", "…", ""].map(str::to_owned);
    let rows = first.iter().map(|s| row(s)).chain([dots]).chain(last.iter().map(|s| row(s)));
    table(header, &[0, 1, 2, 3], rows)
}
