//! Flake scores beside the summary: folded run by run, kept as bytes with a checksum.
//!
//! Decides which runs teach and when everything is folded again. What is kept holds nothing that
//! the segments do not.

use std::fs;

use jiff::Timestamp;
use rasher::flake::{FlakeOptions, Scores, teaches};
use serde::{Deserialize, Serialize};

use crate::files::{SegmentFile, SegmentName};
use crate::refresh::{Run, is_subset, uncovered, usable};
use crate::{Loaded, Problem, Store, StoreError};

const MAGIC: &[u8; 8] = b"rashscr1";

/// What is kept beside the scores.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    environment: String,
    /// True once a run of a main branch is known: from then on only such runs teach.
    main: bool,
    /// The newest run that was looked at, with its time.
    last: Option<(Timestamp, String)>,
    /// The segments that were looked at, sorted.
    covered: Vec<String>,
}

struct Kept {
    head: Head,
    covered: Vec<SegmentName>,
    scores: Scores,
}

pub(crate) fn scores(store: &Store, environment: &str) -> Result<Loaded<Scores>, StoreError> {
    let listed = store.environment_segments(environment)?;
    let mut problems = Vec::new();
    let path = store.files.scores_path(environment);
    let kept = fs::read(&path).ok().and_then(|bytes| read(&bytes, environment));
    let kept = kept.filter(|kept| is_subset(&kept.covered, &listed));
    let fresh = match &kept {
        Some(kept) if kept.covered.len() == listed.len() => {
            return Ok(Loaded { value: kept.scores.clone(), problems });
        }
        Some(kept) => usable(store, environment, uncovered(&listed, &kept.covered), &mut problems),
        None => Vec::new(),
    };
    let folded = match kept {
        Some(kept) if kept.continues(&fresh) => kept.fold(store, fresh, &mut problems),
        _ => {
            let wanting: Vec<_> = problems.iter().map(|it| it.path.clone()).collect();
            let rest = listed.into_iter().filter(|file| !wanting.contains(&file.path)).collect();
            let runs = usable(store, environment, rest, &mut problems);
            let main = runs.iter().any(|run| teaches(run.branch.as_deref(), true));
            Kept::new(environment, main).fold(store, runs, &mut problems)
        }
    };
    if !store.files.read_only
        && !folded.covered.is_empty()
        && let Err(why) = store.files.put(&path, &folded.bytes())
    {
        problems.push(Problem::new(&path, format!("could not be written ({why})")));
    }
    Ok(Loaded { value: folded.scores, problems })
}

impl Kept {
    fn new(environment: &str, main: bool) -> Self {
        let head = Head { environment: environment.into(), main, last: None, covered: Vec::new() };
        Self { head, covered: Vec::new(), scores: Scores::new(FlakeOptions::default()) }
    }

    /// True where these runs come after all that was folded, and none of them changes which runs
    /// teach.
    fn continues(&self, fresh: &[Run]) -> bool {
        let later = |run: &Run| {
            self.head.last.as_ref().is_none_or(|last| (run.at, &run.run) > (last.0, &last.1))
        };
        let main = |run: &Run| teaches(run.branch.as_deref(), true);
        fresh.iter().all(later) && (self.head.main || !fresh.iter().any(main))
    }

    fn fold(mut self, store: &Store, runs: Vec<Run>, problems: &mut Vec<Problem>) -> Self {
        for run in runs {
            let teaches = teaches(run.branch.as_deref(), self.head.main);
            let mut recordings = Vec::new();
            for file in run.files {
                let SegmentFile { name, .. } = &file;
                if !teaches {
                    self.covered.push(*name);
                    continue;
                }
                match store.load(&file) {
                    Ok(recording) => {
                        self.covered.push(*name);
                        recordings.push(recording);
                    }
                    Err(problem) => problems.push(problem),
                }
            }
            recordings.sort_by_key(|it| (it.context.attempt, it.context.shard, it.context.at));
            self.scores.fold(&recordings);
            self.head.last = Some((run.at, run.run));
        }
        self.covered.sort_unstable();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let covered = self.covered.iter().map(ToString::to_string).collect();
        let head = Head { covered, ..self.head.clone() };
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let mut body = (head.len() as u64).to_le_bytes().to_vec();
        body.extend_from_slice(&head);
        body.extend_from_slice(&self.scores.to_bytes());
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }
}

fn read(bytes: &[u8], environment: &str) -> Option<Kept> {
    let (crc, body) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (len, rest) = body.split_first_chunk::<8>()?;
    let (head, packed) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    let head: Head = serde_json::from_slice(head).ok()?;
    let covered: Option<Vec<SegmentName>> =
        head.covered.iter().map(|name| SegmentName::parse(name)).collect();
    let covered = covered.filter(|names| names.is_sorted())?;
    let scores = Scores::from_bytes(packed, FlakeOptions::default())?;
    (head.environment == environment).then_some(Kept { head, covered, scores })
}
