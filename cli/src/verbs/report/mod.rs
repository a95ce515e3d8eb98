//! `rasher report`: what people look at: a page of everything, skipped tests, bypasses and their
//! clocks.

mod bypass;
mod page;
mod skips;

use std::path::PathBuf;

use jiff::Timestamp;
use rasher::units::Micros;

use crate::fault::{Exit, Fault};
use crate::people;
use crate::session::Session;

pub(crate) use bypass::ledger_problems;

/// Options of `report`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Which report
    #[arg(value_name = "WHAT", default_value = "page")]
    what: What,
    /// page: where it is written; `-` prints it
    #[arg(long, value_name = "FILE", default_value = "rasher-report.html",
        value_hint = clap::ValueHint::FilePath)]
    out: PathBuf,
    /// page: so many of the newest runs
    #[arg(long, value_name = "N", default_value_t = 20)]
    runs: usize,
    /// skips and page: how many days a period has
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// The instant it is made for, as RFC 3339 [default: of skips the newest run, else
    /// now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// skips: print comma-separated values of the skipped tests instead of tables
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// skips: who wrote the lines that leave tests out, as lines of `path,line,user` with paths from
    /// rasher.toml, else from here; `git blame` tells them [default: tests are counted by owner]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    blame: Option<PathBuf>,
    /// skips and bypass: show at most this many rows of a table
    #[arg(long, value_name = "N", default_value_t = 30)]
    top: usize,
    /// bypass: this hash, noted earlier, must be in the ledger
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// bypass and page: a failure on the main branch is to be fixed or in quarantine within
    #[arg(long, value_name = "SPAN", default_value = "4h")]
    fix_within: Micros,
    #[command(flatten)]
    people: people::Flags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// One HTML page that needs no network: shards, frontier, flaky, skipped and bypassed tests
    Page,
    /// Boomerang: which tests are skipped, whose they are, how often and since when
    Skips,
    /// Who merged in spite of what, and the clocks that run since; checks the ledger
    Bypass,
}

/// Reports.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    match flags.what {
        What::Page => page::run(flags, session),
        What::Skips => skips::run(flags, session),
        What::Bypass => bypass::run(flags, session),
    }
}

/// The page of a store at an instant, as it is without any option.
pub(crate) fn page_at(session: &Session, at: Timestamp) -> Result<String, Fault> {
    let flags = Flags {
        what: What::Page,
        out: PathBuf::new(),
        runs: 20,
        days: 7,
        at: Some(at),
        csv: false,
        blame: None,
        top: 30,
        head: None,
        fix_within: Micros::from_secs(4 * 3_600),
        people: people::Flags::default(),
    };
    page::html(&flags, session, at)
}
