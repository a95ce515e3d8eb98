//! `rasher culprit`: which commit made a test fail, or which of the tests before it.

use std::path::PathBuf;

use rasher::attempt::{Isolation, Outcome, Recording};
use rasher::culprit::{Finding, Search};
use rasher::flake::Scores;
use rasher::outcome::ledger::chain;
use rasher::plan::document::PlanDocument;
use rasher::retry::{after_some, before};
use serde::Serialize;

use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, table, to_json};
use crate::plans;
use crate::reports;
use crate::session::{Session, store_fault};
use crate::verbs::record;
use crate::verbs::verify::Results;
use crate::workload;

/// Options of `culprit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The test's id
    #[arg(value_name = "TEST")]
    test: String,
    /// The suspects are these commits, oldest first, one a line, as `git rev-list --reverse
    /// GOOD..BAD` prints them; `-` is stdin. What was recorded at them is the evidence
    #[arg(long, value_name = "FILE", required_unless_present = "plan", conflicts_with = "plan")]
    commits: Option<PathBuf>,
    /// The suspects are the tests that this plan runs before it; give each experiment's plan too
    #[arg(long, value_name = "FILE", requires = "results")]
    plan: Vec<PathBuf>,
    /// Reports of the run; those of an experiment by the place of its plan, as `2=PATH`
    #[arg(long, value_name = "[ATTEMPT=]PATH", requires = "plan")]
    results: Vec<Results>,
    /// Write the plan of the next experiment to a file
    #[arg(long, value_name = "FILE", requires = "plan")]
    out: Option<PathBuf>,
    /// How often a culprit may be named wrongly
    #[arg(long, value_name = "SHARE", default_value = "1%",
        value_parser = crate::verbs::verdict::share)]
    error: f64,
}

/// `rasher.culprit/1`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    test: String,
    suspects_are: Kind,
    /// Executions of the test that count as evidence.
    executions: usize,
    /// How often the test fails by chance.
    rate: f64,
    /// Probability that it is none of the suspects.
    p_chance: f64,
    /// In their order.
    suspects: Vec<Suspect>,
    /// The one that is all but certain.
    culprit: Option<String>,
    /// What to run next; absent once a culprit, or none, is all but certain.
    next: Option<Next>,
}

#[derive(Debug, Serialize)]
struct Suspect {
    name: String,
    p: f64,
    /// Failed executions at this commit, or after this test.
    failed: usize,
    passed: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Next {
    /// Run the test at this commit.
    Commit(String),
    /// Run the test after these.
    Tests(Vec<String>),
}

/// One execution of the test.
struct Execution {
    /// Which suspects count it as theirs.
    present: Vec<bool>,
    /// The suspects to whom it is shown in the table.
    shown: Vec<bool>,
    failed: bool,
    /// True after another one of the same run: a flake repeats itself.
    again: bool,
}

/// What the suspects are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Commits,
    Tests,
}

/// The suspects in their order and the evidence.
struct Case {
    suspects_are: Kind,
    suspects: Vec<String>,
    executions: Vec<Execution>,
}

/// Searches.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let plans = match flags.plan.as_slice() {
        [] => Vec::new(),
        paths => {
            let read: Result<Vec<_>, _> = paths.iter().map(|path| plans::read(path)).collect();
            chain(&read?).map_err(|e| Fault::usage(e.to_string()))?
        }
    };
    let case = match &flags.commits {
        Some(path) => by_commit(flags, path, session)?,
        None => by_test(flags, &plans, session)?,
    };
    // How often it fails by chance is learned where no suspect was.
    let scores = evidence::scores_of(session, None, |run| {
        run.commit.as_deref().is_none_or(|commit| place(&case.suspects, commit).is_none())
    })?;
    let (document, present) = search(flags, &case, &scores);
    if matches!(document.next, Some(Next::Tests(_))) {
        write_experiment(flags, &plans, session, |at| present[at])?;
    }
    session.output.show(&document, people)?;
    Ok(Exit::DONE)
}

/// What is known, and who is to be present in the next execution.
fn search(flags: &Flags, case: &Case, scores: &Scores) -> (Document, Vec<bool>) {
    let rate = f64::from(scores.belief(&flags.test).rate);
    let repeats = f64::from(scores.correlation(&flags.test, Isolation::FreshWorker));
    let mut search = Search::new(case.suspects.len());
    for seen in &case.executions {
        let rate = if seen.again { repeats + rate * (1.0 - repeats) } else { rate };
        search.observe(|suspect| seen.present[suspect], seen.failed, rate);
    }
    let finding = search.finding(flags.error);
    let cut = if finding.is_none() { search.next_cut(rate) } else { 0 };
    // A test that is all but acquitted costs time and tells nothing.
    let least = flags.error / case.suspects.len().max(1) as f64;
    let runs = |at| case.suspects_are == Kind::Commits || search.probability(at) >= least;
    let present: Vec<bool> = (0..search.len()).map(|at| at < cut && runs(at)).collect();
    let names = case.suspects.iter().zip(&present).filter(|it| *it.1).map(|it| it.0.clone());
    let next = match case.suspects_are {
        _ if cut == 0 => None,
        Kind::Commits => Some(Next::Commit(case.suspects[cut - 1].clone())),
        Kind::Tests => Some(Next::Tests(names.collect())),
    };
    let suspects = case.suspects.iter().enumerate().map(|(at, name)| {
        let shown = |failed: bool| {
            case.executions.iter().filter(|seen| seen.failed == failed && seen.shown[at]).count()
        };
        let (failed, passed) = (shown(true), shown(false));
        Suspect { name: name.clone(), p: rounded(search.probability(at)), failed, passed }
    });
    let document = Document {
        schema: "rasher.culprit/1",
        test: flags.test.clone(),
        suspects_are: case.suspects_are,
        executions: case.executions.len(),
        rate: rounded(rate),
        p_chance: rounded(search.probability_of_chance()),
        suspects: suspects.collect(),
        culprit: match finding {
            Some(Finding::Suspect(at)) => Some(case.suspects[at].clone()),
            _ => None,
        },
        next,
    };
    (document, present)
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The recorded executions at each of the commits.
fn by_commit(flags: &Flags, path: &std::path::Path, session: &Session) -> Result<Case, Fault> {
    let source = path.display().to_string();
    let lines = workload::parse_list(&files::read(path)?, &source)?;
    let words = lines.iter().filter_map(|line| line.split_whitespace().next());
    let suspects: Vec<String> = words.map(str::to_owned).collect();
    let (store, environment) = (session.open_store()?, &session.environment);
    let mut executions = Vec::new();
    for run in session.usable(store.runs(environment, None).map_err(|e| store_fault(&e))?) {
        let Some(at) = run.commit.as_deref().and_then(|commit| place(&suspects, commit)) else {
            continue;
        };
        let loaded = store.load_run(environment, &run.run).map_err(|e| store_fault(&e))?;
        let recordings = session.usable(loaded);
        let results = recordings.iter().flat_map(|it| results(&it.recording, &flags.test));
        for (nth, failed) in results.enumerate() {
            executions.push(Execution {
                present: (0..suspects.len()).map(|suspect| suspect <= at).collect(),
                shown: (0..suspects.len()).map(|suspect| suspect == at).collect(),
                failed,
                again: nth > 0,
            });
        }
    }
    Ok(Case { suspects_are: Kind::Commits, suspects, executions })
}

fn place(suspects: &[String], commit: &str) -> Option<usize> {
    suspects.iter().position(|suspect| same(commit, suspect))
}

/// A commit by its whole name, or by the beginning of it.
fn same(recorded: &str, listed: &str) -> bool {
    const SHORT: usize = 7;
    let shorter = recorded.len().min(listed.len());
    recorded == listed
        || (shorter >= SHORT && recorded.as_bytes()[..shorter] == listed.as_bytes()[..shorter])
}

/// What executions of a test in a recording came to, those that came to something.
fn results<'r>(recording: &'r Recording, test: &str) -> impl Iterator<Item = bool> + use<'r> {
    let wanted = recording.tests.find(test);
    let of_test = recording.attempts.iter().filter(move |it| Some(it.test) == wanted);
    of_test
        .filter(|it| it.outcome.is_failure() || it.outcome == Outcome::Passed)
        .map(|it| it.outcome.is_failure())
}

/// The tests that run before it, and how it fared after which of them.
fn by_test(flags: &Flags, plans: &[PlanDocument], session: &Session) -> Result<Case, Fault> {
    let unplanned = || {
        Fault::usage(format!("the plan does not hold `{}`", flags.test))
            .hint("give the id as `rasher shard` prints it")
    };
    let suspects =
        plans.first().and_then(|plan| before(plan, &flags.test)).ok_or_else(unplanned)?;
    let mut executions = Vec::new();
    for (round, plan) in (1..).zip(plans) {
        let given = flags.results.iter().filter(|results| results.attempt == round);
        let paths: Vec<PathBuf> = given.map(|results| results.path.clone()).collect();
        if paths.is_empty() {
            continue;
        }
        let read = reports::read(&paths, session.output);
        record::say_problems(session, &read.problems);
        for fault in &read.failures {
            session.output.warn(&fault.what());
        }
        let Some(ran) = before(plan, &flags.test) else { continue };
        // A rerun in the same process saw the same tests; it is no second experiment.
        if let Some(failed) = results(&read.recording, &flags.test).next() {
            let present: Vec<bool> = suspects.iter().map(|suspect| ran.contains(suspect)).collect();
            executions.push(Execution {
                shown: present.clone(),
                present,
                failed,
                again: round > 1,
            });
        }
    }
    Ok(Case { suspects_are: Kind::Tests, suspects: suspects.to_vec(), executions })
}

fn write_experiment(
    flags: &Flags,
    plans: &[PlanDocument],
    session: &Session,
    keep: impl Fn(usize) -> bool,
) -> Result<(), Fault> {
    let (Some(path), Some(first), Some(last)) = (&flags.out, plans.first(), plans.last()) else {
        return Ok(());
    };
    if let Some(plan) = after_some((first, last), &flags.test, keep, &session.history()?) {
        files::write(path, to_json(&plan)?.as_bytes())?;
        session.output.say(&format!("the plan of the next experiment is in {}", path.display()));
    }
    Ok(())
}

fn people(document: &Document) -> String {
    const SHOWN: usize = 10;
    let suspects = document.suspects.len();
    let noun = match document.suspects_are {
        Kind::Commits => "commit",
        Kind::Tests => "test",
    };
    let mut text = format!(
        "`{}`: {} and {} of the test; by chance it fails in {:.2} % of runs\n",
        document.test.escape_debug(),
        count(suspects, noun),
        count(document.executions, "execution"),
        100.0 * document.rate,
    );
    let mut order: Vec<&Suspect> = document.suspects.iter().collect();
    order.sort_by(|a, b| b.p.total_cmp(&a.p));
    let row = |p: f64, seen: [usize; 2], name: &str| {
        [format!("{p:.3}"), seen[0].to_string(), seen[1].to_string(), name.to_owned()]
    };
    let rows = order.iter().take(SHOWN);
    let rows =
        rows.map(|it| row(it.p, [it.failed, it.passed], &it.name.escape_debug().to_string()));
    text += &table(["P", "failed", "passed", noun], &[0, 1, 2], rows);
    if suspects > SHOWN {
        text += &format!("and {} more\n", count(suspects - SHOWN, noun));
    }
    text += &format!("{:.3} that it is none of them\n", document.p_chance);
    text + &match (&document.culprit, &document.next) {
        (Some(name), _) => format!("culprit: {}\n", name.escape_debug()),
        (None, Some(Next::Commit(commit))) => {
            format!("next: run it at {}, and record the result\n", commit.escape_debug())
        }
        (None, Some(Next::Tests(tests))) => {
            format!("next: run it after {} of them (--out writes the plan)\n", tests.len())
        }
        (None, None) => "none of them: it fails by chance, or did before\n".to_owned(),
    }
}
