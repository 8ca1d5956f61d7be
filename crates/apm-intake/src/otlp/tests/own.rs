//! Cases of our own, by which a checkout alone tests each part of the translation. They are written shorter than
//! bodies of OTLP: attributes as an object, and only what matters to the case.

use serde_json::{Map, Value, json};

use super::cases::failures;

/// 2026-09-21, ns since the epoch: when spans begin, and when records and points are from.
const START: u64 = 1_790_000_000_000_000_000;

/// A value of an attribute, as OTLP's JSON has it.
fn any(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(flag) => json!({"boolValue": flag}),
        Value::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Array(values) => {
            json!({"arrayValue": {"values": values.iter().map(any).collect::<Vec<_>>()}})
        }
        Value::Object(_) => json!({"kvlistValue": {"values": attributes(value)}}),
        Value::Null => json!({}),
    }
}

fn attributes(of: &Value) -> Value {
    let members = of.as_object().into_iter().flatten();
    members
        .map(|(key, value)| json!({"key": key, "value": any(value)}))
        .collect()
}

/// A span, record or point in full: its attributes as a list, and members that it leaves out.
fn full(short: &Value, missing: &Value) -> Value {
    let mut out: Map<String, Value> = missing.as_object().unwrap().clone();
    for (name, value) in short.as_object().unwrap() {
        let value = match name.as_str() {
            "attributes" => attributes(value),
            "body" => any(value),
            "links" => list(value, &json!({})),
            "events" => list(value, &json!({"timeUnixNano": START.to_string()})),
            _ => value.clone(),
        };
        out.insert(name.clone(), value);
    }
    out.into()
}

fn list(shorts: &Value, missing: &Value) -> Value {
    let shorts = shorts.as_array().unwrap().iter();
    shorts.map(|short| full(short, missing)).collect()
}

/// A metric in full: its points are.
fn metric(short: &Value) -> Value {
    let mut out = short.clone();
    for kind in ["gauge", "sum", "histogram", "summary"] {
        if let Some(points) = out.pointer_mut(&format!("/{kind}/dataPoints")) {
            *points = list(points, &json!({"timeUnixNano": START.to_string()}));
        }
    }
    out
}

/// The case as the published ones are written.
fn in_full(case: &Value) -> Value {
    let named = json!({"service.name": "basket"});
    let resource = json!({"attributes": attributes(case.get("resource").unwrap_or(&named))});
    let scope = case.get("scope").cloned().unwrap_or_else(|| json!({}));
    let input = match case["signal"].as_str().unwrap() {
        "traces" => {
            let span = json!({"traceId": "0000000000000000000000000000a00a", "spanId": "000000000000a00b",
                "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + 2_500_000).to_string()});
            let spans = list(&case["spans"], &span);
            json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]})
        }
        "metrics" => {
            let metrics: Value = case["metrics"]
                .as_array()
                .unwrap()
                .iter()
                .map(metric)
                .collect();
            json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"scope": scope, "metrics": metrics}]}]})
        }
        _ => {
            let records = list(
                &case["records"],
                &json!({"timeUnixNano": START.to_string()}),
            );
            json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": records}]}]})
        }
    };
    let rejected = case["rejected"].as_u64().unwrap_or(0).to_string();
    json!({"name": case["name"], "signal": case["signal"], "input": input, "expect": case["expect"],
        "absent": case["absent"], "partial_success": {"rejected": rejected}})
}

#[test]
fn each_case_of_our_own_becomes_its_documents() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("own.json")).unwrap();
    let failures: Vec<String> = cases
        .iter()
        .flat_map(|case| failures(&in_full(case)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
