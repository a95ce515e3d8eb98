//! Instance sets: workloads made from a seed, on which the targets are measured.
//!
//! Decides what is measured on, and nothing about planning. The sets are those of the literature
//! and of what test suites look like: [`balance`] (set A), [`literature`] (set B), [`families`]
//! (set C) and [`constrained`] (set E). Durations are whole microseconds, but for set B, whose
//! classes are defined on small integers.

pub mod balance;
pub mod literature;
pub mod families;
pub mod constrained;

/// Durations to be spread over workers.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Family, number of tests and shards, and seed: unique in its set.
    pub name: String,
    /// How many workers.
    pub shards: usize,
    /// The duration of each test.
    pub durations: Vec<u64>,
    /// The best possible makespan, where the instance was made so that it is known.
    pub optimum: Option<u64>,
}

impl Instance {
    /// Tests per worker.
    pub fn tests_per_shard(&self) -> f64 {
        self.durations.len() as f64 / self.shards as f64
    }
}

#[cfg(test)]
mod tests;
