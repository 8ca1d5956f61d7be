//! Decisions of people about groups of errors: one is resolved, ignored, given to somebody, or the same as another.
//!
//! A decision is a row of `error_triage` for a service and a grouping key, whatever the environment. [`follow`] ends it
//! by itself on the thread of the engine, as when the error comes back in a new version: the list, the page and the
//! alerts read the same row, and none judges again. Each change keeps the rows before it, so that it can be undone.

pub(crate) mod follow;
mod history;
mod publish;
mod row;
pub(crate) mod share;

use apm_time::SECOND;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analytics::errors::Status;
use crate::analytics::sql::Sql;
use crate::insight::bounds;
pub(crate) use history::{Made, changes};
use row::Row;

/// Longest name of somebody who looks after a group, bytes.
pub(crate) const LONGEST_NAME: usize = 100;
/// Longest time for which a group is ignored, seconds: ten years.
pub(crate) const LONGEST_TIME: i64 = 3_650 * 86_400;
/// Most occurrences that can be waited for.
pub(crate) const MOST_OCCURRENCES: i64 = 1_000_000_000;

/// A change of the state of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ErrorChange")]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Change {
    /// It is mended: it opens again when it occurs again.
    Resolve {
        /// Only an occurrence in a version that its service does not run now opens it again.
        #[serde(default)]
        in_next_version: bool,
    },
    /// Nobody wants to know of it, until the first of these; with none of them, for good.
    Ignore {
        /// For so many seconds, at most ten years.
        seconds: Option<i64>,
        /// Until it occurred so often again.
        occurrences: Option<i64>,
        /// Until it occurs in a version that its service does not run now.
        #[serde(default)]
        in_next_version: bool,
    },
    /// It asks for attention.
    Reopen,
    /// Somebody looks after it.
    Assign {
        /// A name of at most 100 bytes; empty for nobody.
        to: String,
    },
    /// It is the same as another group of its service, which stands for it from now on.
    Merge {
        /// `key` of the other group.
        into: String,
    },
    /// A group that was merged into this one is a group of its own again.
    Separate {
        /// `key` of the other group.
        key: String,
    },
    /// Everything is as it was before a change of this group.
    Undo {
        /// `id` of the change, of those that no later one follows.
        id: i64,
    },
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TriageError {
    #[error("there is no error group `{0:016x}` of this service")]
    Unknown(u64),
    #[error("{0}")]
    Wrong(String),
}

impl Change {
    /// The words that a list of changes shows.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Resolve {
                in_next_version: false,
            } => "resolved".to_owned(),
            Self::Resolve {
                in_next_version: true,
            } => "resolved in the next version".to_owned(),
            Self::Ignore {
                seconds,
                occurrences,
                in_next_version,
            } => {
                let mut until = Vec::new();
                until.extend(
                    seconds.map(|seconds| match (seconds % 86_400, seconds % 3_600) {
                        (0, _) => format!("for {} d", seconds / 86_400),
                        (_, 0) => format!("for {} h", seconds / 3_600),
                        _ => format!("for {} min", seconds / 60),
                    }),
                );
                until.extend(occurrences.map(|n| format!("until {n} more occurrences")));
                until.extend(in_next_version.then(|| "until a new version".to_owned()));
                match until.is_empty() {
                    true => "ignored".to_owned(),
                    false => format!("ignored {}", until.join(", or ")),
                }
            }
            Self::Reopen => "reopened".to_owned(),
            Self::Assign { to } if to.is_empty() => "assigned to nobody".to_owned(),
            Self::Assign { to } => format!("assigned to {to}"),
            Self::Merge { into } => format!("merged into {}", into.get(..5).unwrap_or(into)),
            Self::Separate { key } => format!("separated {}", key.get(..5).unwrap_or(key)),
            Self::Undo { .. } => "undid a change".to_owned(),
        }
    }

    fn check(&self) -> Result<(), TriageError> {
        let wrong = |text: String| Err(TriageError::Wrong(text));
        match self {
            Self::Ignore {
                seconds: Some(time),
                ..
            } if !(60..=LONGEST_TIME).contains(time) => {
                wrong(format!("seconds must be from 60 to {LONGEST_TIME}"))
            }
            Self::Ignore {
                occurrences: Some(n),
                ..
            } if !(1..=MOST_OCCURRENCES).contains(n) => {
                wrong(format!("occurrences must be from 1 to {MOST_OCCURRENCES}"))
            }
            Self::Assign { to } if to.len() > LONGEST_NAME => wrong(format!(
                "a name must not be longer than {LONGEST_NAME} bytes"
            )),
            Self::Assign { to } if to.contains(char::is_control) => {
                wrong("a name must be one line".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The group that stands for a group: itself, unless it was merged.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn root(conn: &mut SqliteConnection, service: &str, key: u64) -> QueryResult<u64> {
    let row = Row::find(conn, service, key.cast_signed())?;
    let into = row.and_then(|row| row.merged_into);
    Ok(into.map_or(key, i64::cast_unsigned))
}

/// Changes the state of a group; `now` in µs.
///
/// # Errors
/// Those of SQLite; within, why nothing was changed.
pub(crate) fn change(
    conn: &mut SqliteConnection,
    service: &str,
    key: u64,
    change: &Change,
    now: i64,
) -> QueryResult<Result<(), TriageError>> {
    if let Err(error) = change.check() {
        return Ok(Err(error));
    }
    if !is_known(conn, service, key)? {
        return Ok(Err(TriageError::Unknown(key)));
    }
    // A merged group has no state of its own.
    let key = root(conn, service, key)?;
    if let Change::Undo { id } = change {
        return history::undo(conn, service, key, *id, now);
    }
    let rows = match rows(conn, service, key, change, now)? {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(error)),
    };
    history::keep(conn, service, key, change, &rows, now)?;
    // Of several rows, as a merge may write, other servers are told the rows alone.
    let shared = (rows.len() == 1).then_some(change);
    for row in rows {
        row.put(conn)?;
        publish::publish(conn, service, row.grouping_key, shared)?;
    }
    bounds::error_states(conn)?;
    Ok(Ok(()))
}

/// The rows that a change writes.
fn rows(
    conn: &mut SqliteConnection,
    service: &str,
    key: u64,
    change: &Change,
    now: i64,
) -> QueryResult<Result<Vec<Row>, TriageError>> {
    let found = Row::find(conn, service, key.cast_signed())?;
    let mut row = found.unwrap_or_else(|| Row::new(service, key.cast_signed(), now));
    match change {
        Change::Resolve { in_next_version } => {
            row.decide(conn, Status::Resolved, now)?;
            row.new_version = *in_next_version;
        }
        Change::Ignore {
            seconds,
            occurrences,
            in_next_version,
        } => {
            row.decide(conn, Status::Ignored, now)?;
            row.until = seconds.map(|seconds| now / SECOND + seconds);
            row.until_count = *occurrences;
            row.new_version = *in_next_version;
        }
        Change::Reopen => row.decide(conn, Status::Open, now)?,
        Change::Assign { to } => to.trim().clone_into(&mut row.assignee),
        Change::Merge { into } => return merged(conn, service, key, into, now),
        Change::Separate { key: other } => {
            let Some(other) = kql::pasted::hash(other) else {
                return Ok(Err(TriageError::Wrong(format!("`{other}` is no key"))));
            };
            match Row::find(conn, service, other.cast_signed())? {
                Some(mut other) if other.merged_into == Some(key.cast_signed()) => {
                    other.merged_into = None;
                    return Ok(Ok(vec![other]));
                }
                _ => {
                    let text = format!("{other:016x} was not merged into this group");
                    return Ok(Err(TriageError::Wrong(text)));
                }
            }
        }
        Change::Undo { .. } => return Ok(Ok(Vec::new())),
    }
    Ok(Ok(vec![row]))
}

/// The rows of a group that another stands for from now on, and of those that it stood for.
fn merged(
    conn: &mut SqliteConnection,
    service: &str,
    key: u64,
    into: &str,
    now: i64,
) -> QueryResult<Result<Vec<Row>, TriageError>> {
    let Some(into) = kql::pasted::hash(into) else {
        return Ok(Err(TriageError::Wrong(format!("`{into}` is no key"))));
    };
    if !is_known(conn, service, into)? {
        return Ok(Err(TriageError::Unknown(into)));
    }
    let into = root(conn, service, into)?;
    if into == key {
        let text = "a group cannot be merged into itself".to_owned();
        return Ok(Err(TriageError::Wrong(text)));
    }
    // Its own members move along. So a group that stands for others is never merged itself, and `root` looks once.
    let mut rows = Row::merged_into(conn, service, key.cast_signed())?;
    let found = Row::find(conn, service, key.cast_signed())?;
    rows.push(found.unwrap_or_else(|| Row::new(service, key.cast_signed(), now)));
    for row in &mut rows {
        row.merged_into = Some(into.cast_signed());
    }
    Ok(Ok(rows))
}

/// The keys of the groups that a group stands for.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn members(
    conn: &mut SqliteConnection,
    service: &str,
    key: u64,
) -> QueryResult<Vec<Member>> {
    Sql::new(include_str!("triage/members.sql"))
        .bind("service", service)
        .bind("key", key.cast_signed())
        .load(conn)
}

/// A group that was merged into another.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, QueryableByName)]
#[schemars(rename = "ErrorMember")]
pub(crate) struct Member {
    /// `error.grouping_key`, 16 hex digits.
    #[diesel(sql_type = Text)]
    pub(crate) key: String,
    /// `error.exception.type`, may be empty.
    #[diesel(sql_type = Text, column_name = "type")]
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The message of its first occurrence.
    #[diesel(sql_type = Text)]
    pub(crate) message: String,
}

/// A version of the service in which a group occurred.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, QueryableByName)]
#[schemars(rename = "ErrorVersion")]
pub(crate) struct Version {
    /// `service.version`, may be empty.
    #[diesel(sql_type = Text)]
    pub(crate) version: String,
    /// When it first occurred in it, µs since the epoch.
    #[diesel(sql_type = BigInt)]
    pub(crate) first: i64,
    /// When it last did.
    #[diesel(sql_type = BigInt)]
    pub(crate) last: i64,
    /// Number of occurrences, since these are counted.
    #[diesel(sql_type = BigInt)]
    pub(crate) occurrences: i64,
}

/// The newest versions in which a group occurred, whenever that was, at most 20.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn versions(
    conn: &mut SqliteConnection,
    service: &str,
    key: u64,
) -> QueryResult<Vec<Version>> {
    Sql::new(include_str!("triage/versions.sql"))
        .bind("service", service)
        .bind("key", key.cast_signed())
        .load(conn)
}

fn is_known(conn: &mut SqliteConnection, service: &str, key: u64) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let found: Known = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM service s JOIN error_group g ON g.service_id = s.id \
         WHERE s.name = ?1 AND g.grouping_key = ?2) AS n",
    )
    .bind::<Text, _>(service)
    .bind::<BigInt, _>(key.cast_signed())
    .get_result(conn)?;
    Ok(found.n == 1)
}

#[cfg(test)]
mod tests;
