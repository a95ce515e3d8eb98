//! Timing files in JSON: which of the three they are, and their rows.
//!
//! A timing file holds times and no outcomes; its rows are taken as passed.

use super::json_rows::{JsonRow, scan};
use super::log::Log;
use super::rows::{Execution, Rows};
use super::{Dialect, Limits, ProblemKind, jest_balance, knapsack, seconds, test_durations};
use crate::attempt::Outcome;
use crate::units::Micros;

/// One row of a timing file.
pub(super) struct Timing<'t> {
    pub(super) at: usize,
    pub(super) name: &'t str,
    pub(super) group: Option<&'t str>,
    /// The time, or its text and what is wrong with it.
    pub(super) time: Result<Micros, (&'t str, &'static str)>,
}

/// Adds a row, or notes why it cannot be used: a timing without a time says nothing.
pub(super) fn push(text: &str, row: Timing, limits: &Limits, into: (&mut Rows, &mut Log)) {
    let (rows, log) = into;
    if row.name.trim().is_empty() || row.name.len() > limits.name_bytes {
        let what = "has no usable name; left out".to_owned();
        log.at(text, row.at, ProblemKind::Row, what);
        return;
    }
    match row.time {
        Ok(time) => {
            let test = rows.test(row.name, row.group);
            rows.push(test, Execution::new(Outcome::Passed, Some(time)));
        }
        Err((shown, why)) => {
            let (name, shown) = (super::failure::cut(row.name, 80), super::failure::cut(shown, 40));
            let what = format!("time `{shown}` of `{name}` {why}; left out");
            log.at(text, row.at, ProblemKind::Time, what);
        }
    }
}

/// Reads a timing file; refuses JSON of another shape.
pub(super) fn read_json(
    text: &str,
    limits: &Limits,
    rows: &mut Rows,
    log: &mut Log,
) -> Result<Dialect, String> {
    let found = scan(text, limits.rows);
    let dialect = dialect(&found.rows).ok_or_else(|| refusal(&found.rows, &found.broken))?;
    for row in &found.rows {
        match &row.value {
            Ok(value) => {
                let value = if dialect == Dialect::JestBalance { value / 1e3 } else { *value };
                let shown = value.to_string();
                let time = seconds::from_f64(value).map_err(|no| (shown.as_str(), no.why()));
                let group = match dialect {
                    Dialect::TestDurations => test_durations::group(&row.name),
                    _ => None,
                };
                let row = Timing { at: row.at, name: &row.name, group, time };
                push(text, row, limits, (rows, log));
            }
            Err(why) => {
                let what = format!("`{}`: {why}; left out", super::failure::cut(&row.name, 80));
                log.at(text, row.at, ProblemKind::Row, what);
            }
        }
    }
    if let Some((at, what)) = found.broken {
        log.at(text, at, ProblemKind::Cut, format!("{what}; the rows before it are kept"));
    }
    Ok(dialect)
}

/// Which timing file it is: most of its values are numbers, and its names tell the tool.
fn dialect(rows: &[JsonRow]) -> Option<Dialect> {
    let numbers = rows.iter().filter(|row| row.value.is_ok()).count();
    if numbers * 2 <= rows.len() {
        return None;
    }
    if test_durations::wrote(rows) {
        Some(Dialect::TestDurations)
    } else if jest_balance::wrote(rows) {
        Some(Dialect::JestBalance)
    } else if knapsack::wrote(rows) {
        Some(Dialect::Knapsack)
    } else {
        None
    }
}

fn refusal(rows: &[JsonRow], broken: &Option<(usize, String)>) -> String {
    let shape = "JSON, but no timing file (one object of test or file names and numbers)";
    let is_event = |name: &str| matches!(name, "Time" | "Action" | "Package");
    if rows.first().is_some_and(|row| is_event(&row.name)) {
        return format!("is {shape}: looks like `go test -json`; give `gotestsum --junitfile`");
    }
    match (rows.first(), broken) {
        (Some(row), _) => match &row.value {
            Ok(_) => format!("is {shape}: `{}` names no test", super::failure::cut(&row.name, 80)),
            Err(why) => format!("is {shape}: `{}`: {why}", super::failure::cut(&row.name, 80)),
        },
        (None, Some((_, why))) => format!("is {shape}: {why}"),
        (None, None) => format!("is {shape}: it is empty"),
    }
}
