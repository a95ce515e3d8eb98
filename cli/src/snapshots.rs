//! Timing files or reports that were kept over time, one entry of a folder a run.
//!
//! Decides by the name of an entry when its run was: a name that begins with a date.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rasher::attempt::{Isolation, RunContext};
use rasher::history::RunRecording;

use crate::fault::Fault;
use crate::files;
use crate::reports;
use crate::session::Session;

/// Runs of one suite.
pub(crate) struct Series {
    /// The name of its folder.
    pub(crate) name: String,
    /// Its runs, oldest first.
    pub(crate) recordings: Vec<RunRecording>,
}

/// Reads a folder whose entries are runs: files or folders named `2026-01-31…`. An entry that is no
/// report, or has no date, is said and left out.
///
/// # Errors
/// Where the folder cannot be read or holds no run.
pub(crate) fn read(session: &Session, folder: &Path) -> Result<Series, Fault> {
    let entries = files::entries(folder)?;
    let mut series = Series { name: name_of(folder), recordings: Vec::new() };
    let bar = session.output.progress(entries.len() as u64, "snapshots");
    for path in entries {
        bar.inc(1);
        let Some(day) = day_of(&path) else {
            let what = format!("{}: no date at the beginning of its name", path.display());
            session.output.warn(&what);
            continue;
        };
        let before = series.recordings.last().map(|last| last.context.at);
        // Two of one day follow each other by name.
        let at = before.filter(|before| *before >= day).map_or(day, |before| {
            before.checked_add(SignedDuration::from_secs(1)).unwrap_or(before)
        });
        series.recordings.extend(recording(session, path, at));
    }
    bar.finish_and_clear();
    if series.recordings.is_empty() {
        return Err(Fault::usage("no entry of this folder is a run")
            .at(folder.display())
            .hint("name files or folders of reports by their date: 2026-01-31_abc.json"));
    }
    Ok(series)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn day_of(path: &Path) -> Option<Timestamp> {
    let name = name_of(path);
    let day: Date = name.get(..10)?.parse().ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn recording(session: &Session, path: PathBuf, at: Timestamp) -> Option<RunRecording> {
    let run = name_of(&path);
    let read = reports::read(&[path], session.output);
    for problem in &read.problems {
        session.output.warn(&format!("{}: {}", problem.file, problem.what));
    }
    if read.recording.attempts.is_empty() {
        return None;
    }
    let context = RunContext {
        environment: session.environment.clone(),
        branch: None,
        commit: None,
        base_commit: None,
        run,
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at,
    };
    Some(RunRecording { context, recording: read.recording })
}
