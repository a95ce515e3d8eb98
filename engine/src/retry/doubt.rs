//! What one failing test may mean, as probabilities, and what to do next about it.
//!
//! Six explanations are weighed after every attempt: the commit broke the test for good, the commit
//! made it fail at times, it is a flake, it was already broken on the base, the environment failed,
//! or the test fails only after certain others. A retry is asked for until one side is sure enough; a pass is given only
//! to a test that has passed on this commit, or that the base is known to fail.

use crate::flake::{Belief, LEVELS, RATES};

/// The failure rates that a partial breakage may have.
const PARTIAL: [f64; 7] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// How often a test fails that the commit broke for good.
const REAL_FAILS: f64 = 0.98;

/// How often a test fails that the base already breaks.
const BASE_FAILS: f64 = 0.97;

/// A failure on the base says that it was there before only of a test that seldom flakes.
const SELDOM_RATE: f64 = 0.2;

/// How often a retry fails where the environment failed the first attempt, as long as nothing says
/// that this is over.
const ENVIRONMENT_FAILS: f64 = 0.35;

/// The same where a worker is suspected, or a probe has found that a mass failure passed: the retry
/// runs elsewhere, or later.
const ENVIRONMENT_LEFT: f64 = 0.1;

/// The same once the test has passed: the environment was seen to be well again, and what fails now
/// and then on fresh workers is the test.
const ENVIRONMENT_RETURNS: f64 = 0.05;

/// A failure less likely than this to be the commit's may stay open in a run that is blocked anyway.
const OPEN_MAX: f64 = 0.1;

/// How often a test that depends on the order fails after the same tests as before, and how often
/// it passes without them.
const ORDER_REPEATS: f64 = 0.98;

/// The constants of the rule. The defaults were set once and hold in every simulated world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubtOptions {
    /// A verdict is given once its chance of being wrong is at most this.
    pub error_max: f64,
    /// Chance that one run newly breaks one given test.
    pub breaking: f64,
    /// The part of that which breaks it only at times.
    pub partial: f64,
    /// How much each other surprising failure of the same module raises that chance, up to four.
    pub neighbour: f64,
    /// Chance that the environment fails one given test of a calm run.
    pub environment: f64,
    /// Chance that the tests before it make one given test fail that passes alone.
    pub order: f64,
    /// The same as `environment` for a test of a suspected worker or in a passing mass failure.
    pub environment_suspected: f64,
    /// At most so many attempts of one test, the first included.
    pub attempts_max: u32,
    /// From this rate on a test runs and is reported, but neither gates nor is retried.
    pub quarantine_rate: f32,
}

impl Default for DoubtOptions {
    fn default() -> Self {
        Self {
            error_max: 0.01,
            breaking: 5e-5,
            partial: 0.15,
            neighbour: 200.0,
            environment: 2e-5,
            order: 1e-5,
            environment_suspected: 0.9,
            attempts_max: 15,
            quarantine_rate: 0.3,
        }
    }
}

/// What is known of a test before its failure is weighed.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// From the filter.
    pub belief: Belief,
    /// Chance that a retry repeats a flake whatever its rate, for the isolation of the retries.
    pub correlation: f32,
    /// Other surprising failures in the same module of this run.
    pub neighbours: u32,
    /// True where it sat on a suspected worker or in a mass failure that passed.
    pub suspected: bool,
}

/// The probability of each explanation; they add up to one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Posterior {
    /// The commit broke it for good.
    pub real: f64,
    /// The commit made it fail at times.
    pub partial: f64,
    /// A flake of the test.
    pub flake: f64,
    /// The base already breaks it.
    pub base: f64,
    /// The environment failed.
    pub environment: f64,
    /// The tests before it make it fail.
    pub order: f64,
}

/// What to do about a failing test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Next {
    /// Run it again on this commit.
    Retry,
    /// Run it once on the base commit.
    Control,
    /// It passed here, and the failure is not the commit's.
    Flaky,
    /// It passed here, but after all attempts some doubt remains.
    Suspect,
    /// The base fails it too.
    PreExisting,
    /// The failure is the commit's, or nothing speaks for the test.
    Failed,
    /// It is known to be so flaky that it neither gates nor is retried.
    Quarantined,
}

/// The weights of all explanations of one failing test. A value of fixed size: weighing allocates
/// nothing.
#[derive(Clone, Copy, Debug)]
pub struct Doubt {
    flake: [f64; LEVELS],
    repeats: [f64; LEVELS],
    real: f64,
    partial: [f64; PARTIAL.len()],
    base: f64,
    environment: f64,
    suspected: bool,
    order: f64,
    rate: f64,
    failed: u32,
    passed: u32,
    control: Option<bool>,
}

impl Doubt {
    /// The weights after the first failure on this commit.
    pub fn after_failure(known: &Known, options: &DoubtOptions) -> Self {
        let raised =
            options.breaking * (1.0 + options.neighbour * f64::from(known.neighbours.min(4)));
        let real = raised.min(0.5) * (1.0 - options.partial) * REAL_FAILS;
        let each = raised.min(0.5) * options.partial / PARTIAL.len() as f64;
        let environment =
            if known.suspected { options.environment_suspected } else { options.environment };
        let else_share = 1.0 - environment;
        let correlation = f64::from(known.correlation);
        let weigh = |level: usize| {
            else_share * f64::from(known.belief.healthy[level]) * f64::from(RATES[level])
        };
        Self {
            flake: std::array::from_fn(weigh),
            repeats: RATES.map(|rate| f64::from(rate) + correlation * (1.0 - f64::from(rate))),
            real: else_share * real,
            partial: PARTIAL.map(|fails| else_share * each * fails),
            base: else_share * f64::from(known.belief.broken) * BASE_FAILS,
            environment,
            suspected: known.suspected,
            order: else_share * options.order,
            rate: f64::from(known.belief.rate),
            failed: 1,
            passed: 0,
            control: None,
        }
    }

    /// Takes in a further attempt on this commit, without the tests that ran before it at first.
    pub fn observe(&mut self, failed: bool) {
        self.order *= if failed { 1.0 - ORDER_REPEATS } else { ORDER_REPEATS };
        self.observe_else(failed);
    }

    /// Takes in a further attempt on this commit, after the same tests as at first: only this tells
    /// a test that depends on their order from a flake.
    pub fn observe_replay(&mut self, failed: bool) {
        self.order *= if failed { ORDER_REPEATS } else { 1.0 - ORDER_REPEATS };
        self.observe_else(failed);
    }

    fn environment_fails(&self) -> f64 {
        match (self.passed, self.suspected) {
            (0, false) => ENVIRONMENT_FAILS,
            (0, true) => ENVIRONMENT_LEFT,
            _ => ENVIRONMENT_RETURNS,
        }
    }

    fn observe_else(&mut self, failed: bool) {
        let weigh = |fails: f64| if failed { fails } else { 1.0 - fails };
        let calm = self.passed > 0;
        let rates = if calm { RATES.map(f64::from) } else { self.repeats };
        for (weight, fails) in self.flake.iter_mut().zip(rates) {
            *weight *= weigh(fails);
        }
        self.real *= weigh(REAL_FAILS);
        for (weight, fails) in self.partial.iter_mut().zip(PARTIAL) {
            *weight *= weigh(fails);
        }
        self.base *= weigh(BASE_FAILS);
        self.environment *= weigh(self.environment_fails());
        self.failed += u32::from(failed);
        self.passed += u32::from(!failed);
        self.rescale();
    }

    /// Takes in one run on the base commit.
    pub fn observe_base(&mut self, failed: bool) {
        let weigh = |fails: f64| if failed { fails } else { 1.0 - fails };
        // On the base the commit has broken nothing: the test fails there by its own rate.
        let own = self.rate.clamp(1e-6, 1.0 - 1e-6);
        self.real *= weigh(own);
        for weight in &mut self.partial {
            *weight *= weigh(own);
        }
        for (weight, rate) in self.flake.iter_mut().zip(RATES) {
            *weight *= weigh(f64::from(rate));
        }
        self.base *= weigh(BASE_FAILS);
        self.environment *= weigh(ENVIRONMENT_FAILS);
        self.order *= weigh(1.0 - ORDER_REPEATS);
        self.control = Some(failed);
        self.rescale();
    }

    /// Keeps the weights away from the smallest numbers; their ratios alone matter.
    fn rescale(&mut self) {
        let total = self.total();
        if !(1e-200..1e200).contains(&total) || total < 1e-3 {
            let scale = 1.0 / total.max(f64::MIN_POSITIVE);
            self.flake.iter_mut().chain(&mut self.partial).for_each(|weight| *weight *= scale);
            self.real *= scale;
            self.base *= scale;
            self.environment *= scale;
            self.order *= scale;
        }
    }

    fn total(&self) -> f64 {
        let flake: f64 = self.flake.iter().sum();
        let partial: f64 = self.partial.iter().sum();
        flake + partial + self.real + self.base + self.environment + self.order
    }

    /// The probability of each explanation.
    pub fn posterior(&self) -> Posterior {
        let total = self.total().max(f64::MIN_POSITIVE);
        Posterior {
            real: self.real / total,
            partial: self.partial.iter().sum::<f64>() / total,
            flake: self.flake.iter().sum::<f64>() / total,
            base: self.base / total,
            environment: self.environment / total,
            order: self.order / total,
        }
    }

    /// Probability that the commit is to blame.
    pub fn p_real(&self) -> f64 {
        let posterior = self.posterior();
        posterior.real + posterior.partial
    }

    /// Attempts on this commit that failed, and that passed.
    pub const fn attempts(&self) -> (u32, u32) {
        (self.failed, self.passed)
    }

    /// What the one run on the base showed: `Some(true)` where it failed there.
    pub const fn control(&self) -> Option<bool> {
        self.control
    }

    /// The rule. Stops where the chance of a wrong verdict is at most `error_max`, and at
    /// `attempts_max`; a test that never passed on this commit is let through only where the base
    /// fails it too. `control` says whether a run on the base can be had.
    pub fn next(&self, options: &DoubtOptions, control: bool) -> Next {
        if self.rate >= f64::from(options.quarantine_rate) && self.control.is_none() {
            return Next::Quarantined;
        }
        let posterior = self.posterior();
        let p_real = posterior.real + posterior.partial;
        if self.control == Some(true) && self.rate < SELDOM_RATE && p_real <= options.error_max {
            return Next::PreExisting;
        }
        if p_real <= options.error_max && self.passed > 0 {
            return Next::Flaky;
        }
        if p_real <= options.error_max && posterior.base > 0.95 {
            return Next::PreExisting;
        }
        if p_real >= 1.0 - options.error_max {
            return Next::Failed;
        }
        if self.failed >= 2 && self.passed == 0 && self.control.is_none() && control {
            return Next::Control;
        }
        if self.failed + self.passed < options.attempts_max {
            return Next::Retry;
        }
        if self.passed > 0 && p_real <= 0.5 { Next::Suspect } else { Next::Failed }
    }

    /// True where the failure is the commit's beyond `error_max` and the base was seen to pass: it
    /// alone blocks the run, whatever else failed.
    pub fn is_proven(&self, options: &DoubtOptions) -> bool {
        self.control == Some(false) && self.p_real() >= 1.0 - options.error_max
    }

    /// True where the failure is so likely not the commit's that it need not run again in a run that
    /// another failure blocks: its verdict cannot change that of the run. It stays undecided; it is
    /// never let through.
    pub fn may_stay_open(&self) -> bool {
        self.p_real() < OPEN_MAX
    }

    /// By how much one more attempt is expected to lower the chance of a wrong verdict. The most
    /// useful retry is the one with the greatest fall per second.
    pub fn expected_fall(&self) -> f64 {
        let wrong = |p: f64| p.min(1.0 - p);
        let now = wrong(self.p_real());
        let (mut failed, mut passed) = (*self, *self);
        failed.observe(true);
        passed.observe(false);
        let p_fail = self.p_next_fails();
        now - p_fail * wrong(failed.p_real()) - (1.0 - p_fail) * wrong(passed.p_real())
    }

    /// Probability that the next attempt on this commit fails.
    pub fn p_next_fails(&self) -> f64 {
        let calm = self.passed > 0;
        let mut fails = REAL_FAILS * self.real + BASE_FAILS * self.base;
        fails += self.environment_fails() * self.environment + (1.0 - ORDER_REPEATS) * self.order;
        let rates = if calm { RATES.map(f64::from) } else { self.repeats };
        for (weight, rate) in self.flake.iter().zip(rates) {
            fails += weight * rate;
        }
        for (weight, rate) in self.partial.iter().zip(PARTIAL) {
            fails += weight * rate;
        }
        (fails / self.total().max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
    }
}

/// Retries that a failing test needs where nothing but its rate is known: so many that all of them
/// fail by chance with at most `error_max / failing`, between 2 and 12. `fails` is the chance that
/// one retry of a flake fails. The fallback where there is no history.
///
/// ```
/// use rasher::retry::retries_needed;
/// assert_eq!(retries_needed(0.01, 1, 0.1 + 0.9 * 0.5), 8);
/// ```
pub fn retries_needed(error_max: f64, failing: usize, fails: f64) -> u32 {
    let share = (error_max / failing.max(1) as f64).clamp(1e-12, 0.999_999);
    let fails = fails.clamp(1e-9, 0.999_999);
    ((share.ln() / fails.ln()).ceil() as u32).clamp(2, 12)
}
