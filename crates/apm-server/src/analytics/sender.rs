//! Senders of events as they describe themselves.

use std::sync::Arc;

use apm_store::event::{Kind, StoredEvent};
use serde_json::Value;

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
