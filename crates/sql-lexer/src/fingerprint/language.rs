//! The language of a statement: its span says it, or its text shows it.

use super::{json, redis};
use crate::Dialect;

/// The language of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Sql(Quotes),
    /// A body of Mongo or Elasticsearch.
    Json,
    Redis,
}

/// The meaning of `"…"` in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Quotes {
    /// A name, or where no column can stand a text: nobody says which database it is, or it is SQLite.
    #[default]
    Unknown,
    /// A name, as the standard has it.
    Name,
    /// A text, as MySQL has it.
    Text,
}

impl Language {
    pub(super) fn detect(subtype: &str, text: &str) -> Self {
        match (subtype, Dialect::of_subtype(subtype)) {
            ("redis" | "valkey" | "memcached", _) => Self::Redis,
            (_, Dialect::Mysql) => Self::Sql(Quotes::Text),
            (_, Dialect::Postgresql | Dialect::Standard) => Self::Sql(Quotes::Name),
            (_, Dialect::Sqlite) => Self::Sql(Quotes::Unknown),
            (_, Dialect::Unknown) if json::looks_so(text) => Self::Json,
            (_, Dialect::Unknown) if redis::looks_so(text) => Self::Redis,
            // Only MySQL and SQLite quote names so, and both read `"…"` as a text.
            (_, Dialect::Unknown) if text.contains('`') => Self::Sql(Quotes::Text),
            (_, Dialect::Unknown) => Self::Sql(Quotes::Unknown),
        }
    }
}
