//! What a failure was: its kind, a signature that equal failures share, and a line for people.
//!
//! Recognises a timeout or a crash only by words that the frameworks themselves write.

use crate::attempt::Outcome;

/// Characters of a message that are kept.
const MESSAGE_CHARS: usize = 200;
/// Characters of a message that its signature looks at.
const SIGNATURE_CHARS: usize = 1_000;

/// What JUnit 4, Gradle, Surefire's HTML and Mockito's runner call a failure of the class.
pub(super) const CLASS_LEVEL: [&str; 6] = [
    "-",
    "initializationError",
    "executionError",
    "classMethod",
    "initError",
    "unnecessary Mockito stubbings",
];

/// The texts of one failure or error element.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) text: String,
}

impl Words {
    /// What happened, in a sentence: the message, or where that says nothing the first lines of
    /// the text that are neither stack frames nor Go's progress.
    fn head(&self) -> String {
        let message = self.message.trim();
        let says_nothing = ["", "Failed", "failed", "test failed", "null", "None"];
        if !says_nothing.contains(&message) {
            return message.to_owned();
        }
        let lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        let noise = ["at ", "=== ", "--- "];
        let tells = |line: &&str| !noise.iter().any(|start| line.starts_with(start));
        let told: Vec<&str> = lines.filter(tells).take(3).collect();
        if told.is_empty() { message.to_owned() } else { told.join(" ") }
    }

    /// The kept part of the message; `None` where there is none.
    pub(super) fn message(&self) -> Option<Box<str>> {
        let head = self.head();
        let shown = cut(&head, MESSAGE_CHARS);
        (!shown.is_empty()).then(|| Box::from(shown))
    }

    /// A hash of the kind and of the message without what changes from run to run: equal on every
    /// machine and in every version.
    pub(super) fn signature(&self) -> u64 {
        let head = self.head();
        let told = normalised(cut(&head, SIGNATURE_CHARS));
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.kind.trim().as_bytes()).update(&[0]).update(told.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }

    /// `otherwise`, or what the words say more exactly.
    pub(super) fn outcome(&self, otherwise: Outcome) -> Outcome {
        let says = |words: &[&str]| {
            let within = |text: &str| words.iter().any(|word| text.contains(word));
            within(&self.message) || within(first_lines(&self.text))
        };
        let is = |kinds: &[&str]| kinds.iter().any(|kind| self.kind.ends_with(kind));
        if is(TIMEOUT_KINDS) || says(TIMEOUT_WORDS) {
            Outcome::TimedOut
        } else if is(CRASH_KINDS) || says(CRASH_WORDS) {
            Outcome::Crashed
        } else if says(SET_UP_WORDS) {
            Outcome::SetUpFailed
        } else {
            otherwise
        }
    }
}

/// JUnit 4, TestNG, cargo-nextest.
const TIMEOUT_KINDS: &[&str] = &["TestTimedOutException", "ThreadTimeoutException", "test timeout"];
/// JUnit 5 (a method's name and its brackets stand in front), JUnit 4 and Go, JUnit 5's
/// pre-emptive assertion, Jest, pytest-timeout old and new.
const TIMEOUT_WORDS: &[&str] = &[
    ") timed out after ",
    "test timed out after ",
    "execution timed out after ",
    "Exceeded timeout of ",
    "Failed: Timeout >",
    "Timeout (>",
];
/// cargo-nextest.
const CRASH_KINDS: &[&str] = &["test abort"];
/// Surefire, pytest-xdist.
const CRASH_WORDS: &[&str] = &[
    "The forked VM terminated without ",
    "The fork may have crashed",
    "terminated without properly saying goodbye",
    "crashed while running",
];
/// pytest, new and old.
const SET_UP_WORDS: &[&str] = &["failed on setup with ", "test setup failure"];

fn first_lines(text: &str) -> &str {
    cut(text, 500)
}

/// The first `chars` characters of a trimmed text.
pub(super) fn cut(text: &str, chars: usize) -> &str {
    let text = text.trim();
    text.char_indices().nth(chars).map_or(text, |(end, _)| text[..end].trim_end())
}

/// The words of a message without numbers, addresses, hashes and paths.
fn normalised(message: &str) -> String {
    let mut told = String::with_capacity(message.len());
    for word in message.split_whitespace() {
        if !told.is_empty() {
            told.push(' ');
        }
        if word.contains('\\') || word.starts_with('/') || word.matches('/').count() >= 2 {
            told.push_str("<path>");
        } else {
            push_without_numbers(&mut told, word);
        }
    }
    told
}

fn push_without_numbers(told: &mut String, word: &str) {
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let run = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if run == 0 {
            told.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (part, after) = rest.split_at(run);
        if is_number(part) {
            told.push('#');
        } else {
            push_without_digits(told, part);
        }
        rest = after;
    }
}

/// A number, an address or a hash.
fn is_number(part: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digit = part.bytes().any(|byte| byte.is_ascii_digit());
    digit
        && (part.bytes().all(|byte| byte.is_ascii_digit())
            || part.strip_prefix("0x").is_some_and(hex)
            || (part.len() >= 6 && hex(part)))
}

fn push_without_digits(told: &mut String, part: &str) {
    let mut in_digits = false;
    for c in part.chars() {
        if !c.is_ascii_digit() {
            told.push(c);
        } else if !in_digits {
            told.push('#');
        }
        in_digits = c.is_ascii_digit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: &str, message: &str, text: &str) -> Words {
        Words { kind: kind.into(), message: message.into(), text: text.into() }
    }

    #[test]
    fn equal_failures_have_equal_signatures() {
        let one = words("E", "no file '/tmp/a1/x' after 31 ms at Demo@1b2c3d", "");
        let two = words("E", "no file '/var/b/y/z' after 7 ms at Demo@9f8e7d", "");
        assert_eq!(one.signature(), two.signature());
        assert_ne!(one.signature(), words("F", &one.message, "").signature());
        assert_ne!(one.signature(), words("E", "no file", "").signature());
    }

    #[test]
    fn a_signature_never_changes_between_versions() {
        let known = words("java.lang.AssertionError", "expected 3 but was 4", "");
        assert_eq!(known.signature(), 6_102_702_058_100_556_467);
    }

    #[test]
    fn a_message_that_says_nothing_gives_way_to_the_text() {
        let go = words("", "Failed", "=== RUN TestA\n    a_test.go:7: wrong\n");
        assert_eq!(go.message().as_deref(), Some("a_test.go:7: wrong"));
        let java = words("E", "", "E: broken\n\tat a.B.c(B.java:1)\n");
        assert_eq!(java.message().as_deref(), Some("E: broken"));
        assert_eq!(words("", "", "").message(), None);
        assert_eq!(words("", &"ü".repeat(300), "").message().map(|m| m.chars().count()), Some(200));
    }

    #[test]
    fn timeouts_and_crashes_are_known_by_the_words_of_their_frameworks() {
        for (kind, message, outcome) in [
            ("org.junit.runners.model.TestTimedOutException", "", Outcome::TimedOut),
            ("E", "slow() timed out after 5 seconds", Outcome::TimedOut),
            ("test timeout", "", Outcome::TimedOut),
            ("", "Failed: Timeout >1.0s", Outcome::TimedOut),
            ("E", "connection timed out after 5 seconds", Outcome::Failed),
            ("java.util.concurrent.TimeoutException", "", Outcome::Failed),
            ("", "worker 'gw0' crashed while running 'a.py::b'", Outcome::Crashed),
            ("", "The forked VM terminated without saying properly goodbye", Outcome::Crashed),
            ("", "failed on setup with \"E\"", Outcome::SetUpFailed),
        ] {
            assert_eq!(words(kind, message, "").outcome(Outcome::Failed), outcome, "{message}");
        }
    }
}
