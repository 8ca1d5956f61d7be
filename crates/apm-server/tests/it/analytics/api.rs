//! `/api/v1` over HTTP.

use actix_web::dev::ServiceResponse;
use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data};
use actix_web::{App, test};
use apm_server::Config;
use apm_server::api::Settings;
use apm_store::Store;
use apm_store::event::Event;
use serde_json::Value as Json;

use super::{batch, open, shop, store_all};
use crate::support::events::{error, span};

/// The first 15 minutes of the year.
pub(super) const RANGE: &str = "from=2026-01-01T00:00:00Z&to=2026-01-01T00:15:00Z";

pub(super) async fn get(store: &Store, path: &str, tag: Option<&str>) -> ServiceResponse {
    ask(store, Config::default(), path, tag).await
}

/// The same where files are read: the database's own, and `people.db` of the service `shop`.
pub(super) async fn get_of(
    dir: &tempfile::TempDir,
    store: &Store,
    path: &str,
    tag: Option<&str>,
) -> ServiceResponse {
    let mut config = Config::default();
    config.database = dir.path().join("apm.db");
    config.explain = vec![("shop".to_owned(), dir.path().join("people.db"))];
    ask(store, config, path, tag).await
}

async fn ask(store: &Store, config: Config, path: &str, tag: Option<&str>) -> ServiceResponse {
    let mut request = test::TestRequest::get().uri(path);
    if let Some(tag) = tag {
        request = request.insert_header((IF_NONE_MATCH, tag));
    }
    send(store, config, request).await
}

/// The answer to any method.
pub(super) async fn ask_by(store: &Store, method: Method, path: &str) -> ServiceResponse {
    let request = test::TestRequest::with_uri(path).method(method);
    send(store, Config::default(), request).await
}

async fn send(store: &Store, config: Config, request: test::TestRequest) -> ServiceResponse {
    let app = App::new()
        .app_data(Data::new(store.clone()))
        .app_data(Data::new(Settings::from_config(&config)))
        .configure(apm_server::api::configure);
    let app = test::init_service(app).await;
    test::call_service(&app, request.to_request()).await
}

pub(super) async fn json(store: &Store, path: &str) -> Json {
    let response = get(store, path, None).await;
    let status = response.status();
    let body: Json = test::read_body_json(response).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

/// Waiting for the writer blocks, which threads that serve connections must not do.
pub(super) async fn seeded(dir: &tempfile::TempDir) -> Store {
    let store = open(dir.path());
    let seeding = store.clone();
    web::block(move || seed(&seeding)).await.expect("a thread");
    store
}

fn seed(store: &Store) {
    shop(store);
    let mut events = batch("shop");
    let event = error(&mut events, 1);
    events.events.push(Event::Error(event));
    let event = span(&mut events, 1, "select * from people");
    events.events.push(Event::Span(event));
    store_all(store, events);
}

#[actix_web::test]
async fn services_are_listed_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let body = json(&store, &format!("/api/v1/services?{RANGE}")).await;
    assert_eq!(body["services"][0]["name"], "shop");
    assert_eq!(body["services"][0]["transactions"], 150.0);
    let compared = json(&store, &format!("/api/v1/services?{RANGE}&cmp=previous")).await;
    assert_eq!(compared["previous"]["services"], serde_json::json!([]));
}

#[actix_web::test]
async fn discover_returns_documents_newest_first_with_the_total() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let query = "q=processor.event%3Atransaction+and+transaction.name%3A%22GET+%2Fa%22&size=2";
    let body = json(&store, &format!("/api/v1/discover?{query}&{RANGE}")).await;
    assert_eq!(body["total"], 100);
    let hits = body["hits"].as_array().expect("hits");
    assert_eq!(hits.len(), 2);
    assert_eq!(hits[0]["@timestamp"], "2026-01-01T00:01:39.000Z");
    assert_eq!(hits[0]["transaction"]["duration"]["us"], 100_000);
    let next = body["next"].as_str().expect("a cursor");
    let body = json(
        &store,
        &format!("/api/v1/discover?{query}&{RANGE}&after={next}"),
    )
    .await;
    assert_eq!(body["hits"][0]["transaction"]["duration"]["us"], 98_000);
}

#[actix_web::test]
async fn every_page_has_its_twin() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let queries = json(&store, &format!("/api/v1/queries?{RANGE}")).await;
    let fingerprint = queries["statements"][0]["fingerprint"]
        .as_str()
        .expect("a statement")
        .to_owned();
    let paths = [
        "services/shop?".to_owned(),
        "services/shop/transactions?type=request&".to_owned(),
        "services/shop/transactions/view?type=request&name=GET+/a&min_us=1000&max_us=50000&scale=linear&".to_owned(),
        "services/shop/errors?".to_owned(),
        "errors?".to_owned(),
        "services/shop/errors/ef46db3751d8e999?".to_owned(),
        "services/shop/metrics?".to_owned(),
        "services/shop/metrics?metric=system.memory.total&".to_owned(),
        "services/shop/dependencies?".to_owned(),
        "dependencies?".to_owned(),
        "dependencies/sqlite/people.db?".to_owned(),
        format!("queries/{fingerprint}?"),
        format!("traces/{:032x}?item={:016x}&", 1, 1),
        "discover/fields?".to_owned(),
        "discover/groups?group=service.name&".to_owned(),
    ];
    for path in paths {
        let body = json(&store, &format!("/api/v1/{path}{RANGE}")).await;
        assert!(body.is_object(), "{path}");
    }
    let error = json(
        &store,
        &format!("/api/v1/services/shop/errors/ef46db3751d8e999?{RANGE}"),
    )
    .await;
    assert_eq!(
        error["document"]["error"]["grouping_key"],
        "ef46db3751d8e999"
    );
    let view = json(
        &store,
        &format!(
            "/api/v1/services/shop/transactions/view?name=GET+/a&min_us=1000&max_us=3000&{RANGE}"
        ),
    )
    .await;
    assert_eq!(view["samples"].as_array().map(Vec::len), Some(2));
    let dependency = json(
        &store,
        &format!("/api/v1/dependencies/sqlite/people.db?{RANGE}"),
    )
    .await;
    assert_eq!(dependency["callers"][0]["service"], "shop");
    assert_eq!(dependency["statements"][0]["verb"], "SELECT");
}

#[actix_web::test]
async fn bad_input_is_refused_with_the_name_of_the_parameter() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let table = [
        ("services?from=someday", "from"),
        ("services?to=2026-99-99", "to"),
        ("services?from=now&to=now-1h", "from"),
        ("services?q=a%3A", "q"),
        ("queries?q=http.request.method%3AGET", "q"),
        ("services/shop/errors?q=transaction.name%3Aa", "q"),
        ("services?cmp=month", "cmp"),
        ("services?from=now-30d&cmp=day", "cmp"),
        ("discover?q=a%3A", "q"),
        ("discover?size=-1", "size"),
        ("discover?size=10001", "size"),
        ("discover?size=ten", "size"),
        ("services?to=9999-12-31", "to"),
        ("services?from=2026-01-01T00:00:00+02:00", "from"),
        ("check", "max_statements_per_request"),
        (
            "check?max_statements_per_request=inf",
            "max_statements_per_request",
        ),
        ("check?no_repeats=1&since=nowhere", "since"),
        ("check?p95=a", "p95"),
        ("insights?fingerprint=zzz", "fingerprint"),
        ("discover?after=1", "after"),
        ("discover?after=9223372036854775807,1", "after"),
        ("discover?after=-1,1", "after"),
        ("traces?after=253402300800000000,0", "after"),
        ("discover/groups", "group"),
        ("services/shop/transactions/view", "name"),
        (
            "services/shop/transactions/view?name=a&min_us=5&max_us=5",
            "max_us",
        ),
        (
            "services/shop/transactions/view?name=a&scale=cubic",
            "scale",
        ),
        ("services/shop/errors/xyz", "key"),
        ("queries/+123456789abcdef", "fingerprint"),
    ];
    for (path, parameter) in table {
        let response = get(&store, &format!("/api/v1/{path}"), None).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
        let body: Json = test::read_body_json(response).await;
        assert_eq!(body["parameter"], parameter, "{path}: {body}");
        assert!(
            body["error"]
                .as_str()
                .is_some_and(|text| text.starts_with(parameter)),
            "{path}: {body}"
        );
    }
    for (path, words) in [
        ("services?to=9999-12-31", "9999-12-30"),
        ("services?from=2026-01-01T00:00:00+02:00", "%2B"),
        ("check", "no_growth"),
        (
            "check?no_repeats=1&since=nowhere",
            "neither a marker nor a time",
        ),
        (
            "queries/0000000000000000/plan",
            "no statement `0000000000000000`",
        ),
    ] {
        let response = get(&store, &format!("/api/v1/{path}"), None).await;
        let body: Json = test::read_body_json(response).await;
        let problem = body["error"].as_str().expect("a sentence");
        assert!(
            problem.contains(words) && !problem.contains("--"),
            "{path}: {problem}"
        );
    }
    for path in [
        "traces/none",
        "queries/0000000000000000/plan",
        "services/shop/errors/0000000000000001",
    ] {
        let response = get(&store, &format!("/api/v1/{path}"), None).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[actix_web::test]
async fn an_answer_is_not_sent_again_until_the_data_changes() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let path = format!("/api/v1/services?{RANGE}");
    let response = get(&store, &path, None).await;
    let tag = response
        .headers()
        .get(ETAG)
        .expect("a tag")
        .to_str()
        .expect("text")
        .to_owned();
    let response = get(&store, &path, Some(&tag)).await;
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert!(test::read_body(response).await.is_empty());
    let seeding = store.clone();
    web::block(move || shop(&seeding)).await.expect("a thread");
    let response = get(&store, &path, Some(&tag)).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[actix_web::test]
async fn a_query_narrows_a_list_to_what_it_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let table = [
        (
            "services?q=transaction.name%3A%22GET+%2Fb%22",
            "/services/0/transactions",
            "50.0",
        ),
        ("services?q=not+service.name%3Ashop", "/services", "[]"),
        (
            "services?q=service.environment%3Atest",
            "/services/0/transactions",
            "150.0",
        ),
        (
            "services/shop/transactions?q=transaction.name%3A*b",
            "/transactions/0/name",
            "\"GET /b\"",
        ),
        (
            "services/shop/transactions?q=transaction.name%3A*b",
            "/transactions/0/latency/p95",
            "2000.0",
        ),
        (
            "services/shop/transactions?q=transaction.name%3A*b",
            "/latency/total/count",
            "50.0",
        ),
        (
            "services/shop/errors?q=error.grouping_key%3A0000*",
            "/errors",
            "[]",
        ),
        ("queries?q=span.subtype%3Apostgresql", "/statements", "[]"),
        (
            "queries?q=span.subtype%3Asqlite",
            "/statements/0/calls",
            "1.0",
        ),
        (
            "dependencies?q=not+service.name%3As*",
            "/dependencies",
            "[]",
        ),
    ];
    for (path, pointer, expected) in table {
        let body = json(&store, &format!("/api/v1/{path}&{RANGE}")).await;
        let found = body.pointer(pointer).map(Json::to_string);
        assert_eq!(found.as_deref(), Some(expected), "{path}");
    }
}

#[actix_web::test]
async fn discover_keeps_to_the_environment_and_errors_are_those_of_all_services() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    for (path, pointer, in_test, elsewhere) in [
        ("discover", "/total", "152", "0"),
        ("discover?q=processor.event:error", "/total", "1", "0"),
        ("discover/fields", "/total", "152", "0"),
        (
            "discover/groups?group=transaction.name",
            "/total",
            "152",
            "0",
        ),
        ("errors", "/errors/0/service", "\"shop\"", "null"),
        ("errors?cmp=previous", "/occurrences", "1", "0"),
    ] {
        let join = if path.contains('?') { '&' } else { '?' };
        for (environment, expected) in [("test", in_test), ("%22other", elsewhere)] {
            let path = format!("/api/v1/{path}{join}env={environment}&{RANGE}");
            let found = json(&store, &path).await;
            let found = found.pointer(pointer).unwrap_or(&Json::Null);
            assert_eq!(found.to_string(), expected, "{path}");
        }
    }
}
