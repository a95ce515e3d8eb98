//! A judged run as JUnit XML, in the words of Maven Surefire.
//!
//! Decides which element tells of which execution, as Surefire 3 does it where it reruns failing
//! tests:
//!
//! | the verdict on the test | in the report |
//! |---|---|
//! | passed | `testcase` |
//! | skipped | `testcase` with `skipped` |
//! | flaky, suspect, an order known before | `flakyFailure` or `flakyError` for each failed execution, in order; the time of the first pass |
//! | failed, fails on the base too, environment, a new dependence on the order | `failure` or `error` for the first, `rerunFailure` or `rerunError` for each later failed one |
//! | missing | `error` of type `missing` |
//!
//! So a test that blocks is red in every tool that reads such reports, also where it passed at
//! times. What was judged, with evidence and reason, stands in `system-out`. Rasher reads its own
//! report back as the same tests with the same failed executions. The type of an exception is not
//! kept in attempts. Where the message begins with one, as most do that a framework did not shorten,
//! `type` names it as Surefire would; else, and for a timeout or a crash, it says how the execution
//! ended.

use std::borrow::Cow;
use std::collections::BTreeMap;

use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;

use crate::attempt::Outcome;
use crate::outcome::{Outcomes, Trial};
use crate::retry::{Case, Planned, cases};
use crate::units::Micros;
use crate::verdict::{TestVerdict, VerdictDocument, Word};

const SCHEMA: &str =
    "https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd";

/// The report of a judged run: all planned tests and those that failed without being planned, one
/// suite for each class or file. O(n log n), and as many bytes as it has names.
///
/// ```
/// use rasher::outcome::Folder;
/// use rasher::report::junit;
/// use rasher::retry::Planned;
/// # use rasher::flake::{FlakeOptions, Scores};
/// # use rasher::verdict::{VerdictOptions, judge};
/// # let scores = Scores::new(FlakeOptions::default());
/// let (planned, outcomes) = (Planned::new(&[]), Folder::new().finish());
/// # let verdict = judge(&planned, &outcomes, None, &scores, &VerdictOptions::default());
/// let xml = junit(&planned, &outcomes, &verdict);
/// assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "));
/// ```
pub fn junit(planned: &Planned, outcomes: &Outcomes, verdict: &VerdictDocument) -> String {
    let words: BTreeMap<&str, &TestVerdict> =
        verdict.tests.iter().map(|test| (test.test.as_str(), test)).collect();
    let tests = planned.tests();
    let mut suites: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    let cases = cases(planned, outcomes);
    for case in &cases {
        let name = tests.name(case.test);
        let group = tests.group(case.test).map(|group| tests.group_name(group));
        let row = Row {
            place: Place::of(name, group),
            executions: executions(case, outcomes.of_name(name)),
            judged: words.get(name).copied(),
        };
        suites.entry(row.place.suite).or_default().push(row);
    }
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut writer, &suites).expect("memory takes every byte");
    let mut xml = String::from_utf8(writer.into_inner()).expect("text was written");
    xml.push('\n');
    xml
}

type Out = Writer<Vec<u8>>;
type Written = Result<(), std::io::Error>;

/// Where a test stands in the report, so that it is read back under its own name.
struct Place<'a> {
    suite: &'a str,
    class: Cow<'a, str>,
    name: &'a str,
    /// pytest's attribute.
    file: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(test: &'a str, group: Option<&'a str>) -> Self {
        let whole = Self { suite: test, class: Cow::Borrowed(test), name: test, file: None };
        if let Some(file) = group.filter(|file| file.ends_with(".py"))
            && let Some(inner) = test.strip_prefix(file).and_then(|rest| rest.strip_prefix("::"))
        {
            let module = file[..file.len() - 3].replace('/', ".");
            return match split_last(inner) {
                Some((classes, name)) => {
                    let class = format!("{module}.{}", classes.replace("::", "."));
                    Self { suite: file, class: class.into(), name, file: Some(file) }
                }
                None => Self { suite: file, class: module.into(), name: inner, file: Some(file) },
            };
        }
        let own =
            group.and_then(|group| Some((group, test.strip_prefix(group)?.strip_prefix('#')?)));
        let Some((class, name)) = own.or_else(|| test.split_once('#')) else { return whole };
        if class.trim().is_empty() || name.trim().is_empty() {
            return whole;
        }
        Self { suite: group.unwrap_or(class), class: Cow::Borrowed(class), name, file: None }
    }
}

/// A node id's last part; brackets of a parameter may hold `::` too.
fn split_last(inner: &str) -> Option<(&str, &str)> {
    let end = inner.find('[').unwrap_or(inner.len());
    let at = inner[..end].rfind("::")?;
    Some((&inner[..at], &inner[at + 2..]))
}

/// One execution as it is told.
struct Told<'a> {
    outcome: Outcome,
    duration: Option<Micros>,
    message: Option<&'a str>,
}

struct Row<'a> {
    place: Place<'a>,
    executions: Vec<Told<'a>>,
    judged: Option<&'a TestVerdict>,
}

/// The executions that were judged, with what their reports said of each where that is one to one.
fn executions<'a>(case: &'a Case, trials: &'a [Trial]) -> Vec<Told<'a>> {
    let mut ran: Vec<&Trial> = trials.iter().filter(|it| it.outcome != Outcome::NotRun).collect();
    ran.sort_by_key(|trial| (trial.round, trial.shard, trial.ordinal));
    let judged = case.executions.iter().map(|(outcome, _)| *outcome);
    if ran.iter().map(|trial| trial.outcome).eq(judged.clone()) {
        let told = |trial: &&'a Trial| Told {
            outcome: trial.outcome,
            duration: trial.duration,
            message: trial.message.as_deref(),
        };
        return ran.iter().map(told).collect();
    }
    let message = |outcome: Outcome| case.message.as_deref().filter(|_| outcome.is_failure());
    judged.map(|outcome| Told { outcome, duration: None, message: message(outcome) }).collect()
}

impl Row<'_> {
    fn word(&self) -> Option<Word> {
        self.judged.map(|judged| judged.verdict)
    }

    fn is_flaky(&self) -> bool {
        let forgiven = self.judged.is_some_and(|judged| !judged.blocks);
        matches!(self.word(), Some(Word::Flaky | Word::Suspect))
            || (self.word() == Some(Word::Order) && forgiven)
    }

    fn failed(&self) -> impl Iterator<Item = &Told<'_>> {
        self.executions.iter().filter(|told| told.outcome.is_failure())
    }

    /// The execution whose time the case carries.
    fn main(&self) -> Option<&Told<'_>> {
        let first_pass = || self.executions.iter().find(|it| it.outcome == Outcome::Passed);
        match self.word() {
            None => first_pass().or_else(|| self.executions.last()),
            Some(_) if self.is_flaky() => first_pass(),
            Some(_) => self.failed().next(),
        }
    }

    fn is_red(&self) -> bool {
        self.judged.is_some() && !self.is_flaky()
    }

    fn is_skipped(&self) -> bool {
        self.judged.is_none() && self.main().is_some_and(|told| told.outcome == Outcome::Skipped)
    }
}

#[derive(Default)]
struct Counts {
    tests: usize,
    errors: usize,
    skipped: usize,
    failures: usize,
    flakes: usize,
    millis: u64,
}

impl Counts {
    fn of(rows: &[Row<'_>]) -> Self {
        let failure =
            |row: &Row<'_>| row.failed().next().map(|it| it.outcome) == Some(Outcome::Failed);
        let mut counts = Self { tests: rows.len(), ..Self::default() };
        for row in rows {
            counts.failures += usize::from(row.is_red() && failure(row));
            counts.errors += usize::from(row.is_red() && !failure(row));
            counts.flakes += usize::from(row.is_flaky());
            counts.skipped += usize::from(row.is_skipped());
            counts.millis += row.main().and_then(|told| told.duration).map_or(0, millis);
        }
        counts
    }

    fn push(&self, tag: &mut BytesStart<'_>) {
        push(tag, "time", &seconds(self.millis));
        push(tag, "tests", &self.tests.to_string());
        push(tag, "errors", &self.errors.to_string());
        push(tag, "skipped", &self.skipped.to_string());
        push(tag, "failures", &self.failures.to_string());
        push(tag, "flakes", &self.flakes.to_string());
    }
}

fn write(out: &mut Out, suites: &BTreeMap<&str, Vec<Row<'_>>>) -> Written {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut all = Counts::default();
    for rows in suites.values() {
        let own = Counts::of(rows);
        all.tests += own.tests;
        all.errors += own.errors;
        all.skipped += own.skipped;
        all.failures += own.failures;
        all.flakes += own.flakes;
        all.millis += own.millis;
    }
    let mut root = BytesStart::new("testsuites");
    all.push(&mut root);
    out.write_event(Event::Start(root))?;
    for (suite, rows) in suites {
        write_suite(out, suite, rows)?;
    }
    out.write_event(Event::End(BytesEnd::new("testsuites")))
}

/// True for what a JVM would report: only there a class-level row has the name of its class.
fn is_of_jvm(rows: &[Row<'_>]) -> bool {
    let is_class = |class: &str| !class.contains(['/', '\\', ' ']) && class.contains('.');
    rows.iter().all(|row| {
        let whole = row.place.name == row.place.class && row.place.name == row.place.suite;
        row.place.file.is_none() && (whole || is_class(&row.place.class))
    })
}

fn write_suite(out: &mut Out, name: &str, rows: &[Row<'_>]) -> Written {
    let mut tag = BytesStart::new("testsuite");
    let pytest = rows.iter().any(|row| row.place.file.is_some());
    if is_of_jvm(rows) {
        push(&mut tag, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
        push(&mut tag, "xsi:noNamespaceSchemaLocation", SCHEMA);
        push(&mut tag, "version", "3.0.2");
    }
    push(&mut tag, "name", if pytest { "pytest" } else { name });
    Counts::of(rows).push(&mut tag);
    out.write_event(Event::Start(tag))?;
    for row in rows {
        write_case(out, row)?;
    }
    out.write_event(Event::End(BytesEnd::new("testsuite")))
}

fn write_case(out: &mut Out, row: &Row<'_>) -> Written {
    let mut tag = BytesStart::new("testcase");
    push(&mut tag, "name", row.place.name);
    push(&mut tag, "classname", &row.place.class);
    if let Some(file) = row.place.file {
        push(&mut tag, "file", file);
    }
    // The schema wants a time; an empty one is a time that nobody measured.
    let time = row.main().and_then(|told| told.duration).map(|it| seconds(millis(it)));
    let time = time.or_else(|| row.is_skipped().then(|| "0".to_owned()));
    push(&mut tag, "time", &time.unwrap_or_default());
    if row.judged.is_none() && !row.is_skipped() {
        return out.write_event(Event::Empty(tag));
    }
    out.write_event(Event::Start(tag))?;
    if row.is_skipped() {
        out.write_event(Event::Empty(BytesStart::new("skipped")))?;
    }
    write_failures(out, row)?;
    if let Some(judged) = row.judged {
        element(out, "system-out", &said(judged))?;
    }
    out.write_event(Event::End(BytesEnd::new("testcase")))
}

fn write_failures(out: &mut Out, row: &Row<'_>) -> Written {
    let mut first = row.is_red();
    for told in row.failed() {
        let error = told.outcome != Outcome::Failed;
        let kind = match (row.is_flaky(), first, error) {
            (true, _, false) => "flakyFailure",
            (true, _, true) => "flakyError",
            (_, true, false) => "failure",
            (_, true, true) => "error",
            (_, false, false) => "rerunFailure",
            (_, false, true) => "rerunError",
        };
        write_failure(out, kind, told)?;
        first = false;
    }
    match row.judged {
        // Nothing failed, and still it is no pass.
        Some(judged) if first => {
            let mut tag = BytesStart::new("error");
            push(&mut tag, "message", &judged.reason);
            push(&mut tag, "type", "missing");
            out.write_event(Event::Empty(tag))
        }
        _ => Ok(()),
    }
}

fn write_failure(out: &mut Out, kind: &str, told: &Told<'_>) -> Written {
    let message = told.message.unwrap_or_default();
    let mut tag = BytesStart::new(kind);
    if !message.is_empty() {
        push(&mut tag, "message", message);
    }
    push(&mut tag, "type", exception(told).unwrap_or(ending(told.outcome)));
    let mut text = message.to_owned();
    if told.outcome == Outcome::SetUpFailed {
        text += if text.is_empty() { "" } else { "\n" };
        text += "test setup failure";
    }
    out.write_event(Event::Start(tag))?;
    if matches!(kind, "failure" | "error") {
        out.write_event(Event::Text(BytesText::from_escaped(escaped(&text))))?;
    } else {
        element(out, "stackTrace", &text)?;
    }
    out.write_event(Event::End(BytesEnd::new(kind)))
}

/// The class of an exception that a message begins with: `a.b.CError: words`, or nothing else. Those
/// that reports are read by as a timeout are left to the word for it.
fn exception<'a>(told: &Told<'a>) -> Option<&'a str> {
    const ENDS: [&str; 6] = ["Error", "Exception", "Throwable", "Failure", "Failed", "Fault"];
    if !matches!(told.outcome, Outcome::Failed | Outcome::Errored) {
        return None;
    }
    let line = told.message?.trim_start().lines().next()?;
    let class = line.split_once(": ").map_or(line, |(class, _)| class);
    let class = class.strip_suffix(':').unwrap_or(class).trim_end();
    let is_name = |part: &str| {
        let first = part.chars().next();
        first.is_some_and(|c| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
    };
    let last = class.rsplit(['.', '$']).next()?;
    let is_class =
        last.starts_with(char::is_uppercase) && ENDS.iter().any(|end| last.ends_with(end));
    let timeout = class.contains("TimedOut") || class.ends_with("ThreadTimeoutException");
    (is_class && !timeout && class.split('.').all(is_name)).then_some(class)
}

/// How an execution ended, in the words by which reports are read.
const fn ending(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::TimedOut => "test timeout",
        Outcome::Crashed => "test abort",
        other => other.word(),
    }
}

fn said(judged: &TestVerdict) -> String {
    let word = serde_json::to_value(judged.verdict).ok();
    let word = word.as_ref().and_then(|it| it.as_str()).unwrap_or_default();
    let p_real = judged.p_real.map_or(String::new(), |p| format!(", P(real) {p:.4}"));
    let shield = if judged.quarantined { "\nin quarantine: does not block" } else { "" };
    format!("rasher: {word}{p_real}\n{}\n{}{shield}", judged.evidence, judged.reason)
}

fn element(out: &mut Out, name: &str, text: &str) -> Written {
    out.write_event(Event::Start(BytesStart::new(name)))?;
    out.write_event(Event::Text(BytesText::from_escaped(escaped(text))))?;
    out.write_event(Event::End(BytesEnd::new(name)))
}

fn push(tag: &mut BytesStart<'_>, key: &str, value: &str) {
    // Written so that no reader makes other white space of it.
    let value = escaped(value).replace('\t', "&#9;").replace('\n', "&#10;");
    tag.push_attribute(Attribute { key: QName(key), value: Cow::Owned(value) });
}

/// Text for an element: what XML cannot hold is replaced.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\t' | '\n' => safe.push(c),
            '\r' => safe.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

fn millis(span: Micros) -> u64 {
    span.get().div_ceil(1_000)
}

/// At most three decimals, as Surefire writes it.
fn seconds(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_an_exception_is_what_a_message_begins_with() {
        let of = |outcome, message| exception(&Told { outcome, duration: None, message });
        for (message, class) in [
            ("java.lang.AssertionError: expected 3", Some("java.lang.AssertionError")),
            ("a.B$InnerException", Some("a.B$InnerException")),
            (
                "org.opentest4j.AssertionFailedError:\nmore",
                Some("org.opentest4j.AssertionFailedError"),
            ),
            ("KeyError: 'x'", Some("KeyError")),
            ("Error reading a file: gone", None),
            ("expected: 3", None),
            ("the.Error in words", None),
            ("a..bError: x", None),
            ("x.TestTimedOutException: after 5 s", None),
            ("", None),
        ] {
            assert_eq!(of(Outcome::Failed, Some(message)), class, "{message}");
        }
        let timed_out = of(Outcome::TimedOut, Some("java.lang.Exception: slow"));
        assert_eq!(timed_out, None, "reports are read by the word for a timeout");
        assert_eq!(of(Outcome::Failed, None), None);
    }
}
