//! Elastic's own schemas of the intake, and its list of span types.

use std::sync::OnceLock;

use apm_agent::testing::Recorded;
use jsonschema::Validator;
use serde_json::Value;

struct Schemas {
    metadata: Validator,
    transaction: Validator,
    span: Validator,
    error: Validator,
    metricset: Validator,
    span_types: Value,
}

/// Asserts that every event is one that the server takes, and that what belongs together does.
pub(crate) fn check(recorded: &Recorded) {
    check_counts(recorded);
    let Some(schemas) = schemas() else { return };
    let all = [
        (&schemas.metadata, &recorded.metadata),
        (&schemas.transaction, &recorded.transactions),
        (&schemas.span, &recorded.spans),
        (&schemas.error, &recorded.errors),
        (&schemas.metricset, &recorded.metricsets),
    ];
    for (schema, events) in all {
        for event in events {
            let wrong: Vec<_> = schema
                .iter_errors(event)
                .map(|error| error.to_string())
                .collect();
            assert!(wrong.is_empty(), "{wrong:?} in {event:#}");
        }
    }
    for span in &recorded.spans {
        check_span_type(&schemas.span_types, span);
    }
}

/// A transaction that was recorded with its spans counts them right.
fn check_counts(recorded: &Recorded) {
    for transaction in &recorded.transactions {
        let spans = recorded
            .spans
            .iter()
            .filter(|span| span["transaction_id"] == transaction["id"]);
        let late = spans.clone().filter(|span| {
            let end = |event: &Value| {
                event["timestamp"].as_f64().unwrap() + event["duration"].as_f64().unwrap() * 1000.0
            };
            end(span) > end(transaction) + 1.0
        });
        let started = transaction["span_count"]["started"].as_u64().unwrap();
        assert!(started as usize <= spans.clone().count(), "{transaction:#}");
        assert!(
            spans.count() - late.count() <= started as usize,
            "{transaction:#}"
        );
    }
}

fn check_span_type(types: &Value, span: &Value) {
    let kind = &types[span["type"].as_str().unwrap()];
    assert!(
        kind.is_object(),
        "the span type {} is not listed",
        span["type"]
    );
    let flag = |name: &str| kind[name].as_bool().unwrap_or(false);
    match span["subtype"].as_str() {
        None => assert!(
            flag("allow_null_subtype") || kind["subtypes"].is_null(),
            "{span:#}"
        ),
        Some(subtype) => {
            assert!(
                flag("allow_unlisted_subtype") || kind["subtypes"][subtype].is_object(),
                "{span:#}"
            );
        }
    }
}

fn schemas() -> Option<&'static Schemas> {
    static SCHEMAS: OnceLock<Option<Schemas>> = OnceLock::new();
    SCHEMAS
        .get_or_init(|| {
            let fixtures = test_support::shared("")?;
            let read = |path: &str| -> Value {
                let text = std::fs::read_to_string(fixtures.join(path)).unwrap();
                serde_json::from_str(&text).unwrap()
            };
            let schema = |name: &str| {
                jsonschema::validator_for(&read(&format!("server/schema/v2/{name}.json"))).unwrap()
            };
            Some(Schemas {
                metadata: schema("metadata"),
                transaction: schema("transaction"),
                span: schema("span"),
                error: schema("error"),
                metricset: schema("metricset"),
                span_types: read("agent/json-specs/span_types.json"),
            })
        })
        .as_ref()
}

#[test]
#[should_panic(expected = "is not of type")]
fn an_event_that_the_server_would_refuse_fails_the_test() {
    if schemas().is_none() {
        panic!("is not of type: skipped");
    }
    let mut recorded = super::record(|agent| drop(agent.transaction("job", "task")));
    recorded.transactions[0]["duration"] = "long".into();
    let good = &recorded.transactions[0];
    let wrong = schemas().map(|schemas| {
        schemas
            .transaction
            .iter_errors(good)
            .map(|e| e.to_string())
            .collect::<Vec<_>>()
    });
    panic!("{wrong:?}");
}
