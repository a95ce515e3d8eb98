//! Who merged in spite of what, and what came of it.

use jiff::{SignedDuration, Timestamp};
use rasher::bypass::chain::{Chain, ChainProblem, Entry, Head};
use rasher::bypass::clock::{ClockState, StoppedBy};
use rasher::bypass::tally::{Tally, tally};
use rasher::error::ErrorKind;
use rasher::units::Micros;
use serde::Serialize;

use super::Flags;
use crate::bypasses::{ClockRow, clocks};
use crate::clock;
use crate::fault::{Exit, Fault};
use crate::output::{count, table};
use crate::people::People;
use crate::session::{Session, store_fault};

/// `rasher.bypasses/1`.
#[derive(Serialize)]
pub(crate) struct Document {
    schema: &'static str,
    /// False where a byte of the ledger is not one that was written, or one is missing.
    pub(crate) sound: bool,
    problems: Vec<ChainProblem>,
    head: Head,
    torn_bytes: usize,
    pub(crate) bypasses: Vec<Entry>,
    pub(crate) clocks: Vec<ClockRow>,
    overdue: usize,
    pub(crate) counts: Tally,
}

impl Document {
    /// What is wrong with the ledger; `None` for a sound one.
    pub(super) fn trouble(&self) -> Option<String> {
        words(&self.problems)
    }
}

/// Exit code 6 where the ledger was tampered with.
pub(super) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let now = flags.at.unwrap_or_else(clock::now);
    let people = People::load(&flags.people, session, now)?;
    let limit = micros(flags.fix_within);
    let document = document(session, &people, (flags.head.as_deref(), limit, now))?;
    session.output.show(&document, |document| tables(document, flags.top, now))?;
    Ok(if document.sound { Exit::DONE } else { ErrorKind::Store.into() })
}

pub(crate) fn micros(span: Micros) -> SignedDuration {
    SignedDuration::from_micros(i64::try_from(span.get()).unwrap_or(i64::MAX))
}

/// The ledger with its clocks.
pub(crate) fn document(
    session: &Session,
    people: &People,
    (head, limit, now): (Option<&str>, SignedDuration, Timestamp),
) -> Result<Document, Fault> {
    let mut chain = session.open_store()?.bypasses().map_err(|e| store_fault(&e))?;
    if let Some(head) = head
        && !chain.entries.iter().any(|entry| entry.hash == head)
    {
        let what = format!("no entry has the hash {head}: the ledger is not the one it was");
        chain.problems.push(ChainProblem { line: chain.lines, what });
    }
    let clocks = clocks(session, &chain, people.quarantine(), (limit, now))?;
    let counts = tally(chain.entries.iter().map(|entry| &entry.record));
    Ok(Document {
        schema: "rasher.bypasses/1",
        sound: chain.problems.is_empty(),
        overdue: clocks.iter().filter(|clock| clock.is_overdue()).count(),
        problems: chain.problems,
        head: chain.head,
        torn_bytes: chain.torn_bytes,
        bypasses: chain.entries,
        clocks,
        counts,
    })
}

/// What is wrong with a ledger, in a line; `None` for a sound one.
pub(crate) fn ledger_problems(chain: &Chain) -> Option<String> {
    words(&chain.problems)
}

fn words(problems: &[ChainProblem]) -> Option<String> {
    let first = problems.first()?;
    let more = problems.len() - 1;
    let rest =
        if more > 0 { format!(", and {}", count(more, "more problem")) } else { String::new() };
    Some(format!("{first}{rest}"))
}

fn tables(document: &Document, top: usize, now: Timestamp) -> String {
    let mut text = String::new();
    for problem in &document.problems {
        text += &format!("TAMPERED  {problem}\n");
    }
    if document.torn_bytes > 0 {
        text += "a writer died in its last line; that line was never acknowledged\n";
    }
    if document.bypasses.is_empty() {
        return text + "nobody merged in spite of a verdict\n";
    }
    let newest = document.bypasses.iter().rev().take(top).map(|entry| {
        let record = &entry.record;
        [
            entry.entry.to_string(),
            record.at.to_string(),
            record.by.escape_debug().to_string(),
            format!("{:.4}", record.p_real),
            record.tests.len().to_string(),
            record.commit.clone().unwrap_or_default().chars().take(12).collect(),
            record.reason.escape_debug().to_string(),
        ]
    });
    text += &table(["", "at", "by", "P(real)", "tests", "commit", "reason"], &[0, 3, 4], newest);
    text += &clock_table(document, top, now);
    text += &counted("person", &document.counts.people, top);
    text += &counted("test", &document.counts.tests, top);
    text += &format!(
        "\n{}, {} overdue; the ledger ends with {}\n",
        count(document.bypasses.len(), "bypass"),
        document.overdue,
        document.head.hash
    );
    text
}

fn clock_table(document: &Document, top: usize, now: Timestamp) -> String {
    if document.clocks.is_empty() {
        return String::new();
    }
    let mut clocks: Vec<&ClockRow> = document.clocks.iter().collect();
    clocks.sort_by_key(|clock| (!clock.is_overdue(), std::cmp::Reverse(clock.entry)));
    let rows = clocks.iter().take(top).map(|clock| {
        [
            clock.entry.to_string(),
            clock_words(clock, now),
            clock.test.escape_debug().to_string(),
            clock.by.escape_debug().to_string(),
            clock.owner.clone().unwrap_or_default(),
        ]
    });
    String::from("\n") + &table(["", "clock", "test", "merged by", "owner"], &[0], rows)
}

/// How a clock stands, in words.
pub(crate) fn clock_words(clock: &ClockRow, now: Timestamp) -> String {
    let span = |from: Timestamp, to: Timestamp| {
        let span = to.duration_since(from).as_secs().max(0);
        Micros::from_secs(u64::try_from(span).unwrap_or_default()).to_string()
    };
    match clock.state {
        None => "unknown: the runs after it are not kept".to_owned(),
        Some(ClockState::Waiting { passes }) => {
            format!("waits: {} on main, none failed", count(passes as usize, "pass"))
        }
        Some(ClockState::Cleared { .. }) => "cleared: main passed it".to_owned(),
        Some(ClockState::Running { due, overdue: true, .. }) => {
            format!("OVERDUE by {}", span(due, now))
        }
        Some(ClockState::Running { due, .. }) => format!("runs: {} left", span(now, due)),
        Some(ClockState::Stopped { since, at, by, late }) => {
            let how = if by == StoppedBy::Fix { "fixed" } else { "in quarantine" };
            let late = if late { ", TOO LATE" } else { "" };
            format!("{how} after {}{late}", span(since, at))
        }
    }
}

fn counted(what: &'static str, counts: &[rasher::bypass::tally::Count], top: usize) -> String {
    let rows = counts.iter().take(top).map(|count| {
        let weeks: Vec<String> =
            count.weeks.iter().rev().take(4).map(|(week, n)| format!("{week}: {n}")).collect();
        [count.name.escape_debug().to_string(), count.total.to_string(), weeks.join(", ")]
    });
    String::from("\n") + &table([what, "bypasses", "weeks"], &[1], rows)
}
