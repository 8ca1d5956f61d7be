//! The file of options: TOML with the names of the options, and the rules and receivers of alerts.
//!
//! An option of the file is a default of the command line, so that the environment and the command line stand before it
//! and its value is checked by the same code. A name that no option has is an error that names the nearest one.

mod alerts;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use apm_store::text_file;
use clap::{ArgAction, Command};
use toml::{Table, Value};

use crate::masked::masked;
use crate::terminal::print;
use alerts::Alerts;

/// Options that a file cannot hold.
const NOT_HERE: [&str; 3] = ["config", "help", "version"];

/// Largest file, bytes.
const LARGEST: u64 = 1 << 20;

/// A file of options.
#[derive(Debug, Default)]
pub struct ConfigFile {
    /// Values by the names of options.
    options: BTreeMap<String, Vec<String>>,
    /// Rules and receivers of alerts.
    pub alerts: apm_alerts::Options,
}

impl ConfigFile {
    /// The file that a command line or the environment names. Other faults of the line are not looked at.
    pub fn named(command: Command, line: &[OsString]) -> Option<PathBuf> {
        let command = command.ignore_errors(true);
        let matches = command.try_get_matches_from(line).ok()?;
        matches.get_one::<PathBuf>("config").cloned()
    }

    /// Reads a file and checks everything in it. `command`: the command line, whose options it may have.
    ///
    /// # Errors
    /// If it cannot be read, has a name that no option has, or a value that an option does not take.
    pub fn read(path: &Path, command: &Command) -> anyhow::Result<Self> {
        let of_file = || format!("in the configuration file {}", path.display());
        let text = text_file::read(path, LARGEST).with_context(of_file)?;
        Self::parse(&text, command).with_context(of_file)
    }

    fn parse(text: &str, command: &Command) -> anyhow::Result<Self> {
        let unread = |error| anyhow!("{}", at_line(text, &error));
        let mut table: Table = toml::from_str(text).map_err(unread)?;
        let alerts = match table.remove("alerts") {
            None => Alerts::default(),
            // Read from the text again, so that an error names its line.
            Some(_) => toml::from_str::<alerts::File>(text).map_err(unread)?.alerts,
        };
        let mut options = BTreeMap::new();
        for (key, value) in table {
            let name = key.replace('_', "-");
            known(command, &name)?;
            let values = values(&key, value)?;
            // `apm_listen` and `apm-listen` are one option.
            ensure!(
                options.insert(name, values).is_none(),
                "`{key}` is there twice"
            );
        }
        let file = Self {
            options,
            alerts: alerts.options()?,
        };
        file.check(command)?;
        Ok(file)
    }

    /// Gives the options to the command line, which says what is wrong with them.
    fn check(&self, command: &Command) -> anyhow::Result<()> {
        let mut line = vec!["pocket-apm".to_owned()];
        for (name, values) in &self.options {
            match is_switch(command, name) {
                true => match values.first().map(String::as_str) {
                    Some("true") => line.push(format!("--{name}")),
                    Some("false") => {}
                    _ => bail!("`{name}` is true or false"),
                },
                false => line.extend(values.iter().map(|value| format!("--{name}={value}"))),
            }
        }
        match command.clone().try_get_matches_from(line) {
            Ok(_) => Ok(()),
            Err(error) => {
                let text = masked(error).render().to_string();
                // The usage of the command line follows, which is of no use for a file.
                let first = text.split("\n\n").next().unwrap_or_default();
                bail!("{}", first.trim_start_matches("error: ").trim());
            }
        }
    }

    /// The command line with the options of the file as its defaults.
    pub fn as_defaults(&self, command: Command) -> Command {
        self.options
            .iter()
            .fold(command, |command, (name, values)| {
                let id = command
                    .get_arguments()
                    .find(|option| option.get_long() == Some(name))
                    .map(|option| option.get_id().clone());
                let Some(id) = id else {
                    return command;
                };
                // Defaults live as long as the process, as the command line does.
                let values = values.iter().map(|value| &*value.clone().leak());
                let values: Vec<&'static str> = values.collect();
                command.mut_arg(id, |option| option.default_values(values))
            })
    }
}

/// The fault, with its line and column. The line itself, which an error of TOML shows, may hold a secret.
fn at_line(text: &str, error: &toml::de::Error) -> String {
    let start = error
        .span()
        .map(|span| span.start)
        .and_then(|at| text.get(..at));
    match start {
        Some(before) => {
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1;
            let line = before.matches('\n').count() + 1;
            let message = unquoted(error.message());
            format!("line {line}, column {column}: {message}")
        }
        None => unquoted(error.message()),
    }
}

/// The words about a value of a wrong type, without a text that they quote: it may be a secret.
fn unquoted(message: &str) -> String {
    const QUOTE: &str = "string \"";
    let begin = message.find(QUOTE);
    match (begin, message.rfind("\", expected")) {
        (Some(begin), Some(end)) if begin + QUOTE.len() <= end => {
            format!("{}a string{}", &message[..begin], &message[end + 1..])
        }
        _ => message.to_owned(),
    }
}

fn is_switch(command: &Command, name: &str) -> bool {
    let found = command
        .get_arguments()
        .find(|option| option.get_long() == Some(name));
    found.is_some_and(|option| matches!(option.get_action(), ArgAction::SetTrue))
}

/// Whether there is an option of a name; the error names the nearest.
fn known(command: &Command, name: &str) -> anyhow::Result<()> {
    let all = command
        .get_arguments()
        .filter_map(|option| option.get_long())
        .filter(|long| !NOT_HERE.contains(long));
    let all: Vec<&str> = all.collect();
    if all.contains(&name) {
        return Ok(());
    }
    let nearest = all
        .iter()
        .map(|long| (strsim::damerau_levenshtein(name, long), *long))
        .chain([(strsim::damerau_levenshtein(name, "alerts"), "alerts")])
        .min();
    match nearest {
        Some((_, nearest)) => bail!("there is no option `{name}`: did you mean `{nearest}`?"),
        None => bail!("there is no option `{name}`"),
    }
}

/// The values of an option as the command line takes them.
fn values(key: &str, value: Value) -> anyhow::Result<Vec<String>> {
    let one = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(is_so) => Ok(is_so.to_string()),
        _ => bail!("`{key}` is a text, a number, true or false, or a list of texts"),
    };
    match value {
        Value::Array(all) => all.into_iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

/// `pocket-apm config check`: says what is in a file, or what is wrong with it.
///
/// # Errors
/// The first fault of the file.
pub fn check(file: Option<&PathBuf>, command: &Command) -> anyhow::Result<()> {
    let path = file.context("name a file: pocket-apm config check FILE")?;
    let read = ConfigFile::read(path, command)?;
    let count = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let (rules, receivers) = (read.alerts.rules.len(), read.alerts.receivers.len());
    print(&format!(
        "{}: {}, {} and {} of alerts; nothing is wrong\n",
        path.display(),
        count(read.options.len(), "option"),
        count(rules, "rule"),
        count(receivers, "receiver"),
    ))?;
    for (rule, receiver) in alerts::receivers_elsewhere(&read.alerts) {
        print(&format!(
            "note: the rule `{rule}` sends to `{receiver}`, which is no receiver of this file: without one of this \
             name on the page /alerts it sends nothing there\n"
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
