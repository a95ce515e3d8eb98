//! Bytes to text, and a first look at what kind of text it is.
//!
//! Decides the character encoding by byte order mark, then by the XML declaration, else UTF-8.

use std::borrow::Cow;

use super::ProblemKind;
use super::log::Log;

/// What the text looks like before any of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A `testsuite` or `testsuites` document.
    Xml,
    /// A JSON object or array.
    Json,
    /// Something else, perhaps lines.
    Lines,
}

const LOOK: usize = 4_096;

/// The text of a file, or why it has none.
pub(super) fn decode<'b>(bytes: &'b [u8], log: &mut Log) -> Result<Cow<'b, str>, String> {
    if let Some(packing) = packing(bytes) {
        return Err(format!("is packed ({packing}); unpack it first"));
    }
    let text = match bytes {
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0, b'<', ..] => utf16(bytes, u16::from_be_bytes),
        [b'<', 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => eight_bit(rest, log),
        _ => eight_bit(bytes, log),
    };
    let head = &text.as_bytes()[..text.len().min(LOOK)];
    if head.contains(&0) {
        return Err("is binary, not a report".to_owned());
    }
    Ok(text)
}

fn packing(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1F, 0x8B, ..] => Some("gzip"),
        [b'P', b'K', 3, 4, ..] => Some("zip"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Some("zstd"),
        [0xFD, b'7', b'z', b'X', b'Z', ..] => Some("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some("bzip2"),
        _ => None,
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, str> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(text.collect())
}

fn eight_bit<'b>(bytes: &'b [u8], log: &mut Log) -> Cow<'b, str> {
    let declared = declared_encoding(bytes).unwrap_or_default();
    if matches!(declared.as_str(), "iso-8859-1" | "latin1" | "windows-1252" | "cp1252") {
        return latin(bytes);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let said = if declared.is_empty() { "utf-8" } else { &declared };
            let at = error.valid_up_to();
            let what = format!("byte {at} is no UTF-8 (declared: {said}); replaced by U+FFFD");
            log.about_file(ProblemKind::Encoding, what);
            String::from_utf8_lossy(bytes)
        }
    }
}

/// The encoding named by an XML declaration, in lower case.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(256)];
    let head = String::from_utf8_lossy(head);
    let declaration = head.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split("encoding").nth(1)?.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_ascii_lowercase)
}

/// Latin-1 as the web reads it: the gap at 0x80 holds the characters of Windows-1252.
fn latin(bytes: &[u8]) -> Cow<'_, str> {
    const GAP: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let of = |byte: &u8| match byte {
        0x80..=0x9F => GAP[usize::from(byte - 0x80)],
        _ => char::from(*byte),
    };
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(of).collect()),
    }
}

/// Looks at the first character, and for XML at the first element.
pub(super) fn form(text: &str) -> Result<Form, String> {
    let start = text.trim_start();
    match start.chars().next() {
        None => Err("is empty".to_owned()),
        Some('<') => match root(start) {
            Some("testsuite" | "testsuites") => Ok(Form::Xml),
            Some(other) => Err(foreign(other)),
            None => Err("begins with `<` but holds no element".to_owned()),
        },
        Some('{' | '[') => Ok(Form::Json),
        Some(_) => Ok(Form::Lines),
    }
}

/// The local name of the first element, with declarations, comments and a document type skipped.
fn root(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')?..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment.find("-->")?..];
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            rest = &instruction[instruction.find("?>")?..];
        } else if let Some(declaration) = rest.strip_prefix("<!") {
            if declaration.get(..12).is_some_and(|word| word.eq_ignore_ascii_case("doctype html")) {
                return Some("html");
            }
            rest = &declaration[doctype_end(declaration)?..];
        } else {
            let tag = &rest[1..];
            let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/' | '<'))?;
            return Some(tag[..end].rsplit(':').next().unwrap_or_default());
        }
    }
}

/// Where a document type ends: at the `>` after its inner declarations.
fn doctype_end(declaration: &str) -> Option<usize> {
    let end = declaration.find('>')?;
    match declaration[..end].find('[') {
        Some(inner) => {
            let inner_end = inner + declaration[inner..].find(']')?;
            Some(inner_end + declaration[inner_end..].find('>')?)
        }
        None => Some(end),
    }
}

/// Why a document with this root is not read, with what to do where we know it.
fn foreign(root: &str) -> String {
    let hint = match root.to_ascii_lowercase().as_str() {
        "html" | "head" | "body" => "is an HTML page; give the XML report beside it",
        "testng-results" => "is TestNG's own XML; give the `junitreports` beside it",
        "assemblies" | "assembly" => "is xUnit.net XML; write JUnit XML with a logger",
        "test-run" | "test-results" => "is NUnit XML; write JUnit XML with a logger",
        "testrun" => "is a TRX file; write JUnit XML with a logger",
        _ => "",
    };
    if hint.is_empty() {
        let shown: String = root.chars().take(60).collect();
        return format!("its root element `{shown}` is neither `testsuite` nor `testsuites`");
    }
    hint.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<String, String> {
        decode(bytes, &mut Log::new(5)).map(Cow::into_owned)
    }

    #[test]
    fn the_encoding_is_found_by_mark_then_by_declaration() {
        let wide: Vec<u8> = "\u{feff}<a>ü</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&wide).as_deref(), Ok("<a>ü</a>"));
        let big: Vec<u8> = "<a>ü</a>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(&big).as_deref(), Ok("<a>ü</a>"));
        let declared = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xFC\x80</a>";
        assert!(decoded(declared).is_ok_and(|text| text.ends_with("<a>ü€</a>")));
        assert_eq!(decoded(b"\xEF\xBB\xBF<a/>").as_deref(), Ok("<a/>"));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced_and_reported() {
        let mut log = Log::new(5);
        let text = decode(b"<a>\xFF</a>", &mut log).map(Cow::into_owned);
        assert_eq!(text.as_deref(), Ok("<a>\u{fffd}</a>"));
        assert_eq!(log.count(ProblemKind::Encoding), 1);
    }

    #[test]
    fn what_is_no_report_is_refused_with_its_kind() {
        for (bytes, word) in
            [(&b"\x1f\x8b\x08"[..], "gzip"), (b"PK\x03\x04", "zip"), (b"\x7fELF\0\0", "binary")]
        {
            assert!(decoded(bytes).is_err_and(|why| why.contains(word)), "{word}");
        }
        for (text, word) in [
            ("", "empty"),
            (" \n", "empty"),
            ("<!doctype HTML><p>", "HTML"),
            ("<?xml version='1.0'?><!-- <testsuite/> --><testng-results/>", "TestNG"),
            ("<project/>", "`project`"),
            ("<", "no element"),
        ] {
            assert!(form(text).is_err_and(|why| why.contains(word)), "{text}");
        }
        let typed = "<!DOCTYPE s [<!ENTITY a \"b\">]><testsuite/>";
        assert_eq!(form(typed), Ok(Form::Xml));
        assert_eq!(form("<j:testsuites xmlns:j='x'/>"), Ok(Form::Xml));
    }
}
