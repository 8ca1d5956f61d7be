//! Requests and answers, as Elastic's server gives them.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::support::fixtures;
use crate::support::server::TestServer;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;
const TRANSACTION: &str = concat!(
    r#"{"transaction":{"id":"1","trace_id":"2","type":"request","duration":1,"#,
    r#""span_count":{"started":0}}}"#
);

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

/// The tail of a message on malformed JSON is the parser's own; what leads to it is not.
fn comparable(message: &str) -> String {
    let Some(at) = message.strip_prefix("decode error: data read error: ") else {
        return message.to_owned();
    };
    let own = at.split([':', ' ']).filter(|part| part.starts_with("v2."));
    own.map(|part| part.trim_end_matches(".readFieldHash"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[actix_web::test]
async fn every_published_case_is_answered_as_elastic_answers_it() {
    let Some(cases) = fixtures::read("derived/expected-intake.json") else {
        return;
    };
    let cases: Value = serde_json::from_slice(&cases).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let server = TestServer::with(|config| {
            if let Some(token) = case["server_config"]["auth.secret_token"].as_str() {
                config.secret_token = apm_server::SecretToken::new(token);
            }
        });
        let body = match (case["body_file"].as_str(), case["body_literal"].as_str()) {
            (Some(file), _) => fixtures::read(file).expect("the case's body"),
            (None, literal) => literal.unwrap_or_default().as_bytes().to_vec(),
        };
        let body = if case["body_transform"] == "gzip" {
            gzip(&body)
        } else {
            body
        };
        let mut headers = vec![("Accept", "application/json")];
        for (name, value) in case["headers"].as_object().into_iter().flatten() {
            headers.push((name, value.as_str().unwrap()));
        }
        if case["body_transform"] == "gzip" {
            headers.push(("Content-Encoding", "gzip"));
        }
        let (method, path) = (
            case["method"].as_str().unwrap(),
            case["path"].as_str().unwrap(),
        );
        let answer = server.send(method, path, &headers, body).await;
        let expected = &case["expect"];
        assert_eq!(answer.status, expected["status"], "{name}: {answer:?}");
        let mut met = answer.json();
        let mut wanted = expected["body"].clone();
        for body in [&mut met, &mut wanted] {
            for error in body["errors"].as_array_mut().into_iter().flatten() {
                error["message"] = comparable(error["message"].as_str().unwrap()).into();
            }
        }
        assert_eq!(met, wanted, "{name}: {}", answer.text);
        if answer.status >= 400 {
            assert!(
                answer.header("connection").eq_ignore_ascii_case("close"),
                "{name}"
            );
        }
        server.stop().await;
    }
}

#[actix_web::test]
async fn a_line_that_is_too_long_costs_no_other_line() {
    let server = TestServer::with(|config| config.max_event_size = 2000);
    let long = format!(r#"{{"transaction":{{"name":"{}"}}}}"#, "x".repeat(5000));
    let body = [METADATA, TRANSACTION, &long, TRANSACTION].join("\n");
    let answer = server.intake(body).await;
    assert_eq!(answer.status, 400);
    let body = answer.json();
    assert_eq!(body["accepted"], 2);
    assert_eq!(
        body["errors"][0]["message"],
        "event exceeded the permitted size"
    );
    assert_eq!(
        body["errors"][0]["document"].as_str().unwrap(),
        &long[..1024]
    );
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
    let metrics = server.get("/metrics").await.text;
    assert!(
        metrics.contains("pocket_apm_events_rejected_total{reason=\"oversized\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("pocket_apm_events_accepted_total{kind=\"transaction\"} 2"),
        "{metrics}"
    );
    let status = server.get("/api/v1/status").await.json();
    assert_eq!(status["intake"]["offending"][0]["service"], "s");
    server.stop().await;
}

#[actix_web::test]
async fn without_verbose_an_accepted_body_has_an_empty_answer() {
    let server = TestServer::start();
    let body = [METADATA, TRANSACTION].join("\n");
    let answer = server.send("POST", "/intake/v2/events", &[], body).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    server.stop().await;
}

#[actix_web::test]
async fn the_answer_is_text_where_json_is_not_asked_for() {
    let server = TestServer::start();
    let answer = server
        .send(
            "POST",
            "/intake/v2/events?verbose=",
            &[("Accept", "text/plain")],
            METADATA.to_owned() + "\n",
        )
        .await;
    assert_eq!(answer.text, "{\"accepted\":0}\n");
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let answer = server.intake(METADATA.to_owned() + "\n").await;
    assert_eq!(answer.text, "{\n  \"accepted\": 0\n}\n");
    assert_eq!(answer.header("content-type"), "application/json");
    server.stop().await;
}

#[actix_web::test]
async fn an_unfinished_or_missing_metadata_line_ends_the_request() {
    let server = TestServer::start();
    for (body, message) in [
        (METADATA.to_owned(), "EOF while reading metadata"),
        (format!("\n{METADATA}\n"), "\"metadata\" or \"m\" required"),
        (format!("{TRANSACTION}\n"), "\"metadata\" or \"m\" required"),
    ] {
        let answer = server.intake(body.clone()).await;
        assert_eq!(answer.status, 400);
        let line = body.lines().next().unwrap();
        let body = answer.json();
        assert_eq!(body["errors"][0]["message"], message);
        assert_eq!(body["errors"][0]["document"].as_str().unwrap_or(""), line);
        assert_eq!(body["accepted"], 0);
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_is_accepted_is_found() {
    let server = TestServer::start();
    let named = concat!(
        r#"{"transaction":{"name":"GET /a","id":"00000000000000ab","#,
        r#""trace_id":"000000000000000000000000000000cd","type":"request","duration":1.5,"#,
        r#""span_count":{"started":2,"dropped":1},"context":{"tags":{"a.b":"c"}}}}"#
    );
    let answer = server.intake([METADATA, named].join("\n")).await;
    assert_eq!(answer.json(), json!({"accepted": 1}));
    let found = server
        .get("/api/v1/discover?q=transaction.name%3A%22GET%20%2Fa%22&from=now-1h&to=now")
        .await;
    let found = found.json();
    assert_eq!(found["total"], 1, "{found}");
    let hit = &found["hits"][0];
    assert_eq!(
        hit.pointer("/transaction/id").unwrap(),
        "00000000000000ab",
        "{hit}"
    );
    server.stop().await;
}
