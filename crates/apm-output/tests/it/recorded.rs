//! The aggregates, and the documents of events, that a real APM Server made of the same events.
//!
//! `tests/recorded` has what our own agent sent, and what APM Server 9.6 sent to `_bulk` for it. A longer recording,
//! with what an agent of Elastic sent, lies beside the repository.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use apm_store::Store;
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::support::engine::{ELASTICSEARCH, Engine};
use crate::support::{config, feed_body, start, store, wait};

/// A recorded file.
fn text(folder: &Path, name: &str) -> String {
    let file = std::fs::File::open(folder.join(name)).expect(name);
    let mut text = String::new();
    MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip");
    text
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

/// Requests of agents, and the documents that a real APM Server made of it.
struct Recording {
    bodies: Vec<String>,
    /// Aggregates of a minute.
    minutes: Vec<Value>,
    events: Vec<Value>,
}

impl Recording {
    /// The one of our own agent.
    fn own() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded");
        Self::read(folder.as_ref(), &["in.ndjson.gz"])
    }

    /// The long one; none where it is missing.
    fn long() -> Option<Self> {
        let folder = test_support::shared("aggregates")?;
        let sent = ["in.ndjson.gz", "in-nodejs-load.ndjson.gz"];
        Some(Self::read(&folder, &sent))
    }

    fn read(folder: &Path, sent: &[&str]) -> Self {
        let documents = text(folder, "docs.ndjson.gz");
        let lines: Vec<&str> = documents.lines().collect();
        let documents = lines
            .chunks(2)
            .map(|pair| serde_json::from_str::<Value>(pair[1]).expect("JSON"));
        let (minutes, events): (Vec<Value>, Vec<Value>) =
            documents.partition(|document| document["metricset"]["interval"] == "1m");
        assert!(minutes.len() > 10 && events.len() > 100);
        Self {
            bodies: sent
                .iter()
                .flat_map(|name| bodies(&text(folder, name)))
                .collect(),
            minutes,
            events,
        }
    }
}

/// Stores bodies, and waits until an output has sent their events; gives back how many they are.
fn send(store: &Store, engine: &Engine, bodies: &[String]) -> usize {
    let count = bodies.iter().map(|body| feed_body(store, body)).sum();
    let output = start(store, config(engine));
    wait("all are there", || engine.event_count() == count);
    output.stop();
    count
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
    aggregates_are_equal(&Recording::own());
}

#[test]
fn those_of_the_long_recording_are_equal_field_by_field() {
    if let Some(long) = Recording::long() {
        aggregates_are_equal(&long);
    }
}

fn aggregates_are_equal(recording: &Recording) {
    let Recording {
        bodies, minutes, ..
    } = recording;
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(ELASTICSEARCH), store(dir.path()));
    send(&store, &engine, bodies);
    // The next one sends what the last one left.
    let output = start(&store, config(&engine));
    for interval in [1, 10, 60] {
        let wanted = merged(minutes.iter().map(|document| wider(document, interval)));
        compare(&engine, &format!("{interval}m"), &wanted);
    }
    output.stop();
}

/// An aggregate of a minute as one of a longer interval, which has the events of several.
fn wider(document: &Value, minutes: i64) -> Value {
    let mut document = document.clone();
    let interval = format!("{minutes}m");
    let dataset = document["data_stream"]["dataset"].as_str().expect("a text");
    document["data_stream"]["dataset"] = dataset.replace("1m", &interval).into();
    document["metricset"]["interval"] = interval.into();
    let time = document["@timestamp"].as_str().expect("a text");
    let (hour, rest) = time.split_at("2026-11-28T22:".len());
    let minute: i64 = rest[..2].parse().expect("a minute");
    let begin = minute / minutes * minutes;
    document["@timestamp"] = format!("{hour}{begin:02}:00.000Z").into();
    document
}

/// Waits for the aggregates of an interval, and compares each field of each.
fn compare(engine: &Engine, interval: &str, wanted: &BTreeMap<String, BTreeMap<String, f64>>) {
    let all = || {
        let all = engine.aggregates().into_iter();
        merged(all.filter(|document| document["metricset"]["interval"] == interval))
    };
    wait("aggregates are there", || all().len() >= wanted.len());
    let found = all();
    for (of, numbers) in wanted {
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

/// Fields that the receiver makes of itself, and of the connection.
const OWN: [&str; 3] = [".observer.", ".processor.", ".host.ip"];

/// Fields that pipelines of the engine make of what Elastic's server sends. They are complete here, as OpenSearch has
/// no such pipelines; those of Elasticsearch make the same of them.
const OF_PIPELINES: [&str; 6] = [
    ".event.duration",
    ".transaction.duration.us",
    ".span.duration.us",
    ".event.success_count",
    ".event.dataset",
    ".error.grouping_name",
];

/// Fields of an address that was sent as `::ffff:10.0.0.1`, which Elastic's server leaves out.
const OF_MAPPED: [&str; 3] = [".client.ip", ".source.ip", ".source.nat.ip"];

/// The kind of an event and its ids; of metrics the time and the names.
fn identity(document: &Value) -> String {
    let text = |pointer: &str| document.pointer(pointer).map(Value::to_string);
    let names = document.pointer("/metricset/samples").map(|samples| {
        let samples = samples.as_array().expect("a list").iter();
        let mut names: Vec<String> = samples.map(|sample| sample["name"].to_string()).collect();
        names.sort_unstable();
        names.join(" ")
    });
    let breakdown = [
        "/transaction/name",
        "/transaction/type",
        "/span/type",
        "/span/subtype",
    ];
    let breakdown = breakdown.map(|pointer| text(pointer).unwrap_or_default());
    let ids = [
        "/data_stream/dataset",
        "/@timestamp",
        "/transaction/id",
        "/span/id",
        "/error/id",
    ];
    let ids = ids.map(|pointer| text(pointer).unwrap_or_default());
    let names = names.unwrap_or_else(|| breakdown.join(" "));
    format!("{} {names}", ids.join(" "))
}

/// Values by the whole names of their fields: a name may have dots.
fn flat(at: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                flat(&format!("{at}.{name}"), value, out);
            }
        }
        // The engine takes a value as a list of one.
        Value::Array(elements) if elements.len() == 1 => flat(at, &elements[0], out),
        Value::Array(elements) => {
            for (number, value) in elements.iter().enumerate() {
                flat(&format!("{at}[{number}]"), value, out);
            }
        }
        Value::Null => {}
        // Numbers are equal whether or not they are written with a fraction.
        Value::Number(number) => {
            let number = number.as_f64().expect("a number");
            out.insert(at.to_owned(), number.to_string());
        }
        value => _ = out.insert(at.to_owned(), value.to_string()),
    }
}

#[test]
fn documents_of_events_are_equal_field_by_field() {
    events_are_equal(&Recording::own());
}

#[test]
fn documents_of_events_of_the_long_recording_are_equal_field_by_field() {
    if let Some(long) = Recording::long() {
        events_are_equal(&long);
    }
}

fn events_are_equal(recording: &Recording) {
    let Recording { bodies, events, .. } = recording;
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(ELASTICSEARCH), store(dir.path()));
    let count = send(&store, &engine, bodies);
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (_, document) in engine.events().into_values() {
        found.entry(identity(&document)).or_default().push(document);
    }
    assert_eq!(count, events.len());
    let mut different = BTreeMap::new();
    for wanted in events {
        let mut wanted = wanted.clone();
        let all = found.get_mut(&identity(&wanted));
        let Some(mut ours) = all.and_then(Vec::pop) else {
            panic!("missing: {wanted}");
        };
        for document in [&mut wanted, &mut ours] {
            if let Some(samples) = document.pointer_mut("/metricset/samples") {
                let samples = samples.as_array_mut().expect("a list");
                samples.sort_by_key(|sample| sample["name"].to_string());
            }
        }
        let (mut here, mut there) = (BTreeMap::new(), BTreeMap::new());
        flat("", &ours, &mut here);
        flat("", &wanted, &mut there);
        assert_eq!(here.get(".event.outcome"), there.get(".event.outcome"));
        let duration = ["transaction", "span"].map(|kind| format!(".{kind}.duration.us"));
        let duration = duration.iter().find_map(|field| here.get(field));
        // Whole microseconds are stored.
        let nanoseconds = there.get(".event.duration");
        let wanted = nanoseconds.map(|ns| (ns.parse::<f64>().expect("a number") / 1e3).floor());
        assert_eq!(duration.map(|us| us.parse().expect("a number")), wanted);
        for field in here.keys().chain(there.keys()) {
            let (one, other) = (here.get(field), there.get(field));
            let is_known = OWN.iter().any(|own| field.starts_with(own))
                || OF_PIPELINES.contains(&field.as_str())
                || (OF_MAPPED.contains(&field.as_str()) && other.is_none());
            if one != other && !is_known {
                different.insert(field.clone(), (one.cloned(), other.cloned()));
            }
        }
    }
    assert!(different.is_empty(), "{different:#?}");
}
