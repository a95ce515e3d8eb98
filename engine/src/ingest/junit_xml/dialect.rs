//! Who wrote a JUnit XML document.
//!
//! Decides by what stands before the first case of each outermost suite, and by that case; never by
//! the name of the file. The answer matters for test ids and groups; for the rest all are read
//! alike.

use super::attributes::Attributes;
use crate::ingest::{Dialect, jest_balance};

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// What the root says of all suites.
    root: Option<Dialect>,
    suite: Option<Dialect>,
    suite_name: String,
    /// True once a case of the suite at hand was looked at.
    settled: bool,
    first: Option<Dialect>,
}

impl Origin {
    /// The dialect of the suite at hand; of the first suite once the document is over.
    pub(super) fn dialect(&self) -> Dialect {
        self.root.or(self.suite).or(self.first).unwrap_or(Dialect::JUnitXml)
    }

    pub(super) fn comment(&mut self, comment: &str) {
        if comment.contains("org.testng.") && self.first.is_none() {
            self.root = self.root.or(Some(Dialect::TestNg));
        }
    }

    pub(super) fn root(&mut self, attributes: &Attributes<'_>) {
        let known = match attributes.get("name") {
            Some("nextest-run") => Some(Dialect::Nextest),
            Some("jest tests") => Some(Dialect::Jest),
            Some("pytest tests") => Some(Dialect::Pytest),
            _ if attributes.has("uuid") => Some(Dialect::Nextest),
            _ => None,
        };
        self.root = self.root.or(known);
    }

    pub(super) fn suite(&mut self, attributes: &Attributes<'_>, is_root: bool) {
        let name = attributes.get("name").unwrap_or_default();
        self.first = self.first.or(self.suite);
        self.suite = by_suite(name, attributes, is_root);
        name.clone_into(&mut self.suite_name);
        self.settled = false;
    }

    pub(super) fn property(&mut self, name: &str) {
        let known = match name {
            "go.version" => Dialect::GoTest,
            _ if name.starts_with("surefire.") => Dialect::Surefire,
            _ => return,
        };
        if !self.settled {
            self.suite = self.suite.or(Some(known));
        }
    }

    pub(super) fn case(&mut self, attributes: &Attributes<'_>) {
        if self.settled {
            return;
        }
        self.settled = true;
        if self.suite.is_none() {
            self.suite = by_case(&self.suite_name, attributes);
        }
    }
}

/// The set of Surefire 2 and 3 before its schema, whatever their order.
const SUREFIRE: [&[&str]; 3] = [
    &["tests", "failures", "name", "time", "errors", "skipped"],
    &["failures", "time", "errors", "skipped", "tests", "name"],
    &["name", "time", "tests", "errors", "skipped", "failures"],
];
const GRADLE: &[&str] =
    &["name", "tests", "skipped", "failures", "errors", "timestamp", "hostname", "time"];
const PLATFORM: &[&str] =
    &["name", "tests", "skipped", "failures", "errors", "time", "hostname", "timestamp"];

fn by_suite(name: &str, attributes: &Attributes<'_>, is_root: bool) -> Option<Dialect> {
    let schema = attributes.get("noNamespaceSchemaLocation").or(attributes.get("schemaLocation"));
    if schema.is_some_and(|schema| schema.contains("surefire")) {
        return Some(Dialect::Surefire);
    }
    if name == "pytest" {
        return Some(Dialect::Pytest);
    }
    if name.starts_with("@setup-script:") {
        return Some(Dialect::Nextest);
    }
    if is_javascript_file(name) || is_javascript_file(attributes.get("file").unwrap_or_default()) {
        return Some(Dialect::Jest);
    }
    if attributes.has("ignored") && attributes.has("hostname") {
        return Some(Dialect::TestNg);
    }
    if !is_root {
        return None;
    }
    if SUREFIRE.iter().any(|names| attributes.are(names)) || attributes.has("version") {
        Some(Dialect::Surefire)
    } else if attributes.are(GRADLE) {
        Some(Dialect::Gradle)
    } else if attributes.are(PLATFORM) {
        Some(Dialect::JUnitPlatform)
    } else {
        None
    }
}

fn by_case(suite_name: &str, attributes: &Attributes<'_>) -> Option<Dialect> {
    let file = attributes.get("file").unwrap_or_default();
    let classname = attributes.get("classname").unwrap_or_default();
    let name = attributes.get("name").unwrap_or_default();
    if is_javascript_file(file) {
        return Some(Dialect::Jest);
    }
    let stem = file.strip_suffix(".py").map(|stem| stem.replace(['/', '\\'], "."));
    if stem.is_some_and(|stem| !classname.is_empty() && classname.starts_with(&stem)) {
        return Some(Dialect::Pytest);
    }
    let go_name = ["Test", "Example", "Benchmark", "Fuzz"];
    let is_go = suite_name.contains('/')
        && suite_name == classname
        && !suite_name.contains([' ', '\\'])
        && go_name.iter().any(|start| name.starts_with(start));
    is_go.then_some(Dialect::GoTest)
}

fn is_javascript_file(name: &str) -> bool {
    !name.contains(' ') && jest_balance::is_javascript(name)
}
