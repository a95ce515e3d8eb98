//! Which tests fail together: a bounded sketch of the runs in which each test failed.
//!
//! Each test that ever failed keeps sixteen numbers, the least hashes of its failing runs (MinHash:
//! Broder, "On the resemblance and containment of documents", 1997). The share of equal numbers of
//! two tests estimates the share of common runs among those in which either failed.

use std::collections::BTreeMap;

use super::Strip;
use crate::test_id::TestId;

/// Hashes kept of each test.
pub(super) const HASHES: usize = 16;

/// Tests are joined from this share of common failing runs on.
const ALIKE: f64 = 0.5;

/// And from so many common failing runs on.
const COMMON_RUNS: f64 = 3.0;

/// Frequent failures coincide by chance: what is expected of two independent tests must be
/// exceeded by three deviations of the estimate from sixteen hashes.
const BEYOND_CHANCE: f64 = 0.375;

/// Tests with an equal hash that each test is compared with.
const COMPARED: usize = 32;

/// Tests that failed in the same runs again and again: one cause, probably.
///
/// ```
/// use rasher::flake::{Filter, FlakeOptions, Seen};
/// let mut filter = Filter::new(FlakeOptions::default());
/// let [one, two, other] = [filter.add(0), filter.add(0), filter.add(0)];
/// for run in 0..40 {
///     let fails = |sick| if sick { Seen::Failed } else { Seen::Passed };
///     let both = fails(run % 8 == 0);
///     filter.update(&[both, both, fails(run % 9 == 1)], &[], true);
/// }
/// let clusters = filter.clusters();
/// assert_eq!(clusters.lists(), [vec![one, two]]);
/// assert_eq!(clusters.of(other), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    lists: Vec<Vec<TestId>>,
    of_test: BTreeMap<TestId, usize>,
}

impl Clusters {
    fn new(lists: Vec<Vec<TestId>>) -> Self {
        let numbered = lists.iter().enumerate();
        let of_test = numbered.flat_map(|(at, list)| list.iter().map(move |test| (*test, at)));
        Self { of_test: of_test.collect(), lists }
    }

    /// Each cluster, its tests in order.
    pub fn lists(&self) -> &[Vec<TestId>] {
        &self.lists
    }

    /// The cluster of a test, as a place in [`Clusters::lists`].
    pub fn of(&self, test: TestId) -> Option<usize> {
        self.of_test.get(&test).copied()
    }
}

/// The least hashes of the failing runs of each test that ever failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Together {
    pub(super) of_test: BTreeMap<u32, [u32; HASHES]>,
}

/// A multiplicative hash of a run for each slot; the same on every machine.
fn hashes(run: u32) -> [u32; HASHES] {
    std::array::from_fn(|slot| {
        let mut z = u64::from(run) ^ (slot as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    })
}

impl Together {
    /// Takes in the tests that failed in a run that is learned from.
    pub(super) fn note(&mut self, run: u32, failed: impl Iterator<Item = TestId>) {
        let new = hashes(run);
        for test in failed {
            let kept = self.of_test.entry(test.0).or_insert([u32::MAX; HASHES]);
            for (kept, new) in kept.iter_mut().zip(new) {
                *kept = new.min(*kept);
            }
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.of_test.len() * (size_of::<u32>() + size_of::<[u32; HASHES]>())
    }

    /// The clusters: tests joined by likeness, each list in order, the lists by their first test.
    /// `strip` tells the failures and runs of a test. O(failed tests · log).
    pub(super) fn clusters(&self, strip: impl Fn(TestId) -> Strip) -> Clusters {
        let known: Vec<Known<'_>> = self
            .of_test
            .iter()
            .map(|(test, hashes)| (TestId(*test), hashes, strip(TestId(*test))))
            .filter(|(_, _, strip)| f64::from(strip.failures) >= COMMON_RUNS)
            .collect();
        let mut joined = Joined::new(known.len());
        for slot in 0..HASHES {
            let mut order: Vec<usize> = (0..known.len()).collect();
            order.sort_by_key(|at| (known[*at].1[slot], *at));
            for (place, one) in order.iter().enumerate() {
                for two in order[place + 1..].iter().take(COMPARED) {
                    if known[*one].1[slot] != known[*two].1[slot] {
                        break;
                    }
                    if joined.root(*one) != joined.root(*two) && alike(&known[*one], &known[*two]) {
                        joined.join(*one, *two);
                    }
                }
            }
        }
        let mut lists: BTreeMap<usize, Vec<TestId>> = BTreeMap::new();
        for (at, it) in known.iter().enumerate() {
            lists.entry(joined.root(at)).or_default().push(it.0);
        }
        Clusters::new(lists.into_values().filter(|list| list.len() > 1).collect())
    }
}

type Known<'a> = (TestId, &'a [u32; HASHES], Strip);

fn alike(one: &Known<'_>, two: &Known<'_>) -> bool {
    let equal = one.1.iter().zip(two.1).filter(|(a, b)| a == b).count();
    let share = equal as f64 / HASHES as f64;
    let failures = |strip: &Strip| f64::from(strip.failures);
    let rate = |strip: &Strip| failures(strip) / f64::from(strip.runs.max(1));
    let (a, b) = (rate(&one.2), rate(&two.2));
    let by_chance = a * b / (a + b - a * b).max(f64::MIN_POSITIVE);
    let common = share / (1.0 + share) * (failures(&one.2) + failures(&two.2));
    share >= ALIKE.max(by_chance + BEYOND_CHANCE) && common >= COMMON_RUNS
}

/// Disjoint sets; the root of a set is its least member.
struct Joined {
    parent: Vec<usize>,
}

impl Joined {
    fn new(len: usize) -> Self {
        Self { parent: (0..len).collect() }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, one: usize, two: usize) {
        let (one, two) = (self.root(one), self.root(two));
        self.parent[one.max(two)] = one.min(two);
    }
}
