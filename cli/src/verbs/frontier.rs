//! `rasher frontier`: workers against finish and cost, over the whole range.

use std::path::PathBuf;

use jiff::Timestamp;
use rasher::budget::{Bounds, Frontier, FrontierPoint, Money, Pool, frontier};
use rasher::estimate::Estimates;
use rasher::plan::document::BoundBy;
use rasher::plan::{PlanOptions, Workload as Costs, plan};
use rasher::units::Micros;
use serde::Serialize;

use crate::budgets::{self, Demand};
use crate::clock::Stopwatch;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::frontier_picture;
use crate::output::{Output, count, span, table, to_json};
use crate::policy::Settings;
use crate::prediction;
use crate::session::Session;
use crate::workload;

/// Options of `frontier`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The largest number of workers to look at
    #[arg(long, value_name = "N", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    workers: u32,
    /// The pool of rasher.toml [default: the first that the budget allows]
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// The branch [default: the CI's]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The instant of the request, as RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    budget: budgets::Flags,
    /// Print comma-separated values instead of a table
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Draw into a file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    svg: Option<PathBuf>,
}

/// The schema that this version writes.
const SCHEMA: &str = "rasher.frontier/1";

/// `rasher.frontier/1`.
#[derive(Debug, Serialize)]
pub(crate) struct FrontierDocument {
    schema: &'static str,
    pub(crate) pool: String,
    pub(crate) points: Vec<PointDocument>,
    pub(crate) useful_workers_max: u32,
    pub(crate) bound_by: BoundBy,
    currency: Option<String>,
    /// What the budget chooses.
    pub(crate) chosen: Option<Chosen>,
}

/// One number of workers.
#[derive(Debug, Serialize)]
pub(crate) struct PointDocument {
    pub(crate) workers: u32,
    pub(crate) finish_ms: Micros,
    pub(crate) cost: Option<Money>,
    pub(crate) dominated: bool,
}

/// The workers that a budget chooses.
#[derive(Debug, Serialize)]
pub(crate) struct Chosen {
    pub(crate) rule: String,
    pub(crate) workers: u32,
    pub(crate) deadline_ms: Option<Micros>,
    feasible: bool,
    why: String,
}

/// Shows the frontier.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let settings = Settings::read(session.config.as_ref())?;
    let branch = session.settle("--branch", flags.branch.clone(), session.ci.branch.clone());
    let branch = branch.as_deref();
    let store = session.open_store()?;
    let history = session.history()?;
    let Some((_, names)) = workload::newest_run(session, &store, &history, branch)? else {
        let what = format!("`{}` has no recorded run to look at", session.store.display());
        return Err(Fault::usage(what).hint("record a report first: `rasher record PATH`"));
    };
    let tests = workload::of_newest(&history, &names).tests;
    let estimates = prediction::expect(session, &history, &tests, None).estimates;
    let options = PlanOptions::new(1);
    let demand = Demand {
        tests: &tests,
        estimates: &estimates,
        branch,
        options: &options,
        idle: flags.budget.idle,
    };
    let pool = pool(flags, &settings)?;
    let document = FrontierDocument {
        chosen: chosen(flags, session, &settings, &demand)?,
        ..document(
            (flags.workers, Some((session.output, flags.budget.explain_budget))),
            &settings,
            pool,
            &demand,
        )?
    };
    if let Some(path) = &flags.svg {
        let picture = frontier_picture::draw(&document)
            .map_err(|e| Fault::new(rasher::error::ErrorKind::Defect, e))?;
        files::write(path, picture.as_bytes())?;
    }
    if session.output.json() {
        session.output.data(&to_json(&document)?)?;
    } else if flags.csv {
        session.output.data(&csv(&document))?;
    } else {
        session.output.data(&people(&document))?;
    }
    Ok(Exit::DONE)
}

fn pool<'a>(flags: &Flags, settings: &'a Settings) -> Result<&'a Pool, Fault> {
    let named = |p: &&Pool| flags.pool.as_ref().is_none_or(|name| *name == p.name);
    settings.pools.iter().find(named).ok_or_else(|| {
        let known: Vec<&str> = settings.pools.iter().map(|p| p.name.as_str()).collect();
        let name = flags.pool.as_deref().unwrap_or_default();
        Fault::usage(format!("there is no pool `{name}`"))
            .hint(format!("pools of rasher.toml: {}", known.join(", ")))
    })
}

/// What the budget would choose; none without a budget.
fn chosen(
    flags: &Flags,
    session: &Session,
    settings: &Settings,
    demand: &Demand,
) -> Result<Option<Chosen>, Fault> {
    if !flags.budget.asked() {
        return Ok(None);
    }
    let ruled = flags.budget.settle(session, settings, (demand.branch, flags.at))?;
    let budget = budgets::decide(session, settings, &ruled, demand)?.document;
    Ok(Some(Chosen {
        rule: budget.rule,
        workers: budget.workers,
        deadline_ms: budget.deadline_ms,
        feasible: budget.feasible,
        why: budget.why,
    }))
}

/// Every number of workers of one pool, and what more of them would win. Says how long that took
/// where it is told to.
pub(crate) fn document(
    (workers, say): (u32, Option<(Output, bool)>),
    settings: &Settings,
    pool: &Pool,
    demand: &Demand,
) -> Result<FrontierDocument, Fault> {
    let Estimates { mean, upper, setup, .. } = demand.estimates;
    let watch = Stopwatch::start();
    let bounds = Bounds::of(demand.tests, mean, setup, workers);
    let cap = settings.account.concurrent_max;
    let Frontier { points, useful_workers_max } = frontier(&bounds, pool, 1..=workers, cap);
    if let Some((output, explain)) = say {
        let numbers = count(points.len(), "number");
        let mut said = format!("{numbers} of workers weighed in {}", watch.elapsed());
        if explain {
            said += &format!(", sorting the durations takes {}", time_of_sorting(mean));
        }
        output.say(&said);
    }
    let wrong = |e: rasher::plan::PlanError| Fault::usage(e.to_string());
    let costs = Costs::new(demand.tests, mean, upper, setup).map_err(wrong)?;
    let tightest = plan(&costs, &PlanOptions::new(useful_workers_max)).map_err(wrong)?;
    let point = |p: FrontierPoint| PointDocument {
        workers: p.workers,
        finish_ms: p.finish,
        cost: p.cost,
        dominated: p.dominated,
    };
    Ok(FrontierDocument {
        schema: SCHEMA,
        pool: pool.name.clone(),
        points: points.into_iter().map(point).collect(),
        useful_workers_max,
        bound_by: tightest.bound_by,
        currency: pool.price_per_hour.and(settings.account.currency.clone()),
        chosen: None,
    })
}

/// The unit in which planning is measured.
fn time_of_sorting(durations: &[Micros]) -> Micros {
    let mut durations: Vec<u64> = durations.iter().map(|span| span.get()).collect();
    let watch = Stopwatch::start();
    durations.sort_unstable();
    std::hint::black_box(durations);
    watch.elapsed()
}

fn csv(document: &FrontierDocument) -> String {
    let mut text = "workers,finish_ms,cost,dominated\n".to_owned();
    for p in &document.points {
        let cost = p.cost.map_or(String::new(), |c| c.to_string());
        let finish = p.finish_ms.as_millis_f64();
        text += &format!("{},{finish},{cost},{}\n", p.workers, p.dominated);
    }
    text
}

/// A screenful: some twenty numbers of workers, evenly spread on a logarithmic scale.
fn people(document: &FrontierDocument) -> String {
    const ROWS: f64 = 22.0;
    const BAR: f64 = 40.0;
    let points = &document.points;
    let most = points.len().max(1) as f64;
    let mut shown: Vec<usize> =
        (0..=ROWS as u32).map(|k| most.powf(f64::from(k) / ROWS).round() as usize).collect();
    shown.push(document.useful_workers_max as usize);
    shown.extend(document.chosen.as_ref().map(|c| c.workers as usize));
    shown.sort_unstable();
    shown.dedup();
    let slowest = points.iter().map(|p| p.finish_ms).max().unwrap_or_default().as_secs_f64();
    let rows = shown.iter().filter_map(|n| points.get(n.checked_sub(1)?)).map(|p| {
        // Logarithmic: twice the time is a fixed length, so that the fast end can be told apart.
        let share = (1.0 + p.finish_ms.as_secs_f64()).ln() / (1.0 + slowest).ln().max(1e-9);
        let bar = "█".repeat((share * BAR).round() as usize);
        let cost = p.cost.map_or("–".to_owned(), |c| format!("{:.2}", c.as_f64()));
        [p.workers.to_string(), span(p.finish_ms), cost, bar, note(document, p)]
    });
    let header = ["workers", "finish", "cost", "", ""];
    let mut text = table(header, &[0, 1, 2], rows);
    text += &format!(
        "\nmore than {} cannot help: bound by {}\n",
        count(document.useful_workers_max as usize, "worker"),
        document.bound_by.name
    );
    if let Some(chosen) = &document.chosen {
        text += &format!(
            "{}: {}; {}\n",
            chosen.rule,
            count(chosen.workers as usize, "worker"),
            chosen.why
        );
    }
    text
}

fn note(document: &FrontierDocument, point: &PointDocument) -> String {
    let chosen = document.chosen.as_ref().filter(|c| c.workers == point.workers);
    match (chosen, point.dominated) {
        (Some(chosen), _) => format!("◀ {}", chosen.rule),
        (None, true) => "dominated".to_owned(),
        (None, false) => String::new(),
    }
}
