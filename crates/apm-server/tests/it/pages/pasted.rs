//! Ids, dates and queries as people paste them: on pages, in the search bar and in the JSON API.

use serde_json::json;

use super::metadata;
use crate::support::events::now;
use crate::support::server::TestServer;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SHORT: &str = "00f067aa0ba902b7";

async fn server() -> TestServer {
    let server = TestServer::start();
    let event = |id: &str, trace: &str| {
        json!({"transaction": {"id": id, "trace_id": trace, "name": "GET /pasted", "type": "request", "duration": 1.5,
            "timestamp": now(), "span_count": {"started": 0}}})
        .to_string()
    };
    let body = [
        metadata("shop"),
        event("00000000000000aa", TRACE),
        event("00000000000000bb", SHORT),
    ];
    assert_eq!(server.intake(body.join("\n")).await.status, 202);
    server
}

#[actix_web::test]
async fn a_trace_is_found_by_its_id_however_it_is_written() {
    let server = server().await;
    for (pasted, stored) in [
        ("4BF92F3577B34DA6A3CE929D0E0E4736", TRACE),
        ("%204bf92f3577b34da6a3ce929d0e0e4736%20", TRACE),
        ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", TRACE),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            TRACE,
        ),
        (
            "traceparent:%2000-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            TRACE,
        ),
        ("f067aa0ba902b7", SHORT),
        ("0000000000000000-00F067AA0BA902B7", SHORT),
        ("000000000000000000f067aa0ba902b7", SHORT),
    ] {
        let page = server.get(&format!("/traces/{pasted}")).await;
        assert_eq!(page.status, 200, "{pasted}");
        assert!(
            page.text.contains(&format!("/traces/{stored}/export")),
            "{pasted}: links name the stored id"
        );
        let answer = server.get(&format!("/api/v1/traces/{pasted}")).await;
        assert_eq!(
            (answer.status, answer.json()["id"].as_str()),
            (200, Some(stored)),
            "{pasted}"
        );
        assert_eq!(
            server.get(&format!("/traces/{pasted}/export")).await.status,
            200,
            "{pasted}"
        );
        let query = pasted.replace("traceparent:%20", "");
        for query in [format!("trace.id:%22{query}%22"), format!("%22{query}%22")] {
            let found = server.get(&format!("/api/v1/discover?q={query}")).await;
            assert_eq!(found.json()["total"], 1, "{query}");
        }
    }
    let item = format!("/api/v1/traces/{TRACE}?item=AA");
    assert!(server.get(&item).await.json()["document"].is_object());
    assert_eq!(
        server
            .get("/traces/5bf92f3577b34da6a3ce929d0e0e4736")
            .await
            .status,
        404
    );
    let header = "/discover?q=traceparent:+00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert!(server.get(header).await.text.contains("GET /pasted"));
    server.stop().await;
}

#[actix_web::test]
async fn a_query_of_several_lines_stands_in_the_field_on_one() {
    let server = server().await;
    for page in ["/discover", "/services", "/live"] {
        let shown = server
            .get(&format!(
                "{page}?q=service.name:shop%0Aand+transaction.name:%22GET+%0A%22"
            ))
            .await;
        assert_eq!(shown.status, 200);
        let value = r#"value="service.name:shop and transaction.name:&quot;GET \n&quot;""#;
        assert!(shown.text.contains(value), "{page}");
    }
    server.stop().await;
}
