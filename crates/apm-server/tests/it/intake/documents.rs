//! Documents that were sent, as Discover returns them: equal to those that Elastic publishes, but for what its search
//! engine adds.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::fixtures;
use crate::support::server::TestServer;

/// Fields of other makers: look-ups of geography and browsers, names of the machine that answered.
const ELSEWHERE: [&str; 7] = [
    "client.geo.",
    "user_agent.device.",
    "user_agent.name",
    "user_agent.os.",
    "user_agent.version",
    "observer.",
    "event.ingested",
];
/// Fields that are stored but not indexed, so not listed among the published fields. Frames are compared with the
/// examples of Elastic's documentation instead.
const UNLISTED: [&str; 9] = [
    "span.stacktrace",
    "error.exception.stacktrace",
    "error.exception.attributes",
    "error.log.stacktrace",
    "http.request.body.original",
    "http.request.cookies",
    "transaction.custom",
    "error.custom",
    "transaction.marks",
];

/// Published keys of errors without a stack whose messages have values in them: here a key leaves these out (ADR 390).
const OTHER_KEYS: [&str; 2] = ["89f9636ef3381842", "5be7ecce1b964f32"];

/// Dotted names with all values; the elements of arrays together, as the search engine lists them.
fn flatten(value: &Value, path: &str, flat: &mut BTreeMap<String, Vec<Value>>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                flatten(value, &path, flat);
            }
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| flatten(element, path, flat)),
        value => flat.entry(path.to_owned()).or_default().push(number(value)),
    }
}

/// Numbers are equal whether or not they are written with a fraction.
fn number(value: &Value) -> Value {
    value.as_f64().map_or_else(|| value.clone(), Value::from)
}

pub(super) fn comparable(document: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut flat = BTreeMap::new();
    flatten(document, "", &mut flat);
    flat.retain(|name, values| {
        !name.ends_with(".text")
            && !ELSEWHERE
                .iter()
                .chain(&UNLISTED)
                .any(|other| name.starts_with(other))
            && !values.contains(&"dynamic".into())
    });
    flat
}

/// Sends a file, and compares every document with the published one.
async fn compare(sent: &str, published: &[&str], query: &str) {
    let Some(body) = fixtures::read(sent) else {
        return;
    };
    let server = TestServer::start();
    let answer = server.intake(body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let path = format!("/api/v1/discover?q={query}&from=2000-01-01T00:00:00Z&to=now%2B1h&size=100");
    let found = server.get(&path).await.json();
    let mut hits: Vec<_> = found["hits"]
        .as_array()
        .expect("hits")
        .iter()
        .map(comparable)
        .collect();
    for file in published {
        let file =
            fixtures::read(&format!("approved-docs/{file}.approved.json")).expect("published");
        let file: Vec<Value> = serde_json::from_slice(&file).expect("JSON");
        for wanted in &file {
            let wanted = comparable(wanted.get("fields").unwrap_or(wanted));
            let is_sought = |hit: &BTreeMap<_, _>| difference(hit, &wanted).is_empty();
            let Some(at) = hits.iter().position(is_sought) else {
                let nearest = hits
                    .iter()
                    .map(|hit| difference(hit, &wanted))
                    .min_by_key(Vec::len);
                panic!(
                    "{sent}: no document is {wanted:#?}\nthe nearest differs in {:#?}",
                    nearest.unwrap_or_default()
                );
            };
            hits.remove(at);
        }
    }
    if query.is_empty() {
        assert!(
            hits.is_empty(),
            "{sent}: more documents than were published: {hits:#?}"
        );
    }
    server.stop().await;
}

fn has_other_key(published: &BTreeMap<String, Vec<Value>>) -> bool {
    let mut keys = published.get("error.grouping_key").into_iter().flatten();
    keys.any(|key| key.as_str().is_some_and(|key| OTHER_KEYS.contains(&key)))
}

/// The place where two documents differ. A time that was not sent is that of the arrival, and not compared.
pub(super) fn difference(
    met: &BTreeMap<String, Vec<Value>>,
    wanted: &BTreeMap<String, Vec<Value>>,
) -> Vec<String> {
    let names = met
        .keys()
        .chain(wanted.keys())
        .collect::<std::collections::BTreeSet<_>>();
    let is_timed = wanted.contains_key("@timestamp");
    names
        .into_iter()
        .filter(|name| is_timed || !matches!(name.as_str(), "@timestamp" | "timestamp.us"))
        .filter(|name| *name != "error.grouping_key" || !has_other_key(wanted))
        .filter(|name| met.get(*name) != wanted.get(*name))
        .map(|name| {
            format!(
                "{name}: {:?} instead of {:?}",
                met.get(name),
                wanted.get(name)
            )
        })
        .collect()
}

#[actix_web::test]
async fn errors_are_indexed_as_published() {
    compare("intake-v2/errors.ndjson", &["TestIntake/Errors"], "").await;
}

#[actix_web::test]
async fn a_mixed_stream_is_indexed_as_published() {
    compare("intake-v2/events.ndjson", &["TestIntake/Events"], "").await;
}

#[actix_web::test]
async fn metricsets_are_indexed_as_published() {
    compare(
        "intake-v2/metricsets.ndjson",
        &["TestIntake/Metricsets"],
        "",
    )
    .await;
}

#[actix_web::test]
async fn minimal_events_are_indexed_as_published() {
    compare(
        "intake-v2/minimal.ndjson",
        &["TestIntake/MinimalEvents"],
        "",
    )
    .await;
}

#[actix_web::test]
async fn spans_are_indexed_as_published() {
    compare("intake-v2/spans.ndjson", &["TestIntake/Spans"], "").await;
}

#[actix_web::test]
async fn a_transaction_with_everything_is_indexed_as_published() {
    compare(
        "intake-v2/transactions-huge_traces.ndjson",
        &["TestIntake/TransactionsHugeTraces"],
        "",
    )
    .await;
}

#[actix_web::test]
async fn logs_are_indexed_as_published() {
    let published = [
        "TestIntakeLog/with_faas",
        "TestIntakeLog/with_flat_ecs_fields",
        "TestIntakeLog/with_timestamp",
        "TestIntakeLog/with_timestamp_as_str",
        "TestIntakeLog/with_nested_ecs_fields_overrides_flat_fields",
    ];
    compare("intake-v2/logs.ndjson", &published, "message%3A*").await;
}

/// All stack frames of a document. The examples are older than `classname`, which their input has by now.
fn frames(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match inner {
                    Value::Array(trace) if name == "stacktrace" => found.extend(trace.clone()),
                    inner => frames(inner, found),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| frames(element, found)),
        _ => {}
    }
}

#[actix_web::test]
async fn stack_frames_are_those_of_the_published_examples() {
    let Some(body) = fixtures::read("intake-v2/errors.ndjson") else {
        return;
    };
    let server = TestServer::start();
    assert_eq!(server.intake(body).await.status, 202);
    let path = "/api/v1/discover?from=2000-01-01T00:00:00Z&to=now%2B1h&size=100";
    let (mut met, mut wanted) = (Vec::new(), Vec::new());
    frames(&server.get(path).await.json()["hits"], &mut met);
    for frame in &mut met {
        frame.as_object_mut().expect("a frame").remove("classname");
    }
    let examples = "docs-examples/elasticsearch/generated/errors.json";
    let examples = fixtures::read(examples).expect("examples");
    frames(
        &serde_json::from_slice(&examples).expect("JSON"),
        &mut wanted,
    );
    assert_eq!(wanted.len(), 4);
    for frame in wanted {
        assert!(met.contains(&frame), "{frame:#} is none of {met:#?}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn grouping_keys_are_those_that_elastic_computes() {
    let Some(vectors) = fixtures::read("derived/grouping-keys.json") else {
        return;
    };
    let vectors: Value = serde_json::from_slice(&vectors).unwrap();
    let server = TestServer::start();
    let vectors = vectors["vectors"].as_array().unwrap();
    let files: std::collections::BTreeSet<_> = vectors
        .iter()
        .map(|vector| vector["file"].as_str().unwrap())
        .collect();
    for file in &files {
        let answer = server.intake(fixtures::read(file).expect("its file")).await;
        assert_eq!(answer.status, 202, "{file}");
    }
    let found = server
        .get("/api/v1/discover?q=error.id%3A*&from=2000-01-01T00:00:00Z&to=now%2B1h&size=100")
        .await
        .json();
    let keys: Vec<_> = found["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| {
            (
                hit["error"]["id"].clone(),
                hit["error"]["grouping_key"].clone(),
            )
        })
        .collect();
    for vector in vectors {
        let wanted = (vector["error_id"].clone(), vector["grouping_key"].clone());
        let is_other = wanted
            .1
            .as_str()
            .is_some_and(|key| OTHER_KEYS.contains(&key));
        assert_eq!(keys.contains(&wanted), !is_other, "{vector}: {keys:?}");
    }
    server.stop().await;
}
