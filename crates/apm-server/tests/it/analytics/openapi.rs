//! The description of `/api/v1` against the handlers.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::test;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::{Value as Json, json};

use super::api::{RANGE, get, get_of, json as answer, seeded};

fn file() -> Json {
    serde_json::from_str(apm_server::api::document()).expect("JSON")
}

/// The parameter that a description refers to.
fn resolved<'a>(file: &'a Json, parameter: &'a Json) -> &'a Json {
    match parameter["$ref"].as_str() {
        Some(reference) => file.pointer(&reference[1..]).expect("a parameter"),
        None => parameter,
    }
}

/// A path with things that are in the database.
fn filled(path: &str, fingerprint: &str) -> String {
    path.replace("{service}", "shop")
        .replace("{key}", "ef46db3751d8e999")
        .replace("{dependency}", "sqlite/people.db")
        .replace("{fingerprint}", fingerprint)
        .replace("{trace}", &format!("{:032x}", 1))
        .replace("{other}", &format!("{:032x}", 1))
}

/// The service's own database, for plans.
fn people(dir: &tempfile::TempDir) {
    let path = dir.path().join("people.db");
    let mut conn = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("a file");
    conn.batch_execute("CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT)")
        .expect("a table");
}

#[actix_web::test]
async fn the_description_has_the_routes_and_no_others() {
    let file = file();
    // The status belongs to the server, not to what it stores.
    let status = ("get".to_owned(), "/api/v1/status".to_owned());
    let routed: BTreeSet<(String, String)> = apm_server::api::addresses()
        .into_iter()
        .chain([status])
        .collect();
    let mut in_file = BTreeSet::new();
    for (path, operations) in file["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            in_file.insert((method.clone(), path.clone()));
            let named: BTreeSet<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|parameter| resolved(&file, parameter))
                .filter(|parameter| parameter["in"] == "path")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            let segments = path.split(['{', '}']).skip(1).step_by(2).collect();
            assert_eq!(named, segments, "{method} {path}");
        }
    }
    assert_eq!(routed, in_file);
}

#[actix_web::test]
async fn the_description_is_the_one_that_was_looked_at() {
    insta::assert_snapshot!(apm_server::api::document());
}

#[actix_web::test]
async fn every_answer_has_exactly_the_described_form() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    people(&dir);
    let file = file();
    let queries = answer(&store, &format!("/api/v1/queries?{RANGE}")).await;
    let fingerprint = queries["statements"][0]["fingerprint"]
        .as_str()
        .expect("a statement")
        .to_owned();
    for (path, operations) in file["paths"].as_object().expect("paths") {
        // The status needs a whole server: tests of its own ask for it.
        if operations["get"].is_null() || path == "/api/v1/status" {
            continue;
        }
        let schema =
            &operations["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let schema = json!({"allOf": [schema], "components": file["components"]});
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let parameters = operations["get"]["parameters"].to_string();
        let mut asked = vec![String::new()];
        if path.ends_with("/view") || path.ends_with("/groups") {
            asked = vec!["&name=GET+/a&group=service.name".to_owned()];
        }
        if path.ends_with("/sql") {
            let question = "SELECT name, duration_ms, NULL FROM v_transactions";
            asked = vec![format!("&sql={}", question.replace(' ', "+"))];
        }
        if path.ends_with("/check") {
            let bounds = "max_statements_per_request=20&no_repeats=1&no_growth=1&p95=GET+/a%3C50ms";
            asked = vec![format!("&since=2026-01-01T00:00:00Z&{bounds}")];
        }
        if path.ends_with("/plan") {
            asked.push("&index=CREATE+INDEX+by_city+ON+people+(city)".to_owned());
        }
        if path.ends_with("/metrics") {
            asked.push("&metric=system.memory.total".to_owned());
        }
        if path.ends_with("{trace}") {
            asked.push(format!("&item={:016x}", 1));
        }
        if parameters.contains("parameters/cmp") || parameters.contains("\"cmp\"") {
            asked.push(format!("{}&cmp=week", asked[0]));
        }
        for extra in asked {
            let url = format!("{}?{RANGE}{extra}", filled(path, &fingerprint));
            let response = get_of(&dir, &store, &url, None).await;
            let status = response.status();
            let body: Json = test::read_body_json(response).await;
            assert_eq!(status, StatusCode::OK, "{url}: {body}");
            let faults: Vec<String> = validator
                .iter_errors(&body)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{url}: {faults:#?}");
        }
    }
}

#[actix_web::test]
async fn every_described_parameter_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let file = file();
    for (path, operations) in file["paths"].as_object().expect("paths") {
        for parameter in operations["get"]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let parameter = resolved(&file, parameter);
            let name = parameter["name"].as_str().expect("a name");
            let schema = &parameter["schema"];
            let checked = schema["type"] == "integer"
                || schema["enum"].is_array()
                || ["from", "to", "tz", "q", "after", "sort"].contains(&name);
            if parameter["in"] != "query" || !checked {
                continue;
            }
            let required = if name == "name" {
                ""
            } else {
                "name=a&group=b&sql=select+1&max_statements_per_request=1&"
            };
            let url = format!(
                "{}?{required}{name}=%22%21",
                filled(path, "0123456789abcdef")
            );
            let response = get(&store, &url, None).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{url}");
            let body: Json = test::read_body_json(response).await;
            assert_eq!(body["parameter"], name, "{url}");
        }
    }
}
