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
