//! Report bytes to attempts and problems.
//!
//! Decides what a report says: which dialect it is (by its content, never by its name), which test
//! each row is about, how it ended and how long it took. It never opens a file, never guesses an
//! outcome and never drops a row in silence: what cannot be read is a [`Problem`] with its line.
//!
//! # What is read
//!
//! | dialect | test id | group |
//! |---|---|---|
//! | the Rasher harness | as the XML of the same run | the class |
//! | JUnit XML of Surefire, Gradle, JUnit Platform, TestNG and others | `classname#name` | the class |
//! | JUnit XML of pytest | the node id, `tests/test_x.py::TestC::test_a` | the file |
//! | JUnit XML of cargo-nextest | `binary-id#test` | the binary |
//! | JUnit XML of gotestsum and go-junit-report | `package#Test` | the package |
//! | JUnit XML of Jest | `classname#name` | the test file, else the suite |
//! | `.test_durations` (pytest-split) | as it stands | the text before the first `::` |
//! | Knapsack, parallel_tests, Jest balance | the file as it stands | none |
//!
//! A row about a whole class or file (its set-up failed, or it was left out) carries the name of
//! the group as its test id: `TestTable::name` of the test equals the name of its group. A
//! missing class name is the name of the nearest suite.
//!
//! # Rules
//!
//! - **A bad row costs that row, a bad file that file.** A file that ends early, or stops being
//!   well-formed, keeps the rows that were complete before that place and says where it broke.
//! - **Retries are attempts.** `flakyFailure` and `flakyError` ran before the result of the case,
//!   `rerunFailure` and `rerunError` after it; a test seen again counts up. A TestNG retry, which is
//!   written as a skip that took time beside a result of the same test in the same suite, is the
//!   failed attempt it was, and came before that result.
//! - **A failure that stands in a suite, outside any case,** is a failed set-up of that suite.
//! - **A suite that announces more tests than it holds** is reported: a killed process looks so.
//! - **A row without a usable time keeps its outcome** and has no duration. `1,234.5` and `0,123`
//!   are read as their writers meant them.
//! - **A suite that holds one group** tells the set-up of that group: its time minus the sum of its
//!   cases. No difference tells nothing: many writers give that sum as the time of the suite.
//! - **Time stamps without an offset are taken as UTC**, which is what Ant, Gradle and Jest write;
//!   they date the recording ([`Recording::reported_at`]) but no single attempt.
//! - **Nothing is expanded** but the five entities of XML and character references; a document type
//!   is skipped. Depth, attributes, names, texts, rows and bytes are bounded by [`Limits`], and the
//!   time to read is linear in the bytes.
//! - **The same bytes twice are one report**, so that a folder matched by two patterns does not
//!   double every test.

mod failure;
mod harness;
mod jest_balance;
mod json_rows;
mod junit_xml;
mod knapsack;
mod log;
mod parallel_tests;
mod pytest;
mod rows;
mod seconds;
pub(crate) mod sibling;
mod test_durations;
mod text;
mod timings;

use std::collections::BTreeSet;
use std::fmt;

use crate::attempt::Recording;
use log::Log;
use rows::Rows;

/// How much of a report is read, so that a hostile one costs no more than its bytes.
///
/// The default holds every report known to us many times over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one file; a longer one is refused. 1 GiB.
    pub file_bytes: usize,
    /// Open elements; what lies deeper is left out and reported. 256.
    pub depth: usize,
    /// Attributes of one element; later ones are not looked at. 128.
    pub attributes: usize,
    /// Bytes of one test name or class name; a row with a longer one is dropped. 64 KiB.
    pub name_bytes: usize,
    /// Rows of one file; later ones are dropped and reported. 5,000,000.
    pub rows: usize,
    /// Failures, errors and reruns of one case; later ones are not looked at. 1,000.
    pub parts: usize,
    /// Problems listed of each kind and file; the rest is counted. 20.
    pub problems: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 1 << 30,
            depth: 256,
            attributes: 128,
            name_bytes: 1 << 16,
            rows: 5_000_000,
            parts: 1_000,
            problems: 20,
        }
    }
}

/// The tool or the convention that wrote a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// The Rasher harness in a test JVM.
    Harness,
    /// Maven Surefire and Failsafe.
    Surefire,
    /// Gradle's test task.
    Gradle,
    /// The console launcher of the JUnit Platform.
    JUnitPlatform,
    /// TestNG's own reporters.
    TestNg,
    /// pytest with `--junit-xml`.
    Pytest,
    /// cargo-nextest.
    Nextest,
    /// gotestsum and go-junit-report.
    GoTest,
    /// jest-junit, and the reporters of Vitest, Playwright and Cypress: one suite for a file.
    Jest,
    /// JUnit XML of any other tool.
    JUnitXml,
    /// `.test_durations` of pytest-split: test to seconds.
    TestDurations,
    /// A Knapsack report: file to seconds.
    Knapsack,
    /// The runtime log of parallel_tests: lines of `file:seconds`.
    ParallelTests,
    /// Balance file of a Jest run: file to milliseconds.
    JestBalance,
}

impl Dialect {
    /// A short name for people and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Harness => "harness",
            Self::Surefire => "surefire",
            Self::Gradle => "gradle",
            Self::JUnitPlatform => "junit-platform",
            Self::TestNg => "testng",
            Self::Pytest => "pytest",
            Self::Nextest => "nextest",
            Self::GoTest => "go",
            Self::Jest => "jest",
            Self::JUnitXml => "junit-xml",
            Self::TestDurations => "test-durations",
            Self::Knapsack => "knapsack",
            Self::ParallelTests => "parallel-tests",
            Self::JestBalance => "jest-balance",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a problem costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The whole file was left out.
    Refused,
    /// The file breaks off or stops being well-formed; rows before that place are kept.
    Cut,
    /// One row was left out.
    Row,
    /// One row has no usable time; its outcome is kept.
    Time,
    /// A suite announces more tests than it holds.
    Count,
    /// Something lies beyond [`Limits`] and was left out.
    Limit,
    /// Characters had to be replaced.
    Encoding,
    /// The same bytes were read before; they count once.
    Repeated,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Refused,
        Self::Cut,
        Self::Row,
        Self::Time,
        Self::Count,
        Self::Limit,
        Self::Encoding,
        Self::Repeated,
    ];

    /// A short name for people and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Cut => "cut",
            Self::Row => "row",
            Self::Time => "time",
            Self::Count => "count",
            Self::Limit => "limit",
            Self::Encoding => "encoding",
            Self::Repeated => "repeated",
        }
    }
}

/// One thing in a report that could not be used as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; `None` where the problem is about the file.
    pub line: Option<u64>,
    /// What it costs.
    pub kind: ProblemKind,
    /// What is wrong and what was done about it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// What came of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// What wrote it; `None` where the file was refused, and then a problem says why.
    pub dialect: Option<Dialect>,
    /// How many attempts it holds.
    pub attempts: usize,
    /// What could not be used.
    pub problems: Vec<Problem>,
}

impl FileReport {
    /// True where nothing of the file was used because it is no report we know.
    pub const fn is_refused(&self) -> bool {
        self.dialect.is_none()
    }
}

/// Reads reports into one [`Recording`].
///
/// ```
/// use rasher::attempt::Outcome;
/// use rasher::ingest::{Dialect, Limits, Reader};
///
/// let mut reader = Reader::new(Limits::default());
/// let file = reader.read(
///     br#"<testsuite name="demo.ATest" time="1.5" tests="1" errors="0" skipped="0" failures="0">
///           <testcase classname="demo.ATest" name="adds" time="1.0"/>
///         </testsuite>"#,
///     None,
/// );
/// assert_eq!(file.dialect, Some(Dialect::Surefire));
/// assert!(reader.read(b"no report", None).is_refused());
///
/// let recording = reader.finish();
/// let attempt = &recording.attempts[0];
/// assert_eq!(recording.tests.name(attempt.test), "demo.ATest#adds");
/// assert_eq!(attempt.outcome, Outcome::Passed);
/// assert_eq!(recording.setups[0].setup.to_string(), "500ms");
/// ```
#[derive(Debug, Default)]
pub struct Reader {
    limits: Limits,
    rows: Rows,
    seen: BTreeSet<([u8; 32], u32)>,
}

impl Reader {
    /// A reader without rows.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Reads one file. Order matters only for the attempts of one test: they count up in the order
    /// in which they are read.
    ///
    /// `module` is the module of a larger build that the report comes from, where the caller knows
    /// it. Linear in the bytes; keeps nothing of them but names and first lines of messages.
    pub fn read(&mut self, bytes: &[u8], module: Option<&str>) -> FileReport {
        let module = self.rows.enter(module);
        let mut log = Log::new(self.limits.problems);
        let before = self.rows.len();
        let dialect = match self.read_new(bytes, module, &mut log) {
            Ok(dialect) => Some(dialect),
            Err(reason) => {
                log.about_file(ProblemKind::Refused, reason);
                None
            }
        };
        let uncounted = self.rows.take_uncounted();
        if uncounted > 0 {
            let most = u16::MAX;
            let what = format!("{uncounted} attempts beyond {most} of one test; left out");
            log.about_file(ProblemKind::Limit, what);
        }
        FileReport { dialect, attempts: self.rows.len() - before, problems: log.finish() }
    }

    fn read_new(&mut self, bytes: &[u8], module: u32, log: &mut Log) -> Result<Dialect, String> {
        if bytes.len() > self.limits.file_bytes {
            let (is, limit) = (bytes.len(), self.limits.file_bytes);
            return Err(format!("{is} bytes are more than the limit of {limit}"));
        }
        let text = text::decode(bytes, log)?;
        let form = text::form(&text)?;
        // Read once more only to learn its dialect: the rows stand already.
        let again = !self.seen.insert((*blake3::hash(bytes).as_bytes(), module));
        let mut aside = Rows::default();
        aside.enter(None);
        let rows = if again { &mut aside } else { &mut self.rows };
        let dialect = match form {
            text::Form::Xml => junit_xml::read(&text, &self.limits, rows, log),
            text::Form::Json if harness::wrote(&text) => {
                harness::read(&text, &self.limits, rows, log)?
            }
            text::Form::Json => timings::read_json(&text, &self.limits, rows, log)?,
            text::Form::Lines => parallel_tests::read(&text, &self.limits, rows, log)?,
        };
        if again {
            let what = "the same bytes as a file read before; they count once";
            log.about_file(ProblemKind::Repeated, what.to_owned());
        }
        Ok(dialect)
    }

    /// The recording of all files read. A name that two modules use gets `module:` in front.
    pub fn finish(self) -> Recording {
        self.rows.finish()
    }
}
