//! Pinned and kept traces, as pages and the API show them.

use serde_json::{Value, json};

use crate::support::server::{Answer, TestServer};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn seeded() -> TestServer {
    let server = TestServer::start();
    let transaction = json!({
        "id": "00000000000000a1", "trace_id": TRACE, "type": "request", "name": "GET /<b>cart", "duration": 12.5,
        "timestamp": apm_time::now() - 1_000_000, "span_count": {"started": 0},
    });
    record(&server, &transaction).await;
    server
}

/// Sends a transaction of the service.
async fn record(server: &TestServer, transaction: &Value) {
    let metadata = r#"{"metadata":{"service":{"name":"shop","agent":{"name":"a","version":"1"}}}}"#;
    let event = json!({"transaction": transaction});
    let answer = server.intake(format!("{metadata}\n{event}\n")).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
}

/// Sends a form of a page.
async fn submit(server: &TestServer, path: &str) -> Answer {
    let origin = server.url("");
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", &*origin),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    server.send("POST", path, &headers, "").await
}

async fn page(server: &TestServer, path: &str) -> String {
    let answer = server
        .send("GET", path, &[("Accept", "text/html")], "")
        .await;
    assert_eq!(answer.status, 200, "{path}");
    answer.text
}

#[actix_web::test]
async fn the_button_of_a_trace_pins_it_and_the_list_shows_it() {
    let server = seeded().await;
    let path = format!("/traces/{TRACE}");
    assert!(page(&server, &path).await.contains(&format!("{path}/pin")));
    assert!(page(&server, "/kept").await.contains("No trace is kept"));

    let answer = submit(&server, &format!("{path}/pin")).await;
    assert_eq!((answer.status, answer.header("location")), (303, &*path));
    let shown = page(&server, &path).await;
    assert!(shown.contains(&format!("{path}/unpin")), "{shown}");
    let list = page(&server, "/kept?reason=pinned").await;
    assert!(
        list.contains(&path) && list.contains("GET /&lt;b&gt;cart"),
        "{list}"
    );
    assert!(!list.contains("<b>cart"));
    let kept = server.get("/api/v1/kept").await.json();
    let trace = &kept["traces"][0];
    assert_eq!(
        (trace["trace"].as_str(), trace["reason"].as_str()),
        (Some(TRACE), Some("pinned"))
    );
    assert_eq!(trace["service"], "shop");
    assert_eq!(kept["reasons"][0]["traces"], 1);
    assert_eq!(kept["total"], 1);
    assert!(kept["reasons"][0]["max_bytes"].as_i64() > Some(1 << 20));
    let details = server.get(&format!("/api/v1/traces/{TRACE}")).await.json();
    assert_eq!(details["kept"], "pinned");

    let answer = submit(&server, &format!("{path}/unpin")).await;
    assert_eq!(answer.status, 303);
    let details = server.get(&format!("/api/v1/traces/{TRACE}")).await.json();
    assert_eq!(details["kept"], Value::Null);
    server.stop().await;
}

#[actix_web::test]
async fn scripts_pin_traces_and_are_told_what_is_not_there() {
    let server = seeded().await;
    let pin = format!("/api/v1/traces/{TRACE}/pin");
    for _ in 0..2 {
        assert_eq!(server.send("POST", &pin, &[], "").await.status, 204);
    }
    let kept = server.get("/api/v1/kept?reason=pinned").await.json();
    assert_eq!(kept["traces"].as_array().map(Vec::len), Some(1));
    assert_eq!(server.send("DELETE", &pin, &[], "").await.status, 204);
    assert_eq!(server.send("DELETE", &pin, &[], "").await.status, 404);
    let unknown = "/api/v1/traces/ffffffffffffffffffffffffffffffff/pin";
    assert_eq!(server.send("POST", unknown, &[], "").await.status, 404);
    assert_eq!(server.get("/api/v1/kept?reason=other").await.status, 400);
    server.stop().await;
}

#[actix_web::test]
async fn where_nothing_is_to_be_kept_nothing_can_be_pinned() {
    let server = TestServer::with(|config| config.keep = 0);
    let metadata = r#"{"metadata":{"service":{"name":"shop","agent":{"name":"a","version":"1"}}}}"#;
    let transaction = json!({"transaction": {
        "id": "00000000000000a1", "trace_id": TRACE, "type": "request", "name": "a", "duration": 1,
        "span_count": {"started": 0},
    }});
    server.intake(format!("{metadata}\n{transaction}\n")).await;
    let answer = server
        .send("POST", &format!("/api/v1/traces/{TRACE}/pin"), &[], "")
        .await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    server.stop().await;
}

#[actix_web::test]
async fn a_part_of_the_kept_traces_says_how_many_there_are() {
    let server = seeded().await;
    let other = "1af7651916cd43dd8448eb211c80319d";
    let transaction = json!({
        "id": "00000000000000a2", "trace_id": other, "type": "request", "name": "GET /", "duration": 1,
        "timestamp": apm_time::now() - 1_000_000, "span_count": {"started": 0},
    });
    record(&server, &transaction).await;
    for trace in [TRACE, other] {
        let pin = format!("/api/v1/traces/{trace}/pin");
        assert_eq!(server.send("POST", &pin, &[], "").await.status, 204);
    }
    for (query, said) in [
        ("?size=1", Some("The first of 2 is shown.")),
        ("?reason=pinned&size=1", Some("The first of 2 is shown.")),
        ("?size=1&page=2", Some("Row 2 of 2 is shown.")),
        ("?size=1&page=9", Some("Row 2 of 2 is shown.")),
        ("", None),
    ] {
        let page = page(&server, &format!("/kept{query}")).await;
        assert_eq!(page.contains(" is shown."), said.is_some(), "{query}");
        assert!(page.contains(said.unwrap_or("")), "{query}: {page}");
    }
    let first = server.get("/api/v1/kept?size=1").await.json();
    let second = server.get("/api/v1/kept?size=1&page=2").await.json();
    assert_eq!(
        (&first["next_page"], &second["next_page"]),
        (&json!(2), &Value::Null)
    );
    let ids = [&first, &second].map(|found| found["traces"][0]["trace"].as_str());
    assert!(
        ids == [Some(TRACE), Some(other)] || ids == [Some(other), Some(TRACE)],
        "{ids:?}"
    );
    let file = "/api/v1/kept?size=1&page=2&format=csv&table=traces";
    let file = server.get(file).await;
    let named = file.header("content-disposition");
    assert!(named.contains("\"traces-2-to-2-of-2.csv\""), "{named}");
    server.stop().await;
}
