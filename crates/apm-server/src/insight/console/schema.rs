//! The views that people query, and their columns.

use diesel::prelude::*;
use diesel::sql_types::Text;
use schemars::JsonSchema;
use serde::Serialize;

/// A view of the telemetry.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "SqlView")]
pub(crate) struct View {
    /// Its name.
    pub(crate) name: String,
    /// The names of its columns, in their order.
    pub(crate) columns: Vec<String>,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    view: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The views for people, by name.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn views(conn: &mut SqliteConnection) -> QueryResult<Vec<View>> {
    let columns = diesel::sql_query(include_str!("columns.sql")).load::<Column>(conn)?;
    let by_view = columns.chunk_by(|a, b| a.view == b.view);
    Ok(by_view
        .map(|columns| View {
            name: columns[0].view.clone(),
            columns: columns.iter().map(|column| column.name.clone()).collect(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::tests::empty;

    #[test]
    fn the_views_that_are_documented_are_told_with_their_columns() {
        let found = views(&mut empty()).unwrap();
        let names: Vec<&str> = found.iter().map(|view| &*view.name).collect();
        for view in [
            "v_errors",
            "v_metrics",
            "v_spans",
            "v_statements",
            "v_transactions",
        ] {
            assert!(names.contains(&view), "{names:?}");
        }
        let spans = found.iter().find(|view| view.name == "v_spans").unwrap();
        assert_eq!(spans.columns[0], "seq");
        assert!(
            spans.columns.contains(&"duration_ms".to_owned()),
            "{spans:?}"
        );
    }
}
