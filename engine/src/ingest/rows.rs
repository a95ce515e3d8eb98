//! Where rows go: attempts of every module, in the order in which they were read.
//!
//! Decides the ordinal of an attempt and, at the end, which names need their module in front.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::attempt::{Attempt, GroupSetUp, Outcome, Recording};
use crate::test_id::{GroupId, TestId, TestTable};
use crate::units::Micros;

/// One execution as a report tells it.
#[derive(Clone, Debug)]
pub(super) struct Execution {
    pub(super) start: Option<Timestamp>,
    pub(super) duration: Option<Micros>,
    pub(super) outcome: Outcome,
    pub(super) signature: Option<u64>,
    pub(super) message: Option<Box<str>>,
    pub(super) unique_id: Option<Box<str>>,
}

impl Execution {
    /// An execution of which only its end and its time are known.
    pub(super) const fn new(outcome: Outcome, duration: Option<Micros>) -> Self {
        Self { start: None, duration, outcome, signature: None, message: None, unique_id: None }
    }
}

/// The names of one module.
#[derive(Debug, Default)]
struct Module {
    name: Option<Box<str>>,
    tests: TestTable,
    attempts_of: Vec<u16>,
}

/// All rows of a reader.
#[derive(Debug, Default)]
pub(super) struct Rows {
    modules: Vec<Module>,
    current: usize,
    attempts: Vec<(u32, Attempt)>,
    setups: Vec<(u32, GroupSetUp)>,
    reported_at: Option<Timestamp>,
    uncounted: usize,
}

impl Rows {
    /// Makes `name` the module of the rows to come.
    pub(super) fn enter(&mut self, name: Option<&str>) -> u32 {
        let known = self.modules.iter().position(|module| module.name.as_deref() == name);
        self.current = known.unwrap_or(self.modules.len());
        if known.is_none() {
            let name = name.map(Box::from);
            self.modules.push(Module { name, ..Module::default() });
        }
        self.current as u32
    }

    pub(super) fn len(&self) -> usize {
        self.attempts.len()
    }

    /// The id of a test in the current module.
    pub(super) fn test(&mut self, name: &str, group: Option<&str>) -> TestId {
        let module = &mut self.modules[self.current];
        let test = module.tests.intern(name, group);
        module.attempts_of.resize(module.tests.len(), 0);
        test
    }

    /// The id of a group in the current module.
    pub(super) fn named_group(&mut self, name: &str) -> GroupId {
        self.modules[self.current].tests.intern_group(name)
    }

    /// The group of a test in the current module.
    pub(super) fn group(&self, test: TestId) -> Option<GroupId> {
        self.modules[self.current].tests.group(test)
    }

    /// Attempts that had no ordinal left, since this was last asked.
    pub(super) fn take_uncounted(&mut self) -> usize {
        std::mem::take(&mut self.uncounted)
    }

    /// Adds an attempt; gives its place. `None` where the test has used up its ordinals.
    pub(super) fn push(&mut self, test: TestId, execution: Execution) -> Option<usize> {
        let ordinal = &mut self.modules[self.current].attempts_of[test.index()];
        if *ordinal == u16::MAX {
            self.uncounted += 1;
            return None;
        }
        let Execution { start, duration, outcome, signature, message, unique_id } = execution;
        let attempt = Attempt {
            test,
            ordinal: *ordinal,
            start,
            duration,
            outcome,
            signature,
            message,
            unique_id,
        };
        *ordinal += 1;
        self.attempts.push((self.current as u32, attempt));
        Some(self.attempts.len() - 1)
    }

    /// Says that the attempt at `place` ended otherwise than its row said.
    pub(super) fn correct(&mut self, place: usize, outcome: Outcome) {
        if let Some((_, attempt)) = self.attempts.get_mut(place) {
            attempt.outcome = outcome;
        }
    }

    /// Says that two attempts of one test happened the other way round.
    pub(super) fn swap_ordinals(&mut self, one: usize, other: usize) {
        if let (Some(a), Some(b)) = (self.attempts.get(one), self.attempts.get(other)) {
            let ordinals = (a.1.ordinal, b.1.ordinal);
            self.attempts[one].1.ordinal = ordinals.1;
            self.attempts[other].1.ordinal = ordinals.0;
        }
    }

    pub(super) fn set_up(&mut self, group: GroupId, setup: Micros) {
        self.setups.push((self.current as u32, GroupSetUp { group, setup }));
    }

    /// Takes note of a time stamp of the report.
    pub(super) fn stamped(&mut self, at: Timestamp) {
        self.reported_at = self.reported_at.max(Some(at));
    }

    pub(super) fn finish(mut self) -> Recording {
        if self.modules.len() > 1 {
            return self.merge();
        }
        Recording {
            tests: self.modules.pop().map(|module| module.tests).unwrap_or_default(),
            attempts: self.attempts.into_iter().map(|(_, attempt)| attempt).collect(),
            setups: self.setups.into_iter().map(|(_, setup)| setup).collect(),
            reported_at: self.reported_at,
        }
    }

    /// One table of all modules. O(names) and their bytes.
    fn merge(self) -> Recording {
        let tests_named = owners(&self.modules, |module| {
            let tests = &module.tests;
            Box::new(tests.ids().map(|test| tests.name(test)))
        });
        let groups_named = owners(&self.modules, |module| {
            let tests = &module.tests;
            Box::new((0..tests.group_count() as u32).map(|at| tests.group_name(GroupId(at))))
        });
        let mut merged = TestTable::new();
        let mut new_ids: Vec<Vec<TestId>> = Vec::new();
        for module in &self.modules {
            let tests = &module.tests;
            let ids = tests.ids().map(|test| {
                let group = tests.group(test).map(|group| tests.group_name(group));
                let group = group.map(|name| module.spell(name, groups_named[name]));
                merged.intern(
                    &module.spell(tests.name(test), tests_named[tests.name(test)]),
                    group.as_deref(),
                )
            });
            new_ids.push(ids.collect());
        }
        let mut attempts = Vec::with_capacity(self.attempts.len());
        for (module, mut attempt) in self.attempts {
            attempt.test = new_ids[module as usize][attempt.test.index()];
            attempts.push(attempt);
        }
        let mut setups = Vec::with_capacity(self.setups.len());
        for (module, setup) in self.setups {
            let module = &self.modules[module as usize];
            let name = module.tests.group_name(setup.group);
            let group = merged.intern_group(&module.spell(name, groups_named[name]));
            setups.push(GroupSetUp { group, ..setup });
        }
        Recording { tests: merged, attempts, setups, reported_at: self.reported_at }
    }
}

type NamesOf<'m> = Box<dyn Iterator<Item = &'m str> + 'm>;

/// How many modules use each name.
fn owners<'m>(
    modules: &'m [Module],
    names: impl Fn(&'m Module) -> NamesOf<'m>,
) -> BTreeMap<&'m str, u32> {
    let mut owners = BTreeMap::new();
    for module in modules {
        for name in names(module) {
            *owners.entry(name).or_default() += 1;
        }
    }
    owners
}

impl Module {
    /// A name as the recording has it.
    fn spell(&self, name: &str, owners: u32) -> String {
        match &self.name {
            Some(module) if owners > 1 => format!("{module}:{name}"),
            _ => name.to_owned(),
        }
    }
}
