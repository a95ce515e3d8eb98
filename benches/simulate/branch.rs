//! Runs of branches from one base: what fails first, and what every further execution would show.

use super::fate::{Breakage, Conditions, worker_of};
use super::mainline::{EVENT_STAYS, MainLine};
use super::world::{MEMBER_FAILS, Suite, World, geometric};
use crate::draw::Draw;

/// One run of a branch, with the truth.
#[derive(Clone, Debug)]
pub struct BranchRun {
    /// Which run, from 0.
    pub number: u32,
    /// The tests whose first attempt failed, in order.
    pub failed: Vec<u32>,
    /// What the commit broke, if anything.
    pub breakage: Option<Breakage>,
    /// True where an outage or a bad worker was there.
    pub disturbed: bool,
    /// True where an outage was there and lasts into the retries.
    pub persistent_outage: bool,
    broken_here: Vec<f32>,
    conditions: Conditions,
    /// Rounds of retries that the outage lasts.
    outage_rounds: u32,
    /// For each cluster the rounds that its event lasts.
    event_rounds: Vec<u32>,
    seed: u64,
}

/// A suite as it stands at the base commit.
#[derive(Debug)]
pub struct Base<'a> {
    line: &'a MainLine,
    broken: Vec<f32>,
    run: u32,
    seed: u64,
    draw: Draw,
    number: u32,
}

/// Chance that a branch commit breaks something.
const BREAKS: f64 = 0.15;

impl<'a> Base<'a> {
    /// The suite after the last run of its main line.
    pub fn new(line: &'a MainLine, seed: u64) -> Self {
        let (broken, run) = (line.broken(), line.world.runs);
        Self { line, broken, run, seed, draw: Draw::new(seed, "branches"), number: 0 }
    }

    /// True where the base itself breaks a test.
    pub fn is_broken(&self, test: u32) -> bool {
        self.broken[test as usize] > 0.0
    }

    /// The worker of each test in a run.
    pub fn workers(&self, number: u32) -> Vec<u32> {
        let world = &self.line.world;
        let deal = |test| worker_of(self.seed ^ 0x5bd1, number, test, world.workers);
        (0..world.tests as u32).map(deal).collect()
    }

    /// Runs the next branch commit once.
    pub fn next_run(&mut self) -> BranchRun {
        let (world, suite) = (&self.line.world, &self.line.suite);
        let number = self.number;
        self.number += 1;
        let mut conditions = Conditions { broken: self.broken.clone(), ..Conditions::default() };
        let breakage =
            self.draw.chance(BREAKS).then(|| Breakage::new(suite, world, self.run, &mut self.draw));
        let mut broken_here = vec![0.0_f32; world.tests];
        for test in breakage.iter().flat_map(|breakage| &breakage.tests) {
            let fails = breakage.as_ref().map_or(0.0, |breakage| breakage.fails) as f32;
            broken_here[*test as usize] = fails;
            let both = &mut conditions.broken[*test as usize];
            *both = both.max(fails);
        }
        conditions.spoil_workers(world, &mut self.draw);
        let mut outage_rounds = 0;
        if self.draw.chance(world.branch_outage) {
            conditions.cut_out(suite, &mut self.draw);
            if self.draw.chance(0.7) {
                outage_rounds = geometric(&mut self.draw, 1.0 / 0.3);
            }
        }
        let seed = self.seed ^ 0x5bd1;
        let worker = |test| worker_of(seed, number, test, world.workers);
        let firsts = conditions.run(suite, self.run, worker, &mut self.draw);
        let lasting = |event: &bool| {
            if *event && self.draw.chance(EVENT_STAYS) { geometric(&mut self.draw, 2.0) } else { 0 }
        };
        let event_rounds = firsts.events.iter().map(lasting).collect();
        BranchRun {
            number,
            failed: firsts.failed,
            disturbed: !conditions.outage.is_empty() || !conditions.bad_workers.is_empty(),
            persistent_outage: outage_rounds > 0,
            breakage,
            broken_here,
            conditions,
            outage_rounds,
            event_rounds,
            seed: self.seed,
        }
    }

    /// The runs of retries for one policy; every policy sees the same chances.
    pub fn oracle<'b>(&'b self, run: &'b BranchRun) -> Oracle<'b> {
        Oracle {
            suite: &self.line.suite,
            world: &self.line.world,
            base: self,
            run,
            draw: Draw::new(run.seed ^ u64::from(run.number) << 20, "retries"),
            seconds: 0.0,
            executions: 0,
            bill: [0.0; CAUSES.len()],
        }
    }
}

impl BranchRun {
    /// True where the commit itself breaks a test.
    pub fn is_real(&self, test: u32) -> bool {
        self.broken_here[test as usize] > 0.0
    }

    /// True where a test that the commit broke did fail: only then can anybody see it.
    pub fn is_visible(&self) -> bool {
        self.failed.iter().any(|test| self.is_real(*test))
    }
}

/// Runs single tests again, on fresh workers, and keeps the bill.
#[derive(Debug)]
pub struct Oracle<'a> {
    suite: &'a Suite,
    world: &'a World,
    base: &'a Base<'a>,
    run: &'a BranchRun,
    draw: Draw,
    /// Machine time of all executions.
    pub seconds: f64,
    /// How many there were.
    pub executions: u32,
    /// The same time by what made the test fail at first: one number for each of [`CAUSES`].
    pub bill: [f64; CAUSES.len()],
}

/// What makes a test fail, in truth.
pub const CAUSES: [&str; 6] = ["commit", "base", "outage", "cluster", "flake", "on base"];

impl Oracle<'_> {
    fn charge(&mut self, test: u32, failed: bool, on_base: bool) {
        let seconds = self.suite.retry_seconds(test, failed);
        self.seconds += seconds;
        self.executions += 1;
        let cause = if on_base { CAUSES.len() - 1 } else { self.cause(test) };
        self.bill[cause] += seconds;
    }

    /// The first of [`CAUSES`] that holds for a test that failed at first.
    fn cause(&self, test: u32) -> usize {
        let conditions = &self.run.conditions;
        let worker = worker_of(self.run.seed ^ 0x5bd1, self.run.number, test, self.world.workers);
        let sick = conditions.is_out(self.suite, test) || conditions.bad_workers.contains(&worker);
        match self.suite.cluster_of[test as usize] {
            _ if self.run.is_real(test) => 0,
            _ if self.base.is_broken(test) => 1,
            _ if sick => 2,
            Some(_) => 3,
            None => 4,
        }
    }

    /// What goes wrong in `round` whatever the code: an outage, an event of the test's cluster, or
    /// the test's own rate. `after_failure` is true until the test has passed.
    fn chance_fails(&mut self, test: u32, round: u32, after_failure: bool) -> bool {
        let out = self.run.outage_rounds >= round && self.run.conditions.is_out(self.suite, test);
        if out && self.draw.chance(0.7) {
            return true;
        }
        let rate = self.suite.rate_at(test, self.base.run);
        let fails = match self.suite.cluster_of[test as usize] {
            Some(cluster) if self.run.event_rounds[cluster as usize] >= round => MEMBER_FAILS,
            Some(_) => rate,
            None if rate > 0.0 && after_failure => rate + self.world.correlation * (1.0 - rate),
            None => rate,
        };
        self.draw.chance(fails)
    }

    /// Runs a test at the head; true where it fails. `round` counts its retries from 1.
    pub fn head(&mut self, test: u32, round: u32, passed: bool) -> bool {
        let broken = f64::from(self.run.conditions.broken[test as usize]);
        let breaks = broken > 0.0 && self.draw.chance(broken);
        let failed = self.chance_fails(test, round, !passed) || breaks;
        self.charge(test, failed, false);
        failed
    }

    /// Runs a test on the base; true where it fails. `charged` is false for an answer at hand.
    pub fn on_base(&mut self, test: u32, round: u32, charged: bool) -> bool {
        let broken = f64::from(self.base.broken[test as usize]);
        let breaks = broken > 0.0 && self.draw.chance(broken);
        let failed = self.chance_fails(test, round, false) || breaks;
        if charged {
            self.charge(test, failed, true);
        }
        failed
    }
}
