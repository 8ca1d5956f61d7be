//! Numbers of different names of each kind, and services that have no room for more.

use apm_store::{NameKind, NameLimits};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::sql::Sql;

/// Services that are named; more have the same cause.
const MOST: usize = 5;

/// The names of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// The kind of name.
    pub(crate) kind: NameKind,
    /// Number of names.
    pub(crate) count: i64,
    /// Services that have as many as they may, those with most first; at most five.
    pub(crate) full: Vec<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = BigInt)]
    names: i64,
}

/// The table of a kind; nothing where the names stand in rollup rows or documents.
fn table(kind: NameKind) -> Option<&'static str> {
    match kind {
        NameKind::Service => Some("service"),
        NameKind::Transaction => Some("tx_group"),
        NameKind::Result => Some("result"),
        NameKind::Destination => Some("destination"),
        NameKind::Statement => Some("statement"),
        NameKind::Error => Some("error_group"),
        NameKind::Metric => Some("metric_name"),
        NameKind::Instance => Some("instance"),
        NameKind::SelfTime | NameKind::Label | NameKind::Series => None,
    }
}

/// The names of each kind.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn list(conn: &mut SqliteConnection, limits: &NameLimits) -> QueryResult<Vec<Names>> {
    let mut out = Vec::new();
    for kind in NameKind::ALL {
        let Some(table) = table(kind) else { continue };
        let of_whom = match kind {
            NameKind::Service => "0",
            _ => "service_id",
        };
        // `_other` is a row as well, so more than the limit is what a full service has.
        let sql = Sql::new(format!(
            "SELECT coalesce(s.name, '') AS service, n.names FROM \
             (SELECT {of_whom} AS id, count(*) AS names FROM {table} GROUP BY 1) n \
             LEFT JOIN service s ON s.id = n.id ORDER BY n.names DESC, 1"
        ));
        let rows: Vec<Row> = sql.load(conn)?;
        let limit = limits
            .limit(kind)
            .map_or(usize::MAX, |limit| limit.of_service);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let full = rows
            .iter()
            .filter(|row| row.names > limit && !row.service.is_empty());
        out.push(Names {
            kind,
            count: rows.iter().map(|row| row.names).sum(),
            full: full.take(MOST).map(|row| row.service.clone()).collect(),
        });
    }
    Ok(out)
}
