//! A test after some of those that ran before it: the experiment that finds who pollutes it.
//!
//! Decides what the plan of such an experiment holds. Never which of the others are suspects: that
//! is `culprit`'s.

use super::again::note_replay;
use crate::estimate::estimate;
use crate::history::History;
use crate::plan::document::{GroupSpan, PlanDocument};
use crate::test_id::TestTable;
use crate::units::Micros;

/// Where a test stands: its shard, and the tests of it that run before it on its lane.
fn place<'p>(plan: &'p PlanDocument, test: &str) -> Option<(usize, &'p [String])> {
    plan.shards.iter().enumerate().find_map(|(at, shard)| {
        let position = shard.tests.iter().position(|name| name == test)?;
        Some((at, shard.tests.get(shard.lane_start(position)..position)?))
    })
}

/// The tests that a plan runs before `test` on its worker, in their order; `None` where it does not
/// hold the test. O(n).
pub fn before<'p>(plan: &'p PlanDocument, test: &str) -> Option<&'p [String]> {
    place(plan, test).map(|(_, before)| before)
}

/// The plan that runs `test` on one worker after those of the tests [`before`] it that `keep` names
/// by their place, as a retry of `last`. `None` where `first` does not hold the test.
pub fn after_some(
    (first, last): (&PlanDocument, &PlanDocument),
    test: &str,
    keep: impl Fn(usize) -> bool,
    history: &History,
) -> Option<PlanDocument> {
    let (at, before) = place(first, test)?;
    let mut document = first.clone();
    let mut shard = document.shards.swap_remove(at);
    let mut tests = TestTable::new();
    let group_of = groups(&shard.tests, &shard.groups);
    let start = shard.tests.iter().position(|name| name == test)? - before.len();
    let wanted = (0..before.len()).filter(|place| keep(*place)).chain([before.len()]);
    for place in wanted.map(|place| start + place) {
        tests.intern(&shard.tests[place], group_of.get(place).copied());
    }
    let estimates = estimate(history, &tests);
    let setups = tests.group_ids().map(|group| estimates.setup[group.index()]);
    shard.setup_ms = setups.sum();
    shard.predicted_ms = estimates.mean.iter().copied().sum::<Micros>() + shard.setup_ms;
    shard.groups = spans(&tests);
    shard.tests = tests.ids().map(|test| tests.name(test).to_owned()).collect();
    (shard.index, shard.fixed_tests) = (1, None);
    shard.lanes.clear();
    document.shards = vec![shard];
    note_replay(&mut document);
    document.budget.why = format!("`{test}` after some of the tests that ran before it");
    document.settled = None;
    document.retry_of = Some(last.id.clone());
    document.seal();
    Some(document)
}

/// The group of each test of a shard.
fn groups<'s>(tests: &[String], spans: &'s [GroupSpan]) -> Vec<&'s str> {
    let mut groups = Vec::with_capacity(tests.len());
    for span in spans {
        groups.resize(groups.len() + span.tests, span.group.as_str());
    }
    groups
}

/// Neighbours of one group as spans.
fn spans(tests: &TestTable) -> Vec<GroupSpan> {
    let mut spans: Vec<GroupSpan> = Vec::new();
    for test in tests.ids() {
        let Some(group) = tests.group(test).map(|group| tests.group_name(group)) else { continue };
        match spans.last_mut() {
            Some(span) if span.group == group => span.tests += 1,
            _ => spans.push(GroupSpan { group: group.to_owned(), tests: 1, whole: false }),
        }
    }
    spans
}
