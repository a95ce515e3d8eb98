//! How flaky each test is, and whether it is broken just now: an exact Bayes filter of sixteen
//! numbers a test, updated once a run.
//!
//! Decides scores, flags and intervals, and which runs are too sick to learn from. Never decides
//! what to retry and never judges a run.
//!
//! Each test is in one of two times eight states: healthy or broken, and one of the failure rates
//! of [`RATES`]. A rate is kept while a test is broken, so that a fix brings back what was known.

mod beside;
mod block;
mod gate;
mod interval;
mod learn;
mod packed;
mod scores;
mod together;
mod trace;

use std::collections::BTreeMap;

use crate::attempt::Isolation;
use crate::test_id::TestId;
use block::{Block, LANES, Step};
pub use gate::{Gate, gate};
use learn::{Correlation, Priors};
pub use scores::{Scores, teaches};
pub use together::Clusters;
use together::Together;
pub use trace::Strip;
use trace::Trace;

/// How many failure rates a test can have.
pub const LEVELS: usize = 8;

/// The failure rates of a healthy test that the filter tells apart.
pub const RATES: [f32; LEVELS] = [1e-6, 3e-4, 1.5e-3, 8e-3, 0.045, 0.2, 0.5, 0.7];

/// From this level of [`RATES`] on a test counts as flaky: it fails once in a thousand runs or more.
const FLAKY_FROM: usize = 2;

/// What the first attempt of a test in a run showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// Nothing: not run, skipped, or left out by the gate.
    #[default]
    Nothing = 0,
    /// It passed.
    Passed = 1,
    /// It failed.
    Failed = 2,
}

/// A second or later attempt on the same commit, after the first had failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried {
    /// Which test.
    pub test: TestId,
    /// True where the retry failed too.
    pub failed: bool,
    /// Where it ran: what a retry proves depends on that.
    pub isolation: Isolation,
}

/// The constants of the filter. The defaults were set on simulated suites; halving or doubling
/// any of them changes little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlakeOptions {
    /// Chance per commit that a test's failure rate becomes another one.
    pub change: f32,
    /// Chance per commit that a healthy test breaks.
    pub breaking: f32,
    /// Chance per commit that a broken test is fixed.
    pub fixing: f32,
    /// How often a broken test fails.
    pub broken_fails: f32,
    /// Share by which the counters behind the interval forget in each run.
    pub forget: f32,
    /// The prior of each class of tests is learned anew every so many runs.
    pub relearn_every: u32,
}

impl Default for FlakeOptions {
    fn default() -> Self {
        Self {
            change: 1.0 / 2_000.0,
            breaking: 5e-5,
            fixing: 0.1,
            broken_fails: 0.97,
            forget: 1.0 / 500.0,
            relearn_every: 50,
        }
    }
}

/// What the filter holds of one test, before it is read as a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// Probability of being healthy with each of [`RATES`].
    pub healthy: [f32; LEVELS],
    /// Probability of being broken, whatever the rate.
    pub broken: f32,
    /// Expected failure rate while healthy: `E[p]`.
    pub rate: f32,
}

/// A failure surprises where the test fails less often than this and is not thought broken.
const SURPRISING_RATE: f32 = 0.02;

impl Belief {
    /// True where nobody would have expected this test to fail.
    pub fn is_surprising(&self) -> bool {
        self.rate < SURPRISING_RATE && self.broken < 0.5
    }
}

/// What people and documents are told of one test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Expected failure rate while healthy; tests are ranked by it.
    pub rate: f32,
    /// Probability that the test fails once in a thousand runs or more while healthy.
    pub p_flaky: f32,
    /// Probability that the test is broken on the newest commit.
    pub p_broken: f32,
    /// True from `p_flaky` ≥ 0.9 until it falls below 0.5.
    pub flagged: bool,
    /// 5 % quantile of the failure rate, from the recent runs in which it was not broken.
    pub low: f64,
    /// 95 % quantile.
    pub high: f64,
}

/// The states of all tests of one environment.
///
/// At most 128 bytes a test. One [`Filter::update`] costs some ten nanoseconds a test, with no
/// allocation but for the learning of priors.
///
/// ```
/// use rasher::flake::{Filter, FlakeOptions, Seen};
/// let mut filter = Filter::new(FlakeOptions::default());
/// let [calm, shaky] = [filter.add(0), filter.add(0)];
/// for run in 0..60 {
///     let shaky = if run % 7 == 0 { Seen::Failed } else { Seen::Passed };
///     filter.update(&[Seen::Passed, shaky], &[], true);
/// }
/// assert!(filter.score(shaky).rate > 0.05);
/// assert!(filter.score(calm).rate < 0.01);
/// ```
#[derive(Clone, Debug)]
pub struct Filter {
    options: FlakeOptions,
    blocks: Vec<Block>,
    traces: Vec<Trace>,
    classes: Vec<u8>,
    priors: Priors,
    correlation: Correlation,
    together: Together,
    runs: u32,
}

impl Filter {
    /// A filter without tests.
    pub fn new(options: FlakeOptions) -> Self {
        Self {
            options,
            blocks: Vec::new(),
            traces: Vec::new(),
            classes: Vec::new(),
            priors: Priors::default(),
            correlation: Correlation::default(),
            together: Together::default(),
            runs: 0,
        }
    }

    /// Adds a test of a class; tests of one class share a prior. Its id is the next one.
    pub fn add(&mut self, class: u8) -> TestId {
        let at = self.classes.len();
        self.classes.push(class);
        self.traces.push(Trace::new(self.runs));
        if at.is_multiple_of(LANES) {
            self.blocks.push(Block::default());
        }
        let prior = *self.priors.of(class);
        self.blocks[at / LANES].start(at % LANES, &prior);
        TestId(at as u32)
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// True where there is no test.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// How many runs were taken in.
    pub fn runs(&self) -> u32 {
        self.runs
    }

    /// Takes in one run: the first attempt of each test by its id (what lies beyond the end is
    /// [`Seen::Nothing`]) and the retries in order. `new_commit` is false for a further run of a
    /// commit already seen: then nothing can have been broken or fixed in between.
    ///
    /// What [`gate`] blanked is not learned from. The order of tests has no say.
    pub fn update(&mut self, first: &[Seen], retries: &[Retried], new_commit: bool) {
        self.update_grouped(first, retries, &[], new_commit);
    }

    /// [`Filter::update`] with the group (module or class) of each test: a failure that surprises
    /// beside others of its group, none of them made good by a retry, is likelier a breakage.
    pub fn update_grouped(
        &mut self,
        first: &[Seen],
        retries: &[Retried],
        groups: &[u32],
        new_commit: bool,
    ) {
        self.runs += 1;
        if new_commit && !groups.is_empty() {
            self.expect_breakage(first, retries, groups);
        }
        let step = Step::new(&self.options, new_commit);
        for (at, block) in self.blocks.iter_mut().enumerate() {
            let from = at * LANES;
            let seen: [Seen; LANES] = match first.get(from..from + LANES) {
                Some(lanes) => std::array::from_fn(|lane| lanes[lane]),
                None => {
                    std::array::from_fn(|lane| first.get(from + lane).copied().unwrap_or_default())
                }
            };
            let classes = &self.classes[from..self.classes.len().min(from + LANES)];
            block.advance(&step, self.priors.lanes(classes), &seen);
            if seen != [Seen::Passed; LANES] {
                for (lane, trace) in self.traces.iter_mut().skip(from).take(LANES).enumerate() {
                    trace.note(seen[lane], self.runs);
                }
            }
        }
        self.learn_from_retries(retries);
        let tests = self.len();
        let first = &first[..first.len().min(tests)];
        let failed = first.iter().enumerate().filter(|it| *it.1 == Seen::Failed);
        self.together.note(self.runs, failed.clone().map(|(at, _)| TestId(at as u32)));
        let ran = first.iter().filter(|seen| **seen != Seen::Nothing).count();
        let blocks = &self.blocks;
        let healthy =
            |(at, _): (usize, &Seen)| blocks[at / LANES].healthy.map(|level| level[at % LANES]);
        self.priors.note(ran, failed.map(healthy));
        if self.runs.is_multiple_of(self.options.relearn_every.max(1)) {
            self.priors.relearn(&self.blocks, &self.classes);
        }
    }

    fn expect_breakage(&mut self, first: &[Seen], retries: &[Retried], groups: &[u32]) {
        let surprises = |at: usize| self.belief(TestId(at as u32)).rate < SURPRISING_RATE;
        let first = &first[..first.len().min(self.classes.len())];
        for (at, others) in beside::beside_others(first, retries, groups, surprises) {
            let share = beside::raised(others);
            self.blocks[at / LANES].break_ahead(at % LANES, share);
        }
    }

    /// Retries move only the split between healthy and broken states: until the first pass a
    /// healthy test fails with at least the learned correlation, then with its own rate.
    fn learn_from_retries(&mut self, retries: &[Retried]) {
        let mut passed: BTreeMap<TestId, bool> = BTreeMap::new();
        // What this run teaches of correlation is used from the next run on: the order of tests
        // has no say.
        let mut correlation = self.correlation.clone();
        for retried in retries {
            let at = retried.test.index();
            let Some(class) = self.classes.get(at).copied() else { continue };
            let (block, lane) = (&mut self.blocks[at / LANES], at % LANES);
            if !passed.contains_key(&retried.test) {
                correlation.note(class, *retried, &block.belief(lane, self.priors.means()));
            }
            let passed = passed.entry(retried.test).or_default();
            let repeats = if *passed { 0.0 } else { self.correlation.of(class, retried.isolation) };
            block.retry(lane, retried.failed, repeats, self.options.broken_fails);
            self.traces[at].note_retry(retried.failed);
            *passed |= !retried.failed;
        }
        self.correlation = correlation;
    }

    /// The tests that fail together.
    pub fn clusters(&self) -> Clusters {
        self.together.clusters(|test| self.strip(test))
    }

    /// What is believed of a test. An unknown test has the prior of class 0.
    pub fn belief(&self, test: TestId) -> Belief {
        match self.blocks.get(test.index() / LANES) {
            Some(block) if test.index() < self.len() => {
                block.belief(test.index() % LANES, self.priors.means())
            }
            _ => self.prior(0),
        }
    }

    /// What is believed of a test that was never seen.
    pub fn prior(&self, class: u8) -> Belief {
        let mut block = Block::default();
        block.start(0, self.priors.of(class));
        block.belief(0, self.priors.means())
    }

    /// Chance that a retry of a flaky failure fails for the same passing cause, beyond the test's
    /// own rate: learned per class and isolation from first retries.
    pub fn correlation(&self, class: u8, isolation: Isolation) -> f32 {
        self.correlation.of(class, isolation)
    }

    /// The class a test was added with.
    pub fn class(&self, test: TestId) -> u8 {
        self.classes.get(test.index()).copied().unwrap_or_default()
    }

    /// The score of a test. Costs some microseconds, for the quantiles.
    pub fn score(&self, test: TestId) -> Score {
        let belief = self.belief(test);
        let (attempts, failures, flagged, p_flaky) = match self.blocks.get(test.index() / LANES) {
            Some(block) => block.counters(test.index() % LANES),
            None => (0.0, 0.0, false, 0.0),
        };
        let (low, high) = interval::beta_90(f64::from(failures), f64::from(attempts));
        Score { rate: belief.rate, p_flaky, p_broken: belief.broken, flagged, low, high }
    }

    /// Probability that a test fails once in a thousand runs or more while healthy.
    pub fn score_flaky(&self, test: TestId) -> f32 {
        self.blocks
            .get(test.index() / LANES)
            .map_or(0.0, |block| block.counters(test.index() % LANES).3)
    }

    /// The last runs of a test and its counts.
    pub fn strip(&self, test: TestId) -> Strip {
        self.traces.get(test.index()).map(|trace| trace.strip(self.runs)).unwrap_or_default()
    }

    /// Bytes held for all tests: a fixed number for each, and a sketch of each that ever failed.
    pub fn bytes(&self) -> usize {
        self.blocks.len() * size_of::<Block>()
            + self.len() * (size_of::<Trace>() + size_of::<u8>())
            + self.together.bytes()
    }
}
