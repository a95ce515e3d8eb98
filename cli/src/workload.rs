//! Which tests are to be planned: from a list, else those of the newest recorded run.
//!
//! Decides what each line of a list stands for. No line is dropped: what history does not know is
//! planned as one new unit and counted.

use rasher::attempt::Outcome;
use rasher::history::{History, NONE, RunSeen};
use rasher::test_id::{TestId, TestTable};
use rasher_store::Store;

use crate::fault::Fault;
use crate::session::{Session, store_fault};

/// The tests of a plan to be made.
#[derive(Debug, Default)]
pub(crate) struct Workload {
    /// In canonical order.
    pub(crate) tests: TestTable,
    /// How many of them history does not know.
    pub(crate) new: usize,
    /// How many tests of the newest run are not among them.
    pub(crate) vanished: usize,
    /// How many lines named a test that another line had named.
    pub(crate) repeated: usize,
}

/// Reads a list of tests: one a line, or a JSON list of strings (for names with line ends).
///
/// # Errors
/// Exit code 2 where the list is empty or no text.
pub(crate) fn parse_list(bytes: &[u8], source: &str) -> Result<Vec<String>, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::usage("the list of tests is not UTF-8 text").at(format!("{source}:{line}"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let listed = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text).ok(),
        false => None,
    };
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    let names: Vec<String> = listed.unwrap_or_else(lines);
    if names.is_empty() {
        return Err(Fault::usage("the list of tests is empty").at(source).hint(
            "a plan without tests would let a run without tests pass; check what made the list",
        ));
    }
    Ok(names)
}

/// The workload of a list.
pub(crate) fn of_list(names: &[String], history: &History, newest: &TestTable) -> Workload {
    let mut resolver = Resolver::new(history);
    for name in names {
        resolver.add(name);
    }
    resolver.finish(newest)
}

/// The workload of the newest run.
pub(crate) fn of_newest(history: &History, newest: &TestTable) -> Workload {
    let names_class = |test: &TestId| {
        newest.group(*test).is_some_and(|group| newest.group_name(group) == newest.name(*test))
    };
    if !newest.ids().any(|test| names_class(&test)) {
        return Workload { tests: newest.clone(), ..Workload::default() };
    }
    let mut resolver = Resolver::new(history);
    for test in newest.ids() {
        resolver.add(newest.name(test));
    }
    let workload = resolver.finish(&TestTable::new());
    Workload { tests: workload.tests, ..Workload::default() }
}

/// The newest run of a branch, else of any, with its tests in canonical order.
pub(crate) fn newest_run(
    session: &Session,
    store: &Store,
    history: &History,
    branch: Option<&str>,
) -> Result<Option<(RunSeen, TestTable)>, Fault> {
    let of_branch = branch.and_then(|branch| history.newest_run(Some(branch)));
    let Some(run) = of_branch.or_else(|| history.newest_run(None)) else { return Ok(None) };
    let tests = match history.tests_of(&run.run) {
        Some(tests) => tests,
        None => {
            let loaded = store.load_run(&session.environment, &run.run);
            let mut all = TestTable::new();
            for recording in session.usable(loaded.map_err(|e| store_fault(&e))?) {
                let tests = recording.recording.tests;
                for test in tests.ids() {
                    let group = tests.group(test).map(|group| tests.group_name(group));
                    all.intern(tests.name(test), group);
                }
            }
            all.sorted().0
        }
    };
    Ok(Some((run.clone(), tests)))
}

struct Resolver<'a> {
    history: &'a History,
    /// Group and test, in order of the group; built when the first group is named.
    members: Option<Vec<(u32, u32)>>,
    tests: TestTable,
    new: usize,
    repeated: usize,
}

impl<'a> Resolver<'a> {
    fn new(history: &'a History) -> Self {
        Self { history, members: None, tests: TestTable::new(), new: 0, repeated: 0 }
    }

    fn add(&mut self, line: &str) {
        let known = |name: &str| {
            self.history.tests().find(name).is_some() || self.history.groups().find(name).is_some()
        };
        let name = if !known(line) && known(line.trim()) { line.trim() } else { line };
        let before = self.tests.len();
        let test = self.history.tests().find(name);
        // A row about a whole class whose set-up failed names the class: its tests are meant. Left
        // out on purpose, the class is all there is.
        let whole = test.is_none_or(|at| self.is_failed_group(at, name));
        let group = if whole { self.history.groups().find(name) } else { None };
        let members = group.map(|group| self.members_of(group as u32)).unwrap_or_default();
        if !members.is_empty() {
            for at in members {
                self.add_known(at as usize);
            }
        } else if let Some(at) = test {
            self.add_known(at);
        } else if self.tests.find(name).is_none() {
            self.tests.intern(name, guess_group(self.history, name));
            self.new += 1;
        }
        self.repeated += usize::from(self.tests.len() == before);
    }

    fn is_failed_group(&self, at: usize, name: &str) -> bool {
        let columns = self.history.columns();
        let group = columns.group[at];
        group != NONE
            && self.history.groups().get(group as usize) == name
            && columns.last_outcome(at).is_some_and(Outcome::is_failure)
    }

    fn add_known(&mut self, at: usize) {
        let group = self.history.columns().group[at];
        let group = (group != NONE).then(|| self.history.groups().get(group as usize));
        self.tests.intern(self.history.tests().get(at), group);
    }

    /// The tests of a group as the newest run that named any of them had them.
    fn members_of(&mut self, group: u32) -> Vec<u32> {
        let history = self.history;
        let columns = history.columns();
        let members = self.members.get_or_insert_with(|| {
            let all = columns.group.iter().zip(0_u32..).filter(|(group, _)| **group != NONE);
            let mut members: Vec<(u32, u32)> = all.map(|(group, test)| (*group, test)).collect();
            members.sort_unstable();
            members
        });
        let from = members.partition_point(|(other, _)| *other < group);
        let of_group = members[from..].iter().take_while(|(other, _)| *other == group);
        let name = history.groups().get(group as usize);
        let tests: Vec<u32> = of_group
            .map(|(_, test)| *test)
            .filter(|test| history.tests().get(*test as usize) != name)
            .collect();
        let newest = tests.iter().map(|test| columns.last_run[*test as usize]).max();
        let is_newest = |test: &u32| Some(columns.last_run[*test as usize]) == newest;
        tests.into_iter().filter(is_newest).collect()
    }

    fn finish(self, newest: &TestTable) -> Workload {
        let gone = |test: &TestId| {
            let name = newest.name(*test);
            self.tests.find(name).is_none() && self.tests.find_group(name).is_none()
        };
        let vanished = newest.ids().filter(gone).count();
        let (tests, _) = self.tests.sorted();
        Workload { tests, new: self.new, vanished, repeated: self.repeated }
    }
}

/// The class or file of a test that history does not know, by the customs of the dialects: text
/// before the first `#` or `::`, the one whose group is known first.
fn guess_group<'a>(history: &History, name: &'a str) -> Option<&'a str> {
    let before = |mark: &str| name.split_once(mark).map(|(group, _)| group);
    let guesses = [before("#"), before("::")];
    let known = guesses.into_iter().flatten().find(|it| history.groups().find(it).is_some());
    known.or_else(|| guesses.into_iter().flatten().find(|group| !group.is_empty()))
}
