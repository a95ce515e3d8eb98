#![forbid(unsafe_code)]
//! Seeded corpora, instance sets, an independent checker of plans and the benchmarking command.
//!
//! Everything here is made from a seed: no figure rests on a file that only one machine has.

pub mod draw;
pub mod corpus;
pub mod suite;
pub mod simulate;
pub mod instances;
pub mod textbook;
pub mod checker;
pub mod measure;
pub mod command;
