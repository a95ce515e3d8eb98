//! Constraints that the world already has written down, read from text.
//!
//! Decides what each fact means for a plan. Each importer answers with constraints and the lines
//! it could not use; none fails.

use std::collections::{BTreeMap, BTreeSet};

use super::ConstraintSpec;

/// A line that says nothing an importer knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Reads facts about tests, one to a line: the test, the fact and its value, parted by tabs.
///
/// Known are TestNG's `dependsOnMethods`, `groups` and `dependsOnGroups` (names parted by commas;
/// a bare method name is one of the same class) and JUnit's `ResourceLock` (a resource, with
/// `:READ` behind it where it is only read) and `Isolated`. Who only reads a resource that nobody
/// writes is not bound by it. Empty lines and lines that begin with `#` are left out.
///
/// ```
/// use rasher::constraint::import::facts;
/// let (spec, unread) = facts("a.B#two\tdependsOnMethods\tone\na.B#x\tResourceLock\tdb\n");
/// assert_eq!(spec.before, [["a.B#one", "a.B#two"]]);
/// assert_eq!(spec.resources["db"], ["a.B#x"]);
/// assert!(unread.is_empty());
/// ```
pub fn facts(text: &str) -> (ConstraintSpec, Vec<Unread>) {
    let mut spec = ConstraintSpec::default();
    let mut unread = Vec::new();
    let mut groups: Vec<(&str, &str)> = Vec::new();
    let mut on_groups: Vec<(&str, &str)> = Vec::new();
    let mut locks: Vec<(&str, &str, bool)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.split('\t').map(str::trim);
        let test = fields.next().unwrap_or_default();
        let fact = fields.next().unwrap_or_default();
        let value = fields.next().unwrap_or_default();
        let values = || value.split(',').map(str::trim).filter(|name| !name.is_empty());
        match fact {
            "dependsOnMethods" => {
                let before = values().map(|name| vec![sibling(test, name), test.to_owned()]);
                spec.before.extend(before);
            }
            "groups" => groups.extend(values().map(|group| (group, test))),
            "dependsOnGroups" => on_groups.extend(values().map(|group| (group, test))),
            "Isolated" => spec.serial.push(test.to_owned()),
            "ResourceLock" if !value.is_empty() => {
                let read = value.strip_suffix(":READ");
                let name = read.unwrap_or(value.trim_end_matches(":READ_WRITE"));
                locks.push((name, test, read.is_none()));
            }
            _ => unread.push(Unread {
                line: at + 1,
                what: format!("`{fact}` is no fact that is known, or its value is missing"),
            }),
        }
    }
    for (group, test) in on_groups {
        for (_, first) in groups.iter().filter(|(own, first)| *own == group && *first != test) {
            spec.before.push(vec![(*first).to_owned(), test.to_owned()]);
        }
    }
    for (name, test, _) in &locks {
        if locks.iter().any(|(other, _, writes)| other == name && *writes) {
            spec.resources.entry((*name).to_owned()).or_default().push((*test).to_owned());
        }
    }
    (spec, unread)
}

/// A method's full id, where only its name is given: of the same class as `test`.
fn sibling(test: &str, name: &str) -> String {
    if name.contains(['#', '.']) {
        return name.to_owned();
    }
    let class = test.rfind(['#', '.']).map_or("", |at| &test[..=at]);
    format!("{class}{name}")
}

/// Reads the table of order-dependent tests of the iDoFT data set (`odr-tests.csv`): a victim is
/// kept apart from its polluters, a brittle test runs after a test that sets its state up.
///
/// The table lists every test that sets the state up, and one suffices: the first is taken that
/// is no polluter of what it would then share a shard with. A brittle test without such a one is
/// told with its line and left free.
///
/// `project` leaves only the rows whose URL contains it. `Class.method` becomes `Class#method`, as
/// reports print it.
///
/// ```
/// use rasher::constraint::import::idoft;
/// let text = "Project URL,SHA Detected,Module Path,OD-test,Relevant-test(if it is VP/BSS),\
///             Relevant-test(if it is VPC),OD-test-type\n\
///             https://example.org/p,1,m,a.B.victim,a.B.polluter,,victim\n";
/// let (spec, unread) = idoft(text, None);
/// assert_eq!(spec.apart, [["a.B#polluter", "a.B#victim"]]);
/// assert!(unread.is_empty());
/// ```
pub fn idoft(text: &str, project: Option<&str>) -> (ConstraintSpec, Vec<Unread>) {
    let mut spec = ConstraintSpec::default();
    let mut unread = Vec::new();
    let mut brittle: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for (at, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.is_empty()) {
        let fields: Vec<&str> = line.split(',').map(|field| field.trim_matches('"')).collect();
        let [url, _, _, test, other, _, kind] = fields[..] else {
            let what = format!("{} columns where 7 are wanted", fields.len());
            unread.push(Unread { line: at + 1, what });
            continue;
        };
        if project.is_some_and(|wanted| !url.contains(wanted)) {
            continue;
        }
        match kind {
            _ if test.is_empty() || other.is_empty() => {
                let what = "a row without its two tests".to_owned();
                unread.push(Unread { line: at + 1, what });
            }
            "victim" => spec.apart.push(vec![reported(other), reported(test)]),
            "brittle" => {
                let (_, setters) =
                    brittle.entry(reported(test)).or_insert((at + 1, BTreeSet::new()));
                setters.insert(reported(other));
            }
            _ => {
                let what = format!("`{kind}` is neither a victim nor brittle");
                unread.push(Unread { line: at + 1, what });
            }
        }
    }
    spec.apart.sort();
    spec.apart.dedup();
    let mut shards = Chains::apart(&spec.apart);
    for (test, (line, setters)) in brittle {
        match setters.into_iter().find(|setter| shards.join(setter, &test)) {
            Some(setter) => spec.before.push(vec![setter, test]),
            None => unread.push(Unread {
                line,
                what: format!("`{test}` must not share a shard with any test that sets it up"),
            }),
        }
    }
    (spec, unread)
}

/// Which tests share a shard because one follows another.
#[derive(Default)]
struct Chains {
    /// By test the tests it may not meet.
    apart: BTreeMap<String, BTreeSet<String>>,
    /// By test its chain.
    chain: BTreeMap<String, usize>,
    chains: Vec<BTreeSet<String>>,
}

impl Chains {
    fn apart(pairs: &[Vec<String>]) -> Self {
        let mut chains = Self::default();
        for pair in pairs {
            for (one, other) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
                chains.apart.entry(one.clone()).or_default().insert(other.clone());
            }
        }
        chains
    }

    fn of(&mut self, test: &str) -> usize {
        *self.chain.entry(test.to_owned()).or_insert_with(|| {
            self.chains.push(BTreeSet::from([test.to_owned()]));
            self.chains.len() - 1
        })
    }

    /// Lets `test` follow `setter`, unless that closes a ring or brings two together that may not
    /// meet. A test follows one other at most, so a ring is what would join a chain to itself.
    fn join(&mut self, setter: &str, test: &str) -> bool {
        let (one, other) = (self.of(setter), self.of(test));
        let clash = |member: &String| {
            let enemies = self.apart.get(member);
            enemies.is_some_and(|enemies| !enemies.is_disjoint(&self.chains[other]))
        };
        if one == other || self.chains[one].iter().any(clash) {
            return false;
        }
        let moved = std::mem::take(&mut self.chains[other]);
        for member in &moved {
            self.chain.insert(member.clone(), one);
        }
        self.chains[one].extend(moved);
        true
    }
}

fn reported(test: &str) -> String {
    match test.rsplit_once('.') {
        Some((class, method)) => format!("{class}#{method}"),
        None => test.to_owned(),
    }
}
