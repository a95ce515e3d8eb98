//! How far a prediction may be trusted.
//!
//! Decides, from how past runs ended against what was predicted for them, by what factor a
//! prediction must be stretched to hold with a wanted probability. Never assumes a distribution:
//! the factor is an order statistic of the past (split conformal prediction: Vovk, Gammerman and
//! Shafer 2005), and where the past is too short for that it is widened and says so.

use super::size::Sizing;

/// The newest runs that a factor is taken from: levels drift, and older runs tell less.
const WINDOW: usize = 60;
/// By how much a promise that was kept or broken moves the rank of the next factor.
const STEP: f64 = 0.05;
/// The rank never moves further from the wanted one than this.
const MISS_MAX: f64 = 0.3;
/// By how much the longest run seen is widened where there is no history at all.
const UNKNOWN_EXCESS: f64 = 0.5;

/// Real finish over predicted finish of past runs, of one pool and one kind of branch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    /// Oldest first.
    ratios: Vec<f64>,
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
    /// From ratios of real to predicted finish, oldest first; what is no ratio (zero, negative,
    /// not finite) is left out.
    pub fn new(ratios: &[f64]) -> Self {
        let good = ratios.iter().copied().filter(|r| r.is_finite() && *r > 0.0);
        Self { ratios: good.collect() }
    }

    /// The runs that a factor is taken from: at most the newest 60.
    pub fn runs(&self) -> usize {
        self.ratios.len().min(WINDOW)
    }

    /// The factor that holds with probability `confidence` for the next run, if it is like the
    /// past ones.
    ///
    /// Of the newest n ratios the ⌈(n+1)·confidence⌉th smallest, where the rank is moved by how
    /// often the same promise was broken in the past (adaptive conformal inference: Gibbs and
    /// Candès 2021). With fewer than confidence/(1-confidence) runs there is no such ratio: then
    /// the largest, widened by up to 0.5 in proportion to what is missing.
    ///
    /// O(n) windows of 60 ratios, each sorted.
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
        // A hair less, so that a whole number is not rounded up to the next.
        let runs_needed = (share / (1.0 - share) - 1e-9).ceil() as usize;
        let mut miss = 1.0 - share;
        for at in runs_needed..self.ratios.len() {
            let broken = self.ratios[at] > self.before(at, 1.0 - miss, runs_needed);
            let moved = miss + STEP * ((1.0 - share) - f64::from(u8::from(broken)));
            miss = moved.clamp(0.0, MISS_MAX.max(1.0 - share));
        }
        let factor = self.before(self.ratios.len(), 1.0 - miss, runs_needed);
        Factor { factor, runs: self.runs(), runs_needed }
    }

    /// The factor from the runs before `at`.
    fn before(&self, at: usize, share: f64, runs_needed: usize) -> f64 {
        let mut newest = self.ratios[at.saturating_sub(WINDOW)..at].to_vec();
        newest.sort_unstable_by(f64::total_cmp);
        let runs = newest.len();
        if runs < runs_needed.min(WINDOW) || runs == 0 {
            let missing = 1.0 - runs as f64 / runs_needed.max(1) as f64;
            return newest.last().map_or(1.0, |r| r.max(1.0)) + UNKNOWN_EXCESS * missing;
        }
        let rank = ((runs + 1) as f64 * share - 1e-9).ceil() as usize;
        newest[rank.clamp(1, runs) - 1]
    }

    /// The probability that a run ends within `allowed` times its prediction; `None` without runs.
    ///
    /// Of the newest n runs k did: (k + ½)/(n + 1), which is never certain in either direction.
    /// What [`factor`](Self::factor) has learned from broken promises is heeded: where it rests on
    /// enough runs, the answer is on the same side of `confidence` as `allowed` is of the factor.
    pub fn p_meet(&self, allowed: f64, confidence: f64) -> Option<f64> {
        let newest = &self.ratios[self.ratios.len() - self.runs()..];
        let within = newest.iter().filter(|r| **r <= allowed).count();
        let share = (within as f64 + 0.5) / (newest.len() as f64 + 1.0);
        let promised = self.factor(confidence);
        let kept = if promised.is_widened() {
            share
        } else if promised.factor <= allowed {
            share.max(confidence)
        } else {
            share.min(confidence)
        };
        (!newest.is_empty()).then_some(kept)
    }
}

/// The size whose own calibration it meets.
///
/// How far a prediction can be trusted depends on the number of workers, and that number on the
/// trust: sizes are tried from small to large until one agrees with itself. `size` is given a
/// factor and the fewest workers to consider; `calibration` the workers it chose.
pub fn settle(
    confidence: f64,
    calibration: &mut dyn FnMut(u32) -> Calibration,
    size: &mut dyn FnMut(Factor, u32) -> Sizing,
) -> (Sizing, Factor) {
    let mut factor = Factor::ONE;
    let mut found = size(factor, 1);
    for _ in 0..12 {
        let own = calibration(found.workers).factor(confidence);
        if factor.runs_needed > 0 && own.factor <= factor.factor {
            break;
        }
        // Never fewer again: the search only climbs, so it ends.
        let next = size(own, found.workers);
        let settled = next.workers == found.workers;
        (factor, found) = (own, next);
        if settled {
            break;
        }
    }
    (found, factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_is_the_order_statistic_of_conformal_prediction() {
        let ratios: Vec<f64> = (1..=39).map(f64::from).collect();
        // ⌈40 · 0.9⌉ = 36, but every run broke the promise before it: the rank has moved up.
        assert!(Calibration::new(&ratios).factor(0.9).factor > 36.0);
        let falling: Vec<f64> = ratios.iter().rev().copied().collect();
        assert!(Calibration::new(&falling).factor(0.9).factor <= 36.0, "every promise was kept");
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
    fn a_promise_that_fits_is_as_sure_as_it_was_asked_to_be() {
        let falling: Vec<f64> = (1..=40).rev().map(|at| 1.0 + f64::from(at) / 100.0).collect();
        let past = Calibration::new(&falling);
        let promised = past.factor(0.9).factor;
        assert!(past.p_meet(promised, 0.9) >= Some(0.9));
        assert!(past.p_meet(promised - 0.001, 0.9) <= Some(0.9));
        let short = Calibration::new(&falling[..5]);
        assert!(short.p_meet(9.0, 0.95) < Some(0.95), "five runs never prove nineteen of twenty");
    }

    #[test]
    fn only_the_newest_runs_and_only_ratios_count() {
        let mut ratios = vec![9.0; 100];
        ratios.extend([1.0; WINDOW]);
        ratios.extend([f64::NAN, -1.0, 0.0, f64::INFINITY]);
        let newest = Calibration::new(&ratios);
        assert_eq!((newest.runs(), newest.factor(0.95).factor), (WINDOW, 1.0));
    }

    #[test]
    fn a_promise_is_kept_as_often_as_it_says_though_the_level_jumps() {
        // A level that doubles halfway, and noise from a multiplicative generator.
        let mut state = 12_345u64;
        let ratios: Vec<f64> = (0..1_500)
            .map(|at| {
                state = state * 48_271 % 2_147_483_647;
                let noise = state as f64 / 2_147_483_647.0;
                if at < 750 { 1.0 + noise } else { 2.0 + noise }
            })
            .collect();
        let kept = |at: &usize| ratios[*at] <= Calibration::new(&ratios[..*at]).factor(0.9).factor;
        let share = (200..1_500).filter(kept).count() as f64 / 1_300.0;
        assert!((0.88..0.92).contains(&share), "{share}");
    }

    #[test]
    fn the_chance_is_counted_and_never_certain() {
        let past = Calibration::new(&[1.0, 1.1, 1.2, 1.3]);
        assert_eq!(past.p_meet(1.15, 0.5), Some(0.5));
        assert_eq!(past.p_meet(9.0, 0.95), Some(0.9));
        assert_eq!(past.p_meet(0.1, 0.95), Some(0.1));
        assert_eq!(Calibration::default().p_meet(1.0, 0.95), None);
    }
}
