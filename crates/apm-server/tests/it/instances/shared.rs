//! Instances and versions of all servers before one engine.

use actix_web::web::Bytes;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use apm_server::analytics::Scope;
use apm_server::analytics::instances::{self, Instance, Servers};
use apm_server::analytics::window::Window;
use apm_server::import;
use apm_store::{Store, StoreError, StoreOptions};
use apm_time::Range;
use serde_json::{Value, json};

use crate::support::events::now;
use crate::support::server::{TestServer, eventually};

const MINUTE: i64 = 60_000_000;

/// Requests and samples of an instance, of some minutes.
fn report(node: &str, version: &str, from: i64, requests: i64) -> String {
    let metadata = json!({"metadata": {
        "service": {
            "name": "shop", "version": version, "node": {"configured_name": node},
            "agent": {"name": "a", "version": "1"}, "runtime": {"name": "rust", "version": "1.90"},
        },
        "system": {"configured_hostname": format!("host-of-{node}"), "kubernetes": {"pod": {"name": "p"}}},
    }});
    let mut body = metadata.to_string();
    for number in 0..requests {
        let id = format!("{number:08x}{:08x}", from / MINUTE % 1_000_000);
        let outcome = ["success", "failure", "unknown"][number as usize % 3];
        let at = from + number * 7_000_000;
        let transaction = json!({"transaction": {
            "id": id, "trace_id": id.repeat(2), "name": "GET /", "type": "request", "timestamp": at,
            "duration": 1 + number * 3, "outcome": outcome, "sample_rate": 0.5, "span_count": {"started": 0},
        }});
        let metrics = json!({"metricset": {"timestamp": at, "samples": {
            "system.process.cpu.total.norm.pct": {"value": 0.25},
            "system.process.memory.rss.bytes": {"value": 1000 * number},
        }}});
        body.push_str(&format!("\n{transaction}\n{metrics}"));
    }
    body
}

fn feed(store: &Store, body: &str) {
    for batch in import::batches(body.as_bytes()) {
        store.submit(batch).expect("room").wait().expect("stored");
    }
}

#[test]
fn counts_of_instances_are_what_their_events_say() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut options = StoreOptions::new(dir.path().join("apm.db"));
    options.shares_counts = true;
    let store = Store::open(options).expect("opens");
    // Over more than an hour, so that the range has rows of each level.
    let from = (now() / MINUTE - 200) * MINUTE;
    let nodes = [("a", "1.4", 40), ("a", "1.5", 11), ("b", "1.5", 7)];
    for (place, (node, version, requests)) in nodes.into_iter().enumerate() {
        let at = from + place as i64 * 50 * MINUTE;
        feed(&store, &report(node, version, at, requests));
    }
    let scope = Scope {
        service: Some("shop".to_owned()),
        ..Scope::default()
    };
    let range = Range::new(from - 10 * MINUTE, from + 180 * MINUTE).expect("not empty");
    let window = Window::new(range, now());
    let list = |servers: Servers| -> Vec<Instance> {
        let found =
            store.read::<_, StoreError>(|conn| instances::list(conn, &scope, &window, servers));
        let found = found.expect("read");
        assert!(found.complete);
        found.instances
    };
    let (mut events, counts) = (list(Servers::This), list(Servers::All));
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].version, "1.5");
    // Two processes ran on the first, which counts do not tell.
    assert_eq!(events[0].processes, Some(2));
    for row in &mut events {
        row.processes = None;
    }
    assert_eq!(counts, events);
}

/// An engine that has the announcement of another server, and a delta of it.
fn engine(minute: i64) -> String {
    let announced = json!({"kind": "server", "store": "other", "node": "other", "name": "b:8200", "first": 1,
        "number": 1, "beat": 1, "changed": minute});
    let cell = |minute: i64| {
        json!([
            0,
            minute,
            [
                4.0, 1.0, 3.0, 400_000.0, 1.0, 0.5, 0.0, 0.0, 1.0, 64e6, 2.0, 1.0, 100_000.0
            ],
            [0.25, 0.75]
        ])
    };
    let delta = json!({"store": "other", "number": 1, "delta": {
        "format": 1,
        "services": [{"name": "shop", "agent": "java", "version": "2.0"}],
        "transactions": [[0, "request", "GET /"]],
        "tx": [[0, minute, 0, 1, 4.0, 4, 400_000.0, 100_000]],
        "tx_bins": [[0, minute, 1, 582, 4.0]],
        "errors": [{"service": 0, "key": 7, "kind": "Far", "message": "far away", "seen": minute}],
        "error": [[0, minute, 1]],
        "error_versions": [[0, "2.0", minute * 1_000_000, minute * 1_000_000, 1]],
        "instances": [{"service": 0, "node": "<far>", "version": "2.0", "host": "h", "runtime": "jvm 21"}],
        "instance": [cell(minute), cell(minute - 3 * 3600)],
        "instance_bins": [[0, minute, 582, 4.0]],
        "series": [{"service": 0, "name": "system.process.cpu.total.norm.pct", "kind": 0, "labels": "{}"},
            {"service": 0, "name": "queue", "kind": 0, "labels": "{}"}],
        "metric": [[0, minute, 1, 1.0, 0.5, 0.5, 0.5], [1, minute, 1, 1.0, 7.0, 7.0, 7.0]],
    }});
    let answer = move |request: HttpRequest, body: Bytes| {
        let text = String::from_utf8_lossy(&body);
        let (is_search, path) = (request.path().ends_with("/_search"), request.path());
        let hit = |source: &Value| json!([{"_id": "1", "_source": source}]);
        let hits = if is_search && path.contains("pocket-apm-shared") && text.contains("\"server\"")
        {
            hit(&announced)
        } else if is_search && path.contains("pocket.rollup") && text.contains("\"other\"") {
            hit(&delta)
        } else {
            json!([])
        };
        let reply = json!({"version": {"distribution": "opensearch", "number": "2.19.6"}, "timed_out": false,
            "_shards": {"failed": 0}, "hits": {"hits": hits}, "acknowledged": true, "_seq_no": 1, "_primary_term": 1});
        let is_missing = request.method() == "GET" && path != "/";
        let reply = if is_missing {
            HttpResponse::NotFound().json(json!({}))
        } else {
            HttpResponse::Ok().json(reply)
        };
        async move { reply }
    };
    let server = HttpServer::new(move || App::new().default_service(web::to(answer.clone())));
    let server = server.workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).expect("a free port");
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    format!("http://{address}")
}

#[actix_web::test]
async fn the_pages_of_a_server_have_the_instances_and_versions_of_the_others() {
    let minute = now() / MINUTE * 60;
    let hosts = [engine(minute)];
    let server = TestServer::with(|config| {
        config.output = Some(apm_output::Config::new(hosts).expect("an address"));
    });
    let range = "from=now-1h&to=now%2B2m";
    let ask = async |what: &str, query: &str| {
        let path = format!("/api/v1/services/shop/{what}?{query}");
        server.get(&path).await.json()
    };
    eventually("counts of the other server", async || {
        ask("instances", range).await["instances"][0]["node"] == "<far>"
    })
    .await;
    let found = ask("instances", range).await;
    let one = &found["instances"][0];
    for (field, wanted) in [
        ("version", json!("2.0")),
        ("host", json!("h")),
        ("runtime", json!("jvm 21")),
        ("count", json!(4.0)),
        ("latency_avg", json!(100_000.0)),
        ("failed_rate", json!(0.25)),
        ("cpu", json!(0.5)),
        ("memory", json!(64e6)),
        ("processes", Value::Null),
    ] {
        assert_eq!(one[field], wanted, "{field}: {one}");
    }
    // The middle of its bin is more than the longest.
    assert_eq!(one["latency_p95"], 100_000.0);
    assert_eq!(
        (&found["complete"], &found["counted_since"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(found["elsewhere"]["remark"], Value::Null);
    // Before the first count of any instance there are none, and the answer says so.
    let longer = ask("instances", "from=now-12h&to=now%2B2m").await;
    let since = (minute - 3 * 3600) / 3600 * 3600;
    assert_eq!(longer["counted_since"], since);
    let page = server
        .get(&format!("/services/shop/instances?{range}"))
        .await
        .text;
    assert!(
        page.contains("&lt;far&gt;") && !page.contains("<far>"),
        "{page}"
    );
    assert!(!page.contains("that this server got"), "{page}");
    // Each page says what it covers.
    assert!(
        page.contains("2 servers, ") && page.contains(" s behind"),
        "{page}"
    );
    let page = server
        .get("/services/shop/instances?from=now-12h")
        .await
        .text;
    assert!(
        page.contains("Instances of all servers are counted since"),
        "{page}"
    );

    let found = ask("versions", range).await;
    let one = &found["versions"][0];
    let told = (
        &one["version"],
        &one["instances"],
        &one["count"],
        &one["new_errors"],
    );
    assert_eq!(told, (&json!("2.0"), &json!(1), &json!(4.0), &json!(1)));
    let page = server
        .get(&format!("/services/shop/versions?{range}"))
        .await
        .text;
    assert!(
        page.contains("Version 2.0 of shop ran") && !page.contains("that this server got"),
        "{page}"
    );

    let found = ask("metrics", range).await;
    let memory = &found["memory"];
    let of = |list: &str| -> Vec<f64> {
        let list = memory[list].as_array().expect("values").iter();
        list.filter_map(Value::as_f64).collect()
    };
    assert_eq!(
        (of("avg"), of("min"), of("max")),
        (vec![0.5], vec![0.25], vec![0.75])
    );

    // Lines of a gauge that servers count by instance are those of all, others say that they are not.
    for (metric, lines) in [("system.process.cpu.total.norm.pct", 1), ("queue", 0)] {
        let path = format!("{range}&metric={metric}&split=@instance");
        let found = ask("metrics", &path).await;
        let found = found["chart"]["lines"].as_array().expect("lines").clone();
        assert_eq!(found.len(), lines, "{metric}: {found:?}");
        if let Some(line) = found.first() {
            assert_eq!(
                (&line["labels"]["instance"], &line["mean"]),
                (&json!("<far>"), &json!(0.5))
            );
        }
        let page = server
            .get(&format!("/services/shop/metrics?{path}"))
            .await
            .text;
        let says = page.contains("These lines of instances are read from samples");
        assert_eq!(says, lines == 0, "{page}");
    }

    // A filter needs events, and only those of here are stored here.
    let filtered = format!("{range}&q=transaction.name:x");
    for what in ["instances", "versions"] {
        let found = ask(what, &filtered).await;
        let remark = found["elsewhere"]["remark"].as_str().expect("a remark");
        assert!(remark.contains("that this server got"), "{what}: {remark}");
        let page = server
            .get(&format!("/services/shop/{what}?{filtered}"))
            .await
            .text;
        assert!(
            page.contains("Under a filter, this page is made of the events"),
            "{page}"
        );
    }
    server.stop().await;
}
