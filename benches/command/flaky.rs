//! F1 to F12: flakiness scores and run verdicts on made histories whose truth is known.

use rasher::flake::{Filter, FlakeOptions, Seen};
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use crate::measure::time;
use crate::simulate::{
    PolicyTable, ScoringTable, World, policy_table, scoring_table, verdict_cost,
};

/// The demands are on the mean of seeds 1 to 6; fewer would be told by the luck of one base.
const SEEDS: u64 = 6;

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
    let table = scoring_table(&base, 1..=effort.seeds.max(SEEDS));
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
    // What no score of single tests exceeds but by luck: only tests that failed can be found.
    found.row(vec![
        json!("flaky tests that had failed by then"),
        json!(null),
        json!(null),
        json!(null),
        json!(table.ever_failed),
        json!("truth"),
    ]);
    beside(&mut found, &table);
    let off = 100.0 * table.miscalibration();
    found.target(Target::at_most("F4", "expected rate off in its decade, at worst, %", 15.0, off));
    let constant = 100.0 * table.coverage.1;
    let what = "coverage of the 90 % interval, constant rate, %";
    found.target(Target::at_least("F4", what, 88.0, constant));
    found.target(Target::at_most("F4", what, 97.0, constant));
    let (area, brier) = (table.broken.1, table.broken.2);
    found.target(Target::at_least("F5", "broken told from flaky: AUC", 0.99, area));
    found.target(Target::at_most("F5", "broken told from flaky: Brier score", 0.02, brier));
    let cost = verdict_cost(45_000);
    let update = cost.update_us.min(1e3 * update_ms(effort)) / 1e3;
    found.target(Target::at_most("F11", "one update of 45,000 tests, ms", 0.5, update));
    let ratio = cost.update_us / cost.sort_us;
    found.target(Target::at_most("F11", "the same over sorting as many numbers", 1.0, ratio));
    let bytes = cost.bytes_per_test as f64;
    found.target(Target::at_most("F11", "bytes kept of a test", 128.0, bytes));
    let load = cost.load_us / 1e3;
    found.target(Target::at_most("F11", "scores of 45,000 tests from their bytes, ms", 10.0, load));
    let verdicts = cost.verdicts_us / 1e3;
    found.target(Target::at_most("F12", "verdicts for 200 failures, ms", 1.0, verdicts));
    found
}

/// How far the filter is ahead of the two best detectors.
fn beside(found: &mut Measured, table: &ScoringTable) {
    let precision = |name: &str| {
        let row = table.rows.iter().find(|row| row.detector.starts_with(name));
        row.map_or(f64::NAN, |row| row.gated.average_precision)
    };
    let own = precision("filter, E");
    let ahead = |name: &str| own - precision(name);
    let what = "average precision ahead of LUCI-like";
    found.target(Target::at_least("F1", what, 0.03, ahead("LUCI")));
    let what = "average precision ahead of PFS-like";
    found.target(Target::at_least("F1", what, 0.05, ahead("PFS")));
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
const WORLDS: [(&str, f64); 5] =
    [("base", 1.0), ("haben", 1.0), ("managed", 1.0), ("corr", 2.5), ("calm", 0.5)];
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
            "P(real): loss, bits a failure",
            "P(real): off by, %",
        ],
    );
    let mut outages = (0, 0);
    for (name, wrong_max) in WORLDS {
        let Some(world) = World::branch().into_iter().find(|world| world.name == name) else {
            continue;
        };
        let table = policy_table(&world, 1..=effort.seeds.max(SEEDS), RUNS);
        for row in &table.rows {
            let believed = &row.tally.calibration;
            let of_belief = |value: f64| (believed.count() > 0).then(|| json!(value));
            found.row(vec![
                json!(name),
                json!(row.policy),
                json!(100.0 * row.wrong),
                json!(100.0 * row.missed.0),
                json!(100.0 * row.seconds / table.suite_seconds),
                json!(100.0 * row.disturbed_blocked),
                of_belief(believed.loss_bits()).unwrap_or_default(),
                of_belief(100.0 * believed.error()).unwrap_or_default(),
            ]);
        }
        judge(&mut found, &table, wrong_max);
        if let Some(rule) = table.rows.last() {
            outages.0 += rule.tally.outages.0;
            outages.1 += rule.tally.outages.1;
        }
    }
    let called = 100.0 * f64::from(outages.1) / f64::from(outages.0.max(1));
    found.target(Target::at_least("F9", "outages called environment, %", 95.0, called));
    found
}

/// The targets of one world.
fn judge(found: &mut Measured, table: &PolicyTable, wrong_max: f64) {
    let Some(rule) = table.rows.iter().find(|row| row.policy == "rule") else { return };
    let name = table.world;
    let demand = |what: &str| format!("{name} world: {what}");
    let wrong = 100.0 * rule.wrong;
    let id = if name == "corr" { "F10" } else { "F6" };
    found.target(Target::at_most(id, &demand("wrong verdicts, %"), wrong_max, wrong));
    let missed = 100.0 * rule.missed.0;
    let what = demand("deterministic breakages missed, %");
    found.target(Target::at_most("F7", &what, 0.5, missed));
    let cores = f64::from(rule.tally.cores.1);
    let what = demand("core breakages called environment");
    found.target(Target::at_most("F9", &what, 0.0, cores));
    if name != "base" {
        return;
    }
    let extra = 100.0 * rule.seconds / table.suite_seconds;
    found.target(Target::at_most("F8", &demand("extra machine time, %"), 0.7, extra));
    if let Some(fixed) = table.rows.iter().find(|row| row.policy == "fixed 2") {
        let what = demand("extra machine time over that of two fixed retries");
        found.target(Target::at_most("F8", &what, 0.25, rule.seconds / fixed.seconds));
    }
    let probed = f64::from(rule.tally.probe_executions);
    found.target(Target::at_most("F9", &demand("executions before a probe is read"), 20.0, probed));
    let rings = 100.0 * table.alarm_share.1;
    let what = demand("share of the suite until the alarm rings, 90 %, %");
    found.target(Target::at_most("F9", &what, 1.0, rings));
}
