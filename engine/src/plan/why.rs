//! Why a plan is as it is: what binds it, what would change it, and where one test stands.
//!
//! Decides nothing; it states what the plan and its bound imply, as data for people.

use super::document::BoundBy;
use super::{Plan, Workload, bound, families::Families};
use crate::test_id::TestId;
use crate::units::Micros;

/// Where a test stands in a plan, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Its shard, from 1.
    pub shard: u32,
    /// Its place in the shard, from 1.
    pub position: usize,
    /// How many tests the shard has.
    pub shard_tests: usize,
    /// Predicted time of the shard.
    pub shard_predicted: Micros,
    /// True where no shard takes longer: what is here holds the run up.
    pub shard_is_longest: bool,
    /// Its class or file.
    pub group: Option<String>,
    /// False where other shards run other tests of the group.
    pub group_whole: bool,
    /// What the group's set-up costs each shard that runs one of its tests.
    pub group_setup: Micros,
    /// Expected duration.
    pub mean: Micros,
    /// Upper quantile of it, by which it is ordered.
    pub upper: Micros,
    /// False where an idle worker may take the test over.
    pub fixed: bool,
}

/// What binds a plan and what would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons {
    /// What holds the bound up.
    pub bound_by: BoundBy,
    /// The bound.
    pub lower_bound: Micros,
    /// Where a test or class binds: the bound if that one were cut into small pieces.
    pub bound_if_split: Option<Micros>,
    /// More workers than this cannot help.
    pub useful_workers_max: u32,
    /// All the work, each set-up once.
    pub work: Micros,
    /// How many groups run on more than one shard.
    pub split_groups: usize,
    /// Set-ups that are paid again because of that.
    pub repeated_setup: Micros,
}

impl Plan {
    /// Where a test stands; none where it is not in the plan. O(n).
    pub fn explain(&self, workload: &Workload<'_>, test: TestId) -> Option<Explanation> {
        let found = self.shards.iter().enumerate().find_map(|(at, shard)| {
            shard.tests.iter().position(|own| *own == test).map(|place| (at, shard, place))
        });
        let (at, shard, place) = found?;
        let mut end = 0;
        let span = shard.spans.iter().find(|span| {
            end += span.tests;
            place < end
        });
        let group = workload.tests().group(test);
        Some(Explanation {
            shard: at as u32 + 1,
            position: place + 1,
            shard_tests: shard.tests.len(),
            shard_predicted: shard.predicted,
            shard_is_longest: shard.predicted == self.makespan,
            group: group.map(|group| workload.tests().group_name(group).to_owned()),
            group_whole: span.is_none_or(|span| span.whole),
            group_setup: group.map_or(Micros::ZERO, |group| workload.setup()[group.index()]),
            mean: workload.mean()[test.index()],
            upper: workload.upper()[test.index()],
            fixed: shard.fixed_tests.is_none_or(|fixed| place < fixed),
        })
    }

    /// What binds the plan and what would help. O(n).
    pub fn reasons(&self, workload: &Workload<'_>) -> Reasons {
        let families = Families::of(workload);
        let work: u64 = (0..families.len()).map(|family| families.total(family)).sum();
        let paid: u64 = self.shards.iter().map(|shard| shard.setup.get()).sum();
        let once: u64 = families.setup.iter().sum();
        let mut split = std::collections::BTreeSet::new();
        for span in self.shards.iter().flat_map(|shard| &shard.spans) {
            split.extend(span.group.filter(|_| !span.whole));
        }
        Reasons {
            bound_by: self.bound_by.clone(),
            lower_bound: self.lower_bound,
            bound_if_split: bound::if_split(&families, self.shards.len()).map(Micros::new),
            useful_workers_max: self.useful_workers_max,
            work: Micros::new(work),
            split_groups: split.len(),
            repeated_setup: Micros::new(paid.saturating_sub(once)),
        }
    }
}
