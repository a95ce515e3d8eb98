//! Why a plan is as it is: what binds it, what would change it, and where one test stands.
//!
//! Decides nothing; it states what the plan and its bound imply, as data for people.

use serde::Serialize;

use super::document::{GroupSpan, PlanDocument, Reasons, ShardDocument};
use super::{Plan, Workload, bound, families::Families};
use crate::units::Micros;

/// Where a test stands in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Its shard, from 1.
    pub shard: u32,
    /// How many shards there are.
    pub of: usize,
    /// The pool of its shard.
    pub pool: Option<String>,
    /// Predicted time of the shard.
    pub shard_predicted_ms: Micros,
    /// How many tests the shard has.
    pub shard_tests: usize,
    /// True where no shard takes longer: what is here holds the run up.
    pub is_longest_shard: bool,
    /// Its place in the shard, from 1.
    pub position: usize,
    /// Its lane, from 1, where the worker runs several tests at a time.
    pub lane: Option<usize>,
    /// False where an idle worker may take the test over.
    pub fixed: bool,
    /// Its class or file.
    pub group: Option<String>,
    /// The shards that run tests of its class or file.
    pub group_shards: Vec<u32>,
    /// How many tests of its class or file the shard runs beside it, it included.
    pub group_tests_here: usize,
    /// False where other shards run other tests of the group.
    pub group_whole: bool,
    /// True where the test or its class is what holds the bound of the plan up.
    pub binds: bool,
}

impl PlanDocument {
    /// Where a test stands; none where it is not in the plan. O(n).
    ///
    /// ```
    /// use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
    /// use rasher::test_id::TestTable;
    /// use rasher::units::Micros;
    /// let mut tests = TestTable::new();
    /// for name in ["a", "b", "c"] {
    ///     tests.intern(name, None);
    /// }
    /// let spans = [9, 2, 1].map(Micros::from_secs);
    /// let workload = Workload::new(&tests, &spans, &spans, &[])?;
    /// let document = plan(&workload, &PlanOptions::new(2))?.document(&workload, PlanFacts::default());
    /// let why = document.explain("a").expect("a planned test");
    /// assert!(why.is_longest_shard && why.binds);
    /// assert!(document.explain("d").is_none());
    /// # Ok::<(), rasher::plan::PlanError>(())
    /// ```
    pub fn explain(&self, test: &str) -> Option<Explanation> {
        let found = self.shards.iter().find_map(|shard| {
            shard.tests.iter().position(|own| own == test).map(|place| (shard, place))
        });
        let (shard, place) = found?;
        let span = span_at(shard, place).filter(|span| span.group != test);
        let group = span.map(|span| span.group.as_str());
        let holds = |shard: &&ShardDocument| {
            shard.groups.iter().any(|span| Some(span.group.as_str()) == group)
        };
        Some(Explanation {
            shard: shard.index,
            of: self.shards.len(),
            pool: shard.pool.clone(),
            shard_predicted_ms: shard.predicted_ms,
            shard_tests: shard.tests.len(),
            is_longest_shard: shard.predicted_ms == self.makespan_ms,
            position: place + 1,
            lane: lane_at(shard, place),
            fixed: shard.fixed_tests.is_none_or(|fixed| place < fixed),
            group: group.map(str::to_owned),
            group_shards: self.shards.iter().filter(holds).map(|shard| shard.index).collect(),
            group_tests_here: span.map_or(1, |span| span.tests),
            group_whole: span.is_none_or(|span| span.whole),
            binds: self.bound_by.name == test || group.is_some_and(|it| it == self.bound_by.name),
        })
    }
}

fn span_at(shard: &ShardDocument, place: usize) -> Option<&GroupSpan> {
    let mut end = 0;
    shard.groups.iter().find(|span| {
        end += span.tests;
        place < end
    })
}

fn lane_at(shard: &ShardDocument, place: usize) -> Option<usize> {
    let mut end = 0;
    let lane = shard.lanes.iter().position(|tests| {
        end += tests;
        place < end
    });
    lane.map(|lane| lane + 1)
}

impl Plan {
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
        let plain = |shard: &super::Shard| shard.pool.is_empty() && shard.lanes.is_empty();
        let equal = self.shards.iter().all(plain);
        let bound = bound::if_split(&families, self.shards.len()).filter(|_| equal);
        Reasons {
            bound_if_split_ms: bound.map(|bound| Micros::new(bound).min(self.lower_bound)),
            work_ms: Micros::new(work),
            split_groups: split.len(),
            repeated_setup_ms: Micros::new(paid.saturating_sub(once)),
        }
    }
}
