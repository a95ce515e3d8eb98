//! The verbs, one file each: `Flags` (what clap reads) and `run`.

mod bench;
mod doctor;

use crate::fault::{Exit, Fault};
use crate::session::Session;

/// What to do. A new verb is a module, a variant and an arm.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Measure Rasher beside its peers and against its targets; check a plan
    Bench(Box<bench::Flags>),
    /// Check the set-up step by step
    Doctor(doctor::Flags),
}

impl Verb {
    /// Does it.
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Fault> {
        match self {
            Self::Bench(flags) => bench::run(&flags, session),
            Self::Doctor(flags) => doctor::run(&flags, session),
        }
    }
}
