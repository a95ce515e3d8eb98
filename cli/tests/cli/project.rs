//! A folder with reports in it, and calls of the command there.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

/// A project on the disk, removed in the end.
pub(crate) struct Project(TempDir);

/// What a call of the command did.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a disk that works"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a disk that works");
        fs::write(path, text).expect("a disk that works");
        self
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("a disk that works")
    }

    /// One Surefire report: a class and its cases as `(name, seconds, inner)`.
    pub(crate) fn report(&self, folder: &str, class: &str, cases: &[(&str, f64, &str)]) -> &Self {
        self.write(&format!("{folder}/TEST-{class}.xml"), suite(class, cases))
    }

    /// Three classes with eight tests.
    pub(crate) fn with_reports(self) -> Self {
        self.report("reports", "x.ATest", &[("a", 1.0, ""), ("b", 2.0, ""), ("c", 3.0, "")])
            .report("reports", "x.BTest", &[("d", 2.0, ""), ("e", 2.0, "")])
            .report(
                "reports",
                "x.CTest",
                &[("f", 1.0, ""), ("g", 0.5, ""), ("h", 0.0, "<skipped/>")],
            );
        self
    }

    /// Calls the command here, outside of any CI.
    pub(crate) fn rasher(&self, args: &[&str]) -> Called {
        self.rasher_in(&[], args, "")
    }

    /// Calls the command with variables and standard input.
    pub(crate) fn rasher_in(&self, vars: &[(&str, &str)], args: &[&str], input: &str) -> Called {
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_rasher"))
            .current_dir(self.path())
            .env_clear()
            .envs(vars.iter().copied())
            .args(args)
            .write_stdin(input)
            .output()
            .expect("a disk that works");
        Called {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Called {
    /// Wants an exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Wants something said on stderr.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        self
    }

    /// The document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}:\n{}", self.stdout))
    }
}

/// One suite as Surefire writes it.
pub(crate) fn suite(class: &str, cases: &[(&str, f64, &str)]) -> String {
    let total: f64 = cases.iter().map(|case| case.1).sum();
    let rows: String = cases
        .iter()
        .map(|(name, seconds, inner)| {
            format!("<testcase classname=\"{class}\" name=\"{name}\" time=\"{seconds}\">{inner}</testcase>\n")
        })
        .collect();
    format!(
        "<testsuite name=\"{class}\" time=\"{total}\" tests=\"{}\" errors=\"0\" skipped=\"0\" \
         failures=\"0\" timestamp=\"2026-01-02T03:04:05Z\">\n{rows}</testsuite>\n",
        cases.len()
    )
}
