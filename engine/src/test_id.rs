//! Names of tests, interned once: [`TestTable`] gives each a dense [`TestId`].
//!
//! Decides nothing but identity. A test id is an opaque string; this module never splits it. A test
//! may belong to one group (its class or its file), the unit that planning keeps whole.

mod arena;

use std::cmp::Ordering;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

pub use arena::{Arena, ArenaError, Arranged};

/// A test of one [`TestTable`], counted from 0 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestId(pub u32);

/// A group of one [`TestTable`]: a class or a file, counted from 0 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

impl TestId {
    /// The id as an index into columns.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl GroupId {
    /// The id as an index into columns.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Names that are kept elsewhere and borrowed by tables: strings end to end in one buffer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SharedNames {
    pub(crate) text: String,
    pub(crate) ends: Vec<u32>,
}

impl SharedNames {
    pub(crate) fn get(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }
}

/// Strings end to end in one buffer, their own or one that is shared.
#[derive(Clone)]
enum Kept {
    Own { text: String, ends: Vec<usize> },
    Shared(Arc<SharedNames>),
}

impl Default for Kept {
    fn default() -> Self {
        Self::Own { text: String::new(), ends: Vec::new() }
    }
}

impl Kept {
    fn len(&self) -> usize {
        match self {
            Self::Own { ends, .. } => ends.len(),
            Self::Shared(names) => names.ends.len(),
        }
    }

    fn get(&self, at: u32) -> &str {
        match self {
            Self::Own { text, ends } => slice(text, ends, at),
            Self::Shared(names) => names.get(at as usize),
        }
    }

    fn push(&mut self, name: &str) {
        match self {
            Self::Own { text, ends } => {
                text.push_str(name);
                ends.push(text.len());
            }
            Self::Shared(names) => {
                let ends = names.ends.iter().map(|end| *end as usize).collect();
                *self = Self::Own { text: names.text.clone(), ends };
                self.push(name);
            }
        }
    }
}

/// Strings, each known by its position.
///
/// Names that come in ascending order, as those of a canonical table do, need no index to be told
/// apart; it is made when a name is first looked up or comes out of order.
#[derive(Clone, Default)]
struct Names {
    kept: Kept,
    index: OnceLock<HashTable<u32>>,
}

impl Names {
    fn len(&self) -> usize {
        self.kept.len()
    }

    fn get(&self, at: u32) -> &str {
        self.kept.get(at)
    }

    fn find(&self, name: &str) -> Option<u32> {
        let index = self.index.get_or_init(|| index(&self.kept));
        index.find(hash(name), |at| self.get(*at) == name).copied()
    }

    fn is_sorted(&self) -> bool {
        (1..self.len() as u32).all(|at| self.get(at - 1) < self.get(at))
    }

    fn intern(&mut self, name: &str) -> u32 {
        let last = self.len().checked_sub(1).map(|at| (at as u32, self.get(at as u32)));
        match last.map(|(at, last)| (at, name.cmp(last))) {
            Some((at, Ordering::Equal)) => return at,
            None | Some((_, Ordering::Greater)) if self.index.get().is_none() => {
                return self.push(name);
            }
            _ => {}
        }
        if let Some(at) = self.find(name) {
            return at;
        }
        let at = self.push(name);
        let kept = &self.kept;
        if let Some(index) = self.index.get_mut() {
            index.insert_unique(hash(name), at, |at| hash(kept.get(*at)));
        }
        at
    }

    fn push(&mut self, name: &str) -> u32 {
        let at = u32::try_from(self.len()).expect("fewer than 2^32 names");
        self.kept.push(name);
        at
    }
}

/// Names that are told apart already.
impl From<Kept> for Names {
    fn from(kept: Kept) -> Self {
        Self { kept, index: OnceLock::new() }
    }
}

fn slice<'a>(text: &'a str, ends: &[usize], at: u32) -> &'a str {
    let at = at as usize;
    let start = if at == 0 { 0 } else { ends[at - 1] };
    &text[start..ends[at]]
}

fn index(kept: &Kept) -> HashTable<u32> {
    let mut index = HashTable::with_capacity(kept.len());
    for at in 0..kept.len() as u32 {
        let rehash = |at: &u32| hash(kept.get(*at));
        index.insert_unique(rehash(&at), at, rehash);
    }
    index
}

fn hash(name: &str) -> u64 {
    FixedState::with_seed(0).hash_one(name)
}

/// The group of a test without one.
const NO_GROUP: u32 = u32::MAX;

/// The tests of one workload or recording, each name stored once.
///
/// Ids are given in order of first appearance; [`TestTable::sorted`] gives the canonical order, in
/// which a plan does not depend on the order of its input.
///
/// ```
/// use rasher::test_id::TestTable;
/// let mut tests = TestTable::new();
/// let one = tests.intern("demo.ATest#adds", Some("demo.ATest"));
/// assert_eq!(tests.intern("demo.ATest#adds", None), one);
/// assert_eq!(tests.name(one), "demo.ATest#adds");
/// assert_eq!(tests.group(one).map(|g| tests.group_name(g)), Some("demo.ATest"));
/// ```
#[derive(Clone, Default)]
pub struct TestTable {
    tests: Names,
    groups: Names,
    group_of: Vec<u32>,
}

impl TestTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// A table over names that are kept elsewhere, all different and in ascending order, with the
    /// place of each test's group or [`NO_GROUP`]. Copies no name.
    pub(crate) fn sharing(
        tests: &Arc<SharedNames>,
        groups: &Arc<SharedNames>,
        group_of: Vec<u32>,
    ) -> Self {
        let shared = |names: &Arc<SharedNames>| Names::from(Kept::Shared(Arc::clone(names)));
        Self { tests: shared(tests), groups: shared(groups), group_of }
    }

    /// True where the ids of the tests are the places of these names.
    pub(crate) fn shares_tests(&self, names: &Arc<SharedNames>) -> bool {
        matches!(&self.tests.kept, Kept::Shared(own) if Arc::ptr_eq(own, names))
    }

    /// True where the ids of the groups are the places of these names.
    pub(crate) fn shares_groups(&self, names: &Arc<SharedNames>) -> bool {
        matches!(&self.groups.kept, Kept::Shared(own) if Arc::ptr_eq(own, names))
    }

    /// The id of `name`, new or known. A known test without a group takes `group`; a known group
    /// stays.
    pub fn intern(&mut self, name: &str, group: Option<&str>) -> TestId {
        let test = self.tests.intern(name);
        if test as usize == self.group_of.len() {
            self.group_of.push(NO_GROUP);
        }
        if let Some(group) = group
            && self.group_of[test as usize] == NO_GROUP
        {
            self.group_of[test as usize] = self.groups.intern(group);
        }
        TestId(test)
    }

    /// The id of a group, new or known, also where no test of it is known.
    pub fn intern_group(&mut self, name: &str) -> GroupId {
        GroupId(self.groups.intern(name))
    }

    /// The id of a known test.
    pub fn find(&self, name: &str) -> Option<TestId> {
        self.tests.find(name).map(TestId)
    }

    /// The id of a known group.
    pub fn find_group(&self, name: &str) -> Option<GroupId> {
        self.groups.find(name).map(GroupId)
    }

    /// The name of a test, as it was given.
    pub fn name(&self, test: TestId) -> &str {
        self.tests.get(test.0)
    }

    /// The group of a test, where it has one.
    pub fn group(&self, test: TestId) -> Option<GroupId> {
        let group = self.group_of[test.index()];
        (group != NO_GROUP).then_some(GroupId(group))
    }

    /// The name of a group.
    pub fn group_name(&self, group: GroupId) -> &str {
        self.groups.get(group.0)
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.group_of.len()
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// True where there is no test.
    pub fn is_empty(&self) -> bool {
        self.group_of.is_empty()
    }

    /// All ids in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = TestId> + use<> {
        (0..self.group_of.len() as u32).map(TestId)
    }

    /// All groups in order.
    pub fn group_ids(&self) -> impl ExactSizeIterator<Item = GroupId> + use<> {
        (0..self.group_count() as u32).map(GroupId)
    }

    /// The same tests in canonical order (by name, bytewise), and for each new id the old one.
    /// Groups are renumbered by name too. O(n log n) in the bytes of the names.
    pub fn sorted(&self) -> (Self, Vec<TestId>) {
        let mut old: Vec<TestId> = self.ids().collect();
        if self.tests.is_sorted() && self.groups.is_sorted() {
            return (self.clone(), old);
        }
        old.sort_unstable_by(|a, b| self.name(*a).cmp(self.name(*b)));
        let mut groups: Vec<u32> = (0..self.group_count() as u32).collect();
        groups.sort_unstable_by(|a, b| self.groups.get(*a).cmp(self.groups.get(*b)));
        let mut table = Self::new();
        for group in groups {
            table.groups.intern(self.groups.get(group));
        }
        for test in &old {
            table.intern(self.name(*test), self.group(*test).map(|g| self.group_name(g)));
        }
        (table, old)
    }
}

impl fmt::Debug for TestTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids().map(|test| self.name(test))).finish()
    }
}

/// A set of tests of one table, one bit each.
///
/// ```
/// use rasher::test_id::{TestId, TestSet};
/// let mut seen = TestSet::with_len(70);
/// assert!(seen.insert(TestId(69)));
/// assert!(!seen.insert(TestId(69)));
/// assert_eq!(seen.iter().collect::<Vec<_>>(), [TestId(69)]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestSet {
    words: Vec<u64>,
}

impl TestSet {
    /// An empty set with room for ids below `len`.
    pub fn with_len(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// Adds a test; true where it was not yet in the set.
    pub fn insert(&mut self, test: TestId) -> bool {
        let (word, bit) = (test.index() / 64, 1_u64 << (test.0 % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    /// True where the test is in the set.
    pub fn contains(&self, test: TestId) -> bool {
        self.words.get(test.index() / 64).is_some_and(|word| word >> (test.0 % 64) & 1 == 1)
    }

    /// How many tests are in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// True where no test is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The tests in order.
    pub fn iter(&self) -> impl Iterator<Item = TestId> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            (0..64_u32)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| TestId(at as u32 * 64 + bit))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_keeps_names_and_groups_together() {
        let mut table = TestTable::new();
        for (name, group) in
            [("b#2", Some("b")), ("a#1", Some("a")), ("c", None), ("b#1", Some("b"))]
        {
            table.intern(name, group);
        }
        let (sorted, old) = table.sorted();
        let names: Vec<_> = sorted.ids().map(|t| sorted.name(t)).collect();
        assert_eq!(names, ["a#1", "b#1", "b#2", "c"]);
        for (new, old) in sorted.ids().zip(old) {
            assert_eq!(sorted.name(new), table.name(old));
            assert_eq!(
                sorted.group(new).map(|g| sorted.group_name(g)),
                table.group(old).map(|g| table.group_name(g))
            );
        }
        assert_eq!(sorted.group_name(GroupId(0)), "a");
    }

    #[test]
    fn many_names_stay_apart() {
        let mut table = TestTable::new();
        for at in 0..10_000 {
            assert_eq!(table.intern(&format!("t{at}"), None).index(), at);
        }
        assert_eq!(table.find("t9999"), Some(TestId(9_999)));
        assert_eq!(table.find("t10000"), None);
    }
}
