//! What a plan was made under beside its tests and workers.
//!
//! Decides what of it a retry must know: a plan is all that a retry is given. Never resolves.

use serde::{Deserialize, Serialize};

use super::document::PlanDocument;
use super::{PlanOptions, PoolSpec};
use crate::constraint::ConstraintSpec;

/// The constraints, the pools and the slots that a plan was made with, as they were said.
///
/// ```
/// use rasher::constraint::ConstraintSpec;
/// use rasher::plan::{PlanOptions, Terms};
/// let plain = Terms::new(ConstraintSpec::default(), &PlanOptions::new(4));
/// assert_eq!(plain, Terms::default(), "nothing that a retry would have to know");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// What the plan may not do.
    #[serde(skip_serializing_if = "ConstraintSpec::is_empty")]
    pub constraints: ConstraintSpec,
    /// Workers that differ, with how many of each; empty for equal ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolSpec>,
    /// How many tests a worker runs at a time.
    #[serde(skip_serializing_if = "is_one")]
    pub slots: u32,
}

fn is_one(slots: &u32) -> bool {
    *slots == 1
}

impl Default for Terms {
    fn default() -> Self {
        Self { constraints: ConstraintSpec::default(), pools: Vec::new(), slots: 1 }
    }
}

impl Terms {
    /// Those of a plan under `options`, whose constraints were said like this.
    pub fn new(constraints: ConstraintSpec, options: &PlanOptions) -> Self {
        Self { constraints, pools: options.pools.clone(), slots: options.slots }
    }

    /// Those of a run: of its newest plan, the one that says most of what the plans before it said.
    pub fn of(plans: &[PlanDocument]) -> Self {
        plans.last().map(|plan| plan.terms.clone()).unwrap_or_default()
    }

    /// The same with further constraints.
    #[must_use]
    pub fn with(mut self, constraints: ConstraintSpec) -> Self {
        self.constraints.merge(constraints);
        self
    }

    /// True where there is nothing to say.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
