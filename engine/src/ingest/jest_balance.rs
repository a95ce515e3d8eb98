//! The balance file of a Jest run: file to **milliseconds**.
//!
//! It has the shape of a Knapsack report, which holds seconds. What tells them apart is what they
//! list: Knapsack is Ruby, a balance file names JavaScript test files and whole milliseconds. A
//! list of JavaScript files with a fraction in any value is taken for seconds.

use super::json_rows::JsonRow;

const EXTENSIONS: [&str; 8] = ["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts"];

/// True where every name is a JavaScript file and every number whole.
pub(super) fn wrote(rows: &[JsonRow]) -> bool {
    let whole = |row: &JsonRow| row.value.as_ref().is_ok_and(|value| value.fract() == 0.0);
    rows.iter().all(|row| is_javascript(&row.name) && (row.value.is_err() || whole(row)))
}

/// True for a path that ends like a JavaScript or TypeScript file.
pub(super) fn is_javascript(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}
