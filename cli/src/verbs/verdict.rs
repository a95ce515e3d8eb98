//! `rasher verdict`: may this commit be merged, and why.

use std::path::PathBuf;

use jiff::Timestamp;
use rasher::error::ErrorKind;
use rasher::estimate::follow_renames;
use rasher::outcome::Outcomes;
use rasher::report::{MarkdownOptions, junit, markdown};
use rasher::retry::Planned;
use rasher::verdict::{RunVerdict, TestVerdict, VerdictDocument, VerdictOptions, Word, judge};

use crate::bypasses;
use crate::clock;
use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, table, thousands};
use crate::people::{self, People};
use crate::session::{Session, step_summary};
use crate::verbs::verify::{self, Gone, Results};

/// Options of `verdict`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The plan; give it again for each retry [default: the one kept for the CI's run]
    #[arg(long, value_name = "FILE")]
    plan: Vec<PathBuf>,
    /// Reports of the run: files, folders, patterns; those of a later attempt as `2=PATH`
    #[arg(long, required = true, value_name = "[ATTEMPT=]PATH")]
    results: Vec<Results>,
    #[command(flatten)]
    gone: Gone,
    /// Reports of the same tests run on the base commit
    #[arg(long, value_name = "PATH")]
    base_results: Vec<PathBuf>,
    /// Block where the probability of any real failure is above this, even if all passed again
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = share)]
    p_real_max: f64,
    /// A test is called flaky once the chance of that being wrong is at most this
    #[arg(long, value_name = "P", default_value_t = 0.01, value_parser = share)]
    error_max: f64,
    /// Score tests by this many of the newest recorded runs only [default: all]
    #[arg(long, value_name = "N")]
    history_runs: Option<usize>,
    /// Write what was judged as JUnit XML, as Surefire reports reruns
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    junit: Option<PathBuf>,
    /// Write a summary as Markdown; `-` prints it in place of the table, and the file that
    /// GITHUB_STEP_SUMMARY names is appended to
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    markdown: Option<PathBuf>,
    /// The instant of the verdict, as RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    people: people::Flags,
    #[command(flatten)]
    bypass: bypasses::Flags,
}

/// A number from 0 to 1, or a percentage.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    match number.trim().parse::<f64>() {
        Ok(value) if (0.0..=scale).contains(&value) => Ok(value / scale),
        _ => Err("a share from 0 to 1, or from 0% to 100%".to_owned()),
    }
}

/// Judges.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let at = flags.at.unwrap_or_else(clock::now);
    flags.bypass.check_fence(session, at)?;
    let people = People::load(&flags.people, session, at)?;
    people.warn_expired(session, at);
    let plans = verify::read_plans(&flags.plan, session)?;
    let given = evidence::read(session, &plans, &flags.results, &flags.gone.names)?;
    Gone::say(session, &given.verified);
    for fault in &given.failures {
        session.output.warn(&fault.what());
    }
    let base = evidence::read_base(session, &flags.base_results);
    let judged = given.recorded_as(session);
    let mut scores = evidence::scores_or_none(session, flags.history_runs, &judged);
    let planned = Planned::new(&given.plans).without(&given.verified.gone);
    let planned = planned.with_unplanned(&given.outcomes);
    follow_renames(&mut scores, planned.tests());
    let mut options = VerdictOptions { p_real_max: flags.p_real_max, ..VerdictOptions::default() };
    options.doubt.error_max = flags.error_max;
    options.unaccounted.clone_from(&given.verified.missing);
    options.quarantined = people.shielded(planned.tests(), at);
    let mut verdict = judge(&planned, &given.outcomes, base.as_ref(), &scores, &options);
    people.sign(&mut verdict, planned.tests(), at);
    let doubt = (flags.error_max, at);
    let passed_over = flags.bypass.pass_over(session, &mut verdict, &given.plans, doubt)?;
    show(flags, session, (&planned, &given.outcomes), &verdict)?;
    if passed_over {
        return Ok(Exit::DONE);
    }
    Ok(ErrorKind::of_run(verdict.run).map_or(Exit::DONE, Exit::from))
}

/// Writes what is asked for, and prints the verdict.
fn show(
    flags: &Flags,
    session: &Session,
    (planned, outcomes): (&Planned, &Outcomes),
    verdict: &VerdictDocument,
) -> Result<(), Fault> {
    if let Some(path) = &flags.junit {
        let xml = junit(planned, outcomes, verdict);
        if path.as_os_str() == "-" {
            return session.output.raw(&xml);
        }
        files::write(path, xml.as_bytes())?;
    }
    if let Some(path) = &flags.markdown {
        let text = markdown(verdict, MarkdownOptions::default());
        if path.as_os_str() == "-" {
            return session.output.raw(&text);
        }
        if step_summary().as_ref() == Some(path) {
            files::append(path, text.as_bytes())?;
        } else {
            files::write(path, text.as_bytes())?;
        }
    }
    session.output.show(verdict, people_read)
}

/// The word of a run in capitals where it blocks.
fn headline(verdict: &VerdictDocument) -> String {
    let word = match verdict.run {
        RunVerdict::Passed => "passed",
        RunVerdict::Flaky => "flaky: every failing test passed again",
        RunVerdict::Failed => "FAILED",
        RunVerdict::Incomplete => "INCOMPLETE: no verdict without every result",
        RunVerdict::Environment => "ENVIRONMENT: the machines failed, not the commit",
    };
    format!("{word}\n")
}

fn people_read(verdict: &VerdictDocument) -> String {
    const SHOWN: usize = 30;
    let mut text = headline(verdict);
    let of = |word: Word| verdict.tests.iter().filter(|test| test.verdict == word).count();
    text += &format!(
        "{}: {} failed, {} flaky, {} suspect, {} on the base already, {} missing, {} skipped; \
         P(any real failure) {:.4}\n",
        count(verdict.planned, "planned test"),
        thousands(of(Word::Failed) as u64),
        thousands(of(Word::Flaky) as u64),
        thousands(of(Word::Suspect) as u64),
        thousands(of(Word::PreExisting) as u64),
        thousands(of(Word::Missing) as u64),
        thousands(verdict.skipped as u64),
        verdict.p_real,
    );
    if of(Word::Open) > 0 {
        text +=
            &format!("{} open: another failure blocks the run\n", thousands(of(Word::Open) as u64));
    }
    for bypass in &verdict.bypass {
        let of = |key: &str| bypass[key].as_str().unwrap_or_default().escape_debug().to_string();
        text += &format!("BYPASSED by {}: {}\n", of("by"), of("reason"));
    }
    if verdict.tests.is_empty() {
        return text;
    }
    let mut tests: Vec<&TestVerdict> = verdict.tests.iter().collect();
    let weight = |test: &TestVerdict| match test.verdict {
        _ if test.quarantined => 4,
        Word::Failed => 0,
        Word::Missing => 1,
        Word::Environment | Word::Open => 2,
        Word::Suspect => 3,
        _ => 4,
    };
    tests.sort_by_key(|test| weight(test));
    let row = |test: &&TestVerdict| {
        [
            serde_json::to_value(test.verdict)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .map(|word| if test.quarantined { format!("({word})") } else { word })
                .unwrap_or_default(),
            test.p_real.map_or(String::new(), |p| format!("{p:.4}")),
            test.test.escape_debug().to_string(),
            test.evidence.clone(),
            test.reason.escape_debug().to_string(),
            test.owner.clone().unwrap_or_default(),
        ]
    };
    text += "\n";
    text += &table(
        ["verdict", "P(real)", "test", "evidence", "reason", "owner"],
        &[1],
        tests.iter().take(SHOWN).map(row),
    );
    if tests.len() > SHOWN {
        let more = thousands((tests.len() - SHOWN) as u64);
        text += &format!("and {more} more (--json lists all)\n");
    }
    text
}
