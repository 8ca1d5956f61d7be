//! The one resource: the columns of the views, for the tool `sql`.

use std::fmt::Write as _;

use apm_store::{Store, StoreError};
use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;
use serde_json::{Value, json};

use super::protocol::Fault;

const URI: &str = "pocket-apm://schema/views";

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    view: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The resource in a list.
pub(super) fn described() -> Value {
    json!({
        "uri": URI,
        "name": "views",
        "title": "Columns of the SQL views",
        "description": "Views of the telemetry for the tool `sql`, with their columns.",
        "mimeType": "text/plain",
    })
}

/// Reads it.
pub(super) async fn read(params: &Value, store: &Store) -> Result<Value, Fault> {
    let uri = params["uri"].as_str().unwrap_or_default();
    if uri != URI {
        return Err(Fault::resource(uri));
    }
    let read = store.read_async(|conn| {
        let columns = diesel::sql_query(include_str!("columns.sql")).load::<Column>(conn)?;
        Ok::<_, StoreError>(columns)
    });
    let columns = read
        .await
        .map_err(|error| Fault::internal(error.to_string()))?;
    let mut text = String::from("SQLite. Times are UTC. Each view and its columns:\n");
    let mut view = None;
    for column in columns {
        let separator = if view.as_ref() == Some(&column.view) {
            ", "
        } else {
            ": "
        };
        if separator == ": " {
            let _ = write!(text, "\n{}", column.view);
        }
        let _ = write!(text, "{separator}{}", column.name);
        view = Some(column.view);
    }
    text.push('\n');
    Ok(json!({"contents": [{"uri": URI, "mimeType": "text/plain", "text": text}]}))
}
