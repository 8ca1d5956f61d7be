//! The names of services and environments, whatever the range: what a reader can choose from.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::sql::Sql;

/// Most names that a page offers.
const MOST: usize = 500;

/// Names in their order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    /// `service.name`
    pub(crate) services: Vec<String>,
    /// `service.environment`, without the empty one.
    pub(crate) environments: Vec<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    environment: String,
}

/// The query behind it.
#[must_use]
pub(crate) fn sql() -> Sql {
    Sql::new(include_str!("directory.sql"))
}

/// Whether the store knows a service, whatever it sent and whenever.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn knows(conn: &mut SqliteConnection, service: &str) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = Bool)]
        known: bool,
    }
    let sql = Sql::new("SELECT EXISTS (SELECT 1 FROM service WHERE name = :service) AS known");
    let found: Known = sql.bind("service", service.to_owned()).first(conn)?;
    Ok(found.known)
}

/// Every service that the store knows, and every environment.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn list(conn: &mut SqliteConnection) -> QueryResult<Directory> {
    let rows: Vec<Row> = sql().load(conn)?;
    let mut out = Directory::default();
    for row in rows {
        // The rows are in the order of names.
        if out.services.last() != Some(&row.name) && out.services.len() < MOST {
            out.services.push(row.name);
        }
        if !row.environment.is_empty() {
            out.environments.push(row.environment);
        }
    }
    out.environments.sort_unstable();
    out.environments.dedup();
    out.environments.truncate(MOST);
    Ok(out)
}
