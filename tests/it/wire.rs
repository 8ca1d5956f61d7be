//! Every line that the agent emits for the service's routes fits Elastic's published schemas.

use std::time::Duration;

use serde_json::Value;

use crate::support::{DEADLINE, agent, get, sink::Sink, start_service};

#[actix_web::test]
async fn every_line_of_every_route_fits_the_published_schemas() {
    let Some(fixtures) = test_support::shared("") else {
        return;
    };
    let schema = |kind: &str| {
        let path = fixtures.join(format!("server/schema/v2/{kind}.json"));
        let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        (kind.to_owned(), jsonschema::validator_for(&schema).unwrap())
    };
    let schemas = ["metadata", "transaction", "span", "error", "metricset"].map(schema);
    let span_types: Value = serde_json::from_slice(
        &std::fs::read(fixtures.join("agent/json-specs/span_types.json")).unwrap(),
    )
    .unwrap();
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::start());
    let agent = agent(&sink.url);
    let service = start_service(&dir.path().join("people.db"), &agent, &[]);

    let paths = [
        "/",
        "/delay",
        "/upstream",
        "/5xx",
        "/sql-write",
        "/sql-read",
        "/sql-group",
        "/nowhere",
        "/sql-read?limit=x",
    ];
    for path in paths {
        get(&format!("http://{}{path}", service.addr)).await;
    }
    let flushing = agent.clone();
    assert!(
        actix_web::web::block(move || flushing.flush(DEADLINE))
            .await
            .unwrap()
    );
    let started = std::time::Instant::now();
    // `/upstream` also asks the service itself.
    while sink
        .lines()
        .iter()
        .filter(|line| line.get("transaction").is_some())
        .count()
        < paths.len() + 1
    {
        assert!(started.elapsed() < DEADLINE, "{:#?}", sink.lines());
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }

    for line in sink.lines() {
        let (kind, event) = line.as_object().unwrap().iter().next().unwrap();
        let (_, schema) = schemas
            .iter()
            .find(|(name, _)| name == kind)
            .unwrap_or_else(|| panic!("{kind} is no event"));
        let errors: Vec<_> = schema
            .iter_errors(event)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?} in {line:#}");
        if kind == "span" {
            let subtypes = &span_types[event["type"].as_str().unwrap()]["subtypes"];
            assert!(
                subtypes
                    .get(event["subtype"].as_str().unwrap_or_default())
                    .is_some(),
                "{event:#}"
            );
        }
    }
    let seen = |kind: &str| sink.lines().iter().any(|line| line.get(kind).is_some());
    assert!(seen("metadata") && seen("span") && seen("error"));
}
