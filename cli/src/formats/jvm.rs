//! Surefire's includesFile and Gradle's test filter.
//!
//! Both take one pattern a line. A class that is here with all that is nested in it is one pattern;
//! of any other each method is one. Neither can name one invocation of a parametrised method; the harness
//! jar can.

use std::collections::HashSet;

use super::{Chunk, Distinct, Selection, Written, one_a_line};
use crate::fault::Fault;
use crate::output::count;

/// Names no class that anyone has: an empty shard selects nothing.
const NOTHING: &str = "rasher.empty.NoTestsOnThisShard";

/// How a tool writes a pattern.
struct Syntax {
    class: fn(&str) -> String,
    method: fn(&str, &str) -> String,
    /// True where a nested class is looked into only where its outermost class is.
    by_outermost: bool,
}

/// A method that no class has: its pattern makes Surefire look into a class without running it.
const NO_METHOD: &str = "noTestsOfItsOwnOnThisShard";

/// Surefire scans the files of outermost classes.
pub(super) fn surefire(selection: Selection<'_>) -> Result<Written, Fault> {
    let syntax = Syntax {
        class: |class| format!("{}.java", class.replace('.', "/")),
        method: |class, method| format!("{}.java#{method}", class.replace('.', "/")),
        by_outermost: true,
    };
    write(selection, &syntax)
}

/// Gradle matches fully qualified names.
pub(super) fn gradle(selection: Selection<'_>) -> Result<Written, Fault> {
    let syntax = Syntax {
        class: str::to_owned,
        method: |class, method| format!("{class}.{method}"),
        by_outermost: false,
    };
    write(selection, &syntax)
}

fn write(selection: Selection<'_>, syntax: &Syntax) -> Result<Written, Fault> {
    let elsewhere = families_elsewhere(selection);
    let mut patterns = Distinct::default();
    let mut widened = 0;
    for chunk in selection.chunks() {
        widened += add(&mut patterns, chunk, syntax, &elsewhere);
    }
    if patterns.list.is_empty() {
        patterns.add((syntax.class)(NOTHING));
    }
    let mut notices = Vec::new();
    if widened > 0 {
        notices.push(format!(
            "{} cannot be told apart by a pattern: more than this shard's part of the class may \
             run; the harness jar selects exactly",
            count(widened, "test")
        ));
    }
    let text = one_a_line(patterns.list.iter().map(String::as_str))?;
    Ok(Written { text, notices })
}

/// Adds a chunk's patterns; the answer is how many of its tests were widened.
fn add(
    patterns: &mut Distinct,
    chunk: Chunk<'_>,
    syntax: &Syntax,
    elsewhere: &HashSet<&str>,
) -> usize {
    let Some(first) = chunk.tests.first() else { return 0 };
    let class = class_of(chunk.group, first);
    let family = outermost(class);
    if chunk.whole && !elsewhere.contains(family) {
        patterns.add((syntax.class)(family));
        return 0;
    }
    if syntax.by_outermost && family != class {
        patterns.add((syntax.method)(family, NO_METHOD));
    }
    let mut widened = 0;
    for test in chunk.tests {
        match method_of(chunk.group, test) {
            Some((method, exact)) => {
                patterns.add((syntax.method)(class, method));
                widened += usize::from(!exact && !chunk.whole);
            }
            None => {
                patterns.add((syntax.class)(family));
                widened += 1;
            }
        }
    }
    widened
}

/// The outermost classes that have tests on other shards, nested ones too: a pattern of the class
/// brings all that is nested in it.
fn families_elsewhere(selection: Selection<'_>) -> HashSet<&str> {
    let family = |chunk| -> Option<&str> {
        let chunk: Chunk<'_> = chunk;
        Some(outermost(class_of(chunk.group, chunk.tests.first()?)))
    };
    selection.elsewhere().filter_map(family).collect()
}

/// The class of a test, without the module in front: Java names hold no colon.
pub(super) fn class_of<'a>(group: Option<&'a str>, test: &'a str) -> &'a str {
    let class = group.unwrap_or_else(|| test.split('#').next().unwrap_or(test));
    class.rsplit(':').next().unwrap_or(class)
}

fn outermost(class: &str) -> &str {
    match class.find('$') {
        Some(at) if at > 0 => &class[..at],
        _ => class,
    }
}

/// The method of a test and whether that is all of the test's name: `adds(int)[2]` is a part of
/// `adds`. None where the name is no Java method.
fn method_of<'a>(group: Option<&str>, test: &'a str) -> Option<(&'a str, bool)> {
    let rest = match group.and_then(|group| test.strip_prefix(group)) {
        Some(rest) => rest.strip_prefix('#')?,
        None => test.split_once('#')?.1,
    };
    let end = rest.find(['(', '[', '{']).unwrap_or(rest.len());
    let method = &rest[..end];
    let is_start = |c: char| c.is_alphabetic() || c == '_' || c == '$';
    let is_name = method.starts_with(is_start)
        && method.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    is_name.then_some((method, rest[end..].is_empty() || &rest[end..] == "()"))
}
