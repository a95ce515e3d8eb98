#![forbid(unsafe_code)]
//! Seeded corpora, instance sets and the benchmarking command (to come).
