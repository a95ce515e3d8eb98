//! What `rasher explain` tells people.

use rasher::constraint::{Bond, BondKind};
use rasher::estimate::Source;

use super::{Document, Explained, Flake, Past, Place, PlanBinds};
use crate::output::{count, span};

/// The tests, then what binds the plan.
pub(super) fn people(document: &Document) -> String {
    const SHOWN: usize = 20;
    let mut text: String = document.tests.iter().take(SHOWN).map(one).collect();
    if document.tests.len() > SHOWN {
        let more = count(document.tests.len() - SHOWN, "more test");
        text += &format!("and {more} (--json lists all)\n");
    }
    match &document.plan {
        Some(plan) => text + &plan_lines(plan),
        None => text + "no plan was given (--plan FILE): where it sits is not known\n",
    }
}

/// A line of the table: what, then what is known.
fn line(what: &str, known: &str) -> String {
    format!("  {what:<9} {known}\n")
}

fn one(test: &Explained) -> String {
    let source = match test.source {
        Source::Own => "its own history",
        Source::Renamed => "the history of a test that is gone, most likely this one",
        Source::Borrowed => "its history in another environment",
        Source::Group => "the other tests of its class or file",
        Source::Suite => "the suite as a whole",
        Source::Default => "nothing: the default",
    };
    let (mean, upper) = (span(test.estimate_ms), span(test.upper_ms));
    let mut text = format!("{}\n", test.test.escape_debug());
    text += &line("expected", &format!("{mean}, seldom above {upper}; from {source}"));
    text += &test.history.as_ref().map_or_else(
        || line("history", "none: it is new, or was never recorded in this environment"),
        past,
    );
    text += &test.flake.as_ref().map_or(String::new(), flake);
    if let Some(group) = &test.group {
        let setup = test.group_setup_ms.filter(|setup| !setup.is_zero());
        let setup = setup.map_or("no set-up known".to_owned(), |it| format!("set-up {}", span(it)));
        text += &line("class", &format!("{}, {setup}", group.escape_debug()));
    }
    text += &test.constraints.iter().map(bond).collect::<String>();
    text + &test.place.as_ref().map_or(String::new(), placed)
}

fn past(past: &Past) -> String {
    let last = past.last_outcome.map_or(String::new(), |word| format!(", last {word}"));
    let at = past.last_seen_at.map_or(String::new(), |at| format!(" at {at}"));
    let (passes, failures, skips) = (past.passes, past.failures, past.skips);
    let mut text =
        line("history", &format!("{passes} passed, {failures} failed, {skips} skipped{last}{at}"));
    if !past.recent_ms.is_empty() {
        let recent: Vec<String> = past.recent_ms.iter().map(|it| span(*it)).collect();
        text += &line("recent", &format!("{} (newest first)", recent.join(", ")));
    }
    text
}

fn flake(flake: &Flake) -> String {
    let flag = if flake.flagged { "flagged as flaky" } else { "not flagged as flaky" };
    line(
        "flaky",
        &format!(
            "{flag}: fails {:.4} of its runs without cause, P(flaky) {:.2}, P(broken) {:.2}; {} of {} runs failed: {}",
            flake.score, flake.p_flaky, flake.p_broken, flake.failures, flake.runs, flake.last_runs
        ),
    )
}

fn bond(bond: &Bond) -> String {
    const SHOWN: usize = 5;
    let mut with: Vec<String> = bond.with.iter().take(SHOWN).map(|it| format!("`{it}`")).collect();
    if bond.with.len() > SHOWN {
        with.push(format!("{} more", bond.with.len() - SHOWN));
    }
    let (with, name) = (with.join(", "), bond.name.as_deref().unwrap_or_default());
    let said = match bond.kind {
        BondKind::Together => format!("stays on one shard with {with}"),
        BondKind::Apart => format!("never on one shard with {with}"),
        BondKind::After => format!("runs on the same shard after {with}"),
        BondKind::Before => format!("runs on the same shard before {with}"),
        BondKind::Resource if with.is_empty() => format!("holds the resource `{name}` alone"),
        BondKind::Resource => format!("holds the resource `{name}`, on one shard with {with}"),
        BondKind::Serial => "runs alone on its machine".to_owned(),
        BondKind::Tag => format!("runs only in pools with the tag `{name}`"),
    };
    line("bound to", &said)
}

fn placed(place: &Place) -> String {
    let at = &place.at;
    let longest = if at.is_longest_shard { ", the longest" } else { "" };
    let pool = at.pool.as_ref().map_or(String::new(), |pool| format!(" in pool {pool}"));
    let lane = at.lane.map_or(String::new(), |lane| format!(", lane {lane}"));
    let fixed = if at.fixed { "" } else { "; an idle worker may take it over" };
    let mut text = line(
        "shard",
        &format!(
            "{}/{}{pool}, position {} of {}{lane}; the shard takes {}{longest}{fixed}",
            at.shard,
            at.of,
            at.position,
            at.shard_tests,
            span(at.shard_predicted_ms)
        ),
    );
    if at.group.is_some() {
        let here = count(at.group_tests_here, "test");
        text += &line(
            "",
            &match at.group_whole {
                true => {
                    format!("its class stays together ({here}), so that its set-up is paid once")
                }
                false => format!(
                    "its class is split over {} ({here} here): kept whole it would stretch the run",
                    count(at.group_shards.len(), "shard")
                ),
            },
        );
    }
    if let Some(other) = &place.elsewhere {
        text += &line(
            "",
            &format!(
                "on shard {}, the shortest other one, that one would take {} and the run {}",
                other.shard,
                span(other.shard_ms),
                span(other.makespan_ms)
            ),
        );
    }
    if at.binds {
        text += &line("", "this is what bounds the run");
    }
    text
}

fn plan_lines(plan: &PlanBinds) -> String {
    let name = plan.bound_by.name.escape_debug();
    let (run, least) = (span(plan.makespan_ms), span(plan.lower_bound_ms));
    let gap = plan.gap * 100.0;
    let mut text = format!("plan {}\n", plan.id);
    text +=
        &line("run", &format!("takes {run}; none can be shorter than {least} (gap {gap:.4} %)"));
    text += &line("bound by", &name.to_string());
    if let Some(reasons) = &plan.reasons {
        if let Some(bound) = reasons.bound_if_split_ms {
            let bound = span(bound);
            text +=
                &line("if split", &format!("cut into small pieces, the bound would be {bound}"));
        }
        text += &line(
            "work",
            &format!(
                "{}; {} split, {} of set-up paid again for that",
                span(reasons.work_ms),
                match reasons.split_groups {
                    0 => "no class".to_owned(),
                    1 => "1 class".to_owned(),
                    n => format!("{n} classes"),
                },
                span(reasons.repeated_setup_ms)
            ),
        );
    }
    if let Some(most) = plan.useful_workers_max {
        let has = count(plan.workers, "worker");
        text += &line("workers", &format!("it has {has}; more than {most} cannot help"));
    }
    text
}
