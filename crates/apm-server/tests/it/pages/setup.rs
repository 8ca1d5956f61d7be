//! The page that tells how to send events here.

use apm_server::SecretToken;
use serde_json::json;

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::TestServer;

const WAITING: &str = "Waiting for the first event";
const ARRIVED: &str = "<span class=\"waiting arrived\">";

#[actix_web::test]
async fn the_page_waits_for_the_first_event_and_turns_green_when_it_is_there() {
    let server = TestServer::start();
    let before = server.get("/setup").await.text;
    assert!(before.contains(WAITING) && !before.contains(ARRIVED));
    // A script asks for the page again as often as this says.
    assert!(before.contains("<body data-refresh=\""));
    let body = format!("{}\n{}", metadata("shop"), transaction(1, "GET /", now()));
    assert_eq!(server.intake(body).await.status, 202);
    let after = server.get("/setup").await.text;
    assert!(after.contains(ARRIVED) && !after.contains(WAITING));
    assert!(after.contains("Events arrive: shop is known."), "{after}");
    server.stop().await;
}

#[actix_web::test]
async fn the_secret_is_never_on_the_page_and_its_variable_is_where_one_is_needed() {
    const SECRET: &str = "a-secret-nobody-guesses";
    const NAMES: [&str; 4] = [
        "ELASTIC_APM_SECRET_TOKEN=TOKEN",
        "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20TOKEN",
        "process.env.ELASTIC_APM_SECRET_TOKEN",
        "Bearer ${env:APM_SECRET_TOKEN}",
    ];
    let open = TestServer::start();
    let page = open.get("/setup").await.text;
    for name in NAMES {
        assert!(!page.contains(name), "{name}");
    }
    open.stop().await;
    let guarded = TestServer::with(|config| config.secret_token = SecretToken::new(SECRET));
    let bearer = format!("Bearer {SECRET}");
    let headers = [("Accept", "text/html"), ("Authorization", bearer.as_str())];
    let page = guarded.send("GET", "/setup", &headers, "").await;
    assert_eq!(page.status, 200);
    for name in NAMES {
        assert!(page.text.contains(name), "{name}");
    }
    assert!(!page.text.contains(SECRET));
    let stranger = guarded
        .send("GET", "/setup", &[("Accept", "text/html")], "")
        .await;
    assert_eq!(stranger.status, 401);
    guarded.stop().await;
}

#[actix_web::test]
async fn the_first_page_says_what_to_call_until_a_request_was_answered() {
    let server = TestServer::with(|config| {
        config.call_first = Some("http://127.0.0.1:8080/sql-write".into())
    });
    let says = |page: &str| page.contains("curl http://127.0.0.1:8080/sql-write");
    let home = "/services";
    assert!(says(&server.get(home).await.text), "nothing was sent");
    // The agent of the service sends metrics before anybody called it.
    let metrics = json!({"metricset": {"timestamp": now(), "samples": {"system.memory.total": {"value": 8e9}}}});
    let body = format!("{}\n{metrics}", metadata("shop"));
    assert_eq!(server.intake(body).await.status, 202);
    let page = server.get(home).await.text;
    assert!(
        page.contains("1 service sent other events.") && says(&page),
        "{page}"
    );
    for other in ["search=none", "env=live", "from=now-2h&to=now-1h"] {
        let page = server.get(&format!("{home}?{other}")).await.text;
        assert!(!says(&page), "{other}");
    }
    let body = format!("{}\n{}", metadata("shop"), transaction(1, "GET /", now()));
    assert_eq!(server.intake(body).await.status, 202);
    assert!(!says(&server.get(home).await.text));
    server.stop().await;
}
