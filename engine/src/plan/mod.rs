//! Workload and budget to shards, with the bound that proves how good they are.
//!
//! Decides which worker runs which test, in which order, and says how far the answer can be from
//! the best one. Never depends on the order of its input, on a clock or on chance.

pub mod document;
pub mod longest_first;
mod balance;
mod bound;
mod brim;
mod combine;
mod differencing;
mod exact;
mod exchange;
mod falling;
mod families;
mod general;
mod level;
mod multifit;
mod order;
mod packing;
mod pools;
mod pour;
mod present;
mod repair;
mod repartition;
mod setup;
mod size;
mod solve;
mod terms;
mod why;
mod wrap;

use crate::constraint::Constraints;
use crate::test_id::{GroupId, TestId, TestSet, TestTable};
use crate::units::Micros;
use document::BoundBy;

pub use balance::balanced;
pub use pools::{POOLS_MAX, PoolSpec};
pub use present::PlanFacts;
pub use repair::Previous;
pub use size::{frontier_bounds, frontier_of};
pub use terms::Terms;
pub use why::Explanation;

/// More shards than this are refused: no fleet has them, and each costs memory.
pub const SHARDS_MAX: u32 = 1 << 20;

/// The tests to be planned and what is expected of each.
///
/// Give the table in canonical order ([`TestTable::sorted`]): equal durations are told apart by
/// their position, so with that order a plan does not depend on how its tests were listed.
#[derive(Clone, Debug)]
pub struct Workload<'a> {
    tests: &'a TestTable,
    mean: &'a [Micros],
    upper: &'a [Micros],
    setup: &'a [Micros],
    failed: Option<&'a TestSet>,
}

impl<'a> Workload<'a> {
    /// A workload of `tests`: for each test its expected duration (what capacity is planned by)
    /// and an upper quantile of it (what order is planned by), for each group its set-up.
    ///
    /// # Errors
    /// Where a column is not as long as the table.
    pub fn new(
        tests: &'a TestTable,
        mean: &'a [Micros],
        upper: &'a [Micros],
        setup: &'a [Micros],
    ) -> Result<Self, PlanError> {
        let columns = [
            ("mean", mean.len(), tests.len()),
            ("upper", upper.len(), tests.len()),
            ("setup", setup.len(), tests.group_count()),
        ];
        for (column, given, wanted) in columns {
            if given != wanted {
                return Err(PlanError::Column { column, given, wanted });
            }
        }
        Ok(Self { tests, mean, upper, setup, failed: None })
    }

    /// The same with the tests that failed lately, for [`RunOrder::FailedFirst`].
    pub fn with_failed(mut self, failed: &'a TestSet) -> Self {
        self.failed = Some(failed);
        self
    }

    fn failed_lately(&self, test: TestId) -> bool {
        self.failed.is_some_and(|failed| failed.contains(test))
    }

    /// The tests.
    pub fn tests(&self) -> &'a TestTable {
        self.tests
    }

    /// The expected duration of each test.
    pub fn mean(&self) -> &'a [Micros] {
        self.mean
    }

    /// An upper quantile of the duration of each test.
    pub fn upper(&self) -> &'a [Micros] {
        self.upper
    }

    /// The set-up of each group, paid once by every worker that runs a test of it.
    pub fn setup(&self) -> &'a [Micros] {
        self.setup
    }
}

/// Which tests of a shard run first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunOrder {
    /// Those that may take longest.
    #[default]
    Risk,
    /// Those that failed lately, then as [`RunOrder::Risk`].
    FailedFirst,
}

/// How to plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlanOptions {
    /// How many workers; where there are pools, theirs count.
    pub shards: u32,
    /// A plan this near to its bound, in millionths, is not improved further.
    pub tolerance_ppm: u64,
    /// How many ways of dealing a few tests out again may be looked at where a gap remains; some
    /// nanoseconds each. More steps never make a plan longer. Absent: as many as are worth their
    /// time for so many tests, at most some hundredths of a second.
    pub steps: Option<u64>,
    /// What a plan may not do.
    pub constraints: Constraints,
    /// Workers that differ; empty for equal ones.
    pub pools: Vec<PoolSpec>,
    /// How many tests a worker runs at a time.
    pub slots: u32,
    /// Which tests of a shard run first.
    pub order: RunOrder,
    /// The share of each shard, in thousandths, that no idle worker may take over; none where all
    /// is fixed.
    pub fixed_permille: Option<u32>,
    /// An earlier plan that is to be repaired rather than replaced.
    pub previous: Option<Previous>,
}

impl PlanOptions {
    /// A plan for `shards` equal workers of one slot.
    pub fn new(shards: u32) -> Self {
        Self {
            shards,
            tolerance_ppm: 1,
            steps: None,
            constraints: Constraints::default(),
            pools: Vec::new(),
            slots: 1,
            order: RunOrder::default(),
            fixed_permille: None,
            previous: None,
        }
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Zero workers run nothing.
    #[error("a plan needs at least one shard")]
    NoShards,
    /// More workers than anyone has.
    #[error("{0} shards are more than the {SHARDS_MAX} that can be planned")]
    TooManyShards(u32),
    /// A worker that runs no test at a time.
    #[error("a worker needs at least one slot")]
    NoSlots,
    /// More pools than the bound can look at.
    #[error("{0} pools are more than the {POOLS_MAX} that can be planned")]
    TooManyPools(usize),
    /// An earlier plan that was read for another table of tests.
    #[error("the earlier plan was read for {given} tests, the workload has {wanted}")]
    Previous {
        /// How many it was read for.
        given: usize,
        /// How many there are.
        wanted: usize,
    },
    /// No worker may run a test.
    #[error("`{test}` needs the tags {tags:?}, and no pool with workers carries them all")]
    NoPool {
        /// The test.
        test: String,
        /// What it needs.
        tags: Vec<String>,
    },
    /// Too few workers for what must be kept apart.
    #[error(
        "`{test}` must be kept apart from {} others ({}), and there are too few shards for that",
        others.len(),
        others.join(", ")
    )]
    Apart {
        /// The test for which no shard was left.
        test: String,
        /// What it must not meet.
        others: Vec<String>,
    },
    /// A column does not fit the table of tests.
    #[error("the column `{column}` has {given} values where {wanted} are wanted")]
    Column {
        /// Which column.
        column: &'static str,
        /// How long it is.
        given: usize,
        /// How long it should be.
        wanted: usize,
    },
}

/// A run of neighbouring tests of a shard that belong to one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The group; none for a test on its own.
    pub group: Option<GroupId>,
    /// How many of the shard's tests, in order.
    pub tests: usize,
    /// False where other shards run other tests of the same group.
    pub whole: bool,
}

/// The tests of one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    /// In the order in which to run them, lane by lane.
    pub tests: Vec<TestId>,
    /// The groups of `tests`, in the same order.
    pub spans: Vec<Span>,
    /// Predicted time: set-ups included, at the speed of its pool and with its start-up.
    pub predicted: Micros,
    /// The part of it that is set-up.
    pub setup: Micros,
    /// The pool of its worker; empty for equal workers.
    pub pool: String,
    /// How many of `tests`, in order, run in each lane, where a worker has several: first those
    /// that run alone, if there is such a lane, then slot by slot.
    pub lanes: Vec<usize>,
    /// How many of `tests` are fixed; the rest may be taken over in spans. None: all.
    pub fixed_tests: Option<usize>,
}

/// Shards, and the proof of how good they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One for each worker; a worker without tests is listed too.
    pub shards: Vec<Shard>,
    /// Predicted time of the longest shard.
    pub makespan: Micros,
    /// No assignment to this many workers can be shorter.
    pub lower_bound: Micros,
    /// What holds the bound up.
    pub bound_by: BoundBy,
    /// More workers than this cannot make the run shorter.
    pub useful_workers_max: u32,
    /// How many tests stand on another shard than in the earlier plan; none without one.
    pub moved: Option<usize>,
}

impl Plan {
    /// `(makespan - lower bound) / lower bound`; 0 where nothing takes time.
    pub fn gap(&self) -> f64 {
        let (makespan, bound) = (self.makespan.get(), self.lower_bound.get());
        if bound == 0 { 0.0 } else { (makespan - bound) as f64 / bound as f64 }
    }
}

/// Plans a workload.
///
/// A class stays whole unless that would stretch the run and its set-up is worth paying again.
/// The same workload and options give the same plan on every machine: decisions are made on
/// integers. O(n log m) and a few passes.
///
/// ```
/// use rasher::plan::{PlanOptions, Workload, plan};
/// use rasher::test_id::TestTable;
/// use rasher::units::Micros;
///
/// let mut tests = TestTable::new();
/// for name in ["a", "b", "c"] {
///     tests.intern(name, None);
/// }
/// let spans = [3, 2, 1].map(Micros::from_secs);
/// let plan = plan(&Workload::new(&tests, &spans, &spans, &[])?, &PlanOptions::new(2))?;
/// assert_eq!(plan.makespan, Micros::from_secs(3));
/// assert_eq!(plan.makespan, plan.lower_bound);
/// # Ok::<(), rasher::plan::PlanError>(())
/// ```
///
/// # Errors
/// Where there is no worker or far too many, where no worker may run a test, and where too few are
/// given for the tests that must be kept apart.
pub fn plan(workload: &Workload<'_>, options: &PlanOptions) -> Result<Plan, PlanError> {
    check(workload, options)?;
    if let Some(equal) = pools::as_equal(options) {
        let mut found = plan(workload, &equal)?;
        pools::at_their_speed(&mut found, &options.pools);
        return Ok(found);
    }
    let solved = solve::solve(workload, options)?;
    let layout = order::Layout {
        families: &solved.families,
        sites: &solved.sites,
        site: &solved.site,
        lanes: solved.lanes,
    };
    let shards = order::fill(workload, &layout, options);
    let makespan = shards.iter().map(|shard| shard.predicted).max().unwrap_or_default();
    let moved = options.previous.as_ref().map(|previous| {
        let mut shard_of = vec![0; workload.tests().len()];
        for (at, shard) in (0..).zip(&shards) {
            for test in &shard.tests {
                shard_of[test.index()] = at;
            }
        }
        previous.moved(&shard_of)
    });
    Ok(Plan {
        shards,
        makespan,
        lower_bound: Micros::new(solved.bound.value),
        bound_by: solved.bound.by,
        useful_workers_max: solved.useful_workers_max,
        moved,
    })
}

fn check(workload: &Workload<'_>, options: &PlanOptions) -> Result<(), PlanError> {
    let pools = options.pools.iter().map(|pool| u64::from(pool.workers)).sum();
    let shards = if options.pools.is_empty() { u64::from(options.shards) } else { pools };
    let sites = shards.saturating_mul(u64::from(options.slots));
    if shards == 0 {
        return Err(PlanError::NoShards);
    }
    if options.slots == 0 {
        return Err(PlanError::NoSlots);
    }
    if sites > u64::from(SHARDS_MAX) {
        return Err(PlanError::TooManyShards(u32::try_from(sites).unwrap_or(u32::MAX)));
    }
    if options.pools.len() > POOLS_MAX {
        return Err(PlanError::TooManyPools(options.pools.len()));
    }
    let wanted = workload.tests().len();
    match &options.previous {
        Some(previous) if previous.shard_of.len() != wanted => {
            Err(PlanError::Previous { given: previous.shard_of.len(), wanted })
        }
        _ => Ok(()),
    }
}
