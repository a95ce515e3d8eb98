//! The talk's monolith, made from a seed: 45,000 tests in some 3,750 classes, 480,000 seconds in all,
//! so that 200 workers need forty minutes and one test alone needs thirty-nine.
//!
//! Decides what such a suite looks like: areas, kinds of test, set-ups, a heavy tail, flaky and
//! skipped tests, and how a run differs from the next. Never reads entropy or a clock.

mod names;
mod run;

use std::collections::HashSet;

use rasher::units::Micros;

use crate::draw::Draw;

pub use run::{CaseResult, MadeRun};

/// Tests of the talk's monolith.
pub const MONOLITH_TESTS: usize = 45_000;
/// The seed of the corpus that the demo and the benchmarks use.
pub const MONOLITH_SEED: u64 = 2017;

/// Seconds per test on average, set-ups included: 480,000 over 45,000.
const SECONDS_PER_TEST: f64 = 480_000.0 / 45_000.0;
/// The longest test of a monolith of full size.
const LONGEST: Micros = Micros::from_secs(2_347);
/// No other test is longer.
const SECOND_LONGEST_SECONDS: f64 = 1_900.0;
/// Cases in a class: log-normal with this median and spread, mean about 12.
const CASES_MEDIAN: f64 = 8.6;
const CASES_SIGMA: f64 = 0.85;
const CASES_MAX: f64 = 150.0;

/// A made test suite: what is true of it in every run.
#[derive(Clone, Debug)]
pub struct Monolith {
    /// Its classes; the tests are counted through them in order.
    pub classes: Vec<Class>,
    seed: u64,
}

/// A class of tests with a set-up of its own.
#[derive(Clone, Debug)]
pub struct Class {
    /// The full name, `com.example.<area>.<layer>.<Name>`.
    pub name: String,
    /// The area of the product, which is also the team.
    pub area: &'static str,
    /// What it costs before its first test, on each worker that runs one of its tests.
    pub setup: Micros,
    /// Its tests.
    pub cases: Vec<Case>,
}

/// One test.
#[derive(Clone, Debug)]
pub struct Case {
    /// The method, with its invocation where it is parametrised.
    pub name: String,
    /// Its usual time.
    pub duration: Micros,
    /// How often it fails for no reason of the code's.
    pub flake_rate: f64,
    /// Left out on purpose, in every run.
    pub skipped: bool,
}

impl Monolith {
    /// A suite of `tests` tests of seed `seed`. Same arguments, same suite, on every machine.
    ///
    /// ```
    /// use rasher_bench::corpus::Monolith;
    /// let small = Monolith::new(1_000, 7);
    /// assert_eq!(small.tests(), 1_000);
    /// assert_eq!(small.run(3).junit(), Monolith::new(1_000, 7).run(3).junit());
    /// ```
    pub fn new(tests: usize, seed: u64) -> Self {
        let mut draw = Draw::new(seed, "monolith");
        let mut taken = HashSet::new();
        let mut classes = Vec::with_capacity(tests / 12 + 1);
        let mut left = tests;
        while left > 0 {
            let count = case_count(&mut draw).min(left);
            classes.push(Class::draw(&mut draw, count, &mut taken));
            left -= count;
        }
        let mut made = Self { classes, seed };
        made.scale_to(SECONDS_PER_TEST * tests as f64);
        if tests >= MONOLITH_TESTS {
            made.pin_longest();
        }
        made
    }

    /// The talk's monolith at its size: [`MONOLITH_TESTS`] tests of [`MONOLITH_SEED`].
    pub fn full() -> Self {
        Self::new(MONOLITH_TESTS, MONOLITH_SEED)
    }

    /// How many tests there are.
    pub fn tests(&self) -> usize {
        self.classes.iter().map(|class| class.cases.len()).sum()
    }

    /// Every test with its class, in order.
    pub fn cases(&self) -> impl Iterator<Item = (&Class, &Case)> {
        self.classes.iter().flat_map(|class| class.cases.iter().map(move |case| (class, case)))
    }

    /// All work: each test and each set-up once.
    pub fn work(&self) -> Micros {
        self.classes
            .iter()
            .map(|class| class.setup + class.cases.iter().map(|case| case.duration).sum())
            .sum()
    }

    /// What the run of `number` reports; runs differ as real ones do.
    pub fn run(&self, number: u32) -> MadeRun<'_> {
        MadeRun::draw(self, number)
    }

    /// Makes all tests and set-ups together cost `seconds`, with no test over its limit.
    fn scale_to(&mut self, seconds: f64) {
        let setups: Micros = self.classes.iter().map(|class| class.setup).sum();
        let wanted = (seconds - setups.as_secs_f64()).max(0.1 * seconds);
        for _ in 0..4 {
            let bodies: Micros = self.cases().map(|(_, case)| case.duration).sum();
            let factor = wanted / bodies.as_secs_f64();
            for case in self.classes.iter_mut().flat_map(|class| &mut class.cases) {
                let scaled = (case.duration.as_secs_f64() * factor).min(SECOND_LONGEST_SECONDS);
                case.duration = whole_millis(scaled);
            }
        }
    }

    /// Gives the longest test the length of the talk's, in a class that is quick to set up.
    fn pin_longest(&mut self) {
        let longest = self
            .classes
            .iter_mut()
            .max_by_key(|class| class.cases.iter().map(|case| case.duration).max());
        let Some(class) = longest else { return };
        class.setup = class.setup.min(Micros::from_secs(20));
        if let Some(case) = class.cases.iter_mut().max_by_key(|case| case.duration) {
            case.duration = LONGEST;
            case.skipped = false;
        }
    }
}

impl Class {
    fn draw(draw: &mut Draw, count: usize, taken: &mut HashSet<String>) -> Self {
        let area = names::weighted(draw, names::AREAS.iter().map(|area| area.1));
        let kind = names::weighted(draw, names::KINDS.iter().map(|kind| kind.2));
        let (_, _, _, setup, slowness) = names::KINDS[kind];
        let name = names::class_name(draw, area, kind, taken);
        let level = slowness * draw.log_normal(0.8);
        let setup = whole_millis(setup * draw.log_normal(0.7));
        let methods = names::method_names(draw, count);
        let cases = methods.into_iter().map(|name| Case::draw(draw, name, level)).collect();
        Self { name, area: names::AREAS[area].0, setup, cases }
    }
}

impl Case {
    fn draw(draw: &mut Draw, name: String, level: f64) -> Self {
        let duration = whole_millis(level * draw.log_normal(1.25));
        let flake_rate =
            if draw.chance(0.005) { (0.02 * draw.log_normal(1.0)).min(0.5) } else { 0.0 };
        Self { name, duration, flake_rate, skipped: draw.chance(0.002) }
    }
}

fn case_count(draw: &mut Draw) -> usize {
    (CASES_MEDIAN * draw.log_normal(CASES_SIGMA)).clamp(1.0, CASES_MAX).round() as usize
}

/// Reports carry whole milliseconds; nothing takes no time at all.
fn whole_millis(seconds: f64) -> Micros {
    Micros::from_millis((seconds * 1e3).round().max(1.0) as u64)
}

#[cfg(test)]
mod tests;
