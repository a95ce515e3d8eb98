//! `rasher.toml`: every option of the command line can stand in it, and none is defined twice.
//!
//! The file knows no option by name. Each key is looked up among clap's own definitions, and its
//! value becomes the default of that option: what the command line or the environment says wins,
//! and a value of the file that conflicts with a given option falls away. Common options stand at
//! top level, those of a verb in the verb's table. Tables that are no options (rules, prices) are
//! named in [`SECTIONS`] and read by their verbs through [`ConfigFile::section`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::OsStr;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, ValueHint};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::Fault;
use crate::files;
use crate::flags::Cli;

/// Name of the file that is looked for.
pub(crate) const FILE_NAME: &str = "rasher.toml";

/// Top-level tables that hold no options.
pub(crate) const SECTIONS: [&str; 4] = ["account", "constraints", "pool", "rule"];

/// Options that the file cannot hold.
const NEVER: [&str; 3] = ["config", "help", "version"];

/// A configuration file that was read.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    text: String,
}

/// One key of the file that sets an option.
struct Entry {
    /// The option's id.
    id: String,
    /// The key as people see it.
    key: String,
    offset: usize,
    values: Vec<String>,
}

/// Reads the command line, with the defaults of the configuration file where there is one.
/// `--help`, `--version` and wrong usage end the process here, as clap does it.
pub(crate) fn parse(args: Vec<OsString>) -> Result<(Cli, Option<ConfigFile>), Fault> {
    let first = Cli::command().ignore_errors(true).try_get_matches_from(&args);
    let Ok(given) = first else {
        Cli::command().get_matches_from(&args);
        return Err(Fault::usage("the command line was not understood"));
    };
    let config = find(&given)?;
    let command = match &config {
        Some(file) => with_defaults(Cli::command(), file, &given)?,
        None => Cli::command(),
    };
    let matches = command.get_matches_from(&args);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit());
    Ok((cli, config))
}

fn find(given: &ArgMatches) -> Result<Option<ConfigFile>, Fault> {
    if let Some(path) = given.get_one::<PathBuf>("config") {
        let bytes = files::read_if_there(path)?.ok_or_else(|| {
            Fault::usage(format!("there is no configuration file `{}`", path.display()))
        })?;
        return ConfigFile::new(path.clone(), bytes).map(Some);
    }
    // Upwards, but with the shortest path people would write: `rasher.toml`, `../rasher.toml`.
    let here = std::env::current_dir().unwrap_or_default();
    let mut path = PathBuf::from(FILE_NAME);
    for _ in here.ancestors() {
        if let Some(bytes) = files::read_if_there(&path)? {
            return ConfigFile::new(path, bytes).map(Some);
        }
        path = Path::new("..").join(path);
    }
    Ok(None)
}

impl ConfigFile {
    fn new(path: PathBuf, bytes: Vec<u8>) -> Result<Self, Fault> {
        let text = String::from_utf8(bytes)
            .map_err(|_| Fault::usage("the configuration is not UTF-8 text").at(path.display()))?;
        Ok(Self { path, text })
    }

    /// Reads another file of this kind, where it is there.
    pub(crate) fn read_if_there(path: &Path) -> Result<Option<Self>, Fault> {
        files::read_if_there(path)?.map(|bytes| Self::new(path.to_path_buf(), bytes)).transpose()
    }

    /// The whole file as one table.
    ///
    /// # Errors
    /// Exit code 2 with line and column where it has another shape.
    pub(crate) fn whole<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        toml::from_str(&self.text).map_err(|e| {
            self.fault(e.span().map_or(0, |span| span.start), e.message().replace('\n', "; "))
        })
    }

    /// A file that is not on disk.
    #[cfg(test)]
    pub(crate) fn of_text(path: PathBuf, text: &str) -> Self {
        Self { path, text: text.to_owned() }
    }

    /// The directory it stands in; paths in the file are taken from there.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Reads one of [`SECTIONS`] where the file has it.
    ///
    /// # Errors
    /// Exit code 2 with line and column where the section has another shape.
    pub(crate) fn section<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Fault> {
        let table = self.table()?;
        let Some(value) = table.get_ref().get(name) else { return Ok(None) };
        let span = value.span().start;
        let deserializer = toml::de::ValueDeserializer::from(value.clone());
        T::deserialize(deserializer).map(Some).map_err(|e| {
            let at = e.span().map_or(span, |inner| inner.start);
            self.fault(at, format!("`{name}`: {}", e.message()))
        })
    }

    fn table(&self) -> Result<Spanned<DeTable<'_>>, Fault> {
        DeTable::parse(&self.text).map_err(|e| {
            self.fault(e.span().map_or(0, |span| span.start), e.message().replace('\n', "; "))
        })
    }

    /// A fault at a place of the file.
    pub(crate) fn fault(&self, offset: usize, what: impl Into<String>) -> Fault {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        Fault::usage(what).at(format!("{}:{line}:{column}", self.path.display()))
    }
}

/// The command with the file's values as defaults of its options.
fn with_defaults(
    mut command: Command,
    file: &ConfigFile,
    given: &ArgMatches,
) -> Result<Command, Fault> {
    let table = file.table()?;
    let verb = given.subcommand();
    let mut common = Vec::new();
    let mut own = Vec::new();
    for (key, value) in table.get_ref() {
        let name: &str = key.get_ref();
        if SECTIONS.contains(&name) {
            continue;
        }
        if let Some(of) = command.find_subcommand(name) {
            let entries = verb_entries(file, of, value)?;
            if verb.is_some_and(|(called, _)| called == name) {
                own = entries;
            }
        } else if value.get_ref().is_table() {
            return Err(unknown(file, key, &command, "table"));
        } else {
            common.push(entry(file, &command, key, value)?);
        }
    }
    command = apply(command, file, common, given)?;
    if let Some((name, given)) = verb
        && let Some(of) = command.find_subcommand(name).cloned()
    {
        let of = apply(of, file, own, given)?;
        command = command.mut_subcommand(name, |_| of);
    }
    Ok(command)
}

fn verb_entries(
    file: &ConfigFile,
    verb: &Command,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<Entry>, Fault> {
    let Some(table) = value.get_ref().as_table() else {
        let what = format!("`{}` is a verb: its options stand in a table", verb.get_name());
        return Err(file.fault(value.span().start, what));
    };
    table.iter().map(|(key, value)| entry(file, verb, key, value)).collect()
}

fn settable(command: &Command) -> impl Iterator<Item = (&Arg, &str)> {
    command
        .get_arguments()
        .filter_map(|arg| Some((arg, arg.get_long()?)))
        .filter(|(_, long)| !NEVER.contains(long))
}

/// One key and its value, checked against the option it sets.
fn entry(
    file: &ConfigFile,
    command: &Command,
    key: &Spanned<impl AsRef<str>>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Entry, Fault> {
    let name = key.get_ref().as_ref();
    let Some((arg, _)) = settable(command).find(|(_, long)| *long == name) else {
        return Err(unknown(file, key, command, "option"));
    };
    let at = value.span().start;
    let values = texts(value.get_ref())
        .ok_or_else(|| file.fault(at, format!("`{name}` cannot be a table or a nested list")))?;
    let values = beside(file, arg, values);
    check(arg, name, &values, value.get_ref()).map_err(|what| file.fault(at, what))?;
    Ok(Entry {
        id: arg.get_id().to_string(),
        key: name.to_owned(),
        offset: key.span().start,
        values,
    })
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::Array(items) => items
            .iter()
            .map(|item| texts(item.get_ref()).filter(|_| !item.get_ref().is_array()))
            .map(|item| item.and_then(|mut one| one.pop()))
            .collect(),
        DeValue::Table(_) => None,
        DeValue::String(text) => Some(vec![text.to_string()]),
        DeValue::Integer(number) => Some(vec![number.to_string()]),
        DeValue::Float(number) => Some(vec![number.to_string()]),
        DeValue::Boolean(truth) => Some(vec![truth.to_string()]),
        DeValue::Datetime(time) => Some(vec![time.to_string()]),
    }
}

/// Paths in the file are taken from the directory of the file.
fn beside(file: &ConfigFile, arg: &Arg, values: Vec<String>) -> Vec<String> {
    let is_path = matches!(
        arg.get_value_hint(),
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
    );
    if !is_path {
        return values;
    }
    let folder = file.folder();
    let join = |value: String| match value.as_str() {
        "-" => value,
        path => folder.join(path).to_string_lossy().into_owned(),
    };
    values.into_iter().map(join).collect()
}

/// Lets clap judge the values as if they stood on a command line of their own.
fn check(arg: &Arg, name: &str, values: &[String], value: &DeValue<'_>) -> Result<(), String> {
    if is_switch(arg) {
        return if value.is_bool() { Ok(()) } else { Err(format!("`{name}` is true or false")) };
    }
    let alone = Arg::new("value")
        .long("value")
        .action(arg.get_action().clone())
        .value_parser(arg.get_value_parser().clone());
    let line = values.iter().map(|value| format!("--value={value}"));
    match Command::new("value").no_binary_name(true).arg(alone).try_get_matches_from(line) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            let reason = first.trim_start_matches("error: ").replace("--value <value>", name);
            Err(format!("`{name}`: {reason}"))
        }
    }
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse)
}

fn unknown(
    file: &ConfigFile,
    key: &Spanned<impl AsRef<str>>,
    command: &Command,
    kind: &str,
) -> Fault {
    let name = key.get_ref().as_ref();
    let mut known: Vec<&str> = settable(command).map(|(_, long)| long).collect();
    if command.has_subcommands() {
        known.extend(command.get_subcommands().map(Command::get_name));
        known.extend(SECTIONS);
    }
    let near = known.iter().map(|long| (strsim::jaro_winkler(name, long), *long));
    let best = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.7);
    let of = if command.has_subcommands() {
        String::new()
    } else {
        format!(" of `{}`", command.get_name())
    };
    let fault = file.fault(key.span().start, format!("`{name}` is no {kind}{of}"));
    match best {
        Some((_, long)) => fault.hint(format!("did you mean `{long}`?")),
        None => fault.hint(format!("known here: {}", known.join(", "))),
    }
}

/// Makes the entries defaults, without those that the command line overrules.
fn apply(
    mut command: Command,
    file: &ConfigFile,
    entries: Vec<Entry>,
    given: &ArgMatches,
) -> Result<Command, Fault> {
    let said: Vec<String> = command
        .get_arguments()
        .map(|arg| arg.get_id().to_string())
        .filter(|id| {
            let source = given.value_source(id);
            matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
        })
        .collect();
    let free = |entry: &Entry| !said.iter().any(|id| conflict(&command, id, &entry.id));
    let entries: Vec<Entry> = entries.into_iter().filter(free).collect();
    for (at, entry) in entries.iter().enumerate() {
        if let Some(other) = entries[..at].iter().find(|o| conflict(&command, &o.id, &entry.id)) {
            let what = format!("`{}` and `{}` exclude each other", other.key, entry.key);
            return Err(file.fault(entry.offset, what));
        }
    }
    for entry in entries {
        let values: Vec<OsStr> = entry.values.into_iter().map(OsStr::from).collect();
        command = command.mut_arg(entry.id, |arg| arg.required(false).default_values(values));
    }
    Ok(command)
}

fn conflict(command: &Command, one: &str, other: &str) -> bool {
    let excludes = |one: &str, other: &str| {
        command.get_arguments().find(|arg| arg.get_id() == one).is_some_and(|arg| {
            command.get_arg_conflicts_with(arg).iter().any(|arg| arg.get_id() == other)
        })
    };
    one != other && (excludes(one, other) || excludes(other, one))
}
