//! What a plan may not do and what it keeps: constraints from `rasher.toml` and other tools' files,
//! an earlier plan, the order inside a shard.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rasher::attempt::Outcome;
use rasher::constraint::import::{Unread, facts, idoft};
use rasher::constraint::{ConstraintSpec, Constraints};
use rasher::history::History;
use rasher::plan::{PlanOptions, Previous, RunOrder};
use rasher::test_id::{TestSet, TestTable};

use crate::fault::Fault;
use crate::files;
use crate::output::count;
use crate::plans;
use crate::session::Session;

/// Options that shape a plan beside its size.
#[derive(Debug, clap::Args)]
pub(crate) struct Shape {
    /// Repair this earlier plan: few tests change their shard
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// What runs first in a shard
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = First::Risk)]
    first: First,
    /// The share of a shard that no idle worker may take over, such as `60%` [default: all of it]
    #[arg(long, value_name = "SHARE", value_parser = permille)]
    fixed: Option<u32>,
    /// How many tests a worker runs at a time
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=4096))]
    slots: u32,
    #[command(flatten)]
    sources: Sources,
}

/// Where constraints come from beside `rasher.toml`.
#[derive(Debug, clap::Args)]
pub(crate) struct Sources {
    /// Facts about tests, one a line: test, fact and value parted by tabs (`dependsOnMethods`,
    /// `dependsOnGroups`, `groups`, `ResourceLock`, `Isolated`)
    #[arg(long, value_name = "FILE")]
    facts: Vec<PathBuf>,
    /// Order-dependent tests as iDoFT lists them (CSV): victims are kept apart from polluters,
    /// brittle tests follow what sets their state up
    #[arg(long, value_name = "FILE")]
    order_dependent: Vec<PathBuf>,
}

/// What runs first in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum First {
    /// What may take longest
    Risk,
    /// What failed when it last ran
    Failed,
}

fn permille(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is not a share such as `60%` or `62.5%`");
    let share: f64 = text.strip_suffix('%').and_then(|it| it.parse().ok()).ok_or_else(wrong)?;
    if (0.0..=100.0).contains(&share) { Ok((share * 10.0).round() as u32) } else { Err(wrong()) }
}

/// The options of a plan for these tests, but for its workers, and the constraints as they were
/// said.
pub(crate) fn options(
    flags: &Shape,
    session: &Session,
    tests: &TestTable,
) -> Result<(PlanOptions, ConstraintSpec), Fault> {
    let mut options = PlanOptions::new(1);
    let spec = spec(&flags.sources, session)?;
    options.constraints = constraints(&spec, session, tests)?;
    options.slots = flags.slots;
    options.fixed_permille = flags.fixed;
    if flags.first == First::Failed {
        options.order = RunOrder::FailedFirst;
    }
    if let Some(path) = &flags.previous {
        options.previous = Some(Previous::of(&plans::read(path)?, tests));
    }
    Ok((options, spec))
}

/// The tests that failed when they last ran; none where that orders nothing.
pub(crate) fn failed(flags: &Shape, history: &History, tests: &TestTable) -> TestSet {
    let mut failed = TestSet::with_len(tests.len());
    for test in tests.ids().filter(|_| flags.first == First::Failed) {
        let last = history.test(tests.name(test)).and_then(|known| known.last_outcome);
        if last.is_some_and(Outcome::is_failure) {
            failed.insert(test);
        }
    }
    failed
}

/// Constraints as rasher.toml and the files of other tools state them.
pub(crate) fn spec(flags: &Sources, session: &Session) -> Result<ConstraintSpec, Fault> {
    let section = session.config.as_ref().map(|file| file.section("constraints")).transpose()?;
    let mut spec: ConstraintSpec = section.flatten().unwrap_or_default();
    for path in &flags.facts {
        spec.merge(import(session, path, facts)?);
    }
    for path in &flags.order_dependent {
        spec.merge(import(session, path, |text| idoft(text, None))?);
    }
    Ok(spec)
}

/// The same, found in a workload.
fn constraints(
    spec: &ConstraintSpec,
    session: &Session,
    tests: &TestTable,
) -> Result<Constraints, Fault> {
    let found = Constraints::resolve(spec, tests).map_err(|e| Fault::usage(e.to_string()))?;
    if let Some(first) = found.unknown.first() {
        session.output.say(&format!(
            "{} of the constraints not in this workload, such as `{first}`",
            count(found.unknown.len(), "name")
        ));
    }
    Ok(found)
}

/// Reads a file of another tool; a line that says nothing costs that line.
fn import(
    session: &Session,
    path: &Path,
    read: impl Fn(&str) -> (ConstraintSpec, Vec<Unread>),
) -> Result<ConstraintSpec, Fault> {
    let bytes = files::read(path)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Fault::usage("constraints are text in UTF-8").at(path.display()))?;
    let (spec, unread) = read(text);
    for Unread { line, what } in &unread {
        session.output.warn(&format!("{}:{line}: {what}", path.display()));
    }
    Ok(spec)
}
