//! Tests that history knows under another name.
//!
//! Decides which test without a past is a known one that moved or was renamed: by the name of its
//! file, by the other methods of its class, by its place in the class. A match must be the only
//! one of its kind. Never touches history: the old name keeps what it has.

use std::collections::BTreeMap;

use crate::flake::{Scores, Strip};
use crate::history::{History, NONE};
use crate::test_id::{TestId, TestTable};

/// A test by its parts.
#[derive(Clone, Copy)]
struct Part<'a> {
    /// Its class or file; empty without one.
    group: &'a str,
    /// Its name inside that.
    leaf: &'a str,
}

impl<'a> Part<'a> {
    fn of(name: &'a str, group: Option<&'a str>) -> Self {
        let group = group.unwrap_or_default();
        let inner = name.strip_prefix(group).filter(|_| !group.is_empty()).unwrap_or(name);
        Self { group, leaf: inner.trim_start_matches(['#', ':', '.', '/', ' ']) }
    }

    /// The name of the file or class without its folder or package.
    fn base(&self) -> &'a str {
        let whole = if self.group.is_empty() { self.leaf } else { self.group };
        match whole.rsplit_once('/') {
            Some((_, file)) => file,
            // A file without a folder keeps its ending; a class leaves its package.
            None if self.group.is_empty() => whole,
            None => whole.rsplit_once('.').map_or(whole, |(_, class)| class),
        }
    }
}

/// One test of either side, by its position there.
struct Open<'a> {
    at: u32,
    part: Part<'a>,
}

/// For each of `unknown` the place in history that it most likely had. O(n log n) in the tests
/// that are unknown or gone, after one pass over history.
///
/// In this order: the same file or class name with the same inner name, in another folder or
/// package; a class whose methods are those of one class that is gone; the tests of one class that
/// are new, where as many are gone, by their order.
pub(crate) fn renamed(
    history: &History,
    tests: &TestTable,
    places: &[Option<u32>],
) -> Vec<(TestId, u32)> {
    let mut known = vec![false; history.len()];
    places.iter().flatten().for_each(|at| known[*at as usize] = true);
    let columns = history.columns();
    let gone = (0..history.len() as u32).filter(|at| {
        let at = *at as usize;
        // Bits of the last sixty-four runs: what is gone for longer is not looked for.
        !known[at] && columns.seen[at] != 0 && columns.measured_run[at] != NONE
    });
    let gone = gone.map(|at| {
        let group = columns.group[at as usize];
        let group = (group != NONE).then(|| history.groups().get(group as usize));
        Open { at, part: Part::of(history.tests().get(at as usize), group) }
    });
    let new = tests.ids().filter(|test| places[test.index()].is_none());
    matched(new.map(|test| open(tests, test)).collect(), gone.collect())
}

/// Lets the flake scores of tests that moved or were renamed hold for the names that they have in
/// `tests`, as [`super::estimate`] does with durations. A name that a few runs know already takes
/// the past of one that was never seen again once it was there, and has seen more runs. Where
/// `tests` are a small part of the suite nothing follows: the rest of it is not gone. Returns how many
/// names took over a past. O(n log n) in the tests that are young or gone.
///
/// ```
/// use rasher::estimate::follow_renames;
/// use rasher::flake::{FlakeOptions, Scores};
/// use rasher::test_id::TestTable;
/// let mut scores = Scores::new(FlakeOptions::default());
/// assert_eq!(follow_renames(&mut scores, &TestTable::new()), 0);
/// ```
pub fn follow_renames(scores: &mut Scores, tests: &TestTable) -> usize {
    let known = scores.names();
    let is_gone = |test: &TestId| {
        tests.find(known.name(*test)).is_none() && scores.strip(known.name(*test)).seen != 0
    };
    let gone: Vec<Open> = known.ids().filter(is_gone).map(|test| open(known, test)).collect();
    let is_young = |test: &TestId| {
        let strip = scores.strip(tests.name(*test));
        strip.runs < 64 && strip.runs == strip.seen.count_ones()
    };
    let new: Vec<Open> = tests.ids().filter(is_young).map(|test| open(tests, test)).collect();
    // Most of the suite is not there, and little is new: these tests are a part of it.
    if 2 * gone.len() > tests.len() && 2 * new.len() < gone.len() {
        return 0;
    }
    let follows = |(new, old): &(TestId, u32)| {
        let old = scores.strip(known.name(TestId(*old)));
        let own = scores.strip(tests.name(*new));
        own.runs < old.runs && comes_after(&own, &old)
    };
    let found: Vec<(TestId, u32)> = matched(new, gone).into_iter().filter(follows).collect();
    let count = found.len();
    for (new, old) in found {
        scores.follow(tests.name(new), TestId(old));
    }
    count
}

/// True where every run that knows `own` is younger than any that knows `old`.
const fn comes_after(own: &Strip, old: &Strip) -> bool {
    let eldest_own = 64 - own.seen.leading_zeros();
    own.seen == 0 || eldest_own <= old.seen.trailing_zeros()
}

fn open(tests: &TestTable, test: TestId) -> Open<'_> {
    let group = tests.group(test).map(|group| tests.group_name(group));
    Open { at: test.0, part: Part::of(tests.name(test), group) }
}

/// For each new test the one that is gone and most likely was it.
fn matched<'a>(mut new: Vec<Open<'a>>, mut gone: Vec<Open<'a>>) -> Found {
    let mut found = Vec::new();
    if !gone.is_empty() && !new.is_empty() {
        moved(&mut new, &mut gone, &mut found);
        same_methods(&mut new, &mut gone, &mut found);
        same_places(&mut new, &mut gone, &mut found);
    }
    found
}

type Found = Vec<(TestId, u32)>;

/// Pairs those of equal key, in order, where there are as many on both sides.
fn pair<'a, K: Ord>(
    new: &mut Vec<Open<'a>>,
    gone: &mut Vec<Open<'a>>,
    found: &mut Found,
    key: impl Fn(&Part<'a>) -> K,
) {
    let mut sides: BTreeMap<K, [Vec<u32>; 2]> = BTreeMap::new();
    for (side, open) in [&*new, &*gone].into_iter().enumerate() {
        for one in open {
            sides.entry(key(&one.part)).or_default()[side].push(one.at);
        }
    }
    let [mut paired, mut left] = [Vec::new(), Vec::new()];
    for [new, gone] in sides.values().filter(|[new, gone]| new.len() == gone.len()) {
        found.extend(new.iter().zip(gone).map(|(new, gone)| (TestId(*new), *gone)));
        paired.extend(new);
        left.extend(gone);
    }
    close(new, paired);
    close(gone, left);
}

/// Takes away what has a partner.
fn close(open: &mut Vec<Open>, mut paired: Vec<u32>) {
    paired.sort_unstable();
    open.retain(|one| paired.binary_search(&one.at).is_err());
}

fn moved<'a>(new: &mut Vec<Open<'a>>, gone: &mut Vec<Open<'a>>, found: &mut Found) {
    pair(new, gone, found, |part| (part.base().to_owned(), part.leaf_in_group().to_owned()));
}

impl<'a> Part<'a> {
    /// Its inner name, or nothing where it is a file of its own.
    fn leaf_in_group(&self) -> &'a str {
        if self.group.is_empty() { "" } else { self.leaf }
    }
}

/// A class that is new and one that is gone are the same where each has most methods of the other.
fn same_methods<'a>(new: &mut Vec<Open<'a>>, gone: &mut Vec<Open<'a>>, found: &mut Found) {
    let mut by_leaf: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for one in gone.iter().filter(|one| !one.part.group.is_empty()) {
        by_leaf.entry(one.part.leaf).or_default().push(one.part.group);
        *sizes.entry(one.part.group).or_default() += 1;
    }
    let mut classes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in new.iter().filter(|one| !one.part.group.is_empty()) {
        classes.entry(one.part.group).or_default().push(one.part.leaf);
    }
    let mut was: BTreeMap<&str, &str> = BTreeMap::new();
    for (class, leaves) in &classes {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for old in leaves.iter().filter_map(|leaf| by_leaf.get(leaf)).flatten() {
            *votes.entry(old).or_default() += 1;
        }
        let best = votes.iter().max_by_key(|(_, votes)| **votes);
        let enough = |(old, votes): &(&&str, &usize)| {
            **votes >= 2 && 2 * **votes > leaves.len().max(sizes[**old])
        };
        // More than half of either: no two classes can claim the same one.
        was.extend(best.filter(enough).map(|(old, _)| (*class, *old)));
    }
    pair(new, gone, found, |part| {
        let class = was.get(part.group).copied().unwrap_or(part.group);
        (class.to_owned(), part.leaf.to_owned())
    });
}

/// In a class that stays, as many are new as are gone.
fn same_places<'a>(new: &mut Vec<Open<'a>>, gone: &mut Vec<Open<'a>>, found: &mut Found) {
    let alone = |one: &Open| one.part.group.is_empty();
    new.retain(|one| !alone(one));
    gone.retain(|one| !alone(one));
    pair(new, gone, found, |part| part.group.to_owned());
}
