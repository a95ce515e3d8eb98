//! Draws from the distributions that the corpora and instance sets need, from one seeded stream.
//!
//! Decides how a seed becomes numbers; never reads entropy. The functions come from `libm` and not
//! from the system, so that the same seed gives the same bits on every machine.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// A seeded stream of draws.
///
/// ```
/// use rasher_bench::draw::Draw;
/// let (mut one, mut two) = (Draw::new(7, "words"), Draw::new(7, "words"));
/// assert_eq!(one.below(1_000), two.below(1_000));
/// ```
#[derive(Debug)]
pub struct Draw {
    rng: ChaCha8Rng,
}

impl Draw {
    /// The stream `name` of `seed`; streams of different names are independent.
    pub fn new(seed: u64, name: &str) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&fnv1a(name).to_le_bytes());
        Self { rng: ChaCha8Rng::from_seed(key) }
    }

    /// A whole number from 0 to `end` - 1; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.rng.random_range(0..end) }
    }

    /// A whole number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.rng.random_range(low..=high.max(low))
    }

    /// An element of a list that is not empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// True with probability `share`.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.rng.random()
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.unit())
    }

    /// Log-normal with median 1 and `sigma` on the log scale.
    pub fn log_normal(&mut self, sigma: f64) -> f64 {
        libm::exp(sigma * self.normal())
    }

    /// Pareto from 1 with tail index `alpha`.
    pub fn pareto(&mut self, alpha: f64) -> f64 {
        libm::pow(1.0 - self.unit(), -1.0 / alpha)
    }

    /// Puts a list in a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(count: usize, mut draw: impl FnMut() -> f64) -> f64 {
        (0..count).map(|_| draw()).sum::<f64>() / count as f64
    }

    #[test]
    fn the_distributions_have_their_known_means() {
        let mut draw = Draw::new(1, "means");
        let close = |found: f64, wanted: f64| {
            assert!((found - wanted).abs() < 0.05 * wanted.max(1.0), "{found} is not {wanted}");
        };
        close(mean(40_000, || draw.unit()), 0.5);
        close(mean(40_000, || draw.normal()), 0.0);
        close(mean(40_000, || draw.exponential()), 1.0);
        close(mean(40_000, || draw.log_normal(0.5)), libm::exp(0.125));
        close(mean(40_000, || draw.pareto(3.0)), 1.5);
    }

    #[test]
    fn a_seed_gives_the_same_bits_on_every_machine() {
        let mut draw = Draw::new(42, "bits");
        let bits = [draw.normal(), draw.exponential(), draw.pareto(1.2)].map(f64::to_bits);
        assert_eq!(bits, PINNED, "{bits:#x?}");
    }

    const PINNED: [u64; 3] = [0xbfdf_a11e_9051_ab5c, 0x3ff4_8c9f_06c3_1836, 0x3ffb_3497_e9d3_8cba];

    #[test]
    fn a_shuffle_keeps_every_element() {
        let mut list: Vec<u32> = (0..100).collect();
        Draw::new(3, "shuffle").shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }
}
