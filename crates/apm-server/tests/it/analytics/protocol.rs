//! `/api/v1` as HTTP: addresses, methods, and what a client already has.

use actix_web::http::header::{ALLOW, ETAG};
use actix_web::http::{Method, StatusCode};
use actix_web::test;
use actix_web::web;
use apm_store::Store;
use apm_store::event::Event;
use serde_json::Value as Json;

use super::api::{RANGE, get, json, seeded};
use super::{add, batch, open, store_all};
use crate::support::events::span;

/// The status and `Allow` of an answer to any method.
async fn asked(store: &Store, method: Method, path: &str) -> (StatusCode, String, usize) {
    let response = super::api::ask_by(store, method, path).await;
    let allow = response.headers().get(ALLOW);
    let allow = allow.map_or("", |allow| allow.to_str().expect("text"));
    let mut allow: Vec<&str> = allow.split(", ").collect();
    allow.sort_unstable();
    let (status, allow) = (response.status(), allow.join(" "));
    (status, allow, test::read_body(response).await.len())
}

#[actix_web::test]
async fn names_with_any_character_are_found_by_their_escaped_form() {
    const NAME: &str = "a/b+c%d \u{fc}";
    const ESCAPED: &str = "a%2Fb%2Bc%25d%20%C3%BC";
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let seeding = store.clone();
    let seed = move || {
        let mut events = batch(NAME);
        add(&mut events, 1, "a", [1000]);
        let mut call = span(&mut events, 1, "select 1");
        call.resource = Some(events.keep(NAME));
        events.events.push(Event::Span(call));
        store_all(&seeding, events);
    };
    web::block(seed).await.expect("a thread");
    let of_service = json(
        &store,
        &format!("/api/v1/services/{ESCAPED}/transactions?{RANGE}"),
    )
    .await;
    assert_eq!(of_service["transactions"][0]["name"], "GET /a");
    let dependency = json(&store, &format!("/api/v1/dependencies/{ESCAPED}?{RANGE}")).await;
    assert_eq!(dependency["dependency"]["name"], NAME);
    let missing = get(&store, &format!("/api/v1/traces/{ESCAPED}"), None).await;
    let missing: Json = test::read_body_json(missing).await;
    let problem = missing["error"].as_str().expect("a sentence");
    assert!(problem.contains(&format!("`{NAME}`")), "{problem}");
}

#[actix_web::test]
async fn a_dependency_is_found_with_its_slash_escaped_or_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    for name in ["sqlite/people.db", "sqlite%2Fpeople.db"] {
        let found = json(&store, &format!("/api/v1/dependencies/{name}?{RANGE}")).await;
        assert_eq!(found["dependency"]["name"], "sqlite/people.db", "{name}");
    }
}

#[actix_web::test]
async fn head_is_answered_as_get_and_other_methods_are_told_what_is_allowed() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    for (method, path, status, allow) in [
        (Method::HEAD, "services", StatusCode::OK, ""),
        (Method::HEAD, "traces/none", StatusCode::NOT_FOUND, ""),
        (
            Method::POST,
            "services",
            StatusCode::METHOD_NOT_ALLOWED,
            "GET HEAD",
        ),
        (
            Method::DELETE,
            "markers",
            StatusCode::METHOD_NOT_ALLOWED,
            "GET HEAD POST",
        ),
        (
            Method::GET,
            "insights/1/dismiss",
            StatusCode::METHOD_NOT_ALLOWED,
            "POST",
        ),
        (Method::GET, "nothing", StatusCode::NOT_FOUND, ""),
    ] {
        let (found, allowed, _) = asked(&store, method.clone(), &format!("/api/v1/{path}")).await;
        assert_eq!(
            (found, allowed.as_str()),
            (status, allow),
            "{method} {path}"
        );
    }
}

#[actix_web::test]
async fn a_trace_has_one_tag_at_all_times_and_any_tag_will_do_for_a_star() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let path = format!("/api/v1/traces/{:032x}", 1);
    let mut tags = Vec::new();
    for range in ["", "?from=now-3h", "?from=now-3h"] {
        let response = get(&store, &format!("{path}{range}"), None).await;
        tags.push(response.headers().get(ETAG).cloned().expect("a tag"));
    }
    assert_eq!(tags[1], tags[2]);
    let response = get(&store, &path, Some("*")).await;
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(response.headers().get(ETAG), Some(&tags[0]));
    let missing = get(&store, "/api/v1/traces/none", Some("*")).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_plan_needs_the_file_of_a_service_that_runs_the_statement() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let queries = json(&store, &format!("/api/v1/queries?{RANGE}")).await;
    let fingerprint = queries["statements"][0]["fingerprint"].as_str();
    let path = format!("/api/v1/queries/{}/plan?{RANGE}", fingerprint.expect("one"));
    let response = get(&store, &path, None).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let body: Json = test::read_body_json(response).await;
    let problem = body["error"].as_str().expect("a sentence");
    assert!(problem.contains("of shop is known"), "{problem}");
}

#[actix_web::test]
async fn a_plan_is_made_anew_each_time_for_the_file_may_have_changed() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let response = get(&store, "/api/v1/queries/0123456789abcdef/plan", Some("*")).await;
    assert_eq!(response.headers().get(ETAG), None);
    assert_ne!(response.status(), StatusCode::NOT_MODIFIED);
}
