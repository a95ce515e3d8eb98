//! Surefire's includesFile and Gradle's test filter.
//!
//! Both take one pattern a line. A class that is whole on this shard is one pattern, a split class a
//! pattern for each method. Neither can name one invocation of a parametrised method; the harness
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
    /// True where a nested class is reached by its outermost class only.
    outermost: bool,
}

/// Surefire scans class files and leaves nested classes to their outermost one.
pub(super) fn surefire(selection: Selection<'_>) -> Result<Written, Fault> {
    let syntax = Syntax {
        class: |class| format!("{}.java", class.replace('.', "/")),
        method: |class, method| format!("{}.java#{method}", class.replace('.', "/")),
        outermost: true,
    };
    write(selection, &syntax)
}

/// Gradle matches fully qualified names.
pub(super) fn gradle(selection: Selection<'_>) -> Result<Written, Fault> {
    let syntax = Syntax {
        class: str::to_owned,
        method: |class, method| format!("{class}.{method}"),
        outermost: false,
    };
    write(selection, &syntax)
}

fn write(selection: Selection<'_>, syntax: &Syntax) -> Result<Written, Fault> {
    let mut patterns = Distinct::default();
    let mut widened = 0;
    for chunk in selection.chunks() {
        widened += add(&mut patterns, chunk, syntax);
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
    if syntax.outermost {
        notices.extend(torn(selection));
    }
    let text = one_a_line(patterns.list.iter().map(String::as_str))?;
    Ok(Written { text, notices })
}

/// Adds a chunk's patterns; the answer is how many of its tests were widened.
fn add(patterns: &mut Distinct, chunk: Chunk<'_>, syntax: &Syntax) -> usize {
    let Some(first) = chunk.tests.first() else { return 0 };
    let class = class_of(chunk.group, first);
    let shown = if syntax.outermost { outermost(class) } else { class };
    if chunk.whole {
        patterns.add((syntax.class)(shown));
        return 0;
    }
    let mut widened = 0;
    for test in chunk.tests {
        match method_of(chunk.group, test) {
            Some((method, exact)) => {
                patterns.add((syntax.method)(class, method));
                widened += usize::from(!exact);
            }
            None => {
                patterns.add((syntax.class)(shown));
                widened += 1;
            }
        }
    }
    widened
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
    let end = rest.find(['(', '[', '{', ' ']).unwrap_or(rest.len());
    let method = &rest[..end];
    let is_start = |c: char| c.is_alphabetic() || c == '_' || c == '$';
    let is_name = method.starts_with(is_start)
        && method.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    is_name.then_some((method, rest[end..].is_empty() || &rest[end..] == "()"))
}

/// Nested classes whose outermost class also has tests elsewhere: both shards would run all of it.
fn torn(selection: Selection<'_>) -> Option<String> {
    let class = |chunk: Chunk<'_>| -> Option<(String, bool)> {
        let class = class_of(chunk.group, chunk.tests.first()?);
        Some((outermost(class).to_owned(), chunk.whole))
    };
    let here: HashSet<String> = selection
        .chunks()
        .filter_map(class)
        .filter_map(|(class, whole)| whole.then_some(class))
        .collect();
    let there: HashSet<String> = selection.elsewhere().filter_map(class).map(|it| it.0).collect();
    let torn = here.intersection(&there).count();
    (torn > 0).then(|| {
        format!(
            "{} with nested classes on several shards: Surefire will run all of it on each; \
             the harness jar selects exactly",
            count(torn, "class")
        )
    })
}
