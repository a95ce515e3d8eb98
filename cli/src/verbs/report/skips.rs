//! Boomerang: what is skipped, and whose it is.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use rasher::attempt::Outcome;
use rasher::history::RunRecording;
use rasher::report::blame::Blame;
use rasher::report::skips::{
    PERIODS_BEFORE, SkipCount, SkipLabel, SkipPeriod, SkipResult, SkipRun, SkippedTest, Skips,
    SkipsDocument,
};

use super::Flags;
use crate::clock;
use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, table, to_json};
use crate::people::People;
use crate::session::{Session, store_fault};

pub(super) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let people = People::load(&flags.people, session, clock::now())?;
    let blame = Authors::read(flags, session)?;
    let document = document(session, (&people, &blame), (flags.days, flags.at))?;
    let text = if session.output.json() {
        to_json(&document)?
    } else if flags.csv {
        csv(&document)
    } else {
        tables(&document, flags.top)
    };
    session.output.data(&text)?;
    Ok(Exit::DONE)
}

/// What is skipped in the period that ends at an instant, or at the newest run.
pub(crate) fn document(
    session: &Session,
    (people, authors): (&People, &Authors),
    (days, until): (u32, Option<Timestamp>),
) -> Result<SkipsDocument, Fault> {
    let store = session.open_store()?;
    let all = store.runs(&session.environment, None).map_err(|e| store_fault(&e))?;
    let all = session.usable(all);
    let newest = all.iter().map(|run| run.at).max();
    let until = until.or(newest).unwrap_or_else(clock::now);
    let length = SignedDuration::from_hours(24 * i64::from(days));
    let period = SkipPeriod { until, length };
    let mut skips = Skips::new(period);
    let within: Vec<_> = all.iter().filter(|run| period.place(run.at).is_some()).collect();
    let bar = session.output.progress(within.len() as u64, "reading");
    let mut areas = Areas::default();
    for run in within {
        let loaded = store.load_run(&session.environment, &run.run).map_err(|e| store_fault(&e))?;
        let recordings = session.usable(loaded);
        let results = results(&recordings);
        results.values().for_each(|it| areas.learn(it.0.unwrap_or_default()));
        let of_run = SkipRun {
            at: run.at,
            commit: run.commit.as_deref().unwrap_or(&run.run),
            on_main: evidence::is_main(run.branch.as_deref()),
        };
        skips.add(
            of_run,
            results.into_iter().map(|(test, (group, outcome))| SkipResult { test, group, outcome }),
        );
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(skips.finish(|test, group| {
        let owned = people.ownership(test, group);
        let area = owned.as_ref().and_then(|it| it.area.clone());
        let area = area.unwrap_or_else(|| areas.of(group.unwrap_or(test)));
        let user = authors.of(test, group);
        SkipLabel { area, team: owned.map(|it| it.owners.join(" ")), user }
    }))
}

/// Who wrote which line, and the files these lines stand in.
#[derive(Default)]
pub(crate) struct Authors {
    blame: Blame,
    root: PathBuf,
    sources: RefCell<BTreeMap<String, Option<String>>>,
}

impl Authors {
    /// Reads `--blame`, where it is given; paths in it are from the folder of `rasher.toml`, else
    /// from here.
    pub(crate) fn read(flags: &Flags, session: &Session) -> Result<Self, Fault> {
        let Some(path) = &flags.blame else { return Ok(Self::default()) };
        let text = files::read(path)?;
        let (blame, problems) = Blame::parse(&String::from_utf8_lossy(&text));
        for problem in &problems {
            session.output.warn(&format!("{}: {problem}; left out", path.display()));
        }
        if blame.is_empty() {
            let fault = Fault::usage(format!("`{}` blames nobody", path.display()));
            return Err(fault.hint("each line is `path,line,user`"));
        }
        let root = session.config.as_ref().map_or_else(PathBuf::new, |it| it.folder().to_owned());
        Ok(Self { blame, root, sources: RefCell::default() })
    }

    fn of(&self, test: &str, group: Option<&str>) -> Option<String> {
        let path = self.blame.file_of(test, group)?;
        let mut sources = self.sources.borrow_mut();
        let source = sources.entry(path.to_owned()).or_insert_with(|| {
            let bytes = files::read(&self.root.join(path)).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        });
        let names = names(test, group.unwrap_or_default());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.blame.of(path, source.as_deref()?, &names).map(str::to_owned)
    }
}

/// The method of a test without its parameters, and its classes from the inside out.
fn names(test: &str, group: &str) -> Vec<String> {
    let rest = test.strip_prefix(group).unwrap_or(test);
    let rest = rest.trim_start_matches(['#', ':']);
    let method = rest.split(['(', '[']).next().unwrap_or(rest).trim();
    let class = group.rsplit(['.', '/', ':']).next().unwrap_or(group);
    let classes = class.rsplit('$').map(str::to_owned);
    std::iter::once(method.to_owned()).chain(classes).collect()
}

/// How each test of a run ended: a skip only where it never ran.
fn results(recordings: &[RunRecording]) -> BTreeMap<&str, (Option<&str>, Outcome)> {
    let mut results: BTreeMap<&str, (Option<&str>, Outcome)> = BTreeMap::new();
    for it in recordings {
        let tests = &it.recording.tests;
        for attempt in &it.recording.attempts {
            let group = tests.group(attempt.test).map(|group| tests.group_name(group));
            let known = results.entry(tests.name(attempt.test)).or_insert((group, attempt.outcome));
            if attempt.outcome.is_result() || known.1 == Outcome::NotRun {
                known.1 = attempt.outcome;
            }
        }
    }
    results
}

/// Areas of the product by the names of packages or folders: the first part in which they differ.
#[derive(Default)]
struct Areas {
    common: Option<Vec<String>>,
}

impl Areas {
    fn learn(&mut self, group: &str) {
        if group.is_empty() {
            return;
        }
        let parts = package(group);
        match &mut self.common {
            None => self.common = Some(parts.iter().map(|part| (*part).to_owned()).collect()),
            Some(common) => {
                let same = common.iter().zip(&parts).take_while(|(a, b)| a == *b).count();
                common.truncate(same);
            }
        }
    }

    fn of(&self, group: &str) -> String {
        let parts = package(group);
        let shared = self.common.as_ref().map_or(0, Vec::len);
        let part = parts.get(shared).or(parts.last());
        part.map_or_else(|| "(top)".to_owned(), |part| (*part).to_owned())
    }
}

/// The packages or folders that a class or a file stands in.
fn package(group: &str) -> Vec<&str> {
    let separator = if group.contains('/') { '/' } else { '.' };
    let mut parts: Vec<&str> = group.split(separator).collect();
    parts.pop();
    parts
}

fn status(test: &SkippedTest) -> &'static str {
    test.status_on_main.map_or("not on main", Outcome::word)
}

/// A field as RFC 4180 wants it; what a spreadsheet would take for a formula is made text.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

fn csv(document: &SkipsDocument) -> String {
    let mut text = "class,method,area,team,status_on_main,skips,commits,once,over_half,\
                    not_in_previous,not_in_previous_ten,user\n"
        .to_owned();
    for test in &document.skipped {
        let named = [&test.class, &test.method, &test.area];
        let named: Vec<String> = named.iter().map(|it| field(it)).collect();
        text += &format!(
            "{},{},{},{},{},{},{},{},{},{}\n",
            named.join(","),
            field(test.team.as_deref().unwrap_or_default()),
            status(test),
            test.skips,
            test.commits,
            test.once,
            test.over_half,
            test.not_in_previous,
            test.not_in_previous_ten,
            field(test.user.as_deref().unwrap_or_default()),
        );
    }
    text
}

fn tables(document: &SkipsDocument, top: usize) -> String {
    let mut text = format!(
        "{} skipped in {} of {}, {} to {}\n  {} skipped once, {} in over half of the commits\n  \
         {} not in the period before, {} not in the {PERIODS_BEFORE} before\n",
        count(document.tests, "test"),
        count(document.runs, "run"),
        count(document.commits, "commit"),
        document.from,
        document.until,
        document.once,
        document.over_half,
        document.not_in_previous,
        document.not_in_previous_ten,
    );
    if document.skipped.is_empty() {
        return text;
    }
    let user = if document.blamed { "skipped by" } else { "owner" };
    for (what, counts) in
        [(user, &document.users), ("area", &document.areas), ("class", &document.classes)]
    {
        text += "\n";
        text += &counted(what, counts, top);
    }
    let mark = |yes: bool, word: &str| if yes { word.to_owned() } else { String::new() };
    let rows = document.skipped.iter().take(top).map(|test| {
        [
            test.class.escape_debug().to_string(),
            test.method.escape_debug().to_string(),
            test.area.clone(),
            test.team.clone().unwrap_or_default(),
            status(test).to_owned(),
            test.skips.to_string(),
            mark(test.not_in_previous && document.runs_before > 0, "new"),
        ]
    });
    text += "\n";
    text += &table(["class", "method", "area", "team", "on main", "skipped", ""], &[5], rows);
    if document.skipped.len() > top {
        text += &format!(
            "and {} (--json or --csv lists all)\n",
            count(document.skipped.len() - top, "more test")
        );
    }
    text
}

fn counted(what: &'static str, counts: &[SkipCount], top: usize) -> String {
    let rows = counts
        .iter()
        .take(top)
        .map(|it| [it.name.escape_debug().to_string(), it.tests.to_string(), it.skips.to_string()]);
    table([what, "tests", "skips"], &[1, 2], rows)
}
