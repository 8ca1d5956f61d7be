//! The description of `/api/v1` against the handlers.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::test;
use serde_json::{Value as Json, json};

use super::api::{RANGE, get, json as answer, seeded};

fn file() -> Json {
    serde_json::from_str(apm_server::api::OPENAPI).expect("JSON")
}

/// `/dependencies/{dependency:.+}` as OpenAPI writes it.
fn described(path: &str) -> String {
    path.replace(":.+}", "}")
}

/// What a described parameter refers to.
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
}

#[actix_web::test]
async fn the_description_has_the_routes_and_no_others() {
    let file = file();
    let routed: BTreeSet<String> = apm_server::api::PATHS
        .iter()
        .map(|path| described(path))
        .collect();
    let paths = file["paths"].as_object().expect("paths");
    let in_file: BTreeSet<String> = paths.keys().cloned().collect();
    assert_eq!(routed, in_file);
    for (path, operations) in paths {
        let named: BTreeSet<&str> = operations["get"]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| resolved(&file, parameter))
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let segments = path.split(['{', '}']).skip(1).step_by(2).collect();
        assert_eq!(named, segments, "{path}");
    }
}

#[actix_web::test]
async fn every_answer_has_exactly_the_described_form() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = seeded(&dir).await;
    let file = file();
    let queries = answer(&store, &format!("/api/v1/queries?{RANGE}")).await;
    let fingerprint = queries["statements"][0]["fingerprint"]
        .as_str()
        .expect("a statement")
        .to_owned();
    for (path, operations) in file["paths"].as_object().expect("paths") {
        let schema =
            &operations["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let schema = json!({"allOf": [schema], "components": file["components"]});
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let parameters = operations["get"]["parameters"].to_string();
        let mut asked = vec![String::new()];
        if path.ends_with("/view") || path.ends_with("/groups") {
            asked = vec!["&name=GET+/a&group=service.name".to_owned()];
        }
        if path.ends_with("/metrics") {
            asked.push("&metric=system.memory.total".to_owned());
        }
        if path.ends_with("{trace}") {
            asked.push(format!("&item={:016x}", 1));
        }
        if parameters.contains("parameters/cmp") {
            asked.push(format!("{}&cmp=week", asked[0]));
        }
        for extra in asked {
            let url = format!("{}?{RANGE}{extra}", filled(path, &fingerprint));
            let body = answer(&store, &url).await;
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
                || ["from", "to", "q", "after"].contains(&name);
            if parameter["in"] != "query" || !checked {
                continue;
            }
            let required = if name == "name" {
                ""
            } else {
                "name=a&group=b&"
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
