//! A message: what a rule found, in the forms that receivers take.

mod forms;

use apm_store::is_obeyed;
use apm_time::{SECOND, rfc3339};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Alerts that one message lists; the others are counted.
pub(crate) const LISTED: usize = 10;

/// Longest text of an alert, characters: names come from telemetry.
const LONGEST_TEXT: usize = 300;

/// The reason for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A condition holds.
    Fired,
    /// It does not hold any more.
    Resolved,
    /// Someone wants to know whether messages arrive.
    Test,
}

impl Change {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Resolved => "resolved",
            Self::Test => "test",
        }
    }
}

/// One subject for which a rule's condition holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// The subject, which tells it from others of its rule.
    pub subject: String,
    /// `service.name`; empty: of the server.
    pub service: String,
    /// `service.environment`, may be empty.
    pub environment: String,
    /// The measurement, in a sentence.
    pub text: String,
    /// The page that shows it, from the root of this server.
    pub link: String,
}

/// Time before an alert that its link shows, seconds.
const BEFORE: i64 = 15 * 60;

impl Alert {
    /// The page that shows it, from a quarter of an hour before a time on, seconds since 1970: whoever reads a message
    /// in the morning sees what happened in the night.
    #[must_use]
    pub fn link_from(&self, at: i64) -> String {
        let link = &self.link;
        // Other pages are about what is there now.
        if !link.starts_with("/services/") && !link.starts_with("/queries/") {
            return link.clone();
        }
        let mark = if link.contains('?') { '&' } else { '?' };
        let from = rfc3339(at.saturating_sub(BEFORE).saturating_mul(SECOND));
        format!("{link}{mark}from={from}")
    }
}

/// A message, which tells of one or several alerts of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The id of the rule.
    pub rule: String,
    /// The name of the rule.
    pub name: String,
    /// The reason.
    pub change: Change,
    /// When, seconds since 1970.
    pub at: i64,
    /// The message in a line.
    pub title: String,
    /// The alerts, at most ten.
    pub alerts: Vec<Alert>,
    /// The number of further ones.
    pub more: usize,
}

impl Message {
    /// A message about alerts of a rule. `at`: seconds.
    pub(crate) fn new(
        (rule, name): (&str, &str),
        change: Change,
        at: i64,
        mut alerts: Vec<Alert>,
    ) -> Self {
        let more = alerts.len().saturating_sub(LISTED);
        alerts.truncate(LISTED);
        let title = title(name, change, &alerts, more);
        Self {
            rule: rule.to_owned(),
            name: name.to_owned(),
            change,
            at,
            title,
            alerts,
            more,
        }
    }
}

fn title(name: &str, change: Change, alerts: &[Alert], more: usize) -> String {
    let state = match change {
        Change::Fired => "",
        Change::Resolved => "Resolved: ",
        Change::Test => "Test: ",
    };
    let title = match alerts {
        [] => format!("{state}{name}"),
        [one] if one.service.is_empty() => format!("{state}{name}"),
        [one] => format!("{state}{name} ({})", one.service),
        all => format!("{state}{name}: {} alerts", all.len() + more),
    };
    plain(&title)
}

/// Text without codes and characters that terminals and mail headers obey, and not too long.
pub(crate) fn plain(text: &str) -> String {
    // Whole codes first: of a colour without its ESC, `[31m` would be left.
    let text = anstream::adapter::strip_str(text).to_string();
    let plain: String = text
        .chars()
        .map(|one| match one {
            one if is_obeyed(one) => ' ',
            one => one,
        })
        .take(LONGEST_TEXT + 1)
        .collect();
    match plain.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => format!("{}…", &plain[..at]),
        None => plain,
    }
}
