//! A flat JSON object of names and numbers, row by row.
//!
//! A JSON parser gives up at the first value it cannot read, and Python writes `NaN`. Here such a
//! value costs its row: names and nested values go through `serde_json`, and only the punctuation
//! between them is read by hand.

use serde::de::{DeserializeOwned, IgnoredAny};

/// One row with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JsonRow {
    pub(super) name: String,
    pub(super) at: usize,
    /// The number, or what stands in its place.
    pub(super) value: Result<f64, String>,
}

/// The rows before the text ended or broke, and where it broke and how.
#[derive(Debug, Default)]
pub(super) struct JsonRows {
    pub(super) rows: Vec<JsonRow>,
    pub(super) broken: Option<(usize, String)>,
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

/// Reads an object, or an array of pairs, of at most `limit` rows. Linear in the text.
pub(super) fn scan(text: &str, limit: usize) -> JsonRows {
    let mut scan = Scan { text, at: 0 };
    let mut found = JsonRows::default();
    scan.space();
    let pairs = scan.eat('[');
    if !pairs {
        scan.eat('{');
    }
    if let Err(what) = scan.rows(pairs, limit, &mut found.rows) {
        found.broken = Some((scan.at, what));
    }
    found
}

impl Scan<'_> {
    fn rows(&mut self, pairs: bool, limit: usize, rows: &mut Vec<JsonRow>) -> Result<(), String> {
        let close = if pairs { ']' } else { '}' };
        self.space();
        if self.eat(close) {
            return self.end();
        }
        loop {
            if rows.len() >= limit {
                return Err(format!("more than {limit} rows; the rest is left out"));
            }
            let row = if pairs { self.pair()? } else { self.entry()? };
            self.space();
            // A value at the very end may be cut short: it counts only with what follows it.
            if self.eat(',') {
                rows.push(row);
            } else if self.eat(close) {
                rows.push(row);
                return self.end();
            } else {
                return Err(self.expected("`,` or the end of the list"));
            }
        }
    }

    fn end(&mut self) -> Result<(), String> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.expected("the end of the file")) }
    }

    /// `"name": 1.5`
    fn entry(&mut self) -> Result<JsonRow, String> {
        self.space();
        let at = self.at;
        let name = self.parsed::<String>("a name in quotes")?;
        self.space();
        if !self.eat(':') {
            return Err(self.expected("`:` after a name"));
        }
        let value = self.value()?;
        Ok(JsonRow { name, at, value })
    }

    /// `["name", 1.5]`
    fn pair(&mut self) -> Result<JsonRow, String> {
        self.space();
        let at = self.at;
        if !self.eat('[') {
            return Err(self.expected("a pair of a name and a number"));
        }
        self.space();
        let name = self.parsed::<String>("a name in quotes")?;
        self.space();
        if !self.eat(',') {
            return Err(self.expected("`,` after a name"));
        }
        let value = self.value()?;
        self.space();
        if !self.eat(']') {
            return Err(self.expected("the end of a pair"));
        }
        Ok(JsonRow { name, at, value })
    }

    fn value(&mut self) -> Result<Result<f64, String>, String> {
        self.space();
        let rest = &self.text[self.at..];
        if rest.starts_with(['"', '{', '[']) {
            let kind = match rest.as_bytes()[0] {
                b'"' => "a text",
                b'{' => "an object",
                _ => "a list",
            };
            self.parsed::<IgnoredAny>("a value")?;
            return Ok(Err(format!("its value is {kind}, not a number")));
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']'));
        let token = &rest[..end.unwrap_or(rest.len())];
        if token.is_empty() {
            return Err(self.expected("a number"));
        }
        self.at += token.len();
        let shown: String = token.chars().take(40).collect();
        Ok(token.parse().map_err(|_| format!("its value `{shown}` is not a number")))
    }

    /// One self-delimiting value at the place.
    fn parsed<T: DeserializeOwned>(&mut self, wanted: &str) -> Result<T, String> {
        let mut values = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            _ => Err(self.expected(wanted)),
        }
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.text[self.at..].starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn expected(&self, wanted: &str) -> String {
        match self.text[self.at..].chars().next() {
            None => format!("the file ends where {wanted} should stand"),
            Some(found) => format!("`{found}` stands where {wanted} should stand"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Vec<String>, bool) {
        let found = scan(text, 100);
        let show = |row: &JsonRow| match &row.value {
            Ok(value) => format!("{}={value}", row.name),
            Err(_) => format!("{}!", row.name),
        };
        (found.rows.iter().map(show).collect(), found.broken.is_some())
    }

    #[test]
    fn a_bad_value_costs_its_row_and_a_cut_the_rest() {
        for (text, rows, broken) in [
            (r#"{"a": 1, "b": 2.5e-3}"#, &["a=1", "b=0.0025"][..], false),
            (
                r#"{"a": NaN, "b": "x", "c": {"d": [1]}, "e": 2}"#,
                &["a=NaN", "b!", "c!", "e=2"],
                false,
            ),
            (r#"{"a": 1, "b": 2"#, &["a=1"], true),
            (r#"{"a": 1} x"#, &["a=1"], true),
            (r#"[["a", 1], ["b\u00fc", 2]]"#, &["a=1", "bü=2"], false),
            ("{}", &[], false),
            ("{", &[], true),
            (r#"{"a": 1, b: 2}"#, &["a=1"], true),
        ] {
            let (found, is_broken) = names(text);
            assert_eq!(found, rows, "{text}");
            assert_eq!(is_broken, broken, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let text = format!("{{\"a\": {}", "[".repeat(100_000));
        assert!(names(&text).1);
    }
}
