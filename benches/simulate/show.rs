//! The tables as text.

use std::fmt;

use super::branch::CAUSES;
use super::judging::PolicyTable;
use super::scoring::ScoringTable;

/// The rules whose time is told by cause.
const BILLED: [&str; 4] = ["fixed 2", "rule, no flags", "rule, all doubts settled", "rule"];

/// The rules whose beliefs are held against the truth.
const BELIEVED: [&str; 2] = ["rule, all doubts settled", "rule"];

impl fmt::Display for ScoringTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "world {}", self.world)?;
        writeln!(
            f,
            "{:<28}{:>9}{:>9}{:>7}{:>9}{:>8}{:>13}  memory",
            "detector", "AUC all", "AUC", "AP", "prec@100", "recall", "fails 50/90%"
        )?;
        for row in &self.rows {
            let (half, most) = row.failures_until_flagged;
            let times = |n: f64| if n.is_finite() { format!("{n:.0}") } else { "-".to_owned() };
            writeln!(
                f,
                "{:<28}{:>9.3}{:>9.3}{:>7.3}{:>9.3}{:>8.3}{:>13}  {}",
                row.detector,
                row.ungated_auc,
                row.gated.auc,
                row.gated.average_precision,
                row.gated.precision_100,
                row.gated.recall,
                format!("{} / {}", times(half), times(most)),
                row.memory
            )?;
        }
        for (from, expected, real, count) in &self.calibration {
            writeln!(f, "  E[p] from {from}: mean {expected:.5}, true {real:.5}, {count} tests")?;
        }
        writeln!(f, "  worst decade from 0.003 on: {:.1}% off", 100.0 * self.miscalibration())?;
        writeln!(f, "  of the flaky tests {:.1}% had failed by then", 100.0 * self.ever_failed)?;
        let (all, same) = self.coverage;
        writeln!(
            f,
            "  90% interval covers {:.1}%, constant rates {:.1}%",
            100.0 * all,
            100.0 * same
        )?;
        let (count, area, brier) = self.broken;
        writeln!(f, "  failed twice: {count} events, P(broken) AUC {area:.4}, Brier {brier:.4}")
    }
}

impl fmt::Display for PolicyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most) = self.alarm_share;
        writeln!(
            f,
            "world {}: the suite takes {:.0} s; {:.0} tests fail in the median run; learned rho \
             {:.2?}; in an outage the alarm rings after {:.2}% of the suite, 90% within {:.2}%; too \
             early in {} of {} calm runs",
            self.world,
            self.suite_seconds,
            self.failing,
            self.correlation,
            100.0 * half,
            100.0 * most,
            self.early_alarms.1,
            self.early_alarms.0
        )?;
        writeln!(
            f,
            "{:<26}{:>8}{:>8}{:>9}{:>9}{:>9}{:>11}{:>10}",
            "policy", "s/run", "wrong%", "blocked%", "missD%", "missP%", "disturb s", "blamed%"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:<26}{:>8.0}{:>8.2}{:>9.2}{:>9.2}{:>9.1}{:>11.0}{:>10.1}",
                row.policy,
                row.seconds,
                100.0 * row.wrong,
                100.0 * row.clean_blocked,
                100.0 * row.missed.0,
                100.0 * row.missed.1,
                row.disturbed_seconds,
                100.0 * row.disturbed_blocked
            )?;
        }
        for row in self.rows.iter().filter(|row| BILLED.contains(&row.policy)) {
            write!(f, "  seconds of {} a run by cause:", row.policy)?;
            for (cause, seconds) in CAUSES.iter().zip(row.tally.bill) {
                write!(f, " {cause} {:.0}", seconds / f64::from(row.tally.runs.max(1)))?;
            }
            writeln!(f)?;
        }
        for row in self.rows.iter().filter(|row| BELIEVED.contains(&row.policy)) {
            writeln!(f, "  P(real) of {}: {}", row.policy, row.tally.calibration)?;
        }
        let Some(tally) = self.rows.last().map(|row| row.tally) else { return Ok(()) };
        writeln!(
            f,
            "  rule: outages called environment {} of {}, core breakages {} of {}, clean runs {} of \
             {}; at most {} executions before a probe is read; visible breakages {} + {}",
            tally.outages.1,
            tally.outages.0,
            tally.cores.1,
            tally.cores.0,
            tally.clean_environment,
            tally.clean.0,
            tally.probe_executions,
            tally.deterministic.0,
            tally.partial.0
        )
    }
}
