//! The tables as text.

use std::fmt;

use super::scoring::ScoringTable;

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
