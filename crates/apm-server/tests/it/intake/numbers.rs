//! Samples, counts and other numbers.

use apm_server::event::{Batch, Event};
use apm_server::import::batches;

use crate::support::server::TestServer;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;

fn read(line: &str) -> Batch {
    let mut batches = batches([METADATA, line, ""].join("\n").as_bytes());
    batches.pop().unwrap_or_else(|| panic!("{line} is refused"))
}

/// What a line is refused with.
async fn refusals(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let server = TestServer::start();
    let mut messages = Vec::new();
    for line in lines {
        let answer = server.intake([METADATA, &line, ""].join("\n")).await;
        let message = answer.json()["errors"][0]["message"].clone();
        messages.push(message.as_str().unwrap_or("accepted").to_owned());
    }
    server.stop().await;
    messages
}

#[actix_web::test]
async fn a_sample_has_a_value_or_values() {
    let line = |sample| format!(r#"{{"metricset":{{"samples":{{"a":{sample}}}}}}}"#);
    for sample in [
        "null",
        r#"{"value":1}"#,
        r#"{"value":1,"values":[]}"#,
        r#"{"values":[],"counts":[]}"#,
        r#"{"values":[1.5],"counts":[-0]}"#,
    ] {
        read(&line(sample));
    }
    let bad = ["{}", r#"{"foo":1}"#, r#"{"value":null}"#, r#"{"unit":"s"}"#];
    for message in refusals(bad.map(line)).await {
        assert_eq!(
            message,
            "validation error: metricset: samples: requires at least one of the fields 'value;values'"
        );
    }
}

#[actix_web::test]
async fn counts_are_whole_and_not_negative() {
    let line = |counts| {
        format!(r#"{{"metricset":{{"samples":{{"a":{{"values":[1],"counts":{counts}}}}}}}}}"#)
    };
    read(&line("[3]"));
    let bad = ["[-1]", "[1.5]", "[0.0]", r#"["1"]"#];
    let messages = refusals(bad.map(line)).await;
    assert_eq!(
        messages[0],
        "validation error: metricset: samples: 'counts': validation rule 'minVals(0)' violated"
    );
    for message in &messages[1..] {
        assert!(message.starts_with("decode error: "), "{message}");
    }
}

#[test]
fn minus_zero_is_a_whole_number() {
    let line = r#"{"transaction":{"id":"1","trace_id":"2","type":"request","duration":-0,"timestamp":-0,"span_count":{"started":-0},"context":{"user":{"id":-0},"request":{"method":"GET","url":{"port":-0}}}}}"#;
    let Event::Transaction(transaction) = &read(line).events[0] else {
        panic!("it is a transaction");
    };
    assert_eq!(transaction.timestamp, 0);
    assert_eq!(transaction.spans_started, 0);
}
