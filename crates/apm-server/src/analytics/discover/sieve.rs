//! Texts that the stored text of an event must hold for a query to match it.
//!
//! Some fields show their values as they were sent ([`is_verbatim`]). Where a query wants such a value, an event in
//! whose stored text the value does not stand can't match. Most events are ruled out so, at the speed of a search for
//! bytes, before documents are made of them. What passes is still decided by [`kql::matches()`].

use apm_store::document::is_verbatim;
use kql::{Expr, Value};
use memchr::memmem::{self, Finder};

/// A condition on the stored text of an event.
#[derive(Debug)]
pub(super) enum Sieve {
    /// Anything: every event passes.
    Open,
    /// This text.
    Text(Box<Finder<'static>>),
    /// All of these hold.
    All(Vec<Self>),
    /// One of these holds.
    Any(Vec<Self>),
}

impl Sieve {
    /// The sieve of a query.
    pub(super) fn for_query(query: &Expr) -> Self {
        match query {
            Expr::And(items) => {
                let wanted = items
                    .iter()
                    .map(Self::for_query)
                    .filter(|item| !item.is_open());
                match wanted.collect::<Vec<_>>() {
                    wanted if wanted.is_empty() => Self::Open,
                    wanted => Self::All(wanted),
                }
            }
            Expr::Or(items) => {
                let wanted: Vec<Self> = items.iter().map(Self::for_query).collect();
                match wanted.iter().any(Self::is_open) {
                    true => Self::Open,
                    false => Self::Any(wanted),
                }
            }
            Expr::Is(field, value) if field.pattern.is_none() && is_verbatim(&field.name) => {
                let text = match value {
                    Value::Exact(text) => text.as_str(),
                    Value::Wildcard(pattern) => pattern.longest_piece(),
                };
                match stands_as_it_is(text) {
                    true => Self::Text(Box::new(Finder::new(text).into_owned())),
                    false => Self::Open,
                }
            }
            _ => Self::Open,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether an event may match of which these are the texts: JSON of the event and of its sender.
    pub(super) fn passes(&self, texts: &[&str]) -> bool {
        match self {
            Self::Open => true,
            Self::Text(wanted) => {
                let holds = |text: &&str| wanted.find(text.as_bytes()).is_some();
                texts.iter().any(holds) || texts.iter().any(|text| has_escapes(text))
            }
            Self::All(items) => items.iter().all(|item| item.passes(texts)),
            Self::Any(items) => items.iter().any(|item| item.passes(texts)),
        }
    }
}

/// Any character may be sent as `\u0061`.
fn has_escapes(json: &str) -> bool {
    memmem::find(json.as_bytes(), b"\\u").is_some()
}

/// Whether a text stands in JSON as it is: nothing in it has a short escape, and it is neither a number nor a boolean,
/// which are spelled in several ways.
fn stands_as_it_is(text: &str) -> bool {
    let is_plain = |char: char| !char.is_control() && !matches!(char, '"' | '\\' | '/');
    let is_of_number = |char: char| matches!(char, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
    let is_word = |word: &str| text.eq_ignore_ascii_case(word);
    text.chars().all(is_plain)
        && !text.chars().all(is_of_number)
        && !is_word("true")
        && !is_word("false")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use apm_store::event::{Kind, StoredEvent};
    use serde_json::Value as Json;

    use super::*;

    const SENDER: &str =
        r#"{"metadata":{"service":{"name":"a"},"labels":{"zone":"eu-1"},"user":{"id":"u9"}}}"#;

    /// Labels as agents may spell them, and one query for each that finds it.
    const SENT: [(&str, &str); 14] = [
        (r#"{"k":"v7"}"#, "labels.k:v7"),
        (r#"{"k":"v7"}"#, "labels.k:v*"),
        (r#"{"k":"\u00767"}"#, "labels.k:v7"),
        (r#"{"k":"a\/b"}"#, "labels.k:\"a/b\""),
        (r#"{"k":"a\"b"}"#, r#"labels.k:"a\"b""#),
        (r#"{"k":"a\nb"}"#, r#"labels.k:"a\nb""#),
        (r#"{"k":"ž"}"#, "labels.k:ž"),
        (r#"{"k":"\u017e"}"#, "labels.k:ž"),
        (r#"{"k":true}"#, "labels.k:TRUE or labels.k:true"),
        (r#"{"k":true}"#, "labels.k:tr*"),
        (r#"{"k":1e2}"#, "numeric_labels.k:100"),
        (r#"{"a.b":"v7"}"#, "labels.a_b:v7"),
        ("{}", "labels.zone:eu-1 and labels.zone:*1"),
        ("{}", "user.id:u9 or labels.k:nowhere"),
    ];

    fn event(labels: &str) -> StoredEvent {
        let rest = format!(r#"{{"context":{{"tags":{labels}}}}}"#);
        StoredEvent {
            seq: 1,
            ..StoredEvent::bare(Kind::Span, Arc::from(SENDER), rest)
        }
    }

    #[test]
    fn what_matches_passes_however_it_is_spelled() {
        for (labels, query) in SENT {
            let event = event(labels);
            let document: Json = apm_store::document::document(&event);
            let query = kql::parse(query, 0).expect("a query");
            assert!(kql::matches(&query, &document), "{labels} {query:?}");
            let sieve = Sieve::for_query(&query);
            assert!(sieve.passes(&[&event.rest, SENDER]), "{labels} {query:?}");
        }
    }

    #[test]
    fn what_lacks_a_value_is_ruled_out() {
        for query in [
            "labels.k:v8",
            "labels.k:v8*",
            "labels.k:v8 and service.name:a",
            "labels.k:v7 and labels.k:v8",
            "labels.k:v8 or user.id:u8",
        ] {
            let event = event(r#"{"k":"v7"}"#);
            let sieve = Sieve::for_query(&kql::parse(query, 0).expect("a query"));
            assert!(!sieve.passes(&[&event.rest, SENDER]), "{query}");
        }
        for query in [
            "v8",
            "not labels.k:v8",
            "labels.k:v8 or service.name:a",
            "labels.*:v8",
            "url.path:v8",
            "labels.k > v8",
            "",
        ] {
            let sieve = Sieve::for_query(&kql::parse(query, 0).expect("a query"));
            assert!(sieve.is_open(), "{query}: {sieve:?}");
        }
    }
}
