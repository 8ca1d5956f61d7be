//! Discover against what a walk over all documents says.

use std::time::Duration;

use apm_server::analytics::discover::{self, Limits, Request};
use apm_server::analytics::sql::{self, Sql};
use apm_store::event::{Event, Outcome};
use apm_store::{Store, StoreError};
use apm_time::{Range, SECOND};
use serde_json::Value as Json;

use super::{MINUTE, add, batch, open, store_all, with_spans};
use crate::support::events::{NEW_YEAR, error, log, metricset, transaction};

const ALL: Range = Range {
    from: NEW_YEAR - MINUTE,
    to: NEW_YEAR + 60 * MINUTE,
};

pub(super) fn request(query: &str, size: usize) -> Request {
    Request {
        query: kql::parse(query, NEW_YEAR + 30 * MINUTE)
            .unwrap_or_else(|error| panic!("{query}: {error}")),
        range: ALL,
        size,
        after: None,
        // A busy machine is not what these tests are about.
        limits: Limits {
            deadline: Duration::from_secs(60),
        },
    }
}

pub(super) fn search(store: &Store, request: &Request) -> discover::Found {
    let found = store.read::<_, StoreError>(|conn| discover::search(conn, request));
    found.expect("an answer")
}

/// Two services, every kind of event, more than one block, times out of order.
pub(super) fn mixed(store: &Store) {
    store_all(store, with_spans("shop", 1, 150));
    let mut events = batch("bank");
    add(&mut events, 5000, "b", (0..200).map(|i| (i * 37) % 1000));
    for number in 1..=20 {
        let event = error(&mut events, number);
        events.events.push(Event::Error(event));
        let event = log(&mut events, number);
        events.events.push(Event::Log(event));
        let event = metricset(&mut events, number as f64);
        events.events.push(Event::Metricset(event));
    }
    store_all(store, events);
}

#[test]
fn totals_hits_and_order_are_those_of_a_walk_over_all_documents() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    let everything = search(&store, &request("", 10_000));
    assert_eq!(
        (everything.total, everything.hits.len(), everything.complete),
        (560, 560, true)
    );
    let queries = [
        "service.name:shop",
        "service.name:shop and processor.event:transaction",
        "processor.event:(span or error)",
        "not processor.event:span",
        "not service.environment:*",
        "transaction.name:GET*b and event.outcome:failure",
        "transaction.duration.us > 500 or span.duration.us > 500",
        "transaction.duration.us >= 999",
        "not transaction.duration.us < 500",
        "transaction.result:\"HTTP 5xx\"",
        "transaction.sampled:true",
        "trace.id:00000000000000000000000000000007",
        "transaction.id:0000000000000007",
        "parent.id:0000000000000007 or span.id:0000000000000007",
        "error.grouping_key:ef46db3751d8e999",
        "error.grouping_key:ef46*",
        "span.subtype:sqlite and span.action:query and span.type:db",
        "@timestamp >= \"2026-01-01T00:00:00Z\" and @timestamp < \"2026-01-01T00:00:01Z\"",
        "timestamp.us > 1767225600000100",
        "log.level:info",
        "hello",
        "message:HELLO or service.name:nobody",
        "service.*:bank and not event.outcome:success",
        "not (message:* or transaction.type:request)",
        "nothing.like.it:x",
        "service.name > c and service.name < z",
        "transaction.name:\"\"",
    ];
    for query in queries {
        let wanted = request(query, 10_000);
        let expected: Vec<i64> = everything
            .hits
            .iter()
            .filter(|hit| kql::matches(&wanted.query, &hit.document))
            .map(|hit| hit.seq)
            .collect();
        let found = search(&store, &wanted);
        let seqs: Vec<i64> = found.hits.iter().map(|hit| hit.seq).collect();
        assert_eq!(seqs, expected, "{query}");
        assert_eq!(found.total, expected.len() as u64, "{query}");
        assert_eq!(found.histogram.iter().sum::<u64>(), found.total, "{query}");
    }
    let order: Vec<(i64, i64)> = everything
        .hits
        .iter()
        .map(|hit| (hit.timestamp, hit.seq))
        .collect();
    assert!(
        order.windows(2).all(|pair| pair[0] > pair[1]),
        "newest first"
    );
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    for query in [
        "service.name:bank",
        "service.name:bank and not message:nothing",
    ] {
        let whole: Vec<i64> = search(&store, &request(query, 10_000))
            .hits
            .iter()
            .map(|hit| hit.seq)
            .collect();
        let mut paged = Vec::new();
        let mut page = request(query, 37);
        loop {
            let found = search(&store, &page);
            assert_eq!(found.total, whole.len() as u64);
            paged.extend(found.hits.iter().map(|hit| hit.seq));
            page.after = found.next;
            if page.after.is_none() {
                break;
            }
        }
        assert_eq!(paged, whole, "{query}");
    }
}

#[test]
fn only_the_range_counts_to_the_microsecond() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    let mut narrow = request("processor.event:span", 10);
    narrow.range = Range::new(NEW_YEAR + 100, NEW_YEAR + 101).expect("not empty");
    assert_eq!(search(&store, &narrow).total, 150);
    narrow.range = Range::new(NEW_YEAR + 101, NEW_YEAR + 200).expect("not empty");
    assert_eq!(search(&store, &narrow).total, 0);
}

#[test]
fn what_is_counted_by_minutes_is_exact_at_both_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    for service in ["shop", "bank"] {
        let mut events = batch(service);
        for number in 0..400 {
            let mut event = transaction(&mut events, number, "a");
            // Three hours, some of it again and again.
            event.timestamp = NEW_YEAR + (number as i64 * 37) % 180 * MINUTE + number as i64 * 17;
            if number % 7 == 0 {
                event.outcome = Outcome::Failure;
            }
            events.events.push(Event::Transaction(event));
        }
        store_all(&store, events);
    }
    let everything = request("", 10_000);
    let everything = Request {
        range: Range::new(NEW_YEAR, NEW_YEAR + 180 * MINUTE).expect("a range"),
        ..everything
    };
    let all = search(&store, &everything).hits;
    assert_eq!(all.len(), 800);
    for query in [
        "",
        "service.name:shop",
        "event.outcome:failure and processor.event:transaction",
        "not service.environment:* and not event.outcome:success",
        "processor.event:span",
        "transaction.name:\"GET /a\" and service.name:bank",
    ] {
        for (from, to) in [
            (0, 180 * MINUTE),
            (1, 180 * MINUTE - 1),
            (30 * MINUTE + 1, 120 * MINUTE),
            (17 * 31 + 74 * MINUTE, 174 * MINUTE + 17),
            (59 * MINUTE + 59 * SECOND, 60 * MINUTE + SECOND),
            (100, 59 * MINUTE),
        ] {
            let mut wanted = request(query, 10_000);
            wanted.range = Range::new(NEW_YEAR + from, NEW_YEAR + to).expect("a range");
            let expected: Vec<&discover::Hit> = all
                .iter()
                .filter(|hit| (wanted.range.from..wanted.range.to).contains(&hit.timestamp))
                .filter(|hit| kql::matches(&wanted.query, &hit.document))
                .collect();
            let found = search(&store, &wanted);
            assert_eq!(found.total, expected.len() as u64, "{query} {from} {to}");
            let mut histogram = vec![0; found.axis.buckets.len()];
            for hit in expected {
                let after = hit.timestamp / SECOND - found.axis.buckets[0].start;
                histogram[(after / found.axis.interval) as usize] += 1;
            }
            assert_eq!(found.histogram, histogram, "{query} {from} {to}");
        }
    }
}

#[test]
fn rows_of_blocks_are_read_by_their_numbers_and_by_no_index() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    for query in [
        "service.name:shop and transaction.duration.us >= 1",
        "service.name:shop and span.duration.us >= 1",
        "transaction.name:\"GET /a\" and event.outcome:success",
        "error.grouping_key:ef46db3751d8e999",
        "log.level:info",
        "service.environment:test",
    ] {
        let asked = request(query, 10);
        let steps = store
            .read::<_, StoreError>(|conn| {
                let (found, ran) = sql::recorded(|| discover::search(conn, &asked));
                found?;
                // Counts that are kept have the same name in their statements, and are no rows of events.
                let of_rows = ran.into_iter().filter(|text| !text.contains("event_count"));
                let mut steps = Vec::new();
                for text in of_rows {
                    steps.extend(Sql::new(text).plan(conn)?);
                }
                Ok(steps)
            })
            .expect("plans");
        // SQLite tells the table below the view of spans.
        let is_row = |name: &&str| ["r", "span_row"].contains(name);
        let rows = steps.iter().filter_map(|step| {
            let (how, rest) = step.split_once(' ')?;
            let (name, by) = rest.split_once(' ')?;
            is_row(&name).then_some((how, by))
        });
        let rows: Vec<(&str, &str)> = rows.collect();
        assert!(!rows.is_empty(), "{query}: {steps:?}");
        for step in rows {
            let by_number = "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
            assert_eq!(step, ("SEARCH", by_number), "{query}");
        }
    }
}

#[test]
fn traces_are_counted_where_their_numbers_are_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    for service in ["shop", "bank"] {
        let mut events = batch(service);
        for number in 0..300_u64 {
            let mut event = transaction(&mut events, number, "a");
            event.timestamp = NEW_YEAR + number as i64 % 100 * MINUTE + number as i64 * 17;
            if number % 3 == 0 {
                event.parent_id = Some(events.keep_id("00000000000000aa"));
            }
            if number % 7 == 0 {
                event.outcome = Outcome::Failure;
            }
            events.events.push(Event::Transaction(event));
        }
        store_all(&store, events);
    }
    let entries = "processor.event:transaction and not parent.id:*";
    for (query, total) in [
        (entries.to_owned(), 400),
        (format!("{entries} and service.name:shop"), 200),
        (
            format!("service.name:bank and event.outcome:failure and {entries}"),
            28,
        ),
        (
            "processor.event:transaction and parent.id:*".to_owned(),
            200,
        ),
        (format!("not ({entries})"), 200),
        ("not parent.id:*".to_owned(), 400),
    ] {
        let mut wanted = request(&query, 1000);
        wanted.range = Range::new(NEW_YEAR, NEW_YEAR + 120 * MINUTE).expect("a range");
        let found = search(&store, &wanted);
        assert_eq!(
            (found.total, found.hits.len()),
            (total, total as usize),
            "{query}"
        );
        assert_eq!(found.histogram.iter().sum::<u64>(), total, "{query}");
    }
    // No row has to be read for it: what they say does not matter.
    store
        .write(|conn| {
            use diesel::RunQueryDsl;
            diesel::sql_query("UPDATE tx SET parent_id = 7").execute(conn)
        })
        .expect("room")
        .wait()
        .expect("written");
    let mut wanted = request(entries, 0);
    wanted.range = Range::new(NEW_YEAR, NEW_YEAR + 120 * MINUTE).expect("a range");
    assert_eq!(search(&store, &wanted).total, 400);
    wanted.query = kql::parse("transaction.name:* and not parent.id:*", 0).expect("a query");
    assert_eq!(search(&store, &wanted).total, 0, "these are read");
    let names = store.read::<_, StoreError>(|conn| {
        discover::names(conn, &request("processor.event:transaction", 0))
    });
    let names = names.expect("names");
    assert_eq!(
        (names.total, names.complete),
        (360, true),
        "an hour of them"
    );
    assert_eq!(names.groups[0].value.as_deref(), Some("GET /a"));
}

#[test]
fn any_number_may_stand_in_a_cursor_and_few_are_one() {
    use discover::Cursor;
    for wrong in [
        "",
        "1",
        "-1,1",
        "1,-1",
        "9223372036854775807,1",
        "253402300800000000,0",
        "9223372036854775808,1",
    ] {
        assert_eq!(Cursor::parse(wrong), None, "{wrong}");
    }
    let last = Cursor::parse("253402300799999999,9223372036854775807").expect("a cursor");
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    for query in ["service.name:shop", "free text"] {
        let mut wanted = request(query, 10);
        let expected = search(&store, &wanted);
        for timestamp in [last.timestamp, i64::MAX] {
            wanted.after = Some(Cursor { timestamp, ..last });
            assert_eq!(search(&store, &wanted), expected, "{query}");
        }
    }
}

#[test]
fn fields_have_their_top_values_and_any_field_groups() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    let found = search(&store, &request("processor.event:transaction", 500));
    let documents: Vec<&Json> = found.hits.iter().map(|hit| &hit.document).collect();
    let fields = discover::fields(documents);
    let outcome = fields
        .iter()
        .find(|field| field.name == "event.outcome")
        .expect("a field");
    assert_eq!(
        (
            outcome.count,
            outcome.top[0].value.as_str(),
            outcome.top[0].count
        ),
        (350, "success", 330)
    );
    let grouped = store
        .read::<_, StoreError>(|conn| discover::group(conn, &request("", 0), "transaction.name"))
        .expect("groups");
    let rows: Vec<(Option<&str>, u64)> = grouped
        .groups
        .iter()
        .map(|group| (group.value.as_deref(), group.count))
        .collect();
    assert_eq!(
        rows,
        [(None, 210), (Some("GET /b"), 200), (Some("GET /a"), 150)]
    );
    assert_eq!((grouped.total, grouped.complete), (560, true));
}
