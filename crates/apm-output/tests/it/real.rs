//! A server of ours, as a process, before a real OpenSearch. `.ci/engine` brings both.

mod cluster;
mod counted;
mod http;
mod joined;
mod load;
mod server;
mod together;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use cluster::Cluster;
use load::Load;
use server::Server;

/// The documents of events that the cluster holds, by data stream and id: each as often as it is there.
fn documents(cluster: &Cluster) -> Vec<(String, Value)> {
    cluster.post("/_all/_refresh", &Value::Null);
    let question = json!({
        "size": 5000,
        "query": {"bool": {"must_not": {"exists": {"field": "metricset.interval"}}}},
        "sort": ["_doc"],
    });
    let path = "/traces-apm*,logs-apm*,metrics-apm*/_search?scroll=1m";
    let mut answer = cluster.post(path, &question);
    let mut found = Vec::new();
    loop {
        let hits = answer["hits"]["hits"].as_array().expect("hits").clone();
        if hits.is_empty() {
            return found;
        }
        found.extend(hits.into_iter().map(|hit| {
            let id = hit["_id"].as_str().expect("an id").to_owned();
            (id, hit["_source"].clone())
        }));
        let next = json!({"scroll": "1m", "scroll_id": answer["_scroll_id"]});
        answer = cluster.post("/_search/scroll", &next);
    }
}

/// Waits until all that was answered is in the cluster, and looks whether each event is there once.
fn complete(cluster: &Cluster, server: &Server, load: &Load) {
    server.wait_until_sent();
    let documents = documents(cluster);
    let ids: BTreeSet<&str> = documents.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids.len(), documents.len(), "duplicates by id");
    let mut events = HashSet::new();
    let mut twice = 0;
    for (_, source) in &documents {
        if let Some(id) = source.pointer("/transaction/id").and_then(Value::as_str) {
            twice += usize::from(!events.insert(id.to_owned()));
        }
    }
    let answered = load.answered();
    let lost = answered.iter().filter(|id| !events.contains(*id)).count();
    eprintln!(
        "{} transactions were answered, {} are in the engine; duplicates {twice}, lost {lost}",
        answered.len(),
        events.len()
    );
    assert_eq!((twice, lost), (0, 0));
    assert!(!answered.is_empty());
    let numbers = server.status();
    assert_eq!(numbers["output"]["refused"], 0, "{numbers}");
    assert_eq!(numbers["output"]["lost"], 0, "{numbers}");
    // Each is counted once: the engine took it, or says that it has it. It says so where a node went after it took the
    // document and another one asked for it again.
    let count = |name: &str| numbers["output"][name].as_u64().expect("a number");
    assert_eq!(
        count("documents") + count("repeated"),
        aggregates(cluster) + documents.len() as u64,
        "{numbers}"
    );
}

/// The number of aggregates in the cluster.
fn aggregates(cluster: &Cluster) -> u64 {
    let question = json!({
        "size": 0, "track_total_hits": true,
        "query": {"exists": {"field": "metricset.interval"}},
    });
    let answer = cluster.post("/metrics-apm*/_search", &question);
    answer["hits"]["total"]["value"].as_u64().expect("a number")
}

fn rollover(cluster: &Cluster) {
    for stream in ["traces-apm-default", "metrics-apm.internal-default"] {
        cluster.post_leniently(&format!("/{stream}/_rollover"));
    }
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn every_document_of_a_mixed_load_is_the_one_that_discover_shows() {
    let cluster = Cluster::start(1);
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &cluster.urls());
    server.generate();
    server.wait_until_sent();
    let mut sent = BTreeMap::<String, usize>::new();
    let found = documents(&cluster);
    for (_, source) in &found {
        *sent.entry(source.to_string()).or_default() += 1;
    }
    let mut shown = BTreeMap::<String, usize>::new();
    for document in server.discover() {
        *shown.entry(document.to_string()).or_default() += 1;
    }
    eprintln!(
        "{} documents, {} of them different",
        found.len(),
        sent.len()
    );
    assert!(found.len() > 1000);
    for (document, count) in &shown {
        assert_eq!(sent.get(document), Some(count), "{document}");
    }
    assert_eq!(sent.len(), shown.len());
    assert!(aggregates(&cluster) > 0 || server.status()["output"]["documents"].is_u64());
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn a_server_that_is_killed_twenty_times_under_load_loses_and_doubles_nothing() {
    let cluster = Cluster::start(1);
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = Server::start(dir.path(), &cluster.urls());
    let load = Load::start(server.port());
    for round in 0..20 {
        std::thread::sleep(Duration::from_millis(700 + round * 53));
        server.kill();
        if round % 3 == 1 {
            rollover(&cluster);
        }
        server = server.again(&cluster.urls());
    }
    load.stop();
    complete(&cluster, &server, &load);
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn a_cluster_that_loses_the_node_with_the_primary_loses_and_doubles_nothing() {
    let mut cluster = Cluster::start(3);
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &cluster.urls());
    let load = Load::start(server.port());
    let deadline = Instant::now() + Duration::from_secs(180);
    while cluster.health() != "green" || documents(&cluster).len() < 500 {
        assert!(Instant::now() < deadline, "the cluster is not green");
        std::thread::sleep(Duration::from_millis(200));
    }
    let node = cluster.node_of_primary("traces-apm-default");
    cluster.kill(&node);
    std::thread::sleep(Duration::from_secs(5));
    load.stop();
    complete(&cluster, &server, &load);
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn an_engine_that_is_away_for_a_while_gets_what_came_meanwhile() {
    let mut cluster = Cluster::start(1);
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &cluster.urls());
    let load = Load::start(server.port());
    std::thread::sleep(Duration::from_secs(2));
    cluster.kill("n1");
    std::thread::sleep(Duration::from_secs(5));
    let health = server.get("/healthz");
    assert_eq!(health["status"], "ok");
    assert_eq!(health["output"]["status"], "waiting", "{health}");
    cluster.revive("n1");
    load.stop();
    complete(&cluster, &server, &load);
}
