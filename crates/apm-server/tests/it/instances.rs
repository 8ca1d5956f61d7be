//! Instances and versions of a service: what each of them did, and what came with a deployment.

mod shared;

use serde_json::{Value, json};

use crate::support::server::{TestServer, eventually};

/// Requests of an instance in a version, of so many ms, the first of which fail.
async fn serve(
    server: &TestServer,
    (node, version): (&str, &str),
    ms: u64,
    (requests, failed): (u64, u64),
) {
    let metadata = json!({"metadata": {
        "service": {
            "name": "shop", "version": version, "node": {"configured_name": node},
            "agent": {"name": "a", "version": "1"}, "runtime": {"name": "rust", "version": "1.90"},
        },
        "system": {"configured_hostname": format!("host-of-{node}")},
    }});
    let mut body = metadata.to_string();
    for number in 0..requests {
        let id = format!("{:016x}", xxh(node, version, number));
        let outcome = if number < failed {
            "failure"
        } else {
            "success"
        };
        let transaction = json!({"transaction": {
            "id": id, "trace_id": id.repeat(2), "name": "GET /", "type": "request", "duration": ms, "outcome": outcome,
            "span_count": {"started": 0},
        }});
        body.push_str(&format!("\n{transaction}"));
    }
    let metrics = json!({"metricset": {"samples": {
        "system.process.cpu.total.norm.pct": {"value": 0.25},
        "system.process.memory.rss.bytes": {"value": 64_000_000.0},
    }}});
    body.push_str(&format!("\n{metrics}\n"));
    let sent = server.intake(body).await;
    assert_eq!(sent.status, 202, "{}", sent.text);
}

fn xxh(node: &str, version: &str, number: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64(format!("{node} {version} {number}").as_bytes())
}

async fn asked(server: &TestServer, what: &str) -> Value {
    let answer = server
        .get(&format!("/api/v1/services/shop/{what}?from=now-1h"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[actix_web::test]
async fn each_instance_has_its_own_figures_on_the_page_in_json_and_in_the_file() {
    let server = TestServer::start();
    let long = "n".repeat(1_000);
    serve(&server, ("a<b>", "1.4"), 10, (20, 0)).await;
    serve(&server, (&long, "1.5"), 100, (10, 5)).await;
    let found = asked(&server, "instances").await;
    let rows = found["instances"].as_array().expect("rows");
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["node"].as_str().expect("a name"),
                row["count"].as_f64(),
                row["failed_rate"].as_f64(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("a<b>", Some(20.0), Some(0.0)),
            (&*long, Some(10.0), Some(0.5))
        ]
    );
    for row in rows {
        assert_eq!(
            (&row["cpu"], &row["memory"]),
            (&json!(0.25), &json!(64_000_000.0))
        );
        assert_eq!(row["runtime"], "rust 1.90");
        assert!(
            row["host"]
                .as_str()
                .expect("a host")
                .starts_with("host-of-")
        );
    }
    // No percentile exceeds the longest duration, and here all of a row are equal.
    assert_eq!(
        (&rows[0]["latency_p95"], &rows[1]["latency_p95"]),
        (&json!(10_000.0), &json!(100_000.0))
    );
    assert_eq!(found["complete"], true);
    let page = server
        .get("/services/shop/instances?from=now-1h")
        .await
        .text;
    assert!(page.contains("2 instances of shop sent data"), "{page}");
    assert!(
        page.contains("a&lt;b&gt;") && !page.contains("a<b>"),
        "{page}"
    );
    let file = server
        .get("/api/v1/services/shop/instances?from=now-1h&format=csv")
        .await
        .text;
    assert_eq!(file.lines().count(), 3, "{file}");
    let sorted = server
        .get("/api/v1/services/shop/instances?from=now-1h&sort=-p95&size=1")
        .await
        .json();
    assert_eq!(
        (&sorted["instances"][0]["node"], &sorted["total"]),
        (&json!(long), &json!(2))
    );
    // The slowest is that of all pages.
    let quickest = server
        .get("/api/v1/services/shop/instances?from=now-1h&sort=p95&size=1")
        .await
        .json();
    assert_eq!(
        (
            &quickest["instances"][0]["node"],
            &quickest["slowest"]["node"]
        ),
        (&json!("a<b>"), &json!(long))
    );
    let none = server.get("/services/nobody/instances?from=now-1h").await;
    assert!(
        none.status == 404 && none.text.contains("No service named"),
        "{}",
        none.text
    );
    let refused = server
        .get("/api/v1/services/shop/instances?q=url.path:x")
        .await;
    assert_eq!(refused.status, 400);
    server.stop().await;
}

#[actix_web::test]
async fn a_deployment_is_told_with_what_it_changed_and_the_errors_that_are_new_in_it() {
    let server = TestServer::start();
    let fail = async |version: &str, kind: &str| {
        let body = format!(
            r#"{{"metadata":{{"service":{{"name":"shop","version":"{version}","agent":{{"name":"a","version":"1"}}}}}}}}
{{"error":{{"id":"00000000000000c1","exception":{{"type":"{kind}","message":"{kind} happened"}}}}}}
"#
        );
        assert_eq!(server.intake(body).await.status, 202);
    };
    serve(&server, ("a", "1.4"), 10, (20, 0)).await;
    fail("1.4", "Old").await;
    eventually("read", async || {
        let sql = "SELECT%20count(*)%20AS%20n%20FROM%20error_version%20JOIN%20service_version%20USING%20(version)";
        server.get(&format!("/api/v1/sql?sql={sql}")).await.json()["rows"][0][0] == 1
    })
    .await;
    serve(&server, ("a", "1.5"), 100, (5, 1)).await;
    fail("1.5", "Old").await;
    fail("1.5", "New").await;
    eventually("deployed", async || {
        let found = asked(&server, "versions").await;
        found["deployments"][0]["new_errors_total"] == 1
    })
    .await;
    let found = asked(&server, "versions").await;
    let versions: Vec<_> = found["versions"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            (
                row["version"].as_str().expect("a version"),
                row["count"].as_f64(),
                row["new_errors"].as_u64(),
            )
        })
        .collect();
    assert_eq!(
        versions,
        [("1.4", Some(20.0), Some(1)), ("1.5", Some(5.0), Some(1))]
    );
    let deployments = found["deployments"].as_array().expect("rows");
    assert_eq!(deployments.len(), 1, "the first version is no deployment");
    let one = &deployments[0];
    assert_eq!(
        (&one["marker"]["name"], &one["new_errors"][0]["title"]),
        (&json!("1.5"), &json!("New happened"))
    );
    let page = server.get("/services/shop/versions?from=now-1h").await.text;
    assert!(
        page.contains("2 versions of shop ran") && page.contains("New happened"),
        "{page}"
    );
    assert!(page.contains("with 1 new error."), "{page}");
    let file = server
        .get("/api/v1/services/shop/versions?from=now-1h&format=csv&table=deployments")
        .await
        .text;
    assert!(file.lines().count() == 2 && file.contains("1.5"), "{file}");
    server.stop().await;
}
