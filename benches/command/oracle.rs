//! T6's other half: how far plans of set B are above the optimum, which `benches/peers/oracle.py`
//! proves with tools that are no part of Rasher.

use serde_json::{Value, json};

use super::Effort;
use super::document::{Measured, Target};
use super::solve::Prepared;
use crate::instances::literature::{self, PER_WORKER};

/// A planned instance of set B with few tests per worker.
#[derive(Clone, Debug)]
struct Planned {
    name: String,
    per_worker: usize,
    makespan: u64,
    bound: u64,
}

/// Plans of the hard instances, and the question what their optima are.
#[derive(Clone, Debug)]
pub struct OracleQuestion {
    planned: Vec<Planned>,
    /// What `oracle.py` reads: the instances whose plan is not proved optimal by its own bound.
    pub instances: Value,
}

/// Plans set B at two to three tests per worker, `seeds` seeds each.
pub fn oracle_question(effort: Effort) -> OracleQuestion {
    let (mut planned, mut open) = (Vec::new(), Vec::new());
    for (_, per_worker, made) in literature::all(effort.seeds.max(1)) {
        if per_worker > 300 {
            continue;
        }
        let plan = Prepared::plain(&made.durations).plan(made.shards);
        let (makespan, bound) = (plan.makespan.get(), plan.lower_bound.get());
        if makespan > bound {
            open.push(json!({
                "name": made.name, "shards": made.shards, "durations": made.durations,
                "makespan": makespan, "lower_bound": bound,
            }));
        }
        planned.push(Planned { name: made.name, per_worker, makespan, bound });
    }
    // The small ones first: they are proved soonest.
    open.sort_by_key(|instance| instance["durations"].as_array().map_or(0, Vec::len));
    OracleQuestion { planned, instances: Value::Array(open) }
}

/// What is kept of a ratio of tests to workers.
#[derive(Clone, Copy, Default)]
struct Row {
    count: usize,
    by_bound: usize,
    by_oracle: usize,
    open: usize,
    /// Sums over those whose optimum is known.
    excess: f64,
    worst: f64,
    /// The same over those that are open, against what is proved.
    open_excess: f64,
    solver: f64,
    solved: usize,
}

/// The section of the oracle's answers. Where an optimum stayed open, the excess is counted apart,
/// against what is proved, so that it is never said too small.
///
/// # Errors
/// Where the document is not of schema `rasher.oracle/1`: what is missing, in words.
pub fn oracle_section(question: &OracleQuestion, answers: &Value) -> Result<Measured, String> {
    if answers["schema"] != "rasher.oracle/1" {
        return Err(format!("schema is {}, not `rasher.oracle/1`", answers["schema"]));
    }
    let rows = answers["answers"].as_array().ok_or("`answers` is not a list")?;
    let mut found = Measured::new(
        "oracle",
        "Set B at two to three tests per worker: plans beside the optimum that HiGHS proves with an arc-flow model, and CP-SAT from nothing",
        &[
            "tests / worker",
            "instances",
            "proved by own bound",
            "optimum proved by HiGHS",
            "open",
            "mean excess over a known optimum",
            "worst",
            "open ones: mean excess at most",
            "CP-SAT: mean excess of the same plans",
        ],
    );
    let mut table = [Row::default(); PER_WORKER.len()];
    for plan in &question.planned {
        let row = &mut table[PER_WORKER.iter().position(|p| *p == plan.per_worker).unwrap_or(0)];
        row.count += 1;
        if plan.makespan == plan.bound {
            row.by_bound += 1;
            continue;
        }
        let answer = rows.iter().find(|answer| answer["name"] == plan.name.as_str());
        let answer = answer.ok_or_else(|| format!("`{}` has no answer", plan.name))?;
        let low = answer["low"].as_u64().ok_or("an answer has no `low`")?.max(plan.bound);
        let proved = answer["high"].as_u64() == Some(low);
        *(if proved { &mut row.by_oracle } else { &mut row.open }) += 1;
        let over = |makespan: u64| (makespan as f64 - low as f64) / low as f64;
        if proved {
            row.excess += over(plan.makespan);
            row.worst = row.worst.max(over(plan.makespan));
        } else {
            row.open_excess += over(plan.makespan);
        }
        if let Some(makespan) = answer["cp_sat"].as_u64() {
            row.solver += over(makespan);
            row.solved += 1;
        }
    }
    let mut all = Row::default();
    for (per_worker, row) in PER_WORKER.into_iter().zip(&table).filter(|(_, row)| row.count > 0) {
        found.row(row.cells(per_worker as f64 / 100.0));
        all.count += row.count;
        all.excess += row.excess;
        all.open += row.open;
    }
    let known = all.count - all.open;
    let mean = all.excess / known.max(1) as f64;
    let what = format!(
        "set B, n/m 2 to 3: mean excess over the optimum, where it is known ({known} of {})",
        all.count
    );
    found.target(Target::at_most("T6", &what, 0.0005, mean));
    Ok(found)
}

impl Row {
    fn cells(&self, per_worker: f64) -> Vec<Value> {
        vec![
            json!(per_worker),
            json!(self.count),
            json!(self.by_bound),
            json!(self.by_oracle),
            json!(self.open),
            json!(self.excess / (self.count - self.open).max(1) as f64),
            json!(self.worst),
            if self.open == 0 { Value::Null } else { json!(self.open_excess / self.open as f64) },
            if self.solved == 0 { Value::Null } else { json!(self.solver / self.solved as f64) },
        ]
    }
}
