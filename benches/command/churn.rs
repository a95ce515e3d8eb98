//! Churn: how many tests change their shard when a suite changes a little.

use rasher::plan::document::PlanDocument;
use rasher::plan::{Plan, PlanFacts, PlanOptions, Previous, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use crate::corpus::{MONOLITH_SEED, Monolith};
use crate::draw::Draw;

/// A suite as columns of a workload.
#[derive(Clone)]
struct Suite {
    rows: Vec<(String, Option<String>, u64)>,
}

/// How a suite changes.
#[derive(Clone, Copy)]
struct Change {
    what: &'static str,
    removed: f64,
    added: f64,
    noise: f64,
}

const CHANGES: [Change; 3] = [
    Change { what: "one test added", removed: 0.0, added: 0.0, noise: 0.0 },
    Change { what: "±5 % on all", removed: 0.0, added: 0.0, noise: 0.05 },
    Change { what: "2 % added, 2 % removed, ±5 %", removed: 0.02, added: 0.02, noise: 0.05 },
];

/// Tests, shards, and whether classes are kept whole.
const SIZES: [(usize, u32); 3] = [(45_000, 200), (3_600, 16), (1_800, 8)];

/// Repairs beside fresh plans of changed suites.
pub(super) fn measure(_: Effort) -> Measured {
    let mut found = Measured::new(
        "churn",
        "A suite changes a little: share of the tests that change shard, and makespan over bound, when \
         the plan is repaired (`--previous`) and when it is made anew",
        &[
            "tests",
            "shards",
            "unit",
            "change",
            "repaired: moved",
            "makespan / bound",
            "anew: moved",
            "makespan / bound",
        ],
    );
    let (mut moved, mut over) = (0.0_f64, 0.0_f64);
    for (tests, shards) in SIZES {
        for classes in [false, true] {
            let old = Suite::of(&Monolith::new(tests, MONOLITH_SEED), classes);
            for change in CHANGES {
                let Some([repaired, anew]) = old.compare(&old.changed(change), shards) else {
                    continue;
                };
                if tests == 45_000 && change.removed > 0.0 {
                    moved = moved.max(repaired.0);
                    over = over.max(repaired.1);
                }
                found.row(vec![
                    json!(tests),
                    json!(shards),
                    json!(if classes { "class" } else { "test" }),
                    json!(change.what),
                    json!(repaired.0),
                    json!(repaired.1),
                    json!(anew.0),
                    json!(anew.1),
                ]);
            }
        }
    }
    found.target(Target::at_most(
        "churn",
        "2 % / 2 % / ±5 % at 45,000 × 200: share moved",
        0.01,
        moved,
    ));
    found.target(Target::at_most("churn", "its makespan / bound", 1.01, over));
    found
}

impl Suite {
    fn of(made: &Monolith, classes: bool) -> Self {
        let row = |(class, case): (&crate::corpus::Class, &crate::corpus::Case)| {
            let group = classes.then(|| class.name.clone());
            (format!("{}#{}", class.name, case.name), group, case.duration.get())
        };
        Self { rows: made.cases().map(row).collect() }
    }

    fn changed(&self, change: Change) -> Self {
        let mut draw = Draw::new(11, change.what);
        let mut rows = Vec::with_capacity(self.rows.len());
        for (name, group, duration) in &self.rows {
            let noisy = *duration as f64 * (1.0 + change.noise * (2.0 * draw.unit() - 1.0));
            if draw.chance(change.added) {
                rows.push((format!("{name}New"), group.clone(), noisy as u64));
            }
            if !draw.chance(change.removed) {
                rows.push((name.clone(), group.clone(), noisy as u64));
            }
        }
        if change.added == 0.0 && change.noise == 0.0 {
            rows.push(("org.example.NewTest#isNew".to_owned(), None, 1_000_000));
        }
        Self { rows }
    }

    /// Share moved and makespan over bound, of the repair and of a fresh plan.
    fn compare(&self, new: &Self, shards: u32) -> Option<[(f64, f64); 2]> {
        let (_, old) = self.plan(shards, None)?;
        let (repaired, repaired_document) = new.plan(shards, Some(&old))?;
        let (anew, anew_document) = new.plan(shards, None)?;
        let over = |plan: &Plan| plan.makespan.as_secs_f64() / plan.lower_bound.as_secs_f64();
        Some([
            (moved(&old, &repaired_document), over(&repaired)),
            (moved(&old, &anew_document), over(&anew)),
        ])
    }

    fn plan(&self, shards: u32, previous: Option<&PlanDocument>) -> Option<(Plan, PlanDocument)> {
        let mut made = TestTable::new();
        for (name, group, _) in &self.rows {
            made.intern(name, group.as_deref());
        }
        let (tests, order) = made.sorted();
        let mean: Vec<Micros> =
            order.iter().map(|test| Micros::new(self.rows[test.index()].2)).collect();
        let setup = vec![Micros::from_secs(2); tests.group_count()];
        let workload = Workload::new(&tests, &mean, &mean, &setup).ok()?;
        let mut options = PlanOptions::new(shards);
        options.previous = previous.map(|plan| Previous::of(plan, &tests));
        let plan = plan(&workload, &options).ok()?;
        let document = plan.document(&workload, PlanFacts::default());
        Some((plan, document))
    }
}

/// The share of the tests of both plans that are on another shard. Counted here, not taken from the
/// plan's own `moved`.
fn moved(old: &PlanDocument, new: &PlanDocument) -> f64 {
    let mut home = std::collections::HashMap::new();
    for shard in &old.shards {
        home.extend(shard.tests.iter().map(|test| (test.as_str(), shard.index)));
    }
    let (mut both, mut moved) = (0_usize, 0_usize);
    for shard in &new.shards {
        for before in shard.tests.iter().filter_map(|test| home.get(test.as_str())) {
            both += 1;
            moved += usize::from(*before != shard.index);
        }
    }
    moved as f64 / both.max(1) as f64
}
