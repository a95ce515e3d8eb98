//! What is planned, in families: the tests of one class with the set-up they share.
//!
//! Decides nothing; it lays a workload out so that planning never looks at a name. A family's
//! set-up is paid once by every worker that gets at least one of its tests.

use super::Workload;
use crate::units::Micros;

/// Tests by family. Units of one family are neighbours; a test without a group is a family of its
/// own without set-up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Families {
    /// Duration of each unit.
    pub(crate) work: Vec<u64>,
    /// The test that each unit is.
    pub(crate) test: Vec<u32>,
    /// Family `f` has the units `starts[f]..starts[f + 1]`.
    pub(crate) starts: Vec<u32>,
    /// Set-up of each family.
    pub(crate) setup: Vec<u64>,
    /// The group that each family is; `u32::MAX` for a test on its own.
    pub(crate) group: Vec<u32>,
    /// Sum of each family's units, without set-up.
    pub(crate) sums: Vec<u64>,
    /// Longest unit of each family.
    pub(crate) longest: Vec<u64>,
}

const NO_GROUP: u32 = u32::MAX;

impl Families {
    /// Lays out a workload. Durations are capped so that no sum can overflow. O(n).
    pub(crate) fn of(workload: &Workload<'_>) -> Self {
        let tests = workload.tests();
        let cap = (1 << 62) / (tests.len() as u64 + tests.group_count() as u64 + 1);
        let capped = |span: &Micros| span.get().min(cap);
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
                families.setup.push(capped(setup));
                families.group.push(group as u32);
            }
        }
        let grouped = starts.last().copied().unwrap_or(0);
        families.starts.extend(grouped..=grouped + single);
        let alone = single as usize;
        families.setup.extend(std::iter::repeat_n(0, alone));
        families.group.extend(std::iter::repeat_n(NO_GROUP, alone));
        families.work = vec![0; tests.len()];
        families.test = vec![0; tests.len()];
        let mut next_single = grouped;
        for (test, mean) in tests.ids().zip(workload.mean()) {
            let at = match tests.group(test) {
                Some(group) => &mut starts[group.index()],
                None => &mut next_single,
            };
            families.work[*at as usize] = capped(mean);
            families.test[*at as usize] = test.0;
            *at += 1;
        }
        families.sum_up()
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
}
