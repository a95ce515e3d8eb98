//! The summary of one environment as a file: a directory of sections, each a flat little-endian
//! column read straight into its vector.
//!
//! Decides the layout and refuses what is damaged. Nothing is parsed a test at a time: a section is
//! one read and one checksum. Sections that this version does not know are passed over, so that a
//! later one may add columns. The file holds nothing that the segments do not: when in doubt it is
//! folded again.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use bytemuck::Pod;
use rasher::history::{Columns, GroupColumns, History, HistoryError, Parts, RunSeen, SortedNames};
use serde::{Deserialize, Serialize};

use crate::files::SegmentName;

const MAGIC: [u8; 8] = *b"rashsum\n";
const VERSION: u32 = 1;
/// Sections begin on a line of cache.
const ALIGN: usize = 64;
const HEADER: usize = 32;
const ENTRY: usize = 32;
/// More sections than this version will ever have.
const SECTIONS_MAX: usize = 256;

/// A history and the segments that it was folded from, sorted.
pub(crate) struct Summary {
    pub(crate) history: History,
    pub(crate) covered: Vec<SegmentName>,
}

impl Summary {
    pub(crate) fn new(environment: &str) -> Self {
        Self { history: History::new(environment), covered: Vec::new() }
    }
}

/// What is small enough to be parsed.
#[derive(Serialize, Deserialize)]
struct Head {
    environment: String,
    runs: Vec<RunSeen>,
}

/// The bytes of a summary. Equal histories of equal segments give equal bytes.
pub(crate) fn encode(summary: &Summary) -> Result<Vec<u8>, HistoryError> {
    let Summary { history, covered } = summary;
    let head = Head { environment: history.environment().into(), runs: history.runs().to_vec() };
    let head = serde_json::to_vec(&head)
        .map_err(|_| HistoryError::Malformed("its runs cannot be written as JSON"))?;
    let mut names = Vec::with_capacity(covered.len() * 24);
    for name in covered {
        names.extend_from_slice(&name.run);
        names.extend_from_slice(&name.hash);
    }
    let mut sections = Sections::default();
    sections.put("head", &head);
    sections.put("covered", &names);
    for (prefix, names) in [("test", history.tests()), ("group", history.groups())] {
        sections.put(&format!("{prefix}.end"), names.ends());
        sections.put(&format!("{prefix}.txt"), names.text().as_bytes());
    }
    let it = history.columns();
    for (tag, column) in
        [("mean", &it.mean_us), ("upper", &it.upper_us), ("failed", &it.failed_mean_us)]
    {
        sections.put(tag, column);
    }
    sections.put("seen", &it.seen);
    for (tag, column) in COUNTERS.into_iter().zip(counters(it)) {
        sections.put(tag, column);
    }
    sections.put("recent", it.recent_us.as_flattened());
    let it = history.group_columns();
    sections.put("setup", &it.setup_us);
    sections.put("setup.n", &it.measured);
    sections.put("setup.at", &it.measured_run);
    Ok(sections.finish())
}

const COUNTERS: [&str; 8] =
    ["group", "passes", "failures", "skips", "last", "mean.at", "failed.at", "state"];

fn counters(it: &Columns) -> [&Vec<u32>; 8] {
    [
        &it.group,
        &it.passes,
        &it.failures,
        &it.skips,
        &it.last_run,
        &it.measured_run,
        &it.failed_run,
        &it.state,
    ]
}

/// The summary in a file; `None` where it is absent, damaged, of another version or of another
/// environment: then it is folded again.
pub(crate) fn read(path: &Path, environment: &str) -> Option<Summary> {
    read_from(File::open(path).ok()?).filter(|it| it.history.environment() == environment)
}

/// The history in the bytes of a summary; `None` where they are none, or of another version.
///
/// ```
/// assert!(rasher_store::summary::decode(b"not a summary").is_none());
/// ```
pub fn decode(bytes: &[u8]) -> Option<History> {
    Some(read_from(Cursor::new(bytes))?.history)
}

fn read_from(file: impl Read + Seek) -> Option<Summary> {
    let mut sections = Directory::open(file)?;
    let Head { environment, runs } = serde_json::from_slice(&sections.get::<u8>("head")?).ok()?;
    let covered = sections.get::<[u8; 24]>("covered")?;
    let covered = covered.iter().map(|bytes| {
        let mut name = SegmentName { run: [0; 8], hash: [0; 16] };
        name.run.copy_from_slice(&bytes[..8]);
        name.hash.copy_from_slice(&bytes[8..]);
        name
    });
    let covered: Vec<SegmentName> = covered.collect();
    if !covered.is_sorted() {
        return None;
    }
    let tests = sections.names("test")?;
    let groups = sections.names("group")?;
    let columns = sections.columns()?;
    let group_columns = GroupColumns {
        setup_us: sections.get("setup")?,
        measured: sections.get("setup.n")?,
        measured_run: sections.get("setup.at")?,
    };
    let parts = Parts { environment, runs, tests, groups, columns, group_columns };
    Some(Summary { history: History::try_from(parts).ok()?, covered })
}

/// Collects sections into a file.
#[derive(Default)]
struct Sections {
    entries: Vec<u8>,
    body: Vec<u8>,
}

impl Sections {
    fn put<T: Pod>(&mut self, tag: &str, column: &[T]) {
        let mut bytes: Vec<u8> = bytemuck::cast_slice(column).to_vec();
        to_little_endian(&mut bytes, size_of::<T>());
        let mut entry = [0; ENTRY];
        entry[..tag.len()].copy_from_slice(tag.as_bytes());
        entry[12..20].copy_from_slice(&(self.body.len() as u64).to_le_bytes());
        entry[20..28].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        entry[28..].copy_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        self.entries.extend_from_slice(&entry);
        self.body.extend_from_slice(&bytes);
        self.body.resize(self.body.len().next_multiple_of(ALIGN), 0);
    }

    fn finish(self) -> Vec<u8> {
        let start = (HEADER + self.entries.len()).next_multiple_of(ALIGN);
        let mut file = Vec::with_capacity(start + self.body.len());
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&VERSION.to_le_bytes());
        file.extend_from_slice(&((self.entries.len() / ENTRY) as u32).to_le_bytes());
        file.extend_from_slice(&((start + self.body.len()) as u64).to_le_bytes());
        file.extend_from_slice(&[0; 4]);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&file);
        crc.update(&self.entries);
        file.extend_from_slice(&crc.finalize().to_le_bytes());
        file.extend_from_slice(&self.entries);
        file.resize(start, 0);
        file.extend_from_slice(&self.body);
        file
    }
}

/// Where the sections of a file lie.
struct Directory<F> {
    file: F,
    entries: Vec<u8>,
    start: u64,
    len: u64,
}

impl<F: Read + Seek> Directory<F> {
    fn open(mut file: F) -> Option<Self> {
        let len = file.seek(SeekFrom::End(0)).ok()?;
        file.rewind().ok()?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).ok()?;
        let sections = u32::from_le_bytes(*header[12..].first_chunk()?) as usize;
        let whole = u64::from_le_bytes(*header[16..].first_chunk()?);
        if header[..8] != MAGIC || header[8..12] != VERSION.to_le_bytes() {
            return None;
        }
        if whole != len || sections > SECTIONS_MAX {
            return None;
        }
        let mut entries = vec![0; sections * ENTRY];
        file.read_exact(&mut entries).ok()?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&header[..28]);
        crc.update(&entries);
        let start = (HEADER + entries.len()).next_multiple_of(ALIGN) as u64;
        let whole = agrees(u32::from_le_bytes(*header[28..].first_chunk()?), crc.finalize());
        whole.then_some(Self { file, entries, start, len })
    }

    /// A section as a column: one read into its place and one checksum.
    fn get<T: Pod>(&mut self, tag: &str) -> Option<Vec<T>> {
        let mut padded = [0; 12];
        padded.get_mut(..tag.len())?.copy_from_slice(tag.as_bytes());
        let entry = self.entries.chunks_exact(ENTRY).find(|entry| entry[..12] == padded)?;
        let offset = self.start.checked_add(u64::from_le_bytes(*entry[12..].first_chunk()?))?;
        let len = u64::from_le_bytes(*entry[20..].first_chunk()?);
        if offset.checked_add(len)? > self.len {
            return None;
        }
        let len = usize::try_from(len).ok()?;
        let crc = u32::from_le_bytes(*entry[28..].first_chunk()?);
        let mut column: Vec<T> = bytemuck::zeroed_vec(len / size_of::<T>());
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut column);
        if bytes.len() != len {
            return None;
        }
        self.file.seek(SeekFrom::Start(offset)).ok()?;
        self.file.read_exact(bytes).ok()?;
        if !agrees(crc, crc32fast::hash(bytes)) {
            return None;
        }
        to_little_endian(bytes, size_of::<T>());
        Some(column)
    }

    fn names(&mut self, prefix: &str) -> Option<SortedNames> {
        let ends = self.get(&format!("{prefix}.end"))?;
        let text = String::from_utf8(self.get(&format!("{prefix}.txt"))?).ok()?;
        SortedNames::from_written(text, ends).ok()
    }

    fn columns(&mut self) -> Option<Columns> {
        Some(Columns {
            mean_us: self.get("mean")?,
            upper_us: self.get("upper")?,
            failed_mean_us: self.get("failed")?,
            seen: self.get("seen")?,
            group: self.get("group")?,
            passes: self.get("passes")?,
            failures: self.get("failures")?,
            skips: self.get("skips")?,
            last_run: self.get("last")?,
            measured_run: self.get("mean.at")?,
            failed_run: self.get("failed.at")?,
            state: self.get("state")?,
            recent_us: self.get("recent")?,
        })
    }
}

/// A fuzzer cannot guess checksums, and what lies behind them has to hold too.
fn agrees(written: u32, found: u32) -> bool {
    cfg!(fuzzing) || written == found
}

/// Files are little-endian; so are nearly all machines, and then this does nothing.
fn to_little_endian(bytes: &mut [u8], size: usize) {
    if cfg!(target_endian = "big") && matches!(size, 4 | 8) {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}
