//! Formats of no runner: lists and the document.

use rasher::plan::document::GroupSpan;
use rasher::units::Micros;
use serde::Serialize;

use super::{Distinct, Selection, Written, one_a_line};
use crate::fault::Fault;
use crate::output::{count, to_json};

/// `rasher.shard/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    plan: &'a str,
    run: Option<&'a str>,
    index: u32,
    of: usize,
    pool: Option<&'a str>,
    predicted_ms: Micros,
    tests: &'a [String],
    groups: &'a [GroupSpan],
}

pub(super) fn json(selection: Selection<'_>) -> Result<Written, Fault> {
    let Selection { plan, shard } = selection;
    let document = Document {
        schema: "rasher.shard/1",
        plan: &plan.id,
        run: plan.run.as_deref(),
        index: shard.index,
        of: plan.shards.len(),
        pool: shard.pool.as_deref(),
        predicted_ms: shard.predicted_ms,
        tests: &shard.tests,
        groups: &shard.groups,
    };
    Ok(Written { text: to_json(&document)?, notices: Vec::new() })
}

pub(super) fn lines(selection: Selection<'_>) -> Result<Written, Fault> {
    let text = one_a_line(selection.shard.tests.iter().map(String::as_str))?;
    Ok(Written { text, notices: Vec::new() })
}

/// The groups in order. A split one stands on every shard that has a part of it.
pub(super) fn classes(selection: Selection<'_>) -> Result<Written, Fault> {
    let mut names = Distinct::default();
    let mut split = 0;
    for chunk in selection.chunks() {
        split += usize::from(!chunk.whole);
        let own = chunk.tests.first().map(|test| super::jvm::class_of(None, test));
        if let Some(name) = chunk.group.or(own) {
            names.add(name.to_owned());
        }
    }
    let text = one_a_line(names.list.iter().map(String::as_str))?;
    let notices = (split > 0).then(|| {
        let classes = count(split, "class");
        format!(
            "{classes} of this shard run in part on other shards: a list of classes cannot say that"
        )
    });
    Ok(Written { text, notices: notices.into_iter().collect() })
}
