//! Lines whose keys are unknown, doubled, escaped or in another case.

use apm_server::import::batches;
use apm_store::event::{Batch, Event, Metricset, Span};

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;

const TRANSACTION: &str = concat!(
    r#"{"transaction":{"id":"1","trace_id":"2","type":"request","duration":1,"#,
    r#""span_count":{"started":0}}}"#
);

/// The batch that a line becomes; `None` where it is refused.
fn read(line: &str) -> Option<Batch> {
    let mut batches = batches([METADATA, line, ""].join("\n").as_bytes());
    assert!(batches.len() < 2, "{line}");
    batches.pop()
}

/// A span with members beyond those that it must have.
fn span_line(members: &str) -> String {
    let required = concat!(
        r#""id":"1","trace_id":"2","parent_id":"3","name":"n","type":"t","#,
        r#""timestamp":1700000000000008,"duration":2"#
    );
    format!(r#"{{"span":{{{required},{members}}}}}"#)
}

fn span(members: &str) -> (Batch, Span) {
    let line = span_line(members);
    let batch = read(&line).unwrap_or_else(|| panic!("{line} is refused"));
    let Event::Span(span) = batch.events[0].clone() else {
        panic!("{line} is no span");
    };
    (batch, span)
}

fn metricset(samples: &str) -> (Batch, Metricset) {
    let line = format!(r#"{{"metricset":{{"timestamp":1700000000000008,"samples":{samples}}}}}"#);
    let batch = read(&line).unwrap_or_else(|| panic!("{line} is refused"));
    let Event::Metricset(metricset) = batch.events[0].clone() else {
        panic!("{line} is no metricset");
    };
    (batch, metricset)
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
        assert_eq!(batch.text(stack), format!("[{frame}]"));
    }
}

#[test]
fn frames_whose_keys_are_irregular_are_kept_in_the_regular_form() {
    for frame in [
        r#"{"lineno":2,"Filename":"f"}"#,
        r#"{"lineno":1,"lineno":2,"filename":"f"}"#,
        r#"{"filename":"f","LINENO":1,"line\u006eo":2}"#,
    ] {
        let (batch, span) = span(&format!(r#""stacktrace":[{frame}]"#));
        let stack = span.stack.expect("it has frames");
        assert_eq!(
            batch.text(stack),
            r#"[{"filename":"f","lineno":2}]"#,
            "{frame}"
        );
    }
}

#[test]
fn frames_are_checked_in_the_regular_form() {
    let line = span_line(r#""stacktrace":[{"Lineno":1}]"#);
    assert!(read(&line).is_none());
}

#[test]
fn an_unknown_key_with_a_capital_letter_leaves_the_line_as_it_is() {
    let (batch, span) = span(r#""Zone":{"aB":[1.50]},"context":{"userId":"x"}"#);
    assert_eq!(
        batch.text(span.rest),
        r#"{"Zone":{"aB":[1.50]},"context":{"userId":"x"}}"#
    );
}

#[test]
fn samples_may_have_unknown_fields_and_irregular_keys() {
    for sample in [
        r#"{"value":2,"aB":"x"}"#,
        r#"{"Value":2}"#,
        r#"{"value":1,"value":2}"#,
        r#"{"val\u0075e":2}"#,
    ] {
        let (batch, _) = metricset(&format!(r#"{{"Ab":{sample}}}"#));
        assert_eq!(batch.samples.len(), 1);
        assert_eq!(batch.text(batch.samples[0].name), "Ab");
        assert_eq!(batch.samples[0].number(), Some(2.0), "{sample}");
    }
}

#[test]
fn of_two_samples_with_the_same_name_the_last_one_wins() {
    let (batch, _) = metricset(r#"{"b":{"value":1},"a":{"value":2},"b":{"value":3}}"#);
    let samples: Vec<_> = batch
        .samples
        .iter()
        .map(|sample| (batch.text(sample.name), sample.number()))
        .collect();
    assert_eq!(samples, [("a", Some(2.0)), ("b", Some(3.0))]);
    let (batch, event) = metricset(r#"{"b":{"value":1},"b":{"values":[1],"counts":[2]},"a":null}"#);
    assert_eq!((batch.samples.len(), batch.samples[0].number()), (1, None));
    assert_eq!(
        batch.text(event.rest),
        r#"{"samples":{"a":null,"b":{"counts":[2],"values":[1]}}}"#
    );
}

#[test]
fn metadata_is_found_beside_other_members_of_an_irregular_line() {
    let irregular = concat!(
        r#"{"metadata":{"service":{"name":"irr","Agent":{"name":"a","version":"1"}},"#,
        r#""labels":{"K":"v"}},"aaa":1}"#
    );
    let batch = batches([irregular, TRANSACTION, ""].join("\n").as_bytes())
        .pop()
        .expect("it is accepted");
    assert_eq!(
        batch.resource.document,
        r#"{"metadata":{"labels":{"K":"v"},"service":{"agent":{"name":"a","version":"1"},"name":"irr"}}}"#
    );
}

#[test]
fn of_two_members_with_the_same_name_the_last_one_wins_in_the_root_too() {
    let event = &TRANSACTION[r#"{"transaction":"#.len()..TRANSACTION.len() - 1];
    for first in ["null", r#"{"id":"0"}"#, event] {
        for name in ["transaction", "Transaction", r"tr\u0061nsaction"] {
            let line = format!(r#"{{"transaction":{first},"{name}":{event},"x":1}}"#);
            assert!(read(&line).is_some(), "{line}");
        }
    }
    assert!(read(&format!(r#"{{"transaction":{event},"transaction":null}}"#)).is_none());
}
