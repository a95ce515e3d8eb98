//! What befalls a suite in one run: breakages, outages, bad workers, flakes; and what a retry of a
//! failed test then shows.

use super::world::{MEMBER_FAILS, Suite, World, geometric};
use crate::draw::Draw;

/// Tests that a commit broke, each with the chance that it fails.
#[derive(Clone, Debug)]
pub struct Breakage {
    /// The tests.
    pub tests: Vec<u32>,
    /// How often each fails.
    pub fails: f64,
    /// `Core`, `Wide` or `Local`.
    pub reach: Reach,
}

/// How much a commit breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A few tests of one module.
    Local,
    /// Half of the tests of up to ten modules.
    Wide,
    /// A fifth to three fifths of everything.
    Core,
}

/// Always failing, but for a little noise.
pub(super) const DETERMINISTIC: f64 = 0.995;

impl Breakage {
    /// Draws what one commit breaks.
    pub fn new(suite: &Suite, world: &World, run: u32, draw: &mut Draw) -> Self {
        let u = draw.unit();
        let reach = match u {
            _ if u < 0.85 => Reach::Local,
            _ if u < 0.97 => Reach::Wide,
            _ => Reach::Core,
        };
        let fails = if draw.chance(0.15) { 0.3 + 0.65 * draw.unit() } else { DETERMINISTIC };
        let tests = match reach {
            Reach::Local => local(suite, world, run, draw),
            Reach::Wide => {
                let modules = draw.between(1, 10);
                let first = draw.below(u64::from(suite.modules)) as u32;
                let hit = |m: u32| (m + suite.modules - first) % suite.modules < modules as u32;
                some(suite, draw, 0.5, |test| hit(suite.module[test]))
            }
            Reach::Core => {
                let share = 0.2 + 0.4 * draw.unit();
                some(suite, draw, share, |_| true)
            }
        };
        Self { tests, fails, reach }
    }

    /// How many runs of the main line it lasts.
    pub fn length(&self, draw: &mut Draw) -> u32 {
        let median = match self.reach {
            Reach::Local => 8.0,
            Reach::Wide => 4.0,
            Reach::Core => 2.0,
        };
        libm::ceil(median * draw.log_normal(0.8)) as u32
    }

    /// True where every broken test fails each time.
    pub fn is_deterministic(&self) -> bool {
        self.fails >= DETERMINISTIC
    }
}

fn some(suite: &Suite, draw: &mut Draw, share: f64, among: impl Fn(usize) -> bool) -> Vec<u32> {
    (0..suite.class.len()).filter(|t| among(*t) && draw.chance(share)).map(|t| t as u32).collect()
}

/// Tests of one module; flaky ones weigh more, and so do modules that hold them.
fn local(suite: &Suite, world: &World, run: u32, draw: &mut Draw) -> Vec<u32> {
    let count = geometric(draw, 4.0);
    let heaviest = world.flaky_weight.max(1.0);
    let weight = |test: u32| {
        if suite.rate_at(test, run) > 0.0 { world.flaky_weight / heaviest } else { 1.0 / heaviest }
    };
    let n = suite.class.len() as u64;
    let mut first = draw.below(n) as u32;
    while !draw.chance(weight(first)) {
        first = draw.below(n) as u32;
    }
    let module = suite.module[first as usize];
    let mut others: Vec<(f64, u32)> = (0..n as u32)
        .filter(|test| suite.module[*test as usize] == module && *test != first)
        .map(|test| (draw.exponential() / weight(test), test))
        .collect();
    others.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut tests: Vec<u32> = others.iter().take(count as usize - 1).map(|(_, t)| *t).collect();
    tests.push(first);
    tests.sort_unstable();
    tests
}

/// What holds in one run, before any test is run.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// For each test the chance that it fails because it is broken; 0 where it is sound.
    pub broken: Vec<f32>,
    /// The modules that an outage hits; empty without one.
    pub outage: Vec<bool>,
    /// The bad workers.
    pub bad_workers: Vec<u32>,
}

/// The first attempts of one run.
#[derive(Clone, Debug, Default)]
pub struct Firsts {
    /// The tests that failed, in order.
    pub failed: Vec<u32>,
    /// For each cluster, whether it had an event.
    pub events: Vec<bool>,
}

/// The worker of a test in a run: dealt at random, the same however often it is asked.
pub fn worker_of(seed: u64, run: u32, test: u32, workers: u32) -> u32 {
    let mut z = seed ^ (u64::from(run) << 32 | u64::from(test)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) % u64::from(workers)) as u32
}

impl Conditions {
    /// Draws which workers are bad.
    pub fn spoil_workers(&mut self, world: &World, draw: &mut Draw) {
        self.bad_workers = (0..world.workers).filter(|_| draw.chance(world.worker_bad)).collect();
    }

    /// Draws the modules of an outage.
    pub fn cut_out(&mut self, suite: &Suite, draw: &mut Draw) {
        let share = 0.05 + 0.75 * draw.unit();
        self.outage = (0..suite.modules).map(|_| draw.chance(share)).collect();
    }

    /// True where an outage hits the module of a test.
    pub fn is_out(&self, suite: &Suite, test: u32) -> bool {
        self.outage.get(suite.module[test as usize] as usize).copied().unwrap_or(false)
    }

    /// Runs every test once.
    pub fn run(
        &self,
        suite: &Suite,
        run: u32,
        worker: impl Fn(u32) -> u32,
        draw: &mut Draw,
    ) -> Firsts {
        let n = suite.class.len();
        let mut fails = vec![false; n];
        for test in &suite.loners {
            fails[*test as usize] |= draw.chance(suite.rate_at(*test, run));
        }
        let mut events = vec![false; suite.clusters.len()];
        for (at, members) in suite.clusters.iter().enumerate() {
            let event = draw.chance(suite.rate_at(members[0], run) / MEMBER_FAILS);
            events[at] = event;
            if event {
                for member in members {
                    fails[*member as usize] |= draw.chance(MEMBER_FAILS);
                }
            }
        }
        for (test, fails) in fails.iter_mut().enumerate() {
            let broken = f64::from(self.broken.get(test).copied().unwrap_or(0.0));
            *fails |= broken > 0.0 && draw.chance(broken);
        }
        if !self.outage.is_empty() || !self.bad_workers.is_empty() {
            for (test, fails) in fails.iter_mut().enumerate() {
                let sick = self.is_out(suite, test as u32)
                    || self.bad_workers.contains(&worker(test as u32));
                *fails |= sick && draw.chance(0.9);
            }
        }
        let failed = (0..n as u32).filter(|test| fails[*test as usize]).collect();
        Firsts { failed, events }
    }
}
