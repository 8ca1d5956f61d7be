//! Events by the values of a field: what is counted from rows is what a walk over all documents says.

use std::collections::BTreeMap;
use std::time::Duration;

use apm_server::analytics::discover::{self, Groups, Limits, Request};
use apm_server::generate::{Options, generate};
use apm_server::import::Target;
use apm_store::{Store, StoreError};
use apm_time::{Range, SECOND};
use serde_json::Value as Json;

use super::discover::{mixed, request, search};
use super::open;
use crate::support::events::{NEW_YEAR, now};

/// Count, mean and longest duration by value.
type Sums = BTreeMap<Option<String>, (u64, Option<f64>, Option<f64>)>;

fn group(store: &Store, request: &Request, field: &str) -> Groups {
    let found = store.read::<_, StoreError>(|conn| discover::group(conn, request, field));
    found.expect("groups")
}

fn sums(groups: &Groups) -> Sums {
    let groups = groups.groups.iter();
    groups
        .map(|group| {
            let sums = (group.count, group.duration_avg, group.duration_max);
            (group.value.clone(), sums)
        })
        .collect()
}

/// The same by reading every document.
fn walked(store: &Store, request: &Request, field: &str) -> Sums {
    let found = search(
        store,
        &Request {
            size: 10_000,
            ..request.clone()
        },
    );
    assert_eq!(found.hits.len() as u64, found.total, "all are at hand");
    let mut durations: BTreeMap<Option<String>, (u64, Vec<f64>)> = BTreeMap::new();
    for hit in &found.hits {
        let mut values = Vec::new();
        kql::for_each_leaf(&hit.document, &mut |name, leaf| {
            if name == field {
                values.push(kql::text_of(leaf).into_owned());
            }
        });
        let duration = ["/transaction/duration/us", "/span/duration/us"]
            .into_iter()
            .find_map(|path| hit.document.pointer(path)?.as_f64());
        let (count, timed) = durations.entry(values.first().cloned()).or_default();
        *count += 1;
        timed.extend(duration);
    }
    let mean = |timed: &[f64]| timed.iter().sum::<f64>() / timed.len() as f64;
    durations
        .into_iter()
        .map(|(value, (count, timed))| {
            let longest = timed.iter().copied().reduce(f64::max);
            let average = (!timed.is_empty()).then(|| mean(&timed));
            (value, (count, average, longest))
        })
        .collect()
}

const FIELDS: [&str; 16] = [
    "processor.event",
    "service.name",
    "service.environment",
    "service.version",
    "transaction.name",
    "transaction.type",
    "transaction.result",
    "transaction.sampled",
    "event.outcome",
    "span.name",
    "span.type",
    "span.subtype",
    "span.action",
    "error.grouping_key",
    "timestamp.us",
    "no.such.field",
];

/// Compares both ways for every field. Of more than a hundred values, those that are shown.
fn compare(store: &Store, asked: &Request, query: &str) {
    for field in FIELDS {
        let found = group(store, asked, field);
        assert!(found.complete, "{query} {field}");
        let mut expected = walked(store, asked, field);
        let total: u64 = expected.values().map(|(count, ..)| count).sum();
        assert_eq!(found.total, total, "{query} {field}");
        let shown = sums(&found);
        if expected.len() > shown.len() {
            expected.retain(|value, _| shown.contains_key(value));
        }
        assert_eq!(shown, expected, "{query} {field}");
    }
}

#[test]
fn groups_of_rows_are_those_of_documents() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    for query in [
        "",
        "processor.event: transaction and not parent.id: *",
        "not processor.event: metric",
        "service.name: shop and event.outcome: success",
        "transaction.duration.us >= 500",
        "transaction.name: \"GET /a\" or span.type: db",
        "labels.none: x or service.name: bank",
    ] {
        compare(&store, &request(query, 0), query);
    }
    let within = Request {
        range: Range::new(NEW_YEAR + 7, NEW_YEAR + 300 * SECOND).expect("a range"),
        ..request("", 0)
    };
    compare(&store, &within, "a part of the time");
}

#[test]
fn groups_of_made_up_services_are_those_of_documents() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let now = now();
    let options = Options {
        window: Duration::from_secs(600),
        ..Options::new(120, now)
    };
    generate(&options, &mut Target::store(store.clone()), |_| ()).expect("made");
    let range = Range::new(now - 700 * SECOND, now).expect("a range");
    for query in [
        "not processor.event: metric",
        "processor.event: (span or error)",
    ] {
        compare(
            &store,
            &Request {
                range,
                ..request(query, 0)
            },
            query,
        );
    }
    let levels = Request {
        range,
        ..request("not processor.event: metric", 0)
    };
    let expected = walked(&store, &levels, "log.level");
    assert_eq!(sums(&group(&store, &levels, "log.level")), expected);
    assert!(expected.len() > 1, "lines have levels: {expected:?}");
}

#[test]
fn where_columns_tell_all_no_document_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    // No time for documents: of these, one block would be read.
    let hurried = |query: &str| Request {
        limits: Limits {
            deadline: Duration::ZERO,
        },
        ..request(query, 0)
    };
    let traced = hurried("processor.event: (transaction or span)");
    for field in [
        "service.name",
        "transaction.name",
        "span.type",
        "event.outcome",
    ] {
        let found = group(&store, &traced, field);
        assert!(found.complete && found.total == 500, "{field}: {found:?}");
    }
    let found = group(&store, &traced, "http.request.method");
    assert!(!found.complete, "{found:?}");
    let document: Json = serde_json::to_value(&found).expect("JSON");
    assert_eq!(document["complete"], false);
}
