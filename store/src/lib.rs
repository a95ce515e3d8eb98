#![forbid(unsafe_code)]
//! History on a disk: one immutable Parquet segment for each recording, and a summary folded from
//! them that may be deleted at any time.
//!
//! Decides where history lies and what is done about damage. Judges no test. Any number of
//! processes may record at once without a lock; a process killed at any point loses nothing that
//! was acknowledged and leaves nothing that harms.

mod bypass;
mod files;
mod record;
mod refresh;
mod retention;
mod scores;
pub mod segment;
pub mod summary;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rasher::flake::Scores;
use rasher::history::{History, HistoryError, RunRecording, RunSeen};

pub use record::Recorded;
pub use retention::{Removed, Retention};

use files::{Files, SegmentFile, environment_hash, run_hash};
use segment::SegmentError;

/// Why the store cannot do what it is asked to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refused.
    #[error("cannot {doing} {}: {source}; {}", path.display(), advice(source))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path of the store is a file.
    #[error("{} is not a folder; name the folder of the store with --store", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The store was opened for reading.
    #[error("the store {} was opened for reading only", path.display())]
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// The recording cannot be a segment.
    #[error("the recording {0}")]
    Segment(#[from] SegmentError),
    /// The recordings make no history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl StoreError {
    fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_path_buf(), source }
    }
}

fn advice(why: &io::Error) -> &'static str {
    match why.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give this user the right, or name another store with --store"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space, or name another store with --store"
        }
        _ => "name another store with --store if this one cannot be used",
    }
}

/// One file of the store that could not be used. The rest was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// Where it was moved, if it was.
    pub set_aside: Option<PathBuf>,
}

impl Problem {
    fn new(path: &Path, what: impl Into<String>) -> Self {
        Self { path: path.to_path_buf(), what: what.into(), set_aside: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.what)?;
        match &self.set_aside {
            Some(to) => write!(f, "; it was moved to {} and not used", to.display()),
            None => write!(f, "; it was not used"),
        }
    }
}

/// An answer, and the files that could not contribute to it.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// The answer.
    pub value: T,
    /// What could not be used.
    pub problems: Vec<Problem>,
}

/// A folder that keeps history.
///
/// ```
/// use rasher_store::Store;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("store");
/// let store = Store::open(&path)?;
/// assert!(store.history("linux")?.value.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    files: Files,
}

impl Store {
    /// The store in a folder, which is made when the first recording is put there.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::new(folder.into(), false)
    }

    /// The same, with the promise that nothing in it is changed: no summary is written, nothing
    /// damaged is set aside, nothing can be recorded.
    pub fn open_read(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::new(folder.into(), true)
    }

    fn new(root: PathBuf, read_only: bool) -> Result<Self, StoreError> {
        match root.metadata() {
            Ok(metadata) if !metadata.is_dir() => Err(StoreError::NotAFolder { path: root }),
            Err(why) if why.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("open", &root, why))
            }
            _ => Ok(Self { files: Files { root, read_only } }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.files.root
    }

    /// The runs of an environment, oldest first; of one branch, where that is given.
    pub fn runs(
        &self,
        environment: &str,
        branch: Option<&str>,
    ) -> Result<Loaded<Vec<RunSeen>>, StoreError> {
        let Loaded { value, problems } = self.history(environment)?;
        let of_branch = |run: &&RunSeen| branch.is_none() || run.branch.as_deref() == branch;
        Ok(Loaded { value: value.runs().iter().filter(of_branch).cloned().collect(), problems })
    }

    /// All recordings of a run: those of its shards and retries, by round, shard and time.
    pub fn load_run(
        &self,
        environment: &str,
        run: &str,
    ) -> Result<Loaded<Vec<RunRecording>>, StoreError> {
        let mut answer = Loaded { value: Vec::new(), problems: Vec::new() };
        for file in self.files.segments(&run_hash(environment, run))? {
            match self.load(&file) {
                Ok(it) if it.context.environment == environment && it.context.run == run => {
                    answer.value.push(it);
                }
                Ok(_) => {}
                Err(problem) => answer.problems.push(problem),
            }
        }
        answer.value.sort_by_key(|it| (it.context.attempt, it.context.shard, it.context.at));
        Ok(answer)
    }

    /// The environments of which anything is kept, by name. Reads one segment of each.
    pub fn environments(&self) -> Result<Loaded<Vec<String>>, StoreError> {
        let mut answer = Loaded { value: Vec::new(), problems: Vec::new() };
        let all = self.files.segments(&[])?;
        for group in all.chunk_by(|a, b| a.name.run[..4] == b.name.run[..4]) {
            for file in group {
                match self.context(file) {
                    Ok(context) => {
                        answer.value.push(context.environment);
                        break;
                    }
                    Err(problem) => answer.problems.push(problem),
                }
            }
        }
        answer.value.sort_unstable();
        Ok(answer)
    }

    /// Reads every segment and names those that are damaged, which are set aside. The answer is how
    /// many are sound.
    pub fn check(&self) -> Result<Loaded<usize>, StoreError> {
        let mut answer = Loaded { value: 0, problems: Vec::new() };
        for file in self.files.segments(&[])? {
            match self.load(&file) {
                Ok(_) => answer.value += 1,
                Err(problem) => answer.problems.push(problem),
            }
        }
        Ok(answer)
    }

    fn load(&self, file: &SegmentFile) -> Result<RunRecording, Problem> {
        let bytes = self.files.read(file)?;
        segment::decode(&bytes).map_err(|why| self.unusable(file, &why))
    }

    fn context(&self, file: &SegmentFile) -> Result<rasher::attempt::RunContext, Problem> {
        let bytes = self.files.read(file)?;
        segment::decode_context(&bytes).map_err(|why| self.unusable(file, &why))
    }

    /// What is from a later release is not damaged: it stays.
    fn unusable(&self, file: &SegmentFile, why: &SegmentError) -> Problem {
        match why {
            SegmentError::Newer(_) => Problem::new(&file.path, why.to_string()),
            _ => self.files.set_aside(file, &why.to_string()),
        }
    }

    fn environment_segments(&self, environment: &str) -> Result<Vec<SegmentFile>, StoreError> {
        self.files.segments(&environment_hash(environment))
    }

    /// Everything known of the tests of an environment.
    ///
    /// Read from the summary where that covers all segments. Else the segments it lacks are folded
    /// in, or all of them where they are not all later, and the summary is written anew if that is
    /// allowed. Empty where there is no store.
    pub fn history(&self, environment: &str) -> Result<Loaded<History>, StoreError> {
        refresh::history(self, environment)
    }

    /// How flaky the tests of an environment are, from the runs of its main branch where there are
    /// any, else from all.
    ///
    /// Read from what was kept where that covers all segments; else the runs it lacks are folded
    /// in, or all where they are not all later, and it is kept anew if that is allowed. What is
    /// damaged is folded again.
    pub fn scores(&self, environment: &str) -> Result<Loaded<Scores>, StoreError> {
        scores::scores(self, environment)
    }
}
