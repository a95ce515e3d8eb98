//! Whose test it is, by a CODEOWNERS file.
//!
//! Decides by the rules of the two dialects which line of the file is about a path, and which paths
//! a test may stand at. Looks at no disk: who calls knows which of the paths exists.
//!
//! | | GitHub | GitLab |
//! |---|---|---|
//! | the last line that matches | decides | decides in each section; owners of all sections count |
//! | `docs` or `/docs` | a file, or a folder with all in it | a file |
//! | `a/b` | from the top | anywhere |
//! | `docs/*` | what stands in `docs`, not deeper | the same |
//! | a line without owners | nobody owns it | the owners of its section |
//! | `[Name][2] @owner` | no line at all | begins a section with its default owners |
//! | `!path` | not allowed, left out | taken out of its section |

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Whose rules a file follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnersDialect {
    /// GitHub's; Gitea and Forgejo follow it.
    GitHub,
    /// GitLab's, with sections.
    GitLab,
}

/// A line that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnersProblem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Who owns a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ownership {
    /// The owners, as written.
    pub owners: Vec<String>,
    /// The section that says so, where it has a name: an area of the product.
    pub area: Option<String>,
}

/// A CODEOWNERS file.
///
/// ```
/// use rasher::report::owners::{Owners, OwnersDialect};
/// let (owners, problems) = Owners::parse("* @all\n/billing/ @money\n", OwnersDialect::GitHub);
/// assert!(problems.is_empty());
/// let of = |path| owners.of(path).map(|it| it.owners.join(" "));
/// assert_eq!(of("billing/src/test/ATest.java").as_deref(), Some("@money"));
/// assert_eq!(of("README.md").as_deref(), Some("@all"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Owners {
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Default)]
struct Section {
    name: Option<String>,
    defaults: Vec<String>,
    rules: Vec<Rule>,
    /// Every pattern of every rule, with the place of its rule.
    set: GlobSet,
    rule_of: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Rule {
    patterns: Vec<Glob>,
    owners: Vec<String>,
    excluded: bool,
}

impl OwnersDialect {
    /// The dialect of a file, by what it holds: only GitLab has sections.
    pub fn of_text(text: &str) -> Self {
        let is_section = |line: &str| {
            let line = line.trim_start().trim_start_matches('^');
            line.starts_with('[') && line.contains(']')
        };
        if text.lines().any(is_section) { Self::GitLab } else { Self::GitHub }
    }
}

impl Owners {
    /// Reads a file. A line that cannot be used costs itself and is named.
    pub fn parse(text: &str, dialect: OwnersDialect) -> (Self, Vec<OwnersProblem>) {
        let mut owners = Self { sections: vec![Section::default()] };
        let mut problems = Vec::new();
        let mut current = 0;
        for (line, text) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let words = words(text);
            let Some(first) = words.first() else { continue };
            let mut problem = |what: String| problems.push(OwnersProblem { line: line + 1, what });
            if dialect == OwnersDialect::GitLab
                && let Some((name, defaults)) = section(text)
            {
                current = owners.enter(name, defaults);
                continue;
            }
            let excluded = first.starts_with('!');
            if excluded && dialect == OwnersDialect::GitHub {
                problem(format!("`{first}`: GitHub knows no exclusion"));
                continue;
            }
            match patterns(first.trim_start_matches('!'), dialect) {
                Ok(patterns) => {
                    let named = words[1..].to_vec();
                    owners.sections[current].rules.push(Rule { patterns, owners: named, excluded });
                }
                Err(what) => problem(format!("`{first}`: {what}")),
            }
        }
        for section in &mut owners.sections {
            section.seal();
        }
        (owners, problems)
    }

    /// The section of a name, new or known; GitLab tells names apart without regard to case.
    fn enter(&mut self, name: String, defaults: Vec<String>) -> usize {
        let same = |section: &Section| {
            section.name.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(&name))
        };
        let at = self.sections.iter().position(same).unwrap_or(self.sections.len());
        if at == self.sections.len() {
            self.sections.push(Section { name: Some(name), ..Section::default() });
        }
        if !defaults.is_empty() {
            self.sections[at].defaults = defaults;
        }
        at
    }

    /// Who owns a path, given from the top of the repository with `/` between its parts. `None`
    /// where nobody does.
    pub fn of(&self, path: &str) -> Option<Ownership> {
        let path = path.trim_start_matches('/');
        let mut found = Ownership::default();
        for section in &self.sections {
            let owners = section.of(path);
            if !owners.is_empty() && found.area.is_none() {
                found.area.clone_from(&section.name);
            }
            for owner in owners {
                if !found.owners.contains(owner) {
                    found.owners.push(owner.clone());
                }
            }
        }
        (!found.owners.is_empty()).then_some(found)
    }
}

impl Section {
    fn seal(&mut self) {
        let mut set = GlobSetBuilder::new();
        for (at, rule) in self.rules.iter().enumerate() {
            for pattern in &rule.patterns {
                set.add(pattern.clone());
                self.rule_of.push(at);
            }
        }
        self.set = set.build().unwrap_or_default();
    }

    fn of(&self, path: &str) -> &[String] {
        let matched: Vec<usize> =
            self.set.matches(path).into_iter().map(|at| self.rule_of[at]).collect();
        if matched.iter().any(|at| self.rules[*at].excluded) {
            return &[];
        }
        let Some(last) = matched.iter().max() else { return &[] };
        let rule = &self.rules[*last];
        if rule.owners.is_empty() { &self.defaults } else { &rule.owners }
    }
}

/// The words of a line: up to a comment, with `\ ` and `\#` as parts of a word.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut chars = line.trim().chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next @ (' ' | '#')) => word.push(next),
                Some(next) => word.extend([c, next]),
                None => word.push(c),
            },
            '#' if word.is_empty() => break,
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `[Name]`, `^[Name]`, `[Name][2] @owner`.
fn section(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim().trim_start_matches('^');
    let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
    let rest = match rest.strip_prefix('[') {
        Some(count) => count.split_once(']').map_or(rest, |(_, rest)| rest),
        None => rest,
    };
    Some((name.trim().to_owned(), words(rest)))
}

/// The globs of a pattern.
fn patterns(pattern: &str, dialect: OwnersDialect) -> Result<Vec<Glob>, String> {
    let inner = pattern.trim_start_matches('/');
    let whole = inner.trim_end_matches('/');
    if whole.is_empty() {
        return if pattern == "/" { glob("**").map(|it| vec![it]) } else { Err("is empty".into()) };
    }
    let folder = inner.ends_with('/');
    let from_top =
        pattern.starts_with('/') || (dialect == OwnersDialect::GitHub && whole.contains('/'));
    let base = if from_top { literal(whole) } else { format!("**/{}", literal(whole)) };
    let inside = format!("{base}/**");
    // What stands directly in a folder is not all that is in it.
    let flat = whole.ends_with("/*");
    match (folder, dialect) {
        (true, _) => Ok(vec![glob(&inside)?]),
        (false, OwnersDialect::GitHub) if !flat => Ok(vec![glob(&base)?, glob(&inside)?]),
        _ => Ok(vec![glob(&base)?]),
    }
}

/// Brackets and braces mean nothing in these files.
fn literal(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        if matches!(c, '[' | ']' | '{' | '}') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

fn glob(pattern: &str) -> Result<Glob, String> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|e| e.kind().to_string())
}

/// Where the source of a test may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The module of a larger build, where the name says so.
    pub module: Option<String>,
    /// Ends of paths; the first that exists is the one.
    pub ends: Vec<String>,
}

/// Source files of a class on the JVM.
const JVM: [&str; 4] = ["java", "kt", "groovy", "scala"];

/// Where the source of a test may stand, by its class or file: a path as it is, the package of a
/// class as folders.
///
/// ```
/// use rasher::report::owners::places;
/// let class = places("a.b.CTest$Inner#d", Some("a.b.CTest$Inner"));
/// assert_eq!(class.ends[0], "a/b/CTest.java");
/// assert_eq!(places("tests/test_x.py::test_a", None).ends, ["tests/test_x.py"]);
/// ```
pub fn places(test: &str, group: Option<&str>) -> Places {
    let name = group.unwrap_or_else(|| test.split('#').next().unwrap_or(test));
    let (module, name) = match name.split_once(':') {
        Some((module, rest)) if !rest.starts_with(':') && !module.is_empty() => {
            (Some(module.to_owned()), rest)
        }
        _ => (None, name),
    };
    let file = name.split("::").next().unwrap_or(name).replace('\\', "/");
    let has_ending = file.rsplit('/').next().is_some_and(|last| {
        let ending = last.rsplit_once('.').map(|(_, ending)| ending);
        ending
            .is_some_and(|it| matches!(it, "py" | "js" | "ts" | "jsx" | "tsx" | "rb" | "go" | "rs"))
    });
    if file.contains('/') || has_ending {
        return Places { module, ends: vec![file.trim_start_matches("./").to_owned()] };
    }
    let class = name.split('$').next().unwrap_or(name).replace('.', "/");
    Places { module, ends: JVM.iter().map(|ending| format!("{class}.{ending}")).collect() }
}
