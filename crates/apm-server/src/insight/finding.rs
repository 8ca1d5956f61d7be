//! A finding: its kind, its words and its evidence.

mod stored;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::severity::Severity;
pub use stored::{Finding, Which, counts, dismiss, list, sql};
pub(super) use stored::{end, keep};
pub(in crate::insight) use words::statement_words;
pub use words::{count_words, duration_words};

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Latency follows the rows of a table.
    Growth,
    /// A statement runs many times in one request.
    Repeat,
    /// A whole table is read, and an index would help.
    Scan,
    /// Commits take longer than their statements.
    Commit,
    /// Values are written into the text.
    StringBuilt,
    /// All columns of many rows.
    SelectStar,
    /// UPDATE or DELETE of a whole table.
    NoWhere,
    /// Slower than before a marker.
    Regression,
    /// Not seen before a marker.
    NewStatement,
    /// SQLite answers a statement in another way than before.
    PlanChange,
    /// More errors than usual.
    ErrorSpike,
}

impl Kind {
    /// The word of the protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Growth => "growth",
            Self::Repeat => "repeat",
            Self::Scan => "scan",
            Self::Commit => "commit",
            Self::StringBuilt => "string_built",
            Self::SelectStar => "select_star",
            Self::NoWhere => "no_where",
            Self::Regression => "regression",
            Self::NewStatement => "new_statement",
            Self::PlanChange => "plan_change",
            Self::ErrorSpike => "error_spike",
        }
    }
}

/// The places to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Evidence {
    /// `trace.id` of one that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The statement, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// `transaction.name`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// `transaction.type`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_type: Option<String>,
    /// `error.grouping_key`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The number of the marker before and after which is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<i64>,
}

/// The words of a rule.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Says {
    /// The finding in a sentence.
    pub title: String,
    /// The measurements.
    pub cause: String,
    /// The remedy, and its limit.
    pub remedy: String,
    /// The places to look at.
    pub evidence: Evidence,
    /// Figures by name, for scripts: durations in µs.
    pub figures: serde_json::Map<String, serde_json::Value>,
}

/// A finding of a rule, before it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) service: String,
    pub(super) environment: String,
    /// The name that tells it from others of its kind in its service.
    pub(super) subject: String,
    pub(super) severity: Severity,
    /// µs per minute.
    pub(super) saving: f64,
    pub(super) says: Says,
}

impl Draft {
    fn id(&self) -> String {
        id(self.kind, &self.service, &self.environment, &self.subject)
    }
}

/// The id of what is about a subject.
pub(super) fn id(kind: Kind, service: &str, environment: &str, subject: &str) -> String {
    let about = [kind.as_str(), service, environment, subject].join("\0");
    format!("{:016x}", xxh3_64(about.as_bytes()))
}
