//! Events that are legal and made to hurt.

use serde_json::json;

use crate::support::server::TestServer;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;

#[actix_web::test]
async fn a_metric_of_twenty_thousand_dots_is_shown_as_any_other() {
    let server = TestServer::start();
    let name = vec!["a"; 20_001].join(".");
    let metricset = json!({"metricset": {"samples": {&name: {"value": 1}}}});
    let answer = server.intake(format!("{METADATA}\n{metricset}\n")).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    for query in ["", "processor.event%3Ametric", "a.a%3A1"] {
        let path =
            format!("/api/v1/discover?q={query}&from=2000-01-01T00:00:00Z&to=now%2B1h&size=10");
        assert_eq!(server.get(&path).await.status, 200, "{query}");
    }
    let all = "/api/v1/discover?from=2000-01-01T00:00:00Z&to=now%2B1h";
    assert_eq!(server.get(all).await.json()["hits"][0][&name], 1);
    server.stop().await;
}
