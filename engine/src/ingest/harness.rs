//! The attempts that the Rasher harness writes inside a test JVM: JSON, one object a line.
//!
//! ```text
//! {"schema":"rasher.attempts/1","naming":"surefire","at":"2026-11-23T04:34:27Z"}
//! {"begin":0,"class":"demo.ATest","name":"adds","unique":"[engine:junit-jupiter]/…","at_us":17…}
//! {"end":0,"outcome":"passed","us":1200}
//! {"end":1,"class":"demo.ATest","name":"off","unique":"…","outcome":"skipped"}
//! {"class":"demo.ATest","set_up_us":31000}
//! ```
//!
//! Decides three things. A test that began and never ended was running when its JVM died. A failure
//! of a class outside its tests is about the class, as it is in the XML of the same run. Tests that
//! the build tool prints under one name, told apart here by their unique ids, are one test, and the
//! worst of them speaks for all; the same unique id again is a retry.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::failure::{CLASS_LEVEL, Words};
use super::log::Log;
use super::rows::{Execution, Rows};
use super::{Dialect, Limits, ProblemKind};
use crate::attempt::Outcome;
use crate::test_id::TestId;
use crate::units::Micros;

const SCHEMA: &str = "rasher.attempts/1";

/// One line; which fields it has tells what it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    schema: Option<String>,
    at: Option<Timestamp>,
    begin: Option<u64>,
    end: Option<u64>,
    list: Option<String>,
    class: Option<String>,
    name: String,
    unique: Option<Box<str>>,
    at_us: Option<i64>,
    outcome: Option<String>,
    us: Option<u64>,
    set_up_us: Option<u64>,
    kind: String,
    message: String,
}

/// An execution of a test with the unique id that tells it from its namesakes.
struct Told {
    test: TestId,
    unique: Box<str>,
    execution: Execution,
}

/// True where the text is a recording of the harness, of whatever version.
pub(super) fn wrote(text: &str) -> bool {
    text.trim_start().starts_with("{\"schema\":\"rasher.attempts/")
}

/// Reads a recording; one that breaks off keeps what it holds, for that is what a dead JVM leaves.
pub(super) fn read(
    text: &str,
    limits: &Limits,
    rows: &mut Rows,
    log: &mut Log,
) -> Result<Dialect, String> {
    let mut running: BTreeMap<u64, Line> = BTreeMap::new();
    let mut told = Vec::new();
    for (at, line) in lines(text) {
        if told.len() >= limits.rows {
            let what = format!("more than {} rows; the rest is left out", limits.rows);
            log.at(text, at, ProblemKind::Limit, what);
            break;
        }
        let parsed: Line = match serde_json::from_str(line) {
            Ok(parsed) => parsed,
            Err(_) if at + line.len() == text.len() => {
                let what = "the last line is cut; the rows before it are kept".to_owned();
                log.at(text, at, ProblemKind::Cut, what);
                break;
            }
            Err(error) => {
                let what = format!("not a line of a recording: {error}; left out");
                log.at(text, at, ProblemKind::Row, what);
                continue;
            }
        };
        if parsed.schema.as_deref().is_some_and(|schema| schema != SCHEMA) {
            let schema = parsed.schema.unwrap_or_default();
            return Err(format!("is of schema `{schema}`; this version reads `{SCHEMA}`"));
        }
        if let Err(what) = line_read(parsed, limits, &mut running, &mut told, rows) {
            log.at(text, at, ProblemKind::Row, what);
        }
    }
    for line in running.into_values() {
        let mut execution = Execution::new(Outcome::Crashed, None);
        execution.message = Some("the JVM died while it ran".into());
        tell(line, execution, rows, &mut told);
    }
    for (test, execution) in merged(told) {
        rows.push(test, execution);
    }
    Ok(Dialect::Harness)
}

/// Lines with their places.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let place = move |line: &str| line.as_ptr() as usize - text.as_ptr() as usize;
    text.split('\n')
        .map(move |line| (place(line), line))
        .filter(|(_, line)| !line.trim().is_empty())
}

fn line_read(
    line: Line,
    limits: &Limits,
    running: &mut BTreeMap<u64, Line>,
    told: &mut Vec<Told>,
    rows: &mut Rows,
) -> Result<(), String> {
    if line.name.len() + line.class.as_ref().map_or(0, String::len) > limits.name_bytes {
        return Err("its name is too long; left out".to_owned());
    }
    let tells = line.begin.is_some() || (line.end.is_some() && line.class.is_some());
    if tells && line.name.is_empty() && line.class.as_ref().is_none_or(String::is_empty) {
        return Err("names no test; left out".to_owned());
    }
    if let Some(at) = line.at {
        rows.stamped(at);
    } else if let Some(number) = line.begin {
        running.insert(number, line);
    } else if let Some(number) = line.end {
        end(number, line, running, told, rows)?;
    } else if let (Some(class), Some(setup)) = (&line.class, line.set_up_us) {
        let group = rows.named_group(class);
        rows.set_up(group, Micros::new(setup));
    } else if line.schema.is_none() && line.list.is_none() {
        return Err("says nothing that is known here; left out".to_owned());
    }
    Ok(())
}

/// The end of an execution; one that never began says itself what it is about.
fn end(
    number: u64,
    mut line: Line,
    running: &mut BTreeMap<u64, Line>,
    told: &mut Vec<Told>,
    rows: &mut Rows,
) -> Result<(), String> {
    let word = line.outcome.take().unwrap_or_default();
    let outcome = Outcome::from_word(&word);
    let outcome = outcome.ok_or_else(|| format!("`{word}` is no outcome; left out"))?;
    let words = Words {
        kind: std::mem::take(&mut line.kind),
        message: std::mem::take(&mut line.message),
        text: String::new(),
    };
    let began = match running.remove(&number) {
        Some(began) => began,
        None if line.class.is_some() => line.without_time(),
        None => return Err(format!("end {number} of what never began; left out")),
    };
    let mut execution = Execution::new(outcome, line.us.map(Micros::new));
    if outcome.is_failure() {
        execution.outcome = words.outcome(outcome);
        execution.message = words.message();
        execution.signature = execution.message.is_some().then(|| words.signature());
    }
    execution.start = began.at_us.and_then(|at| Timestamp::from_microsecond(at).ok());
    tell(began, execution, rows, told);
    Ok(())
}

impl Line {
    /// The names of a line that is begin and end in one.
    fn without_time(&mut self) -> Self {
        Self {
            class: self.class.take(),
            name: std::mem::take(&mut self.name),
            unique: self.unique.take(),
            ..Self::default()
        }
    }
}

/// Adds an execution under the id that the XML of the same run gives it.
fn tell(line: Line, mut execution: Execution, rows: &mut Rows, told: &mut Vec<Told>) {
    let class = line.class.unwrap_or_default();
    let about_class = execution.outcome.is_failure() && CLASS_LEVEL.contains(&line.name.as_str());
    if about_class {
        execution.outcome = Outcome::SetUpFailed;
    }
    let id = match (about_class, class.as_str()) {
        (true, class) => class.to_owned(),
        (false, "") => line.name,
        (false, class) => format!("{class}#{}", line.name),
    };
    let group = Some(class.as_str()).filter(|class| !class.is_empty());
    let test = rows.test(&id, group);
    let unique = line.unique.unwrap_or_default();
    execution.unique_id = (!unique.is_empty()).then(|| unique.clone());
    told.push(Told { test, unique, execution });
}

/// What is known of the tests that share a name.
#[derive(Default)]
struct Namesakes {
    /// Unique ids, each with how often it was seen.
    uniques: BTreeMap<Box<str>, usize>,
    /// The place of each round among the merged executions.
    rounds: Vec<usize>,
}

/// The executions with those of one round and one name made one.
fn merged(told: Vec<Told>) -> Vec<(TestId, Execution)> {
    let mut seen: BTreeMap<TestId, Namesakes> = BTreeMap::new();
    let mut merged: Vec<(TestId, Execution)> = Vec::with_capacity(told.len());
    for Told { test, unique, execution } in told {
        let Namesakes { uniques, rounds } = seen.entry(test).or_default();
        let times = uniques.entry(unique).or_default();
        let round = *times;
        *times += 1;
        match rounds.get(round) {
            Some(place) => unite(&mut merged[*place].1, execution),
            None => {
                rounds.push(merged.len());
                merged.push((test, execution));
            }
        }
    }
    merged
}

/// The worse outcome with its words, the sum of the times, the earlier start.
fn unite(one: &mut Execution, other: Execution) {
    let duration = match (one.duration, other.duration) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    let start = one.start.into_iter().chain(other.start).min();
    if severity(other.outcome) > severity(one.outcome) {
        *one = other;
    }
    one.duration = duration;
    one.start = start;
}

/// Passed speaks for a skipped namesake, any failure for both.
const fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NotRun => 0,
        Outcome::Skipped => 1,
        Outcome::Passed => 2,
        Outcome::Failed => 3,
        Outcome::Errored => 4,
        Outcome::TimedOut => 5,
        Outcome::SetUpFailed => 6,
        Outcome::Crashed => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Recording;
    use crate::ingest::{FileReport, Reader};

    const HEAD: &str = r#"{"schema":"rasher.attempts/1","at":"2026-11-23T04:34:27Z"}"#;

    fn read(lines: &[&str]) -> (FileReport, Recording) {
        let mut reader = Reader::new(Limits::default());
        let report = reader.read(format!("{HEAD}\n{}", lines.join("\n")).as_bytes(), None);
        (report, reader.finish())
    }

    fn outcomes(recording: &Recording) -> Vec<(&str, Outcome, u16)> {
        let tests = &recording.tests;
        let row = |a: &crate::attempt::Attempt| (tests.name(a.test), a.outcome, a.ordinal);
        recording.attempts.iter().map(row).collect()
    }

    #[test]
    fn attempts_carry_names_times_and_words() {
        let (report, recording) = read(&[
            r#"{"begin":0,"class":"d.A$In","name":"deep","unique":"[u1]","at_us":1764000000000000}"#,
            r#"{"end":0,"outcome":"failed","us":1200,"kind":"E","message":"wrong\n7"}"#,
            r#"{"end":1,"class":"d.A","name":"off","unique":"[u2]","outcome":"skipped"}"#,
            r#"{"class":"d.A","set_up_us":31000}"#,
            "",
        ]);
        assert_eq!((report.dialect, report.problems), (Some(Dialect::Harness), vec![]));
        let expected = [("d.A$In#deep", Outcome::Failed, 0), ("d.A#off", Outcome::Skipped, 0)];
        assert_eq!(outcomes(&recording), expected);
        let first = &recording.attempts[0];
        assert_eq!(first.duration, Some(Micros::new(1_200)));
        assert_eq!(first.start, Timestamp::from_microsecond(1_764_000_000_000_000).ok());
        assert_eq!(first.unique_id.as_deref(), Some("[u1]"));
        assert_eq!(first.message.as_deref(), Some("wrong\n7"));
        assert_eq!(recording.setups[0].setup, Micros::from_millis(31));
        assert_eq!(recording.reported_at, "2026-11-23T04:34:27Z".parse().ok());
    }

    #[test]
    fn what_ran_when_the_jvm_died_has_crashed() {
        let (report, recording) = read(&[
            r#"{"begin":0,"class":"d.A","name":"a","unique":"[a]","at_us":1}"#,
            r#"{"end":0,"outcome":"passed","us":1}"#,
            r#"{"begin":1,"class":"d.A","name":"b","unique":"[b]","at_us":1}"#,
            r#"{"begin":2,"class":"d.A","na"#,
        ]);
        let expected = [("d.A#a", Outcome::Passed, 0), ("d.A#b", Outcome::Crashed, 0)];
        assert_eq!(outcomes(&recording), expected);
        assert_eq!(report.problems.len(), 1);
        assert_eq!(report.problems[0].kind, ProblemKind::Cut);
    }

    #[test]
    fn the_worst_of_tests_printed_under_one_name_speaks_for_all_and_a_rerun_is_a_retry() {
        let begin = |n: u32, unique: &str| {
            format!(r#"{{"begin":{n},"class":"d.A","name":"[1] 5","unique":"[{unique}]"}}"#)
        };
        let end = |n: u32, word: &str| format!(r#"{{"end":{n},"outcome":"{word}","us":10}}"#);
        let lines = [
            begin(0, "x"),
            end(0, "failed"),
            begin(1, "y"),
            end(1, "passed"),
            begin(2, "x"),
            end(2, "passed"),
        ];
        let (_, recording) = read(&lines.each_ref().map(String::as_str));
        let expected = [("d.A#[1] 5", Outcome::Failed, 0), ("d.A#[1] 5", Outcome::Passed, 1)];
        assert_eq!(outcomes(&recording), expected);
        assert_eq!(recording.attempts[0].duration, Some(Micros::new(20)));
    }

    #[test]
    fn a_class_that_fails_outside_its_tests_is_itself_the_test() {
        let (_, recording) = read(&[
            r#"{"end":0,"class":"d.A","name":"initializationError","unique":"[c]","outcome":"errored"}"#,
        ]);
        assert_eq!(outcomes(&recording), [("d.A", Outcome::SetUpFailed, 0)]);
    }

    #[test]
    fn another_version_is_refused_and_a_bad_line_costs_itself() {
        let mut reader = Reader::new(Limits::default());
        let report = reader.read(br#"{"schema":"rasher.attempts/2"}"#, None);
        assert!(report.problems[0].what.contains("rasher.attempts/1"));
        let (report, recording) = read(&[
            "nonsense",
            r#"{"begin":4}"#,
            r#"{"end":5,"outcome":"passed"}"#,
            r#"{"end":6,"class":"d.A","name":"a","outcome":"glorious"}"#,
            r#"{"end":7,"class":"d.A","name":"a","outcome":"passed","us":1}"#,
            "",
        ]);
        assert_eq!(report.problems.len(), 4);
        assert_eq!(outcomes(&recording), [("d.A#a", Outcome::Passed, 0)]);
    }
}
