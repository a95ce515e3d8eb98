//! Any sections in a frame that is well-formed: past its head, to the columns and JSON documents.
//!
//! The first byte is the operation, then come sections: a number, two bytes of length, the bytes.
#![no_main]

#[path = "../asked.rs"]
mod asked;

use libfuzzer_sys::fuzz_target;
use rasher_jni::frame::FrameWriter;

fuzz_target!(init: asked::quietly(), |bytes: &[u8]| {
    let Some((op, mut rest)) = bytes.split_first() else { return };
    let mut frame = FrameWriter::default();
    while let [id, low, high, more @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(more.len());
        let (section, after) = more.split_at(length);
        frame = frame.bytes(u32::from(*id), section.to_vec());
        rest = after;
    }
    asked::is_answered(&frame.finish(u32::from(*op)));
});
