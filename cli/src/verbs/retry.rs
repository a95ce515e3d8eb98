//! `rasher retry`: from stored results to the next, smaller plan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rasher::attempt::Isolation;
use rasher::error::ErrorKind;
use rasher::estimate::{estimate, follow_renames};
use rasher::history::History;
use rasher::outcome::environment::Disturbance;
use rasher::plan::Terms;
use rasher::plan::document::PlanDocument;
use rasher::retry::{
    Again, Alarm, Demands, Planned, RetryEvidence, RetryLimits, RetryOptions, RetryRule, RetrySet,
    cases, outstanding,
};
use rasher::units::Micros;

use crate::clock;
use crate::constraints::{self, Sources};
use crate::evidence::{self, Given};
use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, to_json};
use crate::people::{self, People};
use crate::session::Session;
use crate::verbs::plan;
use crate::verbs::verdict::share;
use crate::verbs::verify::{self, Gone, Results};

/// Options of `retry`.
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
    /// `reshard` spreads what is outstanding anew; `replay` runs its shards again as planned, with
    /// the tests that ran before it
    #[arg(long, value_name = "MODE", default_value = "reshard")]
    mode: Mode,
    /// How many workers for a reshard [default: so many that it takes no longer than the plan]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    shards: Option<u32>,
    /// The time a reshard may take; chooses the workers [default: what the plan's budget keeps for
    /// retries, less the start-up]
    #[arg(long, value_name = "DURATION", conflicts_with = "shards")]
    deadline: Option<Micros>,
    /// Retry at most this many tests
    #[arg(long, value_name = "N")]
    max_tests: Option<usize>,
    /// Retry at most this share of the planned tests
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_share: Option<f64>,
    /// Retry at most this much test time, summed over workers
    #[arg(long, value_name = "DURATION")]
    max_time: Option<Micros>,
    /// Retry for at most this much money; needs `--price`
    #[arg(long, value_name = "MONEY", requires = "price", value_parser = amount)]
    max_cost: Option<f64>,
    /// What an hour of a worker costs
    #[arg(long, value_name = "MONEY", value_parser = amount)]
    price: Option<f64>,
    /// Plan this many rounds at once, to be run at the same time; needs `--out`, and writes the
    /// second as `NAME.2.json` and so on
    #[arg(long, value_name = "N", default_value_t = 1, requires = "out",
        value_parser = clap::value_parser!(u32).range(1..=10))]
    copies: u32,
    /// How a failing test is settled: `hypotheses` weighs five explanations, `closed-form` fixes a
    /// number of retries; `auto` takes the latter only where no run is known
    #[arg(long, value_name = "RULE", default_value = "auto")]
    rule: Rule,
    /// Of tests that always fail together retry the cheapest first; the others wait for it
    #[arg(long)]
    one_of_cluster: bool,
    /// Reports of a probe's tests run on the base commit
    #[arg(long, value_name = "PATH")]
    base_results: Vec<PathBuf>,
    /// Retry at once even where so much failed that a probe of ten tests should come first
    #[arg(long)]
    no_probe: bool,
    /// Retry every failure, even where the base shows that another one is the commit's: else those
    /// that hardly can be stay open, for the run is blocked whatever comes of them
    #[arg(long)]
    settle_all: bool,
    /// Write a plan of the tests to run once on the base commit: they go on failing, and
    /// `--base-results` of them tell whether the commit is to blame
    #[arg(long, value_name = "FILE")]
    base_out: Option<PathBuf>,
    #[command(flatten)]
    people: people::Flags,
    /// Attempts of one test at most, the first included
    #[arg(long, value_name = "N", default_value_t = 15,
        value_parser = clap::value_parser!(u32).range(1..))]
    max_attempts: u32,
    /// Pairs of a test and one that must run before it, a tab between, one pair a line: both run
    /// again, on one shard and in this order
    #[arg(long, value_name = "FILE")]
    needs: Option<PathBuf>,
    /// A class that runs whole or not at all: ordered or stateful
    #[arg(long, value_name = "CLASS")]
    whole: Vec<String>,
    #[command(flatten)]
    sources: Sources,
    /// Score tests by this many of the newest recorded runs only [default: all]
    #[arg(long, value_name = "N")]
    history_runs: Option<usize>,
    /// Write the plan to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a retry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Reshard,
    Replay,
}

/// Which rule settles a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Rule {
    Auto,
    Hypotheses,
    ClosedForm,
}

/// Money or a price, as a plain decimal.
fn amount(text: &str) -> Result<f64, String> {
    let value = text.trim().parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0);
    value.ok_or_else(|| format!("`{text}` is not an amount such as `2.50`"))
}

/// Plans the retry.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let plans = verify::read_plans(&flags.plan, session)?;
    let given = evidence::read(session, &plans, &flags.results, &flags.gone.names)?;
    Gone::say(session, &given.verified);
    for fault in &given.failures {
        session.output.warn(&fault.what());
    }
    let judged = given.recorded_as(session);
    let mut scores = evidence::scores_or_none(session, flags.history_runs, &judged);
    let history = session.history().unwrap_or_else(|fault| {
        session.output.warn(&format!("history cannot be used: {}", fault.what()));
        History::new(&*session.environment)
    });
    let planned = Planned::new(&given.plans).without(&given.verified.gone);
    follow_renames(&mut scores, planned.tests());
    let estimates = estimate(&history, planned.tests());
    let terms = terms(flags, session, &given)?;
    let mut demands = Demands::of(&terms.constraints, planned.tests());
    demands.whole.clone_from(&flags.whole);
    let cases = cases(&planned, &given.outcomes);
    let base = evidence::read_base(session, &flags.base_results);
    let known = RetryEvidence {
        scores: &scores,
        base: base.as_ref(),
        demands: &demands,
        durations: &estimates.mean,
    };
    let options = options(flags, quarantined(flags, session, &planned)?);
    let set = outstanding(&planned, &cases, &known, &options);
    let again = match flags.mode {
        Mode::Reshard => {
            Again::Reshard { shards: flags.shards, deadline: flags.deadline, terms: &terms }
        }
        Mode::Replay => Again::Replay,
    };
    let mut document = set
        .plan(&planned, &given.plans, &history, again)
        .map_err(|e| Fault::usage(e.to_string()))?
        .ok_or_else(|| Fault::usage("no plan was given"))?;
    if let Some(alarm) = &set.alarm {
        note_alarm(&mut document, alarm);
    }
    if let Some(path) = &flags.base_out {
        let anew = Again::Reshard { shards: None, deadline: None, terms: &terms };
        let control = for_base(&set).plan(&planned, &given.plans, &history, anew);
        let control = control.map_err(|e| Fault::usage(e.to_string()))?.map(as_control);
        files::write(path, to_json(&control)?.as_bytes())?;
    }
    write_copies(flags, &document)?;
    say(session, &set);
    session.output.show(&document, people)?;
    Ok(match set.alarm.and_then(|alarm| alarm.disturbance) {
        Some(Disturbance::Environment) => ErrorKind::Environment.into(),
        _ => Exit::DONE,
    })
}

/// The planned tests that are in quarantine now.
fn quarantined(
    flags: &Flags,
    session: &Session,
    planned: &Planned,
) -> Result<BTreeSet<String>, Fault> {
    let at = clock::now();
    Ok(People::load(&flags.people, session, at)?.shielded(planned.tests(), at))
}

/// The tests that are worth a run on the base: a probe as it is, else those that go on failing.
fn for_base(set: &RetrySet) -> RetrySet {
    let probes = set.alarm.as_ref().is_some_and(|alarm| alarm.disturbance.is_none());
    let tests = if probes { set.tests.clone() } else { set.controls.clone() };
    RetrySet { tests, ..RetrySet::default() }
}

/// Writes the plan and, as further rounds of it, its copies.
fn write_copies(flags: &Flags, document: &PlanDocument) -> Result<(), Fault> {
    let Some(path) = &flags.out else { return Ok(()) };
    let mut document = document.clone();
    for copy in 0..flags.copies {
        files::write(&copy_path(path, copy), to_json(&document)?.as_bytes())?;
        document.retry_of = Some(document.id.clone());
        document.seal();
    }
    Ok(())
}

/// A plan for another commit: no round of this run.
fn as_control(mut document: PlanDocument) -> PlanDocument {
    (document.run, document.retry_of, document.mode, document.settled) = (None, None, None, None);
    document.budget.rule = "control".to_owned();
    document.budget.why =
        "run once on the base commit; give the reports as `--base-results`".to_owned();
    document.seal();
    document
}

/// `plan.json`, then `plan.2.json`: a copy is the next round, planned ahead.
fn copy_path(path: &Path, copy: u32) -> PathBuf {
    if copy == 0 {
        return path.to_path_buf();
    }
    let number = (copy + 1).to_string();
    let extension =
        path.extension().map_or(number.clone(), |it| format!("{number}.{}", it.to_string_lossy()));
    path.with_extension(extension)
}

/// Says in the plan that it is a probe, or what a probe said.
fn note_alarm(document: &mut PlanDocument, alarm: &Alarm) {
    document.budget.rule = "probe".to_owned();
    document.budget.why = match alarm.disturbance {
        None => format!(
            "{} failures surprise, usual are at most {}: run these tests here and on the base \
             commit, then call `retry` again with `--base-results`",
            alarm.surprising, alarm.limit
        ),
        Some(Disturbance::Environment) => {
            "the environment failed, not the commit: run again later".to_owned()
        }
        Some(Disturbance::Wide) => "this commit broke much: no retry can help".to_owned(),
        Some(Disturbance::Transient) => "a mass failure that has passed".to_owned(),
        Some(_) => "a mass failure of several causes: single tests are retried".to_owned(),
    };
    document.seal();
}

fn options(flags: &Flags, quarantined: BTreeSet<String>) -> RetryOptions {
    let limits = RetryLimits::default();
    let isolation = match flags.mode {
        Mode::Reshard => Isolation::FreshWorker,
        Mode::Replay => Isolation::Replay,
    };
    let mut options = RetryOptions {
        limits: RetryLimits {
            tests_max: flags.max_tests.unwrap_or(limits.tests_max),
            share_max: flags.max_share.unwrap_or(limits.share_max),
            time_max: flags.max_time.unwrap_or(limits.time_max),
            cost_max: flags.max_cost.unwrap_or(limits.cost_max),
            price_per_hour: flags.price.unwrap_or(limits.price_per_hour),
            copies: flags.copies,
        },
        isolation,
        rule: match flags.rule {
            Rule::Auto => RetryRule::Auto,
            Rule::Hypotheses => RetryRule::Hypotheses,
            Rule::ClosedForm => RetryRule::ClosedForm,
        },
        one_of_cluster: flags.one_of_cluster,
        ignore_alarm: flags.no_probe,
        settle_all: flags.settle_all,
        quarantined,
        ..RetryOptions::default()
    };
    options.doubt.attempts_max = flags.max_attempts;
    options
}

/// What the plan, `rasher.toml` and the caller say that holds for its tests.
fn terms(flags: &Flags, session: &Session, given: &Given) -> Result<Terms, Fault> {
    let mut spec = constraints::spec(&flags.sources, session)?;
    let Some(path) = &flags.needs else { return Ok(Terms::of(&given.plans).with(spec)) };
    let planned = Planned::new(&given.plans);
    let bytes = files::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}:{}", path.display(), number + 1);
        let Some((test, first)) = line.split_once('\t') else {
            return Err(Fault::usage("no tab between a test and what it needs").at(place()));
        };
        for name in [test, first] {
            if planned.tests().find(name).is_none() {
                return Err(Fault::usage(format!("`{name}` is not in the plan")).at(place()));
            }
        }
        spec.before.push(vec![first.to_owned(), test.to_owned()]);
    }
    Ok(Terms::of(&given.plans).with(spec))
}

fn say(session: &Session, set: &RetrySet) {
    if let Some(alarm) = &set.alarm {
        let word = match alarm.disturbance {
            None => "run the probe here and on the base commit, then retry with --base-results",
            Some(Disturbance::Environment) => "the base fails alike: the environment is to blame",
            Some(Disturbance::Wide) => "the base does not fail: this commit broke much",
            Some(_) => "it has passed, or has several causes: single tests are retried",
        };
        session.output.warn(&format!(
            "mass failure: {} failures surprise, usual are at most {}; {word}",
            alarm.surprising, alarm.limit
        ));
    }
    if set.tests.is_empty() && set.over_limit == 0 && set.alarm.is_none() {
        session.output.say("nothing to do: every planned test is settled");
        return;
    }
    if !set.controls.is_empty() {
        let what = match set.controls.len() {
            1 => "1 test goes on failing: run it once on the base commit".to_owned(),
            many => format!("{many} tests go on failing: run them once on the base commit"),
        };
        let how = "(--base-out plans that), and give the reports as --base-results";
        session.output.say(&format!("{what} {how}"));
    }
    if set.demanded > 0 {
        let demanded = count(set.demanded, "test");
        session.output.say(&format!("{demanded} run again because others demand them"));
    }
    if set.over_limit > 0 {
        session.output.warn(&format!(
            "{} stay outstanding: the limit of this retry leaves them out",
            count(set.over_limit, "test")
        ));
    }
}

fn people(document: &PlanDocument) -> String {
    let mut text = plan::people(document);
    for note in &document.notes {
        text += &format!("\nnote: {}", note.escape_debug());
    }
    let settled = document.settled.as_deref().unwrap_or_default();
    let passed = settled.iter().filter(|it| it.reason == "passed").count();
    text += &format!("\n{} settled: {passed} passed\n", count(settled.len(), "test"));
    for it in settled.iter().filter(|it| it.reason != "passed").take(20) {
        text += &format!("  {}: {}\n", it.test.escape_debug(), it.reason);
    }
    text
}
