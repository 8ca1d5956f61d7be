use proptest::prelude::*;

use super::*;

const LINES: [&str; 8] = [
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#,
    concat!(
        r#"{"transaction":{"id":"00000000000000a1","trace_id":"2","type":"request","duration":1.5,"#,
        r#""timestamp":7,"span_count":{"started":1},"context":{"request":{"method":"GET","#,
        r#""headers":{"a":["b","c"]},"url":{"port":"80"}},"tags":{"é":"\u00e9"}},"#,
        r#""dropped_spans_stats":[{"outcome":"success","duration":{"count":1,"sum":{"us":5}}}]}}"#,
    ),
    concat!(
        r#"{"span":{"id":"1","trace_id":"2","parent_id":"3","name":"n","type":"db.x.y","start":1,"#,
        r#""duration":2,"timestamp":8,"stacktrace":[{"filename":"f","lineno":1}],"#,
        r#""context":{"db":{"statement":"SELECT 1"}}}}"#,
    ),
    r#"{"Span":{"ID":"1"}}"#,
    concat!(
        r#"{"span":{"ID":"1","trace_id":"2","parent_id":"3","name":"n","name":"m","type":"t","#,
        r#""timestamp":8,"duration":2}}"#,
    ),
    concat!(
        r#"{"error":{"id":"1","timestamp":9,"exception":{"type":"T","cause":[{"message":"m"}],"#,
        r#""stacktrace":[{"classname":"C"}]}}}"#,
    ),
    r#"{"metricset":{"timestamp":9,"samples":{"a.b":{"value":1.5},"h":{"values":[1],"counts":[2]}}}}"#,
    r#"{"log":{"@timestamp":9,"log.level":"warn","message":"m","service":{"name":"x"}}}"#,
];

/// Reads a body: its events as text, and its report.
fn read(chunks: &[&[u8]]) -> (Vec<String>, String) {
    let mut stream = Stream::new(None, 2000, None, Arc::default());
    let mut batches = Vec::new();
    for chunk in chunks {
        let mut chunk = *chunk;
        while let Some(batch) = stream.advance(&mut chunk) {
            batches.push(batch);
        }
    }
    stream.finish();
    batches.extend(stream.take());
    let tell = |batch: &Batch| -> Vec<String> {
        let tell = |event: &apm_store::event::Event| {
            // An event that lost its timestamp got the time of receipt, which differs from one reading to the next.
            let received = event.timestamp() > 1_000_000_000_000_000;
            let time = if received { 0 } else { event.timestamp() };
            format!("{:?} {time} {}", event.kind(), batch.text(event.rest()))
        };
        batch.events.iter().map(tell).collect()
    };
    let events = batches.iter().flat_map(tell).collect();
    (
        events,
        serde_json::to_string(stream.report()).expect("it is plain"),
    )
}

#[test]
fn every_kind_of_line_becomes_an_event_and_the_odd_ones_are_put_in_order() {
    let (events, report) = read(&[LINES.join("\n").as_bytes()]);
    assert_eq!(events.len(), 6, "{events:#?} {report}");
    assert!(
        report.contains("did not recognize object type: \\\"Span\\\""),
        "{report}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn where_a_body_is_cut_changes_nothing(
        cuts in prop::collection::vec(0usize..1600, 0..8),
        damage in prop::option::of((0usize..1600, any::<u8>())),
    ) {
        let mut body = LINES.join("\n").into_bytes();
        if let Some((at, byte)) = damage {
            let at = at % body.len();
            body[at] = byte;
        }
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let chunks: Vec<_> = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]).collect();
        prop_assert_eq!(read(&chunks), read(&[&body]));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(
        line in 1usize..LINES.len(),
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0usize..6, prop::collection::vec(any::<u8>(), 0..6)),
            1..5,
        ),
    ) {
        let mut bytes = LINES[line].as_bytes().to_vec();
        for (at, cut, new) in edits {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, new);
        }
        let _ = read(&[LINES[0].as_bytes(), b"\n", &bytes, b"\n"]);
    }

    #[test]
    fn no_json_makes_the_decoder_panic(inner in r#"[\[\]{}:,"\\a-z0-9.eE +-]{0,60}"#, line in 1usize..5) {
        let kind = ["span", "transaction", "error", "metricset", "log"][line];
        let text = format!("{{\"{kind}\":{inner}");
        let _ = read(&[LINES[0].as_bytes(), b"\n", text.as_bytes(), b"\n"]);
    }
}
