//! Numbers for the guide: bytes of a document in the engine, and how far behind the output is under load.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::load::Load;
use super::server::Server;

/// Data streams of events, without those of aggregates.
const EVENTS: &str = "traces-apm*,logs-apm*,metrics-apm.internal*,metrics-apm.app.*";

/// Documents of some indices, and bytes of them, without replicas.
fn size(cluster: &Cluster, indices: &str) -> (u64, u64) {
    for done in ["_refresh", "_flush"] {
        cluster.post(&format!("/{indices}/{done}"), &Value::Null);
    }
    let stats = cluster.get(&format!("/{indices}/_stats/docs,store"));
    let all = &stats["_all"]["primaries"];
    let number = |value: &Value| value.as_u64().expect("a number");
    (
        number(&all["docs"]["count"]),
        number(&all["store"]["size_in_bytes"]),
    )
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn a_document_takes_some_hundred_bytes_and_all_that_was_answered_arrives() {
    let cluster = Cluster::start(1);
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &cluster.urls());
    server.generate_traces(4000, "55m");
    server.wait_until_sent();
    cluster.post(
        &format!("/{EVENTS}/_forcemerge?max_num_segments=1"),
        &json!({}),
    );
    let (documents, bytes) = size(&cluster, EVENTS);
    let output = server.status()["output"].clone();
    let sent = output["bytes"].as_f64().expect("a number")
        / output["documents"].as_f64().expect("a number");
    let each = bytes / documents.max(1);
    eprintln!("{documents} documents of all kinds take {each} B each, and {sent:.0} B on the way");
    assert!(documents > 10_000 && (50..2000).contains(&each), "{each}");
    for (each, words) in [
        (Duration::ZERO, "without a pause"),
        // 60 events each: 1 000 a second of both.
        (Duration::from_millis(120), "at a rate"),
    ] {
        let before = size(&cluster, EVENTS).0;
        let begun = Instant::now();
        let agents = [3, 4].map(|agent| agent + 10 * u64::from(each.is_zero()));
        let load = Load::of_agents(server.port(), agents, each);
        let (mut longest, mut most) = (0, 0);
        while begun.elapsed() < Duration::from_secs(15) {
            let output = server.status()["output"].clone();
            let number = |name: &str| output[name].as_u64().expect("a number");
            longest = longest.max(number("lag_seconds"));
            most = most.max(number("lag_events"));
            std::thread::sleep(Duration::from_millis(250));
        }
        load.stop();
        let taken = begun.elapsed().as_secs_f64();
        server.wait_until_sent();
        let came = load.answered().len();
        eprintln!(
            "{:.0} events a second {words}, for {taken:.0} s: at most {most} waited, the first for {longest} s; \
             all were sent after {:.0} s",
            came as f64 / taken,
            begun.elapsed().as_secs_f64()
        );
        assert_eq!(size(&cluster, EVENTS).0 - before, came as u64);
    }
}
