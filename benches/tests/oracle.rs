//! Plans of a dozen tests against the best plan there is, found by trying every one.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use rasher_bench::checker::{Facts, check};
use rasher_bench::textbook::optimum;

/// A dozen tests at most, each in one of four groups or in none.
#[derive(Clone, Debug)]
struct Small {
    tests: Vec<(u64, Option<u32>)>,
    setups: [u64; 4],
    shards: u32,
}

fn small() -> impl Strategy<Value = Small> {
    let duration = prop_oneof![1_u64..30, 1_u64..2_000, Just(10)];
    let group = prop_oneof![Just(None), (0_u32..4).prop_map(Some)];
    let tests = proptest::collection::vec((duration, group), 1..=10);
    (tests, proptest::array::uniform4(0_u64..40), 1_u32..5)
        .prop_map(|(tests, setups, shards)| Small { tests, setups, shards })
}

impl Small {
    fn table(&self) -> TestTable {
        let mut table = TestTable::new();
        for group in 0..4 {
            table.intern_group(&format!("g{group}"));
        }
        for (at, (_, group)) in self.tests.iter().enumerate() {
            table.intern(&format!("t{at:02}"), group.map(|g| format!("g{g}")).as_deref());
        }
        table
    }

    /// The optimum, in which a test without a group is a group of its own that costs nothing.
    fn best(&self) -> u64 {
        let durations: Vec<u64> = self.tests.iter().map(|(duration, _)| *duration).collect();
        let mut setups = self.setups.to_vec();
        let groups = self.tests.iter().map(|(_, group)| {
            group.unwrap_or_else(|| {
                setups.push(0);
                setups.len() as u32 - 1
            })
        });
        let groups: Vec<u32> = groups.collect();
        optimum(&durations, &groups, &setups, self.shards as usize)
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(
            FileFailurePersistence::Direct("../proptest-regressions/bench-oracle.txt")
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_bound_is_above_the_optimum_and_no_plan_below_it(small in small()) {
        let tests = small.table();
        let mean: Vec<Micros> = small.tests.iter().map(|(span, _)| Micros::new(*span)).collect();
        let setup = small.setups.map(Micros::new);
        let workload = Workload::new(&tests, &mean, &mean, &setup).expect("columns fit");
        let made = plan(&workload, &PlanOptions::new(small.shards)).expect("a plan");
        let best = small.best();
        prop_assert!(made.lower_bound.get() <= best, "bound {} > {best}", made.lower_bound.get());
        prop_assert!(made.makespan.get() >= best, "makespan {} < {best}", made.makespan.get());

        let document = made.document(&workload, PlanFacts::default());
        let mut facts = Facts { reachable: Some(best), ..Facts::default() };
        for test in tests.ids() {
            let name = tests.name(test).to_owned();
            facts.durations.insert(name.clone(), mean[test.index()].get());
            if let Some(group) = tests.group(test) {
                facts.group_of.insert(name, tests.group_name(group).to_owned());
                let name = tests.group_name(group).to_owned();
                facts.setups.insert(name, setup[group.index()].get());
            }
        }
        let value = serde_json::to_value(&document).expect("json");
        prop_assert_eq!(check(&value, &facts), []);
    }
}
