//! `rasher doctor`: checks the set-up step by step.
//!
//! Looks for what makes a plan poor without any error: no history, stale history, names that do not
//! meet, variables that are not set.

use std::path::PathBuf;

use rasher::history::History;
use rasher::units::Micros;
use rasher_store::Store;
use serde::Serialize;

use crate::clock;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, table};
use crate::people::{self, People};
use crate::plans;
use crate::session::{Session, store_fault};
use crate::verbs::report::ledger_problems;
use crate::workload;

/// Options of `doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The tests that will be planned, as for `plan`: how many of them does history know?
    #[arg(long, value_name = "FILE")]
    tests: Option<PathBuf>,
    /// A plan to check
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
}

/// `rasher.doctor/1`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    checks: Vec<Check>,
    healthy: bool,
}

/// One step.
#[derive(Debug, Serialize)]
struct Check {
    step: &'static str,
    state: State,
    found: String,
    /// What to do; absent where nothing is wrong.
    advice: Option<String>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// It works, and could work better.
    Note,
    Wrong,
}

impl Check {
    fn ok(step: &'static str, found: impl Into<String>) -> Self {
        Self { step, state: State::Ok, found: found.into(), advice: None }
    }

    fn note(step: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { step, state: State::Note, found: found.into(), advice: Some(advice.into()) }
    }

    fn wrong(step: &'static str, fault: &Fault) -> Self {
        let advice = fault.advice();
        Self { step, state: State::Wrong, found: fault.what(), advice }
    }
}

/// Runs the checks. What is wrong is exit code 2, after all steps.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let mut checks = vec![configuration(session), ci(session), writable(session)];
    match history(session) {
        Ok((store, history)) => {
            checks.extend(past(session, &store, &history));
            checks.extend(matched(flags, session, &history));
        }
        Err(fault) => checks.push(Check::wrong("history", &fault)),
    }
    checks.extend(plan(flags, session));
    checks.extend(ledger(session));
    checks.extend(people(session));
    let healthy = checks.iter().all(|check| check.state != State::Wrong);
    let document = Document { schema: "rasher.doctor/1", checks, healthy };
    session.output.show(&document, table_of)?;
    let wrong = rasher::error::ErrorKind::Usage;
    Ok(if healthy { Exit::DONE } else { wrong.into() })
}

/// The file was read before any verb began: here it is valid.
fn configuration(session: &Session) -> Check {
    match &session.config {
        Some(file) => Check::ok("configuration", format!("{} is valid", file.path.display())),
        None => Check::ok("configuration", "none: the command line says it all"),
    }
}

fn ci(session: &Session) -> Check {
    let ci = &session.ci;
    let Some(name) = ci.name else {
        return Check::ok("ci", "none seen: shard, run and branch come from the command line");
    };
    let mut found = vec![name.to_owned()];
    if let Some(node) = ci.node {
        found.push(format!("worker {}/{} by {}", node.index, node.total, node.variable));
    }
    found.extend(ci.run.as_ref().map(|run| format!("run {run}")));
    found.extend(ci.attempt.map(|attempt| format!("attempt {attempt}")));
    found.extend(ci.branch.as_ref().map(|branch| format!("branch {branch}")));
    let found = found.join(", ");
    if ci.run.is_none() {
        return Check::note("ci", found, "no run id is known: give `--run` to plan and record");
    }
    Check::ok("ci", found)
}

fn writable(session: &Session) -> Check {
    let folder = &session.store;
    match files::probe(folder) {
        Ok(()) => Check::ok("store", format!("{} can be read and written", folder.display())),
        Err(fault) => Check::wrong("store", &fault),
    }
}

fn history(session: &Session) -> Result<(Store, History), Fault> {
    Ok((session.open_store()?, session.history()?))
}

fn past(session: &Session, store: &Store, history: &History) -> Vec<Check> {
    let Some(newest) = history.newest_run(None) else {
        return vec![no_history(session, store)];
    };
    let known = count(history.len(), "test");
    let runs = count(history.runs().len(), "run");
    let mut checks = vec![Check::ok("history", format!("{known} from {runs}"))];
    let age = clock::now().duration_since(newest.at).max(jiff::SignedDuration::ZERO);
    let hours = age.as_hours();
    let found = format!("{} of {}, {hours} h ago", newest.run, newest.at);
    checks.push(match hours {
        0..=336 => Check::ok("newest run", found),
        _ => Check::note("newest run", found, "record the runs of your main branch as they end"),
    });
    if newest.collapsed {
        checks.push(Check::note(
            "newest run",
            "most of its tests did not pass: its times were not learned",
            "no action: the times of the runs before it are used",
        ));
    }
    let timed = history.columns().mean_us.iter().filter(|mean| **mean > 0).count();
    if timed == 0 {
        checks.push(Check::note(
            "times",
            "no test ever passed with a time above zero",
            "make the runner write `time` for each case into its report",
        ));
    }
    if history.groups().is_empty() {
        checks.push(Check::note(
            "classes",
            "no test has a class or file: tests of one class may be spread over all workers",
            "record reports that name it (`classname` or `file`), not only timings",
        ));
    }
    checks
}

/// Nothing in this environment: perhaps in another.
fn no_history(session: &Session, store: &Store) -> Check {
    let others = store.environments().map(|loaded| loaded.value).unwrap_or_default();
    let found = format!(
        "`{}` knows no test of environment `{}`",
        session.store.display(),
        session.environment
    );
    let advice = if others.is_empty() {
        "record a report: `rasher record PATH`; in CI keep the store between runs as a cache or \
         an artifact"
            .to_owned()
    } else {
        format!("recorded are: {}; choose with --env", others.join(", "))
    };
    Check::note("history", found, advice)
}

fn matched(flags: &Flags, session: &Session, history: &History) -> Option<Check> {
    const STEP: &str = "matched";
    let path = flags.tests.as_ref()?;
    let source = path.display().to_string();
    let list = files::read(path).and_then(|bytes| workload::parse_list(&bytes, &source));
    let names = match list {
        Ok(names) => names,
        Err(fault) => return Some(Check::wrong(STEP, &fault)),
    };
    let workload = workload::of_list(&names, history, &rasher::test_id::TestTable::new());
    let all = workload.tests.len();
    let found = format!("history knows {} of {}", all - workload.new, count(all, "listed test"));
    if workload.new * 10 <= all {
        return Some(Check::ok(STEP, found));
    }
    let unknown =
        workload.tests.ids().map(|test| workload.tests.name(test)).find(|name| {
            history.tests().find(name).is_none() && history.groups().find(name).is_none()
        });
    let advice = mismatch(unknown.unwrap_or_default(), history, session);
    Some(Check::note(STEP, found, advice))
}

/// The causes of names that do not meet, from what is seen: paths against here, another folder,
/// nested classes, classes against tests.
fn mismatch(listed: &str, history: &History, session: &Session) -> String {
    let Some(known) = history.tests().iter().next() else {
        return format!("record a run of environment `{}` first", session.environment);
    };
    let pair = format!("listed `{listed}`, recorded for example `{known}`");
    let ends_alike = |name: &str| {
        let (short, long) = if listed.len() < name.len() { (listed, name) } else { (name, listed) };
        short.len() > 3 && long.ends_with(short) && long[..long.len() - short.len()].ends_with('/')
    };
    let reason = if history.tests().iter().any(ends_alike) {
        "the paths differ only in front: list and record from the same folder, with relative paths"
    } else if listed.starts_with('/') != known.starts_with('/') {
        "one is an absolute path and the other is not"
    } else if listed.contains('$') != known.contains('$') {
        "nested classes are named in two ways"
    } else if !listed.contains(['#', ':']) && known.contains(['#', ':']) {
        "classes or files are listed that no recorded report names"
    } else if listed.contains(['#', ':']) && !known.contains(['#', ':']) {
        "tests are listed, and only files or classes were recorded"
    } else {
        "the two name tests in different ways, or most tests are new"
    };
    format!("{pair}: {reason}")
}

fn plan(flags: &Flags, session: &Session) -> Option<Check> {
    const STEP: &str = "plan";
    let run = session.ci.run.as_deref();
    match plans::given_or_kept(session, flags.plan.as_deref(), run) {
        Err(fault) => Some(Check::wrong(STEP, &fault)),
        Ok(None) => None,
        Ok(Some(plan)) => {
            let shards = count(plan.shards.len(), "shard");
            let tests = count(plan.tests, "test");
            let found = format!("{} with {tests} on {shards} is sound", plan.id);
            let startless = plan.makespan_ms == Micros::ZERO;
            let node = session.ci.node.filter(|node| node.total as usize != plan.shards.len());
            Some(match node {
                Some(node) => Check::note(
                    STEP,
                    found,
                    format!("the CI starts {} workers; plan for as many", node.total),
                ),
                None if startless => Check::note(STEP, found, "it predicts no time at all"),
                None => Check::ok(STEP, found),
            })
        }
    }
}

/// The ledger of bypasses, where there is one.
fn ledger(session: &Session) -> Option<Check> {
    const STEP: &str = "bypasses";
    let read = session.open_store().and_then(|it| it.bypasses().map_err(|e| store_fault(&e)));
    let chain = match read {
        Err(fault) => return Some(Check::wrong(STEP, &fault)),
        Ok(chain) => chain,
    };
    if let Some(what) = ledger_problems(&chain) {
        let fault = Fault::store(format!("the ledger was tampered with: {what}"))
            .hint("see `rasher report bypass`; a copy of the store tells what it was");
        return Some(Check::wrong(STEP, &fault));
    }
    let found = format!("{}, each as it was written", count(chain.entries.len(), "bypass"));
    match chain.torn_bytes {
        0 if chain.entries.is_empty() => None,
        0 => Some(Check::ok(STEP, found)),
        _ => {
            Some(Check::note(STEP, found, "a writer died in its last line; the next one mends it"))
        }
    }
}

/// The files that people keep: CODEOWNERS and the list of the quarantine.
fn people(session: &Session) -> Vec<Check> {
    const STEP: &str = "quarantine";
    let now = clock::now();
    let people = match People::load(&people::Flags::default(), session, now) {
        Err(fault) => return vec![Check::wrong(STEP, &fault)],
        Ok(people) => people,
    };
    let mut checks = Vec::new();
    if let Some(path) = people.codeowners() {
        checks.push(Check::ok("owners", path.display().to_string()));
    }
    let Some(path) = &people.quarantine_path else { return checks };
    let entries = people.quarantine().entries();
    let expired: Vec<&str> =
        people.quarantine().expired(now).map(|entry| entry.test.as_str()).collect();
    let found = format!("{} in {}", count(entries.len(), "test"), path.display());
    checks.push(match expired[..] {
        [] => Check::ok(STEP, found),
        [..] => Check::note(
            STEP,
            format!("{found}, {} expired", expired.len()),
            format!("shielded no longer: {}; mend them or take them out", expired.join(", ")),
        ),
    });
    checks
}

fn table_of(document: &Document) -> String {
    let rows = document.checks.iter().flat_map(|check| {
        let mark = match check.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Wrong => "WRONG",
        };
        let row = [mark.to_owned(), check.step.to_owned(), check.found.clone()];
        let advice =
            check.advice.iter().map(|advice| [String::new(), String::new(), format!("→ {advice}")]);
        std::iter::once(row).chain(advice).collect::<Vec<_>>()
    });
    table(["", "step", "found"], &[], rows)
}
