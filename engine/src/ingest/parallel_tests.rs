//! The runtime log of parallel_tests: lines of `file:seconds`.

use super::log::Log;
use super::rows::Rows;
use super::seconds::{self, NoTime};
use super::timings::{Timing, push};
use super::{Dialect, Limits, ProblemKind};

/// Lines that are looked at before the text is believed to be such a log.
const LOOK: usize = 20;

/// Reads a log; refuses a text of which the first lines are mostly something else.
pub(super) fn read(
    text: &str,
    limits: &Limits,
    rows: &mut Rows,
    log: &mut Log,
) -> Result<Dialect, String> {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let (mut looked, mut right) = (0, 0);
    for line in lines().take(LOOK) {
        looked += 1;
        right += usize::from(row(line).is_some_and(|(_, time)| seconds::parse(time).is_ok()));
    }
    if right * 2 <= looked {
        return Err(refusal(text));
    }
    for (count, line) in lines().enumerate() {
        let at = line.as_ptr() as usize - text.as_ptr() as usize;
        if count >= limits.rows {
            let what = format!("more than {} rows; the rest is left out", limits.rows);
            log.at(text, at, ProblemKind::Limit, what);
            break;
        }
        let row = row(line).map(|(file, time)| (file, time, seconds::parse(time)));
        match row.filter(|(_, _, parsed)| *parsed != Err(NoTime::NoNumber)) {
            Some((file, time, parsed)) => {
                let time = parsed.map_err(|no| (time, no.why()));
                push(text, Timing { at, name: file, group: None, time }, limits, (rows, log));
            }
            // What the tests printed stands between the rows of real logs.
            None => {
                let what = "not of the form `file:seconds`; left out".to_owned();
                log.at(text, at, ProblemKind::Row, what);
            }
        }
    }
    Ok(Dialect::ParallelTests)
}

/// The file and the time of a line.
fn row(line: &str) -> Option<(&str, &str)> {
    let (file, time) = line.trim().rsplit_once(':')?;
    (!file.is_empty() && !time.is_empty()).then_some((file, time))
}

fn refusal(text: &str) -> String {
    let first: String = text.trim().chars().take(40).collect();
    let first = first.lines().next().unwrap_or_default();
    format!(
        "begins `{first}`: neither JUnit XML, nor a JSON timing file, nor lines of `file:seconds`"
    )
}
