//! The problems of one file, bounded, with their lines.

use super::{Problem, ProblemKind};

/// Collects problems: the first ones of each kind in full, the rest as a count.
#[derive(Debug)]
pub(super) struct Log {
    limit: usize,
    problems: Vec<Problem>,
    counts: [usize; ProblemKind::ALL.len()],
    lines: Lines,
}

/// Turns rising byte positions into line numbers without reading anything twice.
#[derive(Debug, Default)]
struct Lines {
    position: usize,
    newlines: u64,
}

impl Lines {
    fn at(&mut self, text: &str, position: usize) -> u64 {
        let position = position.min(text.len());
        if position < self.position {
            *self = Self::default();
        }
        let passed = &text.as_bytes()[self.position..position];
        self.newlines += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.position = position;
        self.newlines + 1
    }
}

impl Log {
    pub(super) fn new(limit: usize) -> Self {
        let counts = [0; ProblemKind::ALL.len()];
        Self { limit, problems: Vec::new(), counts, lines: Lines::default() }
    }

    /// Notes a problem at a byte position of the text.
    pub(super) fn at(&mut self, text: &str, position: usize, kind: ProblemKind, what: String) {
        if self.admit(kind) {
            let line = Some(self.lines.at(text, position));
            self.problems.push(Problem { line, kind, what });
        }
    }

    /// Notes a problem of the whole file.
    pub(super) fn about_file(&mut self, kind: ProblemKind, what: String) {
        if self.admit(kind) {
            self.problems.push(Problem { line: None, kind, what });
        }
    }

    /// How many problems of one kind there were, listed or not.
    pub(super) fn count(&self, kind: ProblemKind) -> usize {
        self.counts[kind as usize]
    }

    fn admit(&mut self, kind: ProblemKind) -> bool {
        let count = &mut self.counts[kind as usize];
        *count += 1;
        *count <= self.limit
    }

    pub(super) fn finish(mut self) -> Vec<Problem> {
        for kind in ProblemKind::ALL {
            let more = self.count(kind).saturating_sub(self.limit);
            if more > 0 {
                let what = format!("{more} more problems of the kind `{}`", kind.name());
                self.problems.push(Problem { line: None, kind, what });
            }
        }
        self.problems
    }
}
