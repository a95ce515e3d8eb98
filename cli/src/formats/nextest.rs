//! A filterset for cargo-nextest. Ids are `binary-id#test`.

use super::{Chunk, Selection, Written};
use crate::fault::Fault;

/// Linux takes no argument that is longer.
const ARGUMENT_BYTES: usize = 128 << 10;

pub(super) fn write(selection: Selection<'_>) -> Result<Written, Fault> {
    let sets: Vec<String> = selection.chunks().map(set).collect();
    let text = if sets.is_empty() { "none()".to_owned() } else { sets.join(" + ") };
    let notices = (text.len() >= ARGUMENT_BYTES).then(|| {
        "this filterset is longer than one argument may be: put it into a profile's default-filter"
            .to_owned()
    });
    Ok(Written { text: text + "\n", notices: notices.into_iter().collect() })
}

fn set(chunk: Chunk<'_>) -> String {
    let mut binary = None;
    let mut tests = Vec::new();
    for id in chunk.tests {
        match id.split_once('#') {
            Some((of, test)) => {
                binary = Some(of);
                tests.push(format!("test(={})", escape(test)));
            }
            None => tests.push(format!("test(={})", escape(id))),
        }
    }
    let all = tests.join(" + ");
    match binary {
        // A group of more than one test that is whole is the binary as it is now, with tests that
        // are new.
        Some(binary) if chunk.whole && chunk.group == Some(binary) => {
            format!("binary_id(={})", escape(binary))
        }
        Some(binary) => format!("(binary_id(={}) & ({all}))", escape(binary)),
        None => all,
    }
}

/// The escapes of the equality matcher. White space would be trimmed at the ends.
fn escape(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '\\' | '/' | ')' | ',' => {
                text.push('\\');
                text.push(c);
            }
            c if c.is_whitespace() || c.is_control() => {
                text += &format!("\\u{{{:x}}}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}
