//! From a budget to a number of workers: the flags, the rule that applies, the size, the document.

use jiff::Timestamp;
use rasher::backtest::{
    Past, Predictor, Replay, Ruled, Trial, WorkerOverhead, branch_kind, worker_overhead,
};
use rasher::budget::{
    Bounds, Budget, Calibration, Factor, Limits, Money, Pool, RuleTrace, Situation, Sizing,
    Trigger, Work, settle, size,
};
use rasher::dispatch::{Machines, Mode, Overheads};
use rasher::estimate::Estimates;
use rasher::plan::document::BudgetDocument;
use rasher::plan::{PlanOptions, PoolSpec, Shard, Workload as Costs, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;

use crate::clock;
use crate::fault::Fault;
use crate::output::count;
use crate::policy::{Settings, share};
use crate::session::{Session, store_fault};

/// More workers than this are not asked for, unless a budget says otherwise.
pub(crate) const WORKERS_MAX: u32 = 2_000;
/// The newest runs whose shards tell what a worker spends beside its tests.
const OVERHEAD_RUNS: usize = 5;
/// The newest runs that a promise is calibrated on.
const RUNS_MAX: usize = 120;

/// The options of a budget.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "budget")]
#[command(next_help_heading = "Budget")]
pub(crate) struct Flags {
    /// By when the run must be done, from the request, such as `30m`
    #[arg(long, value_name = "SPAN", conflicts_with = "policy")]
    pub(crate) deadline: Option<Micros>,
    /// How sure that must be, such as 95%
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "deadline")]
    pub(crate) confidence: Option<f64>,
    /// What the run may cost
    #[arg(long, value_name = "MONEY", conflicts_with = "policy")]
    pub(crate) max_cost: Option<Money>,
    /// Take the budget of the first rule of rasher.toml that fits
    #[arg(long)]
    pub(crate) policy: bool,
    /// What started the run: push, pull-request, merge, schedule, hotfix, manual
    #[arg(long, value_name = "NAME", value_parser = trigger)]
    pub(crate) trigger: Option<Trigger>,
    /// A label of the run; may be repeated
    #[arg(long = "label", value_name = "NAME")]
    pub(crate) labels: Vec<String>,
    /// How many workers are up and idle: a lazy run takes no more
    #[arg(long, value_name = "N")]
    pub(crate) idle: Option<u32>,
    /// Say of every rule why it fits or not, and what durations are expected by
    #[arg(long)]
    pub(crate) explain_budget: bool,
}

fn trigger(word: &str) -> Result<Trigger, String> {
    Trigger::from_word(word).ok_or_else(|| format!("`{word}` is no trigger"))
}

/// What is to be sized.
pub(crate) struct Demand<'a> {
    pub(crate) tests: &'a TestTable,
    pub(crate) estimates: &'a Estimates,
    pub(crate) branch: Option<&'a str>,
    /// How the plan will be made, but for its workers.
    pub(crate) options: &'a PlanOptions,
    /// Workers that are up and idle, where that is known.
    pub(crate) idle: Option<u32>,
}

/// A size and all that a plan says of it.
pub(crate) struct Decision {
    pub(crate) sizing: Sizing,
    pub(crate) document: BudgetDocument,
    /// The pools to plan on; empty for equal workers.
    pub(crate) pools: Vec<PoolSpec>,
}

impl Flags {
    /// Whether a budget was asked for.
    pub(crate) fn asked(&self) -> bool {
        self.deadline.is_some() || self.max_cost.is_some() || self.policy || self.explain_budget
    }

    /// The budget that applies at an instant, and what every rule said.
    pub(crate) fn ruled(
        &self,
        settings: &Settings,
        branch: Option<&str>,
        at: Timestamp,
    ) -> Option<(Ruled, Vec<RuleTrace>)> {
        if self.deadline.is_some() || self.max_cost.is_some() {
            let budget = Budget {
                deadline: self.deadline,
                confidence: self.confidence,
                cost_max: self.max_cost,
                ..Budget::default()
            };
            let rule = if self.deadline.is_some() { "--deadline" } else { "--max-cost" };
            return Some((Ruled { rule: rule.to_owned(), budget }, Vec::new()));
        }
        let now = Situation { branch, trigger: self.trigger, labels: &self.labels, at };
        let choice = settings.policy.choose(&now);
        let rule = choice.rule?;
        let ruled = Ruled { rule: rule.name.clone(), budget: rule.budget.clone() };
        Some((ruled, choice.traces))
    }

    /// The budget for now, explained on stderr where that was asked for.
    ///
    /// # Errors
    /// Exit code 2 where no rule fits.
    pub(crate) fn settle(
        &self,
        session: &Session,
        settings: &Settings,
        (branch, at): (Option<&str>, Option<Timestamp>),
    ) -> Result<Ruled, Fault> {
        let now = at.unwrap_or_else(clock::now);
        let no_rule = || {
            Fault::usage("no rule of rasher.toml fits this run")
                .hint("end the rules with one without conditions, or say `--deadline`")
        };
        let (ruled, traces) = self.ruled(settings, branch, now).ok_or_else(no_rule)?;
        if self.explain_budget {
            for trace in traces {
                let mark = if trace.matched { "fits" } else { "no  " };
                session.output.say(&format!("{mark}  {}: {}", trace.rule, trace.why));
            }
            session.output.say(&format!("the budget is that of {}", ruled.rule));
        }
        Ok(ruled)
    }
}

/// The size that a budget asks for.
///
/// # Errors
/// Exit code 2 where the budget allows no pool; 6 where history cannot be read.
pub(crate) fn decide(
    session: &Session,
    settings: &Settings,
    ruled: &Ruled,
    demand: &Demand,
) -> Result<Decision, Fault> {
    let budget = &ruled.budget;
    let mut pools = settings.pools_for(budget);
    if pools.is_empty() {
        return Err(Fault::usage(format!("{} allows no pool", ruled.rule)));
    }
    let learned = learn_overhead(session, &mut pools)?;
    let limits = Limits {
        concurrent_max: settings.account.concurrent_max,
        ..budget.limits(WORKERS_MAX.max(budget.workers_max.unwrap_or(0)), demand.idle)
    };
    let Estimates { mean, setup, .. } = demand.estimates;
    let bounds =
        Bounds::of(demand.tests, mean, setup, limits.workers_max).with_slots(demand.options.slots);
    let mut sized = |factor: Factor, least: u32| {
        let limits = Limits { workers_min: limits.workers_min.max(least), ..limits };
        let mut loads = |fleet: &[u32]| loads(demand, &specs(settings, &pools, fleet), fleet);
        let work = Work { bounds: &bounds, loads: &mut loads };
        size(work, &pools, limits, budget.ask(factor))
    };
    let Some(confidence) = budget.confidence else {
        let sizing = sized(Factor::ONE, 1);
        let decision = decision(settings, ruled, &pools, (sizing, Factor::ONE, None));
        return Ok(decision.with_overhead(learned));
    };
    let by = Predictor::Always(demand.estimates.by);
    let replay = replay(session, by)?;
    let mut trial = trial(&pools[0], limits.workers_max);
    if let Some(permille) = demand.options.fixed_permille {
        // Past runs are played as this one will be run.
        trial.fixed = f64::from(permille) / 1_000.0;
        trial.mode = Mode::Steal { fixed: trial.fixed };
    }
    let mut past = Past::new(&replay, &trial);
    let kind = branch_kind(demand.branch);
    let runs = replay.runs().len();
    let mut calibration = |workers: u32| past.calibration(runs, kind, workers);
    let (sizing, factor) = settle(confidence, &mut calibration, &mut sized);
    let own = calibration(sizing.workers);
    let p_meet = p_meet(&own, &sizing, budget, &pools[0]);
    let mut decision = decision(settings, ruled, &pools, (sizing, factor, p_meet));
    if trial.mode != Mode::Static {
        decision.document.why += ", where idle workers took over";
    }
    Ok(decision.with_overhead(learned))
}

/// Gives pools whose overhead nobody wrote down the one that recorded shards had.
fn learn_overhead(session: &Session, pools: &mut [Pool]) -> Result<Option<WorkerOverhead>, Fault> {
    if pools.iter().all(|pool| !pool.overhead.is_zero()) || !session.store.exists() {
        return Ok(None);
    }
    let learned = worker_overhead(&recordings(session, OVERHEAD_RUNS)?);
    let learned = learned.filter(|learned| !learned.time.is_zero());
    if let Some(learned) = learned {
        for pool in pools.iter_mut().filter(|pool| pool.overhead.is_zero()) {
            pool.overhead = learned.time;
        }
    }
    Ok(learned)
}

impl Decision {
    /// Says what was learned of workers.
    fn with_overhead(mut self, learned: Option<WorkerOverhead>) -> Self {
        if let Some(WorkerOverhead { time, shards }) = learned {
            let shards = count(shards, "recorded shard");
            self.document.why += &format!("; {time} a worker beside its tests, from {shards}");
        }
        self
    }
}

/// The probability that the deadline is met: how often the past would have.
fn p_meet(past: &Calibration, sizing: &Sizing, budget: &Budget, pool: &Pool) -> Option<f64> {
    let (deadline, confidence) = (budget.first_deadline()?, budget.confidence?);
    let predicted = (sizing.finish - pool.fixed()).as_secs_f64();
    let allowed = (deadline - pool.fixed()).as_secs_f64();
    (predicted > 0.0).then(|| past.p_meet(allowed / predicted, confidence)).flatten()
}

/// The pools of a fleet as the planner takes them; none where rasher.toml names none.
pub(crate) fn specs(settings: &Settings, pools: &[Pool], fleet: &[u32]) -> Vec<PoolSpec> {
    let used = pools.iter().zip(fleet).filter(|(_, n)| settings.pools_named && **n > 0);
    used.map(|(pool, n)| PoolSpec::of(pool, *n)).collect()
}

/// What the workers of a fleet carry, in the plan that is made for it. Where it cannot be planned
/// for, such as for want of a tag, it is never done.
fn loads(demand: &Demand, specs: &[PoolSpec], fleet: &[u32]) -> Vec<(usize, Micros)> {
    let Estimates { mean, upper, setup, .. } = demand.estimates;
    let pools = || fleet.iter().enumerate().flat_map(|(at, n)| (0..*n).map(move |_| at));
    let mut options = demand.options.clone();
    (options.shards, options.pools) = (fleet.iter().sum(), specs.to_vec());
    let made =
        Costs::new(demand.tests, mean, upper, setup).and_then(|costs| plan(&costs, &options));
    let Ok(made) = made else { return pools().map(|pool| (pool, Micros::MAX)).collect() };
    let work = |shard: &Shard| match specs.iter().find(|spec| spec.name == shard.pool) {
        Some(spec) => spec.work_by(shard.predicted),
        None => shard.predicted,
    };
    pools().zip(&made.shards).map(|(pool, shard)| (pool, work(shard))).collect()
}

/// How past runs are played to learn how far a plan can be trusted.
pub(crate) fn trial(pool: &Pool, workers_max: u32) -> Trial {
    Trial {
        pool: pool.clone(),
        machines: Machines { startup: pool.fixed(), ..Machines::EQUAL },
        overheads: Overheads::default(),
        chunk: Micros::ZERO,
        fixed: 0.5,
        mode: Mode::Static,
        workers_max,
        learn: 1,
    }
}

/// The newest recorded runs, each beside what was expected of it.
pub(crate) fn replay(session: &Session, by: Predictor) -> Result<Replay, Fault> {
    let recordings = recordings(session, RUNS_MAX)?;
    Replay::new(&session.environment, recordings, by).map_err(|e| Fault::store(e.to_string()))
}

/// The recordings of the newest runs of the environment.
pub(crate) fn recordings(
    session: &Session,
    most: usize,
) -> Result<Vec<rasher::history::RunRecording>, Fault> {
    let store = session.open_store()?;
    let runs = store.runs(&session.environment, None).map_err(|e| store_fault(&e))?;
    let runs = session.usable(runs);
    let newest = &runs[runs.len().saturating_sub(most)..];
    let progress = session.output.progress(newest.len() as u64, "runs");
    let mut all = Vec::new();
    for run in newest {
        let loaded = store.load_run(&session.environment, &run.run).map_err(|e| store_fault(&e))?;
        all.extend(session.usable(loaded));
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(all)
}

fn decision(
    settings: &Settings,
    ruled: &Ruled,
    pools: &[Pool],
    (sizing, factor, p_meet): (Sizing, Factor, Option<f64>),
) -> Decision {
    let budget = &ruled.budget;
    let used = || pools.iter().zip(&sizing.fleet).filter(|(_, n)| **n > 0);
    let mut why = sizing.why.clone();
    if factor.runs_needed > 0 {
        why += &format!(
            "; predictions are stretched by {:.2}, from {} past runs",
            factor.factor, factor.runs
        );
        if factor.is_widened() {
            why += &format!(" where {} are needed: widened", factor.runs_needed);
        }
    }
    if sizing.gap > 0.0 {
        let gap = (sizing.gap * 100.0).max(0.01);
        why += &format!("; any other choice is better by {gap:.2} % at most");
    }
    if budget.lazy {
        why += "; a lazy run never adds workers";
    }
    let document = BudgetDocument {
        rule: ruled.rule.clone(),
        deadline_ms: budget.deadline,
        confidence: budget.confidence,
        retry_ms: budget.retry_time().filter(|time| !time.is_zero()),
        p_meet,
        predicted_finish_ms: sizing.finish,
        startup_ms: used().map(|(p, _)| p.fixed()).max().unwrap_or_default(),
        workers: sizing.workers,
        cost: sizing.cost.map(Money::as_f64),
        currency: sizing.cost.and(settings.account.currency.clone()),
        feasible: sizing.feasible,
        why,
    };
    let pools = specs(settings, pools, &sizing.fleet);
    Decision { sizing, document, pools }
}
