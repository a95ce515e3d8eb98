//! Earlier runs as a caller hands them over, folded as a store folds what was recorded.

use rasher::attempt::{Isolation, Recording, Rows, RunContext, SAME_RUN_AMONG};
use rasher::flake::{FlakeOptions, Scores, teaches};
use rasher::history::{History, RunRecording};
use rasher::ingest::{Limits, Reader};
use serde::Deserialize;

use super::section::{HISTORY_ENDS, HISTORY_FILES};
use crate::fault::Fault;
use crate::frame::Frame;

/// One earlier run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PastRun {
    run: String,
    #[serde(default)]
    branch: Option<String>,
    at: String,
    /// How many of the files are its reports; they come in the order of the runs.
    reports: usize,
}

/// What earlier runs tell of durations and of flakiness. Scores leave the run under judgement out: the one
/// of its name, or, where there is none, the newest whose rows say the same.
pub(super) fn past(
    frame: &Frame<'_>,
    runs: &[PastRun],
    environment: &str,
    (judged, results): (Option<&str>, &Recording),
) -> Result<(History, Scores), Fault> {
    let files = frame.blobs(HISTORY_FILES, HISTORY_ENDS)?;
    if runs.iter().try_fold(0_usize, |sum, run| sum.checked_add(run.reports)) != Some(files.len()) {
        return Err(Fault::usage("the reports of history are not as many as its runs say"));
    }
    let mut rest = files.as_slice();
    let mut recordings = Vec::with_capacity(runs.len());
    for run in runs {
        let (own, others) = rest.split_at(run.reports);
        rest = others;
        recordings.push(recorded(run, own, environment)?);
    }
    recordings.sort_by(|a, b| {
        let (a, b) = (&a.context, &b.context);
        (a.at, &a.run).cmp(&(b.at, &b.run))
    });
    let name = |it: &RunRecording| Some(it.context.run.as_str()) == judged;
    let same = if recordings.iter().any(name) { None } else { same_run(&recordings, results) };
    let mut scores = Scores::new(FlakeOptions::default());
    let main = recordings.iter().any(|it| teaches(it.context.branch.as_deref(), true));
    for (at, recording) in recordings.iter().enumerate() {
        if teaches(recording.context.branch.as_deref(), main)
            && !name(recording)
            && Some(at) != same
        {
            scores.fold(std::slice::from_ref(recording));
        }
    }
    let history = History::of(environment, recordings).map_err(Fault::usage)?;
    Ok((history, scores))
}

/// The newest of the newest runs whose rows say the same as these results.
fn same_run(recordings: &[RunRecording], results: &Recording) -> Option<usize> {
    if recordings.is_empty() {
        return None;
    }
    let rows = Rows::of([results]);
    let near = recordings.len().saturating_sub(SAME_RUN_AMONG);
    let same = |it: &RunRecording| Rows::of([&it.recording]).is_run_of(&rows);
    recordings[near..].iter().rposition(same).map(|at| near + at)
}

fn recorded(run: &PastRun, files: &[&[u8]], environment: &str) -> Result<RunRecording, Fault> {
    let mut reader = Reader::new(Limits::default());
    for (at, file) in files.iter().enumerate() {
        if reader.read(file, None).is_refused() {
            let told = format!("report {at} of the earlier run `{}` is none", run.run);
            return Err(Fault::usage(told));
        }
    }
    let at = run.at.parse();
    let at = at.map_err(|e| Fault::usage(format!("the time of the run `{}`: {e}", run.run)))?;
    let context = RunContext {
        environment: environment.to_owned(),
        branch: run.branch.clone(),
        commit: None,
        base_commit: None,
        run: run.run.clone(),
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at,
    };
    Ok(RunRecording { context, recording: reader.finish() })
}
