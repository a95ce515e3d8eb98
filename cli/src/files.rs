//! The only place that touches the disk for documents and lists; reports are found in
//! [`crate::reports`], history is the store's.
#![expect(clippy::disallowed_methods, reason = "the one place that may")]

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// Reads a whole file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map_err(|e| trouble("read", path, &e))?;
        return Ok(bytes);
    }
    fs::read(path).map_err(|e| trouble("read", path, &e))
}

/// Reads a file that may be absent.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(trouble("read", path, &e)),
    }
}

/// The paths in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let list = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let mut entries = list().map_err(|e| trouble("read", folder, &e))?;
    entries.sort();
    Ok(entries)
}

/// Removes the folders in a folder that are beyond the newest ones, with all that is in them.
pub(crate) fn keep_newest_folders(folder: &Path, most: usize) -> Result<(), Fault> {
    let mut folders = Vec::new();
    for path in entries(folder)? {
        // Another process may have removed it since.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_dir() {
            folders.push((metadata.modified().map_err(|e| trouble("read", &path, &e))?, path));
        }
    }
    folders.sort();
    let old = folders.len().saturating_sub(most);
    for (_, path) in folders.drain(..old) {
        match fs::remove_dir_all(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(trouble("remove", &path, &e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes a whole file at once: a reader sees the old content or the new, never a part.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|e| trouble("create", folder, &e))?;
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        open_to_others(file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|e| trouble("write", path, &e))
}

/// Adds to the end of a file, which is made where it is not there.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let file = fs::OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(|e| trouble("write", path, &e))
}

/// Tries whether a folder, or the nearest one above it that exists, can be written. Leaves nothing
/// behind.
pub(crate) fn probe(folder: &Path) -> Result<(), Fault> {
    let here = Path::new(".");
    let above = |at: &Path| if at.as_os_str().is_empty() { here.to_owned() } else { at.to_owned() };
    let there = folder.ancestors().map(above).find(|at| at.exists());
    let there = there.unwrap_or_else(|| here.to_owned());
    tempfile::tempfile_in(&there).map(drop).map_err(|e| trouble("write in", &there, &e))
}

/// A temporary file is private; a document is not.
#[cfg(unix)]
fn open_to_others(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_others(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// A folder that is removed in the end.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    /// A new one, where the system keeps such folders.
    pub(crate) fn new() -> Result<Self, Fault> {
        tempfile::tempdir().map(Self).map_err(|e| trouble("create", &std::env::temp_dir(), &e))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A fault for what the disk refused.
pub(crate) fn trouble(verb: &str, path: &Path, error: &io::Error) -> Fault {
    let fault = Fault::store(format!("cannot {verb} `{}`: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::NotFound => fault.hint("check the path; it is taken from where you stand"),
        io::ErrorKind::PermissionDenied => fault.hint("check the rights of this user there"),
        _ => fault,
    }
}
