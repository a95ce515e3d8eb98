//! The attributes of one element, bounded.

use std::borrow::Cow;

use jiff::Timestamp;
use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

use crate::ingest::ProblemKind;

/// A time stamp, and whether it names its offset to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) at: Timestamp,
    pub(super) exact: bool,
}

/// Local names and values in the order of the element.
#[derive(Debug, Default)]
pub(super) struct Attributes<'e> {
    list: Vec<(&'e str, Cow<'e, str>)>,
}

type Fault = (ProblemKind, String);

impl<'e> Attributes<'e> {
    /// Reads at most `limit` attributes; what follows a fault is not read.
    pub(super) fn read(tag: &'e BytesStart<'_>, limit: usize) -> (Self, Option<Fault>) {
        let mut list = Vec::with_capacity(8);
        let mut attributes = tag.attributes();
        // Reading names twice is refused nowhere else and costs a search per attribute.
        attributes.with_checks(false);
        for attribute in attributes {
            if list.len() >= limit {
                let what = format!("more than {limit} attributes; the rest is not read");
                return (Self { list }, Some((ProblemKind::Limit, what)));
            }
            match attribute {
                Ok(attribute) => {
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                    let name = attribute.key.into_inner();
                    let name = name.split_once(':').map_or(name, |(_, local)| local);
                    // An unknown entity stays as it is written.
                    list.push((name, value.unwrap_or(attribute.value)));
                }
                Err(error) => {
                    let what = format!("attributes are broken: {error}");
                    return (Self { list }, Some((ProblemKind::Row, what)));
                }
            }
        }
        (Self { list }, None)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.list.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// A trimmed value that is not empty.
    pub(super) fn some(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A value as an owned text, empty where there is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    pub(super) fn stamp(&self, name: &str) -> Option<Stamp> {
        super::parse_stamp(self.get(name)?).map(|(at, exact)| Stamp { at, exact })
    }

    /// True where the attributes are exactly these, in this order.
    pub(super) fn are(&self, names: &[&str]) -> bool {
        self.list.iter().map(|(name, _)| *name).eq(names.iter().copied())
    }

    /// True where there is such an attribute.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}
