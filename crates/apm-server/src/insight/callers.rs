//! Who runs a statement, and what requests of a transaction group ask their databases.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use crate::analytics::Scope;
use crate::analytics::sql::Sql;
use crate::analytics::window::Window;
use crate::store::id::{Identifier, StoredId};
use crate::time::{Range, SECOND};

/// Requests of one transaction group that ran a statement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Caller {
    /// `service.name`
    pub service: String,
    /// `transaction.type`
    #[serde(rename = "type")]
    pub kind: String,
    /// `transaction.name`
    pub transaction: String,
    /// The statement, 16 hex digits; empty for all statements together.
    pub fingerprint: String,
    /// Requests that were looked at.
    pub requests: i64,
    /// Mean calls per request.
    pub calls: f64,
    /// Most calls in one request.
    pub most: f64,
    /// Mean time of the calls in one request, µs.
    pub time: f64,
    /// Their time / the time of the requests, 0 to 1.
    pub share: Option<f64>,
    /// `trace.id` of a request with the most calls.
    pub trace: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
    #[diesel(sql_type = BigInt)]
    statement_id: i64,
    #[diesel(sql_type = BigInt)]
    requests: i64,
    #[diesel(sql_type = Double)]
    calls: f64,
    #[diesel(sql_type = Double)]
    most: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = Double)]
    tx_sum: f64,
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
}

/// How far back all callers of all statements are added up, µs.
pub const LATELY: i64 = 6 * 3_600 * SECOND;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Each statement of each transaction group, in the last [`LATELY`] of the window: over days these are very many rows.
    Each,
    /// The callers of one statement.
    Statement(u64),
    /// All statements of each transaction group together.
    All,
}

/// The query behind it.
#[must_use]
pub fn sql(scope: &Scope, of: Of, window: &Window) -> Sql {
    let bound = |text| window.bind(scope.bind(Sql::new(text)));
    match of {
        Of::Each => lately(window).bind(scope.bind(Sql::new(include_str!("callers.sql")))),
        Of::Statement(fingerprint) => {
            bound(include_str!("callers/of.sql")).bind("fingerprint", fingerprint.cast_signed())
        }
        Of::All => bound(include_str!("callers/of.sql")).bind("fingerprint", None::<i64>),
    }
}

/// The last [`LATELY`] of a window.
fn lately(window: &Window) -> Window {
    let Range { from, to } = window.asked;
    let range = Range {
        from: from.max(to - LATELY),
        to,
    };
    Window::new(range, window.now)
}

/// Callers, most time first.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    of: Of,
    window: &Window,
) -> QueryResult<Vec<Caller>> {
    let rows: Vec<Row> = sql(scope, of, window).load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let requests = row.requests.max(1) as f64;
            Caller {
                fingerprint: match row.statement_id {
                    0 => String::new(),
                    _ => format!("{:016x}", row.fingerprint),
                },
                service: row.service,
                kind: row.kind,
                transaction: row.name,
                requests: row.requests,
                calls: row.calls / requests,
                most: row.most,
                time: row.sum / requests,
                share: (row.tx_sum > 0.0).then(|| row.sum / row.tx_sum),
                trace: row.trace_id.to_string(),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_windows_are_cut_and_at_their_beginning() {
        let to = 1_800_000_000 * SECOND;
        for (hours, cut) in [(1, 1), (6, 6), (24, 6)] {
            let asked = Range {
                from: to - hours * 3_600 * SECOND,
                to,
            };
            let window = lately(&Window::new(asked, to));
            assert_eq!(window.asked.to, to);
            assert_eq!(to - window.asked.from, cut * 3_600 * SECOND, "{hours} h");
        }
    }
}
