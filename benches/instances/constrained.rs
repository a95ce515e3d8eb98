//! Set E: pools of different speed with tests that not every pool may run, tests in order, and
//! tests that share an exclusive resource.

use crate::draw::Draw;

use super::balance::{Family, make as make_balance};

/// A kind of worker.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolKind {
    /// Its name, which is also the tag that restricted tests ask for.
    pub name: &'static str,
    /// How many workers it has.
    pub workers: usize,
    /// How fast it is; 1 is the machine on which durations were measured.
    pub speed: f64,
}

/// Durations with what restricts where, when and beside what a test may run.
#[derive(Clone, Debug)]
pub struct Constrained {
    /// Kind, sizes and seed.
    pub name: String,
    /// The kinds of workers.
    pub pools: Vec<PoolKind>,
    /// The duration of each test on a worker of speed 1.
    pub durations: Vec<u64>,
    /// For each test the one pool that may run it, if restricted.
    pub pool_of: Vec<Option<u32>>,
    /// Pairs: the first test must have ended before the second begins.
    pub before: Vec<(u32, u32)>,
    /// For each test the resource that it holds alone, if any.
    pub resource_of: Vec<Option<u32>>,
}

/// Tests and shards of the set.
pub const SIZES: [(usize, usize); 3] = [(2_000, 20), (13_000, 50), (45_000, 200)];

fn plain(kind: &str, size: (usize, usize), seed: u64) -> (Constrained, Draw) {
    let (tests, shards) = size;
    let durations = make_balance(Family::LogNormal, size, seed).durations;
    let name = format!("{kind}/{tests}x{shards}/{seed}");
    let draw = Draw::new(seed, &name);
    let pools = vec![PoolKind { name: "standard", workers: shards, speed: 1.0 }];
    let (pool_of, resource_of) = (vec![None; tests], vec![None; tests]);
    (Constrained { name, pools, durations, pool_of, before: Vec::new(), resource_of }, draw)
}

/// Three kinds of worker with speeds 1, 1.5 and 0.7; 15 % of the tests may run on one of them only.
pub fn pools(size: (usize, usize), seed: u64) -> Constrained {
    let (mut made, mut draw) = plain("pools", size, seed);
    let kind = |name, workers, speed| PoolKind { name, workers, speed };
    let (fast, slow) = (size.1 / 4, size.1 / 4);
    made.pools = vec![
        kind("standard", size.1 - fast - slow, 1.0),
        kind("large", fast, 1.5),
        kind("spot", slow, 0.7),
    ];
    for pool in &mut made.pool_of {
        *pool = draw.chance(0.15).then(|| draw.below(3) as u32);
    }
    made
}

/// Chains as `dependsOnMethods` makes them: a tenth of the tests stand in chains of two to six.
pub fn chains(size: (usize, usize), seed: u64) -> Constrained {
    let (mut made, mut draw) = plain("chains", size, seed);
    let mut test = 0_u32;
    let tests = size.0 as u32;
    while test + 6 < tests {
        let length = draw.between(2, 6) as u32;
        for at in test..test + length - 1 {
            made.before.push((at, at + 1));
        }
        test += length * 10;
    }
    made
}

/// Tests that hold one of five resources alone: 4 % of the tests.
pub fn exclusive(size: (usize, usize), seed: u64) -> Constrained {
    let (mut made, mut draw) = plain("exclusive", size, seed);
    for resource in &mut made.resource_of {
        *resource = draw.chance(0.04).then(|| draw.below(5) as u32);
    }
    made
}
