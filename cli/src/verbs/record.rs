//! `rasher record`: reports into history.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use rasher::attempt::{Isolation, RunContext};
use rasher::plan::document::PlanDocument;
use rasher_store::{Recorded, Retention};
use serde::Serialize;

use crate::clock;
use crate::fault::{Exit, Fault};
use crate::output::{count, table};
use crate::plans;
use crate::reports::{self, FileProblem, ReportsRead};
use crate::session::{Session, store_fault};

/// Options of `record`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Reports: files, folders (searched), patterns; `-` is stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The run that all its shards and retries share [default: the CI's, else the content's hash]
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Which attempt at the run this is, from 1 [default: the CI's, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    attempt: Option<u16>,
    /// Which shard reports, from 1 [default: the CI's]
    #[arg(long, value_name = "I", value_parser = clap::value_parser!(u32).range(1..))]
    shard: Option<u32>,
    /// The branch [default: the CI's]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The commit under test [default: the CI's]
    #[arg(long, value_name = "HASH")]
    commit: Option<String>,
    /// When the tests ran, as RFC 3339 [default: what the reports say, else now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The plan that was followed
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Afterwards keep at most this many runs of each environment; the newest one always stays
    #[arg(long, value_name = "N")]
    keep_runs: Option<usize>,
    /// Afterwards keep no run that is older than this many days
    #[arg(long, value_name = "N")]
    keep_days: Option<u32>,
    /// Afterwards keep at most this many bytes of history
    #[arg(long, value_name = "N")]
    keep_bytes: Option<u64>,
}

impl Flags {
    /// How long history is kept, where that is limited at all.
    fn retention(&self) -> Option<Retention> {
        let limits = Retention {
            runs_max: self.keep_runs,
            age_max: self.keep_days.map(|days| SignedDuration::from_hours(i64::from(days) * 24)),
            bytes_max: self.keep_bytes,
        };
        (limits != Retention::default()).then_some(limits)
    }
}

/// `rasher.record/1`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    run: String,
    environment: String,
    files: usize,
    attempts: usize,
    new_tests: usize,
    passed: usize,
    failed: usize,
    errored: usize,
    skipped: usize,
    not_run: usize,
    ignored_duplicates: usize,
    removed_runs: usize,
    problems: Vec<FileProblem>,
}

/// Records.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let store = session.open_store()?;
    let plan = flags.plan.as_deref().map(plans::read).transpose()?;
    let mut read = reports::read(&flags.paths, session.output);
    let mut failures = std::mem::take(&mut read.failures).into_iter();
    if read.files.is_empty() {
        return Err(failures.next().unwrap_or_else(|| Fault::store("there is no report")));
    }
    let context = context(flags, session, &read, plan.as_ref());
    let recorded =
        store.record(&context, std::mem::take(&mut read.recording)).map_err(|e| store_fault(&e))?;
    let mut document = document(&context, read, recorded);
    if let Some(limits) = flags.retention() {
        let removed = store.retain(&limits, clock::now()).map_err(|e| store_fault(&e))?;
        document.removed_runs = removed.runs;
        document.problems.extend(removed.problems.iter().map(store_problem));
    }
    say_problems(session, &document.problems);
    session.output.show(&document, people)?;
    // What could be read is recorded; what could not is said last and decides the exit code.
    match failures.next() {
        Some(fault) => Err(fault),
        None => Ok(Exit::DONE),
    }
}

fn context(
    flags: &Flags,
    session: &Session,
    read: &ReportsRead,
    plan: Option<&PlanDocument>,
) -> RunContext {
    let ci = &session.ci;
    let run = session.settle("--run", flags.run.clone(), ci.run.clone());
    let attempt = session.settle("--attempt", flags.attempt, ci.attempt);
    RunContext {
        environment: session.environment.clone(),
        branch: session.settle("--branch", flags.branch.clone(), ci.branch.clone()),
        commit: session.settle("--commit", flags.commit.clone(), ci.commit.clone()),
        base_commit: None,
        run: run.unwrap_or_else(|| format!("content-{}", read.content)),
        attempt: attempt.unwrap_or(1),
        shard: session.settle("--shard", flags.shard, ci.node.map(|node| node.index)),
        worker: None,
        plan: plan.map(|plan| plan.id.clone()),
        isolation: plan.map_or(Isolation::InSuite, PlanDocument::isolation),
        at: flags.at.or_else(|| reported(session, read)).unwrap_or_else(clock::now),
    }
}

/// When the reports say that they were written. A clock that is more than a day ahead is not
/// believed: its run would stay the newest for as long.
fn reported(session: &Session, read: &ReportsRead) -> Option<Timestamp> {
    let at = read.recording.reported_at?;
    let latest = clock::now().checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    if at > latest {
        session.output.warn(&format!(
            "a report is dated {at}, which is to come: recorded as of now; --at says better"
        ));
        return None;
    }
    Some(at)
}

fn document(context: &RunContext, read: ReportsRead, recorded: Recorded) -> Document {
    let mut problems = read.problems;
    problems.extend(recorded.problems.iter().map(store_problem));
    Document {
        schema: "rasher.record/1",
        run: context.run.clone(),
        environment: context.environment.clone(),
        files: read.files.len(),
        attempts: recorded.attempts,
        new_tests: recorded.new_tests,
        passed: recorded.passed,
        failed: recorded.failed,
        errored: recorded.errored,
        skipped: recorded.skipped,
        not_run: recorded.not_run,
        ignored_duplicates: recorded.ignored_duplicates,
        removed_runs: 0,
        problems,
    }
}

fn store_problem(problem: &rasher_store::Problem) -> FileProblem {
    FileProblem { file: problem.path.display().to_string(), line: None, what: problem.to_string() }
}

/// The first few; all of them are in the document.
pub(crate) fn say_problems(session: &Session, problems: &[FileProblem]) {
    const SHOWN: usize = 8;
    for problem in problems.iter().take(SHOWN) {
        let line = problem.line.map_or(String::new(), |line| format!(":{line}"));
        session.output.warn(&format!("{}{line}: {}", problem.file, problem.what));
    }
    if problems.len() > SHOWN {
        let more = count(problems.len() - SHOWN, "more problem");
        session.output.warn(&format!("and {more}; --json lists all"));
    }
}

fn people(document: &Document) -> String {
    let mut rows = vec![
        ("attempts", document.attempts),
        ("new tests", document.new_tests),
        ("passed", document.passed),
        ("failed", document.failed),
        ("errored", document.errored),
        ("skipped", document.skipped),
    ];
    let rare = [
        ("not run", document.not_run),
        ("known already", document.ignored_duplicates),
        ("runs let go", document.removed_runs),
    ];
    rows.extend(rare.into_iter().filter(|(_, number)| *number > 0));
    let rows =
        rows.into_iter().map(|(what, n)| [what.to_owned(), crate::output::thousands(n as u64)]);
    let files = count(document.files, "report");
    format!(
        "recorded {files} as run {}\n{}",
        document.run,
        table(["", ""], &[1], rows).trim_start()
    )
}
