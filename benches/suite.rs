//! Tests with their times, as a workload borrows them.

use rasher::plan::Workload;
use rasher::test_id::TestTable;
use rasher::units::Micros;

use crate::corpus::Monolith;

/// Tests in canonical order with what each takes and what each group costs.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What it is called in a table.
    pub name: String,
    /// The tests and their groups.
    pub tests: TestTable,
    /// What each test takes; at least a microsecond.
    pub mean: Vec<Micros>,
    /// What each group costs before its first test.
    pub setup: Vec<Micros>,
}

impl Suite {
    /// The made monolith, with the same set-up for each of its classes.
    ///
    /// ```
    /// use rasher::units::Micros;
    /// use rasher_bench::{corpus::Monolith, suite::Suite};
    /// let suite = Suite::of_monolith(&Monolith::new(500, 1), Micros::from_secs(2));
    /// assert_eq!(suite.workload().tests().len(), 500);
    /// ```
    pub fn of_monolith(made: &Monolith, setup: Micros) -> Self {
        let mut named = TestTable::new();
        for (class, case) in made.cases() {
            named.intern(&format!("{}#{}", class.name, case.name), Some(&class.name));
        }
        let (tests, order) = named.sorted();
        let durations: Vec<Micros> = made.cases().map(|(_, case)| case.duration).collect();
        let mean = order.iter().map(|test| durations[test.index()]).collect();
        let setup = vec![setup; tests.group_count()];
        Self { name: "monolith".to_owned(), tests, mean, setup }
    }

    /// The workload; spread is not given, so order follows the mean.
    pub fn workload(&self) -> Workload<'_> {
        Workload::new(&self.tests, &self.mean, &self.mean, &self.setup)
            .expect("columns are made as long as the table")
    }
}
