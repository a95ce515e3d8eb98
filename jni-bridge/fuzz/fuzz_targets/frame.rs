//! Any bytes as a frame: answered by a frame, and never by a defect.
//!
//! What every frame begins with is put in place, or nothing behind it would ever be read.
#![no_main]

#[path = "../asked.rs"]
mod asked;

use libfuzzer_sys::fuzz_target;
use rasher_jni::frame::FrameWriter;

fuzz_target!(init: asked::quietly(), |bytes: &[u8]| {
    asked::is_answered(bytes);
    let mut frame = bytes.to_vec();
    if let Some(head) = frame.get_mut(..8) {
        head.copy_from_slice(&FrameWriter::default().finish(0)[..8]);
        asked::is_answered(&frame);
    }
});
