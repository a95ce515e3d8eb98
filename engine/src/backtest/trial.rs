//! A budget held against the past.
//!
//! Decides for each run the fleet that the budget would have asked for and how the run would have
//! ended on it, as planned, with work taken over, and from a queue.

use std::collections::BTreeMap;

use super::document::{
    BACKTEST_SCHEMA, BacktestDocument, EstimatorScore, FinishDocument, FixedDocument, OverBound,
    RunDocument,
};
use super::replay::{Predictor, Replay, ReplayedRun};
use crate::budget::{
    Bounds, Budget, Calibration, Factor, Limits, Money, Pool, Sizing, Work, settle, size,
};
use crate::dispatch::{Course, Machines, Mode, Overheads, Reality, Script, execute};
use crate::estimate::Estimator;
use crate::history::{HistoryError, RunRecording, RunSeen};
use crate::units::Micros;

/// The workers and the budget that are tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The pool; its start-up and prices count.
    pub pool: Pool,
    /// How its workers really come up; its start-up should be the pool's.
    pub machines: Machines,
    /// What handing out costs.
    pub overheads: Overheads,
    /// Tests without a set-up are handed out in chunks of at least so much, where they can be.
    pub chunk: Micros,
    /// The share of a shard that is not taken over.
    pub fixed: f64,
    /// How the runs are really made: what promises are calibrated on and held against.
    pub mode: Mode,
    /// Most workers that are ever asked for.
    pub workers_max: u32,
    /// Runs that are only learned from.
    pub learn: usize,
}

/// The past runs of a trial as they would have gone, remembered so that none is played twice.
pub struct Past<'a> {
    replay: &'a Replay,
    trial: &'a Trial,
    ratios: BTreeMap<(usize, u32), Option<f64>>,
}

/// A budget and the rule it comes from.
#[derive(Clone, Debug, Default)]
pub struct Ruled {
    /// The rule or option.
    pub rule: String,
    /// The budget.
    pub budget: Budget,
}

/// The word for an estimator chosen run by run.
pub const SUITED: &str = "suited";
/// The newest runs that a promise is calibrated on.
const WINDOW: usize = 120;

impl<'a> Past<'a> {
    /// The past of a trial.
    pub fn new(replay: &'a Replay, trial: &'a Trial) -> Self {
        Self { replay, trial, ratios: BTreeMap::new() }
    }

    /// How the runs before `before` ended against what was predicted for them, on so many
    /// workers; of the same kind of branch where there are enough of them. Oldest first.
    pub fn calibration(&mut self, before: usize, kind: &str, workers: u32) -> Calibration {
        let runs = self.replay.runs();
        let usable = |at: &usize| !runs[*at].seen.collapsed && runs[*at].known_runs > 0;
        let all: Vec<usize> = (0..before.min(runs.len())).filter(usable).collect();
        let own = |at: &&usize| branch_kind(runs[**at].seen.branch.as_deref()) == kind;
        let same: Vec<usize> = all.iter().filter(own).copied().collect();
        let chosen = if same.len() >= 20 { same } else { all };
        let newest = chosen.len().saturating_sub(WINDOW);
        let ratios: Vec<f64> =
            chosen[newest..].iter().filter_map(|at| self.ratio(*at, workers)).collect();
        Calibration::new(&ratios)
    }

    fn ratio(&mut self, at: usize, workers: u32) -> Option<f64> {
        if let Some(known) = self.ratios.get(&(at, workers)) {
            return *known;
        }
        let run = &self.replay.runs()[at];
        let ratio = play(run, self.trial, workers, at, self.trial.mode).and_then(|played| {
            let fixed = self.trial.pool.fixed();
            let real = (played.course.end() - fixed).as_secs_f64();
            let predicted = played.predicted.scale(self.trial.pool.slowdown()).as_secs_f64();
            (predicted > 0.0).then_some(real / predicted)
        });
        self.ratios.insert((at, workers), ratio);
        ratio
    }

    /// The fleet that a budget asks for, for the run at `at`, from what was known before it.
    pub fn size(&mut self, at: usize, budget: &Budget) -> (Sizing, Factor) {
        let run = &self.replay.runs()[at];
        let trial = self.trial;
        let expected = &run.expected;
        let limits = budget.limits(trial.workers_max, None);
        let bounds = Bounds::of(&run.tests, &expected.mean, &expected.setup, limits.workers_max);
        let mut sized = |factor: Factor, least: u32| {
            let limits = Limits { workers_min: limits.workers_min.max(least), ..limits };
            let mut loads = |fleet: &[u32]| {
                let shards = run.plan(fleet[0]).map(|plan| plan.shards).unwrap_or_default();
                shards.iter().map(|shard| (0, shard.predicted)).collect()
            };
            let work = Work { bounds: &bounds, loads: &mut loads };
            size(work, std::slice::from_ref(&trial.pool), limits, budget.ask(factor))
        };
        match budget.confidence {
            None => (sized(Factor::ONE, 1), Factor::ONE),
            Some(confidence) => {
                let kind = branch_kind(run.seen.branch.as_deref()).to_owned();
                settle(confidence, &mut |m| self.calibration(at, &kind, m), &mut sized)
            }
        }
    }
}

/// What kind of branch a run is of: its name up to the first slash.
pub fn branch_kind(branch: Option<&str>) -> &str {
    let branch = branch.unwrap_or_default();
    branch.split_once('/').map_or(branch, |(kind, _)| kind)
}

/// Lower bounds on what a run really took.
fn real_bounds(run: &ReplayedRun, trial: &Trial) -> Bounds {
    Bounds::of(&run.tests, &run.real, &run.real_setup, trial.workers_max)
}

struct Played {
    course: Course,
    predicted: Micros,
}

/// A run on so many workers.
fn play(run: &ReplayedRun, trial: &Trial, workers: u32, seed: usize, mode: Mode) -> Option<Played> {
    let plan = run.plan(workers)?;
    let script = Script::new(&run.workload()?, &plan, trial.chunk);
    let machines = trial.machines.workers(seed as u64, workers);
    let reality = Reality { duration: &run.real, setup: &run.real_setup };
    let course = execute(&script, reality, &machines, (mode, trial.overheads));
    Some(Played { course, predicted: plan.makespan })
}

/// Plays every run of a replay under the budget that `ruled` gives it.
///
/// Runs for which there is no budget, and runs that collapsed, are not judged. Costs a few plans
/// for each run, and one for each of the sixty runs before it at each new number of workers.
pub fn backtest(
    replay: &Replay,
    trial: &Trial,
    ruled: &mut dyn FnMut(&RunSeen) -> Option<Ruled>,
) -> BacktestDocument {
    let mut past = Past::new(replay, trial);
    let mut judged = Vec::new();
    let mut fleets = Vec::new();
    let mut collapsed = 0;
    for (at, run) in replay.runs().iter().enumerate().skip(trial.learn.max(1)) {
        if run.seen.collapsed {
            collapsed += 1;
            continue;
        }
        let Some(ruled) = ruled(&run.seen) else { continue };
        let (sizing, factor) = past.size(at, &ruled.budget);
        judged.extend(judge(run, trial, at, (&ruled, &sizing, factor)));
        fleets.push((at, ruled.budget.first_deadline(), ruled.budget.confidence));
    }
    summed(replay, trial, judged, (collapsed, &fleets))
}

/// How one run would have gone on the fleet that was asked for.
fn judge(
    run: &ReplayedRun,
    trial: &Trial,
    at: usize,
    (ruled, sizing, factor): (&Ruled, &Sizing, Factor),
) -> Option<RunDocument> {
    let workers = sizing.workers;
    let ended = |mode| play(run, trial, workers, at, mode);
    let (planned, steal) = (ended(Mode::Static)?, ended(Mode::Steal { fixed: trial.fixed })?);
    let queue = ended(Mode::Queue)?;
    let held = match trial.mode {
        Mode::Static => &planned,
        Mode::Steal { .. } => &steal,
        Mode::Queue => &queue,
    };
    let bounds = real_bounds(run, trial);
    let done = |workers: u32| trial.pool.up(bounds.lower(workers));
    let deadline = ruled.budget.first_deadline();
    let oracle = deadline.and_then(|d| (1..=trial.workers_max).find(|m| done(*m) <= d));
    let cost = cost_of(&held.course, &trial.pool);
    let (end, promised) = (held.course.end(), sizing.promised);
    let covered = ruled.budget.confidence.filter(|_| sizing.feasible).map(|_| end <= promised);
    Some(RunDocument {
        run: run.seen.run.clone(),
        at: run.seen.at,
        rule: ruled.rule.clone(),
        estimator: run.estimator.word(),
        workers,
        predicted_ms: sizing.finish,
        promised_ms: sizing.promised,
        promise_runs: factor.runs,
        deadline_ms: deadline,
        finish_ms: FinishDocument {
            as_planned: planned.course.end(),
            steal: steal.course.end(),
            queue: queue.course.end(),
        },
        bound_ms: done(workers),
        kept: deadline.filter(|_| sizing.feasible).map(|d| end <= d),
        covered,
        feasible: sizing.feasible,
        cost,
        oracle_workers: oracle,
    })
}

fn cost_of(course: &Course, pool: &Pool) -> Option<Money> {
    let sum = course.done.iter().map(|up| pool.cost(*up).map(Money::millionths));
    sum.sum::<Option<u64>>().map(Money::from_millionths)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for value in values {
        (sum, count) = (sum + value, count + 1);
    }
    (count > 0).then(|| sum / f64::from(count))
}

fn over(runs: &[RunDocument], finish: fn(&FinishDocument) -> Micros) -> f64 {
    let share = |run: &RunDocument| {
        let bound = run.bound_ms.as_secs_f64();
        (bound > 0.0).then(|| finish(&run.finish_ms).as_secs_f64() / bound - 1.0)
    };
    mean(runs.iter().filter_map(share)).unwrap_or(0.0)
}

fn over_bound(runs: &[RunDocument]) -> OverBound {
    OverBound {
        as_planned: over(runs, |f| f.as_planned),
        steal: over(runs, |f| f.steal),
        queue: over(runs, |f| f.queue),
    }
}

type Fleets<'a> = &'a [(usize, Option<Micros>, Option<f64>)];

fn summed(
    replay: &Replay,
    trial: &Trial,
    runs: Vec<RunDocument>,
    (collapsed_runs, fleets): (usize, Fleets),
) -> BacktestDocument {
    let kept = runs.iter().filter_map(|run| run.kept).map(|kept| f64::from(u8::from(kept)));
    let ended = |run: &RunDocument| match trial.mode {
        Mode::Static => run.finish_ms.as_planned,
        Mode::Steal { .. } => run.finish_ms.steal,
        Mode::Queue => run.finish_ms.queue,
    };
    let covered = runs.iter().filter_map(|run| run.covered).map(|kept| f64::from(u8::from(kept)));
    let promises = runs.iter().filter(|run| run.covered.is_some());
    let width = |run: &RunDocument| {
        let end = ended(run).as_secs_f64();
        (end > 0.0).then(|| run.promised_ms.as_secs_f64() / end)
    };
    let promise_width = mean(promises.filter_map(width));
    let oracle = |run: &RunDocument| {
        let oracle = run.oracle_workers.filter(|_| run.feasible)?;
        Some(f64::from(run.workers) / f64::from(oracle))
    };
    let cost: Option<u64> = runs.iter().map(|r| r.cost.map(Money::millionths)).sum();
    let kept_share = mean(kept);
    BacktestDocument {
        schema: BACKTEST_SCHEMA,
        learned_runs: trial.learn.max(1).min(replay.runs().len()),
        collapsed_runs,
        kept_share,
        covered_share: mean(covered),
        promise_width,
        workers_over_oracle: mean(runs.iter().filter_map(oracle)),
        over_bound: over_bound(&runs),
        estimator: SUITED,
        estimators: Vec::new(),
        fixed: fixed(trial, fleets, &played(replay, trial)),
        fixed_oracle: fixed(trial, fleets, &foreseen(replay, trial)),
        cost: cost.filter(|_| !runs.is_empty()).map(Money::from_millionths),
        runs,
    }
}

/// How a run goes on so many workers.
type Ending<'a> = &'a dyn Fn(usize, u32) -> Option<Course>;

/// The course that a run takes from its plan.
fn played<'a>(replay: &'a Replay, trial: &'a Trial) -> impl Fn(usize, u32) -> Option<Course> + 'a {
    |at, workers| Some(play(&replay.runs()[at], trial, workers, at, trial.mode)?.course)
}

/// The course that a run would take had everything been known: no plan ends earlier.
fn foreseen<'a>(
    replay: &'a Replay,
    trial: &'a Trial,
) -> impl Fn(usize, u32) -> Option<Course> + 'a {
    |at, workers| {
        let bound = trial.pool.up(real_bounds(&replay.runs()[at], trial).lower(workers));
        Some(Course { done: vec![bound; workers as usize], handouts: 0 })
    }
}

/// The smallest fixed number of workers on which a share of the judged runs, made as the trial
/// says, would have met a deadline; and the same had everything been known. Each is `None` where no
/// number does.
pub fn needed(
    replay: &Replay,
    trial: &Trial,
    (deadline, share): (Micros, f64),
) -> (Option<FixedDocument>, Option<FixedDocument>) {
    let runs = replay.runs().iter().enumerate().skip(trial.learn.max(1));
    let judged = runs.filter(|(_, run)| !run.seen.collapsed);
    let fleets: Vec<_> = judged.map(|(at, _)| (at, Some(deadline), Some(share))).collect();
    (fixed(trial, &fleets, &played(replay, trial)), fixed(trial, &fleets, &foreseen(replay, trial)))
}

/// The smallest fixed number of workers that keeps the deadlines as often as was asked for.
fn fixed(trial: &Trial, fleets: Fleets, ending: Ending) -> Option<FixedDocument> {
    let dated: Vec<(usize, Micros)> =
        fleets.iter().filter_map(|(at, deadline, _)| Some((*at, (*deadline)?))).collect();
    let share =
        mean(fleets.iter().filter_map(|(_, deadline, c)| deadline.map(|_| c.unwrap_or(1.0))))?;
    let on = |workers: u32| {
        let courses: Vec<_> = dated
            .iter()
            .filter_map(|(at, deadline)| Some((ending(*at, workers)?, *deadline)))
            .collect();
        let kept = courses.iter().filter(|(course, deadline)| course.end() <= *deadline).count();
        let cost: Option<u64> =
            courses.iter().map(|(c, _)| cost_of(c, &trial.pool).map(Money::millionths)).sum();
        let kept_share = kept as f64 / courses.len().max(1) as f64;
        FixedDocument { workers, kept_share, cost: cost.map(Money::from_millionths) }
    };
    let (mut low, mut high) = (1, trial.workers_max.max(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if on(middle).kept_share >= share { high = middle } else { low = middle + 1 }
    }
    Some(on(low)).filter(|found| found.kept_share >= share)
}

/// What plans for `workers` workers would have ended over their bound with each estimator, and with
/// the one that [`suited`](super::suited) finds for every run in its past.
///
/// # Errors
/// As [`Replay::new`].
pub fn score_estimators(
    environment: &str,
    recordings: &[RunRecording],
    (trial, workers): (&Trial, u32),
) -> Result<Vec<EstimatorScore>, HistoryError> {
    let fixed = Budget { workers_min: workers, workers_max: Some(workers), ..Budget::default() };
    let ruled = Ruled { rule: String::new(), budget: fixed };
    let each = Estimator::ALL.into_iter().map(|by| (by.word(), Predictor::Always(by)));
    let all = [(SUITED, Predictor::Suited { workers })].into_iter().chain(each);
    all.map(|(estimator, by)| {
        let replay = Replay::new(environment, recordings.to_vec(), by)?;
        let over_bound = backtest(&replay, trial, &mut |_| Some(ruled.clone())).over_bound;
        Ok(EstimatorScore { estimator, over_bound })
    })
    .collect()
}
