//! What lies in the folder of a store.

use std::fs;
use std::path::{Path, PathBuf};

/// The segments of a store, by name.
pub(crate) fn segments(store: &Path) -> Vec<PathBuf> {
    let dates = fs::read_dir(store.join("segments")).expect("segments");
    let mut files: Vec<_> = dates
        .flat_map(|date| fs::read_dir(date.expect("a date").path()).expect("a folder"))
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    files
}
