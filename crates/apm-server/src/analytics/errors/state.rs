//! The decision of people about a group of errors.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a group asks for somebody's attention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[schemars(rename = "ErrorStatus")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It does.
    #[default]
    Open,
    /// Somebody mended it; it opens again when it occurs again.
    Resolved,
    /// Nobody wants to know of it.
    Ignored,
}

impl Status {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Open, Self::Resolved, Self::Ignored];

    /// As addresses and JSON write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Resolved => 1,
            Self::Ignored => 2,
        }
    }

    pub(crate) fn of(number: i64) -> Self {
        match number {
            1 => Self::Resolved,
            2 => Self::Ignored,
            _ => Self::Open,
        }
    }
}

/// That a group opened again by itself.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "ErrorReopened")]
pub struct Reopened {
    /// When, µs since the epoch.
    pub at: i64,
    /// `occurrence`: it occurred again. `version`: in a version that was new to it. `count`: it occurred as often as
    /// was to be ignored. `time`: the time for which it was ignored is over.
    pub by: String,
    /// `service.version` of that occurrence, may be empty.
    pub version: String,
}

/// The state of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "ErrorState")]
pub struct State {
    /// Its status.
    pub status: Status,
    /// The one who looks after it; may be empty.
    pub assignee: String,
    /// When somebody last changed the status, µs since the epoch.
    pub changed: Option<i64>,
    /// Until when it is ignored, seconds since the epoch.
    pub until: Option<i64>,
    /// The number of occurrences after which it opens again.
    pub until_occurrences: Option<i64>,
    /// True if only a version that is new to it opens it again.
    pub until_new_version: bool,
    /// That it opened again by itself.
    pub reopened: Option<Reopened>,
}

/// The columns of a state; nothing where nobody changed anything.
#[derive(Debug, QueryableByName)]
pub(crate) struct StateColumns {
    #[diesel(sql_type = Nullable<BigInt>)]
    status: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    assignee: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    changed: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    until: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    until_count: Option<i64>,
    #[diesel(sql_type = Nullable<Bool>)]
    new_version: Option<bool>,
    #[diesel(sql_type = Nullable<BigInt>)]
    reopened: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    reopened_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reopened_in: Option<String>,
}

impl From<StateColumns> for State {
    fn from(row: StateColumns) -> Self {
        let (by, version) = (row.reopened_by, row.reopened_in);
        Self {
            status: Status::of(row.status.unwrap_or_default()),
            assignee: row.assignee.unwrap_or_default(),
            changed: row.changed,
            until: row.until,
            until_occurrences: row.until_count,
            until_new_version: row.new_version.unwrap_or_default(),
            reopened: row.reopened.map(|at| Reopened {
                at,
                by: by.unwrap_or_default(),
                version: version.unwrap_or_default(),
            }),
        }
    }
}
