//! What a run is judged to be after retries: by the products' own rules, and by Rasher's.

use std::collections::{BTreeMap, BTreeSet};

use rasher::attempt::Isolation;
use rasher::flake::{Belief, Clusters, Filter};
use rasher::outcome::environment::{
    Candidate, Disturbance, WorkerCount, probe, read_probe, suspected_workers,
};
use rasher::retry::{Doubt, DoubtOptions, Known, Next, retries_needed};
use rasher::test_id::TestId;
use rasher::verdict::VerdictOptions;

use super::branch::{BranchRun, Oracle};
use super::world::Suite;

/// What all policies may know of the suite.
#[derive(Debug)]
pub struct Knowledge<'a> {
    /// The tests: classes, seconds and modules are known, the rest is truth and is not read.
    pub suite: &'a Suite,
    /// Trained on the main line.
    pub filter: &'a Filter,
    /// The tests that fail together, as the filter sees them.
    pub clusters: &'a Clusters,
    /// Over so many surprising failures the mass alarm rings.
    pub mass_limit: u32,
    /// The worker of each test in this run.
    pub workers: &'a [u32],
    /// How many workers there are.
    pub worker_count: u32,
    /// The correlation of retries in truth.
    pub correlation: f64,
}

/// How a policy ended for one run.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// The tests that block.
    pub blocking: Vec<u32>,
    /// The tests that were left open, since another one blocks.
    pub open: Vec<u32>,
    /// How likely each failing test is the commit's, in the end; nothing where no rule weighs that.
    pub believed: Vec<(u32, f64)>,
    /// True where the environment is blamed and no verdict is given.
    pub environment: bool,
    /// What the probe said, if there was one.
    pub disturbance: Option<Disturbance>,
    /// Executions before the probe was read.
    pub probe_executions: u32,
}

/// A rule for retries and verdicts.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    /// Up to so many retries of every failed test, until the first pass.
    Fixed(u32),
    /// The same, but no retry at all where more tests than this failed.
    FixedUpTo(u32, usize),
    /// The same, but none where more than this share failed.
    FixedUpToShare(u32, f64),
    /// So many retries with at most so many in a session; `true`: known flaky tests only.
    Capped(u32, u32, bool),
    /// Ten, five, three or two retries by duration.
    Tiers,
    /// Failures of listed flaky tests never block; others get so many retries.
    List(u32),
    /// The closed form; `true`: the error is shared among the failing tests.
    Closed(bool),
    /// The rule of hypotheses.
    Hypotheses(Rule),
}

/// Which parts of the rule are in use.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Very flaky tests neither gate nor are retried.
    pub quarantine: bool,
    /// Tests run on the base at most, per run.
    pub controls: u32,
    /// The mass alarm with its probe.
    pub alarm: bool,
    /// Which correlation of retries is assumed.
    pub correlation: Assumed,
    /// Attempts of one test at most.
    pub attempts_max: u32,
    /// One member of a cluster is retried until it passes; the others wait for that.
    pub one_first: bool,
    /// Once a failure is proven the commit's, those that hardly are stay open: the run is blocked.
    pub stop: bool,
}

/// Where the correlation of retries comes from.
#[derive(Clone, Copy, Debug)]
pub enum Assumed {
    /// A constant.
    Constant(f32),
    /// The truth.
    Known,
    /// What the filter learned on the main line.
    Learned,
}

/// Listed as flaky by its expected rate.
const LISTED: f32 = 0.005;

/// Tests known to fail on the base, for as long as the base stays.
pub type BaseCache = BTreeSet<(u32, bool)>;

impl Policy {
    /// Judges one run. `cache` holds what runs on this base have shown.
    pub fn judge(
        &self,
        run: &BranchRun,
        know: &Knowledge<'_>,
        oracle: &mut Oracle<'_>,
        cache: &mut BaseCache,
    ) -> Judged {
        let listed = |test: &u32| know.filter.belief(TestId(*test)).rate > LISTED;
        let failing = &run.failed;
        let fixed = |times: &dyn Fn(u32) -> u32, oracle: &mut Oracle<'_>| Judged {
            blocking: failing
                .iter()
                .copied()
                .filter(|test| !passes_within(times(*test), *test, oracle))
                .collect(),
            ..Judged::default()
        };
        match *self {
            Self::Fixed(n) => fixed(&|_| n, oracle),
            Self::FixedUpTo(n, most) => {
                fixed(&|_| if failing.len() > most { 0 } else { n }, oracle)
            }
            Self::FixedUpToShare(n, share) => {
                let most = share * know.suite.class.len() as f64;
                fixed(&|_| if failing.len() as f64 > most { 0 } else { n }, oracle)
            }
            Self::Capped(n, cap, known) => {
                capped(n, cap, failing, oracle, |t| !known || listed(&t))
            }
            Self::Tiers => fixed(&|test| tier(know.suite.seconds[test as usize]), oracle),
            Self::List(n) => {
                let mut judged = fixed(&|test| if listed(&test) { 0 } else { n }, oracle);
                judged.blocking.retain(|test| !listed(test));
                judged
            }
            Self::Closed(shared) => {
                let m = if shared { failing.len() } else { 1 };
                let times = |test: u32| {
                    let rate = f64::from(know.filter.belief(TestId(test)).rate);
                    retries_needed(0.01, m, rate + 0.1 * (1.0 - rate))
                };
                fixed(&times, oracle)
            }
            Self::Hypotheses(rule) => hypotheses(&rule, run, know, oracle, cache),
        }
    }
}

fn passes_within(retries: u32, test: u32, oracle: &mut Oracle<'_>) -> bool {
    (1..=retries).any(|round| !oracle.head(test, round, false))
}

fn tier(seconds: f32) -> u32 {
    match seconds {
        s if s <= 5.0 => 10,
        s if s <= 10.0 => 5,
        s if s <= 30.0 => 3,
        _ => 2,
    }
}

fn capped(
    retries: u32,
    cap: u32,
    failing: &[u32],
    oracle: &mut Oracle<'_>,
    may: impl Fn(u32) -> bool,
) -> Judged {
    let mut judged = Judged::default();
    let start = oracle.executions;
    for test in failing {
        let left = cap.saturating_sub(oracle.executions - start);
        let times = if may(*test) { retries.min(left) } else { 0 };
        if !passes_within(times, *test, oracle) {
            judged.blocking.push(*test);
        }
    }
    judged
}

/// The state of one failing test.
struct Case {
    test: u32,
    belief: Belief,
    surprising: bool,
    suspected: bool,
    /// Outcomes of a probe at the head and on the base.
    probed: Option<(bool, bool)>,
}

fn hypotheses(
    rule: &Rule,
    run: &BranchRun,
    know: &Knowledge<'_>,
    oracle: &mut Oracle<'_>,
    cache: &mut BaseCache,
) -> Judged {
    let mut cases: Vec<Case> = run
        .failed
        .iter()
        .map(|test| {
            let belief = know.filter.belief(TestId(*test));
            let surprising = belief.is_surprising();
            Case { test: *test, belief, surprising, suspected: false, probed: None }
        })
        .collect();
    suspect_workers(&mut cases, know);
    let mut judged = Judged::default();
    if rule.alarm {
        raise_alarm(&mut cases, know, oracle, &mut judged);
        match judged.disturbance {
            Some(Disturbance::Environment) => {
                judged.environment = true;
                return judged;
            }
            Some(Disturbance::Wide) => {
                let probed = cases.iter().filter(|case| case.probed.is_some_and(|p| p.0 && !p.1));
                judged.blocking = probed.map(|case| case.test).collect();
                return judged;
            }
            _ => {}
        }
    }
    settle(rule, &cases, know, oracle, (cache, &mut judged));
    judged
}

fn suspect_workers(cases: &mut [Case], know: &Knowledge<'_>) {
    let mut counts = vec![WorkerCount::default(); know.worker_count as usize];
    for worker in know.workers {
        counts[*worker as usize].ran += 1;
    }
    for case in cases.iter().filter(|case| case.surprising) {
        counts[know.workers[case.test as usize] as usize].surprising += 1;
    }
    let suspects = suspected_workers(&counts, know.mass_limit);
    for case in cases {
        case.suspected = suspects.contains(&know.workers[case.test as usize]);
    }
}

/// Rings where too many failures surprise, and probes.
fn raise_alarm(
    cases: &mut [Case],
    know: &Knowledge<'_>,
    oracle: &mut Oracle<'_>,
    judged: &mut Judged,
) {
    let odd = |case: &Case| case.surprising && !case.suspected;
    if cases.iter().filter(|case| odd(case)).count() as u32 <= know.mass_limit {
        return;
    }
    let candidates = cases.iter().enumerate().filter(|(_, case)| odd(case)).map(|(index, case)| {
        let at = case.test as usize;
        Candidate {
            index,
            seconds: know.suite.retry_seconds(case.test, true),
            module: know.suite.module[at],
            worker: Some(know.workers[at]),
            signature: None,
        }
    });
    let chosen = probe(candidates.collect());
    let (mut head, mut base) = (0, 0);
    let of = chosen.len() as u32;
    for index in chosen {
        let test = cases[index].test;
        let (at_head, at_base) = (oracle.head(test, 1, false), oracle.on_base(test, 1, true));
        cases[index].probed = Some((at_head, at_base));
        head += u32::from(at_head);
        base += u32::from(at_base);
    }
    let disturbance = read_probe((head, of), (base, of));
    if disturbance == Disturbance::Transient {
        cases.iter_mut().filter(|case| case.surprising).for_each(|case| case.suspected = true);
    }
    judged.disturbance = Some(disturbance);
    judged.probe_executions = oracle.executions;
}

/// Round after round, as `rasher retry` does: what is outstanding runs again, what goes on failing
/// once on the base, until all is settled.
fn settle(
    rule: &Rule,
    cases: &[Case],
    know: &Knowledge<'_>,
    oracle: &mut Oracle<'_>,
    (cache, judged): (&mut BaseCache, &mut Judged),
) {
    let options = DoubtOptions {
        quarantine_rate: if rule.quarantine { 0.3 } else { 2.0 },
        attempts_max: rule.attempts_max,
        ..DoubtOptions::default()
    };
    let mut open = weighed(cases, know, rule, &options);
    // A probe was the first round.
    let first = 1 + u32::from(cases.iter().any(|case| case.probed.is_some()));
    let mut desk = Desk { options, rule, know, controls: rule.controls, cache, oracle };
    for round in first.. {
        desk.ask_base(&mut open, round);
        let turn = desk.outstanding(&open);
        if turn.is_empty() {
            break;
        }
        for at in turn {
            let passed = open[at].doubt.attempts().1 > 0;
            let failed = desk.oracle.head(open[at].test, round, passed);
            open[at].doubt.observe(failed);
        }
    }
    judged.believed = open.iter().map(|it| (it.test, it.doubt.p_real())).collect();
    let left = |it: &&Open| it.doubt.next(&options, false) == Next::Retry;
    judged.open = open.iter().filter(left).map(|it| it.test).collect();
    let blocks = |it: &&Open| match it.doubt.next(&options, false) {
        Next::Failed => true,
        Next::PreExisting => it.doubt.control() != Some(true) && it.doubt.attempts().1 == 0,
        _ => false,
    };
    judged.blocking = open.iter().filter(blocks).map(|it| it.test).collect();
    if judged.blocking.is_empty() {
        judged.blocking.extend(doubtful(&open, know, &options));
    }
}

/// Where each test passed again, but together they are likelier real than not: the likeliest.
fn doubtful(open: &[Open], know: &Knowledge<'_>, options: &DoubtOptions) -> Option<u32> {
    let gates = |it: &&Open| {
        !matches!(it.doubt.next(options, false), Next::PreExisting | Next::Quarantined)
    };
    let mut causes: BTreeMap<(usize, u32), f64> = BTreeMap::new();
    for it in open.iter().filter(gates) {
        let cluster = know.clusters.of(TestId(it.test));
        let cause = cluster.map_or((usize::MAX, it.test), |cluster| (cluster, 0));
        let p = causes.entry(cause).or_default();
        *p = p.max(it.doubt.p_real());
    }
    let p_any = 1.0 - causes.values().map(|p| 1.0 - p).product::<f64>();
    let likeliest =
        open.iter().filter(gates).max_by(|a, b| a.doubt.p_real().total_cmp(&b.doubt.p_real()));
    likeliest.filter(|_| p_any > VerdictOptions::default().p_real_max).map(|it| it.test)
}

/// A failing test whose verdict is open.
struct Open {
    test: u32,
    cluster: Option<usize>,
    doubt: Doubt,
}

/// The doubt about each failing test after its first failure and, where there was one, its probe.
fn weighed(cases: &[Case], know: &Knowledge<'_>, rule: &Rule, options: &DoubtOptions) -> Vec<Open> {
    let module = |case: &Case| know.suite.module[case.test as usize] as usize;
    let mut per_module = vec![0_u32; know.suite.modules as usize];
    for case in cases.iter().filter(|case| case.surprising) {
        per_module[module(case)] += 1;
    }
    let open = |case: &Case| {
        let neighbours = per_module[module(case)] - u32::from(case.surprising);
        let mut doubt = Doubt::after_failure(&known(rule, case, know, neighbours), options);
        if let Some((at_head, at_base)) = case.probed {
            doubt.observe(at_head);
            doubt.observe_base(at_base);
        }
        let cluster = know.clusters.of(TestId(case.test)).filter(|_| rule.one_first);
        Open { test: case.test, cluster, doubt }
    };
    cases.iter().map(open).collect()
}

fn known(rule: &Rule, case: &Case, know: &Knowledge<'_>, neighbours: u32) -> Known {
    let class = know.suite.class[case.test as usize];
    Known {
        belief: case.belief,
        correlation: match rule.correlation {
            Assumed::Constant(rho) => rho,
            Assumed::Known => know.correlation as f32,
            Assumed::Learned => know.filter.correlation(class, Isolation::FreshWorker),
        },
        neighbours,
        suspected: case.suspected,
    }
}

/// What it takes to settle failing tests.
struct Desk<'a, 'b> {
    options: DoubtOptions,
    rule: &'a Rule,
    know: &'a Knowledge<'a>,
    /// Runs on the base that are left.
    controls: u32,
    cache: &'a mut BaseCache,
    oracle: &'a mut Oracle<'b>,
}

impl Desk<'_, '_> {
    /// Where in `open` the tests are that run again in this round.
    fn outstanding(&self, open: &[Open]) -> Vec<usize> {
        let blocked = self.rule.stop && open.iter().any(|it| it.doubt.is_proven(&self.options));
        let runs = |it: &Open| {
            // The first failure is always tried again.
            let untried = it.doubt.attempts() == (1, 0);
            let next = it.doubt.next(&self.options, false);
            (next == Next::Retry || (untried && next == Next::Failed))
                && !(blocked && it.doubt.may_stay_open())
        };
        let mut wanted: Vec<usize> = (0..open.len()).filter(|at| runs(&open[*at])).collect();
        // Of a cluster the cheapest runs until it passes.
        let mut over = BTreeSet::new();
        for it in open.iter().filter(|it| it.doubt.attempts().1 > 0) {
            over.extend(it.cluster);
        }
        let mut cheapest: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
        for at in &wanted {
            let seconds = self.know.suite.retry_seconds(open[*at].test, true);
            if let Some(cluster) = open[*at].cluster {
                let known = cheapest.entry(cluster).or_insert((seconds, *at));
                if seconds < known.0 {
                    *known = (seconds, *at);
                }
            }
        }
        wanted.retain(|at| match open[*at].cluster {
            Some(cluster) if !over.contains(&cluster) => cheapest[&cluster].1 == *at,
            _ => true,
        });
        wanted
    }

    /// Runs what goes on failing once on the base, the cheapest first, or recalls what another run
    /// of this base has shown.
    fn ask_base(&mut self, open: &mut [Open], round: u32) {
        let asks = |it: &Open| {
            let (failed, passed) = it.doubt.attempts();
            let next = it.doubt.next(&self.options, true);
            let last = matches!(next, Next::Control | Next::Failed) && failed + passed > 1;
            it.doubt.control().is_none() && (last || next == Next::PreExisting && passed == 0)
        };
        let mut asked: Vec<usize> = (0..open.len()).filter(|at| asks(&open[*at])).collect();
        let seconds = |at: &usize| self.know.suite.retry_seconds(open[*at].test, true);
        asked.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
        for at in asked {
            let test = open[at].test;
            let told = [true, false].into_iter().find(|f| self.cache.contains(&(test, *f)));
            let failed = match told {
                Some(failed) => failed,
                None if self.controls == 0 => continue,
                None => {
                    self.controls -= 1;
                    self.oracle.on_base(test, round, true)
                }
            };
            self.cache.insert((test, failed));
            open[at].doubt.observe_base(failed);
        }
    }
}
