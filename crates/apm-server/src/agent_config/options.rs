//! The options that agents take from a server, and the values that each may have.
//!
//! An agent takes no notice of a value that it cannot read, which nobody sees. So values are checked before they are
//! stored. An option that is not in the table is stored as it is: agents have more of them than are listed here.

mod table;

use std::collections::BTreeMap;

use table::OPTIONS;

/// An option.
#[derive(Debug)]
pub(crate) struct AgentOption {
    /// Its name, such as `transaction_sample_rate`.
    pub(crate) name: &'static str,
    form: Form,
    /// The agents that take it from a server, by name.
    pub(crate) agents: &'static [&'static str],
}

impl AgentOption {
    /// The values that it may have, in words.
    pub(crate) fn values(&self) -> String {
        self.form.wanted()
    }
}

/// The values of an option.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// A number from 0 to 1.
    Share,
    /// `true` or `false`.
    Switch,
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// A number with `ms`, `s` or `m`, and `us` where it `is_fine`; between two of µs.
    Duration {
        least: i64,
        most: i64,
        is_fine: bool,
    },
    /// A number with `b`, `kb`, `mb` or `gb`.
    Size,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A list, patterns or other text.
    Text,
}

/// Settings of one service and environment, at most.
pub(crate) const MOST: usize = 50;
/// Bytes of the name of a setting, at most.
pub(crate) const LONGEST_NAME: usize = 64;
/// Bytes of a value, at most.
pub(crate) const LONGEST_VALUE: usize = 1024;

/// SDKs of OpenTelemetry name themselves so. They ask for no settings at `/config/v1/agents`.
const OPENTELEMETRY: &str = "opentelemetry";

/// Whether an agent is an SDK of OpenTelemetry, by its name.
pub(crate) fn is_opentelemetry(agent: &str) -> bool {
    agent == OPENTELEMETRY
        || agent.starts_with("opentelemetry/")
        || agent == "otlp"
        || agent.starts_with("otlp/")
}

/// Whether a setting can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_part)
}

/// Whether somebody could have made these settings here: another server before the same engine may have sent them.
pub(crate) fn are_sound(values: &BTreeMap<String, String>) -> bool {
    let is_line = |value: &str| value.len() <= LONGEST_VALUE && !value.contains(['\n', '\r']);
    let mut all = values.iter();
    values.len() <= MOST
        && all
            .all(|(name, value)| is_name(name) && is_line(value) && check(name, value, &[]).is_ok())
}

/// Checks a setting. `agents`: the names of the agents that will ask for it, where they are known.
///
/// # Errors
/// The value cannot be read, or an agent does not know the option: a sentence with the remedy.
pub(crate) fn check(name: &str, value: &str, agents: &[String]) -> Result<(), String> {
    for agent in agents {
        check_agent(name, agent)?;
    }
    let Some(option) = OPTIONS.iter().find(|option| option.name == name) else {
        return match misspelled(name) {
            Some(known) => Err(format!("{name}: no agent knows it; did you mean {known}?")),
            None => Ok(()),
        };
    };
    match option.form.allows(value) {
        true => Ok(()),
        false => Err(format!("{name}: “{value}” is not {}", option.form.wanted())),
    }
}

/// Whether an agent takes an option; of an agent or an option that is not in the table nothing is known.
fn check_agent(name: &str, agent: &str) -> Result<(), String> {
    if is_opentelemetry(agent) {
        return Err(format!(
            "{name}: the agent {agent} asks for no settings; set the variables OTEL_… where it runs"
        ));
    }
    let known: Vec<&AgentOption> = OPTIONS
        .iter()
        .filter(|option| option.agents.contains(&agent))
        .collect();
    if known.is_empty() || known.iter().any(|option| option.name == name) {
        return Ok(());
    }
    match OPTIONS.iter().find(|option| option.name == name) {
        Some(option) => Err(format!(
            "{name}: the agent {agent} does not know it, {} does",
            option.agents.join(", ")
        )),
        // An agent with few options takes these only.
        None if known.len() <= 2 => Err(format!(
            "{name}: the agent {agent} takes {} only",
            known
                .iter()
                .map(|option| option.name)
                .collect::<Vec<_>>()
                .join(" and ")
        )),
        None => Ok(()),
    }
}

/// The option that a name means where it differs by a letter or two.
fn misspelled(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let near = |option: &&AgentOption| strsim::levenshtein(option.name, &name) <= 2;
    OPTIONS.iter().find(near).map(|option| option.name)
}

/// All options, by name.
pub(crate) fn all() -> impl Iterator<Item = &'static AgentOption> {
    OPTIONS.iter()
}

impl Form {
    /// Whether an agent can read a value.
    fn allows(self, value: &str) -> bool {
        match self {
            Self::Share => value
                .parse::<f64>()
                .is_ok_and(|value| (0.0..=1.0).contains(&value)),
            Self::Switch => matches!(value, "true" | "false"),
            Self::Whole(least, most) => value
                .parse::<i64>()
                .is_ok_and(|value| (least..=most).contains(&value)),
            Self::Duration {
                least,
                most,
                is_fine,
            } => micros(value)
                .filter(|_| is_fine || !value.ends_with("us"))
                .is_some_and(|value| (least..=most).contains(&value)),
            Self::Size => {
                let value = value.to_ascii_lowercase();
                let (number, unit) = measure(&value);
                number.is_some() && matches!(unit, "b" | "kb" | "mb" | "gb")
            }
            Self::Word(words) => words.contains(&value),
            Self::Text => true,
        }
    }

    /// The values in words, as they follow “is not”.
    fn wanted(self) -> String {
        match self {
            Self::Share => "a number from 0 to 1, such as 0.5".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Duration {
                least,
                most,
                is_fine,
            } => {
                let units = if is_fine {
                    "us, ms, s or m"
                } else {
                    "ms, s or m"
                };
                let unit = format!("a time with its unit ({units}), such as 500ms");
                match (least, most) {
                    (i64::MIN, _) => format!("{unit} or -1ms"),
                    (0, _) => unit,
                    (least, i64::MAX) => format!("{unit}, from {} on", written(least)),
                    (least, most) => {
                        format!("{unit}, from {} to {}", written(least), written(most))
                    }
                }
            }
            Self::Size => "a size with its unit, such as 768kb".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Text => "text".to_owned(),
        }
    }
}

/// Micros as an agent reads them.
fn written(micros: i64) -> String {
    match micros {
        60_000_000.. => format!("{}m", micros / 60_000_000),
        1_000_000.. => format!("{}s", micros / 1_000_000),
        _ => format!("{}ms", micros / 1_000),
    }
}

/// A time as agents write it, µs.
fn micros(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (number, unit) = measure(digits);
    let factor = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        _ => return None,
    };
    number?.checked_mul(sign * factor)
}

/// A whole number and what follows it.
fn measure(text: &str) -> (Option<i64>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = match digits {
        1..=12 => text[..digits].parse().ok(),
        _ => None,
    };
    (number, &text[digits..])
}

#[cfg(test)]
mod tests;
