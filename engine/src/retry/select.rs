//! Which tests run again: what is outstanding, what that demands, and what limits allow.

use std::collections::{BTreeMap, BTreeSet};

use super::alarm::{Alarm, alarm};
use super::case::{Case, Planned};
use super::closure::Closure;
use super::demands::Demands;
use super::doubt::{Doubt, DoubtOptions, Known, Next, retries_needed};
use super::limits::{RetryLimits, Taken};
use super::scan::Scan;
use crate::attempt::{Isolation, Outcome};
use crate::flake::Scores;
use crate::outcome::Outcomes;
use crate::plan::document::Settled;
use crate::test_id::TestId;
use crate::units::Micros;

/// How a test that failed is settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetryRule {
    /// By hypotheses where any run is known, else by the closed form.
    #[default]
    Auto,
    /// By the probabilities of five explanations.
    Hypotheses,
    /// By a number of retries fixed from its rate and the number of failing tests; the first pass
    /// settles it.
    ClosedForm,
}

/// What decides a retry.
#[derive(Clone, Debug)]
pub struct RetryOptions {
    /// The rule for one failing test.
    pub doubt: DoubtOptions,
    /// The limits for all.
    pub limits: RetryLimits,
    /// Where the retries will run.
    pub isolation: Isolation,
    /// Which rule settles a test.
    pub rule: RetryRule,
    /// Of tests that always fail together only the cheapest runs again, until it passes.
    pub one_of_cluster: bool,
    /// Retry even where so much failed that a probe of a few tests should come first.
    pub ignore_alarm: bool,
    /// Retry what fails even where another failure is proven the commit's, so that the run is
    /// blocked whatever comes of it; else what hardly can be the commit's stays open.
    pub settle_all: bool,
    /// Tests in quarantine, by name: their failures do not block. They are not retried, and prove
    /// nothing.
    pub quarantined: BTreeSet<String>,
}

/// What is known beside the results of this commit.
#[derive(Clone, Copy, Debug)]
pub struct RetryEvidence<'a> {
    /// What past runs say.
    pub scores: &'a Scores,
    /// What the base commit showed, where somebody ran it.
    pub base: Option<&'a Outcomes>,
    /// What tests demand of each other.
    pub demands: &'a Demands,
    /// Predicted durations.
    pub durations: &'a [Micros],
}

impl Default for RetryOptions {
    fn default() -> Self {
        // A score alone takes no test out: that is for a policy that says so.
        let doubt = DoubtOptions { quarantine_rate: 2.0, ..DoubtOptions::default() };
        Self {
            doubt,
            limits: RetryLimits::default(),
            isolation: Isolation::FreshProcess,
            rule: RetryRule::Auto,
            one_of_cluster: false,
            ignore_alarm: false,
            settle_all: false,
            quarantined: BTreeSet::new(),
        }
    }
}

/// The answer: what runs again, and for every other test why it does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetrySet {
    /// The tests to run again, in canonical order.
    pub tests: Vec<TestId>,
    /// How many of them are there only because others demand them.
    pub demanded: usize,
    /// How many outstanding tests the limits left out.
    pub over_limit: usize,
    /// Every other planned test.
    pub settled: Vec<Settled>,
    /// So much failed that single retries would tell nothing: the tests are a probe, to be run here
    /// and on the base, or its answer is at hand.
    pub alarm: Option<Alarm>,
    /// Tests to run once on the base commit, the cheapest first: they go on failing, and whether the
    /// base fails them too decides whether the commit is to blame. At most [`CONTROLS_MAX`].
    pub controls: Vec<TestId>,
}

/// So many tests at most are asked for on the base.
pub const CONTROLS_MAX: usize = 10;

/// Weighs a failing case: `None` where nothing of it failed. `neighbours` counts the other
/// surprising failures of its class.
pub fn weigh(
    case: &Case,
    name: &str,
    scores: &Scores,
    (neighbours, suspected): (u32, bool),
    doubt: &DoubtOptions,
) -> Option<Doubt> {
    let first = case.executions.iter().position(|(outcome, _)| outcome.is_failure())?;
    let isolation = case.executions.get(first + 1).map_or(Isolation::FreshProcess, |it| it.1);
    let correlation = scores.correlation(name, isolation);
    let belief = scores.belief(name);
    let known = Known { belief, correlation, neighbours, suspected };
    let mut weighed = Doubt::after_failure(&known, doubt);
    for (at, (outcome, isolation)) in case.executions.iter().enumerate() {
        match isolation {
            _ if at == first || !outcome.is_result() => {}
            Isolation::Replay => weighed.observe_replay(outcome.is_failure()),
            _ => weighed.observe(outcome.is_failure()),
        }
    }
    Some(weighed)
}

/// For each case the other surprising failures of its class.
pub fn neighbours(planned: &Planned, cases: &[Case], scores: &Scores) -> Vec<u32> {
    let tests = planned.tests();
    let mut per_group = vec![0_u32; tests.group_count()];
    let odd =
        |case: &Case| case.counts().0 > 0 && scores.belief(tests.name(case.test)).is_surprising();
    for case in cases.iter().filter(|case| odd(case)) {
        if let Some(group) = tests.group(case.test) {
            per_group[group.index()] += 1;
        }
    }
    let of = |case: &Case| {
        let all = tests.group(case.test).map_or(0, |group| per_group[group.index()]);
        all.saturating_sub(u32::from(odd(case)))
    };
    cases.iter().map(of).collect()
}

/// From this probability on a failure is told as one of its order.
pub(crate) const ORDER_SURE: f64 = 0.9;

/// After so many failures in its order, and none that passed, a replay tells nothing new.
const IN_ORDER_MAX: u32 = 3;

/// Why a case does not run again, or its doubt, if it does.
enum State {
    Settled(String),
    /// With the expected fall of its doubt, and whether it may stay open in a run that is blocked.
    Outstanding(f64, bool),
}

/// What settles the tests of one retry.
struct Judge<'a> {
    scan: Scan<'a>,
    scores: &'a Scores,
    options: &'a RetryOptions,
    /// Tests that failed and never passed.
    failing: usize,
}

impl<'a> Judge<'a> {
    fn new(
        planned: &'a Planned,
        cases: &'a [Case],
        evidence: &RetryEvidence<'a>,
        options: &'a RetryOptions,
    ) -> Self {
        let scan = Scan::new(planned, cases, evidence.scores, evidence.base);
        let failing = cases.iter().filter(|case| case.counts().0 > 0 && case.counts().1 == 0);
        Self { scan, scores: evidence.scores, options, failing: failing.count() }
    }

    fn by_closed_form(&self) -> bool {
        match self.options.rule {
            RetryRule::Auto => self.scores.runs() == 0,
            RetryRule::Hypotheses => false,
            RetryRule::ClosedForm => true,
        }
    }

    /// The failure that blocks the run whatever comes of the others, where they need not be settled.
    fn proof(&self, cases: &'a [Case]) -> Option<&'a Case> {
        if self.options.settle_all || self.by_closed_form() {
            return None;
        }
        self.scan.proof(cases, &self.options.doubt, &self.options.quarantined)
    }

    /// True where a run on the base would tell whether the commit is to blame.
    fn asks_base(&self, case: &Case) -> bool {
        let doubt = self.scan.doubt(case, &self.options.doubt).filter(|it| it.control().is_none());
        let next = doubt.map(|doubt| doubt.next(&self.options.doubt, true));
        let (failed, passed) = case.counts();
        let asks = match next {
            Some(Next::Control | Next::Failed) => failed + passed > 1,
            // By history alone nothing is let through.
            Some(Next::PreExisting) => passed == 0,
            _ => false,
        };
        asks && !self.by_closed_form() && !case.is_final()
    }

    fn state(&self, case: &Case, name: &str) -> State {
        if case.counts().0 == 0 {
            return match (case.is_missing(), case.is_skipped()) {
                (true, _) => State::Outstanding(f64::INFINITY, false),
                (_, true) => State::Settled("skipped on purpose".to_owned()),
                _ => State::Settled("passed".to_owned()),
            };
        }
        if self.options.quarantined.contains(name) {
            let why = "not retried: in quarantine, its failure does not block";
            return State::Settled(why.to_owned());
        }
        if case.is_final() {
            let why = "not retried: its failure is of a kind that no pass takes back";
            return State::Settled(why.to_owned());
        }
        if self.asks_for_order(case) {
            return State::Outstanding(1.0, false);
        }
        if let Some((failed, _)) = case.in_order()
            && case.depends_on_order()
            && self.order(case) >= ORDER_SURE
        {
            return State::Settled(format!(
                "depends on the order: failed {failed} of {failed} after the same tests, passed \
                 without them"
            ));
        }
        if self.by_closed_form() {
            return self.closed_form(case, name);
        }
        let doubt = self.scan.doubt(case, &self.options.doubt);
        doubt.map_or_else(|| State::Settled("passed".to_owned()), |it| self.weighed(case, &it))
    }

    /// A pass alone says nothing of a failure after others. Where a replay is asked for, a test
    /// that failed in the suite and passed alone runs again in its order until that is told apart:
    /// at least once, and after a failure until either is sure.
    fn asks_for_order(&self, case: &Case) -> bool {
        let (failed, passed) = case.counts();
        if self.options.isolation != Isolation::Replay
            || passed == 0
            || failed + passed >= self.options.doubt.attempts_max
        {
            return false;
        }
        let Some((failed, _)) = case.in_order() else {
            let in_suite = case.executions.iter().filter(|it| it.1 == Isolation::InSuite);
            let mut ends = in_suite.map(|it| it.0).filter(|it| it.is_result()).peekable();
            return ends.peek().is_some() && ends.all(Outcome::is_failure);
        };
        let sure = self.order(case) >= ORDER_SURE || failed >= IN_ORDER_MAX;
        case.depends_on_order() && !sure
    }

    /// Probability that the tests before it make a case fail.
    fn order(&self, case: &Case) -> f64 {
        let doubt = self.scan.doubt(case, &self.options.doubt);
        doubt.map_or(0.0, |doubt| doubt.posterior().order)
    }

    /// Enough retries that all of them fail by chance in one run of a hundred.
    fn closed_form(&self, case: &Case, name: &str) -> State {
        let (failed, passed) = case.counts();
        let rate = f64::from(self.scores.belief(name).rate);
        let rho = f64::from(self.scores.correlation(name, self.options.isolation));
        let fails = rate + rho * (1.0 - rate);
        let needed = retries_needed(self.options.doubt.error_max, self.failing.max(1), fails)
            .min(self.options.doubt.attempts_max.saturating_sub(1).max(1));
        if passed > 0 {
            return State::Settled(format!("passed again: failed {failed}, passed {passed}"));
        }
        if failed > needed {
            return State::Settled(format!("failed for good: {needed} retries failed too"));
        }
        State::Outstanding(fails, false)
    }

    fn weighed(&self, case: &Case, doubt: &Doubt) -> State {
        let (failed, passed) = case.counts();
        // The first failure of a test is always tried again: users expect it, and it costs little.
        let untried = failed + passed < 2;
        match doubt.next(&self.options.doubt, false) {
            Next::Flaky => State::Settled(format!(
                "flaky: failed {failed}, passed {passed}; P(real) {:.4}",
                doubt.p_real()
            )),
            Next::Suspect => State::Settled(format!(
                "suspect after {} attempts: failed {failed}, passed {passed}; P(real) {:.3}",
                failed + passed,
                doubt.p_real()
            )),
            Next::PreExisting if passed > 0 || doubt.control() == Some(true) => {
                State::Settled("broken on the base already".to_owned())
            }
            Next::Quarantined => State::Settled("quarantined by its rate".to_owned()),
            Next::Failed if !untried => State::Settled(format!(
                "failed for good: failed {failed}, passed {passed}; P(real) {:.3}",
                doubt.p_real()
            )),
            _ => State::Outstanding(doubt.expected_fall(), doubt.may_stay_open()),
        }
    }
}

/// The tests that run again, from the stored results alone.
///
/// Outstanding is what failed, errored, timed out, crashed, lost its set-up or never reported, as
/// long as its verdict is in doubt. It draws in its class where a set-up failed or the class runs
/// whole, what it needs to run first, and what was skipped for its sake. Limits keep the tests
/// whose retry is expected to settle most doubt per second. Where so much failed that a few causes
/// must be behind it, only a probe runs, and its answer decides. Once a failure is proven the
/// commit's, those that hardly can be are left open: they cannot change the verdict on the run.
pub fn outstanding(
    planned: &Planned,
    cases: &[Case],
    evidence: &RetryEvidence<'_>,
    options: &RetryOptions,
) -> RetrySet {
    let tests = planned.tests();
    let judge = Judge::new(planned, cases, evidence, options);
    let alarm = if options.ignore_alarm { None } else { alarm(planned, &judge.scan, evidence) };
    let blocked = judge.proof(cases).map(|proof| {
        let by = tests.name(proof.test);
        format!("not retried: `{by}` blocks this run already, and this one is hardly the commit's")
    });
    let mut wanted: Vec<(f64, TestId)> = Vec::new();
    let mut reasons: Vec<Option<String>> = vec![None; tests.len()];
    for case in cases {
        let halted = || alarm.as_ref().and_then(|alarm| alarm.halts(case));
        match judge.state(case, tests.name(case.test)) {
            State::Settled(reason) => reasons[case.test.index()] = Some(reason),
            State::Outstanding(fall, spare) => {
                let open = blocked.clone().filter(|_| spare);
                match halted().or(open) {
                    Some(why) => reasons[case.test.index()] = Some(why),
                    None => wanted.push((fall / seconds(evidence, case).max(1e-3), case.test)),
                }
            }
        }
    }
    if options.one_of_cluster {
        let waits = wait_for_one(planned, cases, evidence, &wanted);
        wanted.retain(|(_, test)| !waits.contains_key(test));
        for (test, reason) in waits {
            reasons[test.index()] = Some(reason);
        }
    }
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let closure = Closure::new(planned, cases, evidence.demands);
    let mut taken = Taken::new(tests.len(), evidence.durations, &options.limits);
    let mut over_limit = 0;
    for (_, test) in &wanted {
        if let Err(limit) = taken.take(&closure.of(*test)) {
            over_limit += 1;
            reasons[test.index()] = Some(format!("not retried: over the limit of {limit}"));
        }
    }
    let controls = if alarm.is_some() { Vec::new() } else { controls(&judge, cases, evidence) };
    RetrySet { alarm, controls, ..finish(planned, &wanted, taken, reasons, over_limit) }
}

fn seconds(evidence: &RetryEvidence<'_>, case: &Case) -> f64 {
    evidence.durations.get(case.test.index()).map_or(0.0, |span| span.as_secs_f64())
}

/// What is worth a run on the base, the cheapest first.
fn controls(judge: &Judge<'_>, cases: &[Case], evidence: &RetryEvidence<'_>) -> Vec<TestId> {
    let mut asked: Vec<&Case> = cases.iter().filter(|case| judge.asks_base(case)).collect();
    let cost = |case: &Case| seconds(evidence, case);
    asked.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.test.cmp(&b.test)));
    asked.iter().take(CONTROLS_MAX).map(|case| case.test).collect()
}

/// The outstanding tests that wait for a cheaper one of their cluster: until that passes, whatever
/// made them fail together is still there, and retries of the others would be wasted.
fn wait_for_one(
    planned: &Planned,
    cases: &[Case],
    evidence: &RetryEvidence<'_>,
    wanted: &[(f64, TestId)],
) -> BTreeMap<TestId, String> {
    let (tests, scores) = (planned.tests(), evidence.scores);
    let clusters = scores.clusters();
    let cluster = |test: TestId| clusters.of(scores.find(tests.name(test))?);
    let mut of_cluster: BTreeMap<usize, Vec<TestId>> = BTreeMap::new();
    for (_, test) in wanted.iter().filter(|(_, test)| cases[test.index()].counts().0 > 0) {
        if let Some(cluster) = cluster(*test) {
            of_cluster.entry(cluster).or_default().push(*test);
        }
    }
    let passed_again = cases.iter().filter(|case| case.counts().0 > 0 && case.counts().1 > 0);
    let over: BTreeSet<usize> = passed_again.filter_map(|case| cluster(case.test)).collect();
    let span = |test: &TestId| evidence.durations.get(test.index()).copied().unwrap_or_default();
    let mut waits = BTreeMap::new();
    for (cluster, members) in of_cluster {
        let Some(first) = members.iter().min_by_key(|test| (span(test), **test)) else { continue };
        if over.contains(&cluster) {
            continue;
        }
        let why =
            format!("not retried yet: waits for `{}` of its cluster to pass", tests.name(*first));
        waits.extend(members.iter().filter(|test| *test != first).map(|test| (*test, why.clone())));
    }
    waits
}

fn finish(
    planned: &Planned,
    wanted: &[(f64, TestId)],
    taken: Taken<'_>,
    reasons: Vec<Option<String>>,
    over_limit: usize,
) -> RetrySet {
    let tests: Vec<TestId> = taken.set.iter().collect();
    let asked = wanted.iter().filter(|(_, test)| taken.set.contains(*test)).count();
    let left_out = planned.tests().ids().filter(|test| !taken.set.contains(*test));
    let settled = left_out.map(|test| Settled {
        test: planned.tests().name(test).to_owned(),
        reason: reasons[test.index()].clone().unwrap_or_else(|| "passed".to_owned()),
    });
    let settled = settled.collect();
    let demanded = tests.len() - asked;
    RetrySet { demanded, over_limit, settled, tests, ..RetrySet::default() }
}
