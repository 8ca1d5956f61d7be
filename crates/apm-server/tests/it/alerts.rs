//! Alerts on the page and in the API.

mod hanging;

use std::time::Duration;

use apm_server::Config;
use apm_server::api_keys::{NewKey, Privilege};
use serde_json::{Value, json};

use crate::support::server::{Answer, TestServer, eventually};

fn start() -> TestServer {
    TestServer::with(|config: &mut Config| config.alerts.look = Duration::from_millis(50))
}

async fn form(server: &TestServer, path: &str, body: &str) -> Answer {
    let origin = server.running.url();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", &*origin),
    ];
    server.send("POST", path, &headers, body.to_owned()).await
}

async fn post(server: &TestServer, path: &str, body: Value) -> Answer {
    let headers = [("Content-Type", "application/json")];
    server.send("POST", path, &headers, body.to_string()).await
}

async fn shown(server: &TestServer) -> Value {
    server.get("/api/v1/alerts").await.json()
}

async fn page(server: &TestServer, query: &str) -> String {
    let answer = server.get(&format!("/alerts{query}")).await;
    assert_eq!(answer.status, 200);
    answer.text
}

async fn fail(server: &TestServer) {
    let body = r#"{"metadata":{"service":{"name":"shop","agent":{"name":"a","version":"1"}}}}
{"error":{"id":"00000000000000c1","exception":{"type":"Overflow","message":"<script>alert(1)</script>"}}}
"#;
    assert_eq!(server.intake(body).await.status, 202);
}

#[actix_web::test]
async fn a_new_error_fires_on_the_page_in_the_navigation_and_in_the_api() {
    let server = start();
    assert!(page(&server, "").await.contains("No alert is firing."));
    // A rule knows what is new once it has been evaluated.
    eventually("evaluated", async || {
        let sql = "SELECT%20count(*)%20AS%20n%20FROM%20alert_watch";
        server.get(&format!("/api/v1/sql?sql={sql}")).await.json()["rows"][0][0] == 9
    })
    .await;
    fail(&server).await;
    eventually("fired", async || {
        shown(&server).await["firing"][0]["rule"] == "builtin-error"
    })
    .await;
    // A choice of services holds here, too.
    for (query, firing) in [
        ("?service=shop", 1),
        ("?not_service=shop", 0),
        ("?service=a&service=b", 0),
    ] {
        let found = server.get(&format!("/api/v1/alerts{query}")).await.json();
        let found = found["firing"].as_array().expect("alerts").len();
        assert_eq!(found, firing, "{query}");
    }
    let other = page(&server, "?service=other").await;
    assert!(other.contains("No alert is firing for other."), "{other}");
    let page = page(&server, "").await;
    assert!(
        page.contains("new error: Overflow: &lt;script&gt;"),
        "{page}"
    );
    assert!(!page.contains("<script>alert"), "telemetry is escaped");
    assert!(page.contains("Rule: A new error"), "{page}");
    assert!(
        page.contains("no receiver"),
        "the history tells that nobody was told"
    );
    let services = server.get("/services").await.text;
    assert!(
        services.contains(r#"<span class="count bad">1</span>"#),
        "{services}"
    );
    // Its row and its own page say so, but not those of others.
    assert!(services.contains(">1 alert</span>"), "{services}");
    let own = server.get("/services/shop").await.text;
    assert!(
        own.contains(r#"<dt>Alerts</dt><dd><a href="/alerts?service=shop">1</a></dd>"#),
        "{own}"
    );
    for (path, firing) in [
        ("services", json!({"shop": 1})),
        ("services?env=lab", json!({})),
    ] {
        let found = server.get(&format!("/api/v1/{path}")).await.json();
        assert_eq!(found["alerts"], firing, "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_rule_is_made_changed_and_deleted_with_forms() {
    let server = start();
    let empty = page(&server, "?new=failure_rate").await;
    assert!(empty.contains("Failed requests, percent"), "{empty}");
    let made = "id=&kind=failure_rate&name=mine&percent=2.5&requests=7&hold_seconds=30&enabled=yes";
    let answer = form(&server, "/alerts/rules", made).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/alerts"));
    let rules = shown(&server).await["rules"].take();
    let mine = rules
        .as_array()
        .expect("rules")
        .iter()
        .find(|one| one["rule"]["name"] == "mine");
    let mine = mine.expect("kept");
    assert_eq!(
        (&mine["rule"]["percent"], &mine["origin"]),
        (&json!(2.5), &json!("page"))
    );
    let id = mine["rule"]["id"].as_str().expect("an id").to_owned();
    let edit = page(&server, &format!("?edit={id}")).await;
    assert!(edit.contains("value=\"2.5\""), "{edit}");
    assert_eq!(
        form(
            &server,
            &format!("/alerts/rules/{id}/silence"),
            "seconds=3600"
        )
        .await
        .status,
        303
    );
    assert!(page(&server, "").await.contains("silent until"));
    assert_eq!(
        form(&server, &format!("/alerts/rules/{id}/test"), "")
            .await
            .status,
        303
    );
    assert!(page(&server, "").await.contains("Test: mine"));
    assert_eq!(
        form(&server, &format!("/alerts/rules/{id}/delete"), "")
            .await
            .status,
        303
    );
    assert_eq!(
        form(&server, &format!("/alerts/rules/{id}/delete"), "")
            .await
            .status,
        404
    );
    for (wrong, why) in [
        ("kind=failure_rate&name=&percent=2", "needs a name"),
        (
            "kind=failure_rate&name=a&percent=200",
            "percent is a number from",
        ),
        ("kind=nothing&name=a", "no kind of rule"),
    ] {
        let answer = form(&server, "/alerts/rules", wrong).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.text.contains(why), "{why}: {}", answer.text);
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_address_of_a_receiver_is_shown_nowhere() {
    let server = start();
    let made = "name=ops&kind=slack&target=https%3A%2F%2Fhooks.example.com%2Fhush";
    assert_eq!(form(&server, "/alerts/receivers", made).await.status, 303);
    let receivers = shown(&server).await["receivers"].take();
    assert_eq!(receivers[0]["target"], "https://hooks.example.com/…");
    let csv = server
        .get("/api/v1/alerts?format=csv&table=receivers")
        .await
        .text;
    let sql = server
        .get("/api/v1/sql?sql=SELECT%20*%20FROM%20alert_receiver")
        .await;
    assert_eq!(sql.status, 400, "{}", sql.text);
    for text in [
        csv,
        page(&server, "").await,
        sql.text,
        receivers.to_string(),
    ] {
        assert!(!text.contains("hush"), "{text}");
    }
    assert_eq!(
        form(&server, "/alerts/receivers/ops/delete", "")
            .await
            .status,
        303
    );
    server.stop().await;
}

#[actix_web::test]
async fn the_api_changes_what_the_page_does() {
    let server = start();
    let made = post(
        &server,
        "/api/v1/alerts/rules",
        json!({"name": "full", "kind": "disk", "megabytes": 1}),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let rule = format!("/api/v1/alerts/rules/{id}");
    let receiver =
        json!({"name": "ops", "kind": "webhook", "url": "https://hooks.example.com/hush"});
    for (path, body, status) in [
        ("/api/v1/alerts/receivers", receiver, 204),
        (&*format!("{rule}/silence"), json!({"seconds": 60}), 204),
        (&*format!("{rule}/silence"), json!({"seconds": -1}), 400),
        (&*format!("{rule}/delete"), json!({}), 204),
        (&*format!("{rule}/delete"), json!({}), 404),
        ("/api/v1/alerts/rules/none/test", json!({}), 404),
        ("/api/v1/alerts/receivers/ops/delete", json!({}), 204),
        (
            "/api/v1/alerts/rules",
            json!({"name": "a", "kind": "disk", "megabyte": 1}),
            400,
        ),
        (
            "/api/v1/alerts/receivers",
            json!({"name": "a", "kind": "command", "command": ["/bin/true"]}),
            400,
        ),
    ] {
        let answer = post(&server, path, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    server.stop().await;
}

#[actix_web::test]
async fn changing_alerts_needs_more_than_reading() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = directory.path().join("keys");
    let reader = NewKey::make("reader", &[Privilege::Read]).expect("a key");
    std::fs::write(&keys, format!("{}\n", reader.line)).expect("written");
    let server = TestServer::with(|config| config.api_key_file = Some(keys));
    let key = format!("ApiKey {}", reader.encoded);
    let authorization = ("Authorization", &*key);
    let answer = server
        .send("GET", "/api/v1/alerts", &[authorization], "")
        .await;
    assert_eq!(answer.status, 200);
    let rule = json!({"name": "a", "kind": "disk"}).to_string();
    let answer = server
        .send("POST", "/api/v1/alerts/rules", &[authorization], rule)
        .await;
    assert_eq!(answer.status, 403);
    server.stop().await;
}

#[actix_web::test]
async fn an_objective_is_set_measured_and_deleted_on_the_page_and_in_the_api() {
    let server = start();
    let objective = json!({
        "name": "checkout <works>", "service": "shop", "indicator": "availability", "percent": 90.0, "days": 7,
    });
    let made = post(&server, "/api/v1/slos", objective).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let wrong =
        json!({"name": "n", "service": "shop", "indicator": "availability", "percent": 100});
    let refused = post(&server, "/api/v1/slos", wrong).await;
    assert!(
        refused.status == 400 && refused.text.contains("percent"),
        "{}",
        refused.text
    );
    let mut body = String::from(
        r#"{"metadata":{"service":{"name":"shop","agent":{"name":"a","version":"1"}}}}"#,
    );
    for number in 1..=20 {
        let outcome = if number <= 1 { "failure" } else { "success" };
        body.push_str(&format!(
            "\n{{\"transaction\":{{\"id\":\"{number:016x}\",\"trace_id\":\"{number:032x}\",\"name\":\"GET /\",\
             \"type\":\"request\",\"duration\":5,\"span_count\":{{\"started\":0}},\"outcome\":\"{outcome}\"}}}}"
        ));
    }
    assert_eq!(server.intake(body + "\n").await.status, 202);
    let found = async || server.get("/api/v1/slos").await.json()["objectives"][0].clone();
    eventually("rolled up", async || found().await["total"] == 20.0).await;
    let one = found().await;
    assert_eq!(
        (&one["bad"], &one["good_share"]),
        (&json!(1.0), &json!(0.95))
    );
    let left = one["budget"].as_f64().expect("a share");
    assert!(
        (left - 0.5).abs() < 1e-9,
        "half of what may be bad was: {left}"
    );
    let page = server.get("/slos").await.text;
    assert!(
        page.contains("The objective is within budget.") && page.contains("checkout &lt;works&gt;"),
        "{page}"
    );
    assert!(
        server
            .get(&format!("/slos?edit={id}"))
            .await
            .text
            .contains("Change the objective")
    );
    let file = server.get("/api/v1/slos?format=csv").await.text;
    assert!(file.contains(&id) && file.contains("0.95"), "{file}");
    let stricter = format!(
        "id={id}&name=n&service=shop&environment=&transaction=&milliseconds=1&percent=99&days=7"
    );
    assert_eq!(form(&server, "/slos", &stricter).await.status, 303);
    let one = found().await;
    assert_eq!(
        (&one["bad"], &one["objective"]["indicator"]),
        (&json!(20.0), &json!("latency"))
    );
    assert!(
        server
            .get("/slos")
            .await
            .text
            .contains("One objective has used up its budget.")
    );
    assert_eq!(form(&server, "/slos", "name=n").await.status, 400);
    assert_eq!(
        form(&server, &format!("/slos/{id}/delete"), "")
            .await
            .status,
        303
    );
    assert_eq!(
        form(&server, &format!("/slos/{id}/delete"), "")
            .await
            .status,
        404
    );
    assert!(
        server
            .get("/slos")
            .await
            .text
            .contains("No objectives are set.")
    );
    server.stop().await;
}
