//! How well scores tell positives from negatives.

/// One test at one time: its score, and whether it is flaky then.
#[derive(Clone, Copy, Debug)]
pub struct Rated {
    /// The higher, the flakier.
    pub score: f64,
    /// The truth.
    pub flaky: bool,
    /// True where the test was never flaky: false flags are counted among these.
    pub never: bool,
}

/// The measures of one ranking.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ranking {
    /// Area under the receiver operating characteristic; ties count half.
    pub auc: f64,
    /// Average precision; ties share their precision.
    pub average_precision: f64,
    /// Share of flaky tests among the hundred highest.
    pub precision_100: f64,
    /// Share of flaky tests above the threshold that flags one in a thousand of the never flaky.
    pub recall: f64,
    /// That threshold.
    pub threshold: f64,
}

/// Measures a ranking. O(n log n).
pub fn measure(mut rated: Vec<Rated>) -> Ranking {
    rated.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    let flaky = rated.iter().filter(|r| r.flaky).count() as f64;
    let sound = rated.len() as f64 - flaky;
    let (mut hits, mut misses, mut area, mut precision, mut first_100) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let mut at = 0;
    while at < rated.len() {
        let tied = rated[at..].iter().take_while(|r| r.score == rated[at].score).count();
        let new_hits = rated[at..at + tied].iter().filter(|r| r.flaky).count() as f64;
        let new_misses = tied as f64 - new_hits;
        area += new_misses * (hits + 0.5 * new_hits);
        hits += new_hits;
        misses += new_misses;
        precision += new_hits * hits / (hits + misses);
        let within = (100.0 - at as f64).clamp(0.0, tied as f64);
        first_100 += within * new_hits / tied as f64;
        at += tied;
    }
    let threshold = false_flag_threshold(&rated);
    let found = rated.iter().filter(|r| r.flaky && r.score > threshold).count() as f64;
    Ranking {
        auc: area / (flaky * sound),
        average_precision: precision / flaky,
        precision_100: first_100 / 100.0_f64.min(rated.len() as f64),
        recall: found / flaky,
        threshold,
    }
}

/// The score that at most one in a thousand of the never flaky exceed.
fn false_flag_threshold(sorted: &[Rated]) -> f64 {
    let never: Vec<f64> = sorted.iter().filter(|r| r.never).map(|r| r.score).collect();
    never.get(never.len() / 1_000).copied().unwrap_or(0.0)
}

/// The quantile `q` of values; infinite values are those that never came.
pub fn quantile(values: &mut [f64], q: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * q).round() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(score: f64, flaky: bool) -> Rated {
        Rated { score, flaky, never: !flaky }
    }

    #[test]
    fn a_perfect_ranking_and_a_blind_one() {
        let perfect = measure(vec![rated(0.9, true), rated(0.8, true), rated(0.1, false)]);
        assert_eq!((perfect.auc, perfect.average_precision, perfect.recall), (1.0, 1.0, 1.0));
        let blind = measure(vec![rated(0.5, true), rated(0.5, false), rated(0.5, false)]);
        assert_eq!((blind.auc, blind.recall), (0.5, 0.0));
        assert!((blind.average_precision - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_area_is_the_share_of_pairs_in_order() {
        let list = vec![rated(4.0, true), rated(3.0, false), rated(2.0, true), rated(1.0, false)];
        assert_eq!(measure(list).auc, 0.75);
    }
}
