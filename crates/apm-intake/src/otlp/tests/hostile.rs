//! Bodies that nobody should send.

use std::time::{Duration, Instant};

use serde_json::json;

use super::documents::{documents, field, fixture};
use super::{Encoding, NOW, Signal, decode};

fn message(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend_from_slice(content);
    out
}

/// A body with one item.
fn body(item: &[u8]) -> Vec<u8> {
    message(1, &message(2, &message(2, item)))
}

/// A span with ids and these fields.
fn span(fields: &[u8]) -> Vec<u8> {
    [&message(1, &[1; 16])[..], &message(2, &[2; 8]), fields].concat()
}

#[test]
fn any_beginning_and_any_changed_byte_of_a_body_is_read_or_refused() {
    for (name, signal) in [
        ("python-sdk-traces.bin", Signal::Traces),
        ("python-sdk-metrics.bin", Signal::Metrics),
        ("python-sdk-logs.bin", Signal::Logs),
    ] {
        let Some(mut body) = fixture(name) else {
            return;
        };
        for end in 0..body.len() {
            let _ = decode(signal, Encoding::Protobuf, &body[..end], NOW);
        }
        for at in 0..body.len() {
            let change = [0x01, 0x80, 0xff][at % 3];
            body[at] ^= change;
            let export = decode(signal, Encoding::Protobuf, &body, NOW);
            let _ = export.map(|export| documents(&export));
            body[at] ^= change;
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (body, wanted) in [
        (&b"\x0a\x05"[..], "a field of 5 bytes is cut short"),
        (b"\x0f", "field 1 has the wire type 7"),
        (
            b"\x08\x01",
            "field 1 is a number of variable length and should be a length and so many bytes",
        ),
        (b"\x80", "a number of variable length does not end"),
        (b"\x00\x01", "a field has a number that no field may have"),
        (b"\x0a\x04\x12\x02\x12\x05", "resource 0: scope 0:"),
    ] {
        let error = decode(Signal::Traces, Encoding::Protobuf, body, NOW).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(wanted) && error.contains("byte"), "{error}");
    }
    for (body, wanted) in [
        ("", "EOF"),
        ("[]", "expected an object"),
        (
            "{\"resourceSpans\":{}}",
            "resourceSpans: invalid type: map, expected an array",
        ),
        (
            "{\"resourceSpans\":[{\"scopeSpans\":[{},{\"spans\":[{\"kind\":\"x\"}]}]}]}",
            "resourceSpans[0]: scopeSpans[1]: spans[0]: invalid value: string \"x\"",
        ),
        ("{} x", "trailing characters"),
    ] {
        let error = decode(Signal::Traces, Encoding::Json, body.as_bytes(), NOW).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn a_million_attributes_are_cut_to_a_thousand() {
    let pair = message(
        9,
        &[&message(1, b"k")[..], &message(2, &message(1, b"v"))].concat(),
    );
    let many = span(&pair.repeat(90_000));
    let export = decode(Signal::Traces, Encoding::Protobuf, &body(&many), NOW).unwrap();
    assert_eq!(export.batches[0].events.len(), 1);
    let more = span(&pair.repeat(1_000_000));
    let export = decode(Signal::Traces, Encoding::Protobuf, &body(&more), NOW).unwrap();
    assert_eq!((export.batches.len(), export.rejected), (0, 1));
    assert!(export.reason.unwrap().contains("1048576 are the most"));
    let pair = json!({"key": "k", "value": {"stringValue": "v"}});
    let span = json!({"traceId": "1".repeat(32), "spanId": "1".repeat(16), "attributes": vec![pair; 20_000]});
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string();
    let export = decode(Signal::Traces, Encoding::Json, body.as_bytes(), NOW).unwrap();
    let events = &export.batches[0];
    assert!(events.text(events.events[0].rest()).len() < 20_000);
}

#[test]
fn a_long_text_is_refused_for_itself_alone() {
    let long = span(&message(5, &vec![b'x'; 2 << 20]));
    let two = message(
        1,
        &message(2, &[message(2, &long), message(2, &span(b""))].concat()),
    );
    let export = decode(Signal::Traces, Encoding::Protobuf, &two, NOW).unwrap();
    assert_eq!((export.batches[0].events.len(), export.rejected), (1, 1));
    let resource = message(1, &message(1, &message(1, &vec![b'x'; 2 << 20])));
    let error = decode(
        Signal::Traces,
        Encoding::Protobuf,
        &message(1, &resource),
        NOW,
    )
    .unwrap_err();
    assert!(error.to_string().contains("the resource has"), "{error}");
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    let mut value = message(1, b"x");
    for _ in 0..10_000 {
        value = message(5, &message(1, &value));
    }
    let deep = span(&message(9, &message(2, &value)));
    let error = decode(Signal::Traces, Encoding::Protobuf, &body(&deep), NOW).unwrap_err();
    assert!(error.to_string().contains("nested deeper than"), "{error}");
    // Unknown fields of the old kind that nest are skipped without recursion.
    let groups = [[0x9b, 0x06].repeat(100_000), [0x9c, 0x06].repeat(100_000)].concat();
    assert!(
        decode(
            Signal::Traces,
            Encoding::Protobuf,
            &body(&span(&groups)),
            NOW
        )
        .is_ok()
    );
    let value = "{\"arrayValue\":{\"values\":[".repeat(10_000) + &"]}}".repeat(10_000);
    let span = format!("{{\"attributes\":[{{\"key\":\"k\",\"value\":{value}}}]}}");
    let body = format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{span}]}}]}}]}}");
    let error = decode(Signal::Traces, Encoding::Json, body.as_bytes(), NOW).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
}

#[test]
fn what_is_no_utf8_is_replaced() {
    let sent = span(&message(5, b"a\xffb"));
    let export = decode(Signal::Traces, Encoding::Protobuf, &body(&sent), NOW).unwrap();
    assert_eq!(
        field(&documents(&export)[0], "transaction.name"),
        "a\u{fffd}b"
    );
    let body = b"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\xff\"}]}]}]}";
    let export = decode(Signal::Traces, Encoding::Json, body, NOW).unwrap();
    assert_eq!(
        export.reason.unwrap(),
        "span \"a\u{fffd}\" has no trace id of 16 bytes"
    );
}

#[test]
fn halves_of_characters_are_replaced() {
    let span = format!(
        "{{\"traceId\":\"{}\",\"spanId\":\"{}\",\"name\":\"a\\ud83d\"}}",
        "1".repeat(32),
        "1".repeat(16)
    );
    let body =
        format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{span},{span}]}}]}}]}}");
    let export = decode(Signal::Traces, Encoding::Json, body.as_bytes(), NOW).unwrap();
    let documents = documents(&export);
    assert_eq!(documents.len(), 2);
    assert_eq!(field(&documents[0], "transaction.name"), "a\u{fffd}");
}

#[test]
fn many_metrics_of_one_time_are_read_soon_and_become_events_of_bounded_length() {
    let value = [&[6 << 3 | 1][..], &7_i64.to_le_bytes()].concat();
    let metric = |number: u32| {
        let name = message(1, format!("{number:030}").as_bytes());
        message(2, &[name, message(5, &message(1, &value))].concat())
    };
    let all: Vec<u8> = (0..120_000).flat_map(metric).collect();
    let body = message(1, &message(2, &all));
    let start = Instant::now();
    let export = decode(Signal::Metrics, Encoding::Protobuf, &body, NOW).unwrap();
    // Seven thousand million comparisons of names would take minutes.
    assert!(start.elapsed() < Duration::from_secs(20));
    let batches = &export.batches;
    let samples: usize = batches.iter().map(|batch| batch.samples.len()).sum();
    assert_eq!((samples, export.rejected), (120_000, 0));
    let texts = batches.iter().flat_map(|batch| {
        let text = move |event: &apm_store::event::Event| batch.text(event.rest()).len();
        batch.events.iter().map(text)
    });
    let lengths: Vec<usize> = texts.collect();
    assert!(
        lengths.len() > 3 && lengths.iter().all(|length| *length < 2 << 20),
        "{lengths:?}"
    );
}

#[test]
fn items_that_take_much_more_memory_than_bytes_are_bounded_and_the_rest_is_counted() {
    // The name of the scope, which all events repeat.
    let scope = message(1, &message(1, "\u{10ffff}".repeat(2_000).as_bytes()));
    let body = |items: &[u8]| message(1, &message(2, &[&scope, items].concat()));
    let point = |number: u32| {
        let value = message(1, number.to_string().as_bytes());
        let attribute = [message(1, b"k"), message(2, &value)].concat();
        let value = [&[6 << 3 | 1][..], &7_i64.to_le_bytes()].concat();
        message(1, &[message(7, &attribute), value].concat())
    };
    let points: Vec<u8> = (0..50_000).flat_map(point).collect();
    let metric = [message(1, b"m"), message(5, &points)].concat();
    for (signal, items, counted) in [
        (Signal::Logs, message(2, b"").repeat(100_000), Some(100_000)),
        (
            Signal::Traces,
            message(2, &span(&message(11, b"").repeat(100_000))),
            None,
        ),
        (Signal::Metrics, message(2, &metric), Some(50_000)),
    ] {
        let body = body(&items);
        let export = decode(signal, Encoding::Protobuf, &body, NOW).unwrap();
        let memory: usize = export.batches.iter().map(|batch| batch.size()).sum();
        // Capacities are up to twice of what they hold.
        assert!(memory < 64 * body.len() * 5 / 2, "{signal:?}: {memory}");
        let events: usize = export.batches.iter().map(|batch| batch.events.len()).sum();
        assert!(events > 1_000, "{signal:?}: {events}");
        match counted {
            Some(items) => assert_eq!(events as u64 + export.rejected, items, "{signal:?}"),
            // Events of a span are no items that a sender counts.
            None => assert!(events < 100_000 && export.rejected == 0),
        }
        assert!(export.reason.unwrap().contains("memory"), "{signal:?}");
    }
}

#[test]
fn many_empty_items_leave_nothing_behind() {
    for (signal, items, accepted, rejected) in [
        (Signal::Traces, 100_000, 0, 100_000),
        (Signal::Metrics, 100_000, 0, 0),
        (Signal::Logs, 2_000, 2_000, 0),
    ] {
        let many = message(1, &message(2, &message(2, b"").repeat(items)));
        let export = decode(signal, Encoding::Protobuf, &many, NOW).unwrap();
        let events: usize = export.batches.iter().map(|batch| batch.events.len()).sum();
        assert_eq!(
            (events, export.rejected),
            (accepted, rejected),
            "{signal:?}"
        );
    }
    let points = message(2, &message(5, &message(1, b"").repeat(100_000)));
    let export = decode(
        Signal::Metrics,
        Encoding::Protobuf,
        &message(1, &message(2, &points)),
        NOW,
    )
    .unwrap();
    assert_eq!((export.batches.len(), export.rejected), (0, 100_000));
    assert_eq!(
        export.reason.unwrap(),
        "data point of metric \"\": the metric has no name"
    );
}
