//! Set A: nine families of durations in the sizes that test suites have, and larger.

use crate::corpus::Monolith;
use crate::draw::Draw;

use super::Instance;

/// A family of durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// 1 ms to 10 s, all equally likely.
    Uniform,
    /// Mean 5 s.
    Exponential,
    /// 95 % unit tests of 10 to 100 ms, 5 % slow ones of 5 to 60 s.
    Bimodal,
    /// Median 1 s, spread 1.5 on the log scale.
    LogNormal,
    /// Median 1 s, spread 2.5: the longest test is the bound.
    HeavyLogNormal,
    /// Tail index 1.2 from 100 ms.
    Pareto,
    /// Log-normal, rounded to whole milliseconds as reports carry them.
    MillisecondGrid,
    /// Equal loads cut at random places, so that the optimum is known.
    PerfectPartition,
    /// Drawn with replacement from the made monolith, each with the noise of a run, so that durations
    /// are as different as means over runs are.
    Bootstrap,
}

impl Family {
    /// All families, in the order of the tables.
    pub const ALL: [Self; 9] = [
        Self::Uniform,
        Self::Exponential,
        Self::Bimodal,
        Self::LogNormal,
        Self::HeavyLogNormal,
        Self::Pareto,
        Self::MillisecondGrid,
        Self::PerfectPartition,
        Self::Bootstrap,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Exponential => "exponential",
            Self::Bimodal => "bimodal",
            Self::LogNormal => "lognormal-1.5",
            Self::HeavyLogNormal => "lognormal-2.5",
            Self::Pareto => "pareto-1.2",
            Self::MillisecondGrid => "ms-grid",
            Self::PerfectPartition => "perfect",
            Self::Bootstrap => "bootstrap",
        }
    }
}

/// Tests and shards of the set, smallest first.
pub const SIZES: [(usize, usize); 5] =
    [(2_000, 20), (13_000, 50), (45_000, 200), (45_000, 1_000), (1_000_000, 1_000)];

/// The instance of a family, of `tests` tests on `shards` shards.
///
/// ```
/// use rasher_bench::instances::balance::{Family, make};
/// let small = make(Family::PerfectPartition, (2_000, 20), 1);
/// assert_eq!(small.durations.len(), 2_000);
/// assert_eq!(small.durations.iter().sum::<u64>(), 20 * small.optimum.unwrap());
/// ```
pub fn make(family: Family, (tests, shards): (usize, usize), seed: u64) -> Instance {
    let name = format!("{}/{tests}x{shards}/{seed}", family.name());
    let mut draw = Draw::new(seed, &name);
    if family == Family::PerfectPartition {
        return perfect(name, (tests, shards), &mut draw);
    }
    let pool = if family == Family::Bootstrap { monolith_durations() } else { Vec::new() };
    let durations = (0..tests).map(|_| duration(family, &mut draw, &pool)).collect();
    Instance { name, shards, durations, optimum: None }
}

fn duration(family: Family, draw: &mut Draw, pool: &[u64]) -> u64 {
    match family {
        Family::Uniform | Family::PerfectPartition => draw.between(1_000, 10_000_000),
        Family::Exponential => micros(5.0 * draw.exponential()),
        Family::Bimodal if draw.chance(0.95) => draw.between(10_000, 100_000),
        Family::Bimodal => draw.between(5_000_000, 60_000_000),
        Family::LogNormal => micros(draw.log_normal(1.5)),
        Family::HeavyLogNormal => micros(draw.log_normal(2.5)),
        Family::Pareto => micros(0.1 * draw.pareto(1.2)),
        Family::MillisecondGrid => micros(draw.log_normal(1.5)).div_ceil(1_000) * 1_000,
        Family::Bootstrap => micros(*draw.pick(pool) as f64 / 1e6 * draw.log_normal(0.05)),
    }
}

/// Each load is the same span cut at random places; the tests are then shuffled.
fn perfect(name: String, (tests, shards): (usize, usize), draw: &mut Draw) -> Instance {
    let optimum = 1_000_000 * (tests / shards).max(1) as u64;
    let mut durations = Vec::with_capacity(tests);
    for shard in 0..shards {
        let pieces = (tests * (shard + 1) / shards) - (tests * shard / shards);
        let mut cuts: Vec<u64> = (1..pieces).map(|_| draw.below(optimum)).collect();
        cuts.push(optimum);
        cuts.sort_unstable();
        let mut last = 0;
        for cut in cuts {
            durations.push(cut - last);
            last = cut;
        }
    }
    draw.shuffle(&mut durations);
    Instance { name, shards, durations, optimum: Some(optimum) }
}

fn monolith_durations() -> Vec<u64> {
    Monolith::new(4_000, 9).cases().map(|(_, case)| case.duration.get()).collect()
}

/// Seconds to microseconds, never nothing.
pub(super) fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round().clamp(1.0, 1e15) as u64
}
