//! What every verb is given: the common options with their defaults, the CI's facts, the output.

use std::path::{Path, PathBuf};

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
        let store = common.store.unwrap_or_else(|| beside.join(".rasher"));
        let ci = ci::detect(variable)?;
        Ok(Self { output, environment: common.env, store, ci, config })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that may")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
