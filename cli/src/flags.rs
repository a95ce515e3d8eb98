//! The command line, each option defined once. `rasher.toml` takes its keys from here.

use std::path::PathBuf;

use clap::{ColorChoice, Parser};

use crate::verbs::Verb;

/// Splits test runs by history, proves that every test ran, re-runs only what must be.
#[derive(Debug, Parser)]
#[command(name = "rasher", version, about, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 the verdict blocks, 2 wrong usage or configuration, \
    3 the budget cannot be met, 4 incomplete, 5 environment failure, 6 store, queue or file \
    trouble, 70 a defect in rasher.\nEvery option can also stand in rasher.toml."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The options of every verb. In `rasher.toml` they stand at top level.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Where history is kept [default: .rasher beside rasher.toml, else here]
    #[arg(long, global = true, value_name = "DIR", env = "RASHER_STORE")]
    pub(crate) store: Option<PathBuf>,
    /// The configuration file [default: the nearest rasher.toml from here upwards]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The environment: os, jdk, browser, job in a short name; durations never mix between them
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    pub(crate) env: String,
    /// Print the document instead of a table
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing on stderr but errors
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_options_of_all_verbs_are_sound() {
        super::Cli::command().debug_assert();
    }
}
