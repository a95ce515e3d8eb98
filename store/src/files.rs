//! Files of a store: found, read with their hash checked, put in place whole, set aside.
//!
//! Decides names and the order of writing, syncing and renaming. Knows no content.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Problem, StoreError};

/// A temporary file older than this belongs to a writer that died.
const STALE: Duration = Duration::from_secs(3_600);

/// A larger file is no segment.
const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// What the file name of a segment says: whose it is, and the hash of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentName {
    /// The first bytes of the hashes of environment and run.
    pub(crate) run: [u8; 8],
    /// The first bytes of the hash of the file.
    pub(crate) hash: [u8; 16],
}

impl SegmentName {
    pub(crate) fn of(environment: &str, run: &str, bytes: &[u8]) -> Self {
        let mut name = Self { run: run_hash(environment, run), hash: [0; 16] };
        name.hash.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        name
    }

    pub(crate) fn parse(file_name: &str) -> Option<Self> {
        let (run, hash) = file_name.strip_suffix(".parquet")?.split_once('-')?;
        Some(Self { run: unhex(run)?, hash: unhex(hash)? })
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.parquet", hex(&self.run), hex(&self.hash))
    }
}

/// What segments of one environment begin with.
pub(crate) fn environment_hash(environment: &str) -> [u8; 4] {
    first(blake3::hash(environment.as_bytes()))
}

/// What segments of one run begin with.
pub(crate) fn run_hash(environment: &str, run: &str) -> [u8; 8] {
    let mut hash = [0; 8];
    hash[..4].copy_from_slice(&environment_hash(environment));
    hash[4..].copy_from_slice(&first::<4>(blake3::hash(run.as_bytes())));
    hash
}

fn first<const N: usize>(hash: blake3::Hash) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash.as_bytes()[..N]);
    bytes
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let lower = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * N || !digits.iter().all(lower) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// A segment on the disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentFile {
    pub(crate) name: SegmentName,
    pub(crate) path: PathBuf,
}

/// The directories of a store.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) root: PathBuf,
    pub(crate) read_only: bool,
}

impl Files {
    pub(crate) fn summary_path(&self, environment: &str) -> PathBuf {
        self.kept_path(environment, "rsum")
    }

    pub(crate) fn scores_path(&self, environment: &str) -> PathBuf {
        self.kept_path(environment, "rscr")
    }

    fn kept_path(&self, environment: &str, extension: &str) -> PathBuf {
        let hash: [u8; 8] = first(blake3::hash(environment.as_bytes()));
        self.root.join("summary").join(format!("{}.{extension}", hex(&hash)))
    }

    /// All segments whose name begins with `prefix`, by name. A store that is not there has none.
    pub(crate) fn segments(&self, prefix: &[u8]) -> Result<Vec<SegmentFile>, StoreError> {
        let prefix = hex(prefix);
        let mut found = Vec::new();
        for date in entries(&self.root.join("segments"))? {
            let date = date.map_err(|why| StoreError::io("list", &self.root, why))?;
            if !date.file_name().to_string_lossy().starts_with("date=") {
                continue;
            }
            for file in entries(&date.path())? {
                let file = file.map_err(|why| StoreError::io("list", &date.path(), why))?;
                let file_name = file.file_name();
                let Some(name) = file_name.to_str().filter(|name| name.starts_with(&prefix)) else {
                    continue;
                };
                let name = SegmentName::parse(name);
                found.extend(name.map(|name| SegmentFile { name, path: file.path() }));
            }
        }
        // The same bytes can stand under two dates only if somebody copied them there.
        found.sort_unstable();
        found.dedup_by_key(|file| file.name);
        Ok(found)
    }

    /// The bytes of a segment, if they are what its name says. A damaged one is set aside.
    pub(crate) fn read(&self, file: &SegmentFile) -> Result<Bytes, Problem> {
        let unread = |why: io::Error| Problem::new(&file.path, format!("cannot be read: {why}"));
        let opened = File::open(&file.path).map_err(unread)?;
        let len = opened.metadata().map_err(unread)?.len();
        if len > SEGMENT_BYTES_MAX {
            return Err(self.set_aside(file, "is damaged: it is larger than any segment"));
        }
        let mut bytes = Vec::with_capacity(len as usize + 1);
        opened.take(SEGMENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
        if blake3::hash(&bytes).as_bytes()[..16] == file.name.hash {
            Ok(bytes.into())
        } else {
            Err(self.set_aside(file, "is damaged: its bytes are not those that were written"))
        }
    }

    /// Moves a segment out of the way, where that is allowed, and says so.
    pub(crate) fn set_aside(&self, file: &SegmentFile, what: &str) -> Problem {
        let mut problem = Problem::new(&file.path, what);
        let Some(file_name) = file.path.file_name() else { return problem };
        let to = self.root.join("damaged").join(file_name);
        let moved = !self.read_only
            && fs::create_dir_all(self.root.join("damaged")).is_ok()
            && fs::rename(&file.path, &to).is_ok();
        problem.set_aside = moved.then_some(to);
        problem
    }

    /// Puts a segment in its place. When this returns, it is there to stay.
    ///
    /// The name is the hash of the content, so a rename over a file of that name changes nothing,
    /// or heals it. Any number of processes may do this at once.
    pub(crate) fn put_segment(
        &self,
        name: SegmentName,
        at: Timestamp,
        bytes: &[u8],
    ) -> Result<PathBuf, StoreError> {
        let date = at.to_zoned(TimeZone::UTC).date();
        let path = self.root.join("segments").join(format!("date={date}")).join(name.to_string());
        self.put(&path, bytes)?;
        Ok(path)
    }

    /// Writes a file whole or not at all, and lasting.
    pub(crate) fn put(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let folder = path.parent().unwrap_or(&self.root);
        let temporary_folder = self.root.join("tmp");
        make_folder(folder)?;
        make_folder(&temporary_folder)?;
        let temporary = temporary_folder.join(temporary_name());
        let written = write_new(&temporary, bytes)
            .and_then(|()| fs::rename(&temporary, path).and_then(|()| sync_folder(folder)));
        if written.is_err() {
            // Nothing more can be done about the file; a later writer sweeps it.
            let _ = fs::remove_file(&temporary);
        }
        written.map_err(|why| StoreError::io("write", path, why))
    }

    /// Removes what writers left that died an hour ago or longer.
    pub(crate) fn sweep(&self) {
        let Ok(left) = fs::read_dir(self.root.join("tmp")) else { return };
        for file in left.flatten() {
            let written = file.metadata().and_then(|metadata| metadata.modified());
            let age = written.ok().and_then(|then| SystemTime::now().duration_since(then).ok());
            if age.is_some_and(|age| age > STALE) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

fn entries(
    folder: &Path,
) -> Result<Box<dyn Iterator<Item = io::Result<fs::DirEntry>>>, StoreError> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(why) => Err(StoreError::io("list", folder, why)),
    }
}

/// Unlike that of any other writer, on this machine or another that shares the disk.
fn temporary_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-{count}.part", std::process::id(), now.as_nanos())
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder and those above it, each lasting before anything is put in.
pub(crate) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        make_folder(above)?;
    }
    match fs::create_dir(folder) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => {
            Err(StoreError::io("make the folder", folder, why))
        }
        _ if folder.is_dir() => {
            above.map_or(Ok(()), sync_folder).map_err(|why| StoreError::io("sync", folder, why))
        }
        _ => Err(StoreError::NotAFolder { path: folder.to_path_buf() }),
    }
}

/// A new name lasts once its folder is synced. Windows keeps names without being asked, and cannot
/// open a folder.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { File::open(folder)?.sync_all() }
}
