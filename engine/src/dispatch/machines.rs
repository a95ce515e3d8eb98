//! Workers as they come: late by chance, and not all of one speed.
//!
//! Decides start and speed of each worker from a seed. Never more random than that: the same seed
//! gives the same workers on every machine.

use crate::units::Micros;

/// One worker of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worker {
    /// When it can begin its first test, from the request.
    pub ready: Micros,
    /// Its speed relative to the workers that history was measured on.
    pub speed: f64,
}

/// How workers come up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machines {
    /// Usual time from the request to the first test.
    pub startup: Micros,
    /// Standard deviation of that time, as a share of it.
    pub startup_spread: f64,
    /// Standard deviation of the speed around 1.
    pub speed_spread: f64,
    /// Where chance begins.
    pub seed: u64,
}

impl Machines {
    /// Workers that are ready at once and all alike.
    pub const EQUAL: Self =
        Self { startup: Micros::ZERO, startup_spread: 0.0, speed_spread: 0.0, seed: 0 };

    /// The workers of one run: the first ones are the same however many are asked for.
    ///
    /// ```
    /// use rasher::dispatch::Machines;
    /// let noisy = Machines { speed_spread: 0.1, ..Machines::EQUAL };
    /// assert_eq!(noisy.workers(5, 3)[..], noisy.workers(5, 9)[..3]);
    /// assert!(Machines::EQUAL.workers(5, 2).iter().all(|w| w.speed == 1.0));
    /// ```
    pub fn workers(&self, run: u64, count: u32) -> Vec<Worker> {
        (0..u64::from(count))
            .map(|worker| {
                let mut chance = Chance(mix(self.seed ^ mix(run)) ^ mix(worker.wrapping_add(1)));
                let late = 1.0 + self.startup_spread * chance.normal();
                let speed = 1.0 + self.speed_spread * chance.normal();
                Worker { ready: self.startup.scale(late.max(0.0)), speed: speed.max(0.1) }
            })
            .collect()
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Chance(u64);

fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Chance {
    /// From 0 to below 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mix(self.0) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The sum of twelve uniforms less six: mean 0, deviation 1, and no function of a system's
    /// mathematics library, whose last bit differs between systems.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_differ_as_much_as_was_asked_for() {
        let noisy = Machines {
            startup: Micros::from_secs(100),
            startup_spread: 0.1,
            speed_spread: 0.2,
            seed: 7,
        };
        let workers = noisy.workers(1, 20_000);
        let speeds: Vec<f64> = workers.iter().map(|w| w.speed).collect();
        let readies: Vec<f64> = workers.iter().map(|w| w.ready.as_secs_f64() / 100.0).collect();
        for (values, wanted) in [(speeds, 0.2), (readies, 0.1)] {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
            let deviation = (variance / values.len() as f64).sqrt();
            assert!((mean - 1.0).abs() < 0.01, "mean {mean}");
            assert!((deviation - wanted).abs() < 0.01, "deviation {deviation}");
        }
        assert_ne!(noisy.workers(1, 5), noisy.workers(2, 5));
    }
}
