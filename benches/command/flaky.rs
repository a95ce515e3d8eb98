//! F1 to F11: flakiness scores and run verdicts on made histories whose truth is known.

use rasher::flake::{Filter, FlakeOptions, Seen};
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use crate::measure::time;
use crate::simulate::{World, policy_table, scoring_table};

/// Scores of every detector on the base world, and the time of one update.
pub(super) fn scores(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "flaky",
        "Which tests are flaky: every detector on the same made histories, sick runs left out",
        &[
            "detector",
            "AUC",
            "average precision",
            "precision at 100",
            "recall at 0.1 % false flags",
            "keeps of each test",
        ],
    );
    let Some(base) = World::scoring().into_iter().next() else { return found };
    let table = scoring_table(&base, 1..=effort.seeds);
    for row in &table.rows {
        found.row(vec![
            json!(row.detector),
            json!(row.gated.auc),
            json!(row.gated.average_precision),
            json!(row.gated.precision_100),
            json!(row.gated.recall),
            json!(row.memory),
        ]);
    }
    if let Some(own) = table.rows.iter().rfind(|row| row.detector.starts_with("filter, E")) {
        let ranking = &own.gated;
        found.target(Target::at_least("F1", "flaky tests found: AUC", 0.975, ranking.auc));
        found.target(Target::at_least("F1", "average precision", 0.92, ranking.average_precision));
        found.target(Target::at_least("F1", "recall at 0.1 % false flags", 0.88, ranking.recall));
        found.target(Target::at_least("F2", "precision at 100", 0.99, ranking.precision_100));
        let (half, most) = own.failures_until_flagged;
        found.target(Target::at_most("F3", "own failures until flagged, median", 1.0, half));
        found.target(Target::at_most("F3", "own failures until flagged, 90 %", 6.0, most));
    }
    let constant = 100.0 * table.coverage.1;
    found.target(Target::at_least(
        "F4",
        "coverage of the 90 % interval, constant rate, %",
        88.0,
        constant,
    ));
    found.target(Target::at_most(
        "F4",
        "coverage of the 90 % interval, constant rate, %",
        97.0,
        constant,
    ));
    found.target(Target::at_least("F5", "broken told from flaky: AUC", 0.99, table.broken.1));
    found.target(Target::at_most(
        "F5",
        "broken told from flaky: Brier score",
        0.02,
        table.broken.2,
    ));
    let update = update_ms(effort);
    found.target(Target::at_most("F11", "one update of 45,000 tests, ms", 0.5, update));
    found
}

/// One update of 45,000 tests of which 200 failed, in milliseconds: the minimum of the rounds.
fn update_ms(effort: Effort) -> f64 {
    let mut filter = Filter::new(FlakeOptions::default());
    for test in 0..45_000_u32 {
        filter.add((test % 3) as u8);
    }
    let mut first = vec![Seen::Passed; 45_000];
    for failed in first.iter_mut().step_by(225) {
        *failed = Seen::Failed;
    }
    let rounds = 3 * effort.rounds.max(3);
    let best = (0..rounds).map(|_| time(|| filter.update(&first, &[], true))).min();
    best.unwrap_or_default().as_secs_f64() * 1e3
}

/// Worlds of branch runs with the demand on wrong verdicts, in per cent.
const WORLDS: [(&str, f64); 3] = [("base", 1.0), ("haben", 1.0), ("calm", 0.5)];
/// Branch runs of each seed.
const RUNS: u32 = 1_000;

/// Run verdicts by every published rule and by Rasher's.
pub(super) fn verdicts(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "verdicts",
        "Which red runs are to blame on the change: every rule on the same made branch runs, in per cent",
        &[
            "world",
            "rule",
            "wrong verdicts, %",
            "deterministic breakages missed, %",
            "extra machine time, %",
            "disturbed runs blamed on the change, %",
        ],
    );
    for (name, wrong_max) in WORLDS {
        let Some(world) = World::branch().into_iter().find(|world| world.name == name) else {
            continue;
        };
        let table = policy_table(&world, 1..=effort.seeds, RUNS);
        for row in &table.rows {
            let extra = 100.0 * row.seconds / table.suite_seconds;
            found.row(vec![
                json!(name),
                json!(row.policy),
                json!(100.0 * row.wrong),
                json!(100.0 * row.missed.0),
                json!(extra),
                json!(100.0 * row.disturbed_blocked),
            ]);
            if row.policy != "rule" {
                continue;
            }
            let demand = |what: &str| format!("{name} world: {what}, %");
            let wrong =
                Target::at_most("F6", &demand("wrong verdicts"), wrong_max, 100.0 * row.wrong);
            found.target(wrong);
            let missed = 100.0 * row.missed.0;
            found.target(Target::at_most(
                "F7",
                &demand("deterministic breakages missed"),
                0.5,
                missed,
            ));
            if name == "base" {
                found.target(Target::at_most("F8", &demand("extra machine time"), 0.7, extra));
            }
        }
    }
    found
}
