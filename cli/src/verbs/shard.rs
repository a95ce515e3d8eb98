//! `rasher shard`: what one worker is to run, in the words of its runner.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use rasher::plan::document::PlanDocument;

use crate::fault::{Exit, Fault};
use crate::formats::{self, Format, Selection};
use crate::plans;
use crate::session::Session;

/// Options of `shard`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Which shard of how many, from 1 [default: the CI's]
    #[arg(value_name = "I/N")]
    shard: Option<Place>,
    /// The plan [default: the one kept for the CI's run]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// For which runner
    #[arg(long, value_enum, value_name = "NAME", default_value = "lines")]
    format: Format,
    /// The run whose kept plan to follow [default: the CI's]
    #[arg(long, value_name = "ID")]
    run: Option<String>,
}

/// One worker of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    index: u32,
    total: u32,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, total)| {
            Some(Self { index: index.trim().parse().ok()?, total: total.trim().parse().ok()? })
        });
        match numbers {
            Some(place) if (1..=place.total).contains(&place.index) => Ok(place),
            Some(_) => Err("shards count from 1 to N".to_owned()),
            None => Err("a shard is written I/N, such as 3/8".to_owned()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}

/// Prints the shard.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let output = session.output;
    let node = session.ci.node.map(|node| Place { index: node.index, total: node.total });
    let place = session.settle("the shard", flags.shard, node).ok_or_else(|| {
        Fault::usage("which shard?").hint("say `rasher shard I/N`; no CI variable tells it")
    })?;
    if flags.shard.is_none()
        && let Some(node) = session.ci.node
    {
        output.say(&format!("shard {place}, by {}", node.variable));
    }
    let run = session.settle("--run", flags.run.clone(), session.ci.run.clone());
    let plan = plans::given_or_kept(session, flags.plan.as_deref(), run.as_deref())?
        .ok_or_else(|| no_plan(session, run.as_deref()))?;
    let selection = select(&plan, place)?;
    let format = if output.json() { Format::Json } else { flags.format };
    let written = formats::write(selection, format)?;
    for notice in &written.notices {
        output.warn(notice);
    }
    if selection.shard.tests.is_empty() {
        output.say(&format!("shard {place} has no tests: nothing to run, and that is success"));
    }
    output.raw(&written.text)?;
    Ok(Exit::DONE)
}

fn select(plan: &PlanDocument, place: Place) -> Result<Selection<'_>, Fault> {
    let shard = plan.shards.iter().find(|shard| shard.index == place.index);
    match shard {
        Some(shard) if plan.shards.len() == place.total as usize => Ok(Selection { plan, shard }),
        _ => {
            let what = format!("shard {place} of a plan of {} shards", plan.shards.len());
            Err(Fault::usage(what).hint(
                "plan for as many workers as there are: others would leave tests out or run \
                 them twice",
            ))
        }
    }
}

/// A later attempt must follow the plan of the first: what it would plan anew could leave out what
/// the other workers rely on it to run.
fn no_plan(session: &Session, run: Option<&str>) -> Fault {
    let place = run.map_or_else(
        || "no run is known to look for one".to_owned(),
        |run| format!("none at {}", plans::kept_path(session, run).display()),
    );
    match session.ci.attempt {
        Some(attempt) if attempt > 1 => Fault::usage(format!(
            "this is attempt {attempt} at the run and there is no plan to follow: a worker that \
             planned anew could leave out tests that count as run"
        ))
        .at(place)
        .hint("give the plan of the first attempt with `--plan FILE`, kept as an artifact"),
        _ => Fault::usage("there is no plan to follow")
            .at(place)
            .hint("make one with `rasher plan --out FILE` and give it with `--plan FILE`"),
    }
}
