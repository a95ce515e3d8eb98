//! The search for a culprit beside bisection as people do it.

use rasher::culprit::{Finding, Search};
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use crate::draw::Draw;

/// Commits since the test last passed for sure.
const SUSPECTS: usize = 100;
/// How often the test fails by chance.
const RATES: [f64; 5] = [0.0, 0.01, 0.05, 0.2, 0.5];
/// How often the culprit makes it fail where chance does not.
const POWERS: [f64; 2] = [1.0, 0.6];
/// The chance of a wrong answer that the search is given.
const ERROR: f64 = 0.01;
/// What may be wrong where the culprit itself breaks the test only at times, in per cent: such
/// culprits are thought to be rare, so less is asked of them.
const PARTIAL_MAX: f64 = 10.0;
/// Searches per seed, for each row.
const HUNTS: u64 = 500;
/// Executions after which a search is a wrong answer.
const RUNS_MAX: u32 = 2_000;

/// A way to look for the culprit.
#[derive(Clone, Copy)]
enum Way {
    Search,
    /// Bisection that retries a failure so many times at most, and believes one pass.
    Bisect(u32),
}

const WAYS: [(&str, Way); 4] = [
    ("search", Way::Search),
    ("bisection", Way::Bisect(0)),
    ("bisection, 2 retries", Way::Bisect(2)),
    ("bisection, 9 retries", Way::Bisect(9)),
];

/// What is true, and what executions of the test show of it.
struct Truth {
    /// None where the test fails by chance alone.
    culprit: Option<usize>,
    power: f64,
    rate: f64,
    draw: Draw,
    runs: u32,
}

impl Truth {
    /// Runs the test with so many of the first suspects present.
    fn fails(&mut self, present: usize) -> bool {
        self.runs += 1;
        let guilty = self.culprit.is_some_and(|culprit| culprit < present);
        self.draw.chance(self.rate) | (guilty && self.draw.chance(self.power))
    }
}

/// Hundreds of hunts for each way, rate and power.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "culprit",
        "Which of a hundred commits makes a test fail that also fails by chance: wrong answers in per \
         cent, and executions of the test; without a culprit, a right answer accuses nobody",
        &["fails by chance", "with the culprit", "way", "wrong, %", "executions, mean"],
    );
    let (mut worst, mut partial) = (0.0_f64, 0.0_f64);
    for rate in RATES {
        let truths = POWERS.map(Some).into_iter().chain([None]).filter(|power| {
            // Without chance failures, somebody is to blame.
            power.is_some() || rate > 0.0
        });
        for power in truths {
            for (name, way) in WAYS {
                let (wrong, runs) = hunts(way, rate, power, effort.seeds);
                match (way, power) {
                    (Way::Search, Some(power)) if power < 1.0 => partial = partial.max(wrong),
                    (Way::Search, _) => worst = worst.max(wrong),
                    _ => {}
                }
                let breaks = power.map_or(json!("no culprit"), |power| json!(power));
                found.row(vec![
                    json!(rate),
                    breaks,
                    json!(name),
                    json!(100.0 * wrong),
                    json!(runs),
                ]);
            }
        }
    }
    let what =
        "wrong answers of the search: the culprit breaks the test for good, or there is none, %";
    found.target(Target::at_most("culprit", what, 100.0 * ERROR, 100.0 * worst));
    let what = "the same where the culprit breaks it at times, %";
    found.target(Target::at_most("culprit", what, PARTIAL_MAX, 100.0 * partial));
    found
}

/// The share of wrong answers, and the mean of the executions.
fn hunts(way: Way, rate: f64, power: Option<f64>, seeds: u64) -> (f64, f64) {
    let count = seeds.max(1) * HUNTS;
    let (mut wrong, mut runs) = (0_u32, 0_u64);
    for hunt in 0..count {
        let mut draw = Draw::new(hunt, "culprit");
        let culprit = power.map(|_| draw.below(SUSPECTS as u64) as usize);
        let power = power.unwrap_or(rate);
        let mut truth = Truth { culprit, power, rate, draw, runs: 0 };
        let answer = match way {
            Way::Search => search(&mut truth),
            Way::Bisect(retries) => Some(bisect(&mut truth, retries)),
        };
        wrong += u32::from(answer != Some(culprit.map_or(Finding::Chance, Finding::Suspect)));
        runs += u64::from(truth.runs);
    }
    (f64::from(wrong) / count as f64, runs as f64 / count as f64)
}

/// What `rasher culprit` would say, one execution after another; none where it does not end.
fn search(truth: &mut Truth) -> Option<Finding> {
    let mut search = Search::new(SUSPECTS);
    // That it failed with all of them is why anybody looks.
    search.observe(|_| true, true, truth.rate);
    while truth.runs < RUNS_MAX {
        if let Some(found) = search.finding(ERROR) {
            return Some(found);
        }
        let cut = search.next_cut(truth.rate);
        let failed = truth.fails(cut);
        search.observe(|suspect| suspect < cut, failed, truth.rate);
    }
    None
}

/// Halves the range at each step. The first suspect may be accused, nobody never.
fn bisect(truth: &mut Truth, retries: u32) -> Finding {
    let (mut low, mut high) = (0, SUSPECTS - 1);
    while low < high {
        let middle = low.midpoint(high);
        let failed = (0..=retries).all(|_| truth.fails(middle + 1));
        if failed { high = middle } else { low = middle + 1 }
    }
    Finding::Suspect(low)
}
