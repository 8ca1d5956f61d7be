//! Web vitals of pages: from what browsers send to the page that shows them.

use apm_server::Rum;
use serde_json::{Value, json};

use crate::support::server::TestServer;

const NDJSON: [(&str, &str); 2] = [
    ("Content-Type", "application/x-ndjson"),
    ("Origin", "https://shop.example"),
];
const METADATA: &str = r#"{"m":{"se":{"n":"shop","ve":"1","a":{"n":"rum-js","ve":"5"}}}}"#;

fn load(id: usize, name: &str, lcp: f64, cls: f64) -> String {
    let load = json!({"x": {
        "id": format!("{id:016x}"), "tid": format!("{id:032x}"), "n": name, "t": "page-load", "d": 500.0,
        "yc": {"sd": 0}, "sm": true, "sr": 1, "k": {"a": {"lp": lcp, "fb": 50}}, "exp": {"cls": cls},
    }});
    load.to_string()
}

fn exit(id: usize, url: &str, inp: f64) -> String {
    let exit = json!({"x": {
        "id": format!("{id:016x}"), "tid": format!("{id:032x}"), "n": "page-exit", "t": "page-exit", "d": 1,
        "yc": {"sd": 0}, "sm": true, "c": {"p": {"url": url}, "g": {"inp_value": inp}},
    }});
    exit.to_string()
}

async fn start(lines: &[String]) -> TestServer {
    let server = TestServer::with(|config| config.rum = Some(Rum::default()));
    let body = [&[METADATA.to_owned()], lines].concat().join("\n");
    let sent = server
        .send("POST", "/intake/v3/rum/events?verbose", &NDJSON, body)
        .await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    server
}

fn close(value: &Value, wanted: f64) -> bool {
    let value = value.as_f64().unwrap_or(f64::NAN);
    (value - wanted).abs() <= wanted * 0.011
}

#[actix_web::test]
async fn pages_are_judged_by_the_75th_percentile_of_their_loads() {
    let mut lines: Vec<String> = (0..4)
        .map(|id| load(id, "/cart", [1000.0, 2000.0, 2500.0, 9000.0][id], 0.05))
        .collect();
    lines.push(load(7, "/", 5000.0, 0.3));
    lines.push(exit(8, "https://shop.example/cart#pay", 120.0));
    lines.push(exit(9, "https://shop.example/cart", 900.0));
    let server = start(&lines).await;
    let found = server.get("/api/v1/vitals?from=now-1h").await.json();
    let pages = found["pages"].as_array().unwrap();
    assert_eq!(
        (pages.len(), &pages[0]["page"], &pages[1]["page"]),
        (2, &json!("/cart"), &json!("/"))
    );
    let lcp = &pages[0]["lcp"];
    assert!(close(&lcp["p75"], 2_500_000.0), "{lcp}");
    assert_eq!(
        (&lcp["count"], &lcp["good"], &lcp["poor"], &lcp["rating"]),
        (&json!(4.0), &json!(0.75), &json!(0.25), &json!(0))
    );
    let inp = &pages[0]["inp"];
    assert!(close(&inp["p75"], 900_000.0), "{inp}");
    assert_eq!((&inp["count"], &inp["rating"]), (&json!(2.0), &json!(2)));
    assert!(close(&pages[0]["cls"]["p50"], 0.05), "{}", pages[0]["cls"]);
    assert_eq!(pages[1]["cls"]["rating"], 2);
    assert_eq!(
        (&pages[1]["inp"], &pages[0]["fid"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(found["all"]["lcp"]["count"], 5.0);

    let sorted = server
        .get("/api/v1/vitals?from=now-1h&sort=-lcp")
        .await
        .json();
    assert_eq!(sorted["pages"][0]["page"], "/");
    let none = server
        .get("/api/v1/vitals?from=now-1h&service=other")
        .await
        .json();
    assert_eq!(none["pages"], json!([]));

    let page = server
        .send("GET", "/vitals?from=now-1h", &[("Accept", "text/html")], "")
        .await;
    assert_eq!(page.status, 200);
    for told in [
        "of page loads show their main content within",
        "/cart",
        " poor<",
    ] {
        assert!(page.text.contains(told), "{told}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_backends_call_a_page_load_has_no_vitals() {
    let server = TestServer::start();
    let metadata = r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;
    let load = r#"{"transaction":{"id":"a1","trace_id":"b1","type":"page-load","name":"/","duration":5,
        "span_count":{"started":0},"marks":{"agent":{"largestContentfulPaint":1}}}}"#;
    let sent = server
        .intake(format!("{metadata}\n{}", load.replace('\n', " ")))
        .await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    let found = server.get("/api/v1/vitals?from=now-1h").await.json();
    assert_eq!(found["pages"], json!([]));
    let page = server
        .send("GET", "/vitals?from=now-1h", &[("Accept", "text/html")], "")
        .await;
    assert!(
        page.status == 200 && page.text.contains("--rum"),
        "{}",
        page.status
    );
    server.stop().await;
}
