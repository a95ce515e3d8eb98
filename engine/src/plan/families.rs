//! What is planned, in families: the tests of one class with the set-up they share.
//!
//! Decides nothing; it lays a workload out so that planning never looks at a name. A family's
//! set-up is paid once by every worker that gets at least one of its units. A unit is a test, or a
//! block of tests that constraints keep together.

use std::collections::BTreeMap;

use super::Workload;
use crate::constraint::Constraints;
use crate::ingest::sibling::runs_with;
use crate::test_id::{GroupId, TestId, TestTable};
use crate::units::Micros;

/// Units by family. Units of one family are neighbours; a test without a group is a family of its
/// own without set-up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Families {
    /// Duration of each unit.
    pub(crate) work: Vec<u64>,
    /// The tests of all units, end to end.
    tests: Vec<u32>,
    /// Where each unit's tests end; empty where every unit is one test.
    ends: Vec<u32>,
    /// Family `f` has the units `starts[f]..starts[f + 1]`.
    starts: Vec<u32>,
    /// Set-up of each family; of a block that spans groups, the sum of theirs.
    pub(crate) setup: Vec<u64>,
    /// The group that each family is; `u32::MAX` for anything else.
    group: Vec<u32>,
    /// Sum of each family's units, without set-up.
    pub(crate) sums: Vec<u64>,
    /// Longest unit of each family.
    pub(crate) longest: Vec<u64>,
    /// Kinds of units that must not share a family; empty where there is one kind.
    pub(crate) kind: Vec<Kind>,
}

/// What sets units of one group apart from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    /// Runs alone on its machine.
    pub(crate) serial: bool,
    /// Bit by bit, the tags it needs.
    pub(crate) tags: u64,
    /// Set for a unit that needs a family of its own: its first test plus one.
    pub(crate) alone: u32,
}

const NO_GROUP: u32 = u32::MAX;

/// A family under construction: group, or the first test where there is none, and kind.
type Key = (u32, u32, Kind);

impl Families {
    /// Lays out a workload without constraints. Durations are capped so that no sum can overflow.
    /// O(n).
    pub(crate) fn of(workload: &Workload<'_>) -> Self {
        let tests = workload.tests();
        let capped = cap(workload);
        let mut starts = vec![0u32; tests.group_count() + 1];
        let mut single = 0;
        for test in tests.ids() {
            match tests.group(test) {
                Some(group) => starts[group.index() + 1] += 1,
                None => single += 1,
            }
        }
        let mut families = Self::default();
        for (group, setup) in workload.setup().iter().enumerate() {
            let count = std::mem::take(&mut starts[group + 1]);
            starts[group + 1] = starts[group] + count;
            if count > 0 {
                families.starts.push(starts[group]);
                families.setup.push(capped(*setup));
                families.group.push(group as u32);
            }
        }
        let grouped = starts.last().copied().unwrap_or(0);
        families.starts.extend(grouped..=grouped + single);
        let alone = single as usize;
        families.setup.extend(std::iter::repeat_n(0, alone));
        families.group.extend(std::iter::repeat_n(NO_GROUP, alone));
        families.work = vec![0; tests.len()];
        families.tests = vec![0; tests.len()];
        let mut next_single = grouped;
        for (test, mean) in tests.ids().zip(workload.mean()) {
            let at = match tests.group(test) {
                Some(group) => &mut starts[group.index()],
                None => &mut next_single,
            };
            families.work[*at as usize] = capped(*mean);
            families.tests[*at as usize] = test.0;
            *at += 1;
        }
        families.sum_up()
    }

    /// Lays out a workload under constraints: blocks are units, kinds have families of their own,
    /// and so have two tests of one group that must not meet. O(n log n).
    pub(crate) fn constrained(workload: &Workload<'_>, constraints: &Constraints) -> Self {
        let tests = workload.tests();
        let capped = cap(workload);
        let mut torn = vec![false; tests.len()];
        for (one, other) in &constraints.apart {
            if tests.group(*one) == tests.group(*other) {
                (torn[one.index()], torn[other.index()]) = (true, true);
            }
        }
        let mut in_block = vec![false; tests.len()];
        for test in constraints.blocks.iter().flat_map(|block| &block.tests) {
            in_block[test.index()] = true;
        }
        let lone = tests.ids().filter(|test| !in_block[test.index()]).map(|test| vec![test]);
        let units = lone.chain(constraints.blocks.iter().map(|block| block.tests.clone()));
        let mut found: BTreeMap<Key, Vec<Vec<TestId>>> = BTreeMap::new();
        for unit in units {
            let key = key_of(workload, constraints, &unit, &torn);
            found.entry(key).or_default().push(unit);
        }
        let mut families = Self::default();
        for ((group, _, kind), units) in found {
            families.starts.push(families.work.len() as u32);
            let setup = match group {
                NO_GROUP => groups_of(workload, &units[0])
                    .into_iter()
                    .map(|group| capped(workload.setup()[group.index()]))
                    .sum(),
                group => capped(workload.setup()[group as usize]),
            };
            families.setup.push(setup);
            families.group.push(group);
            families.kind.push(kind);
            for unit in units {
                let work = unit.iter().map(|test| capped(workload.mean()[test.index()])).sum();
                families.work.push(work);
                families.tests.extend(unit.iter().map(|test| test.0));
                families.ends.push(families.tests.len() as u32);
            }
        }
        families.starts.push(families.work.len() as u32);
        families.sum_up()
    }

    /// The same with tests that a runner selects as one in one unit, but where they together take
    /// longer than `most` on a worker. Of families of single tests; O(n).
    pub(crate) fn joined(self, tests: &TestTable, most: u64) -> Self {
        let mut joined = Self { setup: self.setup, group: self.group, ..Self::default() };
        let mut run: Vec<usize> = Vec::new();
        for family in 0..joined.setup.len() {
            joined.starts.push(joined.work.len() as u32);
            let group = (joined.group[family] != NO_GROUP).then_some(GroupId(joined.group[family]));
            let group = group.map(|group| tests.group_name(group));
            let room = most.saturating_sub(joined.setup[family]);
            let name = |at: usize| tests.name(TestId(self.tests[at]));
            for at in self.starts[family] as usize..self.starts[family + 1] as usize {
                let same = |first: &usize| {
                    group.is_some_and(|group| runs_with(group, name(*first), name(at)))
                };
                if !run.first().is_some_and(same) {
                    joined.close(&mut run, (&self.work, &self.tests), room);
                }
                run.push(at);
            }
            joined.close(&mut run, (&self.work, &self.tests), room);
        }
        joined.starts.push(joined.work.len() as u32);
        joined.sum_up()
    }

    /// Adds a run of tests as one unit, or one by one where that takes longer than there is room.
    fn close(&mut self, run: &mut Vec<usize>, (work, tests): (&[u64], &[u32]), room: u64) {
        let all: u64 = run.iter().map(|at| work[*at]).sum();
        let mut add = |units: &[usize]| {
            self.work.push(units.iter().map(|at| work[*at]).sum());
            self.tests.extend(units.iter().map(|at| tests[*at]));
            self.ends.push(self.tests.len() as u32);
        };
        match run.len() {
            0 => {}
            2.. if all > room => run.chunks(1).for_each(&mut add),
            _ => add(run),
        }
        run.clear();
    }

    /// True where two tests of single-test families are selected as one.
    pub(crate) fn has_siblings(&self, tests: &TestTable) -> bool {
        (0..self.len()).any(|family| {
            let Some(group) = self.group(family).map(|group| tests.group_name(group)) else {
                return false;
            };
            let own = &self.tests[self.range(family)];
            own.windows(2).any(|pair| {
                let [first, second] = [pair[0], pair[1]].map(|test| tests.name(TestId(test)));
                runs_with(group, first, second)
            })
        })
    }

    fn sum_up(mut self) -> Self {
        let sums = (0..self.len()).map(|family| self.units(family).iter().sum()).collect();
        let longest =
            (0..self.len()).map(|family| self.units(family).iter().copied().max().unwrap_or(0));
        self.longest = longest.collect();
        self.sums = sums;
        self
    }

    /// How many families there are.
    pub(crate) fn len(&self) -> usize {
        self.setup.len()
    }

    /// The units of a family as a range.
    pub(crate) fn range(&self, family: usize) -> std::ops::Range<usize> {
        self.starts[family] as usize..self.starts[family + 1] as usize
    }

    /// The durations of a family's units.
    pub(crate) fn units(&self, family: usize) -> &[u64] {
        &self.work[self.range(family)]
    }

    /// The tests of a unit, in the order in which they run.
    pub(crate) fn tests_of(&self, unit: usize) -> impl ExactSizeIterator<Item = TestId> + '_ {
        let range = if self.ends.is_empty() {
            unit..unit + 1
        } else {
            let start = if unit == 0 { 0 } else { self.ends[unit - 1] };
            start as usize..self.ends[unit] as usize
        };
        self.tests[range].iter().map(|test| TestId(*test))
    }

    /// The group that a family is, where it is one.
    pub(crate) fn group(&self, family: usize) -> Option<GroupId> {
        (self.group[family] != NO_GROUP).then_some(GroupId(self.group[family]))
    }

    /// The time in slots that each family takes at least on machines of so many slots: what runs
    /// alone takes all of its machine; the set-up of a group is counted once, with the first of its
    /// families.
    pub(crate) fn work_once(&self, slots: usize) -> impl Iterator<Item = u64> {
        let mut paid = std::collections::BTreeSet::new();
        (0..self.len()).map(move |family| {
            let alone = self.kind(family).serial && slots > 1;
            let taken = self.sums[family].saturating_mul(if alone { slots as u64 } else { 1 });
            let once = self.group(family).is_some_and(|group| paid.insert(group));
            taken.saturating_add(if once { self.setup[family] } else { 0 })
        })
    }

    /// The kind of a family.
    pub(crate) fn kind(&self, family: usize) -> Kind {
        self.kind.get(family).copied().unwrap_or_default()
    }

    /// Set-up and work of a family on one worker.
    pub(crate) fn total(&self, family: usize) -> u64 {
        self.setup[family] + self.sums[family]
    }

    /// True where no family has more than one unit or a set-up: plain balancing.
    pub(crate) fn is_plain(&self) -> bool {
        self.len() == self.work.len() && self.setup.iter().all(|setup| *setup == 0)
    }

    /// Loads under an assignment of units, each family's set-up counted once per worker. O(n).
    pub(crate) fn loads(&self, worker: &[u32], workers: usize) -> Vec<u64> {
        let mut loads = vec![0; workers];
        let mut paid = vec![u32::MAX; workers];
        for family in 0..self.len() {
            for unit in self.range(family) {
                let at = worker[unit] as usize;
                loads[at] += self.work[unit];
                if paid[at] != family as u32 {
                    paid[at] = family as u32;
                    loads[at] += self.setup[family];
                }
            }
        }
        loads
    }

    /// The unit of each test.
    pub(crate) fn unit_of_tests(&self) -> Vec<u32> {
        let mut units = vec![0; self.tests.len()];
        for unit in 0..self.work.len() {
            for test in self.tests_of(unit) {
                units[test.index()] = unit as u32;
            }
        }
        units
    }
}

/// Durations so short that their sum cannot overflow.
pub(crate) fn cap(workload: &Workload<'_>) -> impl Fn(Micros) -> u64 + use<> {
    let tests = workload.tests();
    let most = (1 << 62) / (tests.len() as u64 + tests.group_count() as u64 + 1);
    move |span| span.get().min(most)
}

fn groups_of(workload: &Workload<'_>, unit: &[TestId]) -> Vec<GroupId> {
    let mut groups: Vec<GroupId> =
        unit.iter().filter_map(|test| workload.tests().group(*test)).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn key_of(
    workload: &Workload<'_>,
    constraints: &Constraints,
    unit: &[TestId],
    torn: &[bool],
) -> Key {
    let groups = groups_of(workload, unit);
    let mut kind = Kind::default();
    for test in unit {
        kind.serial |= constraints.serial.contains(*test);
        for (bit, (_, tagged)) in constraints.tags.iter().enumerate().take(64) {
            kind.tags |= u64::from(tagged.contains(*test)) << bit;
        }
        if torn[test.index()] {
            kind.alone = unit[0].0 + 1;
        }
    }
    let ungrouped = unit.iter().any(|test| workload.tests().group(*test).is_none());
    match groups[..] {
        [group] if !ungrouped => (group.0, 0, kind),
        _ => (NO_GROUP, unit[0].0, kind),
    }
}
