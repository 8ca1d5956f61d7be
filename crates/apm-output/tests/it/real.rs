//! A server of ours, as a process, before a real OpenSearch. `.ci/engine` brings both.

mod asked;
mod cluster;
mod correlated;
mod counted;
mod http;
mod joined;
mod load;
mod loaded;
mod measured;
mod server;
mod together;
mod traces;

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

/// Waits until all that was answered is in the cluster, and looks whether each event is there once and counted once.
/// Returns the number of transactions.
fn complete(cluster: &Cluster, servers: &[Server], loads: &[Load]) -> u64 {
    for server in servers {
        server.wait_until_sent();
    }
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
    let answered: HashSet<String> = loads.iter().flat_map(Load::answered).collect();
    let lost = answered.iter().filter(|id| !events.contains(*id)).count();
    eprintln!(
        "{} transactions were answered, {} are in the engine; duplicates {twice}, lost {lost}",
        answered.len(),
        events.len()
    );
    assert_eq!((twice, lost), (0, 0));
    assert!(!answered.is_empty());
    let mut told = 0;
    for server in servers {
        let numbers = server.status();
        assert_eq!(numbers["output"]["refused"], 0, "{numbers}");
        assert_eq!(numbers["output"]["lost"], 0, "{numbers}");
        // Each is counted once: the engine took it, or says that it has it. It says so where a node went after it took
        // the document and another one asked for it again.
        let count = |name: &str| numbers["output"][name].as_u64().expect("a number");
        told += count("documents") + count("repeated");
    }
    assert_eq!(told, aggregates(cluster) + documents.len() as u64);
    // Minutes are sent each minute. Wider buckets are sent each ten minutes and each hour: of them there are not more.
    let all = events.len() as u64;
    let deadline = Instant::now() + Duration::from_secs(150);
    while counted_transactions(cluster, "1m") < all && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(
        counted_transactions(cluster, "1m"),
        all,
        "transactions in minutes"
    );
    for width in ["10m", "60m"] {
        let counted = counted_transactions(cluster, width);
        assert!(counted <= all, "{counted} of {all} transactions in {width}");
    }
    all
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

/// The transactions that aggregates of a width count; none while a shard of theirs is not there yet.
fn counted_transactions(cluster: &Cluster, width: &str) -> u64 {
    cluster.post("/_all/_refresh", &Value::Null);
    let question = json!({
        "size": 0,
        "query": {"bool": {"filter": [
            {"term": {"metricset.name": "transaction"}}, {"term": {"metricset.interval": width}},
        ]}},
        "aggs": {"all": {"sum": {"field": "transaction.duration.summary.value_count"}}},
    });
    let answer = cluster.post("/metrics-apm*/_search", &question);
    answer["aggregations"]["all"]["value"]
        .as_f64()
        .unwrap_or_default() as u64
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
    // Most of the 20 minutes are over, so their counts are sent.
    let deadline = Instant::now() + Duration::from_secs(120);
    let transactions = found
        .iter()
        .filter(|(_, source)| source["transaction"]["duration"].is_object())
        .count() as u64;
    loop {
        let counted = counted_transactions(&cluster, "1m");
        assert!(counted <= transactions, "{counted} of {transactions}");
        if counted > transactions / 2 {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{counted} of {transactions} are counted"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
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
    complete(&cluster, &[server], &[load]);
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
    complete(&cluster, &[server], &[load]);
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
    complete(&cluster, &[server], &[load]);
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn an_engine_without_room_for_another_shard_gets_all_once_it_has_some() {
    let cluster = Cluster::start(1);
    cluster.put(
        "/filler",
        &json!({"settings": {"number_of_shards": 1, "number_of_replicas": 0}}),
    );
    let most = |shards: Value| {
        let settings = json!({"persistent": {"cluster.max_shards_per_node": shards}});
        cluster.put("/_cluster/settings", &settings);
    };
    most(json!(1));
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &cluster.urls());
    let load = Load::start(server.port());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let output = server.status()["output"].clone();
        let trouble = output["trouble"].as_str().unwrap_or_default();
        // The engine answers 400, as it does to a document that cannot be.
        if trouble.contains("400") && trouble.contains("shards open") {
            break;
        }
        assert!(Instant::now() < deadline, "{output}");
        std::thread::sleep(Duration::from_millis(200));
    }
    most(Value::Null);
    load.stop();
    complete(&cluster, &[server], &[load]);
}
