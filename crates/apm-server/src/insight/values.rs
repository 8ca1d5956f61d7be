//! The values by which calls of a statement differ: their texts and hashes of their bind values, from their documents;
//! and how many rows a table has.
//!
//! Documents are read for a few spans only: those of one trace, or the newest ones.

use std::collections::HashSet;

use apm_store::StoreError;
use apm_store::id::StoredId;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};
use serde_json::Value as Json;

use super::repeats::Values;
use crate::analytics::sql::Sql;

/// The label that carries a keyed hash of the bind values (`ELASTIC_APM_CAPTURE_BIND_HASH`).
const BIND_HASH: &str = "bind_hash";

/// Calls that count of one span.
const MOST_CALLS: usize = 1000;

/// Spans of one trace that are compared.
const MOST: i64 = 200;

#[derive(QueryableByName)]
struct Seq {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// The calls of a span: their text, the hash of their values, and their number.
struct Calls {
    text: String,
    hash: Option<String>,
    count: usize,
}

fn parts(rest: &str) -> Calls {
    let rest: Json = serde_json::from_str(rest).unwrap_or_default();
    let text = |pointer: &str| {
        rest.pointer(pointer)
            .and_then(Json::as_str)
            .map(str::to_owned)
    };
    let hash = text(&format!("/context/tags/{BIND_HASH}"))
        .or_else(|| text(&format!("/labels/{BIND_HASH}")));
    let count = rest.pointer("/composite/count").and_then(Json::as_u64);
    let count = count.and_then(|count| usize::try_from(count).ok());
    Calls {
        text: text("/context/db/statement").unwrap_or_default(),
        hash,
        count: count.unwrap_or(1).clamp(1, MOST_CALLS),
    }
}

/// Whether the calls of a statement in a trace had the same values.
pub(super) fn of_trace(
    conn: &mut SqliteConnection,
    trace: &StoredId,
    statement: i64,
) -> Result<Values, StoreError> {
    let rows: Vec<Seq> = Sql::new(include_str!("values/trace.sql"))
        .bind("trace", trace)
        .bind("bits", trace.trace_bits())
        .bind("statement", statement)
        .bind("limit", MOST)
        .load(conn)?;
    let spans = documents(conn, &rows)?;
    Ok(Values::from_calls(spans.iter().flat_map(|span| {
        std::iter::repeat_n((span.text.as_str(), span.hash.as_deref()), span.count)
    })))
}

/// Number of different texts of the newest calls of a statement.
pub(super) fn texts(
    conn: &mut SqliteConnection,
    statement: i64,
    limit: i64,
) -> Result<usize, StoreError> {
    let rows: Vec<Seq> = Sql::new(include_str!("values/newest.sql"))
        .bind("statement", statement)
        .bind("limit", limit)
        .load(conn)?;
    let texts: HashSet<String> = documents(conn, &rows)?
        .into_iter()
        .map(|calls| calls.text)
        .collect();
    Ok(texts.len())
}

fn documents(conn: &mut SqliteConnection, rows: &[Seq]) -> Result<Vec<Calls>, StoreError> {
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let events = apm_store::events(conn, &seqs)?;
    Ok(events.iter().map(|event| parts(&event.rest)).collect())
}

/// Whether a text has values where its normalised form has `?`.
pub(super) fn has_literals(normalized: &str, sample: &str) -> bool {
    normalized.contains('?') && Values::from_calls([(sample, None)]) != Values::Unknown
}

/// About how many rows a table has: by its gauge, else by the INSERTs that were seen.
pub(super) fn rows(
    conn: &mut SqliteConnection,
    service: i64,
    table: &str,
) -> QueryResult<Option<f64>> {
    #[derive(QueryableByName)]
    struct Rows {
        #[diesel(sql_type = diesel::sql_types::Nullable<Double>)]
        n: Option<f64>,
    }
    let rows: Rows = Sql::new(include_str!("values/rows.sql"))
        .bind("service", service)
        .bind("table", table)
        .bind("gauge", format!("{table}.rows"))
        .first(conn)?;
    Ok(rows.n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_hash_come_from_the_document() {
        let rest = r#"{"context":{"db":{"statement":"SELECT ?"},"tags":{"bind_hash":"ab"}}}"#;
        let shown = |rest: &str| {
            let calls = parts(rest);
            (calls.text, calls.hash, calls.count)
        };
        let hashed = |count| ("SELECT ?".to_owned(), Some("ab".to_owned()), count);
        assert_eq!(shown(rest), hashed(1));
        let composite = rest.replacen('{', r#"{"composite":{"count":7},"#, 1);
        assert_eq!(shown(&composite), hashed(7));
        assert_eq!(shown("{}"), (String::new(), None, 1));
    }

    #[test]
    fn literals_are_told_from_placeholders() {
        for (normalized, sample, expected) in [
            (
                "SELECT * FROM t WHERE a = ?",
                "SELECT * FROM t WHERE a = 1",
                true,
            ),
            (
                "SELECT * FROM t WHERE a = ?",
                "SELECT * FROM t WHERE a = ?",
                false,
            ),
            ("SELECT * FROM t", "SELECT * FROM t", false),
            (
                "INSERT INTO t VALUES (?)",
                "INSERT INTO t VALUES ('what?')",
                true,
            ),
        ] {
            assert_eq!(has_literals(normalized, sample), expected, "{sample}");
        }
    }
}
