//! The aggregates that a real APM Server made of the same events.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::support::engine::{ELASTICSEARCH, Engine};
use crate::support::{config, feed_body, start, store, wait};

/// A recorded file; none, with a line that says so, where it is missing.
fn fixture(name: &str) -> Option<String> {
    let shared = std::env::var_os("POCKET_APM_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let path = shared.join("fixtures/aggregates").join(name);
    let Ok(file) = std::fs::File::open(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let mut text = String::new();
    MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip");
    Some(text)
}

/// The bodies of a recording: each begins with its metadata.
fn bodies(text: &str) -> Vec<String> {
    let mut bodies: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with("{\"metadata\"") {
            bodies.push(String::new());
        }
        if let Some(body) = bodies.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    bodies
}

/// Aggregates by what they are about, those about the same added up.
fn merged(documents: impl Iterator<Item = Value>) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut all = BTreeMap::<String, BTreeMap<String, f64>>::new();
    for mut document in documents {
        let mut numbers = BTreeMap::new();
        for field in [
            "/_doc_count",
            "/event/success_count",
            "/transaction/duration.summary",
            "/span/destination/service/response_time",
        ] {
            if let Some(value) = document.pointer_mut(field).map(Value::take) {
                match value {
                    Value::Object(members) => {
                        for (name, value) in members {
                            numbers.insert(
                                format!("{field} {name}"),
                                value.as_f64().expect("a number"),
                            );
                        }
                    }
                    value => {
                        _ = numbers.insert(field.to_owned(), value.as_f64().expect("a number"))
                    }
                }
            }
        }
        if let Some(histogram) = document
            .pointer_mut("/transaction/duration.histogram")
            .map(Value::take)
        {
            let list = |name: &str| histogram[name].as_array().expect("a list").clone();
            for (value, count) in list("values").iter().zip(list("counts")) {
                let value = value.as_f64().expect("a number");
                numbers.insert(format!("bar {value}"), count.as_f64().expect("a number"));
            }
        }
        for own in ["observer", "processor"] {
            document[own] = Value::Null;
        }
        if document["event"] == json!({}) || document["event"] == json!({"success_count": null}) {
            document["event"] = Value::Null;
        }
        let sums = all.entry(without_nulls(document).to_string()).or_default();
        for (name, number) in numbers {
            *sums.entry(name).or_default() += number;
        }
    }
    all
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let told = members.into_iter().filter(|(_, value)| !value.is_null());
            told.map(|(name, value)| (name, without_nulls(value)))
                .collect()
        }
        value => value,
    }
}

/// The number of that name; none counts as nothing.
fn number(numbers: &BTreeMap<String, f64>, name: &str) -> f64 {
    numbers.get(name).copied().unwrap_or_default()
}

#[test]
fn they_are_equal_field_by_field() {
    let (Some(first), Some(second), Some(wanted)) = (
        fixture("in.ndjson.gz"),
        fixture("in-nodejs-load.ndjson.gz"),
        fixture("docs.ndjson.gz"),
    ) else {
        return;
    };
    let lines: Vec<&str> = wanted.lines().collect();
    let wanted = merged(lines.chunks(2).filter_map(|pair| {
        let document: Value = serde_json::from_str(pair[1]).expect("JSON");
        document["metricset"]["interval"]
            .is_string()
            .then_some(document)
    }));
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(ELASTICSEARCH), store(dir.path()));
    let mut count = 0;
    for body in bodies(&first).into_iter().chain(bodies(&second)) {
        count += feed_body(&store, &body);
    }
    let output = start(&store, config(&engine));
    wait("all are there", || engine.events().len() == count);
    output.stop();
    drop(output);
    // The next one sends what the last one left.
    let output = start(&store, config(&engine));
    let minutes = || {
        merged(
            engine
                .aggregates()
                .into_iter()
                .filter(|document| document["metricset"]["interval"] == "1m"),
        )
    };
    wait("aggregates are there", || minutes().len() >= wanted.len());
    output.stop();
    let found = minutes();
    for (of, numbers) in &wanted {
        let ours = found.get(of).unwrap_or_else(|| panic!("missing: {of}"));
        for name in numbers.keys().chain(ours.keys()) {
            // Each duration is stored in whole microseconds, which a sum shows.
            let slack = if name.ends_with("sum.us") { 2.0 } else { 0.0 };
            let (found, wanted) = (number(ours, name), number(numbers, name));
            assert!(
                (found - wanted).abs() <= slack,
                "{of}: {name} {found} {wanted}"
            );
        }
    }
    for of in found.keys() {
        assert!(wanted.contains_key(of), "{of}");
    }
}
