//! Any bytes as a frame: answered by a frame, and never by a defect.
#![no_main]

#[path = "../asked.rs"]
mod asked;

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: asked::quietly(), |bytes: &[u8]| asked::is_answered(bytes));
