//! What crosses where an operation fails: the kind of [`rasher::error`], a message and a place.

use std::any::Any;
use std::cell::RefCell;
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

thread_local! {
    /// Where the panic that is being caught was raised.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
    /// True while a panic would be ours to catch.
    static CATCHING: RefCell<bool> = const { RefCell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work`; a panic in it becomes a fault with its message and its place. Nothing is printed.
pub(crate) fn catching<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    HOOK.call_once(|| {
        let other = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.with_borrow(|catching| *catching) {
                PLACE.set(info.location().map(ToString::to_string));
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
            place: PLACE.take(),
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
