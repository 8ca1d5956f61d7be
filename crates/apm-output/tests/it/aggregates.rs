//! Counts by minute, ten minutes and hour.

use serde_json::Value;

use crate::support::engine::{Act, Engine, OPENSEARCH};
use crate::support::{config, feed, lines, start, store, wait};

/// The sum of a field over the aggregates of a name and an interval.
fn sum(engine: &Engine, name: &str, interval: &str, field: &str) -> i64 {
    let all = engine.aggregates();
    let of = all.iter().filter(|document| {
        document["metricset"]["name"] == name && document["metricset"]["interval"] == interval
    });
    of.map(|document| document.pointer(field).and_then(Value::as_i64).unwrap_or(0))
        .sum()
}

#[test]
fn aggregates_count_each_event_once_however_often_the_output_starts() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let mut count = 0;
    for round in 0..5 {
        engine.script([Act::TakenRollover, Act::Items(2, 503)]);
        let output = start(&store, config(&engine));
        count += feed(&store, lines(round * 400, 400));
        wait("all are there", || engine.event_count() == count);
        output.stop();
    }
    // The next output sends what the last one left.
    let output = start(&store, config(&engine));
    let transactions = i64::try_from(count / 4).expect("few");
    for interval in ["1m", "10m", "60m"] {
        wait("transactions are counted", || {
            sum(&engine, "transaction", interval, "/_doc_count") == transactions
        });
        let field = "/span/destination/service/response_time/count";
        wait("spans are counted", || {
            sum(&engine, "service_destination", interval, field) == transactions
        });
        let counted = sum(
            &engine,
            "service_transaction",
            interval,
            "/event/success_count/sum",
        );
        assert_eq!(counted, transactions);
    }
    output.stop();
    assert_eq!(engine.duplicates(), 0);
    let one = engine
        .aggregates()
        .into_iter()
        .find(|one| one["metricset"]["name"] == "transaction");
    let one = one.expect("an aggregate");
    assert_eq!(one["labels"]["team"], "red");
    assert_eq!(one["service"]["name"], "shop");
    assert_eq!(one["data_stream"]["namespace"], "default");
    let time = one["@timestamp"].as_str().expect("a time");
    assert!(time.ends_with(":00.000Z"), "{time}");
}
