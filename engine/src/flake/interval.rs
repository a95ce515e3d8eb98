//! Quantiles of the Beta distribution, for the interval of a failure rate.

/// The 5 % and 95 % quantiles of Beta(f + 1/2, n − f + 1/2): Jeffreys' interval for `failures` in
/// `attempts`.
pub(super) fn beta_90(failures: f64, attempts: f64) -> (f64, f64) {
    let a = failures.max(0.0) + 0.5;
    let b = (attempts - failures).max(0.0) + 0.5;
    (quantile(0.05, a, b), quantile(0.95, a, b))
}

/// Bisection: the distribution function is monotone, and sixty halvings reach the last bit.
fn quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle, a, b) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function: the chance of a value below `x`.
fn below(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front =
        (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // The fraction converges fast on one side of the mean; the other side is its mirror.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// Lentz's method for the continued fraction of the incomplete beta function.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let guard = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..300 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        value *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-12 {
            break;
        }
    }
    value
}

/// Lanczos' approximation, good to some 1e-14 for positive arguments.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    for (at, coefficient) in COEFFICIENTS.iter().enumerate() {
        sum += coefficient / (x + at as f64 + 1.0);
    }
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_are_those_of_the_tables() {
        // Beta(1/2, 1/2) is the arcsine law: its quantile is sin²(πp/2).
        let (low, high) = beta_90(0.0, 0.0);
        let arcsine = |p: f64| (std::f64::consts::FRAC_PI_2 * p).sin().powi(2);
        assert!((low - arcsine(0.05)).abs() < 1e-9, "{low}");
        assert!((high - arcsine(0.95)).abs() < 1e-9, "{high}");
        // Beta(1, b) has the quantile 1 − (1 − p)^(1/b).
        assert!((quantile(0.95, 1.0, 40.0) - (1.0 - 0.05_f64.powf(1.0 / 40.0))).abs() < 1e-9);
        assert!((quantile(0.05, 300.0, 1.0) - 0.05_f64.powf(1.0 / 300.0)).abs() < 1e-9);
    }

    #[test]
    fn the_interval_holds_the_observed_share() {
        for (failures, attempts) in [(1.0, 10.0), (50.0, 100.0), (3.5, 480.0), (499.0, 500.0)] {
            let (low, high) = beta_90(failures, attempts);
            assert!(low < failures / attempts && failures / attempts < high);
        }
    }
}
