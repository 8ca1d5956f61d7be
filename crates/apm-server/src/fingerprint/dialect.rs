//! What language a statement is in: its span says so, or its text shows it.

use super::{json, redis};

/// The language of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sql(Quotes),
    /// A body of Mongo or Elasticsearch.
    Json,
    Redis,
}

/// What `"…"` is in SQL.
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

impl Dialect {
    pub(super) fn of(subtype: &str, text: &str) -> Self {
        match subtype {
            "mysql" | "mariadb" => Self::Sql(Quotes::Text),
            "postgresql" | "oracle" | "db2" | "h2" | "hsqldb" | "mssql" | "sqlserver" => {
                Self::Sql(Quotes::Name)
            }
            "sqlite" => Self::Sql(Quotes::Unknown),
            "redis" | "valkey" | "memcached" => Self::Redis,
            _ if json::looks_so(text) => Self::Json,
            _ if redis::looks_so(text) => Self::Redis,
            // Only MySQL and SQLite quote names so, and both read `"…"` as a text.
            _ if text.contains('`') => Self::Sql(Quotes::Text),
            _ => Self::Sql(Quotes::Unknown),
        }
    }
}
