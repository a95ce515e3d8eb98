//! Eight tests at a time, one number of each beside the others, so that one instruction serves
//! several tests. Only sums, products and quotients: the same bits on every machine.

#![expect(
    clippy::needless_range_loop,
    reason = "several columns are walked in step, lane by lane, so that the compiler vectorises"
)]

use super::{Belief, FLAKY_FROM, FlakeOptions, LEVELS, RATES, Seen};

/// Tests in a block.
pub(super) const LANES: usize = 8;

/// One number of each test of a block.
pub(super) type Lane = [f32; LANES];

/// What one step of time and evidence does, prepared once for all blocks.
pub(super) struct Step {
    change: f32,
    breaking: f32,
    fixing: f32,
    forget: f32,
    broken_fails: f32,
}

impl Step {
    pub(super) fn new(options: &FlakeOptions, new_commit: bool) -> Self {
        let moves = if new_commit { 1.0 } else { 0.0 };
        Self {
            change: options.change * moves,
            breaking: options.breaking * moves,
            fixing: options.fixing * moves,
            forget: options.forget,
            broken_fails: options.broken_fails,
        }
    }
}

#[derive(Clone, Debug, Default)]
#[repr(C, align(32))]
pub(super) struct Block {
    pub(super) healthy: [Lane; LEVELS],
    pub(super) broken: [Lane; LEVELS],
    pub(super) attempts: Lane,
    pub(super) failures: Lane,
    pub(super) flagged: [bool; LANES],
}

/// The likelihood of what was seen is `base + slope · rate`.
fn likelihood(seen: &[Seen; LANES]) -> (Lane, Lane) {
    const BASE: [f32; 3] = [1.0, 1.0, 0.0];
    const SLOPE: [f32; 3] = [0.0, -1.0, 1.0];
    (seen.map(|s| BASE[s as usize]), seen.map(|s| SLOPE[s as usize]))
}

fn sum(of: &[Lane; LEVELS]) -> Lane {
    let mut total = [0.0; LANES];
    for level in of {
        for lane in 0..LANES {
            total[lane] += level[lane];
        }
    }
    total
}

impl Block {
    /// Gives one lane its prior.
    pub(super) fn start(&mut self, lane: usize, prior: &[f32; LEVELS]) {
        for level in 0..LEVELS {
            self.healthy[level][lane] = prior[level];
            self.broken[level][lane] = 0.0;
        }
    }

    /// Predicts one commit ahead and takes in what was seen.
    pub(super) fn advance(&mut self, step: &Step, prior: &[Lane; LEVELS], seen: &[Seen; LANES]) {
        let (base, slope) = likelihood(seen);
        let healthy = sum(&self.healthy);
        let mut broken_seen = [0.0; LANES];
        let mut drawn = [0.0; LANES];
        for lane in 0..LANES {
            broken_seen[lane] = base[lane] + slope[lane] * step.broken_fails;
            drawn[lane] = step.change * healthy[lane];
        }
        let mut total = [0.0_f32; LANES];
        for level in 0..LEVELS {
            let rate = RATES[level];
            for lane in 0..LANES {
                let was_broken = self.broken[level][lane];
                let moved = (1.0 - step.change) * self.healthy[level][lane]
                    + drawn[lane] * prior[level][lane];
                let now = (1.0 - step.breaking) * moved + step.fixing * was_broken;
                let down = (1.0 - step.fixing) * was_broken + step.breaking * moved;
                let now = now * (base[lane] + slope[lane] * rate);
                let down = down * broken_seen[lane];
                self.healthy[level][lane] = now;
                self.broken[level][lane] = down;
                total[lane] += now + down;
            }
        }
        self.normalise(&total);
        self.count(step, seen);
    }

    /// Moves a share of one healthy lane over to broken, before a commit is predicted.
    pub(super) fn break_ahead(&mut self, lane: usize, share: f32) {
        for level in 0..LEVELS {
            let moved = share * self.healthy[level][lane];
            self.healthy[level][lane] -= moved;
            self.broken[level][lane] += moved;
        }
    }

    fn normalise(&mut self, total: &Lane) {
        // An empty lane sums to nothing and stays empty.
        let scale = total.map(|sum| 1.0 / sum.max(f32::MIN_POSITIVE));
        for level in 0..LEVELS {
            for lane in 0..LANES {
                self.healthy[level][lane] *= scale[lane];
                self.broken[level][lane] *= scale[lane];
            }
        }
    }

    /// The decayed counters behind the interval, and the flag.
    fn count(&mut self, step: &Step, seen: &[Seen; LANES]) {
        let broken = sum(&self.broken);
        let keep = 1.0 - step.forget;
        for lane in 0..LANES {
            let calm = if broken[lane] < 0.5 { 1.0 } else { 0.0 };
            let ran = if seen[lane] == Seen::Nothing { 0.0 } else { calm };
            let failed = if seen[lane] == Seen::Failed { calm } else { 0.0 };
            self.attempts[lane] = self.attempts[lane] * keep + ran;
            self.failures[lane] = self.failures[lane] * keep + failed;
        }
        let flaky = self.p_flaky();
        for lane in 0..LANES {
            let limit = if self.flagged[lane] { 0.5 } else { 0.9 };
            self.flagged[lane] = flaky[lane] >= limit;
        }
    }

    fn p_flaky(&self) -> Lane {
        let mut mass = [0.0; LANES];
        for level in FLAKY_FROM..LEVELS {
            for lane in 0..LANES {
                mass[lane] += self.healthy[level][lane] + self.broken[level][lane];
            }
        }
        mass
    }

    /// Takes in one retry of one test.
    pub(super) fn retry(&mut self, lane: usize, failed: bool, correlation: f32, broken_fails: f32) {
        let weigh = |fails: f32| if failed { fails } else { 1.0 - fails };
        let mut total = 0.0;
        for level in 0..LEVELS {
            self.healthy[level][lane] *= weigh(RATES[level].max(correlation));
            self.broken[level][lane] *= weigh(broken_fails);
            total += self.healthy[level][lane] + self.broken[level][lane];
        }
        for level in 0..LEVELS {
            self.healthy[level][lane] /= total;
            self.broken[level][lane] /= total;
        }
    }

    pub(super) fn belief(&self, lane: usize, means: &[f32; LEVELS]) -> Belief {
        let healthy = self.healthy.map(|level| level[lane]);
        let (mut broken, mut rate) = (0.0, 0.0);
        for level in 0..LEVELS {
            broken += self.broken[level][lane];
            rate += (healthy[level] + self.broken[level][lane]) * means[level];
        }
        Belief { healthy, broken, rate }
    }

    /// Decayed attempts and failures, the flag, and the probability of being flaky.
    pub(super) fn counters(&self, lane: usize) -> (f32, f32, bool, f32) {
        (self.attempts[lane], self.failures[lane], self.flagged[lane], self.p_flaky()[lane])
    }

    /// The weight of one level, healthy or broken.
    pub(super) fn level(&self, level: usize, lane: usize) -> f32 {
        self.healthy[level][lane] + self.broken[level][lane]
    }
}
