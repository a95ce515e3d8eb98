//! The document of `rasher bench`: measured tables, and the targets they are held against.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The schema that this version writes and reads.
pub const BENCH_SCHEMA: &str = "rasher.bench/1";

/// What one call of the command measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchDocument {
    /// [`BENCH_SCHEMA`].
    pub schema: String,
    /// The version that was measured.
    pub version: String,
    /// The machine's unit, by which all times are divided.
    pub unit: Unit,
    /// One table for each thing measured.
    pub sections: Vec<Section>,
    /// The targets of the design with what was found.
    pub targets: Vec<Target>,
}

/// `sort_unstable` of 45,000 durations of the made monolith: what a ratio of 1 is in time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Processors of the machine.
    pub processors: usize,
    /// Microseconds of the sort, minimum of the rounds.
    pub sort_us: f64,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// A word by which the section is asked for.
    pub name: String,
    /// What is shown, in a sentence.
    pub title: String,
    /// The command that prints it.
    pub command: String,
    /// Heads of the columns, with units.
    pub columns: Vec<String>,
    /// Text, numbers, true or false; one value for each column.
    pub rows: Vec<Vec<Value>>,
}

/// A demand of the design and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The name it goes by: `T1`, `churn`.
    pub id: String,
    /// What is demanded, in words.
    pub what: String,
    /// The demand as a number.
    pub limit: f64,
    /// What was found.
    pub measured: f64,
    /// True where `measured` may not be above `limit`; else it may not be below.
    pub at_most: bool,
    /// `measured` keeps `limit`.
    pub met: bool,
    /// The section with the details.
    pub section: String,
}

impl Target {
    /// A target that `measured` may not exceed.
    pub fn at_most(id: &str, what: &str, limit: f64, measured: f64) -> Self {
        Self::new(id, what, (limit, measured), true)
    }

    /// A target that `measured` must reach.
    pub fn at_least(id: &str, what: &str, limit: f64, measured: f64) -> Self {
        Self::new(id, what, (limit, measured), false)
    }

    fn new(id: &str, what: &str, (limit, measured): (f64, f64), at_most: bool) -> Self {
        let met = if at_most { measured <= limit } else { measured >= limit };
        let (id, what) = (id.to_owned(), what.to_owned());
        Self { id, what, limit, measured, at_most, met, section: String::new() }
    }
}

/// One table and the targets that rest on it: what each measurement returns.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// The table.
    pub section: Section,
    /// The targets.
    pub targets: Vec<Target>,
}

impl Measured {
    /// An empty table.
    pub(crate) fn new(name: &str, title: &str, columns: &[&str]) -> Self {
        let section = Section {
            name: name.to_owned(),
            title: title.to_owned(),
            command: format!("rasher bench {name}"),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        };
        Self { section, targets: Vec::new() }
    }

    /// Adds a row; it must have a value for each column.
    pub(crate) fn row(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.section.columns.len(), "{row:?}");
        self.section.rows.push(row);
    }

    /// Adds a target that rests on this table.
    pub(super) fn target(&mut self, mut target: Target) {
        target.section.clone_from(&self.section.name);
        self.targets.push(target);
    }
}
