//! The ledger of bypasses and the merge lock on a disk, beside the segments.
//!
//! Decides how a line gets to the disk whole: writers take turns by a lock of the system, a line is
//! synced before it is acknowledged, and what a writer that died left behind is no line. Retention
//! never touches these files. What a line says and what is wrong with one is the engine's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use fs4::FileExt;
use rasher::bypass::BypassRecord;
use rasher::bypass::chain::{self, Chain, ChainProblem, Entry, Head};
use rasher::bypass::lock::MergeLock;

use crate::{Store, StoreError};

const LEDGER: &str = "bypass.jsonl";
const HEAD: &str = "bypass.head.json";
const MERGE: &str = "merge.lock.json";
/// Locked while one of them is written; never removed, or two writers could hold two of it.
const TURN: &str = "bypass.turn";

/// The lock file of the system, held until dropped.
struct Turn(#[expect(dead_code, reason = "held, not used")] File);

impl Store {
    /// Where the ledger of bypasses is.
    pub fn bypass_path(&self) -> PathBuf {
        self.files.root.join(LEDGER)
    }

    /// The ledger of bypasses, checked. Empty where nothing was ever bypassed.
    ///
    /// # Errors
    /// Where the file cannot be read; what is wrong inside it is in the answer.
    pub fn bypasses(&self) -> Result<Chain, StoreError> {
        let bytes = self.read_if_there(LEDGER)?;
        let head = self.read_if_there(HEAD)?;
        let Some(bytes) = bytes else {
            let empty = Head::default();
            return Ok(match head.as_deref().map(parse_head) {
                None => Chain::default(),
                Some(head) => chain::read(b"", Some(&head.unwrap_or(empty)))
                    .noting("the ledger was removed, but its head is there"),
            });
        };
        Ok(match head.as_deref().map(parse_head) {
            Some(Some(head)) => chain::read(&bytes, Some(&head)),
            Some(None) => chain::read(&bytes, None).noting("the file of its head was changed"),
            None if bytes.is_empty() => chain::read(&bytes, None),
            None => chain::read(&bytes, None)
                .noting("the file of its head is gone: nothing proves where the ledger ends"),
        })
    }

    /// Writes a bypass down. When this returns, it is on the disk to stay. Any number of processes
    /// may do this at once. A ledger that was tampered with is continued as it stands, so that the
    /// record is kept and the damage stays to be seen.
    ///
    /// # Errors
    /// Where it could not be written; then nothing was.
    pub fn record_bypass(&self, record: &BypassRecord) -> Result<Entry, StoreError> {
        let _turn = self.turn()?;
        let path = self.bypass_path();
        let refused = |why| StoreError::io("write", &path, why);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(refused)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(refused)?;
        let known = self.read_if_there(HEAD)?;
        let known = known.as_deref().and_then(parse_head);
        let chain = chain::read(&bytes, known.as_ref());
        let keep = bytes.len() - if is_litter(&chain) { chain.torn_bytes } else { 0 };
        let before = before(&chain, &bytes);
        // Continued from what was once acknowledged, so that what was cut off leaves a gap.
        let before = known.filter(|head| head.entries > before.entries).unwrap_or(before);
        let (line, head) = chain::line(&before, record);
        let ends_open = keep > 0 && bytes[keep - 1] != b'\n';
        let text = if ends_open { format!("\n{line}") } else { line };
        append(&mut file, (bytes.len(), keep), text.as_bytes()).map_err(refused)?;
        self.files.put(&self.files.root.join(HEAD), to_json(&head).as_bytes())?;
        Ok(Entry { entry: head.entries, hash: head.hash, record: record.clone() })
    }

    /// The merge lock as it stands.
    ///
    /// # Errors
    /// Where its file cannot be read, or is none.
    pub fn merge_lock(&self) -> Result<MergeLock, StoreError> {
        let path = self.files.root.join(MERGE);
        let Some(bytes) = self.read_if_there(MERGE)? else { return Ok(MergeLock::default()) };
        let lock = serde_json::from_slice::<MergeLock>(&bytes).ok().filter(MergeLock::is_known);
        lock.ok_or_else(|| {
            let why = "it is damaged or of another version; remove it once no merge runs";
            StoreError::io("read", &path, io::Error::new(io::ErrorKind::InvalidData, why))
        })
    }

    /// Changes the merge lock, one process at a time. It is written only where `change` succeeds.
    ///
    /// # Errors
    /// Where the file cannot be read or written; what `change` refuses is in the answer.
    pub fn change_merge_lock<T, E>(
        &self,
        change: impl FnOnce(&mut MergeLock) -> Result<T, E>,
    ) -> Result<Result<T, E>, StoreError> {
        let _turn = self.turn()?;
        let mut lock = self.merge_lock()?;
        let changed = change(&mut lock);
        if changed.is_ok() {
            self.files.put(&self.files.root.join(MERGE), to_json(&lock).as_bytes())?;
        }
        Ok(changed)
    }

    fn turn(&self) -> Result<Turn, StoreError> {
        if self.files.read_only {
            return Err(StoreError::ReadOnly { path: self.files.root.clone() });
        }
        let path = self.files.root.join(TURN);
        let refused = |why| StoreError::io("lock", &path, why);
        crate::files::make_folder(&self.files.root)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(refused)?;
        FileExt::lock(&file).map_err(refused)?;
        Ok(Turn(file))
    }

    fn read_if_there(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.files.root.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(StoreError::io("read", &path, why)),
        }
    }
}

/// Bytes at the end that a writer which died left, and that nobody was told of: the ledger is
/// sound without them, and they are no entry.
fn is_litter(chain: &Chain) -> bool {
    chain.torn_bytes > 0 && chain.problems.is_empty() && !chain.torn_is_entry
}

/// What the next line continues: with a last line that lacks only its line end, that line.
fn before(chain: &Chain, bytes: &[u8]) -> Head {
    if !chain.torn_is_entry {
        return chain.head.clone();
    }
    let healed = [bytes, b"\n"].concat();
    chain::read(&healed, None).head
}

/// Puts bytes at the end of what is kept; where that fails, nothing is changed.
fn append(file: &mut File, (len, keep): (usize, usize), bytes: &[u8]) -> io::Result<()> {
    if keep < len {
        file.set_len(keep as u64)?;
    }
    file.seek(SeekFrom::Start(keep as u64))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // A part of a line is no line; should this fail too, the next writer removes it.
        let _ = file.set_len(keep as u64);
    }
    written
}

fn parse_head(bytes: &[u8]) -> Option<Head> {
    serde_json::from_slice(bytes).ok()
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("text and numbers are JSON") + "\n"
}

/// Adds a problem about the ledger as a whole.
trait Noting {
    fn noting(self, what: &str) -> Self;
}

impl Noting for Chain {
    fn noting(mut self, what: &str) -> Self {
        self.problems.push(ChainProblem { line: self.lines, what: what.to_owned() });
        self
    }
}
