//! Set C: tests in classes, fixtures or contexts whose set-up is paid on every worker that gets a
//! member.

use crate::draw::Draw;

use super::balance::micros;

/// Durations in groups, and what each group costs before its first test.
#[derive(Clone, Debug)]
pub struct Grouped {
    /// Sizes, share of set-up and seed.
    pub name: String,
    /// How many workers.
    pub shards: usize,
    /// The duration of each test.
    pub durations: Vec<u64>,
    /// The group of each test.
    pub group_of: Vec<u32>,
    /// The set-up of each group.
    pub setups: Vec<u64>,
}

/// Tests, groups and shards of the set. The third has few, huge groups, as Spring contexts are.
pub const SIZES: [(usize, usize, usize); 5] = [
    (13_000, 1_500, 50),
    (45_000, 6_000, 200),
    (45_000, 300, 200),
    (45_000, 6_000, 1_000),
    (3_592, 509, 50),
];

/// Share of the set-ups in all work, in per cent, each set-up counted once.
pub const SETUP_SHARES: [u32; 3] = [2, 17, 51];

/// The instance of `size` (tests, groups, shards) in which set-ups are `share` per cent of the work.
///
/// ```
/// use rasher_bench::instances::families::make;
/// let made = make((3_592, 509, 50), 17, 0);
/// let (work, setup) = (made.durations.iter().sum::<u64>(), made.setups.iter().sum::<u64>());
/// assert!((0.16..0.18).contains(&(setup as f64 / (work + setup) as f64)));
/// ```
pub fn make(size: (usize, usize, usize), share: u32, seed: u64) -> Grouped {
    let (tests, groups, shards) = size;
    let name = format!("setup{share}/{tests}x{groups}x{shards}/{seed}");
    let mut draw = Draw::new(seed, &name);
    let group_of = memberships(&mut draw, tests, groups);
    let levels: Vec<f64> = (0..groups).map(|_| draw.log_normal(0.8)).collect();
    let durations: Vec<u64> = group_of
        .iter()
        .map(|group| micros(levels[*group as usize] * draw.log_normal(1.2)))
        .collect();
    let setups = setups(&mut draw, groups, share, durations.iter().sum());
    Grouped { name, shards, durations, group_of, setups }
}

/// Every group gets one test; the rest go by weights that differ widely.
fn memberships(draw: &mut Draw, tests: usize, groups: usize) -> Vec<u32> {
    let mut ends = Vec::with_capacity(groups);
    let mut total = 0.0;
    for _ in 0..groups {
        total += draw.log_normal(1.2);
        ends.push(total);
    }
    let mut group_of: Vec<u32> = (0..tests)
        .map(|test| {
            if test < groups {
                return test as u32;
            }
            let at = draw.unit() * total;
            ends.partition_point(|end| *end <= at).min(groups - 1) as u32
        })
        .collect();
    group_of.sort_unstable();
    group_of
}

fn setups(draw: &mut Draw, groups: usize, share: u32, work: u64) -> Vec<u64> {
    let raw: Vec<f64> = (0..groups).map(|_| draw.log_normal(0.7)).collect();
    let share = f64::from(share) / 100.0;
    let factor = work as f64 / 1e6 * share / (1.0 - share) / raw.iter().sum::<f64>();
    raw.into_iter().map(|weight| micros(weight * factor)).collect()
}
