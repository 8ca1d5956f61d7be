//! Lines whose bytes are not quite JSON.

use apm_server::import::batches;
use apm_store::event::{Batch, Event};

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;
const TRANSACTION: &str = concat!(
    r#"{"transaction":{"id":"1","trace_id":"2","type":"request","duration":1,"#,
    r#""span_count":{"started":0}}}"#
);

fn read(metadata: &str, line: &str) -> Batch {
    let mut batches = batches([metadata, line, ""].join("\n").as_bytes());
    batches.pop().unwrap_or_else(|| panic!("{line} is refused"))
}

#[test]
fn brackets_after_the_value_are_ignored() {
    let brackets = "[".repeat(200);
    read(METADATA, &(TRANSACTION.to_owned() + &brackets));
    read(&(METADATA.to_owned() + &brackets), TRANSACTION);
}

#[test]
fn a_lone_half_of_a_character_is_replaced_wherever_it_is() {
    let line = concat!(
        r#"{"span":{"id":"1","trace_id":"2","parent_id":"3","name":"n\ud83d","type":"t","#,
        r#""timestamp":1700000000000008,"duration":2,"#,
        r#""stacktrace":[{"filename":"f","function":"\ud83d","vars":{"v":"\ud83d"},"x":"\ude00"}],"#,
        r#""otel":{"attributes":{"a":["\ud83d"]}},"#,
        r#""context":{"tags":{"t":"\ud83d"},"isX":"\ud83d\ud83d\ude00"},"Own":"\ude00"}}"#
    );
    let batch = read(METADATA, line);
    let Event::Span(span) = &batch.events[0] else {
        panic!("it is a span");
    };
    assert_eq!(batch.text(span.name), "n\u{fffd}");
    assert_eq!(
        batch.text(span.stack.expect("it has frames")),
        r#"[{"filename":"f","function":"\ufffd","vars":{"v":"\ufffd"},"x":"\ufffd"}]"#
    );
    // An attribute of OpenTelemetry is a label.
    let rest: serde_json::Value = serde_json::from_str(batch.text(span.rest)).unwrap();
    assert_eq!(
        rest,
        serde_json::json!({
            "otel": {"span_kind": "INTERNAL"},
            "attributes": {},
            "context": {"tags": {"t": "\u{fffd}", "a": ["\u{fffd}"]}, "isX": "\u{fffd}😀"},
            "Own": "\u{fffd}",
        })
    );
}

#[test]
fn a_lone_half_is_replaced_in_the_trace_alone_and_in_irregular_lines_too() {
    for (frame, kept) in [
        (
            r#"{"filename":"f","vars":{"V":"\ud83d"}}"#,
            r#"[{"filename":"f","vars":{"V":"\ufffd"}}]"#,
        ),
        (
            r#"{"filename":"\ud83d","Function":"g"}"#,
            "[{\"filename\":\"\u{fffd}\",\"function\":\"g\"}]",
        ),
    ] {
        let required = concat!(
            r#""id":"1","trace_id":"2","parent_id":"3","name":"n","type":"t","#,
            r#""timestamp":1700000000000008,"duration":2"#
        );
        let line = format!(r#"{{"span":{{{required},"stacktrace":[{frame}]}}}}"#);
        let batch = read(METADATA, &line);
        let Event::Span(span) = &batch.events[0] else {
            panic!("it is a span");
        };
        assert_eq!(batch.text(span.stack.expect("it has frames")), kept);
    }
}

#[test]
fn an_error_and_a_log_line_with_lone_halves_keep_their_other_members() {
    for line in [
        r#"{"error":{"id":"1","exception":{"message":"m","attributes":{"a":"\ud83d"}}}}"#,
        r#"{"error":{"ID":"1","exception":{"message":"m\ud83d"}}}"#,
        r#"{"log":{"message":"m","log":{"level":"x\ud83d"}}}"#,
    ] {
        let batch = read(METADATA, line);
        let rest = batch.text(batch.events[0].rest());
        assert!(rest.contains("\"message\":\"m"), "{rest}");
        assert!(rest.contains('\u{fffd}'), "{rest}");
    }
}

#[test]
fn nested_keys_of_log_lines_are_checked_like_flat_ones() {
    let long = "x".repeat(1025);
    for (flat, nested) in [
        (
            format!(r#""log.level":"{long}""#),
            format!(r#""log":{{"level":"{long}"}}"#),
        ),
        (
            r#""log.origin.file.line":1.5"#.to_owned(),
            r#""log":{"origin":{"file":{"line":1.5}}}"#.to_owned(),
        ),
        (
            format!(r#""service.node.name":"{long}""#),
            format!(r#""service":{{"node":{{"name":"{long}"}}}}"#),
        ),
        (
            r#""error.type":1"#.to_owned(),
            r#""error":{"type":1}"#.to_owned(),
        ),
    ] {
        for member in [flat, nested] {
            let line = format!(r#"{{"log":{{"message":"m",{member}}}}}"#);
            let body = [METADATA, &line, ""].join("\n");
            assert!(batches(body.as_bytes()).is_empty(), "{line}");
        }
    }
    let line = concat!(
        r#"{"log":{"log":{"Level":"warn","x":[1],"origin":{"file":{"name":"f","line":1}}},"#,
        r#""service":{"name":"a.b"},"error":{"stack_trace":"s"},"process":{"pid":1},"event":null}}"#
    );
    let batch = read(METADATA, line);
    let Event::Log(log) = &batch.events[0] else {
        panic!("it is a log line");
    };
    assert_eq!(batch.text(log.level.expect("it has one")), "warn");
    assert!(log.has_error);
}
