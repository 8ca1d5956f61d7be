//! Samples, counts and other numbers.

use apm_server::import::batches;
use apm_store::event::{Batch, Cost, Event};

use crate::support::server::TestServer;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;

fn read(line: &str) -> Batch {
    let mut batches = batches([METADATA, line, ""].join("\n").as_bytes());
    batches.pop().unwrap_or_else(|| panic!("{line} is refused"))
}

/// The refusals of a line.
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
    let line = concat!(
        r#"{"transaction":{"id":"1","trace_id":"2","type":"request","duration":-0,"timestamp":-0,"#,
        r#""span_count":{"started":-0},"#,
        r#""context":{"user":{"id":-0},"request":{"method":"GET","url":{"port":-0}}}}}"#
    );
    let batch = read(line);
    let Event::Transaction(transaction) = &batch.events[0] else {
        panic!("it is a transaction");
    };
    // The start of time cannot be: the time of arrival stands for it.
    assert_eq!(transaction.timestamp, batch.received);
    assert_eq!(batch.sent, [(0, 0)]);
    assert_eq!(transaction.spans_started, 0);
}

#[test]
fn numbers_beyond_all_measure_are_cut_in_the_columns_alone() {
    let line = concat!(
        r#"{"transaction":{"id":"1","trace_id":"2","type":"request","duration":1e300,"#,
        r#""timestamp":9223372036854775807,"#,
        r#""span_count":{"started":9223372036854775807,"dropped":-9223372036854775808},"#,
        r#""dropped_spans_stats":[{"duration":{"count":9223372036854775807,"#,
        r#""sum":{"us":9223372036854775807}}}]}}"#
    );
    let batch = read(line);
    let Event::Transaction(transaction) = &batch.events[0] else {
        panic!("it is a transaction");
    };
    let year = 366 * 86_400_000_000;
    assert_eq!(transaction.duration, year);
    assert_eq!(transaction.timestamp, batch.received);
    assert_eq!(batch.sent, [(0, 253_402_207_200_999_999)]);
    assert_eq!(transaction.spans_started, 1 << 40);
    assert_eq!(transaction.spans_dropped, Some(-(1 << 40)));
    assert_eq!(
        (batch.dropped[0].count, batch.dropped[0].sum),
        (1 << 40, year)
    );
    assert!(batch.text(transaction.rest).contains("9223372036854775807"));

    let line = concat!(
        r#"{"span":{"id":"1","trace_id":"2","parent_id":"3","name":"n","type":"t","start":-1e300,"duration":1,"#,
        r#""composite":{"compression_strategy":"exact_match","count":9223372036854775807,"sum":1e300}}}"#
    );
    let batch = read(line);
    let Event::Span(span) = &batch.events[0] else {
        panic!("it is a span");
    };
    let composite = span.composite.expect("it has one");
    assert_eq!((composite.count, composite.sum), (1 << 40, year));
    assert_eq!(span.timestamp, batch.received);

    let line = concat!(
        r#"{"metricset":{"timestamp":-9223372036854775808,"transaction":{"type":"t"},"#,
        r#""samples":{"span.self_time.count":{"value":1e300},"span.self_time.sum.us":{"value":1e300}}}}"#
    );
    let batch = read(line);
    let Event::Metricset(metricset) = &batch.events[0] else {
        panic!("it is a metricset");
    };
    let breakdown = metricset.breakdown.expect("it is one");
    assert_eq!(metricset.timestamp, batch.received);
    assert_eq!(batch.sent, [(0, -62_135_596_800_000_000)]);
    assert_eq!(breakdown.count, (1_i64 << 40) as f64);
    assert_eq!(breakdown.sum, year as f64);
}

#[actix_web::test]
async fn times_are_read_in_the_forms_of_the_protocol_alone() {
    let line =
        |time: &str| format!(r#"{{"log":{{"message":"m","@timestamp":"2023-11-14{time}"}}}}"#);
    for time in ["T23:13:20Z", "T23:13:20.1234567899999+0100", "T23:13:20-01"] {
        read(&line(time));
    }
    let bad = [
        "",
        " 23:13:20Z",
        "t23:13:20z",
        "T23:13Z",
        "T23:13:20+01:00[Europe/Berlin]",
    ];
    for message in refusals(bad.map(line)).await {
        assert!(
            message.starts_with("decode error: data read error: v2.logRoot.Log: v2.log.@timestamp"),
            "{message}"
        );
    }
}

#[test]
fn what_sqlite_did_is_read_from_whole_labels_and_never_guessed() {
    let cost = |context: &str| {
        let ids = r#""id":"1","trace_id":"2","parent_id":"3""#;
        let line = format!(
            r#"{{"span":{{{ids},"name":"n","type":"db","start":0,"duration":2,"context":{context}}}}}"#
        );
        match read(&line).events.remove(0) {
            Event::Span(span) => span.cost,
            other => panic!("{other:?}"),
        }
    };
    let all = r#"{"db":{"rows_affected":4},"tags":{"sqlite_steps":12046,"sqlite_scan_steps":999,"sqlite_sorts":1,
        "sqlite_autoindex_steps":2,"sqlite_reprepares":3,"sqlite_rows_returned":9,"sqlite_pages_read":5,
        "sqlite_pages_written":6}}"#;
    let expected = Cost {
        steps: 12_046,
        scan_steps: 999,
        sorts: 1,
        autoindex_steps: 2,
        reprepares: 3,
        rows_returned: 9,
        pages_read: 5,
        pages_written: 6,
        rows_changed: Some(4),
    };
    assert_eq!(cost(&all.replace('\n', "")), Some(expected));
    let zeroes = Cost {
        steps: 9,
        ..Cost::default()
    };
    // (labels, what is read)
    let huge = Cost {
        steps: 1 << 40,
        ..Cost::default()
    };
    for (tags, expected) in [
        (r#"{"sqlite_steps":9}"#, Some(zeroes)),
        (
            r#"{"sqlite_steps":9,"sqlite_sorts":-1,"sqlite_other":7}"#,
            Some(zeroes),
        ),
        (
            r#"{"sqlite_steps":9,"sqlite_scan_steps":"5","sqlite_sorts":true}"#,
            Some(zeroes),
        ),
        (r#"{"sqlite_steps":18446744073709551615}"#, Some(huge)),
        (r#"{"sqlite_steps":-1}"#, None),
        (r#"{"sqlite_steps":"9"}"#, None),
        (r#"{"sqlite_steps":null}"#, None),
        (r#"{"sqlite_scan_steps":9}"#, None),
        ("{}", None),
    ] {
        assert_eq!(cost(&format!(r#"{{"tags":{tags}}}"#)), expected, "{tags}");
    }
    assert_eq!(cost(r#"{"db":{"rows_affected":4}}"#), None);
}
