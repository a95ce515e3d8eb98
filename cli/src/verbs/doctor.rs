//! `rasher doctor`: checks the set-up step by step.

use serde::Serialize;

use crate::fault::{Exit, Fault};
use crate::output::table;
use crate::session::Session;

/// Options of `doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {}

/// What was found, `rasher.doctor/1`.
#[derive(Debug, Serialize)]
struct Report {
    schema: &'static str,
    checks: Vec<Check>,
    healthy: bool,
}

/// One step.
#[derive(Debug, Serialize)]
struct Check {
    step: &'static str,
    ok: bool,
    found: String,
}

/// Runs the checks.
pub(crate) fn run(_: &Flags, session: &Session) -> Result<Exit, Fault> {
    let checks = vec![configuration(session), ci(session)];
    let healthy = checks.iter().all(|check| check.ok);
    let report = Report { schema: "rasher.doctor/1", checks, healthy };
    session.output.show(&report, people)?;
    Ok(Exit::DONE)
}

fn configuration(session: &Session) -> Check {
    let found = match &session.config {
        Some(file) => format!("{} is valid", file.path.display()),
        None => "none; options come from the command line".to_owned(),
    };
    Check { step: "configuration", ok: true, found }
}

fn ci(session: &Session) -> Check {
    let ci = &session.ci;
    let mut found = vec![ci.name.unwrap_or("no CI seen").to_owned()];
    if let Some(node) = ci.node {
        found.push(format!("worker {}/{} by {}", node.index, node.total, node.variable));
    }
    found.extend(ci.run.as_ref().map(|run| format!("run {run}")));
    found.extend(ci.attempt.map(|attempt| format!("attempt {attempt}")));
    found.extend(ci.branch.as_ref().map(|branch| format!("branch {branch}")));
    Check { step: "ci", ok: true, found: found.join(", ") }
}

fn people(report: &Report) -> String {
    let rows = report.checks.iter().map(|check| {
        [
            if check.ok { "ok" } else { "wrong" }.to_owned(),
            check.step.to_owned(),
            check.found.clone(),
        ]
    });
    table(["", "step", "found"], &[], rows)
}
