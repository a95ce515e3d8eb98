//! A verdict as Markdown: for a step summary of a CI, or a comment.
//!
//! Decides what fits: the tests that block come first, and what is left out is counted. Every name
//! and every word of somebody else is shown as it is and means nothing to Markdown or HTML.

use std::fmt::Write;

use crate::verdict::{RunVerdict, TestVerdict, VerdictDocument, Word};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkdownOptions {
    /// At most so many bytes. 60,000: a comment on GitHub holds 65,536 characters, a step summary
    /// a megabyte.
    pub bytes_max: usize,
}

impl Default for MarkdownOptions {
    fn default() -> Self {
        Self { bytes_max: 60_000 }
    }
}

/// Characters of a name, an evidence or a reason that are shown.
const CHARS_MAX: usize = 300;
/// Kept free for what closes the text.
const CLOSING_BYTES: usize = 200;

/// The verdict for people. Never longer than the
/// limit, but for the headline and the counts, which are always there.
///
/// ```
/// use rasher::report::{MarkdownOptions, markdown};
/// # let verdict = rasher::verdict::VerdictDocument {
/// #     schema: String::new(), run: rasher::verdict::RunVerdict::Passed, blocks: false, p_real: 0.0,
/// #     planned: 8, skipped: 1, disturbance: None, tests: Vec::new(), bypass: Vec::new() };
/// let text = markdown(&verdict, MarkdownOptions::default());
/// assert!(text.starts_with("## ✅ Tests passed\n"));
/// ```
pub fn markdown(verdict: &VerdictDocument, options: MarkdownOptions) -> String {
    let mut text = head(verdict);
    let room = options.bytes_max.saturating_sub(CLOSING_BYTES);
    let bypass = bypasses(verdict);
    if text.len() + bypass.len() <= room {
        text += &bypass;
    }
    if verdict.tests.is_empty() {
        return text;
    }
    let mut tests: Vec<&TestVerdict> = verdict.tests.iter().collect();
    tests.sort_by_key(|test| (test.quarantined, weight(test.verdict)));
    let header = "\n| verdict | P(real) | test | evidence | reason | owner |\n\
                  |---|--:|---|---|---|---|\n";
    let mut shown = 0;
    if text.len() + header.len() <= room {
        text += header;
        for test in &tests {
            let row = row(test);
            if text.len() + row.len() > room {
                break;
            }
            text += &row;
            shown += 1;
        }
    }
    if shown < tests.len() {
        let _ = write!(text, "\nand {} more; the document lists all\n", tests.len() - shown);
    }
    text
}

fn head(verdict: &VerdictDocument) -> String {
    let (mark, title) = match verdict.run {
        RunVerdict::Passed => ("✅", "Tests passed"),
        RunVerdict::Flaky => ("⚠️", "Tests are flaky: every failing test passed again"),
        RunVerdict::Failed => ("❌", "Tests failed"),
        RunVerdict::Incomplete => ("❌", "Incomplete: no verdict without every result"),
        RunVerdict::Environment => ("❌", "The environment failed, not the commit"),
    };
    let of = |word: Word| verdict.tests.iter().filter(|test| test.verdict == word).count();
    let shielded = verdict.tests.iter().filter(|test| test.quarantined).count();
    format!(
        "## {mark} {title}\n\nP(any real failure) {:.4}\n\n\
         | planned | failed | missing | environment | suspect | flaky | on the base already | in quarantine | skipped |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|--:|\n\
         | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        verdict.p_real,
        verdict.planned,
        of(Word::Failed),
        of(Word::Missing),
        of(Word::Environment),
        of(Word::Suspect),
        of(Word::Flaky),
        of(Word::PreExisting),
        shielded,
        verdict.skipped,
    )
}

/// Who merged in spite of it.
fn bypasses(verdict: &VerdictDocument) -> String {
    let mut text = String::new();
    for bypass in &verdict.bypass {
        let of = |key: &str| bypass.get(key).and_then(|it| it.as_str()).unwrap_or_default();
        let _ = write!(
            text,
            "\n**Bypassed** by {} at {}: {}\n",
            code(of("by")),
            code(of("at")),
            code(of("reason"))
        );
    }
    text
}

/// What blocks comes first.
const fn weight(word: Word) -> u8 {
    match word {
        Word::Failed => 0,
        Word::Missing => 1,
        Word::Environment | Word::Open | Word::Order => 2,
        Word::Suspect => 3,
        Word::PreExisting => 4,
        Word::Flaky => 6,
    }
}

fn row(test: &TestVerdict) -> String {
    let word = match test.verdict {
        Word::Failed => "**failed**",
        Word::Missing => "**missing**",
        Word::Environment => "**environment**",
        Word::Suspect => "suspect",
        Word::Open => "open",
        Word::PreExisting => "on the base already",
        Word::Order => "order",
        Word::Flaky => "flaky",
    };
    let shield = if test.quarantined { ", in quarantine" } else { "" };
    let p_real = test.p_real.map_or(String::new(), |p| format!("{p:.4}"));
    format!(
        "| {word}{shield} | {p_real} | {} | {} | {} | {} |\n",
        code(&test.test),
        plain(&test.evidence),
        plain(&test.reason),
        test.owner.as_deref().map_or(String::new(), code),
    )
}

/// Somebody else's words, as they are. Inside `code` nobody is mentioned and nothing is linked.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<code>{}</code>", plain(text)) }
}

/// Only letters, digits, spaces and a few signs stand for themselves; all else is written as a
/// reference, and what steers a terminal or the direction of a line is replaced.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars();
    for c in chars.by_ref().take(CHARS_MAX) {
        match c {
            '-' | ' ' | ',' | ';' | '?' | '=' | '%' => safe.push(c),
            '\n' | '\r' | '\t' => safe.push(' '),
            _ if is_steering(c) => safe.push('\u{fffd}'),
            _ if c.is_alphanumeric() || !c.is_ascii() => safe.push(c),
            _ => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
        }
    }
    if chars.next().is_some() {
        safe.push('…');
    }
    safe
}

/// Control characters, and those that turn the direction of text around.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
