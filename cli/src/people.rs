//! Whose tests they are, and which are in quarantine: the files that people keep beside the code.
//!
//! Decides where CODEOWNERS and `quarantine.toml` are looked for and which source file a test
//! stands in; what the files mean is the engine's.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rasher::report::owners::{Owners, OwnersDialect, Ownership, places};
use rasher::report::quarantine::{ENTRIES_MAX, Quarantine, QuarantineEntry};
use rasher::test_id::TestTable;
use rasher::verdict::VerdictDocument;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;
use walkdir::WalkDir;

use crate::config::ConfigFile;
use crate::fault::Fault;
use crate::files;
use crate::reports::is_foreign;
use crate::session::Session;

/// Options of the verbs that name owners.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "people")]
pub(crate) struct Flags {
    /// Whose code it is [default: the CODEOWNERS file of the repository]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    codeowners: Option<PathBuf>,
    /// Tests whose failures do not block for a while [default: quarantine.toml beside rasher.toml,
    /// else here]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    quarantine: Option<PathBuf>,
}

/// Name of the list that is looked for.
const QUARANTINE: &str = "quarantine.toml";
/// Where services look for the file, from the top of a repository.
const CODEOWNERS: [&str; 4] =
    ["CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS"];
/// Endings of files that hold tests.
const SOURCES: [&str; 12] =
    ["java", "kt", "groovy", "scala", "py", "js", "ts", "jsx", "tsx", "rb", "go", "rs"];

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct People {
    code: Option<Code>,
    quarantine: Quarantine,
    /// Where the list is, where there is one.
    pub(crate) quarantine_path: Option<PathBuf>,
}

/// The owners of a repository.
#[derive(Debug)]
struct Code {
    path: PathBuf,
    root: PathBuf,
    owners: Owners,
    /// Paths of sources from the top, by file name; read when first asked for.
    sources: OnceCell<BTreeMap<String, Vec<String>>>,
    known: RefCell<BTreeMap<String, Option<Ownership>>>,
}

/// `quarantine.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct ListTable {
    max: Option<usize>,
    test: Vec<Spanned<EntryTable>>,
}

/// `[[test]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct EntryTable {
    test: Spanned<String>,
    owner: Spanned<String>,
    reason: Spanned<String>,
    since: Spanned<Datetime>,
    expires: Spanned<Datetime>,
}

impl People {
    /// Reads both files, where they are.
    ///
    /// # Errors
    /// Exit code 2 with line and column where the list of the quarantine is wrong or too long.
    pub(crate) fn load(flags: &Flags, session: &Session, at: Timestamp) -> Result<Self, Fault> {
        let top = session.config.as_ref().map_or(Path::new(""), ConfigFile::folder);
        let (quarantine, quarantine_path) = read_quarantine(flags, top, at)?;
        let code = read_owners(flags, session, top)?;
        Ok(Self { code, quarantine, quarantine_path })
    }

    /// The list of the quarantine.
    pub(crate) fn quarantine(&self) -> &Quarantine {
        &self.quarantine
    }

    /// Where CODEOWNERS is.
    pub(crate) fn codeowners(&self) -> Option<&Path> {
        self.code.as_ref().map(|code| code.path.as_path())
    }

    /// Who owns a test.
    pub(crate) fn ownership(&self, test: &str, group: Option<&str>) -> Option<Ownership> {
        self.code.as_ref()?.of(test, group)
    }

    /// Who owns a test, in one text.
    pub(crate) fn owner(&self, test: &str, group: Option<&str>) -> Option<String> {
        self.ownership(test, group).map(|it| it.owners.join(" "))
    }

    /// The tests of a table that are in quarantine at an instant, by name.
    pub(crate) fn shielded(&self, tests: &TestTable, at: Timestamp) -> BTreeSet<String> {
        let group = |test| tests.group(test).map(|group| tests.group_name(group));
        let shielded = |test: &rasher::test_id::TestId| {
            self.quarantine.shield(tests.name(*test), group(*test), at).is_some()
        };
        tests.ids().filter(shielded).map(|test| tests.name(test).to_owned()).collect()
    }

    /// Writes owners, and the terms of the quarantine, into a verdict.
    pub(crate) fn sign(&self, verdict: &mut VerdictDocument, tests: &TestTable, at: Timestamp) {
        for judged in &mut verdict.tests {
            let group = tests.find(&judged.test).and_then(|test| tests.group(test));
            let group = group.map(|group| tests.group_name(group));
            judged.owner = self.owner(&judged.test, group);
            if let Some(entry) = self.quarantine.shield(&judged.test, group, at) {
                let QuarantineEntry { owner, reason, expires, .. } = entry;
                judged.reason += &format!("; in quarantine until {expires} by {owner}: {reason}");
            }
        }
    }

    /// Names the entries that shield no longer.
    pub(crate) fn warn_expired(&self, session: &Session, at: Timestamp) {
        for entry in self.quarantine.expired(at) {
            let QuarantineEntry { test, owner, expires, .. } = entry;
            session.output.warn(&format!(
                "the quarantine of `{test}` expired on {expires} and shields it no longer; mend it \
                 or ask {owner}"
            ));
        }
    }
}

fn read_quarantine(
    flags: &Flags,
    top: &Path,
    at: Timestamp,
) -> Result<(Quarantine, Option<PathBuf>), Fault> {
    let path = flags.quarantine.clone().unwrap_or_else(|| top.join(QUARANTINE));
    let Some(file) = ConfigFile::read_if_there(&path)? else {
        return match flags.quarantine {
            Some(_) => Err(Fault::usage(format!("there is no file `{}`", path.display()))),
            None => Ok((Quarantine::default(), None)),
        };
    };
    let table: ListTable = file.whole()?;
    let mut entries = Vec::new();
    for entry in &table.test {
        let EntryTable { test, owner, reason, since, expires } = entry.get_ref();
        entries.push(QuarantineEntry {
            test: test.get_ref().clone(),
            owner: owner.get_ref().clone(),
            reason: reason.get_ref().clone(),
            since: day(&file, since)?,
            expires: day(&file, expires)?,
        });
    }
    let list = Quarantine::new(entries, table.max.unwrap_or(ENTRIES_MAX), at).map_err(|e| {
        let entry = table.test[e.entry].get_ref();
        let span = match e.key {
            "owner" => entry.owner.span(),
            "reason" => entry.reason.span(),
            "expires" => entry.expires.span(),
            _ => entry.test.span(),
        };
        let fault = file.fault(span.start, e.to_string());
        fault.hint("mend a test and take it out of the list, or raise `max` for all to see")
    })?;
    Ok((list, Some(path)))
}

fn day(file: &ConfigFile, text: &Spanned<Datetime>) -> Result<Date, Fault> {
    let date = text.get_ref().date.filter(|_| text.get_ref().time.is_none());
    let narrow = |number: u8| i8::try_from(number).ok();
    let day = date.and_then(|it| {
        Date::new(i16::try_from(it.year).ok()?, narrow(it.month)?, narrow(it.day)?).ok()
    });
    day.ok_or_else(|| file.fault(text.span().start, "is no day such as 2026-02-01"))
}

fn read_owners(flags: &Flags, session: &Session, top: &Path) -> Result<Option<Code>, Fault> {
    let found = match &flags.codeowners {
        Some(path) => Some((files::read(path)?, path.clone())),
        None => find_owners(top)?,
    };
    let Some((bytes, path)) = found else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let in_gitlab = path.parent().is_some_and(|it| it.ends_with(".gitlab"));
    let dialect = if in_gitlab { OwnersDialect::GitLab } else { OwnersDialect::of_text(&text) };
    let (owners, problems) = Owners::parse(&text, dialect);
    for problem in problems {
        let (line, what) = (problem.line, problem.what);
        session.output.warn(&format!("{}:{line}: {what}; left out", path.display()));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let inner = [".github", ".gitlab", "docs"].iter().any(|name| folder.ends_with(name));
    let root = if inner { folder.parent().unwrap_or(Path::new("")) } else { folder };
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let (sources, known) = (OnceCell::new(), RefCell::default());
    Ok(Some(Code { root: root.to_path_buf(), path, owners, sources, known }))
}

/// Looks here and upwards, to the top of the repository.
fn find_owners(top: &Path) -> Result<Option<(Vec<u8>, PathBuf)>, Fault> {
    let mut at = if top.as_os_str().is_empty() { PathBuf::from(".") } else { top.to_path_buf() };
    let depth = std::env::current_dir().map_or(0, |here| here.ancestors().count());
    for _ in 0..depth.max(1) {
        for name in CODEOWNERS {
            let path = at.join(name);
            if let Some(bytes) = files::read_if_there(&path)? {
                let path = path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
                return Ok(Some((bytes, path)));
            }
        }
        if at.join(".git").exists() {
            break;
        }
        at = at.join("..");
    }
    Ok(None)
}

impl Code {
    fn of(&self, test: &str, group: Option<&str>) -> Option<Ownership> {
        let key = group.unwrap_or(test);
        if let Some(known) = self.known.borrow().get(key) {
            return known.clone();
        }
        let places = places(test, group);
        let sources = self.sources.get_or_init(|| sources(&self.root));
        let stands = |end: &String| {
            let name = end.rsplit('/').next().unwrap_or(end);
            let inner = format!("/{end}");
            let fits = |path: &&String| *path == end || path.ends_with(&inner);
            let all = || sources.get(name).into_iter().flatten().filter(fits);
            let module = places.module.as_ref().map(|module| format!("{module}/"));
            let own = module.and_then(|it| all().find(|path| path.contains(&it)));
            own.or_else(|| all().next()).cloned()
        };
        let path = places.ends.iter().find_map(stands).or_else(|| places.ends.first().cloned());
        let found = path.and_then(|path| self.owners.of(&path));
        self.known.borrow_mut().insert(key.to_owned(), found.clone());
        found
    }
}

fn sources(root: &Path) -> BTreeMap<String, Vec<String>> {
    let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let walk = WalkDir::new(root).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_foreign(entry)).flatten() {
        let ending = entry.path().extension().and_then(|it| it.to_str()).unwrap_or_default();
        if !entry.file_type().is_file() || !SOURCES.contains(&ending) {
            continue;
        }
        let inner = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let path = inner.to_string_lossy().replace('\\', "/");
        sources.entry(entry.file_name().to_string_lossy().into_owned()).or_default().push(path);
    }
    sources
}
