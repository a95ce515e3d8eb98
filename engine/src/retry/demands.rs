//! What tests demand of each other: what needs what, what runs whole, what is one method.
//!
//! Decides from what was said of the tests and from how their ids are written. Never which tests
//! run again.

use crate::constraint::{ConstraintSpec, Resolver};
use crate::ingest::sibling;
use crate::test_id::{TestId, TestTable};

/// What a retry of one test demands of others.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// A test and one that must run before it.
    pub needs: Vec<(TestId, TestId)>,
    /// Classes that run whole or not at all: ordered or stateful ones.
    pub whole: Vec<String>,
    /// The invocations of each method that has several. One of them runs again alone only where all
    /// were reported as planned; else the method does, or the class where none was.
    pub units: Vec<Vec<TestId>>,
}

impl Demands {
    /// What the lists of `before` and the ids themselves say. An entry of such a list needs the one
    /// that comes before it; a class stands for its tests, and a name that is not planned for
    /// nothing, as where the plan was made. O(n log n) and the pairs of neighbours in the lists.
    ///
    /// ```
    /// use rasher::constraint::ConstraintSpec;
    /// use rasher::retry::Demands;
    /// use rasher::test_id::TestTable;
    /// let mut tests = TestTable::new();
    /// let ids = ["login", "logout", "sum[1]", "sum[2]"].map(|name| tests.intern(name, None));
    /// let before = vec![["login", "gone", "logout"].map(str::to_owned).to_vec()];
    /// let demands = Demands::of(&ConstraintSpec { before, ..Default::default() }, &tests);
    /// assert_eq!(demands.needs, [(ids[1], ids[0])]);
    /// assert_eq!(demands.units, [[ids[2], ids[3]]]);
    /// ```
    pub fn of(spec: &ConstraintSpec, tests: &TestTable) -> Self {
        let (mut needs, mut names) = (Vec::new(), Resolver::new(tests));
        for list in &spec.before {
            let entries: Vec<Vec<TestId>> =
                list.iter().map(|name| names.select(name)).filter(|it| !it.is_empty()).collect();
            for pair in entries.windows(2) {
                let of = |then: &TestId| pair[0].iter().map(|first| (*then, *first)).collect();
                needs.extend(pair[1].iter().flat_map(|then| -> Vec<_> { of(then) }));
            }
        }
        Self { needs, whole: Vec::new(), units: sibling::units(tests) }
    }
}
