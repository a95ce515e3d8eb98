//! Instances as workloads of the engine, and plans of them with the checker's verdict.

use rasher::plan::{Plan, PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;

use crate::checker::{Facts, Fault, check};
use crate::instances::families::Grouped;

/// The columns that a workload borrows.
pub(super) struct Prepared {
    pub(super) tests: TestTable,
    pub(super) mean: Vec<Micros>,
    pub(super) setup: Vec<Micros>,
}

impl Prepared {
    /// Tests without groups.
    pub(super) fn plain(durations: &[u64]) -> Self {
        let mut tests = TestTable::new();
        for at in 0..durations.len() {
            tests.intern(&test_name(at), None);
        }
        Self { tests, mean: micros(durations), setup: Vec::new() }
    }

    /// Tests in groups with set-ups.
    pub(super) fn grouped(made: &Grouped) -> Self {
        let mut tests = TestTable::new();
        for group in 0..made.setups.len() {
            tests.intern_group(&group_name(group as u32));
        }
        for (at, group) in made.group_of.iter().enumerate() {
            tests.intern(&test_name(at), Some(&group_name(*group)));
        }
        Self { tests, mean: micros(&made.durations), setup: micros(&made.setups) }
    }

    /// The workload; spread is not measured here, so order follows the mean.
    pub(super) fn workload(&self) -> Workload<'_> {
        Workload::new(&self.tests, &self.mean, &self.mean, &self.setup)
            .expect("columns are made as long as the table")
    }

    /// The plan on `shards` equal workers.
    pub(super) fn plan(&self, shards: usize) -> Plan {
        plan(&self.workload(), &options(shards)).expect("at least one shard")
    }

    /// What the checker finds wrong with a plan of this workload, as its document.
    pub(super) fn faults(&self, plan: &Plan, reachable: Option<u64>) -> Vec<Fault> {
        let document = plan.document(&self.workload(), PlanFacts::default());
        let mut facts = Facts { reachable, ..Facts::default() };
        for test in self.tests.ids() {
            let name = self.tests.name(test).to_owned();
            if let Some(group) = self.tests.group(test) {
                facts.group_of.insert(name.clone(), self.tests.group_name(group).to_owned());
                let setup = self.setup[group.index()].get();
                facts.setups.insert(self.tests.group_name(group).to_owned(), setup);
            }
            facts.durations.insert(name, self.mean[test.index()].get());
        }
        match serde_json::to_value(&document) {
            Ok(value) => check(&value, &facts),
            Err(e) => {
                vec![Fault { rule: crate::checker::Rule::Shape, what: e.to_string() }]
            }
        }
    }
}

pub(super) fn options(shards: usize) -> PlanOptions {
    PlanOptions::new(shards as u32)
}

/// Names whose order is that of the numbers, so that the table is canonical as it is made.
fn test_name(at: usize) -> String {
    format!("t{at:07}")
}

fn group_name(group: u32) -> String {
    format!("g{group:06}")
}

fn micros(spans: &[u64]) -> Vec<Micros> {
    spans.iter().map(|span| Micros::new(*span)).collect()
}
