//! The ledger of bypasses: lines of JSON, each holding the hash of the one before.
//!
//! Decides what a line looks like and what in a ledger was changed, removed or put in. Reads and
//! writes no file: [`read`] takes the bytes, [`line()`] gives the next ones.
//!
//! A line is `{"schema":…,"entry":N,"previous":HASH,"record":{…},"hash":HASH}`. Its `hash` is
//! BLAKE3 over every byte before `,"hash":`, so any other byte of it is found in the line itself;
//! `previous` is the `hash` of the line before, so lines that were taken out, put in or exchanged
//! are found too. What is cut off at the end is found by the [`Head`], which is kept apart.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::BypassRecord;

/// The schema of a line.
pub const BYPASS_SCHEMA: &str = "rasher.bypass/1";

/// `previous` of the first line.
const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const HASH_KEY: &str = ",\"hash\":\"";
const HASH_LEN: usize = 64;

/// How far a ledger goes: kept beside it, and printed so that anybody can keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many entries it has.
    pub entries: u64,
    /// The hash of the last of them; zeros where there is none.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { entries: 0, hash: NONE.to_owned() }
    }
}

/// One sound line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its number, from 1.
    pub entry: u64,
    /// Its hash.
    pub hash: String,
    /// What it says.
    pub record: BypassRecord,
}

/// Something in a ledger that its writers did not write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainProblem {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for ChainProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A ledger that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    /// The sound entries, in order.
    pub entries: Vec<Entry>,
    /// What was changed, removed or put in. Empty for a sound ledger.
    pub problems: Vec<ChainProblem>,
    /// What the next line continues.
    pub head: Head,
    /// Bytes at the end that are no whole line: of a writer that died, or of a line that was cut.
    pub torn_bytes: usize,
    /// True where those bytes are a whole entry that lacks only its line end.
    pub torn_is_entry: bool,
    /// How many whole lines there are, sound or not.
    pub lines: u64,
}

impl Chain {
    /// True where every byte is one that a writer wrote, and nothing is missing.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.torn_bytes == 0
    }
}

/// What stands on every line.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    schema: std::borrow::Cow<'a, str>,
    entry: u64,
    previous: std::borrow::Cow<'a, str>,
    record: std::borrow::Cow<'a, BypassRecord>,
}

/// The next line, with its line end, and the head after it.
///
/// ```
/// use rasher::bypass::chain::{Head, line, read};
/// # let record = rasher::bypass::BypassRecord {
/// #     at: "2026-01-05T02:00:00Z".parse()?, by: "Ada".into(), reason: "outage".into(),
/// #     environment: "linux".into(), run: None, commit: None, branch: None, plan: None,
/// #     verdict: rasher::verdict::RunVerdict::Failed, p_real: 0.97, fence: None,
/// #     tests: Vec::new() };
/// let (first, head) = line(&Head::default(), &record);
/// let chain = read(first.as_bytes(), Some(&head));
/// assert_eq!((chain.entries.len(), chain.problems.len()), (1, 0));
/// let forged = first.replace("Ada", "Eve");
/// assert_eq!(read(forged.as_bytes(), Some(&head)).problems[0].line, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn line(head: &Head, record: &BypassRecord) -> (String, Head) {
    let line = Line {
        schema: BYPASS_SCHEMA.into(),
        entry: head.entries + 1,
        previous: head.hash.as_str().into(),
        record: std::borrow::Cow::Borrowed(record),
    };
    let mut text = serde_json::to_string(&line).expect("text and numbers are JSON");
    text.pop();
    let hash = blake3::hash(text.as_bytes()).to_hex();
    text += HASH_KEY;
    text += &hash;
    text += "\"}\n";
    (text, Head { entries: head.entries + 1, hash: hash.to_string() })
}

/// Reads a ledger, and names all that its writers did not write. With a head also what is missing
/// at its end. A line that was changed costs itself. O(bytes).
pub fn read(bytes: &[u8], head: Option<&Head>) -> Chain {
    let mut reader = ChainReader::default();
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
        reader.line(&line[..line.len() - 1]);
    }
    let tail = &bytes[whole..];
    reader.chain.torn_bytes = tail.len();
    reader.chain.torn_is_entry = parse(tail).is_ok();
    if let Some(head) = head {
        reader.against(head);
    }
    reader.chain
}

#[derive(Default)]
struct ChainReader {
    chain: Chain,
    /// The hash and number that every line so far claims, also of damaged ones.
    claimed: Vec<(u64, String)>,
}

impl ChainReader {
    fn problem(&mut self, what: impl Into<String>) {
        self.chain.problems.push(ChainProblem { line: self.chain.lines, what: what.into() });
    }

    fn line(&mut self, bytes: &[u8]) {
        self.chain.lines += 1;
        let before = self.chain.head.clone();
        match parse(bytes) {
            Ok((line, hash)) => {
                if line.entry != before.entries + 1 {
                    let (is, after) = (line.entry, before.entries);
                    self.problem(format!(
                        "entry {is} follows entry {after}: entries were removed, put in or moved"
                    ));
                } else if line.previous != before.hash {
                    self.problem("does not continue the line before it: that one was exchanged");
                }
                self.chain.head = Head { entries: line.entry, hash: hash.clone() };
                let record = line.record.into_owned();
                self.chain.entries.push(Entry { entry: line.entry, hash, record });
            }
            Err(what) => {
                self.problem(what);
                // What it claims to be lets the next line still be held against it.
                let hash = claimed_hash(bytes).unwrap_or(before.hash);
                self.chain.head = Head { entries: before.entries + 1, hash };
            }
        }
        let head = &self.chain.head;
        self.claimed.push((head.entries, head.hash.clone()));
    }

    /// A ledger may be one crash ahead of its head, never behind it.
    fn against(&mut self, head: &Head) {
        if head.entries == 0 && head.hash == NONE {
            return;
        }
        if self.claimed.iter().any(|(entry, hash)| (*entry, hash) == (head.entries, &head.hash)) {
            return;
        }
        let here = self.chain.head.entries;
        let what = if here < head.entries {
            format!("ends after entry {here}, but entry {} was written", head.entries)
        } else {
            format!("entry {} is not the one that was written", head.entries)
        };
        let line = self.chain.lines;
        self.chain.problems.push(ChainProblem { line, what });
    }
}

/// A line without its end: what it says and its hash, or what is wrong with it.
fn parse(bytes: &[u8]) -> Result<(Line<'static>, String), &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "was changed: it is no text")?;
    let hash = claimed_hash(bytes).ok_or("was changed: it does not end with its hash")?;
    let said = &text[..text.len() - (HASH_KEY.len() + HASH_LEN + 2)];
    if blake3::hash(said.as_bytes()).to_hex().as_str() != hash {
        return Err("was changed: its hash is of other bytes");
    }
    let line: Line<'static> = serde_json::from_str(&format!("{said}}}"))
        .map_err(|_| "is of another version of rasher")?;
    if line.schema != BYPASS_SCHEMA {
        return Err("is of another version of rasher");
    }
    Ok((line, hash))
}

/// The hash that a line ends with.
fn claimed_hash(bytes: &[u8]) -> Option<String> {
    let end = bytes.strip_suffix(b"\"}")?;
    let at = end.len().checked_sub(HASH_LEN)?;
    let hash = std::str::from_utf8(&end[at..]).ok()?;
    let is_hex = hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && end[..at].ends_with(HASH_KEY.as_bytes())).then(|| hash.to_owned())
}
