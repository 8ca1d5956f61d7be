//! A table of situations with the sentence that the page must give: headlines compare only what can be compared.
//!
//! Each situation has an environment of its own, so that one server holds them all.

mod situations;

use std::fmt::Write as _;

use serde_json::json;

use situations::{Requests, SITUATIONS};

use super::said;
use crate::support::events::now;
use crate::support::server::TestServer;

const MINUTE: i64 = 60_000_000;

/// Bodies that agents would send for the requests of a situation.
fn bodies(number: usize, requests: &[Requests], at: i64) -> Vec<String> {
    let mut out = Vec::new();
    for (part, ((from, to), letter, name, count, ms, failed)) in requests.iter().enumerate() {
        let environment = format!("e{number}{letter}");
        let mut body = json!({"metadata": {"service": {"name": format!("s{number}"), "environment": environment,
            "agent": {"name": "rust", "version": "1"}}}})
        .to_string();
        for i in 0..*count {
            let id = (number as i64) << 32 | (part as i64) << 16 | (i + 1);
            let time = at - from * MINUTE + (from - to) * MINUTE * i / count;
            let outcome = if i < *failed { "failure" } else { "success" };
            let transaction = json!({"transaction": {"id": format!("{id:016x}"), "trace_id": format!("{id:032x}"),
                "name": name, "type": "request", "duration": ms, "timestamp": time, "outcome": outcome,
                "span_count": {"started": 0}}});
            write!(body, "\n{transaction}").expect("memory");
        }
        out.push(body);
    }
    out
}

/// True if a text is as expected, where `*` is any text.
fn fits(text: &str, expected: &str) -> bool {
    let mut rest = text;
    let parts: Vec<&str> = expected.split('*').collect();
    for (place, part) in parts.iter().enumerate() {
        let found = match place {
            0 => rest.starts_with(part).then_some(0),
            _ if place + 1 == parts.len() => rest.ends_with(part).then(|| rest.len() - part.len()),
            _ => rest.find(part),
        };
        let Some(at) = found else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[actix_web::test]
async fn each_situation_has_its_sentence() {
    let server = TestServer::start();
    let at = now();
    for (number, situation) in SITUATIONS.iter().enumerate() {
        for body in bodies(number, situation.requests, at) {
            let answer = server.intake(body).await;
            assert_eq!(answer.status, 202, "{answer:?}");
        }
    }
    let mut wrong = Vec::new();
    for (number, situation) in SITUATIONS.iter().enumerate() {
        let filled = |text: &str| {
            text.replace("{s}", &format!("s{number}"))
                .replace("{e}", &format!("e{number}"))
        };
        let page = filled(situation.page);
        let html = server.get(&page).await.text;
        let answer = said(&html, "<h1 class=\"answer\">", "</h1>");
        let why = said(&html, "<p class=\"why\">", "</p>");
        let expected = (filled(situation.answer), filled(situation.why));
        if !fits(&answer, &expected.0) || !fits(&why, &expected.1) {
            wrong.push(format!(
                "{page}\n  {answer} | {why}\n  {} | {}",
                expected.0, expected.1
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(SITUATIONS.len() >= 30);
    server.stop().await;
}

#[actix_web::test]
async fn pages_without_data_say_what_to_call_and_how_to_get_some() {
    let server = TestServer::with(|config| {
        config.call_first = Some("http://127.0.0.1:8080/sql-write".to_owned());
    });
    let page = server.get("/services").await.text;
    for said in [
        "curl http://127.0.0.1:8080/sql-write".to_owned(),
        format!("pocket-apm generate --server {}", server.running.url()),
    ] {
        assert!(page.contains(&said), "{said}: {page}");
    }
    let setup = server.get("/setup").await.text;
    for said in [
        "Waiting for the first event",
        "OpenTelemetry, Java",
        ".NET, ASP.NET Core",
        "PHP",
    ] {
        assert!(setup.contains(said), "{said}");
    }
    server.stop().await;
}
