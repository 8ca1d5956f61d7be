//! The name that its sender gave an event which is counted under `_other`.
//!
//! It goes into the event's document, so that nothing of the event is lost: `"overflow": {"transaction.name": "GET
//! /people/7"}`.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The fields of the event at hand that are stored as `_other`, and what was sent.
#[derive(Debug, Default)]
pub(super) struct Overflow<'a> {
    fields: Vec<(&'static str, Cow<'a, str>)>,
    labels: Vec<String>,
}

impl<'a> Overflow<'a> {
    /// A field whose value is beyond a limit.
    pub(super) fn push(&mut self, field: &'static str, sent: impl Into<Cow<'a, str>>) {
        let sent = sent.into();
        if !sent.is_empty() {
            self.fields.push((field, sent));
        }
    }

    /// Labels whose names are beyond the limit, as `key=value`.
    pub(super) fn labels(&mut self, labels: Vec<String>) {
        self.labels = labels;
    }

    /// The document of the event with these fields, where there are any. It is a JSON object. The next event begins
    /// with none.
    pub(super) fn take(&mut self, document: &str) -> Option<String> {
        if self.fields.is_empty() && self.labels.is_empty() {
            return None;
        }
        let mut sent: Map<String, Value> = self
            .fields
            .drain(..)
            .map(|(field, sent)| (field.to_owned(), sent.into_owned().into()))
            .collect();
        if !self.labels.is_empty() {
            sent.insert("labels".to_owned(), std::mem::take(&mut self.labels).into());
        }
        // Last: where a key comes twice, the last one counts.
        let members = document.trim_end().strip_suffix('}')?;
        let comma = if members.trim_end().ends_with('{') {
            ""
        } else {
            ","
        };
        Some(format!(
            r#"{members}{comma}"overflow":{}}}"#,
            Value::Object(sent)
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_sent_stands_in_the_document() {
        for (document, want) in [
            ("{}", json!({"overflow": {"transaction.name": "a\"b"}})),
            (
                r#"{"a": {}} "#,
                json!({"a": {}, "overflow": {"transaction.name": "a\"b"}}),
            ),
            (
                r#"{"overflow": 1}"#,
                json!({"overflow": {"transaction.name": "a\"b"}}),
            ),
        ] {
            let mut overflow = Overflow::default();
            assert_eq!(overflow.take(document), None);
            overflow.push("transaction.name", "a\"b");
            overflow.push("transaction.type", "");
            let made = overflow.take(document).expect("a document");
            let made: Value = serde_json::from_str(&made).expect("JSON");
            assert_eq!(made, want);
            assert_eq!(overflow.take(document), None);
        }
    }
}
