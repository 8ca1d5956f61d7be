//! Names beyond the limits are told where they show, with the remedy.

use serde_json::json;

use crate::support::events::now;
use crate::support::server::TestServer;

fn metadata(service: &str) -> String {
    json!({"metadata": {"service": {"name": service, "agent": {"name": "rust", "version": "1"}}}})
        .to_string()
}

#[actix_web::test]
async fn pages_say_what_other_stands_for_and_settings_say_why() {
    let server = TestServer::with(|config| config.max_names = 10);
    let mut sent = metadata("shop");
    for number in 1..=30_u64 {
        let context = json!({"db": {"statement": format!("SELECT c{number} FROM t"), "type": "sql"},
            "destination": {"service": {"resource": format!("host-{number}")}}});
        for event in [
            json!({"transaction": {"id": format!("{number:016x}"), "trace_id": format!("{number:032x}"),
                "name": format!("GET /{number}"),
                "result": format!("code {number}"), "type": "request", "duration": 5.0, "timestamp": now(),
                    "span_count": {"started": 1}}}),
            json!({"span": {"id": format!("{:016x}", number + 1000), "trace_id": format!("{number:032x}"),
                "parent_id": format!("{number:016x}"),
                "name": "call", "type": "db.sqlite", "duration": 1.0, "timestamp": now(), "context": context}}),
            json!({"error": {"id": format!("{number:016x}"), "timestamp": now(),
                "exception": {"type": format!("Fault{number}")}}}),
            json!({"metricset": {"timestamp": now(), "samples": {format!("metric.{number}"): {"value": 1}}}}),
        ] {
            sent.push_str(&format!("\n{event}"));
        }
    }
    assert_eq!(server.intake(sent).await.status, 202);
    for path in [
        "/services/shop/transactions",
        "/services/shop/errors",
        "/services/shop/dependencies",
        "/queries",
    ] {
        let page = server.get(path).await.text;
        for said in ["_other", "/settings#names"] {
            assert!(page.contains(said), "{path}: {said}");
        }
    }
    let page = server.get("/settings").await.text;
    for said in [
        "Names by kind",
        "--apm-max-names",
        "full: ",
        "/services/shop",
        "an id in a name",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let metrics = server.get("/metrics").await.text;
    for kind in [
        "transactions",
        "results",
        "destinations",
        "statements",
        "errors",
        "metrics",
    ] {
        let line = format!("pocket_apm_names_beyond_limit_total{{kind=\"{kind}\"}} 20");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    let status = server.get("/api/v1/status").await.json();
    assert_eq!(status["store"]["names_beyond_limit"]["statements"], 20);
    assert_eq!(status["store"]["names_beyond_limit"]["services"], 0);
    // A trace that is counted under `_other` is listed by the name that was sent.
    let traces = server.get("/api/v1/traces").await.json();
    assert_eq!(traces["total"], 30);
    let named =
        |entry: &serde_json::Value| entry["name"] == "GET /30" && entry["result"] == "code 30";
    assert!(
        traces["traces"]
            .as_array()
            .expect("traces")
            .iter()
            .any(named),
        "{traces}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn the_page_of_a_service_beyond_the_limit_says_where_its_events_are() {
    let server = TestServer::start();
    let unknown = server.get("/services/s1100").await;
    assert_eq!(unknown.status, 404);
    assert!(!unknown.text.contains("_other"), "{}", unknown.text);
    // The limit of services is a thousand.
    let mut sent = metadata("shop");
    for number in 1..=1100_u64 {
        let event = json!({"transaction": {"id": format!("{number:016x}"), "trace_id": format!("{number:032x}"),
            "name": "GET /", "type": "request", "duration": 5.0, "timestamp": now(), "span_count": {"started": 0},
            "context": {"service": {"name": format!("s{number}")}}}});
        sent.push_str(&format!("\n{event}"));
    }
    assert_eq!(server.intake(sent).await.status, 202);
    assert_eq!(server.get("/services/s1").await.status, 200);
    let beyond = server.get("/services/s1100").await;
    assert_eq!(beyond.status, 404);
    let query = "overflow.service.name:%22s1100%22";
    for said in ["counted under", "/services/_other", query] {
        assert!(beyond.text.contains(said), "{said}: {}", beyond.text);
    }
    let found = format!("/api/v1/discover?q={query}");
    assert_eq!(server.get(&found).await.json()["total"], 1);
    assert_eq!(server.get("/services/_other").await.status, 200);
    server.stop().await;
}

#[actix_web::test]
async fn labels_beyond_the_limit_are_no_fields_and_stay_in_their_events() {
    // Half as many labels as names.
    let server = TestServer::with(|config| config.max_names = 10);
    for (service, events) in [("shop", 30_u64), ("cart", 1)] {
        let mut sent = metadata(service);
        for number in 1..=events {
            let labels = json!({format!("k{number}"): format!("v{number}"), "same": number});
            for event in [
                json!({"transaction": {"id": format!("{number:016x}"), "trace_id": format!("{number:032x}"),
                    "name": "GET /", "type": "request",
                    "duration": 5.0, "timestamp": now(), "span_count": {"started": 0}, "context": {"tags": labels}}}),
                json!({"metricset": {"timestamp": now(), "samples": {"a": {"value": 1}}, "tags": labels}}),
                json!({"log": {"@timestamp": now(), "message": "m", "labels": labels}}),
            ] {
                sent.push_str(&format!("\n{event}"));
            }
            if number % 10 == 0 || number == events {
                let sent = std::mem::replace(&mut sent, metadata(service));
                assert_eq!(server.intake(sent).await.status, 202);
            }
        }
    }
    let total = async |query: &str| {
        let path = format!("/api/v1/discover?size=50&q={query}");
        let found = server.get(&path).await.json();
        (found["total"].as_u64().expect("a total"), found)
    };
    for number in 1..=30 {
        let (own, _) = total(&format!("service.name:shop+and+labels.k{number}:v{number}")).await;
        let (text, found) = total(&format!("overflow.labels:%22k{number}=v{number}%22")).await;
        let want = if number <= 4 { (3, 0) } else { (0, 3) };
        assert_eq!((own, text), want, "{number}: {found}");
    }
    let (same, _) = total("service.name:shop+and+numeric_labels.same:*").await;
    assert_eq!(same, 90, "what came first goes on");
    assert_eq!(
        total("service.name:cart+and+labels.k1:v1").await.0,
        3,
        "others have their own"
    );
    let status = server.get("/api/v1/status").await.json();
    assert_eq!(status["store"]["names_beyond_limit"]["labels"], 26 * 3);
    let line = "pocket_apm_names_beyond_limit_total{kind=\"labels\"} 78";
    assert!(server.get("/metrics").await.text.contains(line), "{line}");
    let page = server.get("/settings").await.text;
    assert!(page.contains("Labels") && page.contains("overflow.labels"));
    server.stop().await;
}

#[actix_web::test]
async fn a_list_of_many_rows_has_pages() {
    let server = TestServer::start();
    let mut sent = metadata("shop");
    for number in 1..=450_u64 {
        let event = json!({"transaction": {"id": format!("{number:016x}"), "trace_id": format!("{number:032x}"),
            "name": format!("GET /{number}"),
            "type": "request", "duration": number as f64, "timestamp": now(), "span_count": {"started": 0}}});
        sent.push_str(&format!("\n{event}"));
    }
    assert_eq!(server.intake(sent).await.status, 202);
    let rows = |page: &str| page.matches("<tr><th class=\"grow\"").count();
    let first = server.get("/services/shop/transactions").await.text;
    assert_eq!(rows(&first), 200);
    assert!(first.contains("page=2") && !first.contains("rel=\"prev\""));
    let last = server.get("/services/shop/transactions?page=3").await.text;
    assert_eq!(rows(&last), 50);
    assert!(
        last.contains("Rows 401 to 450")
            && last.contains("page=2")
            && !last.contains("rel=\"next\"")
    );
    assert!(last.contains("GET /50<") && !last.contains("GET /51<"));
    for odd in [
        "page=0",
        "page=99",
        "page=x",
        "page=-1",
        "page=18446744073709551615",
    ] {
        let page = server
            .get(&format!("/services/shop/transactions?{odd}"))
            .await;
        assert_eq!(page.status, 200, "{odd}");
        assert!(rows(&page.text) >= 50, "{odd}");
    }
    server.stop().await;
}
