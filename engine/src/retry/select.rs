//! Which tests run again: what is outstanding, what that demands, and what limits allow.

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use super::case::{Case, Planned};
use super::doubt::{Doubt, DoubtOptions, Known, Next};
use crate::attempt::{Isolation, Outcome};
use crate::flake::Scores;
use crate::plan::document::Settled;
use crate::test_id::{TestId, TestSet};
use crate::units::Micros;

/// What a retry of one test demands of others.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// A test and one that must run before it.
    pub needs: Vec<(TestId, TestId)>,
    /// Classes that run whole or not at all: ordered or stateful ones.
    pub whole: Vec<String>,
}

/// How much may be run again.
#[derive(Clone, Debug)]
pub struct RetryLimits {
    /// At most so many tests.
    pub tests_max: usize,
    /// At most this share of the planned tests.
    pub share_max: f64,
    /// At most so much predicted test time.
    pub time_max: Micros,
}

impl Default for RetryLimits {
    fn default() -> Self {
        Self { tests_max: usize::MAX, share_max: 1.0, time_max: Micros::MAX }
    }
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
}

impl Default for RetryOptions {
    fn default() -> Self {
        // A score alone takes no test out: that is for a policy that says so.
        let doubt = DoubtOptions { quarantine_rate: 2.0, ..DoubtOptions::default() };
        Self { doubt, limits: RetryLimits::default(), isolation: Isolation::FreshProcess }
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
}

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
    for (at, (outcome, _)) in case.executions.iter().enumerate() {
        if at != first && outcome.is_result() {
            weighed.observe(outcome.is_failure());
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

/// Why a case does not run again, or its doubt, if it does.
enum State {
    Settled(String),
    Outstanding(f64),
}

fn state(case: &Case, weighed: Option<Doubt>, options: &RetryOptions) -> State {
    let (failed, passed) = case.counts();
    let Some(doubt) = weighed else {
        return match (case.is_missing(), case.is_skipped()) {
            (true, _) => State::Outstanding(f64::INFINITY),
            (_, true) => State::Settled("skipped on purpose".to_owned()),
            _ => State::Settled("passed".to_owned()),
        };
    };
    // The first failure of a test is always tried again: users expect it, and it costs little.
    let untried = failed + passed < 2;
    match doubt.next(&options.doubt, false) {
        Next::Flaky => State::Settled(format!(
            "flaky: failed {failed}, passed {passed}; P(real) {:.4}",
            doubt.p_real()
        )),
        Next::Suspect => State::Settled(format!(
            "suspect after {} attempts: failed {failed}, passed {passed}; P(real) {:.3}",
            failed + passed,
            doubt.p_real()
        )),
        Next::PreExisting if passed > 0 => State::Settled("broken on the base already".to_owned()),
        Next::Quarantined => State::Settled("quarantined by its rate".to_owned()),
        Next::Failed if !untried => State::Settled(format!(
            "failed for good: failed {failed}, passed {passed}; P(real) {:.3}",
            doubt.p_real()
        )),
        _ => State::Outstanding(doubt.expected_fall()),
    }
}

/// The tests that run again, from the stored results alone.
///
/// Outstanding is what failed, errored, timed out, crashed, lost its set-up or never reported, as
/// long as its verdict is in doubt. It draws in its class where a set-up failed or the class runs
/// whole, what it needs to run first, and what was skipped for its sake. Limits keep the tests
/// whose retry is expected to settle most doubt per second. `seconds` are the predicted durations.
pub fn outstanding(
    planned: &Planned,
    cases: &[Case],
    scores: &Scores,
    (demands, durations): (&Demands, &[Micros]),
    options: &RetryOptions,
) -> RetrySet {
    let tests = planned.tests();
    let neighbours = neighbours(planned, cases, scores);
    let mut wanted: Vec<(f64, TestId)> = Vec::new();
    let mut reasons: Vec<Option<String>> = vec![None; tests.len()];
    for (case, near) in cases.iter().zip(neighbours) {
        let name = tests.name(case.test);
        let weighed = weigh(case, name, scores, (near, false), &options.doubt);
        match state(case, weighed, options) {
            State::Settled(reason) => reasons[case.test.index()] = Some(reason),
            State::Outstanding(fall) => {
                let seconds = durations.get(case.test.index()).map_or(0.0, |d| d.as_secs_f64());
                wanted.push((fall / seconds.max(1e-3), case.test));
            }
        }
    }
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let closure = Closure::new(planned, cases, demands);
    let mut taken = Taken::new(tests.len(), durations, &options.limits);
    let mut over_limit = 0;
    for (_, test) in &wanted {
        if !taken.take(&closure.of(*test)) {
            over_limit += 1;
            reasons[test.index()] = Some("not retried: over the limit of this retry".to_owned());
        }
    }
    finish(planned, &wanted, taken, reasons, over_limit)
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
    RetrySet { demanded: tests.len() - asked, over_limit, settled: settled.collect(), tests }
}

/// What has been taken within the limits.
struct Taken<'a> {
    set: TestSet,
    count: usize,
    count_max: usize,
    time: Micros,
    time_max: Micros,
    durations: &'a [Micros],
}

impl<'a> Taken<'a> {
    fn new(planned: usize, durations: &'a [Micros], limits: &RetryLimits) -> Self {
        let share = (limits.share_max.clamp(0.0, 1.0) * planned as f64).floor() as usize;
        Self {
            set: TestSet::with_len(planned),
            count: 0,
            count_max: limits.tests_max.min(share),
            time: Micros::ZERO,
            time_max: limits.time_max,
            durations,
        }
    }

    /// Takes all of these tests, or none where that would pass a limit.
    fn take(&mut self, tests: &[TestId]) -> bool {
        let new: Vec<TestId> =
            tests.iter().copied().filter(|test| !self.set.contains(*test)).collect();
        let duration =
            |test: &TestId| self.durations.get(test.index()).copied().unwrap_or_default();
        let time = self.time + new.iter().map(duration).sum();
        if self.count + new.len() > self.count_max || time > self.time_max {
            return false;
        }
        self.count += new.len();
        self.time = time;
        for test in new {
            self.set.insert(test);
        }
        true
    }
}

/// What else must run when one test does: a graph of tests, an arrow to each test demanded.
struct Closure {
    graph: DiGraph<(), ()>,
}

impl Closure {
    fn new(planned: &Planned, cases: &[Case], demands: &Demands) -> Self {
        let tests = planned.tests();
        let mut graph = DiGraph::with_capacity(tests.len(), 0);
        for _ in tests.ids() {
            graph.add_node(());
        }
        let node = |test: TestId| NodeIndex::new(test.index());
        for (test, first) in &demands.needs {
            graph.add_edge(node(*test), node(*first), ());
            // Skipped for the sake of what failed: it comes back with it.
            if cases[test.index()].is_skipped() {
                graph.add_edge(node(*first), node(*test), ());
            }
        }
        let mut of_group = vec![Vec::new(); tests.group_count()];
        for test in tests.ids() {
            if let Some(group) = tests.group(test) {
                of_group[group.index()].push(test);
            }
        }
        let whole = |group: &Vec<TestId>| {
            let failed_set_up = |test: &TestId| {
                cases[test.index()].last_failure() == Some(Outcome::SetUpFailed)
                    && cases[test.index()].counts().1 == 0
            };
            let name = group.first().and_then(|test| tests.group(*test));
            let listed = name.is_some_and(|group| {
                demands.whole.iter().any(|class| class == tests.group_name(group))
            });
            listed || group.iter().any(failed_set_up)
        };
        for group in of_group.iter().filter(|group| whole(group)) {
            // A ring: from each member all others are reached.
            for (at, test) in group.iter().enumerate() {
                graph.add_edge(node(*test), node(group[(at + 1) % group.len()]), ());
            }
        }
        Self { graph }
    }

    fn of(&self, test: TestId) -> Vec<TestId> {
        let mut search = Dfs::new(&self.graph, NodeIndex::new(test.index()));
        let mut found = Vec::new();
        while let Some(node) = search.next(&self.graph) {
            found.push(TestId(node.index() as u32));
        }
        found
    }
}
