//! The tests of a shard in the words of a test runner, one file per runner.
//!
//! Decides how a name is written so that the runner reads it back as it was. Never widens in
//! silence: where a runner cannot say what is meant, a notice says what will run instead. An empty
//! shard is never written as something a runner takes for "all".

mod go;
mod harness;
mod jvm;
mod nextest;
mod plain;
mod pytest;

use rasher::plan::document::{PlanDocument, ShardDocument};

use crate::fault::Fault;

/// A way to write a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Test ids, one a line
    Lines,
    /// Classes or files, one a line
    Classes,
    /// A document; the only format that takes every name
    Json,
    /// Patterns for Surefire's and Failsafe's includesFile
    Surefire,
    /// Patterns for Gradle's test filter (includeTestsMatching), one a line
    Gradle,
    /// Arguments for `pytest @FILE`
    Pytest,
    /// A filterset for `cargo nextest run -E`
    Nextest,
    /// For each call of `go test` a line: the pattern for -run, a space, the package
    Go,
    /// For the Rasher harness in a test JVM, which also takes tests that the plan does not know
    Harness,
}

/// One shard of a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'a> {
    pub(crate) plan: &'a PlanDocument,
    pub(crate) shard: &'a ShardDocument,
}

/// Neighbouring tests of one class or file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    /// The class or file; none where the plan names no groups.
    pub(crate) group: Option<&'a str>,
    /// False where other shards run other tests of the group.
    pub(crate) whole: bool,
    /// In order.
    pub(crate) tests: &'a [String],
}

/// What a runner is to read, and what people should know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) notices: Vec<String>,
}

impl<'a> Selection<'a> {
    /// The shard's tests by group.
    pub(crate) fn chunks(self) -> impl Iterator<Item = Chunk<'a>> {
        chunks(self.shard)
    }

    /// The groups' tests on all other shards.
    pub(crate) fn elsewhere(self) -> impl Iterator<Item = Chunk<'a>> {
        let here = self.shard.index;
        self.plan.shards.iter().filter(move |shard| shard.index != here).flat_map(chunks)
    }
}

fn chunks(shard: &ShardDocument) -> impl Iterator<Item = Chunk<'_>> {
    let mut from = 0;
    let spans = shard.groups.iter().map(move |span| {
        let to = (from + span.tests).min(shard.tests.len());
        let tests = &shard.tests[from..to];
        from = to;
        Chunk { group: Some(span.group.as_str()), whole: span.whole, tests }
    });
    let covered: usize = shard.groups.iter().map(|span| span.tests).sum();
    let rest = shard.tests.get(covered..).unwrap_or_default();
    spans.chain(rest.chunks(1).map(|tests| Chunk { group: None, whole: true, tests }))
}

/// Writes a shard.
///
/// # Errors
/// Where the format cannot hold a name of the shard.
pub(crate) fn write(selection: Selection<'_>, format: Format) -> Result<Written, Fault> {
    match format {
        Format::Lines => plain::lines(selection),
        Format::Classes => plain::classes(selection),
        Format::Json => plain::json(selection),
        Format::Surefire => jvm::surefire(selection),
        Format::Gradle => jvm::gradle(selection),
        Format::Pytest => pytest::write(selection),
        Format::Nextest => nextest::write(selection),
        Format::Go => go::write(selection),
        Format::Harness => harness::write(selection),
    }
}

/// One name a line; a name that holds a line end cannot be written so.
fn one_a_line<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<String, Fault> {
    let mut text = String::new();
    for name in names {
        if name.contains(['\n', '\r']) {
            let what = format!("the name `{}` holds a line end", name.escape_debug());
            return Err(Fault::usage(what).hint("`--format json` takes every name"));
        }
        text += name;
        text.push('\n');
    }
    Ok(text)
}

/// Adds a name that is not the one before it or any earlier one.
#[derive(Default)]
struct Distinct {
    seen: std::collections::HashSet<String>,
    list: Vec<String>,
}

impl Distinct {
    fn add(&mut self, name: String) {
        if self.seen.insert(name.clone()) {
            self.list.push(name);
        }
    }
}

#[cfg(test)]
mod tests;
