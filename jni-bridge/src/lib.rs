//! Rasher for the JVM: one crossing per verb, bytes in and bytes out.
//!
//! [`ops`] is the whole bridge and knows nothing of Java: it takes a [`frame`] and gives one, and
//! never panics. The native methods only carry the bytes. No class of the application is ever
//! looked up, no reference outlives a call, no thread is started and Java is never called back, so
//! that a class loader which loaded this library can be collected.

pub mod fault;
pub mod frame;
pub mod handles;
#[cfg(feature = "jni")]
pub mod native;
pub mod ops;

pub use ops::call;

/// The version of the native methods together; the Java side refuses a library with another.
pub const ABI: i32 = 2;
