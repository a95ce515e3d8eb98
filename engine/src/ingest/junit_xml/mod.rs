//! JUnit XML: elements to rows.
//!
//! Walks the document once, event by event. Decides which element belongs to which case and which
//! case to which suite; what a case means is decided in `case`, who wrote it in `dialect`, the cost
//! of a suite beyond its cases in `suite`.

mod attributes;
mod case;
mod dialect;
mod suite;

use std::borrow::Cow;
use std::rc::Rc;

use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::log::Log;
use super::rows::Rows;
use super::{Dialect, Limits, ProblemKind};
use attributes::{Attributes, Stamp};
use case::{Case, Part, PartKind};
use suite::Suite;

/// Bytes of text kept of one failure or output.
const TEXT_BYTES: usize = 4_096;
/// Bytes of names built for each byte of a report; real reports stay below 4.
const NAME_GROWTH: usize = 8;

/// What an open element is to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Root,
    Suite,
    Case,
    Part,
    /// A failure of a suite itself, read as a case of its own.
    SuitePart,
    Output,
    Properties,
    Other,
}

struct Walk<'t, 'r> {
    text: &'t str,
    limits: &'r Limits,
    rows: &'r mut Rows,
    log: &'r mut Log,
    /// Open elements, outermost first; what lies deeper than the limit is only counted.
    open: Vec<Element>,
    beyond: usize,
    /// Where the tag at hand begins.
    at: usize,
    origin: dialect::Origin,
    suites: Vec<Suite>,
    case: Option<Case>,
    cases: usize,
    /// Bytes of names that may still be built; a short row in a suite with a long name builds more
    /// than it is.
    name_bytes: usize,
}

/// Reads a document; adds its complete rows and notes what could not be used.
pub(super) fn read(text: &str, limits: &Limits, rows: &mut Rows, log: &mut Log) -> Dialect {
    let mut walk = Walk {
        text,
        limits,
        rows,
        log,
        open: Vec::new(),
        beyond: 0,
        at: 0,
        origin: dialect::Origin::default(),
        suites: Vec::new(),
        case: None,
        cases: 0,
        name_bytes: text.len().saturating_mul(NAME_GROWTH).saturating_add(1 << 20),
    };
    let mut xml = Reader::from_str(text);
    loop {
        walk.at = usize::try_from(xml.buffer_position()).unwrap_or(text.len());
        match xml.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => walk.event(&event),
            Err(error) => {
                let at = usize::try_from(xml.error_position()).unwrap_or(text.len());
                walk.broken(at, &error.to_string());
                return walk.origin.dialect();
            }
        }
    }
    if !walk.open.is_empty() || walk.beyond > 0 {
        walk.broken(text.len(), "the file ends before its last element is closed");
    }
    walk.origin.dialect()
}

impl Walk<'_, '_> {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::Empty(tag) => {
                self.start(tag);
                self.end();
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.words(text),
            Event::CData(text) => self.words(text),
            Event::GeneralRef(reference) => self.words(&resolved(reference)),
            Event::Comment(comment) => self.origin.comment(comment),
            _ => {}
        }
    }

    fn broken(&mut self, at: usize, why: &str) {
        let lost = if self.case.is_some() { "; the case it breaks in is lost" } else { "" };
        let what = format!("{why}; the rows before it are kept{lost}");
        self.log.at(self.text, at, ProblemKind::Cut, what);
    }

    fn start(&mut self, tag: &BytesStart<'_>) {
        if self.open.len() >= self.limits.depth {
            if self.beyond == 0 {
                let what = format!("nested deeper than {}; left out", self.limits.depth);
                self.log.at(self.text, self.at, ProblemKind::Limit, what);
            }
            self.beyond += 1;
            return;
        }
        let element = self.element(tag);
        self.open.push(element);
    }

    /// Opens what the tag stands for.
    fn element(&mut self, tag: &BytesStart<'_>) -> Element {
        let local = tag.local_name();
        let name: &str = local.as_ref();
        let in_case = self.case.is_some();
        match name {
            "testsuites" if !in_case => {
                let attributes = self.attributes(tag);
                self.stamp(attributes.stamp("timestamp"));
                self.origin.root(&attributes);
                Element::Root
            }
            "testsuite" if !in_case => self.open_suite(tag),
            "testcase" if !in_case => self.open_case(tag),
            "testcase" | "testsuite" => {
                let what = format!("a `{name}` inside a `testcase`; left out");
                self.log.at(self.text, self.at, ProblemKind::Row, what);
                Element::Other
            }
            "properties" if !in_case => Element::Properties,
            "property" if self.open.last() == Some(&Element::Properties) => {
                let attributes = self.attributes(tag);
                self.origin.property(attributes.get("name").unwrap_or_default());
                Element::Other
            }
            "failure" | "error" if self.open.last() == Some(&Element::Suite) => {
                self.open_suite_part(name, tag)
            }
            _ if in_case => self.open_part(name, tag),
            _ => Element::Other,
        }
    }

    fn open_suite(&mut self, tag: &BytesStart<'_>) -> Element {
        let attributes = self.attributes(tag);
        let stamp = attributes.stamp("timestamp");
        self.stamp(stamp);
        let outermost = !self.open.contains(&Element::Suite);
        if outermost {
            self.origin.suite(&attributes, self.open.is_empty());
        }
        if let Some(parent) = self.suites.last_mut() {
            parent.has_suites();
        }
        self.suites.push(Suite::new(&attributes, stamp, self.at));
        Element::Suite
    }

    fn open_case(&mut self, tag: &BytesStart<'_>) -> Element {
        if self.cases >= self.limits.rows {
            let what = format!("more than {} rows; left out", self.limits.rows);
            self.log.at(self.text, self.at, ProblemKind::Limit, what);
            return Element::Other;
        }
        self.cases += 1;
        let attributes = self.attributes(tag);
        self.origin.case(&attributes);
        let case = Case::new(&attributes, self.at);
        self.stamp(case.stamp);
        self.case = Some(case);
        Element::Case
    }

    fn open_suite_part(&mut self, name: &str, tag: &BytesStart<'_>) -> Element {
        let Some(kind) = PartKind::of(name) else { return Element::Other };
        let attributes = self.attributes(tag);
        let part = Part::new(kind, &attributes);
        self.case = Some(Case::of_suite(part, self.at));
        Element::SuitePart
    }

    fn open_part(&mut self, name: &str, tag: &BytesStart<'_>) -> Element {
        let directly = self.open.last() == Some(&Element::Case);
        let kind = PartKind::of(name).filter(|_| directly);
        if let Some(kind) = kind {
            let attributes = self.attributes(tag);
            let part = Part::new(kind, &attributes);
            if let Some(case) = &mut self.case {
                if case.parts.len() < self.limits.parts {
                    case.parts.push(part);
                    return Element::Part;
                }
                let what = format!("more than {} failures in a case; left out", self.limits.parts);
                self.log.at(self.text, self.at, ProblemKind::Limit, what);
            }
            return Element::Other;
        }
        match name {
            "system-out" if directly => Element::Output,
            // Surefire keeps the trace of a rerun one element deeper.
            "stackTrace" if self.open.last() == Some(&Element::Part) => Element::Part,
            _ => Element::Other,
        }
    }

    fn words(&mut self, words: &str) {
        let Some(case) = &mut self.case else { return };
        let into = match self.open.last() {
            Some(Element::Part | Element::SuitePart) if self.beyond == 0 => {
                case.parts.last_mut().map(Part::text)
            }
            Some(Element::Output) if self.beyond == 0 => Some(&mut case.output),
            _ => None,
        };
        if let Some(into) = into {
            let room = TEXT_BYTES.saturating_sub(into.len());
            let end = (0..=words.len().min(room)).rev().find(|end| words.is_char_boundary(*end));
            into.push_str(&words[..end.unwrap_or(0)]);
        }
    }

    fn end(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        match self.open.pop() {
            Some(Element::Case | Element::SuitePart) => {
                if let Some(case) = self.case.take() {
                    self.close_case(case);
                }
            }
            Some(Element::Suite) => {
                if let Some(suite) = self.suites.pop() {
                    self.close_suite(suite);
                }
            }
            _ => {}
        }
    }

    fn close_suite(&mut self, suite: Suite) {
        let dialect = self.origin.dialect();
        if let Some(what) = suite.missing(dialect) {
            self.log.at(self.text, suite.at, ProblemKind::Count, what);
        }
        if let Some(parent) = self.suites.last_mut() {
            parent.hold(suite.holds());
        }
        suite.close(dialect, self.rows);
    }

    /// The name of the nearest suite that has one.
    fn suite_name(&self) -> Rc<str> {
        let mut names = self.suites.iter().rev().map(|suite| &suite.name);
        names.find(|name| !name.is_empty()).cloned().unwrap_or_default()
    }

    fn close_case(&mut self, case: Case) {
        let mut loose = Suite::default();
        let depth = self.suites.len();
        let named = self.suite_name();
        let suite = match depth {
            0 => &mut loose,
            _ => &mut self.suites[depth - 1],
        };
        let at = case.at;
        if self.name_bytes == 0 {
            let what = "names far longer than the report itself; left out".to_owned();
            self.log.at(self.text, at, ProblemKind::Limit, what);
            return;
        }
        let context = case::Context { dialect: self.origin.dialect(), suite_name: &named };
        let closed = case.close(&context, suite, self.limits, self.rows);
        self.name_bytes = self.name_bytes.saturating_sub(closed.name_bytes);
        for (kind, what) in closed.problems {
            self.log.at(self.text, at, kind, what);
        }
    }

    fn attributes<'e>(&mut self, tag: &'e BytesStart<'_>) -> Attributes<'e> {
        let (attributes, fault) = Attributes::read(tag, self.limits.attributes);
        if let Some((kind, what)) = fault {
            self.log.at(self.text, self.at, kind, what);
        }
        attributes
    }

    fn stamp(&mut self, stamp: Option<Stamp>) {
        if let Some(stamp) = stamp {
            self.rows.stamped(stamp.at);
        }
    }
}

/// The text of a reference: a character, one of the five entities, or the reference itself.
fn resolved<'e>(reference: &'e BytesRef<'_>) -> Cow<'e, str> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Cow::Owned(character.to_string());
    }
    match quick_xml::escape::resolve_predefined_entity(reference) {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(format!("&{};", &**reference)),
    }
}

/// When a suite or a case began; `exact` where the offset to UTC was written out.
pub(super) fn parse_stamp(text: &str) -> Option<(Timestamp, bool)> {
    if text.len() > 64 {
        return None;
    }
    let text = text.trim();
    // TestNG names the zone.
    let zoned = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT"));
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((at, true));
    }
    let civil: jiff::civil::DateTime = zoned.unwrap_or(text).parse().ok()?;
    let at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some((at, zoned.is_some()))
}
