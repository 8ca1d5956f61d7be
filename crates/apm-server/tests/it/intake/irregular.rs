//! Lines whose keys are unknown, doubled, escaped or in another case.

use apm_server::event::{Batch, Event, Span};
use apm_server::import::batches;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;

/// The batch that a line becomes; `None` where it is refused.
fn read(line: &str) -> Option<Batch> {
    let mut batches = batches([METADATA, line, ""].join("\n").as_bytes());
    assert!(batches.len() < 2, "{line}");
    batches.pop()
}

fn span(members: &str) -> (Batch, Span) {
    let line = format!(
        r#"{{"span":{{"id":"1","trace_id":"2","parent_id":"3","name":"n","type":"t","timestamp":8,"duration":2,{members}}}}}"#
    );
    let batch = read(&line).unwrap_or_else(|| panic!("{line} is refused"));
    let Event::Span(span) = batch.events[0].clone() else {
        panic!("{line} is no span");
    };
    (batch, span)
}

#[test]
fn unknown_keys_of_frames_may_be_as_they_like() {
    for frame in [
        r#"{"filename":"f","isNative":true}"#,
        r#"{"filename":"f","x":1,"x":2}"#,
        r#"{"filename":"f","\u0078":1}"#,
    ] {
        let (batch, span) = span(&format!(r#""stacktrace":[{frame}]"#));
        let stack = span.stack.expect("it has frames");
        assert_eq!(batch.text(stack.json), format!("[{frame}]"));
    }
}

#[test]
fn frames_whose_keys_are_irregular_are_kept_in_the_regular_form() {
    let plain = span(r#""stacktrace":[{"filename":"f","lineno":2}]"#)
        .1
        .stack;
    for frame in [
        r#"{"lineno":2,"Filename":"f"}"#,
        r#"{"lineno":1,"lineno":2,"filename":"f"}"#,
        r#"{"filename":"f","LINENO":1,"line\u006eo":2}"#,
    ] {
        let (batch, span) = span(&format!(r#""stacktrace":[{frame}]"#));
        let stack = span.stack.expect("it has frames");
        assert_eq!(batch.text(stack.json), r#"[{"filename":"f","lineno":2}]"#);
        assert_eq!(stack.hash, plain.expect("it has frames").hash, "{frame}");
    }
}

#[test]
fn frames_are_checked_in_the_regular_form() {
    let line = r#"{"span":{"id":"1","trace_id":"2","parent_id":"3","name":"n","type":"t","timestamp":8,"duration":2,"stacktrace":[{"Lineno":1}]}}"#;
    assert!(read(line).is_none());
}

#[test]
fn an_unknown_key_with_a_capital_letter_leaves_the_line_as_it_is() {
    let (batch, span) = span(r#""Zone":{"aB":[1.50]},"context":{"userId":"x"}"#);
    assert_eq!(
        batch.text(span.rest),
        r#"{"Zone":{"aB":[1.50]},"context":{"userId":"x"}}"#
    );
}
