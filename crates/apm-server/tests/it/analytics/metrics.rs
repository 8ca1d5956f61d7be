//! Metrics by series: counters as rates, histograms as percentiles, labels told apart, from either wire.

mod listed;
mod panels;
mod runtimes;
mod told_apart;

use serde_json::{Value, json};

use crate::support::events::now;
use crate::support::server::TestServer;

const MINUTE: i64 = 60_000_000;

/// The beginning of a minute, ten minutes ago.
fn base() -> i64 {
    now() / MINUTE * MINUTE - 10 * MINUTE
}

/// A body of metrics of OTLP: one resource, one scope.
fn export(service: &str, instance: &str, metrics: &Value) -> String {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    json!({"resourceMetrics": [{
        "resource": {"attributes": [attribute("service.name", service), attribute("service.instance.id", instance)]},
        "scopeMetrics": [{"scope": {"name": "test"}, "metrics": metrics}],
    }]})
    .to_string()
}

fn attributes(labels: &[(&str, &str)]) -> Value {
    labels
        .iter()
        .map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}))
        .collect()
}

async fn send(server: &TestServer, body: String) {
    let sent = server
        .send(
            "POST",
            "/v1/metrics",
            &[("Content-Type", "application/json")],
            body,
        )
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text);
}

/// The chart of a metric.
async fn chart(server: &TestServer, service: &str, query: &str) -> Value {
    let path = format!("/api/v1/services/{service}/metrics?from=now-15m&{query}");
    let found = server.get(&path).await;
    assert_eq!(found.status, 200, "{}", found.text);
    found.json()["chart"].clone()
}

fn numbers(values: &Value) -> Vec<f64> {
    let values = values.as_array().expect("a list");
    values.iter().filter_map(Value::as_f64).collect()
}

fn sum_point(start: i64, at: i64, value: f64, labels: &[(&str, &str)]) -> Value {
    json!({"startTimeUnixNano": (start * 1000).to_string(), "timeUnixNano": (at * 1000).to_string(),
        "asDouble": value, "attributes": attributes(labels)})
}

#[actix_web::test]
async fn a_counter_sent_as_its_sum_equals_one_sent_as_what_was_added() {
    let server = TestServer::start();
    let start = base();
    let added = [30.0, 60.0, 0.0, 90.0];
    let mut sum = 0.0;
    for (minute, added) in (1..).zip(added) {
        sum += added;
        let at = start + minute * MINUTE;
        let sums = |name: &str, temporality: u8, point: Value| {
            json!({"name": name, "unit": "{order}",
                "sum": {"aggregationTemporality": temporality, "isMonotonic": true, "dataPoints": [point]}})
        };
        let cumulative = sums("orders.sum", 2, sum_point(start, at, sum, &[]));
        let delta = sums("orders.delta", 1, sum_point(at - MINUTE, at, added, &[]));
        // A body that is sent again, since its answer was lost, counts once.
        for _ in 0..2 {
            send(&server, export("shop", "one", &json!([cumulative]))).await;
        }
        send(&server, export("shop", "one", &json!([delta]))).await;
    }
    let cumulative = chart(&server, "shop", "metric=orders.sum").await;
    let delta = chart(&server, "shop", "metric=orders.delta").await;
    assert_eq!(cumulative["kind"], "counter");
    assert_eq!(cumulative["lines"], delta["lines"]);
    let line = &cumulative["lines"][0];
    assert_eq!(line["total"], 180.0);
    assert_eq!(numbers(&line["values"]), [0.5, 1.0, 0.0, 1.5]);
}

#[actix_web::test]
async fn a_counter_of_two_processes_adds_up_and_a_restart_is_no_fall() {
    let server = TestServer::start();
    let start = base();
    for minute in 1..=4 {
        let at = start + minute * MINUTE;
        // The second process begins anew after two minutes, under the same name.
        let (began, value) = match minute {
            1 | 2 => (start, 120.0 * minute as f64),
            _ => (start + 2 * MINUTE, 120.0 * (minute - 2) as f64),
        };
        for (instance, point) in [
            ("a", sum_point(start, at, 60.0 * minute as f64, &[])),
            ("b", sum_point(began, at, value, &[])),
        ] {
            let metrics = json!([{"name": "jobs",
                "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [point]}}]);
            send(&server, export("shop", instance, &metrics)).await;
        }
    }
    let found = chart(&server, "shop", "metric=jobs").await;
    assert_eq!(found["series"], 1);
    let line = &found["lines"][0];
    assert_eq!(numbers(&line["values"]), [3.0, 3.0, 3.0, 3.0]);
    assert_eq!(line["total"], 720.0);
}

#[actix_web::test]
async fn the_last_sum_is_known_after_a_restart_of_the_server() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = base();
    for minute in 1..=3 {
        let server = TestServer::with(|config| config.database = dir.path().join("kept.db"));
        let point = sum_point(start, start + minute * MINUTE, 60.0 * minute as f64, &[]);
        let metrics = json!([{"name": "jobs",
            "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [point]}}]);
        send(&server, export("shop", "a", &metrics)).await;
        if minute == 3 {
            let found = chart(&server, "shop", "metric=jobs").await;
            assert_eq!(numbers(&found["lines"][0]["values"]), [1.0, 1.0, 1.0]);
        }
        server.stop().await;
    }
}

#[actix_web::test]
async fn a_cumulative_histogram_has_the_percentiles_of_what_came_in_the_window() {
    let server = TestServer::start();
    let start = base();
    let bounds = json!([0.005, 0.01, 0.1, 1.0]);
    // All that came before is fast; from the second report on, half of what comes is slow.
    for (minute, counts) in [
        (1, [100, 0, 0, 0, 0]),
        (2, [150, 0, 0, 50, 0]),
        (3, [200, 0, 0, 100, 0]),
    ] {
        let all: i32 = counts.iter().sum();
        let point = json!({"startTimeUnixNano": (start * 1000).to_string(),
            "timeUnixNano": ((start + minute * MINUTE) * 1000).to_string(), "count": all.to_string(),
            "sum": f64::from(counts[0]) * 0.0025 + f64::from(counts[3]) * 0.5,
            "bucketCounts": counts.map(|count| count.to_string()), "explicitBounds": bounds,
            "attributes": attributes(&[("http.route", "/cart")])});
        let metrics = json!([{"name": "http.server.request.duration", "unit": "s",
            "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}}]);
        send(&server, export("shop", "a", &metrics)).await;
    }
    let found = chart(&server, "shop", "metric=http.server.request.duration").await;
    assert_eq!(
        (&found["kind"], &found["unit"]),
        (&json!("histogram"), &json!("s"))
    );
    assert_eq!(found["lines"][0]["total"], 300.0);
    assert_eq!(found["lines"][0]["labels"]["http.route"], "/cart");
    let spread = &found["distribution"];
    assert_eq!(
        numbers(&spread["count"])
            .iter()
            .filter(|count| **count > 0.0)
            .count(),
        3
    );
    let p95 = numbers(&spread["p95"]);
    assert!((p95[0] - 0.0025).abs() < 0.0001, "{p95:?}");
    assert!(
        (p95[1] - 0.55).abs() < 0.01 && (p95[2] - 0.55).abs() < 0.01,
        "{p95:?}"
    );
    let met: f64 = spread["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .flat_map(|row| numbers(&row["counts"]))
        .sum();
    assert!((met - 300.0).abs() < 1e-6, "{met}");
    let page = server
        .get("/services/shop/metrics?metric=http.server.request.duration&from=now-15m")
        .await;
    assert_eq!(page.status, 200);
    for said in ["Values by size", "95 of 100 at most 5", "http.route=/cart"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
}

/// A metricset of Elastic's agents.
fn metricset(at: i64, labels: &Value, samples: &Value) -> String {
    json!({"metricset": {"timestamp": at, "tags": labels, "samples": samples}}).to_string()
}

#[actix_web::test]
async fn pools_of_memory_are_lines_of_their_own_and_panels_of_the_runtime_are_there() {
    let server = TestServer::start();
    let start = base();
    let metadata = json!({"service": {"name": "bank", "agent": {"name": "java", "version": "1"}}});
    let mut body = json!({"metadata": metadata}).to_string();
    for minute in 1..=3 {
        let at = start + minute * MINUTE;
        for (pool, used) in [("Eden", 100e6), ("Old", 300e6), ("Survivor", 2e6)] {
            let samples = json!({"jvm.memory.heap.pool.used": {"value": used}});
            body.push_str(&format!(
                "\n{}",
                metricset(at, &json!({"name": pool}), &samples)
            ));
        }
        let samples =
            json!({"jvm.memory.heap.used": {"value": 402e6}, "jvm.thread.count": {"value": 31}});
        body.push_str(&format!("\n{}", metricset(at, &json!({}), &samples)));
        let samples = json!({"jvm.gc.time": {"value": 600 * minute}, "latency": {"values": [1.5, 4.0], "counts": [3, 1],
            "unit": "ms"}});
        body.push_str(&format!(
            "\n{}",
            metricset(at, &json!({"name": "G1"}), &samples)
        ));
    }
    assert_eq!(server.intake(body).await.status, 202);
    let found = chart(&server, "bank", "metric=jvm.memory.heap.pool.used").await;
    let lines: Vec<_> = found["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| {
            (
                line["labels"]["name"].as_str().expect("a name"),
                line["mean"].as_f64(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("Old", Some(300e6)),
            ("Eden", Some(100e6)),
            ("Survivor", Some(2e6))
        ]
    );
    assert_eq!(
        found["labels"][0]["values"].as_array().map(Vec::len),
        Some(3)
    );
    // One of them, and all of them as one line.
    let old = chart(
        &server,
        "bank",
        "metric=jvm.memory.heap.pool.used&label=name%3DOld",
    )
    .await;
    assert_eq!(
        (&old["series"], &old["lines"][0]["mean"]),
        (&json!(1), &json!(300e6))
    );
    let all = chart(
        &server,
        "bank",
        "metric=jvm.memory.heap.pool.used&split=none&together=sum",
    )
    .await;
    assert_eq!(all["lines"][0]["mean"], 402e6);
    let mean = chart(
        &server,
        "bank",
        "metric=jvm.memory.heap.pool.used&split=none",
    )
    .await;
    assert_eq!(mean["lines"][0]["mean"], 134e6);
    // Elastic's agents do not say that this one counts.
    let time = chart(&server, "bank", "metric=jvm.gc.time").await;
    assert_eq!(
        (&time["kind"], &time["lines"][0]["total"]),
        (&json!("counter"), &json!(1200.0))
    );
    let latency = chart(&server, "bank", "metric=latency").await;
    assert_eq!(
        (&latency["kind"], &latency["lines"][0]["total"]),
        (&json!("histogram"), &json!(12.0))
    );
    let found = server
        .get("/api/v1/services/bank/metrics?from=now-15m")
        .await
        .json();
    let panels: Vec<_> = found["panels"]
        .as_array()
        .expect("panels")
        .iter()
        .map(|panel| {
            (
                panel["runtime"].as_str().expect("text"),
                panel["title"].as_str().expect("text"),
            )
        })
        .collect();
    let titles = [
        "Heap",
        "Memory pools in use",
        "Time of garbage collection",
        "Threads",
    ];
    assert_eq!(panels, titles.map(|title| ("JVM", title)));
    let page = server
        .get("/services/bank/metrics?from=now-15m&metric=jvm.memory.heap.pool.used")
        .await
        .text;
    for said in [
        "300\u{202f}MB",
        "name=Old",
        "Lines by",
        "JVM",
        "1.0\u{202f}%",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let refused = server
        .get("/api/v1/services/bank/metrics?metric=a&label=nothing")
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text);
}

#[actix_web::test]
async fn a_label_with_a_value_for_each_user_is_bounded_and_leaves_other_metrics_alone() {
    let server = TestServer::with(|config| config.max_names = 40);
    let start = base();
    let points: Vec<Value> = (0..50)
        .map(|user| sum_point(start, start + MINUTE, 1.0, &[("user", &format!("u{user}"))]))
        .collect();
    let gauge =
        |name: &str, points: &[Value]| json!({"name": name, "gauge": {"dataPoints": points}});
    send(
        &server,
        export(
            "shop",
            "a",
            &json!([gauge("cart", &points), gauge("queue", &points[..1])]),
        ),
    )
    .await;
    // A quarter of the names, and the other one beside them.
    let cart = chart(&server, "shop", "metric=cart").await;
    assert_eq!(cart["series"], 10);
    assert_eq!(chart(&server, "shop", "metric=queue").await["series"], 1);
    let text = server.get("/metrics").await.text;
    let beyond = text
        .lines()
        .find(|line| line.contains("names_beyond_limit_total") && line.contains("\"series\""))
        .expect("a counter");
    assert!(beyond.ends_with(" 40"), "{beyond}");
}

#[actix_web::test]
async fn labels_of_any_script_are_escaped_and_an_odd_body_harms_nothing() {
    let server = TestServer::start();
    let start = base();
    let odd = ["<b>&\"'", "שלום", "🦀🦀", &"x".repeat(900)];
    let points: Vec<Value> = odd
        .iter()
        .map(|value| sum_point(start, start + MINUTE, 1e300, &[("a=b", value)]))
        .collect();
    let metrics = json!([{"name": "odd", "gauge": {"dataPoints": points}}]);
    send(&server, export("shop", "a", &metrics)).await;
    let samples = json!({"h": {"values": [], "counts": []}, "n": {"value": -1.5, "type": "nonsense", "unit": ""}});
    let body = format!(
        "{}\n{}",
        json!({"metadata": {"service": {"name": "shop", "agent": {"name": "java", "version": "1"}}}}),
        metricset(
            start + MINUTE,
            &json!({"x": null, "y": true, "z": 1.5}),
            &samples
        )
    );
    assert_eq!(server.intake(body).await.status, 202);
    for path in [
        "metric=odd",
        "metric=odd&split=a%3Db",
        "metric=h",
        "metric=n&split=none&together=max",
        "metric=nothing",
    ] {
        let page = server
            .get(&format!("/services/shop/metrics?from=now-15m&{path}"))
            .await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.text.contains("<b>&"), "{path}");
    }
    assert_eq!(
        chart(&server, "shop", "metric=n").await["lines"][0]["mean"],
        -1.5
    );
}
