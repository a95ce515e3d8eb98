//! Workload and budget to shards, with the bound that proves how good they are.
//!
//! Decides which worker runs which test, in which order, and says how far the answer can be from
//! the best one. Never depends on the order of its input, on a clock or on chance.

pub mod document;
pub mod longest_first;
mod balance;
mod bound;
mod exchange;
mod families;
mod order;
mod present;
mod setup;
mod size;

use crate::test_id::{GroupId, TestId, TestTable};
use crate::units::Micros;
use bound::Cause;
use document::{BoundBy, BoundKind};
use families::Families;

pub use present::PlanFacts;
pub use size::{frontier_bounds, frontier_of};

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
        Ok(Self { tests, mean, upper, setup })
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

/// How to plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlanOptions {
    /// How many workers.
    pub shards: u32,
    /// A plan this near to its bound, in millionths, is not improved further.
    pub tolerance_ppm: u64,
}

impl PlanOptions {
    /// A plan for `shards` equal workers.
    pub fn new(shards: u32) -> Self {
        Self { shards, tolerance_ppm: 1 }
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
    /// In the order in which to run them.
    pub tests: Vec<TestId>,
    /// The groups of `tests`, in the same order.
    pub spans: Vec<Span>,
    /// Predicted time, set-ups included.
    pub predicted: Micros,
    /// The part of it that is set-up.
    pub setup: Micros,
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
/// Where `shards` is 0 or above [`SHARDS_MAX`].
pub fn plan(workload: &Workload<'_>, options: &PlanOptions) -> Result<Plan, PlanError> {
    match options.shards {
        0 => return Err(PlanError::NoShards),
        more if more > SHARDS_MAX => return Err(PlanError::TooManyShards(more)),
        _ => {}
    }
    let workers = options.shards as usize;
    let families = Families::of(workload);
    let bound = bound::families_bound(&families, workers);
    let target = bound.target(options.tolerance_ppm);
    let answer = setup::assign(&families, workers, bound, target);
    let bound =
        if answer.makespan() > target { bound::raised(bound, &families, workers) } else { bound };
    let shards = order::fill(workload, &families, &answer.worker, workers);
    let makespan = shards.iter().map(|shard| shard.predicted).max().unwrap_or_default();
    Ok(Plan {
        shards,
        makespan,
        lower_bound: Micros::new(bound.value),
        bound_by: bound_by(workload, &families, bound.cause, options.shards),
        useful_workers_max: size::useful_workers_max(&families),
    })
}

/// The cause of a bound with its name.
fn bound_by(workload: &Workload<'_>, families: &Families, cause: Cause, shards: u32) -> BoundBy {
    let tests = workload.tests();
    match cause {
        Cause::Work => {
            let total: u64 = (0..families.len()).map(|family| families.total(family)).sum();
            let name = format!("{} of work on {shards} workers", Micros::new(total));
            BoundBy { kind: BoundKind::Work, name }
        }
        Cause::Unit(unit) => {
            let name = tests.name(TestId(families.test[unit])).to_owned();
            BoundBy { kind: BoundKind::Test, name }
        }
        Cause::Family(family) => {
            let name = tests.group_name(GroupId(families.group[family])).to_owned();
            BoundBy { kind: BoundKind::Class, name }
        }
    }
}
