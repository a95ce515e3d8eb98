//! Whether probabilities keep their word: of the failures that are said to be the commit's with so
//! much probability, how many are.

use std::fmt;

/// Upper ends of the bins.
const ENDS: [f64; 7] = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0];

/// Nothing is thought to be more certain than this: one wrong certainty would be all of the loss.
const SURE: f64 = 1e-6;

/// Probabilities beside the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration {
    bins: [Bin; ENDS.len()],
    loss_bits: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    count: u32,
    sum: f64,
    real: u32,
}

impl Calibration {
    /// Notes what was believed of one failure, and whether it was so.
    pub fn note(&mut self, believed: f64, real: bool) {
        let at = ENDS.iter().position(|end| believed <= *end).unwrap_or(ENDS.len() - 1);
        let bin = &mut self.bins[at];
        bin.count += 1;
        bin.sum += believed;
        bin.real += u32::from(real);
        let right = if real { believed } else { 1.0 - believed };
        self.loss_bits -= right.clamp(SURE, 1.0 - SURE).log2();
    }

    /// How many failures there were.
    pub fn count(&self) -> u32 {
        self.bins.iter().map(|bin| bin.count).sum()
    }

    /// Bits of surprise a failure, the mean: 0 where all is known, 1 for a coin.
    pub fn loss_bits(&self) -> f64 {
        self.loss_bits / f64::from(self.count().max(1))
    }

    /// By how much what is believed misses what is so, the mean over all failures by their bins.
    pub fn error(&self) -> f64 {
        let off = self.bins.iter().map(|bin| (bin.sum - f64::from(bin.real)).abs());
        off.sum::<f64>() / f64::from(self.count().max(1))
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4} bits a failure, off by {:.3}%:", self.loss_bits(), 100.0 * self.error())?;
        for (end, bin) in ENDS.iter().zip(&self.bins).filter(|(_, bin)| bin.count > 0) {
            let of = |sum: f64| 100.0 * sum / f64::from(bin.count);
            let (said, is) = (of(bin.sum), of(f64::from(bin.real)));
            write!(f, "  ≤{end} {} said {said:.3}% is {is:.3}%", bin.count)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_what_is_so_is_not_off_and_a_coin_costs_a_bit() {
        let mut coin = Calibration::default();
        let mut liar = Calibration::default();
        for turn in 0..10 {
            coin.note(0.5, turn % 2 == 0);
            liar.note(0.9, turn == 0);
        }
        assert_eq!((coin.count(), coin.loss_bits()), (10, 1.0));
        assert!(coin.error() < 1e-12 && (liar.error() - 0.8).abs() < 1e-12);
        assert!(liar.loss_bits() > 2.0);
        // One certainty that was wrong costs much, and not everything.
        let mut sure = Calibration::default();
        sure.note(1.0, false);
        assert!((19.0..21.0).contains(&sure.loss_bits()));
    }
}
