//! The main line of a made suite, run by run: what a filter learns from.

use rasher::flake::Seen;

use super::fate::{Breakage, Conditions, worker_of};
use super::world::{Suite, World, geometric};
use crate::draw::Draw;

/// Chance that a group's event goes on into the retry.
pub(super) const EVENT_STAYS: f64 = 0.3;

/// What one run of the main line showed.
#[derive(Clone, Debug)]
pub struct MainRun {
    /// Which run, from 0.
    pub run: u32,
    /// The tests whose first attempt failed, in order.
    pub failed: Vec<u32>,
    /// For each of them whether its one retry failed too.
    pub retry_failed: Vec<bool>,
    /// For each of them whether it is broken: the truth.
    pub was_broken: Vec<bool>,
}

/// A made suite on its way through time.
#[derive(Debug)]
pub struct MainLine {
    /// The constants.
    pub world: World,
    /// The tests.
    pub suite: Suite,
    seed: u64,
    draw: Draw,
    breakages: Vec<(Breakage, u32)>,
    outage_left: u32,
    conditions: Conditions,
    run: u32,
}

impl MainLine {
    /// The suite of a world and a seed, before its first run.
    pub fn new(world: World, seed: u64) -> Self {
        let mut draw = Draw::new(seed, "main line");
        let suite = Suite::new(&world, &mut draw);
        Self {
            world,
            suite,
            seed,
            draw,
            breakages: Vec::new(),
            outage_left: 0,
            conditions: Conditions::default(),
            run: 0,
        }
    }

    /// For each test the chance that it fails because it is broken now.
    pub fn broken(&self) -> Vec<f32> {
        let mut broken = vec![0.0_f32; self.world.tests];
        for (breakage, _) in &self.breakages {
            for test in &breakage.tests {
                let fails = &mut broken[*test as usize];
                *fails = fails.max(breakage.fails as f32);
            }
        }
        broken
    }

    /// The worker of each test in a run.
    pub fn workers(&self, run: u32) -> Vec<u32> {
        (0..self.world.tests as u32)
            .map(|test| worker_of(self.seed, run, test, self.world.workers))
            .collect()
    }

    /// Runs the next commit, every failed test twice.
    pub fn next_run(&mut self) -> MainRun {
        let run = self.run;
        self.run += 1;
        self.break_and_fix(run);
        let (seed, workers) = (self.seed, self.world.workers);
        self.conditions.spoil_workers(&self.world, &mut self.draw);
        let worker = |test| worker_of(seed, run, test, workers);
        let firsts = self.conditions.run(&self.suite, run, worker, &mut self.draw);
        let stays: Vec<bool> =
            firsts.events.iter().map(|event| *event && self.draw.chance(EVENT_STAYS)).collect();
        let retry_failed =
            firsts.failed.iter().map(|test| self.again(*test, run, &stays)).collect();
        let was_broken =
            firsts.failed.iter().map(|t| self.conditions.broken[*t as usize] > 0.0).collect();
        MainRun { run, failed: firsts.failed, retry_failed, was_broken }
    }

    fn break_and_fix(&mut self, run: u32) {
        self.breakages.retain(|(_, until)| *until > run);
        let (often, long) = self.world.breakage;
        if self.draw.chance(0.02 * often) {
            let breakage = Breakage::new(&self.suite, &self.world, run, &mut self.draw);
            let length = f64::from(breakage.length(&mut self.draw)) * long;
            self.breakages.push((breakage, run.saturating_add(length as u32)));
        }
        self.conditions.broken = self.broken();
        if self.outage_left > 0 {
            self.outage_left -= 1;
        } else if self.draw.chance(self.world.outage) {
            self.outage_left = geometric(&mut self.draw, 2.0);
            self.conditions.cut_out(&self.suite, &mut self.draw);
        }
        if self.outage_left == 0 {
            self.conditions.outage.clear();
        }
    }

    fn again(&mut self, test: u32, run: u32, stays: &[bool]) -> bool {
        let broken = f64::from(self.conditions.broken[test as usize]);
        if broken > 0.0 && self.draw.chance(broken) {
            return true;
        }
        if self.conditions.is_out(&self.suite, test) && self.draw.chance(0.7) {
            return true;
        }
        let rate = self.suite.rate_at(test, run);
        let fails = match self.suite.cluster_of[test as usize] {
            Some(cluster) if stays[cluster as usize] => super::world::MEMBER_FAILS,
            Some(_) => rate,
            None if rate > 0.0 => rate + self.world.correlation * (1.0 - rate),
            None => 0.0,
        };
        self.draw.chance(fails)
    }
}

impl MainRun {
    /// The first attempts as the filter takes them.
    pub fn seen(&self, tests: usize) -> Vec<Seen> {
        let mut seen = vec![Seen::Passed; tests];
        for test in &self.failed {
            seen[*test as usize] = Seen::Failed;
        }
        seen
    }
}
