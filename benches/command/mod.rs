//! What `rasher bench` does: measures the targets of the design on the instance sets and writes one
//! document, a table, a picture and `COMPARE.md` from it.
//!
//! Decides what is measured and against what; never plans on its own.

mod churn;
mod constrained;
mod culprit;
mod document;
mod flaky;
mod frontier;
mod hard;
mod history;
mod oracle;
mod peers;
mod picture;
mod quality;
mod scale;
mod setup;
mod solve;
mod speed;
mod text;
mod variants;

use std::time::Duration;

use crate::corpus::Monolith;
use crate::measure::against_sort;

pub use document::{BENCH_SCHEMA, BenchDocument, Measured, Section, Target, Unit};
pub use oracle::{OracleQuestion, oracle_question, oracle_section};
pub use peers::peers_section;
pub use picture::picture;
pub use text::{cell, target_cells, thousands};
pub use variants::variants_section;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Seeds per family and size.
    pub seeds: u64,
    /// Rounds of which the minimum counts.
    pub rounds: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { seeds: 2, rounds: 9 }
    }
}

/// One thing that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The fast core against the machine's unit (T1, T2).
    Plan,
    /// Gap and cost of whole plans (T3, T4, T13).
    Quality,
    /// The literature's classes (T5, T6).
    Literature,
    /// Classes with set-ups (T7).
    Setup,
    /// Every number of workers at once (T8).
    Frontier,
    /// From ten thousand tests to a million.
    Scale,
    /// From the store to shards (T12).
    History,
    /// What changes of a suite move (churn).
    Churn,
    /// Pools, order, exclusive resources (set E).
    Constrained,
    /// Every variant of planning, read by the checker (T13).
    Variants,
    /// Scores of flaky tests (F1 to F5, F11).
    Flaky,
    /// Verdicts on runs (F6 to F8).
    Verdicts,
    /// The search for a culprit.
    Culprit,
}

impl Part {
    /// All parts; the one that watches memory first.
    pub const ALL: [Self; 13] = [
        Self::Scale,
        Self::Plan,
        Self::Quality,
        Self::Literature,
        Self::Setup,
        Self::Frontier,
        Self::History,
        Self::Churn,
        Self::Constrained,
        Self::Variants,
        Self::Flaky,
        Self::Verdicts,
        Self::Culprit,
    ];

    /// The word by which it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Quality => "quality",
            Self::Literature => "literature",
            Self::Setup => "setup",
            Self::Frontier => "frontier",
            Self::Scale => "scale",
            Self::History => "history",
            Self::Churn => "churn",
            Self::Constrained => "constrained",
            Self::Variants => "variants",
            Self::Flaky => "flaky",
            Self::Verdicts => "verdicts",
            Self::Culprit => "culprit",
        }
    }

    /// Measures it. Takes seconds.
    pub fn measure(self, effort: Effort) -> Measured {
        match self {
            Self::Plan => speed::measure(effort),
            Self::Quality => quality::measure(effort),
            Self::Literature => hard::measure(effort),
            Self::Setup => setup::measure(effort),
            Self::Frontier => frontier::measure(effort),
            Self::Scale => scale::measure(effort),
            Self::History => history::measure(effort),
            Self::Churn => churn::measure(effort),
            Self::Constrained => constrained::measure(effort),
            Self::Variants => variants::measure(),
            Self::Flaky => flaky::scores(effort),
            Self::Verdicts => flaky::verdicts(effort),
            Self::Culprit => culprit::measure(effort),
        }
    }
}

impl BenchDocument {
    /// An empty document with the machine's unit, measured now.
    pub fn begin() -> Self {
        let durations: Vec<u64> =
            Monolith::full().cases().map(|(_, case)| case.duration.get()).collect();
        let timing = against_sort(&durations, 15, || ());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let unit = Unit { processors, sort_us: micros(timing.unit) };
        Self {
            schema: BENCH_SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            unit,
            sections: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Adds what was measured; a section of the same name is replaced, with its targets.
    pub fn add(&mut self, measured: Measured) {
        let name = measured.section.name.clone();
        self.targets.retain(|target| target.section != name);
        self.targets.extend(measured.targets);
        match self.sections.iter_mut().find(|section| section.name == name) {
            Some(section) => *section = measured.section,
            None => self.sections.push(measured.section),
        }
    }

    /// `COMPARE.md`: every table and target of the document in Markdown.
    pub fn markdown(&self) -> String {
        text::compare_markdown(self)
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests;
