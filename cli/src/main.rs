#![forbid(unsafe_code)]
//! The command `rasher`: the edge of the engine to files, clock, environment and people.
//!
//! This file only wires: flags and `rasher.toml` to a [`session::Session`], the session to a verb,
//! the verb's ending to an exit code. Data goes to stdout, words for people to stderr.

mod budgets;
mod bypasses;
mod calendar;
mod ci;
mod clock;
mod config;
mod constraints;
mod evidence;
mod fault;
mod files;
mod flags;
mod fleet;
mod formats;
mod frontier_picture;
mod output;
mod people;
mod plans;
mod policy;
mod prediction;
mod reports;
mod series;
mod session;
mod snapshots;
mod verbs;
mod workload;

use std::process::ExitCode;

use fault::{Exit, Fault};
use session::Session;

fn main() -> ExitCode {
    fault::report_panics();
    match run() {
        Ok(exit) => exit.into(),
        Err(fault) => {
            fault.print();
            fault.exit().into()
        }
    }
}

fn run() -> Result<Exit, Fault> {
    let (cli, config) = config::parse(std::env::args_os().collect())?;
    let session = Session::open(cli.common, config)?;
    cli.verb.run(&session)
}
