//! `rasher backtest`: the recorded runs again, under a budget.

use std::path::PathBuf;

use rasher::backtest::{
    BacktestDocument, Predictor, Replay, Ruled, SUITED, backtest, score_estimators,
};
use rasher::budget::{Budget, Pool};
use rasher::dispatch::{Machines, Mode, Overheads};
use rasher::estimate::Estimator;
use rasher::history::RunSeen;
use rasher::units::Micros;

use crate::budgets;
use crate::fault::{Exit, Fault};
use crate::output::{count, span, table};
use crate::policy::{Settings, share};
use crate::series::{self, Question};
use crate::session::Session;
use crate::snapshots;

/// Workers where none are given.
const WORKERS: u32 = 20;

/// Options of `backtest`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    #[command(flatten)]
    budget: budgets::Flags,
    /// Instead of the store: a folder whose entries are runs, reports or timing files named by their
    /// date (`2026-01-31_abc.json`); repeated, suites are set side by side
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    snapshots: Vec<PathBuf>,
    /// How sure promises are made where the number of workers is given
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = share)]
    promise: f64,
    /// Always so many workers, instead of a budget
    #[arg(long, value_name = "N", conflicts_with_all = ["deadline", "max_cost", "policy"],
        value_parser = clap::value_parser!(u32).range(1..=2_000))]
    workers: Option<u32>,
    /// How the runs are made: promises are held against it
    #[arg(long, value_name = "HOW", default_value = "static")]
    mode: How,
    /// The pool of rasher.toml [default: the first]
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// Runs at the beginning that are only learned from
    #[arg(long, value_name = "N", default_value_t = 20)]
    learn: usize,
    /// The estimator [default: for each run the one that suits its past]
    #[arg(long, value_name = "NAME", value_parser = estimator)]
    estimator: Option<Estimator>,
    /// Score every estimator, not only the chosen one
    #[arg(long)]
    estimators: bool,
    /// Share of a shard that is never taken over
    #[arg(long, value_name = "SHARE", default_value = "50%", value_parser = share)]
    fixed: f64,
    /// Standard deviation of the workers' speed
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    speed_spread: f64,
    /// Standard deviation of the start-up, as a share of it
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    startup_spread: f64,
    /// What every hand-out of a queue costs
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    handout: Micros,
    /// What taking over work costs
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    steal: Micros,
    /// Tests without set-up are handed out in chunks of at least so much
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    chunk: Micros,
    /// Where chance begins
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The newest runs to load
    #[arg(long, value_name = "N", default_value_t = 500)]
    runs: usize,
}

/// Ways to hand out work.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum How {
    /// Every worker runs its shard.
    Static,
    /// Idle workers take over.
    Steal,
    /// From a queue.
    Queue,
}

fn estimator(word: &str) -> Result<Estimator, String> {
    let known = || Estimator::ALL.map(Estimator::word).join(", ");
    Estimator::from_word(word).ok_or_else(|| format!("`{word}` is no estimator; write {}", known()))
}

/// Plays the runs again.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let settings = Settings::read(session.config.as_ref())?;
    let pool = pool(flags, &settings)?;
    if !flags.snapshots.is_empty() {
        return side_by_side(flags, session, pool);
    }
    if flags.workers.is_none() && !flags.budget.asked() && settings.policy.rules().is_empty() {
        return Err(Fault::usage("under which budget?")
            .hint("say `--deadline 30m --confidence 95%`, `--workers 20`, or write rules"));
    }
    let recordings = budgets::recordings(session, flags.runs)?;
    let trial = trial(flags, pool);
    let mut runs: Vec<&str> = recordings.iter().map(|r| r.context.run.as_str()).collect();
    runs.dedup();
    if runs.len() <= trial.learn.max(1) {
        let what =
            format!("{} recorded, {} only to learn from", count(runs.len(), "run"), trial.learn);
        return Err(Fault::usage(what).hint("record more runs, or say `--learn 1`"));
    }
    let workers = flags.workers.unwrap_or(WORKERS);
    let mut scores = Vec::new();
    if flags.estimators {
        scores = score_estimators(&session.environment, &recordings, (&trial, workers))
            .map_err(wrong)?;
    }
    let by = flags.estimator.map_or(Predictor::Suited { workers }, Predictor::Always);
    let replay = Replay::new(&session.environment, recordings, by).map_err(wrong)?;
    let mut ruled = |seen: &RunSeen| ruled(flags, &settings, seen);
    let mut document = backtest(&replay, &trial, &mut ruled);
    document.estimator = flags.estimator.map_or(SUITED, Estimator::word);
    document.estimators = scores;
    session.output.show(&document, people)?;
    Ok(Exit::DONE)
}

fn wrong(error: rasher::history::HistoryError) -> Fault {
    Fault::store(error.to_string())
}

/// The suites of the folders, in one table.
fn side_by_side(flags: &Flags, session: &Session, pool: &Pool) -> Result<Exit, Fault> {
    let all: Vec<_> = flags
        .snapshots
        .iter()
        .map(|folder| snapshots::read(session, folder))
        .collect::<Result<_, _>>()?;
    let question = Question {
        workers: flags.workers.unwrap_or(WORKERS),
        confidence: flags.budget.confidence.unwrap_or(flags.promise),
        deadline: flags.budget.deadline,
        learn: flags.learn,
    };
    let document =
        series::play(&session.environment, &all, &trial(flags, pool), question).map_err(wrong)?;
    session.output.show(&document, series::people)?;
    Ok(Exit::DONE)
}

fn pool<'a>(flags: &Flags, settings: &'a Settings) -> Result<&'a Pool, Fault> {
    let named = |p: &&Pool| flags.pool.as_ref().is_none_or(|name| *name == p.name);
    let unknown = || Fault::usage("there is no such pool in rasher.toml");
    settings.pools.iter().find(named).ok_or_else(unknown)
}

fn trial(flags: &Flags, pool: &Pool) -> rasher::backtest::Trial {
    let fixed = flags.fixed;
    rasher::backtest::Trial {
        machines: Machines {
            startup: pool.fixed(),
            startup_spread: flags.startup_spread,
            speed_spread: flags.speed_spread,
            seed: flags.seed,
        },
        overheads: Overheads { handout: flags.handout, steal: flags.steal },
        chunk: flags.chunk,
        fixed,
        mode: match flags.mode {
            How::Static => Mode::Static,
            How::Steal => Mode::Steal { fixed },
            How::Queue => Mode::Queue,
        },
        learn: flags.learn,
        ..budgets::trial(pool, budgets::WORKERS_MAX)
    }
}

/// The budget of a recorded run: what its branch and its own time of day would have given it.
fn ruled(flags: &Flags, settings: &Settings, seen: &RunSeen) -> Option<Ruled> {
    if let Some(workers) = flags.workers {
        let budget = Budget {
            workers_min: workers,
            workers_max: Some(workers),
            confidence: Some(flags.promise),
            ..Budget::default()
        };
        return Some(Ruled { rule: "--workers".to_owned(), budget });
    }
    flags.budget.ruled(settings, seen.branch.as_deref(), seen.at).map(|(ruled, _)| ruled)
}

/// A row for each run that was judged.
fn judged(document: &BacktestDocument) -> String {
    let mark = |kept: Option<bool>| match kept {
        Some(true) => "kept",
        Some(false) => "broken",
        None => "–",
    };
    let rows = document.runs.iter().map(|run| {
        [
            run.at.to_string(),
            run.rule.clone(),
            run.workers.to_string(),
            run.oracle_workers.map_or("–".to_owned(), |n| n.to_string()),
            span(run.predicted_ms),
            span(run.finish_ms.as_planned),
            span(run.finish_ms.steal),
            span(run.finish_ms.queue),
            span(run.bound_ms),
            mark(run.kept).to_owned(),
        ]
    });
    let header =
        ["at", "rule", "workers", "oracle", "predicted", "static", "steal", "queue", "bound", ""];
    table(header, &[2, 3, 4, 5, 6, 7, 8], rows) + "\n"
}

fn people(document: &BacktestDocument) -> String {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let mut text = judged(document);
    let over = &document.over_bound;
    text += &format!(
        "{} judged, {} only learned from, {} collapsed; estimator {}\n",
        count(document.runs.len(), "run"),
        document.learned_runs,
        document.collapsed_runs,
        document.estimator
    );
    text += &format!(
        "over the bound: static {}, steal {}, queue {}\n",
        percent(over.as_planned),
        percent(over.steal),
        percent(over.queue)
    );
    for score in &document.estimators {
        let over = &score.over_bound;
        text += &format!(
            "  {}: static {}, steal {}, queue {}\n",
            score.estimator,
            percent(over.as_planned),
            percent(over.steal),
            percent(over.queue)
        );
    }
    if let Some(kept) = document.kept_share {
        text += &format!("deadline kept in {}\n", percent(kept));
    }
    if let (Some(covered), Some(width)) = (document.covered_share, document.promise_width) {
        text +=
            &format!("promise kept in {}, {width:.3} times as long as it took\n", percent(covered));
    }
    if let Some(ratio) = document.workers_over_oracle {
        text += &format!("{ratio:.3} times the workers of one who knew each run beforehand\n");
    }
    if let (Some(own), Some(oracle)) = (&document.fixed, &document.fixed_oracle) {
        text += &format!(
            "a fixed number for the same promise: {} against {} with everything known ({:.3})\n",
            own.workers,
            oracle.workers,
            f64::from(own.workers) / f64::from(oracle.workers.max(1))
        );
    }
    if let Some(cost) = document.cost {
        text += &format!("cost {:.2}", cost.as_f64());
        if let Some(fixed) = document.fixed.and_then(|f| f.cost) {
            text += &format!(", of the fixed number {:.2}", fixed.as_f64());
        }
        text += "\n";
    }
    text
}
