//! Who left a test out: lines of source files with the person who wrote them, held against the
//! files.
//!
//! Decides which line speaks for which test. Reads no version control and no file: who calls brings
//! both.

use std::collections::BTreeMap;

use super::owners::places;

/// Who wrote which line of which file.
///
/// ```
/// use rasher::report::blame::Blame;
/// let (blame, problems) = Blame::parse("src/ATest.java,2,ann\n");
/// assert!(problems.is_empty());
/// let source = "class ATest {\n  @Disabled\n  @Test void adds() {}\n  @Test void halves() {}\n}\n";
/// assert_eq!(blame.of("src/ATest.java", source, &["adds", "ATest"]), Some("ann"));
/// assert_eq!(blame.of("src/ATest.java", source, &["halves", "ATest"]), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blame {
    files: BTreeMap<String, BTreeMap<usize, String>>,
}

/// A line that names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BlameProblem {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// So many lines may stand between what leaves a test out and the test.
const LINES_MAX: usize = 30;

impl Blame {
    /// Reads lines of `path,line,user`; a path may hold commas, a name may not. Empty lines and
    /// those that begin with `#` say nothing. A wrong line costs itself.
    pub fn parse(text: &str) -> (Self, Vec<BlameProblem>) {
        let (mut blame, mut problems) = (Self::default(), Vec::new());
        for (at, row) in text.lines().enumerate() {
            if row.trim().is_empty() || row.starts_with('#') {
                continue;
            }
            match parts(row) {
                Ok((path, line, user)) => {
                    let path = path.trim_start_matches("./").replace('\\', "/");
                    blame.files.entry(path).or_default().insert(line, user.to_owned());
                }
                Err(what) => problems.push(BlameProblem { line: at + 1, what }),
            }
        }
        (blame, problems)
    }

    /// True where no line is known.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The file of those named in which a test most likely stands.
    pub fn file_of(&self, test: &str, group: Option<&str>) -> Option<&str> {
        let places = places(test, group);
        let fits = |end: &String| {
            let inner = format!("/{end}");
            let mut all = self.files.keys().filter(|path| *path == end || path.ends_with(&inner));
            let first = all.clone().next();
            let module = places.module.as_ref().map(|module| format!("{module}/"));
            module.and_then(|it| all.find(|path| path.contains(&it))).or(first)
        };
        places.ends.iter().find_map(fits).map(String::as_str)
    }

    /// Who wrote the line that stands before the first of `names` that has one: a method, then the
    /// classes around it. A line speaks for the declaration that follows it, with nothing but
    /// annotations, comments and its own continuation between. O(lines of the file).
    pub fn of(&self, path: &str, source: &str, names: &[&str]) -> Option<&str> {
        let lines = self.files.get(path)?;
        let source: Vec<&str> = source.lines().collect();
        names.iter().filter(|name| !name.is_empty()).find_map(|name| {
            let declared = (0..source.len()).filter(|at| declares(source[*at], name));
            declared.filter_map(|at| before(lines, &source, at)).next()
        })
    }
}

fn parts(row: &str) -> Result<(&str, usize, &str), &'static str> {
    let (rest, user) = row.rsplit_once(',').ok_or("not `path,line,user`")?;
    let (path, line) = rest.rsplit_once(',').ok_or("not `path,line,user`")?;
    let line = line.trim().parse().ok().filter(|line| *line > 0).ok_or("no line number")?;
    let (path, user) = (path.trim(), user.trim());
    if path.is_empty() || user.is_empty() {
        return Err("no path, or nobody named");
    }
    Ok((path, line, user))
}

/// The nearest line at or before a declaration that speaks for it.
fn before<'a>(
    lines: &'a BTreeMap<usize, String>,
    source: &[&str],
    declared: usize,
) -> Option<&'a str> {
    for at in (declared.saturating_sub(LINES_MAX)..=declared).rev() {
        if let Some(user) = lines.get(&(at + 1)) {
            return Some(user);
        }
        // Another declaration or statement ends here: what is above it speaks for that.
        let code = source[at].trim_end();
        if at < declared && code.ends_with([';', '{', '}']) {
            return None;
        }
    }
    None
}

/// True where a line of code holds a whole word and is no call of it, comment or import.
fn declares(line: &str, name: &str) -> bool {
    let code = line.trim_start();
    if ["//", "*", "/*", "#", "import ", "package "].iter().any(|sign| code.starts_with(sign)) {
        return false;
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let (head, tail) = (&line[..at], &line[at + name.len()..]);
        let apart = !head.ends_with(is_word) && !tail.starts_with(is_word);
        // A name in quotes is what is declared; in other calls a name is used.
        let uses: &[char] = match head.ends_with(['\'', '"', '`']) || code.starts_with('@') {
            true => &['{', ';'],
            false => &['{', ';', '(', '='],
        };
        let used = head.contains(uses) || head.ends_with('.') || head.contains("return ");
        apart && !used && !head.trim().is_empty()
    })
}
