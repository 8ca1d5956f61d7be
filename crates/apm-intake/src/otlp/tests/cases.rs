//! Each row of the published table of cases.

use serde_json::{Map, Value};

use super::documents::{documents, field, fixture, same};
use super::{Signal, json};

#[test]
fn each_case_becomes_the_documents_that_are_published() {
    let Some(file) = fixture("cases.json") else {
        return;
    };
    let file: Value = serde_json::from_slice(&file).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() > 70, "{} cases", cases.len());
    let failures: Vec<_> = cases.iter().flat_map(failures).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

pub(super) fn failures(case: &Value) -> Vec<String> {
    let name = case["name"].as_str().unwrap();
    let signal = match case["signal"].as_str().unwrap() {
        "traces" => Signal::Traces,
        "metrics" => Signal::Metrics,
        _ => Signal::Logs,
    };
    let export = json(signal, &case["input"]);
    let documents = documents(&export);
    let wanted = case["expect"].as_array().unwrap();
    let mut out = Vec::new();
    if documents.len() != wanted.len() {
        out.push(format!(
            "{name}: {} documents instead of {}",
            documents.len(),
            wanted.len()
        ));
    }
    for wanted in wanted {
        let wanted = wanted.as_object().unwrap();
        let nearest = documents
            .iter()
            .map(|document| differences(document, wanted))
            .min_by_key(Vec::len);
        let nearest = nearest.unwrap_or_default();
        out.extend(
            nearest
                .into_iter()
                .map(|difference| format!("{name}: {difference}")),
        );
    }
    for absent in case["absent"].as_array().into_iter().flatten() {
        let absent = absent.as_str().unwrap();
        if documents
            .first()
            .is_some_and(|first| !field(first, absent).is_null())
        {
            out.push(format!("{name}: {absent} is there"));
        }
    }
    if let Some(partial) = case["partial_success"].as_object() {
        let rejected = partial
            .values()
            .find_map(|value| value.as_str()?.parse::<u64>().ok());
        if let Some(rejected) = rejected
            && rejected != export.rejected
        {
            out.push(format!(
                "{name}: {} rejected, {:?}",
                export.rejected, export.reason
            ));
        }
    }
    out
}

fn differences(document: &Value, wanted: &Map<String, Value>) -> Vec<String> {
    // Errors without frames are grouped by their messages here (docs/adr/0390).
    let has_own_key = field(document, "error.exception.stacktrace").is_null();
    let fields = wanted
        .iter()
        .filter(|(path, _)| !(has_own_key && *path == "error.grouping_key"));
    let fields = fields.filter(|(path, wanted)| !same(field(document, path), wanted));
    fields
        .map(|(path, wanted)| format!("{path} is {} instead of {wanted}", field(document, path)))
        .collect()
}
