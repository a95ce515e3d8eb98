#![forbid(unsafe_code)]
//! History on disk (to come).
