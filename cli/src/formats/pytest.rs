//! `pytest @FILE`: each line of the file is one argument, taken as it stands.

use super::{Selection, Written, one_a_line};
use crate::fault::Fault;

/// An empty file would mean every test. This ends pytest with success before it runs any; said once
/// it counts only on the command line itself (pytest 9).
const NOTHING: &str = "--version\n--version\n";

pub(super) fn write(selection: Selection<'_>) -> Result<Written, Fault> {
    let tests = &selection.shard.tests;
    if tests.is_empty() {
        return Ok(Written { text: NOTHING.to_owned(), notices: Vec::new() });
    }
    let names: Vec<String> = tests.iter().map(|test| argument(test)).collect();
    let text = one_a_line(names.iter().map(String::as_str))?;
    Ok(Written { text, notices: Vec::new() })
}

/// What would be read as an option or as another file of arguments is named from its folder.
fn argument(test: &str) -> String {
    if test.starts_with(['-', '@']) { format!("./{test}") } else { test.to_owned() }
}
