//! `.test_durations` of pytest-split: test to seconds.

use super::json_rows::JsonRow;

/// True for node ids: some name holds `::`.
pub(super) fn wrote(rows: &[JsonRow]) -> bool {
    rows.iter().any(|row| row.name.contains("::"))
}

/// The file of a node id: what stands before its first `::`.
pub(super) fn group(name: &str) -> Option<&str> {
    name.split_once("::").map(|(file, _)| file).filter(|file| !file.is_empty())
}
