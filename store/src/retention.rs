//! How long history is kept.

use std::collections::HashMap;
use std::fs;

use jiff::{SignedDuration, Timestamp};

use crate::files::SegmentFile;
use crate::{Problem, Store, StoreError};

/// Limits of a store. What is over any of them goes, whole runs at a time, the oldest first; the
/// newest run of every environment always stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// At most this many runs of each environment.
    pub runs_max: Option<usize>,
    /// No run older than this.
    pub age_max: Option<SignedDuration>,
    /// At most this many bytes of segments in all.
    pub bytes_max: Option<u64>,
}

/// What retention took away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// Runs.
    pub runs: usize,
    /// Segments.
    pub segments: usize,
    /// Bytes.
    pub bytes: u64,
    /// Segments that could not be read or removed.
    pub problems: Vec<Problem>,
}

/// All segments of one run.
#[derive(Default)]
struct Run {
    environment: String,
    /// Of the newest recording.
    at: Timestamp,
    bytes: u64,
    files: Vec<SegmentFile>,
}

impl Store {
    /// Removes what is over the limits at `now`. Reads the end of every segment.
    ///
    /// A summary folded from what was removed is folded again at the next reading, so limits are
    /// best applied once in a while and not with every recording.
    pub fn retain(&self, limits: &Retention, now: Timestamp) -> Result<Removed, StoreError> {
        if self.files.read_only {
            return Err(StoreError::ReadOnly { path: self.files.root.clone() });
        }
        let mut removed = Removed::default();
        let runs = self.runs_by_age(&mut removed.problems)?;
        for run in over(runs, limits, now) {
            removed.runs += 1;
            for file in run.files {
                match fs::remove_file(&file.path) {
                    Ok(()) => removed.segments += 1,
                    Err(why) => {
                        let what = format!("cannot be removed: {why}");
                        removed.problems.push(Problem::new(&file.path, what));
                    }
                }
            }
            removed.bytes += run.bytes;
        }
        Ok(removed)
    }

    /// The newest first.
    fn runs_by_age(&self, problems: &mut Vec<Problem>) -> Result<Vec<Run>, StoreError> {
        let mut runs: HashMap<(String, String), Run> = HashMap::new();
        for file in self.files.segments(&[])? {
            let context = match self.context(&file) {
                Ok(context) => context,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let run = runs.entry((context.environment.clone(), context.run)).or_default();
            run.environment = context.environment;
            run.at = if run.files.is_empty() { context.at } else { run.at.max(context.at) };
            run.bytes += file.path.metadata().map_or(0, |metadata| metadata.len());
            run.files.push(file);
        }
        let mut runs: Vec<Run> = runs.into_values().collect();
        runs.sort_by(|a, b| (b.at, &b.files).cmp(&(a.at, &a.files)));
        Ok(runs)
    }
}

/// The runs that are over a limit, of all runs, newest first.
fn over(runs: Vec<Run>, limits: &Retention, now: Timestamp) -> Vec<Run> {
    let mut kept: HashMap<String, usize> = HashMap::new();
    // The newest run of each environment is kept whatever it weighs, so it is weighed first.
    let mut newest = std::collections::HashSet::new();
    let is_newest: Vec<bool> =
        runs.iter().map(|run| newest.insert(run.environment.clone())).collect();
    let sure = runs.iter().zip(&is_newest).filter(|(_, newest)| **newest);
    let mut bytes: u64 = sure.map(|(run, _)| run.bytes).sum();
    let mut full = false;
    let mut over = Vec::new();
    for (run, newest) in runs.into_iter().zip(is_newest) {
        let count = kept.entry(run.environment.clone()).or_default();
        if newest {
            *count += 1;
            continue;
        }
        let many = limits.runs_max.is_some_and(|max| *count >= max);
        let old = limits.age_max.is_some_and(|max| now.duration_since(run.at) > max);
        let heavy = limits.bytes_max.is_some_and(|max| bytes + run.bytes > max);
        // Nothing older stays once the store is full, however small: history has no holes.
        full |= heavy && !many && !old;
        if many || old || full {
            over.push(run);
        } else {
            *count += 1;
            bytes += run.bytes;
        }
    }
    over
}
