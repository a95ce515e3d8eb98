//! `rasher verify`: proof that every planned test has a result of its own.

use std::path::PathBuf;
use std::str::FromStr;

use rasher::error::ErrorKind;
use rasher::outcome::ledger::{Ledger, LedgerError, Rules, Verification};
use rasher::plan::document::PlanDocument;

use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::output::{count, thousands};
use crate::plans;
use crate::reports;
use crate::session::Session;
use crate::verbs::record;

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The plan; give it again for each retry [default: the one kept for the CI's run]
    #[arg(long, value_name = "FILE")]
    plan: Vec<PathBuf>,
    /// Reports of the run: files, folders, patterns; those of a later attempt as `2=PATH`
    #[arg(long, required = true, value_name = "[ATTEMPT=]PATH")]
    results: Vec<Results>,
    /// Tests that were run but not planned do not make the run incomplete
    #[arg(long)]
    accept_unknown: bool,
    /// Several rows of one name in one report are cases that their runner gives one name
    #[arg(long)]
    accept_repeated: bool,
    #[command(flatten)]
    gone: Gone,
}

/// Tests that were deleted or renamed since the plan's evidence was recorded.
#[derive(Debug, clap::Args)]
pub(crate) struct Gone {
    /// A planned test, or a class, that is no longer there: it was deleted or renamed. Counts only
    /// where it was never reported and nothing broke off on its shard; may be repeated
    #[arg(long = "gone", value_name = "TEST")]
    pub(crate) names: Vec<String>,
}

impl Gone {
    /// Says which of the names did not count.
    pub(crate) fn say(session: &Session, verified: &Verification) {
        for name in &verified.not_gone {
            session.output.warn(&format!(
                "`{}` does not count as gone: it was reported, is not planned, or its shard \
                 reported nothing or broke off",
                name.escape_debug()
            ));
        }
    }
}

impl Flags {
    /// What to say where tests are no longer there, as a command.
    fn ask(&self, verified: &Verification) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
        let mut command = "rasher verify".to_owned();
        for plan in &self.plan {
            command += &format!(" --plan {}", quoted(&plan.display().to_string()));
        }
        for Results { attempt, path } in &self.results {
            command += &format!(" --results {}", quoted(&format!("{attempt}={}", path.display())));
        }
        let named = verified.vanished.iter().take(20);
        for name in self.gone.names.iter().chain(named) {
            command += &format!(" --gone {}", quoted(name));
        }
        format!(
            "{} of the missing may no longer be there: others of their class reported without \
             them. Where they were deleted or renamed, and not left out by a filter, say so:\n  \
             {}",
            thousands(verified.vanished.len() as u64),
            command.escape_debug().to_string().replace("\\'", "'")
        )
    }
}

/// Reports of one attempt at a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Results {
    /// From 1.
    pub(crate) attempt: u16,
    /// A file, folder or pattern.
    pub(crate) path: PathBuf,
}

impl FromStr for Results {
    type Err = String;

    /// Reads `PATH` or `2=PATH`.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((number, path)) = text.split_once('=') else {
            return Ok(Self { attempt: 1, path: text.into() });
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self { attempt: 1, path: text.into() });
        }
        match number.parse() {
            Ok(attempt) if attempt > 0 && !path.is_empty() => {
                Ok(Self { attempt, path: path.into() })
            }
            _ => Err("attempts count from 1, as in `2=PATH`".to_owned()),
        }
    }
}

/// Verifies.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let plans = read_plans(&flags.plan, session)?;
    let wrong = |e: LedgerError| Fault::usage(e.to_string());
    let rules =
        Rules { accept_unknown: flags.accept_unknown, accept_repeated: flags.accept_repeated };
    let paths: Vec<PathBuf> = flags.results.iter().map(|results| results.path.clone()).collect();
    let read = reports::read(&paths, session.output);
    let gone = evidence::believed(session, &flags.gone.names, &read);
    let mut ledger = Ledger::open(&plans).map_err(wrong)?.with_rules(rules).with_gone(gone);
    record::say_problems(session, &read.problems);
    for file in &read.files {
        let attempt = flags.results[file.asked].attempt;
        ledger.report(attempt, &read.recording, file.attempts.clone()).map_err(wrong)?;
    }
    let verified = ledger.close();
    if !verified.repeated.is_empty() && !flags.accept_repeated {
        session.output.say(
            "one report tells a test several times: where its runner gives several cases one \
             name, say --accept-repeated",
        );
    }
    Gone::say(session, &verified);
    if !verified.vanished.is_empty() {
        session.output.say(&flags.ask(&verified));
    }
    session.output.show(&verified, people)?;
    let mut failures = read.failures.into_iter();
    match (verified.complete, failures.next()) {
        (true, None) => Ok(Exit::DONE),
        (true, Some(fault)) => Err(fault),
        (false, fault) => {
            for fault in fault.into_iter().chain(failures) {
                session.output.warn(&fault.what());
            }
            Ok(ErrorKind::Incomplete.into())
        }
    }
}

/// The plans given, else the one kept for the CI's run.
pub(crate) fn read_plans(paths: &[PathBuf], session: &Session) -> Result<Vec<PlanDocument>, Fault> {
    if !paths.is_empty() {
        return paths.iter().map(|path| plans::read(path)).collect();
    }
    let kept = plans::given_or_kept(session, None, session.ci.run.as_deref())?;
    let none =
        || Fault::usage("which plan?").hint("say `--plan FILE`; none is kept for a run of the CI");
    Ok(vec![kept.ok_or_else(none)?])
}

fn people(verified: &Verification) -> String {
    let mut text = format!(
        "{} of {} have a result of their own ({} skipped, {} failed)\n",
        thousands(verified.accepted as u64),
        count(verified.planned, "planned test"),
        thousands(verified.skipped as u64),
        thousands(verified.failed as u64),
    );
    for silent in &verified.silent_shards {
        let tests = count(silent.tests, "test");
        text += &format!("shard {} reported none of its {tests}\n", silent.shard);
    }
    for (what, tests) in [
        ("missing: planned, no result that counts", &verified.missing),
        ("gone: planned, and said to be no longer there", &verified.gone),
        ("stale: reported only before the newest plan of them", &verified.stale),
        ("duplicate: reported twice in one attempt", &verified.duplicate),
        ("unknown: reported, not planned", &verified.unknown),
    ] {
        text += &some(what, tests);
    }
    text + if verified.complete { "complete\n" } else { "INCOMPLETE\n" }
}

/// The first few of a list; all of it is in the document.
fn some(what: &str, tests: &[String]) -> String {
    const SHOWN: usize = 10;
    if tests.is_empty() {
        return String::new();
    }
    let mut text = format!("{} {what}\n", thousands(tests.len() as u64));
    for test in tests.iter().take(SHOWN) {
        text += &format!("  {}\n", test.escape_debug());
    }
    if tests.len() > SHOWN {
        text +=
            &format!("  and {} more (--json lists all)\n", thousands((tests.len() - SHOWN) as u64));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_may_name_their_attempt() {
        let read = |text: &str| text.parse::<Results>().map(|it| (it.attempt, it.path));
        assert_eq!(read("a/b"), Ok((1, "a/b".into())));
        assert_eq!(read("2=a/b"), Ok((2, "a/b".into())));
        assert_eq!(read("x=1/b"), Ok((1, "x=1/b".into())));
        for wrong in ["0=a", "2=", "99999999=a"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
