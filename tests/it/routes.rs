//! The service's answers, to the letter.

use serde_json::{Value, json};

use crate::support::{agent, get, request, sink::Sink, start_service};

struct Demo {
    url: String,
    _dir: tempfile::TempDir,
}

async fn demo() -> Demo {
    let dir = tempfile::tempdir().unwrap();
    let service = start_service(
        &dir.path().join("people.db"),
        &agent(&Sink::start().url),
        &[],
    );
    Demo {
        url: format!("http://{}", service.addr),
        _dir: dir,
    }
}

#[actix_web::test]
async fn the_article_s_routes_answer_as_in_the_article() {
    let demo = demo().await;

    for (path, status, body) in [
        ("/", 200, r#"{"message":"response ok"}"#),
        ("/delay", 200, r#"{"message":"response delay"}"#),
        ("/sql-write", 200, "ok"),
        ("/sql-read", 200, "ok"),
        ("/sql-group", 200, "ok"),
    ] {
        let answer = get(&format!("{}{path}", demo.url)).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, body),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn an_unhandled_panic_answers_500_with_a_json_error() {
    let demo = demo().await;

    let answer = get(&format!("{}/5xx", demo.url)).await;

    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (500, "application/json")
    );
    assert!(answer.json()["error"].is_string(), "{}", answer.body);
}

#[actix_web::test]
async fn json_is_returned_to_who_asks_for_it() {
    let demo = demo().await;
    let json = [("Accept", "application/json")];

    let written = request("GET", &format!("{}/sql-write", demo.url), &json)
        .await
        .json();
    get(&format!("{}/sql-write", demo.url)).await;
    let all = request("GET", &format!("{}/sql-read", demo.url), &json)
        .await
        .json();
    let page = request(
        "GET",
        &format!("{}/sql-read?limit=3&after=4", demo.url),
        &json,
    )
    .await
    .json();
    let groups = request("GET", &format!("{}/sql-group", demo.url), &json)
        .await
        .json();

    assert_eq!(
        written.as_array().unwrap()[..],
        all.as_array().unwrap()[..5]
    );
    assert_eq!(all.as_array().unwrap().len(), 10);
    let ids = |rows: &Value| {
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&page), [5, 6, 7]);
    for person in all.as_array().unwrap() {
        assert!(
            (18..=40).contains(&person["age"].as_i64().unwrap()),
            "{person}"
        );
        assert!(
            person["name"].is_string()
                && person["surname"].is_string()
                && person["city"].is_string()
        );
    }
    let counted: i64 = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["num"].as_i64().unwrap())
        .sum();
    assert_eq!(counted, 10, "{groups}");
}

#[actix_web::test]
async fn a_bad_page_is_refused_with_the_parameter_s_name() {
    let demo = demo().await;

    let answer = get(&format!("{}/sql-read?limit=many", demo.url)).await;

    assert_eq!(answer.status, 400);
    let error = answer.json()["error"].to_string();
    assert!(
        error.contains("limit") || error.contains("invalid digit"),
        "{error}"
    );
}

#[actix_web::test]
async fn head_and_unknown_paths_and_methods_answer_as_http_expects() {
    let demo = demo().await;

    let head = request("HEAD", &format!("{}/", demo.url), &[]).await;
    let unknown = get(&format!("{}/nowhere", demo.url)).await;
    let post = request("POST", &format!("{}/sql-write", demo.url), &[]).await;

    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(
        (unknown.status, unknown.json()),
        (404, json!({ "error": "no route /nowhere" }))
    );
    assert_eq!((post.status, post.allow.as_str()), (405, "GET, HEAD"));
    assert!(post.json()["error"].as_str().unwrap().contains("POST"));
}

#[actix_web::test]
async fn a_delay_holds_no_thread() {
    let demo = demo().await;
    let url = format!("{}/delay", demo.url);

    // Two workers; a hundred requests that slept on their threads would take above 100 × 77 ms / 2 on average.
    let started = std::time::Instant::now();
    let answers = futures_util::future::join_all((0..100).map(|_| get(&url))).await;

    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(
        started.elapsed().as_secs_f64() < 2.0,
        "{:?}",
        started.elapsed()
    );
}
