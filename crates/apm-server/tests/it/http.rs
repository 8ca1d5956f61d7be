//! Access, and the state that the server tells of itself.

mod agent_config;
mod base_path;
mod connections;
mod encrypted;
mod health;
mod keys;
mod limits;
mod output;
mod pinned;
mod pipelined;
mod proxies;
mod settings;
mod uploads;

use std::collections::BTreeMap;

use apm_server::SecretToken;
use serde_json::json;

use crate::support::server::TestServer;

const HTML: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");

fn with_token() -> TestServer {
    TestServer::with(|config| config.secret_token = SecretToken::new("hush"))
}

#[actix_web::test]
async fn agents_learn_the_version_and_browsers_are_sent_to_the_pages() {
    let server = TestServer::start();
    let answer = server.get("/").await;
    assert_eq!(answer.status, 200);
    let major = answer.json()["version"]
        .as_str()
        .and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    assert!(major.is_some_and(|major| major >= 8), "{answer:?}");
    assert_eq!(server.send("POST", "/", &[], "").await.status, 405);
    assert_eq!(
        server.get("/nowhere").await.json(),
        json!({"error": "404 page not found"})
    );
    assert_eq!(server.get("/healthz").await.status, 200);
    server.stop().await;
}

#[actix_web::test]
async fn names_of_others_are_refused_on_loopback() {
    let server = TestServer::start();
    for (host, status) in [
        ("evil.example", 403),
        ("evil.example:8200", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1:8200.evil.example", 403),
        ("[::1].evil.example", 403),
        ("[::1", 403),
        ("localhost:port", 403),
        ("localhost:8200", 200),
        ("app.localhost", 200),
        ("127.0.0.1", 200),
        ("[::1]:8200", 200),
    ] {
        let answer = server
            .send("GET", "/api/v1/status", &[("Host", host)], "")
            .await;
        assert_eq!(answer.status, status, "{host}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn other_sites_change_nothing() {
    let server = TestServer::start();
    let own = server.running.url();
    for (path, origin, status) in [
        ("/logout", None, 403),
        ("/logout", Some("https://evil.example"), 403),
        ("/logout", Some("null"), 403),
        ("/logout", Some("http://127.0.0.1.evil.example"), 403),
        ("/logout", Some(own.as_str()), 303),
        ("/intake/v2/events", Some("https://evil.example"), 403),
        ("/intake/v2/events", None, 202),
    ] {
        let headers: Vec<_> = origin
            .map(|origin| ("Origin", origin))
            .into_iter()
            .collect();
        let answer = server.send("POST", path, &headers, "").await;
        assert_eq!(answer.status, status, "{path} {origin:?}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn scripts_post_without_an_origin_and_other_sites_do_not() {
    let server = with_token();
    let bearer = ("Authorization", "Bearer hush");
    let json = ("Content-Type", "application/json");
    let own = server.running.url();
    for (origin, with_token, refused) in [
        (None, true, None),
        (Some(own.as_str()), true, None),
        (Some("https://evil.example"), true, Some(403)),
        (Some("null"), true, Some(403)),
        (None, false, Some(401)),
    ] {
        let mut headers = vec![json];
        headers.extend(origin.map(|origin| ("Origin", origin)));
        headers.extend(with_token.then_some(bearer));
        let marker = r#"{"name":"a release"}"#;
        let answer = server
            .send("POST", "/api/v1/markers", &headers, marker)
            .await;
        match refused {
            Some(status) => assert_eq!(answer.status, status, "{origin:?}: {answer:?}"),
            None => assert!(answer.status < 300, "{origin:?}: {answer:?}"),
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn metrics_come_in_families_that_prometheus_reads() {
    let server = TestServer::start();
    let metadata = r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;
    let event = r#"{"transaction":{"id":"1","trace_id":"2","type":"t","duration":1,"span_count":{"started":0}}}"#;
    let long = "x".repeat(400 * 1024);
    let body = format!("{metadata}\n{event}\n{{\"odd\":1}}\n{long}\n");
    assert_eq!(server.intake(body).await.status, 400);
    let text = server.get("/metrics").await.text;
    let value = |name: &str| -> Option<f64> {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")))?;
        line.rsplit(' ').next()?.parse().ok()
    };
    for (name, expected) in [
        (
            "pocket_apm_events_accepted_total{kind=\"transaction\"}",
            1.0,
        ),
        (
            "pocket_apm_events_rejected_total{reason=\"unknown_type\"}",
            1.0,
        ),
        (
            "pocket_apm_events_rejected_total{reason=\"oversized\"}",
            1.0,
        ),
        ("pocket_apm_intake_requests_failed_total", 1.0),
        ("pocket_apm_commits_total", 1.0),
        ("pocket_apm_commit_seconds_bucket{le=\"+Inf\"}", 1.0),
        ("pocket_apm_commit_seconds_count", 1.0),
        ("pocket_apm_queue_events", 0.0),
        ("pocket_apm_store_ok", 1.0),
    ] {
        assert_eq!(value(name), Some(expected), "{name} in {text}");
    }
    assert!(value("pocket_apm_commit_seconds_sum").is_some_and(|sum| sum > 0.0));
    let again = server.get("/metrics").await.text;
    let start = |text: &str| {
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with("process_start_time_seconds "))
            .map(str::to_owned)
    };
    assert!(start(&text).is_some() && start(&text) == start(&again));
    // Each family says what it is before its values, once.
    let mut family = "";
    for line in text.lines() {
        match line.strip_prefix("# TYPE ") {
            Some(of) => family = of.split(' ').next().unwrap_or_default(),
            None if line.starts_with('#') => {}
            None => assert!(!family.is_empty() && line.starts_with(family), "{line}"),
        }
    }
    let offending = server.get("/api/v1/status").await.json();
    let offending = &offending["intake"]["offending"];
    assert_eq!(offending.as_array().map(Vec::len), Some(2), "{offending}");
    let cut = offending[0]["document"].as_str().map(str::len);
    assert!(cut.is_some_and(|length| length <= 1100), "{cut:?}");
    server.stop().await;
}

/// Each family with its type, as the table of the documentation has it: `| `name`, `name` | type, type | what |`.
fn documented() -> BTreeMap<String, String> {
    let text = include_str!("../../../../docs/server.md");
    let (own, _of_services) = text.split_once("`/metrics/services`").expect("both");
    let is_row = |line: &&str| {
        ["| `pocket_apm_", "| `process_"]
            .iter()
            .any(|row| line.starts_with(row))
    };
    let rows = own.lines().filter(is_row);
    let mut all = BTreeMap::new();
    for row in rows {
        let mut cells = row.split('|').skip(1).map(str::trim);
        let (names, kinds) = (cells.next().expect("names"), cells.next().expect("types"));
        // One type for all names, or one for each.
        let mut kinds = kinds.split(", ").cycle();
        for name in names.split(", ") {
            let name = name.trim_matches('`').split('{').next().expect("a name");
            let kind = kinds.next().expect("a type").to_owned();
            assert_eq!(all.insert(name.to_owned(), kind), None, "{name} twice");
        }
    }
    all
}

#[actix_web::test]
async fn every_metric_is_in_the_documentation_and_every_documented_one_is_there() {
    // An engine that is not there is enough for the metrics of the output.
    let server = TestServer::with(|config| {
        let hosts = ["http://127.0.0.1:9".to_owned()];
        config.output = Some(apm_output::Config::new(hosts).expect("an address"));
    });
    assert_eq!(server.get("/healthz").await.status, 200);
    let text = server.get("/metrics").await.text;
    let families: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect();
    assert!(families.len() > 20, "{families:?}");
    assert_eq!(families, documented());
    // The other form has what was refused as well.
    let foreign = [("Host", "evil.example")];
    assert_eq!(
        server.send("GET", "/metrics", &foreign, "").await.status,
        403
    );
    let refused = &server.get("/api/v1/status").await.json()["requests_refused"];
    assert_eq!((&refused["host"], &refused["site"]), (&json!(1), &json!(0)));
    server.stop().await;
}

#[actix_web::test]
async fn with_a_token_agents_send_it_and_browsers_sign_in() {
    let server = with_token();
    let anonymous = server.get("/").await;
    assert_eq!((anonymous.status, anonymous.text.as_str()), (200, ""));
    assert_eq!(server.get("/healthz").await.status, 200);
    for (header, status) in [
        ("Bearer hush", 202),
        ("Bearer hus", 401),
        ("Basic x", 401),
        ("hush", 401),
    ] {
        let headers = [("Authorization", header)];
        assert_eq!(
            server
                .send("POST", "/intake/v2/events", &headers, "")
                .await
                .status,
            status,
            "{header}"
        );
    }
    assert_eq!(server.get("/api/v1/status").await.status, 401);
    assert_eq!(server.get("/metrics").await.status, 401);

    let answer = server.send("GET", "/login?next=/x", &[HTML], "").await;
    assert_eq!(answer.status, 200);
    let own = server.running.url();
    let form = [
        ("Origin", own.as_str()),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let wrong = server.send("POST", "/login", &form, "token=wrong").await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (403, ""));
    let right = server
        .send(
            "POST",
            "/login",
            &form,
            "token=hush&next=%2F%2Fevil.example",
        )
        .await;
    assert_eq!((right.status, right.header("location")), (303, "/services"));
    let cookie = right.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let session = cookie.split(';').next().expect("a pair");
    assert!(!session.contains("hush"));
    assert_eq!(
        server
            .send("GET", "/api/v1/status", &[("Cookie", session)], "")
            .await
            .status,
        200
    );
    let leave = [("Origin", own.as_str()), ("Cookie", session)];
    assert_eq!(server.send("POST", "/logout", &leave, "").await.status, 303);
    assert_eq!(
        server
            .send("GET", "/api/v1/status", &[("Cookie", session)], "")
            .await
            .status,
        401
    );
    server.stop().await;
}

#[actix_web::test]
async fn every_answer_keeps_a_browser_from_running_telemetry() {
    let server = TestServer::start();
    for path in ["/", "/nowhere", "/login", "/api/v1/status"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
    }
    // Scripts and style sheets are no documents: what only documents obey would be a third of their weight.
    let page = server.get("/services").await.text;
    let script = page.split('"').find(|part| part.ends_with(".js"));
    let script = server.get(script.expect("a script")).await;
    assert_eq!(script.header("x-content-type-options"), "nosniff");
    assert_eq!(script.header("content-security-policy"), "");
    server.stop().await;
}
