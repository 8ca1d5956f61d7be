//! Agents in browsers: who may send, what is stored of it, and what the page's browser is told.

use std::collections::BTreeMap;

use apm_server::{ClientAddress, Config, Rum, SecretToken};
use serde_json::{Value, json};

use super::documents::{comparable, difference};
use crate::support::fixtures;
use crate::support::server::{Answer, TestServer};

const V2: &str = "/intake/v2/rum/events?verbose";
const V3: &str = "/intake/v3/rum/events?verbose";
const NDJSON: (&str, &str) = ("Content-Type", "application/x-ndjson");
const SHOP: (&str, &str) = ("Origin", "https://a.shop.example");
const EVIL: (&str, &str) = ("Origin", "https://evil.example");
const ALLOWED: &str = "access-control-allow-origin";

/// A server that takes browsers.
fn start(change: impl FnOnce(&mut Config, &mut Rum)) -> TestServer {
    TestServer::with(|config| {
        let mut rum = Rum::default();
        rum.allow_origins = vec!["https://*.shop.example".to_owned()];
        change(config, &mut rum);
        config.rum = Some(rum);
    })
}

fn body(agent: &str, errors: usize) -> String {
    let mut lines = vec![format!(
        r#"{{"m":{{"se":{{"n":"shop","ve":"1","a":{{"n":"{agent}","ve":"5"}}}}}}}}"#
    )];
    lines.extend((0..errors).map(|id| format!(r#"{{"e":{{"id":"{id}","ex":{{"mg":"m"}}}}}}"#)));
    lines.join("\n")
}

async fn post(
    server: &TestServer,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<actix_web::web::Bytes>,
) -> Answer {
    server
        .send("POST", path, &[&[NDJSON], headers].concat(), body)
        .await
}

async fn stored(server: &TestServer, headers: &[(&str, &str)]) -> Vec<Value> {
    let path = "/api/v1/discover?q=&from=2000-01-01T00:00:00Z&to=now%2B1h&size=100";
    let found = server.send("GET", path, headers, "").await;
    assert_eq!(found.status, 200, "{}", found.text);
    found.json()["hits"].as_array().cloned().unwrap_or_default()
}

async fn metric(server: &TestServer, name: &str) -> String {
    let text = server.get("/metrics").await.text;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .trim()
        .to_owned()
}

#[actix_web::test]
async fn browsers_are_not_taken_unless_the_server_is_told_to() {
    let server = TestServer::start();
    for path in [V2, V3, "/config/v1/rum/agents?service.name=shop"] {
        let answer = post(&server, path, &[SHOP], body("rum-js", 1)).await;
        assert_eq!((answer.status, answer.header(ALLOWED)), (403, ""), "{path}");
        assert!(
            answer.text.contains("RUM endpoint is disabled"),
            "{}",
            answer.text
        );
        let asked = server.send("OPTIONS", path, &[SHOP], "").await;
        assert_eq!((asked.status, asked.header(ALLOWED)), (200, ""), "{path}");
    }
    assert!(stored(&server, &[]).await.is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn a_page_may_send_if_its_site_is_listed() {
    let server = start(|_, _| {});
    for (path, origin, allowed) in [(V2, SHOP, SHOP.1), (V3, SHOP, SHOP.1), (V3, EVIL, "")] {
        let asked = server.send("OPTIONS", path, &[origin], "").await;
        assert_eq!((asked.status, asked.text.as_str()), (200, ""));
        assert_eq!(asked.header(ALLOWED), allowed, "{origin:?}");
        for (name, value) in [
            ("access-control-allow-methods", "POST, OPTIONS"),
            (
                "access-control-allow-headers",
                "Content-Type, Content-Encoding, Accept",
            ),
            ("access-control-expose-headers", "Etag"),
            ("access-control-max-age", "3600"),
            ("access-control-allow-credentials", ""),
            ("vary", "Origin"),
        ] {
            assert_eq!(asked.header(name), value, "{name}");
        }
        let answer = post(
            &server,
            path,
            &[origin, ("Sec-Fetch-Site", "cross-site")],
            body("rum-js", 1),
        )
        .await;
        let status = if allowed.is_empty() { 403 } else { 202 };
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.header(ALLOWED), allowed, "{origin:?}");
    }
    let answer = post(&server, V3, &[], body("rum-js", 1)).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.text.contains("origin: '' is not allowed"),
        "{}",
        answer.text
    );
    // A refusal can be read by the page, too.
    let plain = ("Content-Type", "text/plain");
    let answer = server
        .send("POST", V3, &[plain, SHOP], body("rum-js", 1))
        .await;
    assert_eq!((answer.status, answer.header(ALLOWED)), (400, SHOP.1));
    assert!(
        answer.text.contains("invalid content type: 'text/plain'"),
        "{}",
        answer.text
    );
    let answer = server.send("GET", V3, &[SHOP], "").await;
    assert_eq!(answer.status, 400);
    // The site may send to these addresses, and to no others.
    let answer = post(&server, "/intake/v2/events", &[SHOP], body("rum-js", 1)).await;
    assert_eq!((answer.status, answer.header(ALLOWED)), (403, ""));
    assert_eq!(stored(&server, &[]).await.len(), 2);
    assert_eq!(
        metric(
            &server,
            "pocket_apm_requests_refused_total{reason=\"site\"}"
        )
        .await,
        "3"
    );
    server.stop().await;
}

#[actix_web::test]
async fn without_a_secret_only_agents_of_browsers_and_listed_services_may_send() {
    let server = start(|config, rum| {
        config.secret_token = SecretToken::new("hush");
        rum.allow_services = vec!["shop".to_owned()];
    });
    let hush = ("Authorization", "Bearer hush");
    let wrong = ("Authorization", "Bearer other");
    let bank = body("rum-js", 1).replace("\"n\":\"shop\"", "\"n\":\"bank\"");
    for (headers, sent, status, told) in [
        (&[SHOP][..], body("rum-js", 1), 202, "\"accepted\": 1"),
        (
            &[SHOP],
            body("python", 1),
            403,
            "not permitted for agent \\\"python\\\"",
        ),
        (
            &[SHOP],
            bank.clone(),
            403,
            "not permitted for service \\\"bank\\\"",
        ),
        (&[SHOP, hush], body("python", 1), 202, "\"accepted\": 1"),
        (&[SHOP, hush], bank, 202, "\"accepted\": 1"),
        (
            &[SHOP, wrong],
            body("rum-js", 1),
            401,
            "authentication failed",
        ),
    ] {
        let answer = post(
            &server,
            V3,
            &[headers, &[("Accept", "application/json")]].concat(),
            sent,
        )
        .await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains(told), "{told}: {}", answer.text);
    }
    // Browsers open no other way.
    let answer = post(&server, "/intake/v2/events", &[], body("rum-js", 1)).await;
    assert_eq!(answer.status, 401);
    assert_eq!(stored(&server, &[hush]).await.len(), 3);
    server.stop().await;
}

#[actix_web::test]
async fn an_address_may_send_so_much_and_no_more() {
    let server = start(|config, rum| {
        rum.rate = 20;
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let from = |address| [SHOP, ("X-Forwarded-For", address)];
    let mut taken = 0;
    for _ in 0..12 {
        let answer = post(&server, V3, &from("203.0.113.1"), body("rum-js", 11)).await;
        taken += usize::from(answer.status == 202);
        assert!(
            answer.status == 202 || answer.text.contains("rate limit exceeded"),
            "{}",
            answer.text
        );
        if answer.status != 202 {
            assert_eq!(answer.header(ALLOWED), SHOP.1);
        }
    }
    // Five at once; slow machines give a few tokens more.
    assert!((5..=8).contains(&taken), "{taken}");
    let answer = post(&server, V3, &from("203.0.113.2"), body("rum-js", 11)).await;
    assert_eq!(answer.status, 202);
    let refused: u64 = metric(
        &server,
        "pocket_apm_requests_refused_total{reason=\"rate\"}",
    )
    .await
    .parse()
    .unwrap();
    let dropped: u64 = metric(&server, "pocket_apm_events_rejected_total{reason=\"rate\"}")
        .await
        .parse()
        .unwrap();
    assert!(refused + dropped >= 4, "{refused} {dropped}");
    let sent = "pocket_apm_wire_requests_total{wire=\"intake_rum\"}";
    assert!(metric(&server, sent).await.parse::<u64>().unwrap() > taken as u64);
    server.stop().await;
}

#[actix_web::test]
async fn of_the_reader_no_more_is_kept_than_asked_for() {
    for (part, port, ip) in [
        (ClientAddress::Whole, true, json!("127.0.0.1")),
        (ClientAddress::Cut, false, json!("127.0.0.0")),
        (ClientAddress::None, false, Value::Null),
    ] {
        let server = start(|_, rum| rum.client_address = part);
        let agent = (
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0 Safari/537.36",
        );
        let answer = post(&server, V3, &[SHOP, agent], body("rum-js", 1)).await;
        assert_eq!(answer.status, 202);
        let found = &stored(&server, &[]).await[0];
        assert_eq!(found["client"]["ip"], ip);
        assert_eq!(found["source"]["ip"], ip);
        assert_eq!(found["source"]["port"].is_number(), port);
        assert!(found["host"]["ip"].is_null());
        let browser = &found["user_agent"];
        assert_eq!(
            (&browser["name"], &browser["os"]["name"]),
            (&json!("Chrome"), &json!("Linux"))
        );
        server.stop().await;
    }
}

#[actix_web::test]
async fn a_page_may_send_the_headers_that_are_listed() {
    let server =
        start(|_, rum| rum.allow_headers = vec!["X-Shop".to_owned(), "X-Trace".to_owned()]);
    let asked = server.send("OPTIONS", V3, &[SHOP], "").await;
    assert_eq!(
        asked.header("access-control-allow-headers"),
        "Content-Type, Content-Encoding, Accept, X-Shop, X-Trace"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_browser_is_told_its_rate_of_samples_and_nothing_else() {
    let server = start(|_, _| {});
    let own = server.running.url();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", own.as_str()),
    ];
    let form = "service=shop&environment=&settings=transaction_sample_rate%3D0.5%0Atransaction_max_spans%3D7";
    let saved = server
        .send("POST", "/settings/agents", &headers, form)
        .await;
    assert!(saved.status < 400, "{} {}", saved.status, saved.text);
    let path = "/config/v1/rum/agents?service.name=shop";
    let answer = server
        .send("GET", path, &[SHOP, ("Accept", "application/json")], "")
        .await;
    assert_eq!(answer.json(), json!({"transaction_sample_rate": "0.5"}));
    let etag = answer.header("etag").to_owned();
    assert_eq!(answer.header("access-control-expose-headers"), "Etag");
    let again = format!("{path}&ifnonematch={}", etag.trim_matches('"'));
    assert_eq!(server.send("GET", &again, &[SHOP], "").await.status, 304);
    assert_eq!(server.send("GET", path, &[EVIL], "").await.status, 403);
    // The visitors of a page are one agent, however their browsers call themselves.
    for number in 0..5 {
        let name = format!("Browser/{number}");
        let headers = [SHOP, ("User-Agent", name.as_str())];
        assert_eq!(server.send("GET", path, &headers, "").await.status, 200);
    }
    // An event is written after all that was noted before.
    let lines = [
        json!({"metadata": {"service": {"name": "shop", "agent": {"name": "a", "version": "1"}}}}),
        json!({"error": {"id": "1", "log": {"message": "a"}}}),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    assert_eq!(server.intake(lines).await.status, 202);
    let settings = server.get("/api/v1/settings").await.json();
    let asked = &settings["agents"][0]["agents"];
    assert_eq!(asked.as_array().map(Vec::len), Some(1), "{settings}");
    assert_eq!(asked[0]["agent"], "agents in browsers");
    server.stop().await;
}

/// Fields that the time of receipt decides, and those that pipelines behind Elastic's server add.
const OTHER: [&str; 10] = [
    "@timestamp",
    "timestamp.us",
    "source.port",
    "event.duration",
    "span.duration.us",
    "transaction.duration.us",
    "_index",
    "processor.event",
    "event.success_count",
    "event.dataset",
];

#[actix_web::test]
async fn what_elastics_agent_and_tests_send_is_stored_as_elastics_server_stores_it() {
    let Some(wanted) = fixtures::browser("reference-documents.json") else {
        return;
    };
    let wanted: Value = serde_json::from_slice(&wanted).unwrap();
    let headers = wanted["request_headers"].as_object().unwrap();
    let agent = headers["User-Agent"].as_str().unwrap();
    for (file, expected) in wanted["files"].as_object().unwrap() {
        let server = start(|config, rum| {
            rum.allow_origins = vec!["*".to_owned()];
            config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        });
        let sent = fixtures::browser(file).unwrap();
        let headers = [
            ("User-Agent", agent),
            ("X-Forwarded-For", "203.0.113.44"),
            ("Origin", "http://shop.example:8080"),
        ];
        let path = expected["path"].as_str().unwrap().to_owned() + "?verbose";
        let answer = post(&server, &path, &headers, sent).await;
        assert_eq!(answer.json(), expected["body"], "{file}: {}", answer.text);
        let mut found: Vec<_> = stored(&server, &[]).await.iter().map(told).collect();
        for wanted in expected["documents"].as_array().unwrap() {
            let wanted = told(wanted);
            let differ = |hit: &BTreeMap<_, _>| -> Vec<String> {
                let mut all = difference(hit, &wanted);
                all.retain(|line| !is_ours(line));
                all
            };
            let Some(at) = found.iter().position(|hit| differ(hit).is_empty()) else {
                let nearest = found.iter().map(differ).min_by_key(Vec::len);
                panic!("{file}: no document is {wanted:#?}\nthe nearest differs in {nearest:#?}");
            };
            found.remove(at);
        }
        assert!(found.is_empty(), "{file}: {found:#?}");
        server.stop().await;
    }
}

fn told(document: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut told = comparable(document);
    told.retain(|name, _| !OTHER.iter().any(|other| name.starts_with(other)));
    told
}

/// Whether a difference is one of those that docs/browsers.md names.
fn is_ours(line: &str) -> bool {
    [
        // Ids and targets of the third version, as of the second one.
        "span.id:",
        "service.target.",
        "span.representative_count:",
        "metricset.",
        // Not zeros where nothing was sent.
        "transaction.experience.longtask",
        "error.grouping_name:",
        "message:",
    ]
    .iter()
    .any(|known| line.starts_with(known))
}
