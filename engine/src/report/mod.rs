//! What people are told: a verdict as JUnit XML and as Markdown, whose test it is, what is in
//! quarantine, what is skipped.
//!
//! Decides what is shown and how it is escaped. Values in, text out: it judges nothing anew and
//! writes no file. Nothing that blocks is ever shown as passed, and nothing is left out without a
//! word.

mod junit;
mod markdown;
pub mod blame;
pub mod owners;
pub mod quarantine;
pub mod skips;

pub use junit::junit;
pub use markdown::{MarkdownOptions, markdown};
