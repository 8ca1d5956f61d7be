//! Each service shows its queries as spans of its requests.

mod hyper;

use std::sync::Once;
use std::time::{Duration, Instant};

use apm_agent::testing::{Recorded, Recorder};
use apm_agent::tower::ApmLayer;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use services::with_rusqlite::Pets;
use services::with_sea_orm::{self, Cats};
use services::with_sqlx::{self, People};
use tower::util::ServiceExt as _;
use tower_http::trace::TraceLayer;

/// Asks a service on a thread of its own, and returns what was recorded meanwhile.
fn asked(
    recorder: &Recorder,
    service: impl AsyncFnOnce() -> Router,
    request: Request<Body>,
) -> (u16, Recorded) {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| services::watch_tracing().expect("nothing else subscribes"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime of one thread");
    let status = recorder.run(|_| {
        runtime.block_on(async {
            let service = service().await;
            let response = service.oneshot(request).await.expect("axum always answers");
            let status = response.status().as_u16();
            let body = response.into_body().collect().await;
            body.expect("the body comes to its end");
            status
        })
    });
    // The threads of sqlx may tell of a query when it is answered already.
    let mut recorded = recorder.take();
    let deadline = Instant::now() + Duration::from_secs(10);
    while (recorded.transactions.is_empty() || recorded.spans.is_empty())
        && Instant::now() < deadline
    {
        std::thread::yield_now();
        let later = recorder.take();
        recorded.transactions.extend(later.transactions);
        recorded.spans.extend(later.spans);
    }
    (status, recorded)
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a path")
}

async fn all(recorder: &Recorder) -> Router {
    let people = People::open().await.expect("memory");
    let cats = Cats::open().await.expect("memory");
    let pets = Pets::open().expect("memory");
    services::service(&recorder.agent(), people, pets, cats)
}

/// Names, types and statements of the spans.
fn queries(recorded: &Recorded) -> Value {
    let of = |span: &Value| {
        json!([
            span["name"],
            span["type"],
            span["subtype"],
            span["context"]["db"]["statement"]
        ])
    };
    recorded.spans.iter().map(of).collect()
}

#[test]
fn queries_of_sqlx_are_spans_of_the_request_that_asks() {
    let recorder = Recorder::default();
    let (status, recorded) = asked(&recorder, async || all(&recorder).await, get("/people/1"));
    assert_eq!(status, 200);
    assert_eq!(recorded.transactions.len(), 1);
    assert_eq!(recorded.transactions[0]["name"], "GET /people/{id}");
    assert_eq!(
        queries(&recorded),
        json!([[
            "SELECT FROM people",
            "db",
            "sqlite",
            "SELECT name FROM people WHERE id = ?"
        ]])
    );
    assert_eq!(
        recorded.spans[0]["parent_id"],
        recorded.transactions[0]["id"]
    );
}

#[test]
fn what_sqlx_changes_is_counted_and_bind_values_stay_here() {
    let recorder = Recorder::default();
    let request = Request::post("/people")
        .body(Body::from("Grace"))
        .expect("a path");
    let (status, recorded) = asked(&recorder, async || all(&recorder).await, request);
    assert_eq!(status, 201);
    assert_eq!(recorded.spans[0]["name"], "INSERT INTO people");
    assert_eq!(recorded.spans[0]["context"]["db"]["rows_affected"], 1);
    assert!(!format!("{recorded:?}").contains("Grace"), "{recorded:#?}");
}

#[test]
fn queries_of_rusqlite_are_spans_of_the_request_that_asks() {
    let recorder = Recorder::default();
    let (status, recorded) = asked(&recorder, async || all(&recorder).await, get("/pets/1"));
    assert_eq!(status, 200);
    assert_eq!(recorded.transactions[0]["name"], "GET /pets/{id}");
    assert_eq!(
        queries(&recorded),
        json!([[
            "SELECT FROM pets",
            "db",
            "sqlite",
            "SELECT name FROM pets WHERE id = ?"
        ]])
    );
    assert_eq!(
        recorded.spans[0]["context"]["service"]["target"]["name"],
        "pets.db"
    );
}

#[test]
fn queries_of_sea_orm_are_spans_of_the_request_that_asks_each_of_them_once() {
    let recorder = Recorder::default();
    let (status, recorded) = asked(&recorder, async || all(&recorder).await, get("/cats/Tib"));
    assert_eq!(status, 200);
    assert_eq!(recorded.transactions[0]["name"], "GET /cats/{name}");
    let sql = "SELECT \"cats\".\"id\", \"cats\".\"name\" FROM \"cats\" WHERE \"cats\".\"name\" = ? LIMIT ?";
    assert_eq!(
        queries(&recorded),
        json!([["SELECT FROM cats", "db", "sqlite", sql]])
    );
    assert_eq!(recorded.spans[0]["outcome"], "success");
    assert!(!format!("{:?}", recorded.spans).contains("Tib"));
    assert_eq!(
        recorded.spans[0]["parent_id"],
        recorded.transactions[0]["id"]
    );
}

#[test]
fn a_query_of_sea_orm_that_fails_says_so() {
    let recorder = Recorder::default();
    let service = async || {
        let cats = Cats::open().await.expect("memory");
        cats.lose().await.expect("there is a table");
        with_sea_orm::routes(cats).layer(ApmLayer::new(&recorder.agent()))
    };
    let (status, recorded) = asked(&recorder, service, get("/cats/Tib"));
    assert_eq!(status, 500);
    assert_eq!(recorded.spans[0]["name"], "SELECT FROM cats");
    assert_eq!(recorded.spans[0]["outcome"], "failure");
    let error = &recorded.errors[0]["exception"]["message"];
    assert!(
        error
            .as_str()
            .is_some_and(|it| it.contains("no such table"))
    );
}

#[test]
fn what_sea_orm_writes_is_shown_without_its_values() {
    let recorder = Recorder::default();
    let request = Request::post("/cats").body(Body::from("Grimalkin"));
    let request = request.expect("a path");
    let (status, recorded) = asked(&recorder, async || all(&recorder).await, request);
    assert_eq!(status, 201);
    assert_eq!(recorded.spans[0]["name"], "INSERT INTO cats");
    assert!(!format!("{recorded:?}").contains("Grimalkin"));
}

#[test]
fn the_layer_of_tower_http_alone_gives_a_transaction_with_its_queries() {
    let recorder = Recorder::default();
    let service = async || {
        let people = People::open().await.expect("memory");
        with_sqlx::routes(people).layer(TraceLayer::new_for_http())
    };
    let (status, recorded) = asked(&recorder, service, get("/people/2"));
    assert_eq!(status, 404);
    assert_eq!(recorded.transactions.len(), 1, "{recorded:#?}");
    let transaction = &recorded.transactions[0];
    assert_eq!(transaction["name"], "GET unknown route");
    assert_eq!(transaction["result"], "HTTP 4xx");
    assert_eq!(
        transaction["context"]["request"]["url"]["pathname"],
        "/people/2"
    );
    assert_eq!(queries(&recorded)[0][0], "SELECT FROM people");
    assert_eq!(recorded.spans[0]["parent_id"], transaction["id"]);
}
