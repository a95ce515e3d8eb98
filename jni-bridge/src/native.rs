//! The native methods of `dev.rasher.Native`, all of them.
#![expect(unsafe_code, reason = "exported names cannot be declared otherwise")]

use jni::errors::{Error, ErrorPolicy};
use jni::objects::{JByteArray, JClass};
use jni::strings::JNIStr;
use jni::sys::jint;
use jni::{Env, EnvUnowned};

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

/// `static native int abi()`.
// SAFETY: the name is that of one native method only, and is exported by no other library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_rasher_Native_abi(_: EnvUnowned<'_>, _: JClass<'_>) -> jint {
    crate::ABI
}

/// `static native byte[] call(byte[] request)`.
// SAFETY: the name is that of one native method only, and is exported by no other library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_rasher_Native_call<'local>(
    mut env: EnvUnowned<'local>,
    _: JClass<'local>,
    request: JByteArray<'local>,
) -> JByteArray<'local> {
    env.with_env(|env| -> Result<JByteArray<'local>, Error> {
        let request = env.convert_byte_array(&request)?;
        env.byte_array_from_slice(&crate::call(&request))
    })
    .resolve::<LastResort>()
}
