//! The order of modules in `lib.rs` is the order of the flow: a module uses only modules above it.
#![expect(clippy::disallowed_methods, reason = "a test of the source reads the source")]

use std::fs;
use std::path::{Path, PathBuf};

fn rust_files(at: &Path, into: &mut Vec<PathBuf>) {
    if at.is_file() {
        into.push(at.to_path_buf());
    } else if at.is_dir() {
        for entry in fs::read_dir(at).expect("a readable source folder") {
            rust_files(&entry.expect("a readable entry").path(), into);
        }
    }
}

/// The module names of `lib.rs`, in order.
fn modules(lib: &str) -> Vec<&str> {
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod ")))
        .filter_map(|rest| rest.strip_suffix(';'))
        .collect()
}

/// Every `crate::NAME` of one file that stands outside comments.
fn uses(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (at, _) in code.match_indices("crate::") {
            let name: String = code[at + 7..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            found.push((number + 1, name));
        }
    }
    found
}

fn wrong_arrows(source: &str, own: &str, order: &[&str]) -> Vec<(usize, String)> {
    let rank = |name: &str| order.iter().position(|known| *known == name);
    let here = rank(own).expect("the module is listed in lib.rs");
    uses(source).into_iter().filter(|(_, name)| rank(name).is_some_and(|at| at > here)).collect()
}

#[test]
fn no_module_uses_a_module_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(src.join("lib.rs")).expect("lib.rs");
    let order = modules(&lib);
    assert!(order.len() > 10, "the module list of lib.rs was not understood: {order:?}");
    let mut wrong = Vec::new();
    for own in &order {
        let mut files = Vec::new();
        rust_files(&src.join(format!("{own}.rs")), &mut files);
        rust_files(&src.join(own), &mut files);
        assert!(!files.is_empty(), "no file for module {own}");
        for file in files {
            let source = fs::read_to_string(&file).expect("a source file");
            for (line, name) in wrong_arrows(&source, own, &order) {
                wrong.push(format!("{}:{line}: {own} uses {name}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point down the flow:\n{}", wrong.join("\n"));
}

#[test]
fn a_planted_back_arrow_is_found() {
    let order = ["units", "plan", "verdict"];
    assert_eq!(wrong_arrows("use crate::verdict::Verdict;", "plan", &order).len(), 1);
    assert!(wrong_arrows("use crate::units::Micros; // crate::verdict", "plan", &order).is_empty());
}
