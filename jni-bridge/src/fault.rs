//! What crosses where an operation fails: the kind of [`rasher::error`], a message and a place.

use std::any::Any;
use std::cell::Cell;
use std::fmt::Display;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use rasher::error::ErrorKind;
use serde::Serialize;

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: ErrorKind,
    message: String,
    place: Option<String>,
}

/// A fault as the answer carries it.
#[derive(Serialize)]
pub(crate) struct FaultDocument<'f> {
    schema: &'static str,
    exit_code: u8,
    exception: &'static str,
    message: &'f str,
    place: Option<&'f str>,
}

impl Fault {
    /// A fault of a kind.
    pub fn new(kind: ErrorKind, message: impl Display) -> Self {
        Self { kind, message: message.to_string(), place: None }
    }

    /// Wrong input.
    pub fn usage(message: impl Display) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// What kind of trouble it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn document(&self) -> FaultDocument<'_> {
        FaultDocument {
            schema: "rasher.fault/1",
            exit_code: self.kind.exit_code(),
            exception: self.kind.java_exception(),
            message: &self.message,
            place: self.place.as_deref(),
        }
    }
}

/// A file and a line in a few bytes. A thread local with a destructor would keep the library mapped
/// for as long as the thread lives, after its class loader has gone.
#[derive(Clone, Copy)]
struct Place {
    bytes: [u8; 160],
    length: usize,
}

const NOWHERE: Place = Place { bytes: [0; 160], length: 0 };

impl Place {
    /// The end of `text`, where the file's name and the line stand.
    fn of(text: &str) -> Self {
        let mut place = NOWHERE;
        let kept = &text.as_bytes()[text.len().saturating_sub(place.bytes.len())..];
        place.bytes[..kept.len()].copy_from_slice(kept);
        place.length = kept.len();
        place
    }

    fn told(self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes[..self.length]).into_owned();
        (!text.is_empty()).then_some(text)
    }
}

thread_local! {
    /// Where the panic that is being caught was raised.
    static PLACE: Cell<Place> = const { Cell::new(NOWHERE) };
    /// True while a panic would be ours to catch.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work`; a panic in it becomes a fault with its message and its place. Nothing is printed.
pub(crate) fn catching<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    HOOK.call_once(|| {
        let other = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                let place = info.location().map(ToString::to_string);
                PLACE.set(Place::of(&place.unwrap_or_default()));
            } else {
                other(info);
            }
        }));
    });
    CATCHING.set(true);
    let caught = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(false);
    caught.unwrap_or_else(|payload| {
        Err(Fault {
            kind: ErrorKind::Defect,
            message: format!("a defect in rasher, not in your input: {}", told(payload.as_ref())),
            place: PLACE.get().told(),
        })
    })
}

/// The message of a panic.
fn told(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
