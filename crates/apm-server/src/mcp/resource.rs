//! The one resource: the columns of the views, for the tool `sql`.

use std::fmt::Write as _;

use apm_store::{Store, StoreError};
use serde_json::{Value, json};

use super::protocol::Fault;
use crate::insight::console::schema::views;

const URI: &str = "pocket-apm://schema/views";

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
    let read = store.read_async(|conn| Ok::<_, StoreError>(views(conn)?));
    let views = read
        .await
        .map_err(|error| Fault::internal(error.to_string()))?;
    let mut text = String::from("SQLite. Times are UTC. Each view and its columns:\n");
    for view in views {
        let _ = write!(text, "\n{}: {}", view.name, view.columns.join(", "));
    }
    text.push('\n');
    Ok(json!({"contents": [{"uri": URI, "mimeType": "text/plain", "text": text}]}))
}
