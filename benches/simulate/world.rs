//! The made suites: which tests there are, which of them are flaky since when, and what can befall
//! them. Every constant stands here, with the public measurement it was set by where there is one.

use crate::draw::Draw;

/// No end in sight.
pub(super) const NEVER: u32 = u32::MAX;

/// The constants of one world.
#[derive(Clone, Debug)]
pub struct World {
    /// What it is called in tables.
    pub name: &'static str,
    /// Tests of the suite.
    pub tests: usize,
    /// Workers among which they are dealt at random in each run.
    pub workers: u32,
    /// Runs of the main line.
    pub runs: u32,
    /// log10 of the failure rate: mean, deviation, highest rate.
    pub rates: (f64, f64, f64),
    /// Share of flaky tests that fail in groups.
    pub clustered: f64,
    /// True where the tests of such a group share a module.
    pub close: bool,
    /// Chance that a retry of an independent flake repeats the failure whatever its rate.
    pub correlation: f64,
    /// How much likelier a commit is to break a flaky test than a sound one.
    pub flaky_weight: f64,
    /// Factor on the number and the length of breakages of the main line.
    pub breakage: (f64, f64),
    /// Chance per run and worker that the worker is bad.
    pub worker_bad: f64,
    /// Chance per main-line run that an outage begins.
    pub outage: f64,
    /// Chance per branch run that it falls into an outage.
    pub branch_outage: f64,
}

impl World {
    /// The scoring world: 10,000 tests, 1,200 runs of the main line. Rates as FlakeFlagger measured.
    pub fn base() -> Self {
        Self {
            name: "base",
            tests: 10_000,
            workers: 40,
            runs: 1_200,
            rates: (-2.15, 1.26, 0.6),
            clustered: 0.75,
            close: false,
            correlation: 0.1,
            flaky_weight: 2.0,
            breakage: (1.0, 1.0),
            worker_bad: 0.0005,
            outage: 0.004,
            branch_outage: 0.008,
        }
    }

    /// The other scoring worlds: each changes one assumption of the first.
    pub fn scoring() -> Vec<Self> {
        let base = Self::base;
        vec![
            base(),
            Self { name: "no outages", outage: 0.0, worker_bad: 0.0, ..base() },
            Self { name: "long breakages", breakage: (3.0, 3.0), ..base() },
            Self { name: "low rates", rates: (-2.6, 1.16, 0.3), ..base() },
            Self { name: "corr", correlation: 0.5, ..base() },
            Self { name: "no clusters", clustered: 0.0, ..base() },
            Self { name: "close clusters", close: true, ..base() },
        ]
    }

    /// The branch worlds: 20,000 tests on 200 workers, history of 800 runs.
    pub fn branch() -> Vec<Self> {
        let base =
            || Self { tests: 20_000, workers: 200, runs: 800, worker_bad: 0.0001, ..Self::base() };
        let low = (-2.6, 1.16, 0.3);
        vec![
            base(),
            Self { name: "haben", rates: low, flaky_weight: 10.0, ..base() },
            Self { name: "managed", rates: low, ..base() },
            Self { name: "corr", correlation: 0.5, ..base() },
            Self {
                name: "calm",
                rates: low,
                outage: 0.0,
                worker_bad: 0.0,
                branch_outage: 0.0,
                ..base()
            },
        ]
    }

    /// The same world, smaller: for tests of the simulator itself.
    pub fn scaled(self, tests: usize, runs: u32) -> Self {
        Self { tests, runs, workers: self.workers.min(20), ..self }
    }
}

/// Classes of tests: share, share of flaky ones, median seconds, deviation of its logarithm,
/// seconds to start one again.
pub(super) const CLASSES: [(f64, f64, f64, f64, f64); 3] =
    [(0.7, 0.015, 0.05, 1.5, 1.5), (0.2, 0.06, 2.0, 1.0, 3.0), (0.1, 0.14, 30.0, 0.7, 8.0)];

/// Tests of a module.
const MODULE: usize = 45;

/// Mean size of a group of tests that fail together.
const CLUSTER_MEAN: f64 = 13.5;

/// Chance that a member fails when its group has an event.
pub(super) const MEMBER_FAILS: f64 = 0.8;

/// The tests of a world, in columns.
#[derive(Clone, Debug)]
pub struct Suite {
    /// 0 unit, 1 functional, 2 browser.
    pub class: Vec<u8>,
    /// Seconds when it passes.
    pub seconds: Vec<f32>,
    /// Contiguous modules.
    pub module: Vec<u32>,
    /// How many modules.
    pub modules: u32,
    /// Failure rate while healthy and flaky; 0 for sound tests.
    pub rate: Vec<f64>,
    pub(super) born: Vec<u32>,
    pub(super) mended: Vec<u32>,
    /// Flaky tests that fail on their own.
    pub(super) loners: Vec<u32>,
    /// Flaky tests that fail together.
    pub(super) clusters: Vec<Vec<u32>>,
    /// Cluster of each test.
    pub(super) cluster_of: Vec<Option<u32>>,
}

/// Geometric from 1 with the given mean.
pub(super) fn geometric(draw: &mut Draw, mean: f64) -> u32 {
    if mean <= 1.0 {
        return 1;
    }
    (draw.exponential() / -libm::log(1.0 - 1.0 / mean)).floor() as u32 + 1
}

impl Suite {
    /// Makes the tests of a world.
    pub fn new(world: &World, draw: &mut Draw) -> Self {
        let n = world.tests;
        let modules = (n / MODULE).max(1) as u32;
        let mut suite = Self {
            class: Vec::with_capacity(n),
            seconds: Vec::with_capacity(n),
            module: (0..n).map(|at| (at * modules as usize / n) as u32).collect(),
            modules,
            rate: vec![0.0; n],
            born: vec![0; n],
            mended: vec![NEVER; n],
            loners: Vec::new(),
            clusters: Vec::new(),
            cluster_of: vec![None; n],
        };
        let mut flaky = Vec::new();
        for test in 0..n {
            let u = draw.unit();
            let class = if u < CLASSES[0].0 { 0 } else { 1 + usize::from(u >= 0.9) };
            let (_, share, median, sigma, _) = CLASSES[class];
            suite.class.push(class as u8);
            suite.seconds.push((median * draw.log_normal(sigma)) as f32);
            if draw.chance(share) {
                flaky.push(test as u32);
            }
        }
        suite.make_flaky(world, flaky, draw);
        suite
    }

    fn make_flaky(&mut self, world: &World, mut flaky: Vec<u32>, draw: &mut Draw) {
        draw.shuffle(&mut flaky);
        let mut together = (flaky.len() as f64 * world.clustered) as usize;
        while !flaky.is_empty() {
            let size = if together >= 2 {
                (geometric(draw, CLUSTER_MEAN - 1.0) as usize + 1).min(together)
            } else {
                1
            };
            together = together.saturating_sub(size);
            let members = flaky.split_off(flaky.len() - size);
            self.start_group(world, &members, draw);
            if size == 1 {
                self.loners.extend(members);
            } else {
                for member in &members {
                    if world.close {
                        self.module[*member as usize] = self.module[members[0] as usize];
                    }
                    self.cluster_of[*member as usize] = Some(self.clusters.len() as u32);
                }
                self.clusters.push(members);
            }
        }
    }

    /// One rate, one time of birth, one time of mending for tests that fail together.
    fn start_group(&mut self, world: &World, members: &[u32], draw: &mut Draw) {
        let (mean, deviation, highest) = world.rates;
        let rate = libm::pow(10.0, mean + deviation * draw.normal()).clamp(1e-5, highest);
        let runs = f64::from(world.runs);
        let born = if draw.chance(0.25) { runs * (0.1 + 0.8 * draw.unit()) } else { 0.0 };
        let mended =
            if draw.chance(0.2) { born + (runs - born) * draw.unit() } else { f64::from(NEVER) };
        for member in members {
            self.rate[*member as usize] = rate;
            self.born[*member as usize] = born as u32;
            self.mended[*member as usize] = mended as u32;
        }
    }

    /// The failure rate of a test on run `run` while it is not broken.
    pub fn rate_at(&self, test: u32, run: u32) -> f64 {
        let at = test as usize;
        if self.born[at] <= run && run < self.mended[at] { self.rate[at] } else { 0.0 }
    }

    /// What one execution that passes or fails costs, start of a fresh worker included: a browser
    /// test that fails waits for what never comes, and takes twice as long.
    pub fn retry_seconds(&self, test: u32, failed: bool) -> f64 {
        let at = test as usize;
        let class = usize::from(self.class[at]);
        let waits = if failed && class == 2 { 2.0 } else { 1.0 };
        f64::from(self.seconds[at]) * waits + CLASSES[class].4
    }
}
