//! Bodies of real SDKs, compared field by field with the documents that Elastic's server made of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::documents::{documents, fixture, flat, same};
use super::{Encoding, NOW, Signal, decode};

/// Fields that only one side has, whatever is sent: made by the ingest pipelines behind that server, or by this one.
const OTHERS: [&str; 20] = [
    "_index",
    "observer.",
    "processor.event",
    "event.success_count",
    "event.duration",
    "event.dataset",
    "timestamp.us",
    "error.id",
    "error.grouping_name",
    "metricset.samples",
    // It leaves these out, and this server keeps them.
    "attributes.",
    "span.kind",
    "span.duration",
    "transaction.duration",
    "event.reason",
    "event.action",
    "event.kind",
    // Of a span, its transaction, if that is in the same body.
    "transaction.id",
    "source.ip",
    "client.ip",
];

#[test]
fn what_sdks_send_becomes_the_same_documents() {
    let Some(file) = fixture("reference-documents.json") else {
        return;
    };
    let file: Value = serde_json::from_slice(&file).unwrap();
    let mut failures = Vec::new();
    for (name, wanted) in file.as_object().unwrap() {
        failures.extend(compare(name, wanted));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn compare(name: &str, wanted: &Value) -> Vec<String> {
    let signal = match name {
        name if name.contains("trace") => Signal::Traces,
        name if name.contains("metrics") => Signal::Metrics,
        _ => Signal::Logs,
    };
    let encoding = if name.ends_with(".json") {
        Encoding::Json
    } else {
        Encoding::Protobuf
    };
    let export = decode(signal, encoding, &fixture(name).unwrap(), NOW).unwrap();
    let mut met: Vec<_> = documents(&export).iter().map(flat).collect();
    let mut out = Vec::new();
    for wanted in wanted["documents"].as_array().unwrap() {
        let wanted = as_shown(wanted);
        let nearest = (0..met.len()).min_by_key(|at| differences(&met[*at], &wanted).len());
        let Some(nearest) = nearest else {
            out.push(format!("{name}: no document is {wanted:?}"));
            continue;
        };
        let met = met.remove(nearest);
        out.extend(
            differences(&met, &wanted)
                .into_iter()
                .map(|text| format!("{name}: {text}")),
        );
    }
    // That server knows no exponential histograms.
    met.retain(|document| !document.values().any(|value| value.get("counts").is_some()));
    out.extend(
        met.into_iter()
            .map(|document| format!("{name}: more than was published: {document:?}")),
    );
    out
}

/// A document of that server as Discover would show it.
fn as_shown(document: &Value) -> BTreeMap<String, Value> {
    let mut out = flat(document);
    for sample in document["metricset"]["samples"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let value = match sample.get("value") {
            Some(value) => value.clone(),
            None => json!({"values": sample["values"], "counts": sample["counts"]}),
        };
        out.insert(sample["name"].as_str().unwrap().to_owned(), value);
    }
    out
}

fn differences(met: &BTreeMap<String, Value>, wanted: &BTreeMap<String, Value>) -> Vec<String> {
    let is_parsed = !met.contains_key("error.stack_trace");
    let is_compared = |name: &&String| {
        let is_other = OTHERS.iter().any(|other| name.starts_with(other));
        // Frames that are understood are frames, and count for the group.
        let is_stack =
            is_parsed && matches!(name.as_str(), "error.stack_trace" | "error.grouping_key");
        // There, an error of a span names it as its parent alone.
        let is_span = name.as_str() == "span.id"
            && met.contains_key("error.id")
            && !wanted.contains_key("span.id");
        let is_parent = name.as_str() == "parent.id"
            && met.contains_key("error.id")
            && !wanted.contains_key("parent.id");
        !is_other && !is_stack && !is_span && !is_parent
    };
    let names: std::collections::BTreeSet<_> = met
        .keys()
        .chain(wanted.keys())
        .filter(is_compared)
        .collect();
    let is_same = |name: &&&String| match (met.get(**name), wanted.get(**name)) {
        (Some(met), Some(wanted)) => same(&without_frames(met), wanted),
        _ => false,
    };
    names
        .iter()
        .filter(|name| !is_same(name))
        .map(|name| {
            format!(
                "{name} is {:?} instead of {:?}",
                met.get(*name),
                wanted.get(*name)
            )
        })
        .collect()
}

fn without_frames(value: &Value) -> Value {
    let mut value = value.clone();
    for exception in value.as_array_mut().into_iter().flatten() {
        if let Some(exception) = exception.as_object_mut() {
            exception.remove("stacktrace");
        }
    }
    value
}
