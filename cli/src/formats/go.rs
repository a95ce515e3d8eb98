//! Lines for `go test -run PATTERN PACKAGE`. Ids are `package#Test/subtest`.
//!
//! `-run` splits its pattern at `/` and matches level by level, so alternatives of several depths
//! cannot stand in one pattern: each parent of subtests gets a line of its own.

use std::collections::{BTreeMap, HashSet};

use super::{Selection, Written, one_a_line};
use crate::fault::Fault;

/// Matches no test: a name is never empty.
const NOTHING: &str = "^$";

pub(super) fn write(selection: Selection<'_>) -> Result<Written, Fault> {
    let elsewhere: HashSet<&str> =
        selection.elsewhere().flat_map(|chunk| chunk.tests.iter().map(String::as_str)).collect();
    let mut packages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in &selection.shard.tests {
        let (package, test) = split(id);
        packages.entry(package).or_default().push(test);
    }
    let mut lines = Vec::new();
    for (package, tests) in packages {
        let split_tests: HashSet<&str> = elsewhere
            .iter()
            .map(|id| split(id))
            .filter(|(of, _)| *of == package)
            .flat_map(|(_, test)| ancestors(test))
            .collect();
        for pattern in patterns(&tests, &split_tests) {
            let line = if package.is_empty() { pattern } else { format!("{pattern} {package}") };
            lines.push(line);
        }
    }
    if lines.is_empty() {
        lines.push(NOTHING.to_owned());
    }
    let text = one_a_line(lines.iter().map(String::as_str))?;
    Ok(Written { text, notices: Vec::new() })
}

fn split(id: &str) -> (&str, &str) {
    id.split_once('#').unwrap_or(("", id))
}

/// `a/b/c` has `a` and `a/b`.
fn ancestors(test: &str) -> impl Iterator<Item = &str> {
    test.match_indices('/').map(|(at, _)| &test[..at])
}

/// Patterns for tests of one package. `split` are the parents that have subtests elsewhere: naming
/// one would run those too.
fn patterns(tests: &[&str], split: &HashSet<&str>) -> Vec<String> {
    let here: HashSet<&str> = tests.iter().copied().collect();
    let mut by_parent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut alone: Vec<&str> = Vec::new();
    let covered = |test: &str| ancestors(test).any(|up| here.contains(up) && !split.contains(up));
    for test in tests.iter().copied().filter(|test| !covered(test)) {
        if split.contains(test) {
            alone.push(test);
        } else {
            let parent = test.rsplit_once('/').map_or("", |(parent, _)| parent);
            by_parent.entry(parent).or_default().push(test);
        }
    }
    // A split parent whose subtests here are named runs on their way.
    alone.retain(|test| !by_parent.keys().any(|parent| is_under(parent, test)));
    let named = by_parent.into_iter().map(|(parent, tests)| {
        let last: Vec<String> = tests.iter().map(|test| quote(last_part(test))).collect();
        let last = match &last[..] {
            [one] => format!("^{one}$"),
            many => format!("^({})$", many.join("|")),
        };
        path(parent).map_or(last.clone(), |path| format!("{path}/{last}"))
    });
    let alone: Vec<String> =
        alone.into_iter().filter_map(path).map(|path| format!("{path}/{NOTHING}")).collect();
    named.chain(alone).collect()
}

fn is_under(test: &str, parent: &str) -> bool {
    test.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn last_part(test: &str) -> &str {
    test.rsplit_once('/').map_or(test, |(_, last)| last)
}

/// Each level of a test anchored; none for no test.
fn path(test: &str) -> Option<String> {
    if test.is_empty() {
        return None;
    }
    let levels: Vec<String> = test.split('/').map(|part| format!("^{}$", quote(part))).collect();
    Some(levels.join("/"))
}

/// Escapes what Go's patterns would read as more than itself. White space as a code, so that a
/// line has one blank only: that before the package.
fn quote(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                text.push('\\');
                text.push(c);
            }
            c if c.is_whitespace() || c.is_control() => {
                text += &format!("\\x{{{:x}}}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}
