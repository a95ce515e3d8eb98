//! Workload and budget to shards, with the bound that proves how good they are.

pub mod document;
