//! One run of the made monolith, and the forms in which others would report it.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use quick_xml::escape::escape;
use rasher::attempt::{Attempt, GroupSetUp, Outcome, Recording};
use rasher::test_id::TestTable;
use rasher::units::Micros;

use super::{Class, Monolith, whole_millis};
use crate::draw::Draw;

/// Night of the first run: 2026-01-05T02:00:00Z.
const FIRST_RUN_SECOND: i64 = 1_767_578_400;
/// Spread of a whole run's level, of a test from run to run, and of the outliers among them.
const RUN_SIGMA: f64 = 0.04;
const TEST_SIGMA: f64 = 0.05;
const OUTLIER_SHARE: f64 = 0.04;
const OUTLIER_SIGMA: f64 = 0.6;

const FAILURES: &[(&str, &str)] = &[
    ("org.opentest4j.AssertionFailedError", "expected: <200> but was: <503>"),
    ("java.util.concurrent.TimeoutException", "no answer within 30 s"),
    ("org.openqa.selenium.StaleElementReferenceException", "element is not attached to the page"),
    ("java.net.ConnectException", "Connection refused (port 8443)"),
];

/// What one run of a [`Monolith`] reported. The results may be changed, to make a test fail.
#[derive(Clone, Debug)]
pub struct MadeRun<'a> {
    /// What was run.
    pub monolith: &'a Monolith,
    /// When it began.
    pub at: Timestamp,
    /// What each class cost before its first test.
    pub setups: Vec<Micros>,
    /// The result of each test, counted through the classes in order.
    pub results: Vec<CaseResult>,
}

/// How one test of a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// How long it took.
    pub duration: Micros,
    /// Passed, failed or skipped.
    pub outcome: Outcome,
}

impl<'a> MadeRun<'a> {
    pub(super) fn draw(monolith: &'a Monolith, number: u32) -> Self {
        let mut draw = Draw::new(monolith.seed, &format!("run {number}"));
        let level = draw.log_normal(RUN_SIGMA);
        let noisy = |draw: &mut Draw, usual: Micros| {
            let mut factor = level * draw.log_normal(TEST_SIGMA);
            if draw.chance(OUTLIER_SHARE) {
                factor *= draw.log_normal(OUTLIER_SIGMA);
            }
            whole_millis(usual.as_secs_f64() * factor)
        };
        let setups = monolith.classes.iter().map(|class| noisy(&mut draw, class.setup)).collect();
        let mut results = Vec::with_capacity(monolith.tests());
        for (_, case) in monolith.cases() {
            let duration = noisy(&mut draw, case.duration);
            let flaked = draw.chance(case.flake_rate);
            results.push(match (case.skipped, flaked) {
                (true, _) => CaseResult { duration: Micros::ZERO, outcome: Outcome::Skipped },
                (_, true) => CaseResult { duration, outcome: Outcome::Failed },
                _ => CaseResult { duration, outcome: Outcome::Passed },
            });
        }
        let seconds = FIRST_RUN_SECOND + 86_400 * i64::from(number);
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        Self { monolith, at, setups, results }
    }

    /// The id of each test, as it is read from the report: `class#method`.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        self.monolith.cases().map(|(class, case)| format!("{}#{}", class.name, case.name))
    }

    /// The run as attempts, without a detour through a report.
    pub fn recording(&self) -> Recording {
        let mut tests = TestTable::new();
        let mut attempts = Vec::with_capacity(self.results.len());
        let cases = self.monolith.cases().zip(self.ids());
        for (((class, _), id), result) in cases.zip(&self.results) {
            attempts.push(Attempt {
                test: tests.intern(&id, Some(&class.name)),
                ordinal: 0,
                start: None,
                duration: Some(result.duration),
                outcome: result.outcome,
                signature: None,
                message: None,
                unique_id: None,
            });
        }
        let setups = self.monolith.classes.iter().zip(&self.setups);
        let setups = setups
            .map(|(class, setup)| (tests.intern_group(&class.name), *setup))
            .collect::<Vec<_>>();
        let setups = setups.into_iter().map(|(group, setup)| GroupSetUp { group, setup }).collect();
        Recording { tests, attempts, setups, reported_at: Some(self.at) }
    }

    /// The whole run as one JUnit XML file in Surefire's dialect, about 5 MB at full size.
    pub fn junit(&self) -> Vec<u8> {
        self.junit_of(|_| true)
    }

    /// The report of those tests for which `ran` is true, counted through the classes in order: what
    /// one worker would report.
    pub fn junit_of(&self, ran: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut xml = String::with_capacity(self.results.len() * 110);
        xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
        let mut first = 0;
        for (class, setup) in self.monolith.classes.iter().zip(&self.setups) {
            let tests: Vec<usize> =
                (first..first + class.cases.len()).filter(|test| ran(*test)).collect();
            if !tests.is_empty() {
                self.write_class(&mut xml, (class, *setup, first), &tests);
            }
            first += class.cases.len();
        }
        xml.push_str("</testsuites>\n");
        xml.into_bytes()
    }

    /// One file per class as Surefire writes them: file name and bytes.
    pub fn junit_files(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        let classes = self.monolith.classes.iter().zip(&self.setups);
        classes.scan(0, |first, (class, setup)| {
            let tests: Vec<usize> = (*first..*first + class.cases.len()).collect();
            let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
            self.write_class(&mut xml, (class, *setup, *first), &tests);
            *first += class.cases.len();
            Some((format!("TEST-{}.xml", class.name), xml.into_bytes()))
        })
    }

    /// The run as pytest-split's `.test_durations`: JSON of test id to seconds.
    pub fn test_durations(&self) -> Vec<u8> {
        let seconds = self.results.iter().map(|result| result.duration.as_secs_f64());
        let map: BTreeMap<String, f64> = self.ids().zip(seconds).collect();
        serde_json::to_vec(&map).expect("a map of text to numbers is JSON")
    }

    fn write_class(&self, xml: &mut String, whose: (&Class, Micros, usize), tests: &[usize]) {
        let (class, setup, first) = whose;
        let results = tests.iter().map(|test| self.results[*test]);
        let time = setup + results.clone().map(|result| result.duration).sum();
        let count = |outcome| results.clone().filter(|result| result.outcome == outcome).count();
        let _ = writeln!(
            xml,
            "<testsuite name=\"{}\" time=\"{:.3}\" timestamp=\"{}\" tests=\"{}\" errors=\"0\" \
             skipped=\"{}\" failures=\"{}\">",
            class.name,
            time.as_secs_f64(),
            self.at,
            tests.len(),
            count(Outcome::Skipped),
            count(Outcome::Failed),
        );
        for test in tests {
            self.write_case(xml, class, first, *test);
        }
        xml.push_str("</testsuite>\n");
    }

    fn write_case(&self, xml: &mut String, class: &Class, first: usize, test: usize) {
        let (case, result) = (&class.cases[test - first], self.results[test]);
        let seconds = result.duration.as_secs_f64();
        let _ = write!(
            xml,
            " <testcase name=\"{}\" classname=\"{}\" time=\"{seconds:.3}\"",
            escape(case.name.as_str()),
            class.name,
        );
        let _ = match result.outcome {
            Outcome::Skipped => writeln!(xml, "><skipped message=\"disabled\"/></testcase>"),
            outcome if outcome.is_failure() => {
                let (kind, message) = FAILURES[test % FAILURES.len()];
                let text = escape(message);
                let element = if outcome == Outcome::Failed { "failure" } else { "error" };
                writeln!(
                    xml,
                    "><{element} message=\"{text}\" type=\"{kind}\">{kind}: {text}</{element}></testcase>"
                )
            }
            _ => writeln!(xml, "/>"),
        };
    }
}
