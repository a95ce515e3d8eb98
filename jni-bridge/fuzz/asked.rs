//! What both targets hold the bridge to.

use rasher_jni::frame::Frame;
use rasher_jni::ops::section::{CONTROL, REQUEST};
use rasher_jni::ops::{call, call_on, close, op, open};

/// The exit code of what is nobody's fault but ours.
const DEFECT: u64 = 70;

/// A panic is caught at the boundary and answered as a defect, which is what is looked at; the
/// hook of the fuzzer would end the process before.
pub fn quietly() {
    std::panic::set_hook(Box::new(|why| eprintln!("{why}")));
}

/// Asks in every way there is.
pub fn is_answered(request: &[u8]) {
    // It panics where it is told to.
    if Frame::read(request, &REQUEST).is_ok_and(|frame| frame.op == op::FAIL) {
        return;
    }
    check(&call(request));
    let opened = open(request);
    check(&opened);
    if let Some(handle) = control(&opened)["handle"].as_u64() {
        check(&call_on(handle, request));
        assert!(close(handle), "a workload that was opened is closed once");
    }
}

fn control(answer: &[u8]) -> serde_json::Value {
    let frame = Frame::read(answer, &REQUEST).expect("an answer is a frame");
    let text = frame.section(CONTROL).unwrap_or(b"null");
    serde_json::from_slice(text).expect("a control document is JSON")
}

fn check(answer: &[u8]) {
    let told = control(answer);
    let is_fault = Frame::read(answer, &REQUEST).is_ok_and(|frame| frame.op == op::FAULT);
    if is_fault && told["exit_code"].as_u64() == Some(DEFECT) {
        eprintln!("{told}");
        std::process::abort();
    }
}
