//! Rules for spans that no published case shows.

use apm_store::event::{Event, Id};
use serde_json::{Value, json};

use super::documents::{documents, field};
use super::{Encoding, NOW, Signal, decode, json};

fn span(id: u8, parent: u8, kind: u8) -> Value {
    let mut span = json!({
        "traceId": "000000000000000000000000000000AB",
        "spanId": format!("{id:016x}"),
        "name": "x",
        "kind": kind,
        "startTimeUnixNano": "1795950000000000000",
        "endTimeUnixNano": 1_795_950_000_001_000_000_u64,
        "unknown": {"deep": [1, null]},
        "attributes": null,
    });
    if parent > 0 {
        span["parentSpanId"] = format!("{parent:016X}").into();
    }
    span
}

fn body(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans, "scope": null}], "resource": {}}]})
}

#[test]
fn spans_find_their_transaction_in_the_body_whatever_their_order() {
    let mut failed = span(3, 2, 1);
    failed["events"] = json!([
        {"name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": "E"}}]},
        {"name": "retry"},
    ]);
    let export = json(
        Signal::Traces,
        &body(&[failed, span(2, 1, 1), span(1, 0, 2), span(5, 9, 3)]),
    );
    let transactions: Vec<_> = export.batches[0]
        .events
        .iter()
        .map(|event| match event {
            Event::Span(span) => span.transaction_id,
            Event::Error(error) => error.transaction_id,
            Event::Log(log) => log.transaction_id,
            _ => Some(Id::Short(0)),
        })
        .collect();
    let first = Some(Id::Short(1));
    // The span, its error and its log; the span above; the transaction; a span whose parent never came.
    assert_eq!(
        transactions,
        [first, first, first, first, Some(Id::Short(0)), None]
    );
}

#[test]
fn attributes_are_found_under_the_names_that_were_sent() {
    let mut sent = span(1, 2, 3);
    sent["attributes"] = json!([
        {"key": "db.system", "value": {"stringValue": "mssql"}},
        {"key": "db.query.text", "value": {"stringValue": "select \"a\"\n"}},
        {"key": "shop.cart.size", "value": {"intValue": "7"}},
        {"key": "flags", "value": {"arrayValue": {"values": [{"boolValue": true}]}}},
    ]);
    sent["status"] = json!({"code": 2, "message": "too slow"});
    let document = &documents(&json(Signal::Traces, &body(&[sent])))[0];
    for (path, wanted) in [
        ("attributes.db.system", json!("mssql")),
        ("attributes.db.query.text", json!("select \"a\"\n")),
        ("attributes.shop.cart.size", json!(7)),
        ("numeric_labels.shop_cart_size", json!(7)),
        ("labels.flags", json!(["true"])),
        ("span.db.statement", json!("select \"a\"\n")),
        ("span.kind", json!("CLIENT")),
        ("event.reason", json!("too slow")),
        ("event.outcome", json!("failure")),
    ] {
        assert_eq!(field(document, path), &wanted, "{path}");
    }
    assert_eq!(field(document, "labels.db_system"), &Value::Null);
}

#[test]
fn an_error_has_the_same_id_each_time_its_body_comes() {
    let mut failed = span(1, 0, 2);
    let kind = json!({"key": "exception.type", "value": {"stringValue": "E"}});
    let exception = json!({"name": "exception", "attributes": [kind]});
    failed["events"] = json!([exception, exception]);
    let ids = || -> Vec<_> {
        let documents = documents(&json(Signal::Traces, &body(std::slice::from_ref(&failed))));
        documents[1..]
            .iter()
            .map(|document| field(document, "error.id").clone())
            .collect()
    };
    assert_eq!(ids(), ids());
    assert_ne!(ids()[0], ids()[1]);
}

#[test]
fn a_time_that_cannot_be_is_that_of_the_arrival_and_stays_in_the_document() {
    for nanos in ["0", "18446744073709551615"] {
        let mut sent = span(1, 0, 2);
        sent["startTimeUnixNano"] = nanos.into();
        let export = json(Signal::Traces, &body(&[sent]));
        let sent = nanos.parse::<u64>().unwrap() / 1000;
        assert_eq!(export.batches[0].events[0].timestamp(), NOW);
        assert_eq!(export.batches[0].sent, [(0, i64::try_from(sent).unwrap())]);
        assert_eq!(
            field(&documents(&export)[0], "timestamp.sent"),
            &json!(sent)
        );
    }
}

#[test]
fn spans_without_ids_are_rejected_by_name() {
    let mut short = span(1, 0, 2);
    short["spanId"] = "abc".into();
    let mut zero = span(1, 0, 2);
    zero["traceId"] = "0".repeat(32).into();
    zero["name"] = "GET /".into();
    let export = json(Signal::Traces, &body(&[zero, short, span(1, 0, 2)]));
    assert_eq!((export.rejected, export.batches[0].events.len()), (2, 1));
    assert_eq!(
        export.reason.as_deref(),
        Some("span \"GET /\" has no trace id of 16 bytes")
    );
}

#[test]
fn large_bodies_become_several_batches_of_their_resource() {
    let spans: Vec<_> = (0..5000).map(|_| span(1, 0, 2)).collect();
    let mut body = body(&spans);
    let other = body["resourceSpans"][0].clone();
    body["resourceSpans"].as_array_mut().unwrap().push(other);
    let export = json(Signal::Traces, &body);
    let sizes: Vec<_> = export
        .batches
        .iter()
        .map(|batch| batch.events.len())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 10_000);
    assert!(
        sizes.len() >= 4 && sizes.iter().all(|size| *size <= 4096),
        "{sizes:?}"
    );
}

#[test]
fn an_empty_body_is_no_event() {
    for (encoding, body) in [
        (Encoding::Protobuf, &b""[..]),
        (Encoding::Json, b"{}"),
        (Encoding::Json, b"{\"resourceSpans\":null}"),
        (
            Encoding::Json,
            b"{\"resourceSpans\":[null,{\"scopeSpans\":[{\"spans\":[null]}]}]}",
        ),
    ] {
        let export = decode(Signal::Traces, encoding, body, NOW).unwrap();
        assert!(export.batches.is_empty() && export.rejected == 0);
    }
}
