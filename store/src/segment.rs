//! One recording as the bytes of a Parquet file, and back.
//!
//! One row an attempt, sorted by test, plain columns that any reader of Parquet understands.
//! Decides names, types and encodings of the columns. Never touches the disk. What all rows share
//! stands in columns for other readers, and once in the file's metadata for this one.

mod pages;
mod read;
mod write;

use rasher::attempt::RunContext;
use serde::{Deserialize, Serialize};

pub use read::{decode, decode_context};
pub use write::encode;

/// The version of the layout that this code writes; it reads this one and all before.
const VERSION: u32 = 1;

/// The key of [`Head`] in the metadata of the file.
const HEAD_KEY: &str = "rasher";

/// The columns. `test_group` and `recorded_at`, because `group` and `at` would need quotes in SQL.
const SCHEMA: &str = "message attempt {
    REQUIRED BYTE_ARRAY test (STRING);
    OPTIONAL BYTE_ARRAY test_group (STRING);
    REQUIRED BYTE_ARRAY environment (STRING);
    OPTIONAL BYTE_ARRAY branch (STRING);
    OPTIONAL BYTE_ARRAY commit (STRING);
    OPTIONAL BYTE_ARRAY base_commit (STRING);
    REQUIRED BYTE_ARRAY run (STRING);
    REQUIRED INT32 attempt;
    OPTIONAL INT32 shard (INTEGER(32,false));
    OPTIONAL BYTE_ARRAY worker (STRING);
    OPTIONAL BYTE_ARRAY plan (STRING);
    REQUIRED BYTE_ARRAY isolation (STRING);
    REQUIRED INT64 recorded_at (TIMESTAMP(MICROS,true));
    REQUIRED INT32 ordinal;
    OPTIONAL INT64 started_at (TIMESTAMP(MICROS,true));
    OPTIONAL INT64 duration_us;
    REQUIRED BYTE_ARRAY outcome (STRING);
    OPTIONAL INT64 signature (INTEGER(64,false));
    OPTIONAL BYTE_ARRAY message (STRING);
    OPTIONAL BYTE_ARRAY unique_id (STRING);
    OPTIONAL INT64 setup_us;
}";

/// More rows than this are no recording: a file that claims them is refused before memory is given
/// to them.
const ROWS_MAX: usize = 16_000_000;

/// A page has at most this many rows, so that what its texts come to is bounded.
const PAGE_ROWS_MAX: usize = 16_384;

/// What all rows share, as it stands in the metadata.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    context: RunContext,
}

/// Why bytes are no segment, or a recording cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// The bytes are no Parquet file, or not one of ours.
    #[error("is no readable segment: {0}")]
    Unreadable(String),
    /// The file was written by a later release.
    #[error("was written by a later release (layout {0}, this one reads up to {VERSION})")]
    Newer(u32),
    /// The recording does not fit in one segment.
    #[error("holds more than {ROWS_MAX} attempts; record it in parts")]
    TooLarge,
}

impl SegmentError {
    fn unreadable(why: impl ToString) -> Self {
        Self::Unreadable(why.to_string())
    }
}
