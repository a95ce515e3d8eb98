//! What every verb is given: the common options with their defaults, the CI's facts, the output.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use rasher::history::History;
use rasher_store::{Loaded, Store, StoreError};

use crate::ci::{self, Ci};
use crate::config::ConfigFile;
use crate::fault::Fault;
use crate::flags::Common;
use crate::output::Output;

/// One call of the command.
#[derive(Debug)]
pub(crate) struct Session {
    /// Where to write.
    pub(crate) output: Output,
    /// The environment whose history counts.
    pub(crate) environment: String,
    /// The directory of the store, which need not exist yet.
    pub(crate) store: PathBuf,
    /// True where the directory was named by an option, a variable or the configuration.
    pub(crate) store_named: bool,
    /// What the CI says of this job.
    pub(crate) ci: Ci,
    /// The configuration file, where there is one.
    pub(crate) config: Option<ConfigFile>,
}

impl Session {
    /// Settles the defaults.
    pub(crate) fn open(common: Common, config: Option<ConfigFile>) -> Result<Self, Fault> {
        let output = Output::new(common.json, common.quiet, common.color);
        let beside = config.as_ref().map_or(Path::new(""), ConfigFile::folder);
        let store_named = common.store.is_some();
        let store = common.store.unwrap_or_else(|| beside.join(".rasher"));
        let ci = ci::detect(variable)?;
        Ok(Self { output, environment: common.env, store, store_named, ci, config })
    }

    /// The same call on another store, outside of any CI and without a configuration.
    pub(crate) fn elsewhere(&self, store: PathBuf) -> Self {
        Self {
            output: self.output,
            environment: self.environment.clone(),
            store,
            store_named: true,
            ci: Ci::default(),
            config: None,
        }
    }

    /// What was asked for, else what the CI says; says so where they disagree.
    pub(crate) fn settle<T: PartialEq + Display>(
        &self,
        flag: &str,
        asked: Option<T>,
        seen: Option<T>,
    ) -> Option<T> {
        if let (Some(asked), Some(seen)) = (&asked, &seen)
            && asked != seen
        {
            let ci = self.ci.name.unwrap_or("the CI");
            self.output.warn(&format!("{flag} is {asked}, {ci} says {seen}; {asked} is used"));
        }
        asked.or(seen)
    }

    /// The store, which need not exist yet.
    pub(crate) fn open_store(&self) -> Result<Store, Fault> {
        Store::open(&self.store).map_err(|e| store_fault(&e))
    }

    /// The history of the environment, with what could not be used said on stderr. Empty where
    /// there is no store.
    pub(crate) fn history(&self) -> Result<History, Fault> {
        let loaded = self.open_store()?.history(&self.environment).map_err(|e| store_fault(&e))?;
        Ok(self.usable(loaded))
    }

    /// What was loaded, after saying what could not be.
    pub(crate) fn usable<T>(&self, loaded: Loaded<T>) -> T {
        for problem in &loaded.problems {
            self.output.warn(&problem.to_string());
        }
        loaded.value
    }
}

/// The fault for what the store refused.
pub(crate) fn store_fault(error: &StoreError) -> Fault {
    Fault::store(error.to_string())
}

/// The file to which the CI wants summaries appended, where it names one.
pub(crate) fn step_summary() -> Option<PathBuf> {
    variable("GITHUB_STEP_SUMMARY").map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "the one place that may")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
