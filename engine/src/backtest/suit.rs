//! The estimator that suits a suite.
//!
//! Decides it from the durations that history keeps of every test, by playing the last runs again:
//! each estimator predicts a run from the durations before it, and what counts is how long the
//! longest worker of the plan then really took. Never judges by the error of single tests: an
//! error that evens out within a worker costs nothing.

use crate::estimate::{Estimator, Levels};
use crate::history::{Columns, History, NONE, RECENT};
use crate::plan::longest_first::longest_first;

/// So many of the last runs are played again.
const RUNS: usize = 12;
/// With fewer of them nothing is chosen.
const RUNS_MIN: usize = 4;
/// So many tests are played at most: every n-th of a larger suite.
const TESTS_MAX: usize = 5_000;
/// With fewer tests than this nothing is chosen.
const TESTS_MIN: usize = 20;
/// Another estimator must be better by this share of what plans end over their bound: the last
/// twelve runs do not tell smaller differences apart.
const MARGIN: f64 = 0.05;

/// The estimator that a suite is planned with, and how it was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suited {
    /// The estimator.
    pub estimator: Estimator,
    /// How many past runs were played again; with none, the default stands.
    pub runs: usize,
    /// For each estimator the mean share over the bound at which those runs would have ended.
    pub over_bound: Vec<(Estimator, f64)>,
}

/// The estimator whose plans for `workers` workers would have ended nearest to the bound in the
/// last twelve runs, each predicted from the durations before it. With fewer than four of them, or
/// where none is clearly better, the default.
///
/// Runs are told apart by age: the newest duration of every test, then the one before. O(n log n)
/// for every run and estimator, over 5,000 tests at most: some ten milliseconds.
///
/// ```
/// use rasher::backtest::{Suited, suited};
/// use rasher::history::History;
/// assert_eq!(suited(&History::new("linux"), 20), Suited::default());
/// ```
pub fn suited(history: &History, workers: u32) -> Suited {
    let sample = Sample::of(history);
    let share = sample.tests.len() as f64 / sample.of.max(1) as f64;
    let workers = ((f64::from(workers) * share).round() as usize).max(2);
    let mut sums = [0.0; Estimator::ALL.len()];
    let mut runs = 0;
    for age in 0..RUNS {
        let Some(scores) = sample.play(age, workers) else { break };
        runs += 1;
        sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
    }
    if runs == 0 {
        return Suited::default();
    }
    let mean = Estimator::ALL.into_iter().zip(sums).map(|(by, sum)| (by, sum / runs as f64));
    let over_bound: Vec<(Estimator, f64)> = mean.collect();
    let usual = over_bound[0].1;
    let least = over_bound.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let better = least.filter(|(_, over)| runs >= RUNS_MIN && *over < usual * (1.0 - MARGIN));
    let estimator = better.map_or(Estimator::default(), |(by, _)| *by);
    Suited { estimator, runs, over_bound }
}

/// The tests whose past is played.
struct Sample<'a> {
    columns: &'a Columns,
    tests: Vec<usize>,
    /// How many they were taken from.
    of: usize,
}

impl<'a> Sample<'a> {
    /// The tests that still run, every n-th where there are many.
    fn of(history: &'a History) -> Self {
        let columns = history.columns();
        let runs = 0b1111_1111_1111;
        let all: Vec<usize> = (0..history.len())
            .filter(|at| columns.measured_run[*at] != NONE && columns.seen[*at] & runs != 0)
            .collect();
        let step = all.len().div_ceil(TESTS_MAX).max(1);
        Self { columns, of: all.len(), tests: all.into_iter().step_by(step).collect() }
    }

    /// What each estimator's plan for the run of an age would have ended over its bound.
    fn play(&self, age: usize, workers: usize) -> Option<[f64; Estimator::ALL.len()]> {
        let columns = self.columns;
        let timed = |at: &&usize| columns.recent_count(**at) > age + 1;
        let tests: Vec<usize> = self.tests.iter().filter(timed).copied().collect();
        if tests.len() < TESTS_MIN {
            return None;
        }
        let real: Vec<u64> =
            tests.iter().map(|at| columns.recent_us[*at][age].max(1.0) as u64).collect();
        let sum: u64 = real.iter().sum();
        let longest = real.iter().max().copied().unwrap_or(0);
        let bound = sum.div_ceil(workers as u64).max(longest) as f64;
        let levels = Levels::of(columns, age + 1, tests.iter().copied());
        let over = |by: Estimator| {
            let expected = tests.iter().map(|at| self.expect(*at, age, (by, &levels)));
            let expected: Vec<u64> = expected.collect();
            let plan = longest_first(&expected, workers);
            let mut loads = vec![0u64; workers];
            for (worker, real) in plan.worker.iter().zip(&real) {
                loads[*worker as usize] += real;
            }
            loads.iter().max().map_or(0.0, |most| *most as f64 / bound - 1.0)
        };
        Some(Estimator::ALL.map(over))
    }

    /// What was expected of a test before its run of that age.
    fn expect(&self, at: usize, age: usize, (by, levels): (Estimator, &Levels)) -> u64 {
        let past = &self.columns.recent_us[at][age + 1..self.columns.recent_count(at).min(RECENT)];
        let weighted = past.iter().rev().map(|us| f64::from(*us));
        let weighted = weighted.reduce(|mean, us| mean + 0.4 * (us - mean)).unwrap_or(1.0);
        by.expect(weighted as u64, past, levels).max(1)
    }
}
