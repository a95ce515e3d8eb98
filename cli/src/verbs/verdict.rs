//! `rasher verdict`: may this commit be merged, and why.

use std::path::PathBuf;

use rasher::error::ErrorKind;
use rasher::retry::Planned;
use rasher::verdict::{RunVerdict, TestVerdict, VerdictDocument, VerdictOptions, Word, judge};

use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::output::{count, table, thousands};
use crate::session::Session;
use crate::verbs::verify::{self, Results};

/// Options of `verdict`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The plan; give it again for each retry [default: the one kept for the CI's run]
    #[arg(long, value_name = "FILE")]
    plan: Vec<PathBuf>,
    /// Reports of the run: files, folders, patterns; those of a later attempt as `2=PATH`
    #[arg(long, required = true, value_name = "[ATTEMPT=]PATH")]
    results: Vec<Results>,
    /// Reports of the same tests run on the base commit
    #[arg(long, value_name = "PATH")]
    base_results: Vec<PathBuf>,
    /// Block where the probability of any real failure is above this, even if all passed again
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = share)]
    p_real_max: f64,
    /// A test is called flaky once the chance of that being wrong is at most this
    #[arg(long, value_name = "P", default_value_t = 0.01, value_parser = share)]
    error_max: f64,
    /// Score tests by this many of the newest recorded runs
    #[arg(long, value_name = "N", default_value_t = 200)]
    history_runs: usize,
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
    let plans = verify::read_plans(&flags.plan, session)?;
    let given = evidence::read(session, &plans, &flags.results)?;
    for fault in &given.failures {
        session.output.warn(&fault.what());
    }
    let base = evidence::read_base(session, &flags.base_results);
    let judged = plans.iter().find_map(|plan| plan.run.as_deref());
    let scores = evidence::scores_or_none(session, flags.history_runs, judged);
    let planned = Planned::new(&given.plans).with_unplanned(&given.outcomes);
    let mut options = VerdictOptions { p_real_max: flags.p_real_max, ..VerdictOptions::default() };
    options.doubt.error_max = flags.error_max;
    options.unaccounted.clone_from(&given.verified.missing);
    let verdict = judge(&planned, &given.outcomes, base.as_ref(), &scores, &options);
    session.output.show(&verdict, people)?;
    Ok(match verdict.run {
        RunVerdict::Passed | RunVerdict::Flaky => Exit::DONE,
        RunVerdict::Failed => ErrorKind::Blocked.into(),
        RunVerdict::Incomplete => ErrorKind::Incomplete.into(),
        RunVerdict::Environment => ErrorKind::Environment.into(),
    })
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

fn people(verdict: &VerdictDocument) -> String {
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
    if verdict.tests.is_empty() {
        return text;
    }
    let mut tests: Vec<&TestVerdict> = verdict.tests.iter().collect();
    let weight = |test: &TestVerdict| match test.verdict {
        Word::Failed => 0,
        Word::Missing => 1,
        Word::Environment => 2,
        Word::Suspect => 3,
        _ => 4,
    };
    tests.sort_by_key(|test| weight(test));
    let row = |test: &&TestVerdict| {
        [
            serde_json::to_value(test.verdict)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
            test.p_real.map_or(String::new(), |p| format!("{p:.4}")),
            test.test.escape_debug().to_string(),
            test.evidence.clone(),
            test.reason.clone(),
        ]
    };
    text += "\n";
    text += &table(
        ["verdict", "P(real)", "test", "evidence", "reason"],
        &[1],
        tests.iter().take(SHOWN).map(row),
    );
    if tests.len() > SHOWN {
        let more = thousands((tests.len() - SHOWN) as u64);
        text += &format!("and {more} more (--json lists all)\n");
    }
    text
}
