//! Steps of SQLite's virtual machine that a call of a statement takes. The agent sends them as a label of the span
//! (docs/sql-cost.md).

use apm_store::StoreError;
use diesel::prelude::*;
use serde_json::Value as Json;

use super::Seq;
use crate::analytics::sql::Sql;
use crate::sort_rows::SortRows as _;

/// The label that carries them. In a composite span it has the sum of its calls.
const LABEL: &str = "sqlite_steps";

/// Steps per call of a statement since a time (µs): the median of its newest spans. None where no span tells.
pub(in crate::insight) fn per_call(
    conn: &mut SqliteConnection,
    statement: i64,
    since: i64,
    limit: i64,
) -> Result<Option<f64>, StoreError> {
    let rows: Vec<Seq> = Sql::new(include_str!("steps.sql"))
        .bind("statement", statement)
        .bind("since", since)
        .bind("limit", limit)
        .load(conn)?;
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let events = apm_store::events(conn, &seqs)?;
    let mut steps: Vec<f64> = events
        .iter()
        .filter_map(|event| steps_per_call(&event.rest))
        .collect();
    steps.sort_rows_by(f64::total_cmp);
    Ok(steps.get(steps.len() / 2).copied())
}

/// Steps per call of one span.
fn steps_per_call(rest: &str) -> Option<f64> {
    let rest: Json = serde_json::from_str(rest).ok()?;
    let label = ["/context/tags/", "/labels/"]
        .iter()
        .find_map(|place| rest.pointer(&format!("{place}{LABEL}"))?.as_f64())?;
    let calls = rest.pointer("/composite/count").and_then(Json::as_f64);
    Some(label / calls.unwrap_or(1.0).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_a_composite_span_are_those_of_one_call() {
        for (rest, expected) in [
            (r#"{"context":{"tags":{"sqlite_steps":17}}}"#, Some(17.0)),
            (
                r#"{"composite":{"count":4},"context":{"tags":{"sqlite_steps":68}}}"#,
                Some(17.0),
            ),
            (r#"{"context":{"tags":{"sqlite_steps":"many"}}}"#, None),
            (r#"{"context":{"tags":{}}}"#, None),
            ("", None),
        ] {
            assert_eq!(steps_per_call(rest), expected, "{rest}");
        }
    }
}
