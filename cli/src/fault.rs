//! How the command ends: an exit code, and where something is wrong a message that says what,
//! where and what to do.

use std::fmt::Display;
use std::panic;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use rasher::error::ErrorKind;

/// The exit code of a verb that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// All is well.
    pub(crate) const DONE: Self = Self(0);
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        Self(kind.exit_code())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// Why a verb could not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    kind: ErrorKind,
    what: String,
    place: Option<String>,
    hint: Option<String>,
}

impl Fault {
    /// A fault of a kind; `what` is a lowercase fragment without a full stop.
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), place: None, hint: None }
    }

    /// Wrong usage or configuration: exit code 2.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, what)
    }

    /// Trouble with the store, the queue or a file: exit code 6.
    pub(crate) fn store(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Store, what)
    }

    /// Says where: a file, a line, a variable.
    pub(crate) fn at(mut self, place: impl Display) -> Self {
        self.place = Some(place.to_string());
        self
    }

    /// Says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong, in words.
    pub(crate) fn what(&self) -> String {
        self.what.clone()
    }

    /// What to do, where that is known.
    pub(crate) fn advice(&self) -> Option<String> {
        self.hint.clone()
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.kind.into()
    }

    /// Writes the message to stderr.
    pub(crate) fn print(&self) {
        let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        let dim = Style::new().dimmed();
        anstream::eprintln!("{red}error:{red:#} {}", self.what);
        if let Some(place) = &self.place {
            anstream::eprintln!("  {dim}where:{dim:#} {place}");
        }
        if let Some(hint) = &self.hint {
            anstream::eprintln!("   {dim}help:{dim:#} {hint}");
        }
    }
}

/// Makes a panic exit with code 70 and ask for a report.
pub(crate) fn report_panics() {
    panic::set_hook(Box::new(|info| {
        anstream::eprintln!(
            "error: a defect in rasher {}, not in your input: {info}\n   help: please report it \
             with the command you gave; nothing that was recorded before is lost",
            env!("CARGO_PKG_VERSION")
        );
        std::process::exit(i32::from(ErrorKind::Defect.exit_code()));
    }));
}
