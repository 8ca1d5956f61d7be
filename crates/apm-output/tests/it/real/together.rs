//! Two servers before one engine.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::asked::ask;
use super::cluster::Cluster;
use super::correlated::correlate;
use super::counted::count;
use super::http::call;
use super::joined::{look, send_error};
use super::rollover;
use super::server::Server;
use super::traces::look_at_traces;
use crate::support::now;

/// The half of a trace that a caller sends, or the one that its callee sends.
fn half(service: &str, n: u64, is_callee: bool) -> String {
    let at = now();
    let (own, parent) = match is_callee {
        false => (format!("{n:016x}"), String::new()),
        true => (format!("c{n:015x}"), format!(r#""parent_id":"b{n:015x}","#)),
    };
    let (kind, context) = match is_callee {
        false => (
            "external",
            r#""destination":{"service":{"resource":"stock:80"}}"#.to_owned(),
        ),
        true => (
            "db",
            format!(
                r#""db":{{"statement":"SELECT * FROM item WHERE id = {n}","type":"sql"}},
                "destination":{{"service":{{"resource":"sqlite/d"}}}}"#
            ),
        ),
    };
    let span = if is_callee { "d" } else { "b" };
    let lines = [
        format!(
            r#"{{"metadata":{{"service":{{"name":"{service}","agent":{{"name":"rust","version":"1"}}}}}}}}"#
        ),
        format!(
            r#"{{"transaction":{{"id":"{own}","trace_id":"{n:032x}",{parent}"name":"GET /{service}","type":"request",
            "outcome":"success","duration":20,"timestamp":{at},"span_count":{{"started":1}}}}}}"#
        ),
        format!(
            r#"{{"span":{{"id":"{span}{n:015x}","trace_id":"{n:032x}","parent_id":"{own}","transaction_id":"{own}",
            "name":"call","type":"{kind}","subtype":"x","duration":10,"timestamp":{},"outcome":"success",
            "context":{{{context}}}}}}}"#,
            at + 1000
        ),
    ];
    lines.map(|line| line.replace('\n', "")).join("\n")
}

pub(super) fn send(server: &Server, body: &str) -> bool {
    let kind = "application/x-ndjson";
    let answer = call(
        server.port(),
        "POST",
        "/intake/v2/events",
        kind,
        body.as_bytes(),
    );
    answer.is_ok_and(|(status, _)| status == 202)
}

/// Services with their transactions, as a server's list shows them.
fn services(server: &Server) -> Vec<(String, f64)> {
    let answer = server.get("/api/v1/services?from=now-1h&to=now%2B2m");
    let services = answer["services"].as_array().expect("services").iter();
    let mut services: Vec<(String, f64)> = services
        .map(|one| {
            let name = one["name"].as_str().expect("a name").to_owned();
            (name, one["transactions"].as_f64().expect("a number"))
        })
        .collect();
    services.sort_by(|a, b| a.0.cmp(&b.0));
    services
}

/// Transactions of a service by its instances, or by its versions.
fn transactions(server: &Server, service: &str, by: &str) -> f64 {
    let path = format!("/api/v1/services/{service}/{by}?from=now-1h&to=now%2B2m");
    let answer = server.get(&path);
    assert_eq!(answer["elsewhere"]["remark"], Value::Null, "{answer}");
    let rows = answer[by].as_array().expect("rows").iter();
    rows.filter_map(|row| row["count"].as_f64()).sum()
}

/// Settings of agents that were made on one server, changed and removed on the other; markers, too.
fn decide(servers: &[Server; 2]) {
    let [a, b] = servers;
    let set = |server: &Server, rate: &str| {
        let form = format!("service=shop&environment=prod&settings={rate}");
        let kind = "application/x-www-form-urlencoded";
        let path = "/settings/agents";
        let answer = call(server.port(), "POST", path, kind, form.as_bytes());
        assert_eq!(answer.expect("an answer").0, 303);
    };
    let given = |server: &Server| {
        server.get("/config/v1/agents?service.name=shop&service.environment=prod")
    };
    for (from, to, rate) in [(a, b, "0.25"), (b, a, "0.5"), (a, b, "0.25"), (b, a, "")] {
        let line = match rate {
            "" => String::new(),
            rate => format!("transaction_sample_rate%3D{rate}"),
        };
        set(from, &line);
        let wanted = match rate {
            "" => json!({}),
            rate => json!({"transaction_sample_rate": rate}),
        };
        wait("agents get the same from both", || {
            given(from) == wanted && given(to) == wanted
        });
    }
    let marker = json!({"name": "before the index", "service": "shop"}).to_string();
    let kind = "application/json";
    let answer = call(b.port(), "POST", "/api/v1/markers", kind, marker.as_bytes());
    assert_eq!(answer.expect("an answer").0, 201);
    wait("the marker is on the other", || {
        let markers = a.get("/api/v1/markers").to_string();
        markers.matches("before the index").count() == 1
    });
}

#[track_caller]
pub(super) fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !condition() {
        assert!(Instant::now() < deadline, "still not: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The number of times that a server is killed: what `POCKET_APM_KILLS` says, or as usual.
pub(super) fn rounds_of(usual: usize) -> usize {
    let told = std::env::var("POCKET_APM_KILLS").ok();
    told.map_or(usual, |told| {
        told.parse().expect("POCKET_APM_KILLS is a number")
    })
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn two_servers_that_are_killed_show_the_same_lists_and_whole_traces() {
    together(&mut Cluster::start(1), false);
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn two_servers_before_three_nodes_of_which_one_is_killed_show_the_same_lists_and_whole_traces() {
    together(&mut Cluster::start(3), true);
}

/// The indices and ids of the documents of a trace, each as often as it is there.
fn ids(cluster: &Cluster, trace: u64) -> Value {
    let question = json!({"size": 100, "_source": false, "query": {"term": {"trace.id": format!("{trace:032x}")}}});
    cluster.post(
        "/traces-apm*/_search?filter_path=hits.hits._index,hits.hits._id",
        &question,
    )
}

fn together(cluster: &mut Cluster, kills_node: bool) {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let mut servers = [0, 1].map(|at: usize| Server::start(dirs[at].path(), &cluster.urls()));
    let mut sent = [0, 0];
    let mut n = 0;
    let rounds = rounds_of(6);
    for round in 0..rounds {
        for _ in 0..25 {
            n += 1;
            // A body that was not answered is sent again, as an agent would not: it is there once in any case here.
            for (at, service) in ["shop", "stock"].into_iter().enumerate() {
                assert!(
                    send(&servers[at], &half(service, n, at == 1)),
                    "round {round}"
                );
                sent[at] += 1;
            }
        }
        let at = round % 2;
        servers[at].kill();
        if round % 3 == 1 {
            rollover(cluster);
            cluster.post_leniently("/metrics-pocket.rollup-default/_rollover");
        }
        servers[at] = servers[at].again(&cluster.urls());
        if kills_node && round == rounds / 2 {
            let node = cluster.node_of_primary("metrics-pocket.rollup-default");
            wait("the deltas are on two nodes", || {
                cluster.health() == "green"
            });
            cluster.kill(&node);
        }
    }
    let wanted = [
        ("shop".to_owned(), f64::from(sent[0])),
        ("stock".to_owned(), f64::from(sent[1])),
    ];
    for server in &servers {
        let mut last = Vec::new();
        wait("each list has the sums of both", || {
            last = services(server);
            last == wanted
        });
        let covers = server.status()["output"]["covers"].clone();
        assert_eq!(covers["servers"], 2, "{covers}");
        assert_eq!(covers["others"][0]["skipped"], 0, "{covers}");
    }
    // They stay what they are.
    std::thread::sleep(Duration::from_secs(5));
    for server in &servers {
        assert_eq!(services(server), wanted);
        for (service, sent) in &wanted {
            for by in ["instances", "versions"] {
                assert_eq!(
                    transactions(server, service, by),
                    *sent,
                    "{by} of {service}"
                );
            }
        }
        server.wait_until_sent();
    }
    send_error(&servers[1], "stock");
    servers[1].wait_until_sent();
    cluster.post("/_all/_refresh", &Value::Null);
    for server in &servers {
        for one in [1, n / 2, n] {
            let trace = server.get(&format!("/api/v1/traces/{one:032x}"));
            assert_eq!(trace["total"], 4, "{trace} of {}", ids(cluster, one));
            assert_eq!(trace["orphans"], 0, "{trace}");
            assert_eq!(trace["elsewhere"]["events"], 2, "{trace}");
        }
    }
    let traces = usize::try_from(n).expect("small");
    look_at_traces(&servers, traces);
    look(&servers, traces);
    ask(&servers, traces);
    decide(&servers);
    count(&servers);
    correlate(&servers);
    let behind = servers[0].status()["output"]["covers"]["behind_seconds"].clone();
    eprintln!(
        "{n} traces of two halves are whole on both servers, which were killed {rounds} times and are {behind} s behind"
    );
}
