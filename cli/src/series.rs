//! Several suites side by side: what each estimator and each way to hand out work would have given
//! in their past, how promises were kept, and how many workers they needed.

use rasher::backtest::{
    EstimatorScore, Predictor, Replay, Ruled, Trial, backtest, needed, score_estimators,
};
use rasher::budget::Budget;
use rasher::dispatch::Mode;
use rasher::history::{HistoryError, RunRecording};
use rasher::units::Micros;
use serde::Serialize;

use crate::output::table;
use crate::snapshots::Series;

/// `rasher.series/1`.
#[derive(Debug, Serialize)]
pub(crate) struct SeriesDocument {
    schema: &'static str,
    workers: u32,
    confidence: f64,
    series: Vec<Row>,
}

/// One suite.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    runs: usize,
    learned_runs: usize,
    collapsed_runs: usize,
    tests: usize,
    /// What each estimator would have given; the first is the one that a plan chooses run by run.
    estimators: Vec<EstimatorScore>,
    /// How promises were kept, for each way to hand out work.
    promises: Vec<Promise>,
    /// The deadline of the number of workers below.
    deadline_ms: Option<Micros>,
    /// The smallest fixed number with everything known.
    oracle_workers: Option<u32>,
}

/// One way to hand out work.
#[derive(Debug, Serialize)]
struct Promise {
    mode: &'static str,
    kept_share: Option<f64>,
    /// What was promised over what came.
    width: Option<f64>,
    /// The smallest fixed number of workers that met the deadline as often as promised.
    workers: Option<u32>,
    workers_over_oracle: Option<f64>,
}

/// What the suites are tried with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) workers: u32,
    pub(crate) confidence: f64,
    pub(crate) deadline: Option<Micros>,
    /// So many runs are only learned from, and never more than half of a suite's.
    pub(crate) learn: usize,
}

/// Plays every suite.
///
/// # Errors
/// Where runs cannot be told apart.
pub(crate) fn play(
    environment: &str,
    all: &[Series],
    trial: &Trial,
    question: Question,
) -> Result<SeriesDocument, HistoryError> {
    let row = |series: &Series| row(environment, series, trial, question);
    Ok(SeriesDocument {
        schema: "rasher.series/1",
        workers: question.workers,
        confidence: question.confidence,
        series: all.iter().map(row).collect::<Result<_, _>>()?,
    })
}

fn row(
    environment: &str,
    series: &Series,
    trial: &Trial,
    question: Question,
) -> Result<Row, HistoryError> {
    let Question { workers, confidence, .. } = question;
    let recordings: &[RunRecording] = &series.recordings;
    let learn = question.learn.min(recordings.len() / 2).max(1);
    let trial = Trial { learn, ..trial.clone() };
    let estimators = score_estimators(environment, recordings, (&trial, workers))?;
    let by = Predictor::Suited { workers };
    let replay = Replay::new(environment, recordings.to_vec(), by)?;
    let budget = Budget {
        workers_min: workers,
        workers_max: Some(workers),
        confidence: Some(confidence),
        ..Budget::default()
    };
    let ruled = Ruled { rule: "--workers".to_owned(), budget };
    let played = |mode: Mode| {
        let trial = Trial { mode, ..trial.clone() };
        (backtest(&replay, &trial, &mut |_| Some(ruled.clone())), trial)
    };
    let modes = [
        ("static", Mode::Static),
        ("steal", Mode::Steal { fixed: trial.fixed }),
        ("queue", Mode::Queue),
    ];
    let played = modes.map(|(word, mode)| (word, played(mode)));
    let judged = &played[0].1.0;
    let deadline = question.deadline.or_else(|| usual(judged.runs.iter().map(|r| r.bound_ms)));
    let mut oracle_workers = None;
    let promises = played.iter().map(|(mode, (document, trial))| {
        let both = deadline.map(|deadline| needed(&replay, trial, (deadline, confidence)));
        let (own, oracle) = both.unwrap_or_default();
        let workers = own.map(|own| own.workers);
        oracle_workers = oracle.map(|oracle| oracle.workers);
        Promise {
            mode,
            kept_share: document.covered_share,
            width: document.promise_width,
            workers,
            workers_over_oracle: workers
                .zip(oracle_workers)
                .map(|(own, oracle)| f64::from(own) / f64::from(oracle.max(1))),
        }
    });
    let promises = promises.collect();
    Ok(Row {
        name: series.name.clone(),
        runs: judged.runs.len(),
        learned_runs: judged.learned_runs,
        collapsed_runs: judged.collapsed_runs,
        tests: replay.runs().last().map_or(0, |run| run.tests.len()),
        estimators,
        promises,
        deadline_ms: deadline,
        oracle_workers,
    })
}

/// A tenth more than nearly all runs would need: a deadline that so many workers can keep.
fn usual(bounds: impl Iterator<Item = Micros>) -> Option<Micros> {
    let mut bounds: Vec<Micros> = bounds.collect();
    bounds.sort_unstable();
    bounds.get(bounds.len() * 95 / 100).map(|most| most.scale(1.1))
}

/// Two tables.
pub(crate) fn people(document: &SeriesDocument) -> String {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let mut text = format!(
        "over the bound, {} workers, each run predicted from its past alone\n",
        document.workers
    );
    let scores = document.series.iter().flat_map(|row| {
        row.estimators.iter().enumerate().map(move |(at, score)| {
            let first = at == 0;
            let about = if first {
                format!("{} ({} runs, {} collapsed)", row.name, row.runs, row.collapsed_runs)
            } else {
                String::new()
            };
            let over = &score.over_bound;
            [
                about,
                score.estimator.to_owned(),
                percent(over.as_planned),
                percent(over.steal),
                percent(over.queue),
            ]
        })
    });
    text += &table(["suite", "estimator", "static", "steal", "queue"], &[2, 3, 4], scores);
    text += &format!("\npromises of {}\n", percent(document.confidence));
    let rows = document.series.iter().flat_map(|row| {
        row.promises.iter().enumerate().map(move |(at, it)| {
            let number = |n: Option<u32>| n.map_or("–".to_owned(), |n| n.to_string());
            let ratio = |n: Option<f64>| n.map_or("–".to_owned(), |n| format!("{n:.3}"));
            [
                if at == 0 { row.name.clone() } else { String::new() },
                it.mode.to_owned(),
                it.kept_share.map_or("–".to_owned(), percent),
                ratio(it.width),
                number(it.workers),
                number(row.oracle_workers),
                ratio(it.workers_over_oracle),
            ]
        })
    });
    let header = ["suite", "made", "kept", "width", "workers", "oracle", "ratio"];
    text + &table(header, &[2, 3, 4, 5, 6], rows)
}
