//! The native methods of `dev.rasher.Native`, all of them.
#![expect(unsafe_code, reason = "exported names cannot be declared otherwise")]

use std::ops::Range;

use jni::errors::{Error, ErrorPolicy};
use jni::objects::{JByteArray, JClass};
use jni::strings::JNIStr;
use jni::sys::{jboolean, jbyte, jint, jlong};
use jni::{Env, EnvUnowned};

use crate::fault::Fault;
use crate::frame::Frame;
use crate::ops;

/// Where not even a fault can be answered (no memory for the array): a `RuntimeException`.
struct LastResort;

impl<T: Default> ErrorPolicy<T, Error> for LastResort {
    type Captures<'local: 'method, 'method> = ();

    fn on_error<'local: 'method, 'method>(
        env: &mut Env<'local>,
        (): &mut (),
        error: Error,
    ) -> jni::errors::Result<T> {
        // An exception that Java raised itself is already on its way.
        if !env.exception_check() {
            let _ = env.throw_new(CLASS, jni::strings::JNIString::from(error.to_string()));
        }
        Ok(T::default())
    }

    fn on_panic<'local: 'method, 'method>(
        env: &mut Env<'local>,
        (): &mut (),
        _: Box<dyn std::any::Any + Send>,
    ) -> jni::errors::Result<T> {
        let _ = env.throw_new(CLASS, jni::jni_str!("a defect in rasher at the bridge"));
        Ok(T::default())
    }
}

const CLASS: &JNIStr = jni::jni_str!("java/lang/RuntimeException");

/// Why a request could not be read: Java's array, or what is in it.
enum Unread {
    Array(Error),
    Frame(Fault),
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Self::Frame(fault)
    }
}

/// Answers the request in the first `length` bytes of an array. Each column is copied once, into
/// memory of its own, so that no lock on Java's memory is held.
fn answer<'local>(
    mut env: EnvUnowned<'local>,
    (request, length): (JByteArray<'local>, jint),
    work: impl FnOnce(Result<Frame<'static>, Fault>) -> Vec<u8>,
) -> JByteArray<'local> {
    env.with_env(|env| -> Result<JByteArray<'local>, Error> {
        let given = request.len(env)?;
        let length = usize::try_from(length).unwrap_or_default().min(given);
        let part = |range: Range<usize>| {
            let mut bytes = vec![0_u8; range.len()];
            let start =
                jint::try_from(range.start).map_err(|_| Unread::Array(Error::IndexOutOfBounds))?;
            // SAFETY: `u8` and `jbyte` have one size and alignment, and every value of one is one
            // of the other; the slice is used for nothing else while it lives.
            let signed = unsafe {
                std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast::<jbyte>(), bytes.len())
            };
            request.get_region(env, start, signed).map_err(Unread::Array)?;
            Ok(bytes)
        };
        let frame = match Frame::gather(length, &ops::section::REQUEST, part) {
            Ok(frame) => Ok(frame),
            Err(Unread::Frame(fault)) => Err(fault),
            Err(Unread::Array(error)) => return Err(error),
        };
        env.byte_array_from_slice(&work(frame))
    })
    .resolve::<LastResort>()
}

/// `static native int abi()`.
// SAFETY: the name is that of one native method only, and is exported by no other library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_rasher_Native_abi(_: EnvUnowned<'_>, _: JClass<'_>) -> jint {
    crate::ABI
}

/// `static native byte[] call(byte[] request, int length)`.
// SAFETY: the name is that of one native method only, and is exported by no other library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_rasher_Native_call<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    request: JByteArray<'local>,
    length: jint,
) -> JByteArray<'local> {
    answer(env, (request, length), ops::call_frame)
}

/// `static native byte[] open(byte[] request, int length)`.
// SAFETY: the name is that of one native method only, and is exported by no other library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_rasher_Native_open<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    request: JByteArray<'local>,
    length: jint,
) -> JByteArray<'local> {
    answer(env, (request, length), ops::open_frame)
}

/// `static native byte[] callOn(long handle, byte[] request, int length)`.
// SAFETY: the name is that of one native method only, and is exported by no other library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_rasher_Native_callOn<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    request: JByteArray<'local>,
    length: jint,
) -> JByteArray<'local> {
    answer(env, (request, length), |frame| ops::call_frame_on(handle.cast_unsigned(), frame))
}

/// `static native boolean close(long handle)`.
// SAFETY: the name is that of one native method only, and is exported by no other library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_rasher_Native_close(
    _: EnvUnowned<'_>,
    _: JClass<'_>,
    handle: jlong,
) -> jboolean {
    // Nothing in it can panic: the lock is never poisoned and dropping columns frees memory.
    ops::close(handle.cast_unsigned())
}
