//! What one `testcase` means: which test it is about and which attempts it tells of.

use super::attributes::{Attributes, Stamp};
use super::suite::{Held, Suite};
use crate::attempt::Outcome;
use crate::ingest::failure::{CLASS_LEVEL, Words, cut};
use crate::ingest::rows::{Execution, Rows};
use crate::ingest::{Dialect, Limits, ProblemKind, pytest, seconds};
use crate::test_id::TestId;
use crate::units::Micros;

/// What a child of a case says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    Failure,
    Error,
    Skipped,
    FlakyFailure,
    FlakyError,
    RerunFailure,
    RerunError,
}

impl PartKind {
    pub(super) fn of(element: &str) -> Option<Self> {
        Some(match element {
            "failure" => Self::Failure,
            "error" => Self::Error,
            "skipped" | "disabled" | "ignored" => Self::Skipped,
            "flakyFailure" => Self::FlakyFailure,
            "flakyError" => Self::FlakyError,
            "rerunFailure" => Self::RerunFailure,
            "rerunError" => Self::RerunError,
            _ => return None,
        })
    }

    /// How an execution with this part ended, before its words are looked at.
    const fn outcome(self) -> Outcome {
        match self {
            Self::Skipped => Outcome::Skipped,
            Self::Failure | Self::FlakyFailure | Self::RerunFailure => Outcome::Failed,
            Self::Error | Self::FlakyError | Self::RerunError => Outcome::Errored,
        }
    }

    const fn is_rerun(self) -> bool {
        self.ran_before() || self.ran_after()
    }

    const fn ran_before(self) -> bool {
        matches!(self, Self::FlakyFailure | Self::FlakyError)
    }

    const fn ran_after(self) -> bool {
        matches!(self, Self::RerunFailure | Self::RerunError)
    }
}

/// One child of a case.
#[derive(Debug)]
pub(super) struct Part {
    kind: PartKind,
    words: Words,
    /// The time of its own execution; only some tools write it.
    time: Option<Micros>,
    stamp: Option<Stamp>,
}

impl Part {
    pub(super) fn new(kind: PartKind, attributes: &Attributes<'_>) -> Self {
        let kept = |name: &str| cut(attributes.get(name).unwrap_or_default(), 2_000).to_owned();
        Self {
            kind,
            words: Words { kind: kept("type"), message: kept("message"), text: String::new() },
            time: attributes.get("time").and_then(|time| seconds::parse(time).ok()),
            stamp: attributes.stamp("timestamp"),
        }
    }

    pub(super) fn text(&mut self) -> &mut String {
        &mut self.words.text
    }

    fn execution(&self) -> Execution {
        let outcome = self.kind.outcome();
        let failed = outcome.is_failure();
        Execution {
            start: self.stamp.filter(|stamp| stamp.exact).map(|stamp| stamp.at),
            message: self.words.message(),
            signature: failed.then(|| self.words.signature()),
            ..Execution::new(if failed { self.words.outcome(outcome) } else { outcome }, self.time)
        }
    }
}

/// An open case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) at: usize,
    pub(super) stamp: Option<Stamp>,
    pub(super) parts: Vec<Part>,
    pub(super) output: String,
    name: String,
    classname: String,
    file: String,
    time: Option<String>,
    status: Option<Outcome>,
    /// Not a case but a failure of the suite itself.
    of_suite: bool,
}

/// What a case takes from around it.
pub(super) struct Context<'s> {
    pub(super) dialect: Dialect,
    /// The name of the nearest suite that has one.
    pub(super) suite_name: &'s str,
}

/// What came of a case.
#[derive(Default)]
pub(super) struct Closed {
    pub(super) problems: Vec<(ProblemKind, String)>,
    /// Bytes of names that were built for it.
    pub(super) name_bytes: usize,
}

impl Closed {
    fn dropped(what: String) -> Self {
        Self { problems: vec![(ProblemKind::Row, what)], name_bytes: 0 }
    }
}

/// Which test a case is about.
struct Identity {
    id: String,
    group: Option<String>,
}

impl Identity {
    fn bytes(&self) -> usize {
        self.id.len() + self.group.as_ref().map_or(0, String::len)
    }
}

impl Case {
    pub(super) fn new(attributes: &Attributes<'_>, at: usize) -> Self {
        Self {
            at,
            stamp: attributes.stamp("timestamp"),
            parts: Vec::new(),
            output: String::new(),
            name: attributes.text("name"),
            classname: attributes.text("classname"),
            file: attributes.text("file"),
            time: attributes.get("time").map(str::to_owned),
            status: status(attributes),
            of_suite: false,
        }
    }

    /// The row of a failure that stands in a suite without a case; it is named after the suite.
    pub(super) fn of_suite(part: Part, at: usize) -> Self {
        Self { parts: vec![part], of_suite: true, ..Self::new(&Attributes::default(), at) }
    }

    /// Adds the attempts of this case; gives what could not be used.
    pub(super) fn close(
        self,
        context: &Context<'_>,
        suite: &mut Suite,
        limits: &Limits,
        rows: &mut Rows,
    ) -> Closed {
        let mut main = self.main();
        let longest = self.classname.len().max(self.name.len()).max(context.suite_name.len());
        if longest.max(self.file.len()).max(suite.file.len()) > limits.name_bytes {
            let what = format!("a name longer than {} bytes; left out", limits.name_bytes);
            return Closed::dropped(what);
        }
        let Some(identity) = self.identity(context, suite, &mut main.outcome) else {
            if self.is_set_up_script(context) {
                suite.hold(Held { attempts: 1, failed: 0 });
                return Closed::default();
            }
            let what = "a case without a name in a suite without one; left out".to_owned();
            return Closed::dropped(what);
        };
        let mut closed = Closed { name_bytes: identity.bytes(), ..Closed::default() };
        match self.duration(main.outcome) {
            Ok(duration) => main.duration = duration,
            Err(what) => closed.problems.push((ProblemKind::Time, what)),
        }
        let exact = |stamp: Option<Stamp>| stamp.filter(|stamp| stamp.exact).map(|stamp| stamp.at);
        suite.rows += 1;
        main.start = exact(self.stamp);
        if suite.rows == 1 {
            main.start = main.start.or(exact(suite.stamp));
        }
        let test = rows.test(&identity.id, identity.group.as_deref());
        let of_group = identity.group.as_ref() == Some(&identity.id);
        let mixed = of_group || self.parts.iter().any(|part| part.kind.is_rerun());
        // The time of a Go sub-test stands in that of its parent too.
        let inner = context.dialect == Dialect::GoTest && self.name.contains('/');
        let time = if inner { Some(Micros::ZERO) } else { main.duration };
        suite.count(rows.group(test), time, mixed);
        self.push(test, main, (suite, context.dialect), rows);
        closed
    }

    /// The execution that the case itself tells of: the worst of its parts, else its status.
    fn main(&self) -> Execution {
        let of = |wanted: &[PartKind]| self.parts.iter().find(|part| wanted.contains(&part.kind));
        let part = of(&[PartKind::Failure, PartKind::Error]).or(of(&[PartKind::Skipped]));
        let mut main = match part {
            Some(part) => part.execution(),
            None => {
                // Reruns follow a failure, even where the report leaves that one out.
                let rerun = self.parts.iter().find(|part| part.kind.ran_after());
                let outcome = self.status.or(rerun.map(|part| part.kind.outcome()));
                Execution::new(outcome.unwrap_or(Outcome::Passed), None)
            }
        };
        main.unique_id = unique_id(&self.output);
        main
    }

    /// Adds all executions in the order in which they happened.
    fn push(
        &self,
        test: TestId,
        main: Execution,
        (suite, dialect): (&mut Suite, Dialect),
        rows: &mut Rows,
    ) {
        let may_retry = is_jvm(dialect) || dialect == Dialect::JUnitXml;
        let reruns = self.parts.iter().filter(|part| part.kind.is_rerun()).count() as u64;
        let failed = reruns + u64::from(main.outcome.is_failure());
        suite.hold(Held { attempts: reruns + 1, failed });
        for part in self.parts.iter().filter(|part| part.kind.ran_before()) {
            rows.push(test, part.execution());
        }
        let (outcome, took_time) = (main.outcome, main.duration.is_some_and(|d| !d.is_zero()));
        let Some(place) = rows.push(test, main) else { return };
        if outcome != Outcome::Skipped {
            suite.retries.result(test, suite.rows, place, rows);
        } else if let Some(reason) = self.retry_reason().filter(|_| took_time && may_retry) {
            suite.retries.skip(test, (suite.rows, place, reason), rows);
        }
        for part in self.parts.iter().filter(|part| part.kind.ran_after()) {
            rows.push(test, part.execution());
        }
    }

    /// For a skip that may be a retried failure: whether it gives a reason. `None` for a skip that
    /// says itself that it is one.
    fn retry_reason(&self) -> Option<bool> {
        let words = self.parts.iter().map(|part| &part.words);
        let on_purpose = ["Assum", "Aborted", "SkipException", "pytest", "Disabled", "Ignore"];
        let said = |text: &str| on_purpose.iter().any(|word| text.contains(word));
        let mut reason = false;
        for word in words {
            if said(&word.kind) {
                return None;
            }
            reason |= !word.kind.is_empty() || !word.message.is_empty();
        }
        Some(reason)
    }

    /// The duration, `None` for a skip without one, or what is wrong with the time.
    fn duration(&self, outcome: Outcome) -> Result<Option<Micros>, String> {
        let shown = cut(self.shown_name(), 80);
        match self.time.as_deref().map(|time| (time, seconds::parse(time))) {
            Some((_, Ok(time))) => Ok(Some(time)),
            None if self.of_suite => Ok(None),
            None | Some((_, Err(seconds::NoTime::Empty))) if !outcome.is_result() => Ok(None),
            None => Err(format!("`{shown}` has no time; its outcome is kept")),
            Some((time, Err(no))) => {
                let (time, why) = (cut(time, 40), no.why());
                Err(format!("time `{time}` of `{shown}` {why}; its outcome is kept"))
            }
        }
    }

    fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.classname } else { &self.name }
    }

    /// cargo-nextest reports its set-up scripts as cases. One that passed is no test.
    fn is_set_up_script(&self, context: &Context<'_>) -> bool {
        context.dialect == Dialect::Nextest && self.classname.starts_with("@setup-script:")
    }

    /// The test id and its group. A failed case about a whole group becomes `SetUpFailed` and takes
    /// the name of the group.
    fn identity(
        &self,
        context: &Context<'_>,
        suite: &Suite,
        outcome: &mut Outcome,
    ) -> Option<Identity> {
        if context.dialect == Dialect::Pytest && !self.of_suite {
            return self.pytest_identity(outcome);
        }
        let class = self.class(context, suite);
        let group = self.group(context, suite, class);
        let script = self.is_set_up_script(context);
        if script && !outcome.is_failure() {
            return None;
        }
        let whole = script || self.is_about_group(context.dialect, class, outcome.is_failure());
        if whole && outcome.is_failure() {
            *outcome = Outcome::SetUpFailed;
        }
        if whole || self.name.trim().is_empty() {
            return group.map(|group| Identity { id: group.clone(), group: Some(group) });
        }
        let mut id = String::with_capacity(class.len() + 1 + self.name.len());
        if !class.is_empty() {
            id.push_str(class);
            id.push('#');
        }
        id.push_str(&self.name);
        Some(Identity { id, group })
    }

    fn pytest_identity(&self, outcome: &mut Outcome) -> Option<Identity> {
        if self.name.trim().is_empty() && self.classname.is_empty() {
            return None;
        }
        let file = Some(self.file.as_str()).filter(|file| !file.is_empty());
        let node = pytest::node(file, &self.classname, &self.name);
        if node.id == node.file && outcome.is_failure() {
            *outcome = Outcome::SetUpFailed;
        }
        Some(Identity { id: node.id, group: Some(node.file) })
    }

    /// The class name, else the name of the suite. Go's older writers shorten the package in the
    /// class name; the suite has it whole.
    fn class<'c>(&'c self, context: &Context<'c>, suite: &'c Suite) -> &'c str {
        let whole = suite.name.strip_suffix(self.classname.as_str());
        let shortened = whole.is_some_and(|before| before.ends_with('/'));
        if context.dialect == Dialect::GoTest && shortened {
            return &suite.name;
        }
        if self.classname.is_empty() { context.suite_name } else { &self.classname }
    }

    /// The class, or for Jest the test file, else the suite: jest-junit writes one suite a file.
    fn group(&self, context: &Context<'_>, suite: &Suite, class: &str) -> Option<String> {
        let jest = [self.file.as_str(), &suite.file, context.suite_name, class];
        let of = match context.dialect {
            Dialect::Jest => jest.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
            _ => class,
        };
        (!of.is_empty()).then(|| of.to_owned())
    }

    /// True for a row that stands for a whole class, binary or file.
    fn is_about_group(&self, dialect: Dialect, class: &str, failed: bool) -> bool {
        let name = self.name.trim();
        if name.is_empty() {
            return true;
        }
        // Elsewhere a test may well be called like its class: a file that is one test.
        let is_java = class.contains('.') && !class.contains(['/', '\\', ' ']);
        if is_jvm(dialect) || (dialect == Dialect::JUnitXml && is_java) {
            let is_simple = || class.rsplit(['.', '$']).next() == Some(name);
            return name == class || (failed && (is_simple() || CLASS_LEVEL.contains(&name)));
        }
        let go = dialect == Dialect::GoTest && (name == "TestMain" || name.starts_with('['));
        let jest = dialect == Dialect::Jest
            && (self.classname.trim() == NOT_RUN || name.ends_with(NOT_RUN));
        failed && (go || jest)
    }
}

/// True for the writers that follow JUnit's own conventions.
const fn is_jvm(dialect: Dialect) -> bool {
    use Dialect::{Gradle, JUnitPlatform, Surefire, TestNg};
    matches!(dialect, Surefire | Gradle | JUnitPlatform | TestNg)
}

const NOT_RUN: &str = "Test suite failed to run";

/// What attributes say of the outcome: googletest, CTest and others write no child for it.
fn status(attributes: &Attributes<'_>) -> Option<Outcome> {
    let said = |name: &str| attributes.some(name).map(str::to_ascii_lowercase);
    let word = |word: Option<String>| match word.as_deref() {
        Some("notrun" | "disabled" | "skipped" | "suppressed" | "ignored" | "pending") => {
            Some(Outcome::Skipped)
        }
        Some("fail" | "failed" | "failure") => Some(Outcome::Failed),
        Some("error") => Some(Outcome::Errored),
        _ => None,
    };
    word(said("status")).or_else(|| word(said("result")))
}

/// The unique id that the JUnit Platform's reporter writes into the output of a case.
fn unique_id(output: &str) -> Option<Box<str>> {
    let line = output.lines().find_map(|line| line.trim().strip_prefix("unique-id: "))?;
    (line.starts_with('[') && line.ends_with(']')).then(|| Box::from(line))
}
