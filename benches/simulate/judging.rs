//! The policy table: every rule on the same branch runs of the same made suites.

use std::ops::RangeInclusive;

use rasher::attempt::Isolation;
use rasher::flake::{Filter, FlakeOptions, Retried, Seen, gate};
use rasher::outcome::environment::{Disturbance, alarm_rings, mass_limit};
use rasher::test_id::TestId;

use super::branch::{Base, BranchRun, CAUSES, Oracle};
use super::calibration::Calibration;
use super::fate::Reach;
use super::mainline::MainLine;
use super::policy::{Assumed, BaseCache, Judged, Knowledge, Policy, Rule};
use super::world::World;

/// Runs of branches that share one base commit, and so what is known of it.
const RUNS_PER_BASE: u32 = 20;

/// One line of the table.
#[derive(Clone, Debug)]
pub struct PolicyRow {
    /// The rule.
    pub policy: &'static str,
    /// Extra machine seconds per run.
    pub seconds: f64,
    /// Share of runs wrongly blocked or wrongly passed.
    pub wrong: f64,
    /// Share of runs without breakage and disturbance that are blocked.
    pub clean_blocked: f64,
    /// Share of visible breakages all of whose tests were let through: deterministic, partial.
    pub missed: (f64, f64),
    /// Extra machine seconds of a disturbed run.
    pub disturbed_seconds: f64,
    /// Share of disturbed runs without breakage that are blamed on the commit.
    pub disturbed_blocked: f64,
    /// The counts behind the shares.
    pub tally: Tally,
}

/// Counts of one policy in one world.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Runs judged.
    pub runs: u32,
    /// Wrong ones.
    pub wrong: u32,
    /// Clean ones, and those of them that were blocked.
    pub clean: (u32, u32),
    /// Visible deterministic breakages, and those missed.
    pub deterministic: (u32, u32),
    /// Visible partial breakages, and those missed.
    pub partial: (u32, u32),
    /// Disturbed runs without breakage, and those blocked.
    pub disturbed: (u32, u32),
    /// Seconds in all, and in disturbed runs, with the count of the latter.
    pub seconds: (f64, f64, u32),
    /// Persistent outages over the mass limit, and those called environment.
    pub outages: (u32, u32),
    /// Core breakages, and those called environment.
    pub cores: (u32, u32),
    /// Clean runs called environment.
    pub clean_environment: u32,
    /// Most executions spent before a probe was read.
    pub probe_executions: u32,
    /// The seconds by what made the tests fail: one number for each of [`CAUSES`].
    pub bill: [f64; CAUSES.len()],
    /// What was believed of each failure, beside the truth.
    pub calibration: Calibration,
}

/// Everything measured in one branch world.
#[derive(Clone, Debug)]
pub struct PolicyTable {
    /// The world.
    pub world: &'static str,
    /// Machine seconds of the suite itself, one run.
    pub suite_seconds: f64,
    /// Failing tests of a run, the median.
    pub failing: f64,
    /// Share of the suite run before the alarm rings in an outage: median and 90 % quantile.
    pub alarm_share: (f64, f64),
    /// Undisturbed runs without a breakage, and those of them in which the alarm rings before the
    /// last result though it would not after it.
    pub early_alarms: (u32, u32),
    /// The learned correlation of retries, by class.
    pub correlation: [f32; 3],
    /// The rules.
    pub rows: Vec<PolicyRow>,
}

/// The rules of the table, in order.
pub fn policies() -> Vec<(&'static str, Policy)> {
    let rule = Rule {
        quarantine: true,
        controls: 10,
        alarm: true,
        correlation: Assumed::Learned,
        attempts_max: 15,
        one_first: true,
        stop: true,
    };
    let with = |rule| Policy::Hypotheses(rule);
    vec![
        ("no retry", Policy::Fixed(0)),
        ("fixed 1", Policy::Fixed(1)),
        ("fixed 2", Policy::Fixed(2)),
        ("fixed 5", Policy::Fixed(5)),
        ("fixed 10", Policy::Fixed(10)),
        ("Gradle 2, maxFailures 20", Policy::FixedUpTo(2, 20)),
        ("Captain 2, max 1.5%", Policy::FixedUpToShare(2, 0.015)),
        ("ATR 5, cap 1,000", Policy::Capped(5, 1_000, false)),
        ("ATR 5, known flaky only", Policy::Capped(5, 1_000, true)),
        ("tiers 10/5/3/2", Policy::Tiers),
        ("label list", Policy::List(0)),
        ("label list + 1", Policy::List(1)),
        ("closed form, no share", Policy::Closed(false)),
        ("closed form", Policy::Closed(true)),
        ("rule, no alarm", with(Rule { alarm: false, ..rule })),
        ("rule, 5 attempts", with(Rule { attempts_max: 5, ..rule })),
        ("rule, 10 attempts", with(Rule { attempts_max: 10, ..rule })),
        ("rule, no base control", with(Rule { controls: 0, ..rule })),
        ("rule, no quarantine", with(Rule { quarantine: false, ..rule })),
        ("rule, no flags", with(Rule { quarantine: false, one_first: false, ..rule })),
        ("rule, all doubts settled", with(Rule { stop: false, ..rule })),
        ("rule, all of a cluster", with(Rule { one_first: false, ..rule })),
        ("rule, rho assumed 0.1", with(Rule { correlation: Assumed::Constant(0.1), ..rule })),
        ("rule, rho known", with(Rule { correlation: Assumed::Known, ..rule })),
        ("rule", with(rule)),
    ]
}

/// A filter trained on a whole main line, and the mass limit of its last 200 normal runs.
pub fn train(line: &mut MainLine) -> (Filter, u32) {
    let mut filter = Filter::new(FlakeOptions::default());
    for class in line.suite.class.clone() {
        filter.add(class);
    }
    let mut surprising = Vec::new();
    for run in 0..line.world.runs {
        let shown = line.next_run();
        let mut seen = shown.seen(line.world.tests);
        let workers = if shown.failed.len() >= 8 { line.workers(run) } else { Vec::new() };
        if !gate(&mut seen, &workers, 0.0).whole_run {
            let odd = |t: &&u32| filter.belief(TestId(**t)).is_surprising();
            surprising.push(shown.failed.iter().filter(odd).count() as u32);
        }
        let retried: Vec<Retried> = shown
            .failed
            .iter()
            .zip(&shown.retry_failed)
            .filter(|(test, _)| seen[**test as usize] == Seen::Failed)
            .map(|(test, failed)| Retried {
                test: TestId(*test),
                failed: *failed,
                isolation: Isolation::FreshWorker,
            })
            .collect();
        filter.update_grouped(&seen, &retried, &line.suite.module.clone(), true);
    }
    let from = surprising.len().saturating_sub(200);
    (filter, mass_limit(&mut surprising[from..]))
}

impl Tally {
    fn note(&mut self, run: &BranchRun, base: &Base<'_>, judged: &Judged, oracle: &Oracle<'_>) {
        let seconds = oracle.seconds;
        let visible = run.is_visible();
        let forgiven = |test: &u32| base.is_broken(*test) && !run.is_real(*test);
        let blocked = judged.blocking.iter().any(|test| !forgiven(test));
        // A test left open is not let through where another one blocks the run.
        let open = judged.open.iter().filter(|_| blocked);
        let caught = judged.blocking.iter().chain(open).any(|test| run.is_real(*test));
        let missed = visible && !caught && !judged.environment;
        let wrongly_blocked = !visible && blocked;
        let hit = |slot: &mut (u32, u32), hit: bool| {
            slot.0 += 1;
            slot.1 += u32::from(hit);
        };
        self.runs += 1;
        for (sum, more) in self.bill.iter_mut().zip(oracle.bill) {
            *sum += more;
        }
        for (test, believed) in &judged.believed {
            self.calibration.note(*believed, run.is_real(*test));
        }
        self.wrong += u32::from(missed || wrongly_blocked);
        self.seconds.0 += seconds;
        if run.disturbed {
            self.seconds.1 += seconds;
            self.seconds.2 += 1;
        }
        match &run.breakage {
            Some(breakage) if visible && breakage.is_deterministic() => {
                hit(&mut self.deterministic, missed);
            }
            Some(_) if visible => hit(&mut self.partial, missed),
            _ if run.disturbed => hit(&mut self.disturbed, blocked),
            _ => {
                hit(&mut self.clean, blocked);
                self.clean_environment += u32::from(judged.environment);
            }
        }
        if run.persistent_outage && !visible && judged.disturbance.is_some() {
            hit(&mut self.outages, judged.disturbance == Some(Disturbance::Environment));
        }
        if run.breakage.as_ref().is_some_and(|b| b.reach == Reach::Core) && !run.disturbed {
            hit(&mut self.cores, judged.environment);
        }
        self.probe_executions = self.probe_executions.max(judged.probe_executions);
    }

    fn row(self, policy: &'static str) -> PolicyRow {
        let share = |(of, hit): (u32, u32)| f64::from(hit) / f64::from(of.max(1));
        PolicyRow {
            policy,
            seconds: self.seconds.0 / f64::from(self.runs.max(1)),
            wrong: share((self.runs, self.wrong)),
            clean_blocked: share(self.clean),
            missed: (share(self.deterministic), share(self.partial)),
            disturbed_seconds: self.seconds.1 / f64::from(self.seconds.2.max(1)),
            disturbed_blocked: share(self.disturbed),
            tally: self,
        }
    }
}

/// The policy table of a branch world: `runs` branch runs of each of `seeds`.
pub fn policy_table(world: &World, seeds: RangeInclusive<u64>, runs: u32) -> PolicyTable {
    let policies = policies();
    let mut tallies = vec![Tally::default(); policies.len()];
    let (mut alarms, mut failing) = (Vec::new(), Vec::new());
    let (mut suite_seconds, mut correlation, mut early_alarms) = (0.0, [0.0; 3], (0, 0));
    let count = seeds.clone().count().max(1) as f64;
    for seed in seeds {
        let mut line = MainLine::new(world.clone(), seed);
        let (filter, limit) = train(&mut line);
        let clusters = filter.clusters();
        let per_seed = 1.0 / count;
        suite_seconds += line.suite.seconds.iter().map(|s| f64::from(*s)).sum::<f64>() * per_seed;
        for class in 0..3_u8 {
            correlation[usize::from(class)] +=
                filter.correlation(class, Isolation::FreshWorker) * per_seed as f32;
        }
        let mut base = Base::new(&line, seed);
        let mut caches = vec![BaseCache::new(); policies.len()];
        for number in 0..runs {
            if number % RUNS_PER_BASE == 0 {
                caches.fill(BaseCache::new());
            }
            let run = base.next_run();
            failing.push(run.failed.len() as f64);
            let workers = base.workers(number);
            let know = Knowledge {
                suite: &line.suite,
                filter: &filter,
                clusters: &clusters,
                mass_limit: limit,
                workers: &workers,
                worker_count: world.workers,
                correlation: world.correlation,
            };
            for (at, (_, policy)) in policies.iter().enumerate() {
                let mut oracle = base.oracle(&run);
                let judged = policy.judge(&run, &know, &mut oracle, &mut caches[at]);
                tallies[at].note(&run, &base, &judged, &oracle);
            }
            if run.persistent_outage {
                alarms.push(alarm_share(&run, &know).0);
            } else if !run.disturbed && run.breakage.is_none() {
                let (share, surprising) = alarm_share(&run, &know);
                early_alarms.0 += 1;
                early_alarms.1 += u32::from(share < 1.0 && surprising <= know.mass_limit);
            }
        }
    }
    let rows = policies.iter().zip(tallies).map(|((name, _), tally)| tally.row(name)).collect();
    let alarm_share =
        (super::metric::quantile(&mut alarms, 0.5), super::metric::quantile(&mut alarms, 0.9));
    let failing = super::metric::quantile(&mut failing, 0.5);
    PolicyTable {
        world: world.name,
        suite_seconds,
        failing,
        alarm_share,
        early_alarms,
        correlation,
        rows,
    }
}

/// Share of the suite, run in random order, after which the alarm rings, and how many failures of
/// the whole run surprise.
fn alarm_share(run: &BranchRun, know: &Knowledge<'_>) -> (f64, u32) {
    let tests = know.suite.class.len() as u32;
    // The order of the suite in this run: any fixed bijection that mixes well will do.
    let place = |test: u32| super::fate::worker_of(u64::from(run.number), 7, test, tests);
    let mut places: Vec<u32> = run
        .failed
        .iter()
        .filter(|test| know.filter.belief(TestId(**test)).is_surprising())
        .map(|test| place(*test))
        .collect();
    places.sort_unstable();
    let rings = |(before, at): (usize, &u32)| {
        alarm_rings(before as u32 + 1, *at as usize + 1, tests as usize, know.mass_limit)
    };
    let first = places.iter().enumerate().find(|it| rings(*it));
    let share = first.map_or(1.0, |(_, at)| f64::from(*at) / f64::from(tests));
    (share, places.len() as u32)
}
