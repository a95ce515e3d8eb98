//! `rasher explain`: what is known of a test, and why it sits where it sits.

use std::path::PathBuf;

use jiff::Timestamp;
use rasher::estimate::{Source, estimate};
use rasher::history::{History, TestHistory};
use rasher::plan::document::{BoundBy, GroupSpan, PlanDocument, ShardDocument};
use rasher::units::Micros;
use serde::Serialize;

use crate::fault::{Exit, Fault};
use crate::output::{count, span};
use crate::plans;
use crate::session::Session;
use crate::workload;

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The test's id, or a class or file
    #[arg(value_name = "TEST")]
    test: String,
    /// The plan to look in [default: the one kept for the CI's run]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
}

/// `rasher.explain/1`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    tests: Vec<Explained>,
}

/// One test.
#[derive(Debug, Serialize)]
struct Explained {
    test: String,
    estimate_ms: Micros,
    upper_ms: Micros,
    source: Source,
    history: Option<Past>,
    place: Option<Place>,
}

/// What history holds of a test.
#[derive(Debug, Serialize)]
struct Past {
    passes: u32,
    failures: u32,
    skips: u32,
    last_outcome: Option<&'static str>,
    last_seen_at: Option<Timestamp>,
    measured_at: Option<Timestamp>,
    recent_ms: Vec<Micros>,
}

/// Where a plan puts a test.
#[derive(Debug, Serialize)]
struct Place {
    plan: String,
    shard: u32,
    of: usize,
    shard_predicted_ms: Micros,
    /// From 1.
    position: usize,
    group: Option<String>,
    /// False where the group runs on several shards.
    group_whole: bool,
    is_longest_shard: bool,
    binds: bool,
    bound_by: BoundBy,
}

impl From<TestHistory> for Past {
    fn from(known: TestHistory) -> Self {
        Self {
            passes: known.passes,
            failures: known.failures,
            skips: known.skips,
            last_outcome: known.last_outcome.map(|outcome| outcome.word()),
            last_seen_at: known.last_seen_at,
            measured_at: known.measured_at,
            recent_ms: known.recent,
        }
    }
}

/// Explains.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let history = session.history()?;
    let plan = plans::given_or_kept(session, flags.plan.as_deref(), session.ci.run.as_deref())?;
    let planned = |name: &str| {
        plan.iter().flat_map(|plan| &plan.shards).any(|shard| shard.tests.iter().any(|t| t == name))
    };
    let list = workload::of_list(std::slice::from_ref(&flags.test), &history, &[]);
    if list.new > 0 && !planned(&flags.test) {
        return Err(unknown(&flags.test, &history, session));
    }
    let estimates = estimate(&history, &list.tests);
    let tests = list.tests.ids().map(|test| {
        let name = list.tests.name(test);
        Explained {
            test: name.to_owned(),
            estimate_ms: estimates.mean[test.index()],
            upper_ms: estimates.upper[test.index()],
            source: estimates.source[test.index()],
            history: history.test(name).map(Past::from),
            place: plan.as_ref().and_then(|plan| place(plan, name)),
        }
    });
    let document = Document { schema: "rasher.explain/1", tests: tests.collect() };
    session.output.show(&document, people)?;
    Ok(Exit::DONE)
}

fn unknown(test: &str, history: &History, session: &Session) -> Fault {
    let what = format!(
        "neither history of environment `{}` nor the plan knows `{test}`",
        session.environment
    );
    let all = history.tests().iter().chain(history.groups().iter());
    let near = all.map(|name| (strsim::jaro_winkler(test, name), name));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.8) {
        Some((_, name)) => Fault::usage(what).hint(format!("did you mean `{name}`?")),
        None => Fault::usage(what).hint("ids are written as `rasher shard` prints them"),
    }
}

fn place(plan: &PlanDocument, test: &str) -> Option<Place> {
    let found = |shard: &&ShardDocument| shard.tests.iter().any(|name| name == test);
    let shard = plan.shards.iter().find(found)?;
    let position = shard.tests.iter().position(|name| name == test)?;
    let group = group_at(shard, position);
    let binds =
        plan.bound_by.name == test || group.is_some_and(|group| group.group == plan.bound_by.name);
    Some(Place {
        plan: plan.id.clone(),
        shard: shard.index,
        of: plan.shards.len(),
        shard_predicted_ms: shard.predicted_ms,
        position: position + 1,
        group: group.map(|group| group.group.clone()),
        group_whole: group.is_none_or(|group| group.whole),
        is_longest_shard: shard.predicted_ms == plan.makespan_ms,
        binds,
        bound_by: plan.bound_by.clone(),
    })
}

fn group_at(shard: &ShardDocument, position: usize) -> Option<&GroupSpan> {
    let mut end = 0;
    shard.groups.iter().find(|group| {
        end += group.tests;
        position < end
    })
}

fn people(document: &Document) -> String {
    const SHOWN: usize = 20;
    let mut text: String = document.tests.iter().take(SHOWN).map(one).collect();
    if document.tests.len() > SHOWN {
        let more = count(document.tests.len() - SHOWN, "more test");
        text += &format!("and {more} (--json lists all)\n");
    }
    text
}

fn one(test: &Explained) -> String {
    let source = match test.source {
        Source::Own => "its own history",
        Source::Group => "the other tests of its class or file",
        Source::Suite => "the suite as a whole",
        Source::Default => "nothing: the default",
    };
    let mut text = format!(
        "{}\n  expected  {}, seldom above {}; from {source}\n",
        test.test,
        span(test.estimate_ms),
        span(test.upper_ms)
    );
    if let Some(past) = &test.history {
        let last = past.last_outcome.map_or(String::new(), |word| format!(", last {word}"));
        let at = past.last_seen_at.map_or(String::new(), |at| format!(" at {at}"));
        text += &format!(
            "  history   {} passed, {} failed, {} skipped{last}{at}\n",
            past.passes, past.failures, past.skips
        );
        if !past.recent_ms.is_empty() {
            let recent: Vec<String> = past.recent_ms.iter().map(|it| span(*it)).collect();
            text += &format!("  recent    {} (newest first)\n", recent.join(", "));
        }
    }
    if let Some(place) = &test.place {
        text += &placed(place);
    }
    text
}

fn placed(place: &Place) -> String {
    let longest = if place.is_longest_shard { ", the longest" } else { "" };
    let mut text = format!(
        "  shard     {}/{}, position {}; the shard takes {}{longest}\n",
        place.shard,
        place.of,
        place.position,
        span(place.shard_predicted_ms)
    );
    if let Some(group) = &place.group {
        let how = if place.group_whole {
            "stays together, so that its set-up is paid once"
        } else {
            "is split: kept whole it would stretch the run"
        };
        text += &format!("  class     {group} {how}\n");
    }
    let binds = if place.binds { "this is what bounds the run" } else { "bound by" };
    text + &format!("  bound     {binds}: {}\n", place.bound_by.name)
}
