//! How far a prediction may be trusted.
//!
//! Decides, from how past runs ended against what was predicted for them, by what factor a
//! prediction must be stretched to hold with a wanted probability. Never assumes a distribution:
//! the factor is an order statistic of the past (split conformal prediction: Vovk, Gammerman and
//! Shafer 2005), and where the past is too short for that it is widened and says so.

/// The newest runs that are looked at: levels drift, and older runs tell less.
const WINDOW: usize = 60;
/// By how much the longest run seen is widened where there is no history at all.
const UNKNOWN_EXCESS: f64 = 0.5;

/// Real finish over predicted finish of past runs, of one pool and one kind of branch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    sorted: Vec<f64>,
}

/// By what a prediction is stretched, and what that rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor {
    /// The prediction times this holds with the wanted probability.
    pub factor: f64,
    /// The runs it rests on.
    pub runs: usize,
    /// The runs it would need to rest on observation alone.
    pub runs_needed: usize,
}

impl Factor {
    /// The prediction as it stands.
    pub const ONE: Self = Self { factor: 1.0, runs: 0, runs_needed: 0 };

    /// Whether it had to be widened because there are too few runs.
    pub const fn is_widened(&self) -> bool {
        self.runs < self.runs_needed
    }
}

impl Calibration {
    /// From ratios of real to predicted finish, oldest first; the newest 60 count, and what is no
    /// ratio (zero, negative, not finite) is left out.
    pub fn new(ratios: &[f64]) -> Self {
        let good = ratios.iter().rev().copied().filter(|r| r.is_finite() && *r > 0.0);
        let mut sorted: Vec<f64> = good.take(WINDOW).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self { sorted }
    }

    /// The runs it rests on.
    pub fn runs(&self) -> usize {
        self.sorted.len()
    }

    /// The factor that holds with probability `confidence` for the next run, if it is like the
    /// past ones.
    ///
    /// Of n past ratios the ⌈(n+1)·confidence⌉th smallest. With fewer than confidence/(1-confidence)
    /// runs there is no such one: then the largest, widened by up to 0.5 in proportion to
    /// what is missing.
    ///
    /// ```
    /// use rasher::budget::Calibration;
    /// let steady = Calibration::new(&[1.1; 40]);
    /// assert_eq!(steady.factor(0.95).factor, 1.1);
    /// let short = Calibration::new(&[1.1; 10]).factor(0.95);
    /// assert!(short.is_widened() && short.factor > 1.1);
    /// ```
    pub fn factor(&self, confidence: f64) -> Factor {
        let share = confidence.clamp(0.0, 0.999_999);
        let runs = self.sorted.len();
        // A hair less, so that 0.95 of 20 is the 19th and not the 20th.
        let rank = |n: usize| ((n as f64 * share - 1e-9).ceil() as usize).max(1);
        let runs_needed = (share / (1.0 - share) - 1e-9).ceil().max(0.0) as usize;
        let at = rank(runs + 1);
        let factor = match self.sorted.get(at - 1) {
            Some(ratio) => *ratio,
            None => {
                let missing = 1.0 - runs as f64 / runs_needed.max(1) as f64;
                self.sorted.last().map_or(1.0, |r| r.max(1.0)) + UNKNOWN_EXCESS * missing.max(0.0)
            }
        };
        Factor { factor, runs, runs_needed }
    }

    /// The probability that a run ends within `allowed` times its prediction; `None` without runs.
    ///
    /// Of n past runs k did: (k + ½)/(n + 1), which is never certain in either direction.
    pub fn p_meet(&self, allowed: f64) -> Option<f64> {
        let runs = self.sorted.len();
        let within = self.sorted.partition_point(|r| *r <= allowed);
        (runs > 0).then(|| (within as f64 + 0.5) / (runs as f64 + 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_is_the_order_statistic_of_conformal_prediction() {
        let ratios: Vec<f64> = (1..=39).map(f64::from).collect();
        // ⌈40 · 0.95⌉ = 38.
        assert_eq!(Calibration::new(&ratios).factor(0.95).factor, 38.0);
        assert_eq!(Calibration::new(&ratios[..19]).factor(0.95).factor, 19.0);
        assert!(!Calibration::new(&ratios[..19]).factor(0.95).is_widened());
        assert!(Calibration::new(&ratios[..18]).factor(0.95).is_widened());
    }

    #[test]
    fn a_shorter_history_never_narrows_the_promise() {
        let mut last = f64::INFINITY;
        for runs in 0..19 {
            let factor = Calibration::new(&vec![1.0; runs]).factor(0.95).factor;
            assert!(factor < last, "{runs} runs");
            last = factor;
        }
        assert_eq!(Calibration::default().factor(0.95).factor, 1.5);
    }

    #[test]
    fn only_the_newest_runs_and_only_ratios_count() {
        let mut ratios = vec![9.0; 100];
        ratios.extend([1.0; 60]);
        ratios.extend([f64::NAN, -1.0, 0.0, f64::INFINITY]);
        let newest = Calibration::new(&ratios);
        assert_eq!((newest.runs(), newest.factor(0.95).factor), (60, 1.0));
    }

    #[test]
    fn the_chance_is_counted_and_never_certain() {
        let past = Calibration::new(&[1.0, 1.1, 1.2, 1.3]);
        assert_eq!(past.p_meet(1.15), Some(0.5));
        assert_eq!(past.p_meet(9.0), Some(0.9));
        assert_eq!(past.p_meet(0.1), Some(0.1));
        assert_eq!(Calibration::default().p_meet(1.0), None);
    }
}
