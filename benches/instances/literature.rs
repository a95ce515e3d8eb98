//! Set B: the seven classes on which identical-machine scheduling is judged in the literature
//! (regenerated from their distributions; few tests per worker, where simple rules are weak).

use crate::draw::Draw;

use super::Instance;

/// Numbers of tests.
pub const TESTS: [usize; 3] = [40, 100, 200];
/// Tests per worker, in hundredths.
pub const PER_WORKER: [usize; 7] = [200, 225, 250, 275, 300, 500, 1_000];

/// One of the classes 1 to 7: U(1, 100), U(20, 100), U(50, 100), N(100, 50), N(100, 20), U(n, 4n),
/// N(4n, n).
///
/// ```
/// use rasher_bench::instances::literature::make;
/// let hard = make(3, (100, 225), 0);
/// assert_eq!((hard.durations.len(), hard.shards), (100, 44));
/// assert!(hard.durations.iter().all(|d| (50..=100).contains(d)));
/// ```
///
/// `size` is the number of tests and hundredths of tests per worker.
pub fn make(class: u8, size: (usize, usize), seed: u64) -> Instance {
    let (tests, per_worker) = size;
    let shards = (tests * 100 + per_worker / 2) / per_worker;
    let name = format!("class{class}/{tests}x{shards}/{seed}");
    let mut draw = Draw::new(seed, &name);
    let durations = (0..tests).map(|_| duration(class, tests as u64, &mut draw)).collect();
    Instance { name, shards, durations, optimum: None }
}

/// All instances of the set with `seeds` seeds each: class, hundredths of tests per worker, instance.
pub fn all(seeds: u64) -> impl Iterator<Item = (u8, usize, Instance)> {
    (1..=7_u8).flat_map(move |class| {
        TESTS.into_iter().flat_map(move |tests| {
            PER_WORKER.into_iter().flat_map(move |per_worker| {
                (0..seeds)
                    .map(move |seed| (class, per_worker, make(class, (tests, per_worker), seed)))
            })
        })
    })
}

fn duration(class: u8, tests: u64, draw: &mut Draw) -> u64 {
    let mut normal = |mean: f64, sigma: f64| (mean + sigma * draw.normal()).round().max(1.0) as u64;
    match class {
        4 => normal(100.0, 50.0),
        5 => normal(100.0, 20.0),
        7 => normal(4.0 * tests as f64, tests as f64),
        1 => draw.between(1, 100),
        2 => draw.between(20, 100),
        3 => draw.between(50, 100),
        _ => draw.between(tests, 4 * tests),
    }
}
