//! Everything about alerts as pages and the API show it, without secrets.

use std::collections::HashMap;

use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::AlertError;
use crate::message::{Alert, Message};
use crate::options::Options;
use crate::phase::Phase;
use crate::receiver::Receiver;
use crate::rule::{Rule, builtin};
use crate::storage::history::{self, Delivered};
use crate::storage::{rules as stored, states};

/// Messages of the history that are shown.
const SHOWN: i64 = 50;

/// The place where a rule or a receiver was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It comes with the program.
    Program,
    /// It comes with the program and was changed on the page.
    Changed,
    /// On the page, or by the API.
    Page,
    /// In the configuration file.
    File,
}

/// A rule and its state.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ShownRule {
    /// The rule.
    pub rule: Rule,
    /// The place where it was written.
    pub origin: Origin,
    /// Its condition in words.
    pub words: String,
    /// Subjects that fire.
    pub firing: usize,
    /// Until when nothing is sent, seconds since 1970; null where it is not silent.
    pub silent_until: Option<i64>,
}

/// A receiver without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ShownReceiver {
    /// Its name.
    pub name: String,
    /// `webhook`, `slack`, `email` or `command`.
    pub kind: String,
    /// Its target without what is secret.
    pub target: String,
    /// The place where it was written.
    pub origin: Origin,
}

/// A subject that fires.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Firing {
    /// The id of the rule.
    pub rule: String,
    /// The name of the rule.
    pub name: String,
    /// Since when, seconds since 1970.
    pub since: i64,
    /// The measurement when it began.
    pub alert: Alert,
}

/// A message of the history.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Sent {
    /// Its number.
    pub id: i64,
    /// True if it was not sent, because its rule was silent.
    pub silenced: bool,
    /// The message.
    pub message: Message,
    /// Its outcome at each receiver.
    pub deliveries: Vec<Delivery>,
}

/// The outcome of a message at a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Delivery {
    /// The name of the receiver.
    pub receiver: String,
    /// `waiting`, `sent`, `failed` or `dropped`.
    pub state: String,
    /// Attempts so far.
    pub attempts: i32,
    /// When this became of it, seconds since 1970.
    pub at: i64,
    /// Why the last attempt failed; null where it did not.
    pub error: Option<String>,
}

/// Everything about alerts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Alerts")]
pub struct Overview {
    /// The firing rules, the longest first.
    pub firing: Vec<Firing>,
    /// Subjects whose condition holds, not long enough yet.
    pub pending: usize,
    /// The rules.
    pub rules: Vec<ShownRule>,
    /// The receivers.
    pub receivers: Vec<ShownReceiver>,
    /// The newest messages, newest first.
    pub history: Vec<Sent>,
    /// True if a mail server is set.
    pub sends_email: bool,
}

/// The number of subjects that fire.
///
/// # Errors
/// Those of the database.
pub fn firing(conn: &mut SqliteConnection) -> diesel::QueryResult<u64> {
    states::firing(conn)
}

/// The subjects that fire, with their last readings.
///
/// # Errors
/// Those of the database.
pub fn firing_alerts(conn: &mut SqliteConnection) -> diesel::QueryResult<Vec<Alert>> {
    states::firing_alerts(conn)
}

/// All rules with their origins: those of the program, of the page, of the file.
pub(crate) fn rules(
    conn: &mut SqliteConnection,
    options: &Options,
) -> Result<Vec<(Rule, Origin)>, AlertError> {
    let changed = stored::rules(conn)?;
    let mut all = Vec::new();
    // A rule of the program that was changed is stored under the id that it has in the program.
    for rule in builtin() {
        match changed.iter().find(|one| one.id == rule.id) {
            Some(changed) => all.push((changed.clone(), Origin::Changed)),
            None => all.push((rule, Origin::Program)),
        }
    }
    let own: Vec<_> = changed
        .into_iter()
        .filter(|rule| !all.iter().any(|(known, _)| known.id == rule.id))
        .map(|rule| (rule, Origin::Page))
        .collect();
    all.extend(own);
    all.extend(
        options
            .rules
            .iter()
            .cloned()
            .map(|rule| (rule, Origin::File)),
    );
    Ok(all)
}

/// All receivers, and whether each is of the configuration file, whose receivers stand before others of their name.
pub(crate) fn receivers(
    conn: &mut SqliteConnection,
    options: &Options,
) -> Result<Vec<(Receiver, bool)>, AlertError> {
    let mut all: Vec<(Receiver, bool)> = options
        .receivers
        .iter()
        .cloned()
        .map(|receiver| (receiver, true))
        .collect();
    for receiver in stored::receivers(conn)? {
        if !all.iter().any(|(known, _)| known.name == receiver.name) {
            all.push((receiver, false));
        }
    }
    Ok(all)
}

impl Overview {
    /// Reads everything, as it is now.
    ///
    /// # Errors
    /// Those of the database.
    pub fn read(conn: &mut SqliteConnection, options: &Options) -> Result<Self, AlertError> {
        read(conn, options, apm_time::now() / apm_time::SECOND)
    }
}

/// Reads everything. `now` in seconds.
fn read(conn: &mut SqliteConnection, options: &Options, now: i64) -> Result<Overview, AlertError> {
    let rules = rules(conn, options)?;
    let silences = stored::silences(conn)?;
    let names: HashMap<String, String> = rules
        .iter()
        .map(|(rule, _)| (rule.id.clone(), rule.name.clone()))
        .collect();
    let mut firing = Vec::new();
    let mut pending = 0;
    for state in states::list(conn)? {
        match state.phase {
            Phase::Pending { .. } => pending += 1,
            Phase::Firing { since, .. } => firing.push(Firing {
                name: names.get(&state.rule).cloned().unwrap_or_default(),
                rule: state.rule,
                since,
                alert: state.alert,
            }),
        }
    }
    firing.sort_by_key(|one| one.since);
    let rules = rules.into_iter().map(|(rule, origin)| ShownRule {
        words: rule.words(),
        firing: firing.iter().filter(|one| one.rule == rule.id).count(),
        silent_until: silences.get(&rule.id).copied().filter(|until| *until > now),
        origin,
        rule,
    });
    let rules = rules.collect();
    let receivers = receivers(conn, options)?;
    let receivers = receivers
        .into_iter()
        .map(|(receiver, is_of_file)| ShownReceiver {
            kind: receiver.target.kind().to_owned(),
            target: receiver.target.masked(),
            name: receiver.name,
            origin: match is_of_file {
                true => Origin::File,
                false => Origin::Page,
            },
        });
    Ok(Overview {
        firing,
        pending,
        rules,
        receivers: receivers.collect(),
        history: sent(conn)?,
        sends_email: options.smtp.is_some(),
    })
}

/// The newest messages with what became of them.
fn sent(conn: &mut SqliteConnection) -> Result<Vec<Sent>, AlertError> {
    let messages = history::newest(conn, SHOWN)?;
    let from = messages.last().map_or(i64::MAX, |oldest| oldest.id);
    let mut deliveries: HashMap<i64, Vec<Delivery>> = HashMap::new();
    for one in history::deliveries(conn, from)? {
        let Delivered {
            message,
            receiver,
            state,
            attempts,
            at,
            error,
        } = one;
        deliveries.entry(message).or_default().push(Delivery {
            receiver,
            state,
            attempts,
            at,
            error,
        });
    }
    let sent = messages.into_iter().map(|stored| Sent {
        deliveries: deliveries.remove(&stored.id).unwrap_or_default(),
        id: stored.id,
        silenced: stored.silenced,
        message: stored.message,
    });
    Ok(sent.collect())
}
