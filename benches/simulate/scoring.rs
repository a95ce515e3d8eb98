//! The scoring table: every detector and the filter on the same made main lines.

use std::ops::RangeInclusive;

use rasher::attempt::Isolation;
use rasher::flake::{Filter, FlakeOptions, Retried, Seen, gate};
use rasher::test_id::TestId;

use super::detect::{DETECTORS, Event};
use super::mainline::{MainLine, MainRun};
use super::metric::{Ranking, Rated, measure, quantile};
use super::world::World;

/// From this rate on a test counts as flaky.
const FLAKY: f64 = 0.001;

/// One line of the table, the mean over the seeds.
#[derive(Clone, Debug)]
pub struct ScoringRow {
    /// The detector.
    pub detector: String,
    /// The measures with sick runs left out.
    pub gated: Ranking,
    /// The area with sick runs learned from as well.
    pub ungated_auc: f64,
    /// Own failures of a test until it is flagged at one false flag in a thousand: median and
    /// 90 % quantile, over tests of rate 0.003 and more; infinite where it never was.
    pub failures_until_flagged: (f64, f64),
    /// What it keeps of each test.
    pub memory: &'static str,
}

/// Everything measured in one world.
#[derive(Clone, Debug)]
pub struct ScoringTable {
    /// The world.
    pub world: &'static str,
    /// The detectors, the filter last.
    pub rows: Vec<ScoringRow>,
    /// Bins of the expected rate: lowest rate of the bin, mean expected, mean true, how many.
    pub calibration: Vec<(f64, f64, f64, usize)>,
    /// Share of the flaky tests that had failed at least once when they were rated: without
    /// knowledge of other tests nothing can find the rest.
    pub ever_failed: f64,
    /// Share of flagged tests whose true rate lies in the 90 % interval: of all, and of those
    /// whose rate never changed.
    pub coverage: (f64, f64),
    /// Tests that failed twice in a row: how many, and how well P(broken) tells broken from flaky
    /// (area, Brier score).
    pub broken: (usize, f64, f64),
}

impl ScoringTable {
    /// How far the expected rate is from the true one in its decade, at worst, as a share: from
    /// 0.003 on, where there are enough failures to tell.
    pub fn miscalibration(&self) -> f64 {
        const DECADES: [(f64, f64); 3] = [(0.003, 0.01), (0.01, 0.1), (0.1, 1.0)];
        let off = |(low, high): (f64, f64)| {
            let bins = self.calibration.iter().filter(|bin| bin.0 >= low && bin.0 < high);
            let sum = |of: fn(&(f64, f64, f64, usize)) -> f64| {
                bins.clone().map(|bin| of(bin) * bin.3 as f64).sum::<f64>()
            };
            (sum(|bin| bin.1) / sum(|bin| bin.2) - 1.0).abs()
        };
        DECADES.map(off).into_iter().fold(0.0, f64::max)
    }
}

/// How many rows the filter has: expected rate and probability. Before them the most that any score
/// of single tests can reach: the true rate of each test that had failed, and what the filter learned
/// of their classes for the rest.
const OWN: usize = 3;
const OWN_NAMES: [&str; OWN] = ["truth of what had failed", "filter, E[p]", "filter, P(p > 0.001)"];
const OWN_MEMORY: [&str; OWN] = ["the truth", "16 floats", "16 floats"];

/// One way to see the past: gated or not.
struct View {
    filter: Filter,
    events: Vec<Vec<Event>>,
    now: u32,
    rated: Vec<Vec<Rated>>,
    /// After each own failure of a flaky test: the score of each detector.
    after_failure: Vec<Vec<Vec<f64>>>,
}

impl View {
    fn new(line: &MainLine) -> Self {
        let mut filter = Filter::new(FlakeOptions::default());
        for class in &line.suite.class {
            filter.add(*class);
        }
        let tests = line.world.tests;
        Self {
            filter,
            events: vec![Vec::new(); tests],
            now: 0,
            rated: vec![Vec::new(); DETECTORS.len() + OWN],
            after_failure: vec![Vec::new(); tests],
        }
    }

    fn scores(&self, test: u32) -> Vec<f64> {
        let events = &self.events[test as usize];
        let belief = self.filter.belief(TestId(test));
        let rate = f64::from(belief.rate);
        let own = [rate, rate, f64::from(self.filter.score_flaky(TestId(test)))];
        DETECTORS.iter().map(|d| (d.score)(events, self.now)).chain(own).collect()
    }

    fn observe(&mut self, line: &MainLine, run: &MainRun, seen: &[Seen]) {
        let retried: Vec<Retried> = run
            .failed
            .iter()
            .zip(&run.retry_failed)
            .filter(|(test, _)| seen[**test as usize] == Seen::Failed)
            .map(|(test, failed)| Retried {
                test: TestId(*test),
                failed: *failed,
                isolation: Isolation::FreshWorker,
            })
            .collect();
        self.filter.update_grouped(seen, &retried, &line.suite.module, true);
        if seen.iter().all(|seen| *seen == Seen::Nothing) {
            return;
        }
        for retried in &retried {
            let event = Event { run: self.now, retry_failed: retried.failed };
            self.events[retried.test.index()].push(event);
        }
        self.now += 1;
        for retried in &retried {
            let (test, at) = (retried.test.0, retried.test.index());
            let flaky = line.suite.rate_at(test, run.run) >= 0.003;
            if flaky && self.after_failure[at].len() < 12 {
                let scores = self.scores(test);
                self.after_failure[at].push(scores);
            }
        }
    }

    fn rate(&mut self, line: &MainLine, run: u32) {
        for test in 0..line.world.tests as u32 {
            let rate = line.suite.rate_at(test, run);
            if rate > 0.0 && rate < FLAKY {
                continue;
            }
            let never = line.suite.rate[test as usize] == 0.0;
            let mut scores = self.scores(test);
            if !self.events[test as usize].is_empty() {
                scores[DETECTORS.len()] = if rate > 0.0 { 1.0 + rate } else { -1.0 };
            }
            for (at, score) in scores.into_iter().enumerate() {
                self.rated[at].push(Rated { score, flaky: rate >= FLAKY, never });
            }
        }
    }

    /// Own failures until the score passed the threshold, for each flaky test that failed.
    fn until_flagged(&self, detector: usize, threshold: f64) -> Vec<f64> {
        let known = self.after_failure.iter().filter(|past| !past.is_empty());
        known
            .map(|past| {
                past.iter()
                    .position(|scores| scores[detector] > threshold)
                    .map_or(f64::INFINITY, |at| (at + 1) as f64)
            })
            .collect()
    }
}

/// What one seed adds to the parts of the table that are not rankings.
#[derive(Default)]
struct Extra {
    /// Flaky tests rated, and those of them that had failed by then.
    flaky: (f64, f64),
    calibration: Vec<(f64, f64)>,
    covered: Vec<(bool, bool)>,
    fail_fail: Vec<Rated>,
}

impl Extra {
    fn note_broken(&mut self, view: &View, run: &MainRun, seen: &[Seen]) {
        for (at, test) in run.failed.iter().enumerate() {
            if seen[*test as usize] == Seen::Failed && run.retry_failed[at] {
                let score = f64::from(view.filter.belief(TestId(*test)).broken);
                let flaky = run.was_broken[at];
                self.fail_fail.push(Rated { score, flaky, never: !flaky });
            }
        }
    }

    fn note_rates(&mut self, view: &View, line: &MainLine, run: u32) {
        for test in 0..line.world.tests as u32 {
            let (rate, at) = (line.suite.rate_at(test, run), test as usize);
            if rate >= FLAKY {
                self.flaky.0 += 1.0;
                self.flaky.1 += if view.events[at].is_empty() { 0.0 } else { 1.0 };
            }
            let score = view.filter.score(TestId(test));
            self.calibration.push((f64::from(score.rate), rate));
            if score.flagged && rate > 0.0 {
                let same = line.suite.born[at] == 0;
                self.covered.push(((score.low..=score.high).contains(&rate), same));
            }
        }
    }
}

fn run_seed(world: &World, seed: u64, extra: &mut Extra) -> (View, View) {
    let mut line = MainLine::new(world.clone(), seed);
    let (mut gated, mut open) = (View::new(&line), View::new(&line));
    let looks = [world.runs / 3, 2 * world.runs / 3, world.runs];
    for run in 0..world.runs {
        let shown = line.next_run();
        let all = shown.seen(world.tests);
        let mut calm = all.clone();
        gate(&mut calm, &line.workers(run), 0.0);
        gated.observe(&line, &shown, &calm);
        open.observe(&line, &shown, &all);
        extra.note_broken(&gated, &shown, &calm);
        if looks.contains(&(run + 1)) {
            gated.rate(&line, run);
            open.rate(&line, run);
            extra.note_rates(&gated, &line, run);
        }
    }
    (gated, open)
}

/// The scoring table of a world, the mean over `seeds`.
pub fn scoring_table(world: &World, seeds: RangeInclusive<u64>) -> ScoringTable {
    let detectors = DETECTORS.len() + OWN;
    let mut extra = Extra::default();
    let mut gated: Vec<Vec<Ranking>> = vec![Vec::new(); detectors];
    let mut open: Vec<Vec<f64>> = vec![Vec::new(); detectors];
    let mut until: Vec<Vec<f64>> = vec![Vec::new(); detectors];
    for seed in seeds {
        let (calm, all) = run_seed(world, seed, &mut extra);
        for at in 0..detectors {
            let ranking = measure(calm.rated[at].clone());
            until[at].extend(calm.until_flagged(at, ranking.threshold));
            gated[at].push(ranking);
            open[at].push(measure(all.rated[at].clone()).auc);
        }
    }
    let name =
        |at: usize| DETECTORS.get(at).map_or_else(|| OWN_NAMES[at - DETECTORS.len()], |d| d.name);
    let rows = (0..detectors).map(|at| ScoringRow {
        detector: name(at).to_owned(),
        gated: mean_ranking(&gated[at]),
        ungated_auc: mean(open[at].iter().copied()),
        failures_until_flagged: (quantile(&mut until[at], 0.5), quantile(&mut until[at], 0.9)),
        memory: DETECTORS.get(at).map_or_else(|| OWN_MEMORY[at - DETECTORS.len()], |d| d.memory),
    });
    let rows = rows.collect();
    let broken = broken_measures(extra.fail_fail);
    let same = extra.covered.iter().filter(|(_, same)| *same);
    let coverage = (
        mean(extra.covered.iter().map(|(inside, _)| f64::from(u8::from(*inside)))),
        mean(same.map(|(inside, _)| f64::from(u8::from(*inside)))),
    );
    ScoringTable {
        world: world.name,
        rows,
        ever_failed: extra.flaky.1 / extra.flaky.0,
        calibration: calibration(&extra.calibration),
        coverage,
        broken,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

fn mean_ranking(seeds: &[Ranking]) -> Ranking {
    let of = |field: fn(&Ranking) -> f64| mean(seeds.iter().map(field));
    Ranking {
        auc: of(|r| r.auc),
        average_precision: of(|r| r.average_precision),
        precision_100: of(|r| r.precision_100),
        recall: of(|r| r.recall),
        threshold: of(|r| r.threshold),
    }
}

fn calibration(pairs: &[(f64, f64)]) -> Vec<(f64, f64, f64, usize)> {
    const EDGES: [f64; 7] = [3e-4, 1e-3, 3e-3, 1e-2, 0.03, 0.1, 0.3];
    let bin = |at: usize| {
        let high = EDGES.get(at + 1).copied().unwrap_or(1.0);
        let inside = || pairs.iter().filter(move |(e, _)| (EDGES[at]..high).contains(e));
        let count = inside().count();
        (EDGES[at], mean(inside().map(|p| p.0)), mean(inside().map(|p| p.1)), count)
    };
    (0..EDGES.len()).map(bin).collect()
}

fn broken_measures(events: Vec<Rated>) -> (usize, f64, f64) {
    let brier = mean(events.iter().map(|e| (e.score - f64::from(u8::from(e.flaky))).powi(2)));
    (events.len(), measure(events).auc, brier)
}
