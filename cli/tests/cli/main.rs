#![expect(clippy::disallowed_methods, reason = "a test of files writes files")]
//! The command as people and scripts call it: exit codes, documents, messages.

mod again;
mod bad_input;
mod bench;
mod budgets;
mod config;
mod constraints;
mod culprit;
mod documents;
mod explain;
mod judged;
mod line;
mod page;
mod people;
mod pools;
mod project;
mod retried;
