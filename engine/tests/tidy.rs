//! The shape of the source: file sizes, no leftovers, nothing of one machine.
#![expect(clippy::disallowed_methods, reason = "a test of the source reads the source")]

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 500;

fn collect(at: &Path, endings: &[&str], into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(at).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            collect(&path, endings, into);
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            into.push(path);
        }
    }
}

/// Lines before the tests that stand in the file itself.
fn production_lines(source: &str) -> usize {
    source
        .lines()
        .collect::<Vec<_>>()
        .windows(2)
        .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].trim().starts_with("mod "))
        .unwrap_or_else(|| source.lines().count())
}

/// What no committed file may hold; put together here so that this file does not hold it.
fn banned() -> Vec<String> {
    let mark = |a: &str, b: &str| format!("{a}{b}");
    vec![
        mark("TO", "DO"),
        mark("FIX", "ME"),
        mark("todo", "!("),
        mark("#[ig", "nore"),
        mark("/ro", "ot/"),
        mark("/ho", "me/"),
    ]
}

#[test]
fn files_are_short_and_hold_no_leftovers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    collect(&root, &[".rs", ".java"], &mut files);
    assert!(files.len() > 20, "the source was not found");
    let banned = banned();
    let mut wrong = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).expect("a source file");
        let at = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
        let lines = production_lines(&source);
        let is_test = at.contains("tests/") || at.contains("/test/") || at.contains("tests.rs");
        if lines > FILE_LINES_MAX && !is_test {
            wrong.push(format!("{at}: {lines} lines, at most {FILE_LINES_MAX}"));
        }
        for word in &banned {
            if let Some(line) = source.lines().position(|line| line.contains(word.as_str())) {
                wrong.push(format!("{at}:{}: `{word}`", line + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tests_inside_a_file_do_not_count() {
    assert_eq!(production_lines("a\nb\n#[cfg(test)]\nmod tests {\n}\n"), 2);
    assert_eq!(production_lines("a\nb\n"), 2);
}
