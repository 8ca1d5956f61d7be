//! The charts of each runtime, by the metrics of OpenTelemetry's SDKs and by those of Elastic's agents.

use serde_json::{Value, json};

use super::{MINUTE, base, export, metricset, send, sum_point};
use crate::support::server::TestServer;

/// Names of metrics, and what their values are.
type Sent = (&'static [&'static str], &'static [&'static str]);
/// Charts: runtime and title.
type Charts = &'static [(&'static str, &'static str)];

/// A service of OpenTelemetry: gauges and counters, and the charts of it.
const SDKS: [(&str, Sent, Charts); 7] = [
    (
        "go",
        (
            &["go.memory.used", "go.goroutine.count"],
            &["go.memory.allocated"],
        ),
        &[
            ("Go", "Heap"),
            ("Go", "Goroutines"),
            ("Go", "Allocated per second"),
        ],
    ),
    (
        "node",
        (
            &[
                "nodejs.eventloop.delay.p99",
                "nodejs.eventloop.utilization",
                "v8js.memory.heap.used",
            ],
            &[],
        ),
        &[
            ("Node.js", "Delay of the event loop"),
            ("Node.js", "Use of the event loop"),
            ("Node.js", "Heap"),
        ],
    ),
    (
        "python",
        (
            &["process.runtime.cpython.memory", "process.thread.count"],
            &["cpython.gc.collections"],
        ),
        &[
            ("Python", "Garbage collections per second"),
            ("Python", "Memory"),
            ("Python", "Threads"),
        ],
    ),
    (
        "dotnet",
        (
            &[
                "dotnet.gc.last_collection.heap.size",
                "dotnet.thread_pool.thread.count",
            ],
            &["dotnet.gc.pause.time", "dotnet.exceptions"],
        ),
        &[
            (".NET", "Heap by generation"),
            (".NET", "Time of garbage collection"),
            (".NET", "Threads of the pool"),
            (".NET", "Exceptions per second"),
        ],
    ),
    (
        "tokio",
        (&["tokio.tasks.alive", "tokio.workers"], &[]),
        &[("Tokio", "Tasks")],
    ),
    (
        "container",
        (
            &["container.memory.usage", "container.memory.limit"],
            &["container.cpu.time"],
        ),
        &[("Container", "Memory"), ("Container", "Processors in use")],
    ),
    (
        "jvm",
        (
            &["jvm.cpu.recent_utilization", "jvm.memory.used"],
            &["jvm.cpu.time"],
        ),
        &[
            ("JVM", "Heap"),
            ("JVM", "Memory pools in use"),
            ("JVM", "Processors in use"),
        ],
    ),
];

/// A service of an agent of Elastic: its samples, and the charts of it.
const AGENTS: [(&str, &[&str], Charts); 4] = [
    (
        "golang",
        &["golang.heap.allocations.allocated", "golang.goroutines"],
        &[("Go", "Heap"), ("Go", "Goroutines")],
    ),
    (
        "nodejs",
        &[
            "nodejs.eventloop.delay.avg.ms",
            "nodejs.memory.heap.used.bytes",
            "nodejs.handles.active",
        ],
        &[
            ("Node.js", "Delay of the event loop"),
            ("Node.js", "Heap"),
            ("Node.js", "Handles and requests"),
        ],
    ),
    (
        "clr",
        &["clr.gc.gen0size"],
        &[(".NET", "Heap by generation")],
    ),
    (
        "cgroup",
        &["system.process.cgroup.memory.mem.usage.bytes"],
        &[("Container", "Memory")],
    ),
];

fn gauge(name: &str, at: i64, value: f64) -> Value {
    json!({"name": name, "gauge": {"dataPoints": [{"timeUnixNano": (at * 1000).to_string(), "asDouble": value,
        "attributes": []}]}})
}

fn counter(name: &str, start: i64, at: i64, value: f64) -> Value {
    json!({"name": name, "sum": {"aggregationTemporality": 2, "isMonotonic": true,
        "dataPoints": [sum_point(start, at, value, &[])]}})
}

async fn charts(server: &TestServer, service: &str) -> Vec<(String, String)> {
    let path = format!("/api/v1/services/{service}/metrics?from=now-15m");
    let found = server.get(&path).await.json();
    let panels = found["panels"].as_array().expect("panels").iter();
    let text = |panel: &Value, name: &str| panel[name].as_str().expect("a text").to_owned();
    panels
        .map(|panel| (text(panel, "runtime"), text(panel, "title")))
        .collect()
}

fn owned(charts: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(runtime, title): &(&str, &str)| ((*runtime).to_owned(), (*title).to_owned());
    charts.iter().map(own).collect()
}

#[actix_web::test]
async fn each_runtime_has_its_charts_whichever_agent_sends_its_metrics() {
    let server = TestServer::start();
    let start = base();
    for (service, (gauges, counters), _) in &SDKS {
        for minute in 1..=3 {
            let (at, value) = (start + minute * MINUTE, 0.25 * minute as f64);
            let gauges = gauges.iter().map(|name| gauge(name, at, value));
            let counters = counters
                .iter()
                .map(|name| counter(name, start, at, 10.0 * value));
            let metrics: Value = gauges.chain(counters).collect();
            send(&server, export(service, "one", &metrics)).await;
        }
    }
    for (service, samples, _) in &AGENTS {
        let metadata = json!({"metadata": {"service": {"name": service, "agent": {"name": "any", "version": "1"}}}});
        let values: serde_json::Map<String, Value> = samples
            .iter()
            .map(|name| ((*name).to_owned(), json!({"value": 5})))
            .collect();
        let line = metricset(start + MINUTE, &json!({}), &values.into());
        assert_eq!(
            server.intake(format!("{metadata}\n{line}")).await.status,
            202
        );
    }
    for (service, _, wanted) in &SDKS {
        assert_eq!(charts(&server, service).await, owned(wanted), "{service}");
    }
    for (service, _, wanted) in &AGENTS {
        assert_eq!(charts(&server, service).await, owned(wanted), "{service}");
    }
    let page = async |service: &str| {
        let path = format!("/services/{service}/metrics?from=now-15m");
        server.get(&path).await.text
    };
    // The share of the CPU that a JVM of OpenTelemetry sends is that of the process.
    let jvm = page("jvm").await;
    assert!(jvm.contains("jvm used 75\u{202f}% of the CPU."), "{jvm}");
    assert!(jvm.contains("At most 75\u{202f}% of the CPU"), "{jvm}");
    let found = server
        .get("/api/v1/services/jvm/metrics?from=now-15m")
        .await
        .json();
    assert_eq!(found["process_cpu"]["name"], "jvm.cpu.recent_utilization");
    // Time of processors is no share of them, and no metric of the CPU is said to be missing.
    let container = page("container").await;
    assert!(
        container.contains("It sent no share of the CPU"),
        "{container}"
    );
    assert!(page("tokio").await.contains("It sent no CPU metrics"));
    server.stop().await;
}
