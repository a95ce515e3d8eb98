//! Names as they come from elsewhere: end to end in one text, in any order.
//!
//! Decides whether they are names that can be told apart, and what their canonical order is. Never
//! looks inside a name, and never copies one where they stand in order already.

use std::cmp::Ordering;

use super::{GroupId, Kept, NO_GROUP, Names, TestId, TestTable};

/// Names end to end in one text, each known by its position. Nothing is said of their order yet.
///
/// ```
/// use rasher::test_id::Arena;
/// let names = Arena::new("a#1b".to_owned(), vec![3, 4])?;
/// assert_eq!((names.get(0), names.get(1)), ("a#1", "b"));
/// assert!(Arena::new("ab".to_owned(), vec![2, 1]).is_err());
/// # Ok::<(), rasher::test_id::ArenaError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Arena {
    text: String,
    ends: Vec<usize>,
}

/// Why names that were laid end to end are no table of tests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArenaError {
    /// An end before the one before it, beyond the text, or inside a character.
    #[error("name {at} ends at {end}, which is no place in the text after the name before it")]
    End {
        /// Which name, from 0.
        at: usize,
        /// Where it is said to end.
        end: usize,
    },
    /// Two names that cannot be told apart.
    #[error("{what} {first} and {second} have the same id")]
    Same {
        /// `tests` or `groups`.
        what: &'static str,
        /// The position of one.
        first: u32,
        /// The position of the other, after it.
        second: u32,
    },
    /// Groups are given, but not for every test.
    #[error("{tests} tests, but groups for {given}")]
    Groups {
        /// How many tests there are.
        tests: usize,
        /// For how many a group is given.
        given: usize,
    },
    /// A test of a group that is not there.
    #[error("test {test} is of group {group}, and there are {groups}")]
    NoGroup {
        /// The position of the test.
        test: usize,
        /// The group it names.
        group: u32,
        /// How many there are.
        groups: usize,
    },
}

impl Arena {
    /// Names in `text`, each ending where `ends` says. O(names).
    ///
    /// # Errors
    /// Where an end goes back, lies beyond the text or inside a character.
    pub fn new(text: String, ends: Vec<usize>) -> Result<Self, ArenaError> {
        let mut start = 0;
        for (at, end) in ends.iter().copied().enumerate() {
            if end < start || !text.is_char_boundary(end) {
                return Err(ArenaError::End { at, end });
            }
            start = end;
        }
        Ok(Self { text, ends })
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True where there is no name.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name at a position.
    pub fn get(&self, at: u32) -> &str {
        super::slice(&self.text, &self.ends, at)
    }

    /// The positions in the order of the names, or none where they stand in that order; and the
    /// first two that are the same. O(n log n) in the worst case, one pass where nothing is to do.
    fn order(&self, what: &'static str) -> Result<Option<Vec<u32>>, ArenaError> {
        if self.names().is_sorted_by(|a, b| a < b) {
            return Ok(None);
        }
        let mut keyed: Vec<Keyed> =
            (0..self.ends.len() as u32).map(|at| Keyed { key: 0, at }).collect();
        sort_names(self, &mut keyed, 0);
        let order: Vec<u32> = keyed.into_iter().map(|keyed| keyed.at).collect();
        match order.windows(2).find(|pair| self.get(pair[0]) == self.get(pair[1])) {
            Some(pair) => Err(ArenaError::Same {
                what,
                first: pair[0].min(pair[1]),
                second: pair[0].max(pair[1]),
            }),
            None => Ok(Some(order)),
        }
    }

    /// The bytes of each name.
    fn names(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let name = &self.text.as_bytes()[start..*end];
            start = *end;
            name
        })
    }

    /// The names in another order.
    fn arranged(&self, order: &[u32]) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut ends = Vec::with_capacity(order.len());
        for at in order {
            text.push_str(self.get(*at));
            ends.push(text.len());
        }
        Self { text, ends }
    }

    /// Names that ascend.
    fn into_names(self) -> Names {
        Kept::Own { text: self.text, ends: self.ends }.into()
    }
}

/// A name by its position and the next eight bytes by which it is sorted.
#[derive(Clone, Copy)]
struct Keyed {
    key: u64,
    at: u32,
}

/// Fewer names than this are compared rather than sorted by their keys.
const FEW: usize = 12;

/// Sorts names that agree in their first `depth` bytes, eight bytes at a time: a comparison of long
/// names that begin alike would read the same beginnings again and again.
fn sort_names(names: &Arena, part: &mut [Keyed], depth: usize) {
    let bytes = |keyed: &Keyed| names.get(keyed.at).as_bytes();
    if part.len() < FEW {
        let rest = |keyed: &Keyed| &bytes(keyed)[depth..];
        part.sort_unstable_by(|a, b| rest(a).cmp(rest(b)).then(a.at.cmp(&b.at)));
        return;
    }
    let depth = depth + shared(names, part, depth);
    for keyed in part.iter_mut() {
        keyed.key = key(&names.get(keyed.at).as_bytes()[depth..]);
    }
    // A name that ends within its key stands before those that go on with zeros.
    let length = |keyed: &Keyed| bytes(keyed).len().min(depth + 8);
    let by_key = |a: &Keyed, b: &Keyed| match a.key.cmp(&b.key) {
        Ordering::Equal if a.key & 0xff == 0 => length(a).cmp(&length(b)),
        other => other,
    };
    part.sort_unstable_by(by_key);
    for equal in part.chunk_by_mut(|a, b| by_key(a, b).is_eq()) {
        // Names that ended are the same name.
        if equal.len() > 1 && length(&equal[0]) == depth + 8 {
            sort_names(names, equal, depth + 8);
        }
    }
}

/// The next eight bytes as a number that sorts as they do.
fn key(rest: &[u8]) -> u64 {
    let mut key = [0; 8];
    let taken = rest.len().min(8);
    key[..taken].copy_from_slice(&rest[..taken]);
    u64::from_be_bytes(key)
}

/// How many bytes from `depth` on all names of a part have in common.
fn shared(names: &Arena, part: &[Keyed], depth: usize) -> usize {
    let rest = |keyed: &Keyed| &names.get(keyed.at).as_bytes()[depth..];
    let first = rest(&part[0]);
    part[1..].iter().fold(first.len(), |shared, keyed| common(&first[..shared], rest(keyed)))
}

/// How many bytes two texts begin with alike.
fn common(one: &[u8], other: &[u8]) -> usize {
    let same = |pair: &(&[u8; 8], &[u8; 8])| pair.0 == pair.1;
    let eights = one.as_chunks().0.iter().zip(other.as_chunks().0);
    let whole = 8 * eights.take_while(same).count();
    let bytes = one[whole..].iter().zip(&other[whole..]);
    whole + bytes.take_while(|pair| pair.0 == pair.1).count()
}

/// A table in canonical order, and where each of its names stood.
#[derive(Clone, Debug)]
pub struct Arranged {
    /// The tests and their groups, both by name.
    pub table: TestTable,
    /// For each test of the table its position in the arena.
    pub tests: Vec<TestId>,
    /// For each group of the table its position in the arena; one without tests is left out.
    pub groups: Vec<GroupId>,
}

impl TestTable {
    /// The table of names that are there already, in canonical order: what [`TestTable::intern`]
    /// and [`TestTable::sorted`] give, without touching one name at a time where `tests` ascend.
    /// For each test `group_of` holds the position of its group, `u32::MAX` for none; it may be
    /// empty where no test has one.
    ///
    /// ```
    /// use rasher::test_id::{Arena, TestId, TestTable};
    /// let tests = Arena::new("ba".to_owned(), vec![1, 2])?;
    /// let arranged = TestTable::from_arenas(tests, &Arena::default(), &[])?;
    /// assert_eq!(arranged.table.name(TestId(0)), "a");
    /// assert_eq!(arranged.tests, [TestId(1), TestId(0)]);
    /// # Ok::<(), rasher::test_id::ArenaError>(())
    /// ```
    ///
    /// # Errors
    /// Where two tests, or two groups, have one name, and where a group is missing.
    pub fn from_arenas(
        tests: Arena,
        groups: &Arena,
        group_of: &[u32],
    ) -> Result<Arranged, ArenaError> {
        if !group_of.is_empty() && group_of.len() != tests.len() {
            return Err(ArenaError::Groups { tests: tests.len(), given: group_of.len() });
        }
        let (new_group, kept) = used_groups(groups, group_of)?;
        let renumbered =
            |old: &u32| if *old == NO_GROUP { NO_GROUP } else { new_group[*old as usize] };
        let mut of: Vec<u32> = group_of.iter().map(renumbered).collect();
        of.resize(tests.len(), NO_GROUP);
        let (tests, places) = match tests.order("tests")? {
            None => (tests, (0..of.len() as u32).map(TestId).collect()),
            Some(order) => {
                of = order.iter().map(|at| of[*at as usize]).collect();
                (tests.arranged(&order), order.into_iter().map(TestId).collect())
            }
        };
        let groups = groups.arranged(&kept).into_names();
        let table = Self { tests: tests.into_names(), groups, group_of: of };
        Ok(Arranged { table, tests: places, groups: kept.into_iter().map(GroupId).collect() })
    }
}

/// The groups that have tests, by name, and for each position of the arena the new one.
fn used_groups(groups: &Arena, group_of: &[u32]) -> Result<(Vec<u32>, Vec<u32>), ArenaError> {
    let mut new_group = vec![NO_GROUP; groups.len()];
    for (test, group) in group_of.iter().enumerate().filter(|(_, group)| **group != NO_GROUP) {
        let missing = ArenaError::NoGroup { test, group: *group, groups: groups.len() };
        *new_group.get_mut(*group as usize).ok_or(missing)? = 0;
    }
    let order = groups.order("groups")?;
    let order = order.unwrap_or_else(|| (0..groups.len() as u32).collect());
    let used = |group: &u32| new_group[*group as usize] != NO_GROUP;
    let kept: Vec<u32> = order.into_iter().filter(used).collect();
    for (new, old) in kept.iter().enumerate() {
        new_group[*old as usize] = new as u32;
    }
    Ok((new_group, kept))
}
