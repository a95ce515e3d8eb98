//! The verbs, one file each: `Flags` (what clap reads) and `run`.

mod doctor;

use crate::fault::{Exit, Fault};
use crate::session::Session;

/// What to do. A new verb is a module, a variant and an arm.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Check the set-up step by step
    Doctor(doctor::Flags),
}

impl Verb {
    /// Does it.
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Fault> {
        match self {
            Self::Doctor(flags) => doctor::run(&flags, session),
        }
    }
}
