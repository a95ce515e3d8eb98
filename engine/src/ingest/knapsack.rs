//! A Knapsack report: file to seconds.

use super::json_rows::JsonRow;

/// True where every name looks like a file: it has a path or an extension.
pub(super) fn wrote(rows: &[JsonRow]) -> bool {
    rows.iter().all(|row| row.name.contains(['/', '\\', '.']))
}
