//! Plans as files: reading one, and where those of the CI's runs are kept.

use std::path::{Path, PathBuf};

use rasher::plan::document::{PlanDocument, PlanReadError};

use crate::fault::Fault;
use crate::files;
use crate::output::to_json;
use crate::session::Session;

/// Plans of so many runs are kept, those that were kept last: enough for whoever tries a worker
/// again the next day, and no more than a folder should hold for good.
const RUNS_KEPT: usize = 100;

/// Reads a plan and checks its schema and its id; `-` is stdin.
pub(crate) fn read(path: &Path) -> Result<PlanDocument, Fault> {
    let bytes = files::read(path)?;
    parse(&bytes, path)
}

fn parse(bytes: &[u8], path: &Path) -> Result<PlanDocument, Fault> {
    PlanDocument::from_json(bytes).map_err(|error| {
        let fault = Fault::usage(error.to_string()).at(path.display());
        match error {
            PlanReadError::Schema(_) => fault.hint("plan and use it with one version of rasher"),
            PlanReadError::Id(_) => fault.hint("a plan is never edited; make a new one"),
            _ => fault.hint("give what `rasher plan --out` wrote"),
        }
    })
}

/// Where the plan of a run is kept: one for each run and environment, whatever the attempt.
pub(crate) fn kept_path(session: &Session, run: &str) -> PathBuf {
    let folder = session.store.join("plans").join(file_name(run));
    folder.join(format!("{}.json", file_name(&session.environment)))
}

/// The kept plan of a run.
pub(crate) fn kept(session: &Session, run: &str) -> Result<Option<PlanDocument>, Fault> {
    let path = kept_path(session, run);
    files::read_if_there(&path)?.map(|bytes| parse(&bytes, &path)).transpose()
}

/// Keeps the plan of a run, so that a retried worker finds it, and lets those go that are beyond
/// the newest [`RUNS_KEPT`] runs.
pub(crate) fn keep(session: &Session, run: &str, plan: &PlanDocument) -> Result<(), Fault> {
    files::write(&kept_path(session, run), to_json(plan)?.as_bytes())?;
    files::keep_newest_folders(&session.store.join("plans"), RUNS_KEPT)
}

/// The plan that a verb was given, else the one kept for the run.
pub(crate) fn given_or_kept(
    session: &Session,
    given: Option<&Path>,
    run: Option<&str>,
) -> Result<Option<PlanDocument>, Fault> {
    match (given, run) {
        (Some(path), _) => read(path).map(Some),
        (None, Some(run)) => kept(session, run),
        (None, None) => Ok(None),
    }
}

/// Any text as a file name: letters, digits, `-`, `_` and inner `.` stay, other bytes become `%xx`.
fn file_name(text: &str) -> String {
    let mut name = String::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if at > 0 => name.push('.'),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    if name.len() > 200 || name.is_empty() {
        return format!("%{}", &blake3::hash(text.as_bytes()).to_hex()[..32]);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_stay_apart_and_inside_their_folder() {
        let names: Vec<String> =
            ["a", "a/b", "a%2fb", "..", ".", "", "a b", "A"].map(file_name).into();
        for (at, name) in names.iter().enumerate() {
            assert!(!name.contains('/') && !name.starts_with('.') && !name.is_empty());
            assert!(!names[..at].contains(name), "{name}");
        }
    }
}
