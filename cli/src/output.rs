//! Data on stdout, people on stderr.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rasher::units::Micros;
pub(crate) use rasher_bench::command::thousands;
use serde::Serialize;

use crate::fault::Fault;

/// Where a verb writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    /// Settles colour for the whole process.
    pub(crate) fn new(json: bool, quiet: bool, color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self { json, quiet }
    }

    /// True where a document is asked for, not a table.
    pub(crate) const fn json(self) -> bool {
        self.json
    }

    /// Prints the document with `--json`, else what `people` makes of it.
    pub(crate) fn show<T: Serialize>(
        self,
        document: &T,
        people: impl FnOnce(&T) -> String,
    ) -> Result<(), Fault> {
        if self.json { self.data(&to_json(document)?) } else { self.data(&people(document)) }
    }

    /// Prints to stdout, with a line end at the end. A reader who has left is no error.
    pub(crate) fn data(self, text: &str) -> Result<(), Fault> {
        let mut out = anstream::stdout().lock();
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let written = write!(out, "{text}{end}").and_then(|()| out.flush());
        match written {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Fault::store(format!("cannot write to stdout: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints bytes to stdout untouched: what a test runner reads, never coloured or stripped.
    pub(crate) fn raw(self, text: &str) -> Result<(), Fault> {
        self.bytes(text.as_bytes())
    }

    /// Prints bytes to stdout as they are.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<(), Fault> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Fault::store(format!("cannot write to stdout: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Says something to people on stderr.
    pub(crate) fn say(self, text: &str) {
        if !self.quiet {
            anstream::eprintln!("{text}");
        }
    }

    /// Warns people on stderr.
    pub(crate) fn warn(self, text: &str) {
        if !self.quiet {
            let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into())).bold();
            anstream::eprintln!("{yellow}warning:{yellow:#} {text}");
        }
    }

    /// A progress bar over `count` steps, hidden unless stderr is a terminal.
    pub(crate) fn progress(self, count: u64, what: &'static str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stderr());
        if self.quiet || !io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{prefix:>12} {bar:32} {human_pos}/{human_len}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        bar.set_prefix(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// A document as text: indented, one line end at the end.
pub(crate) fn to_json<T: Serialize>(document: &T) -> Result<String, Fault> {
    serde_json::to_string_pretty(document)
        .map(|text| text + "\n")
        .map_err(|e| Fault::new(rasher::error::ErrorKind::Defect, format!("no document: {e}")))
}

/// A table for people; the columns in `numbers` (from 0) are set right.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    numbers: &[usize],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// `1 test`, `2 tests`, `45,000 tests`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let end = match (number, noun.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        _ => "s",
    };
    format!("{} {noun}{end}", thousands(number as u64))
}

/// A span for people, to three figures below ten seconds.
pub(crate) fn span(span: Micros) -> String {
    match span.get() {
        0 => "0s".to_owned(),
        micros @ 1..1_000 => format!("{micros}µs"),
        micros @ 1_000..1_000_000 => format!("{}ms", micros.div_ceil(1_000)),
        micros @ 1_000_000..10_000_000 => format!("{:.2}s", micros as f64 / 1e6),
        _ => span.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people_have_separators() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (45_000_000, "45,000,000")]
        {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(count(1, "test"), "1 test");
        assert_eq!(count(2_000, "test"), "2,000 tests");
        assert_eq!(count(2, "class"), "2 classes");
    }

    #[test]
    fn spans_for_people_have_three_figures() {
        for (micros, text) in [
            (0, "0s"),
            (750, "750µs"),
            (435_936, "436ms"),
            (6_063_353, "6.06s"),
            (2_412_000_000, "40m12s"),
        ] {
            assert_eq!(span(Micros::new(micros)), text);
        }
    }

    #[test]
    fn tables_align_numbers_right_and_leave_no_blanks_at_line_ends() {
        let rows = [["a".to_owned(), "5".to_owned()], ["bb".to_owned(), "10".to_owned()]];
        let text = table(["name", "n"], &[1], rows);
        assert_eq!(text, "name   n\na      5\nbb    10\n");
    }
}
