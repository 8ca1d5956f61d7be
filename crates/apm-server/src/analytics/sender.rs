//! Senders of events as they describe themselves.

use std::sync::Arc;

use apm_store::event::{Kind, StoredEvent};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::Value;

use super::sql::Sql;

/// A sender as it is stored.
#[derive(QueryableByName)]
pub(super) struct Sender {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    pub(super) environment: String,
    /// The fields that it sent, as [`described`] reads them.
    #[diesel(sql_type = Text)]
    pub(super) document: String,
}

/// Some senders by their numbers.
pub(super) fn read(conn: &mut SqliteConnection, ids: &[i64]) -> QueryResult<Vec<Sender>> {
    let ids = serde_json::to_string(ids).unwrap_or_default();
    let sql = Sql::new(include_str!("sender.sql")).bind("ids", ids);
    sql.load(conn)
}

/// The fields that a sender gives to each of its events.
pub(super) fn described(resource: &str) -> Value {
    let sender = StoredEvent::bare(Kind::Transaction, Arc::from(resource), "{}".to_owned());
    apm_store::document::document(&sender)
}

/// A text of these fields; empty where it is not there.
pub(super) fn text(document: &Value, path: &str) -> String {
    match document.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

/// The instance: `service.node.name`, else what tells machines apart.
pub(super) fn node(document: &Value) -> String {
    let names = [
        "/service/node/name",
        "/container/id",
        "/host/hostname",
        "/host/name",
    ];
    let mut found = names.into_iter().map(|path| text(document, path));
    found.find(|name| !name.is_empty()).unwrap_or_default()
}
