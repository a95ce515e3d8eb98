//! What is learned across tests: the prior of each class, the rate that tests of each level really
//! have, and how far a retry repeats the first failure.

use super::block::{Block, LANES, Lane};
use super::{Belief, LEVELS, RATES, Retried};
use crate::attempt::Isolation;

/// Before anything is known: nearly all tests are sound.
const START: [f32; LEVELS] = {
    let rest = 0.03 / 7.0;
    [0.97, rest, rest, rest, rest, rest, rest, rest]
};

/// How many tests the start counts for when a prior is learned.
const START_TESTS: f64 = 20.0;

/// How many failures the rate of a level counts for when the rate of its tests is learned.
const START_FAILURES: f64 = 20.0;

/// What is kept of the failures and attempts of a level each time that its rate is learned anew.
const REMEMBERED: f64 = 0.9;

/// Failures of healthy tests and their attempts, by level.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Levels {
    pub(super) failures: [f64; LEVELS],
    pub(super) attempts: [f64; LEVELS],
    /// Attempts since the rates were learned, of all tests.
    pub(super) since: f64,
}

/// The prior weights of each class, and the same spread over the lanes of a block.
#[derive(Clone, Debug)]
pub(super) struct Priors {
    pub(super) of_class: Vec<[f32; LEVELS]>,
    spread: Vec<[Lane; LEVELS]>,
    mixed: [Lane; LEVELS],
    /// A level stands for a band of rates: the mean rate of the tests that are held to be in it.
    means: [f32; LEVELS],
    pub(super) levels: Levels,
}

impl Default for Priors {
    fn default() -> Self {
        let (of_class, spread) = (Vec::new(), Vec::new());
        let levels = Levels::default();
        Self { of_class, spread, mixed: Default::default(), means: RATES, levels }
    }
}

impl Priors {
    /// Priors that were kept.
    pub(super) fn restored(
        of_class: Vec<[f32; LEVELS]>,
        means: [f32; LEVELS],
        levels: Levels,
    ) -> Self {
        let spread = |weights: &[f32; LEVELS]| weights.map(|weight| [weight; LANES]);
        let spread = of_class.iter().map(spread).collect();
        Self { of_class, spread, means, levels, mixed: Default::default() }
    }

    /// What the levels mean, as rates.
    pub(super) fn means(&self) -> &[f32; LEVELS] {
        &self.means
    }

    fn grow(&mut self, class: u8) {
        while self.of_class.len() <= usize::from(class) {
            self.of_class.push(START);
            self.spread.push(START.map(|weight| [weight; LANES]));
        }
    }

    pub(super) fn of(&self, class: u8) -> &[f32; LEVELS] {
        self.of_class.get(usize::from(class)).unwrap_or(&START)
    }

    /// The priors of one block, lane by lane.
    pub(super) fn lanes(&mut self, classes: &[u8]) -> &[Lane; LEVELS] {
        let first = classes.first().copied().unwrap_or_default();
        let highest = classes.iter().copied().max().unwrap_or_default();
        self.grow(highest);
        if classes.iter().all(|class| *class == first) {
            return &self.spread[usize::from(first)];
        }
        for (lane, class) in classes.iter().enumerate() {
            let weights = &self.of_class[usize::from(*class)];
            for (mixed, weight) in self.mixed.iter_mut().zip(weights) {
                mixed[lane] = *weight;
            }
        }
        &self.mixed
    }

    /// The prior of a class becomes the mean of what is now believed of its tests, drawn towards
    /// the start as if by [`START_TESTS`] more.
    pub(super) fn relearn(&mut self, blocks: &[Block], classes: &[u8]) {
        let mut sums = vec![([0.0_f64; LEVELS], 0.0_f64); self.of_class.len()];
        for (at, class) in classes.iter().enumerate() {
            let Some((sum, tests)) = sums.get_mut(usize::from(*class)) else { continue };
            *tests += 1.0;
            for (level, sum) in sum.iter_mut().enumerate() {
                *sum += f64::from(blocks[at / LANES].level(level, at % LANES));
            }
        }
        for (class, (sum, tests)) in sums.iter().enumerate() {
            for level in 0..LEVELS {
                let start = START_TESTS * f64::from(START[level]);
                let weight = ((sum[level] + start) / (tests + START_TESTS)) as f32;
                self.of_class[class][level] = weight;
                self.spread[class][level] = [weight; LANES];
            }
        }
        self.relearn_means(blocks, classes.len());
    }

    /// Takes in the attempts of a run: how many there were, and those that failed, each as far as
    /// its test is held to be healthy now that the run is known.
    pub(super) fn note(&mut self, ran: usize, failed: impl Iterator<Item = [f32; LEVELS]>) {
        self.levels.since += ran as f64;
        for healthy in failed {
            for (sum, weight) in self.levels.failures.iter_mut().zip(healthy) {
                *sum += f64::from(weight);
            }
        }
    }

    /// The mean rate of each level: failures over attempts, each test's by its weight in the level
    /// at that time, drawn towards the level itself. It stays nearer to its own level than to the
    /// next.
    fn relearn_means(&mut self, blocks: &[Block], tests: usize) {
        let mut mass = [0.0; LEVELS];
        for at in 0..tests {
            for (level, mass) in mass.iter_mut().enumerate() {
                *mass += f64::from(blocks[at / LANES].healthy[level][at % LANES]);
            }
        }
        let each = self.levels.since / tests.max(1) as f64;
        self.levels.since = 0.0;
        for (level, mass) in mass.into_iter().enumerate() {
            self.levels.attempts[level] += each * mass;
            let (failures, attempts) = (self.levels.failures[level], self.levels.attempts[level]);
            let start = START_FAILURES / f64::from(RATES[level]);
            let mean = ((failures + START_FAILURES) / (attempts + start)) as f32;
            self.levels.failures[level] *= REMEMBERED;
            self.levels.attempts[level] *= REMEMBERED;
            if level > 0 {
                let middle = |other: f32| (RATES[level] * other).sqrt();
                let high = RATES.get(level + 1).copied().map_or(1.0, middle);
                self.means[level] = mean.clamp(middle(RATES[level - 1]), high);
            }
        }
    }
}

/// First retries of one class in one isolation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retries {
    pub(super) tried: f64,
    pub(super) failed: f64,
    /// How many of the failures the tests' own rates explain.
    pub(super) explained: f64,
}

/// First retries by class and isolation.
#[derive(Clone, Debug, Default)]
pub(super) struct Correlation {
    pub(super) of_class: Vec<[Retries; 4]>,
}

const fn slot(isolation: Isolation) -> usize {
    match isolation {
        Isolation::InSuite => 0,
        Isolation::FreshProcess => 1,
        Isolation::FreshWorker => 2,
        Isolation::Replay => 3,
    }
}

impl Correlation {
    /// Takes in the first retry of a failure, given what was believed before it.
    pub(super) fn note(&mut self, class: u8, retried: Retried, belief: &Belief) {
        if belief.broken >= 0.1 {
            return;
        }
        while self.of_class.len() <= usize::from(class) {
            self.of_class.push([Retries::default(); 4]);
        }
        let retries = &mut self.of_class[usize::from(class)][slot(retried.isolation)];
        retries.tried += 1.0;
        retries.failed += f64::from(u8::from(retried.failed));
        retries.explained += f64::from(belief.rate);
    }

    /// The learned correlation, drawn towards 0.1 as by ten retries, within 0 to 0.9.
    pub(super) fn of(&self, class: u8, isolation: Isolation) -> f32 {
        let retries = self
            .of_class
            .get(usize::from(class))
            .map(|class| class[slot(isolation)])
            .unwrap_or_default();
        let beyond = retries.failed - retries.explained + 1.0;
        let at_risk = (retries.tried - retries.explained).max(0.0) + 10.0;
        (beyond / at_risk).clamp(0.0, 0.9) as f32
    }
}
