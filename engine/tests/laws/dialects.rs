//! One small report for each dialect, with what Rasher reads in it written beside it.
//!
//! `UPDATE_GOLDENS=1 cargo test -p rasher dialects` writes the expectations anew; read them before
//! you commit them.
#![expect(clippy::disallowed_methods, reason = "goldens are files")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rasher::ingest::{Limits, Reader};

fn told(bytes: &[u8]) -> String {
    let mut reader = Reader::new(Limits::default());
    let file = reader.read(bytes, None);
    let recording = reader.finish();
    let tests = &recording.tests;
    let mut told = format!("dialect {}\n", file.dialect.map_or("none", |dialect| dialect.name()));
    let mut line = |text: String| writeln!(told, "{text}").expect("a string");
    if let Some(at) = recording.reported_at {
        line(format!("reported at {at}"));
    }
    for attempt in &recording.attempts {
        let time = attempt.duration.map_or("no time".into(), |time| time.to_string());
        let start = attempt.start.map_or(String::new(), |start| format!(" from {start}"));
        let (outcome, ordinal) = (attempt.outcome.word(), attempt.ordinal);
        line(format!("{} | {outcome}, attempt {ordinal}, {time}{start}", tests.name(attempt.test)));
        let group = tests.group(attempt.test).map_or("no group", |group| tests.group_name(group));
        line(format!("    in {group}"));
        if let Some(message) = &attempt.message {
            line(format!("    says {message:?}, signed: {}", attempt.signature.is_some()));
        }
        if let Some(id) = &attempt.unique_id {
            line(format!("    unique id {id}"));
        }
    }
    for setup in &recording.setups {
        line(format!("set-up of {}: {}", tests.group_name(setup.group), setup.setup));
    }
    for problem in &file.problems {
        line(format!("problem ({}): {problem}", problem.kind.name()));
    }
    told
}

fn goldens() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects");
    let entries = fs::read_dir(folder).expect("the folder of goldens");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_none_or(|extension| extension != "expected"));
    files.sort();
    files
}

#[test]
fn every_dialect_reads_as_written_beside_it() {
    let update = std::env::var("UPDATE_GOLDENS").is_ok();
    let files = goldens();
    assert!(files.len() >= 15, "the goldens were not found");
    for file in files {
        let told = told(&fs::read(&file).expect("a golden"));
        let mut beside = file.clone().into_os_string();
        beside.push(".expected");
        if update {
            fs::write(&beside, &told).expect("a writable expectation");
        }
        let expected = fs::read_to_string(&beside).expect("an expectation beside each golden");
        assert_eq!(told, expected, "{}", file.display());
    }
}
