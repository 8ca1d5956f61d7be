//! Lists and charts over times of which only rollups are left.

use std::path::Path;
use std::time::Duration;

use actix_web::web;
use apm_store::event::{Batch, Event};
use apm_store::{Store, StoreOptions};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use serde_json::Value as Json;
use sql_lexer::Fingerprint;

use super::api::json;
use super::lists::close;
use super::{MINUTE, sender, store_all};
use crate::store::{number, wait_until};
use crate::support::events::{NEW_YEAR, now, span, transaction};

const DAY: i64 = 86_400;

/// Transactions `GET /a` of 1 ms, 2 ms, … that arrived some days ago, `every` µs apart from `from` µs after New Year
/// on.
fn arrived(days: i64, count: i64, from: i64, every: i64) -> Batch {
    let mut events = Batch::new(sender("shop"), now() - days * DAY * 1_000_000);
    for index in 0..count {
        let number = (days * 1000 + index).unsigned_abs();
        let mut event = transaction(&mut events, number, "a");
        event.timestamp = NEW_YEAR + from + index * every;
        event.duration = 1000 * (index + 1);
        events.events.push(Event::Transaction(event));
    }
    events
}

/// A store of what arrived in the last seven days, and the rollups of all of it; so many transactions are left.
async fn retained(dir: &Path, batches: Vec<Batch>, left: i64) -> Store {
    // Nothing arrives after the start that would confirm the clock.
    let options = StoreOptions {
        trusted_jump: Duration::from_secs(1000 * 86_400),
        keep: 0,
        ..StoreOptions::new(dir.join("apm.db"))
    };
    let opened = move || {
        let keeps = StoreOptions {
            raw_max_age: None,
            ..options.clone()
        };
        let keeps = Store::open(keeps).expect("opens");
        for batch in batches {
            store_all(&keeps, batch);
        }
        drop(keeps);
        let store = Store::open(options).expect("opens");
        let minutes = "SELECT (SELECT count(*) FROM tx) * 1000000 + coalesce(sum(n), 0) AS n \
                       FROM roll_tx WHERE level = 60";
        wait_until("old events are gone", || {
            number(&store, minutes) == left * 1_000_001
        });
        store
    };
    web::block(opened).await.expect("a thread")
}

/// Of `GET /a`: how many, the p95, and the axis of its sparklines.
fn group(body: &Json) -> (f64, Option<f64>, &Json) {
    let group = &body["transactions"][0];
    (
        group["count"].as_f64().unwrap_or(0.0),
        group["latency"]["p95"].as_f64(),
        &body["axis"],
    )
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found / expected - 1.0).abs() <= 0.01)
}

#[actix_web::test]
async fn percentiles_distributions_and_charts_outlive_the_events() {
    let dir = tempfile::tempdir().expect("a directory");
    let batch = arrived(8, 100, 3 * MINUTE, MINUTE / 10);
    let store = retained(dir.path(), vec![batch], 0).await;
    for (range, interval, widened) in [
        (
            "from=2026-01-01T00:00:00Z&to=2026-01-01T00:20:00Z",
            600,
            true,
        ),
        (
            "from=2026-01-01T00:05:00Z&to=2026-01-01T00:12:00Z",
            600,
            true,
        ),
        (
            "from=2026-01-01T00:05:00Z&to=2026-01-01T08:00:00Z",
            600,
            true,
        ),
        (
            "from=2026-01-01T00:05:00Z&to=2026-01-08T00:00:00Z",
            10_800,
            true,
        ),
        (
            "from=2026-01-01T00:00:00Z&to=2026-01-08T00:00:00Z",
            10_800,
            false,
        ),
    ] {
        let body = json(
            &store,
            &format!("/api/v1/services/shop/transactions?{range}"),
        )
        .await;
        let (count, p95, axis) = group(&body);
        assert!(close(Some(count), 100.0), "{range}: {count}");
        assert!(near(p95, 95_000.0), "{range}: {p95:?}");
        assert_eq!(axis["interval"], interval, "{range}");
        assert_eq!(
            axis["widened"].as_bool().unwrap_or(false),
            widened,
            "{range}"
        );
        let seen: f64 = body["latency"]["count"]
            .as_array()
            .expect("counts")
            .iter()
            .filter_map(Json::as_f64)
            .sum();
        assert!(close(Some(seen), 100.0), "{range}: {seen}");
        let percentiles = body["latency"]["percentiles"].as_array().expect("a chart");
        assert!(percentiles.iter().any(|of| !of.is_null()), "{range}");
        let body = json(&store, &format!("/api/v1/services?{range}")).await;
        let p95 = body["services"][0]["latency"]["p95"].as_f64();
        assert!(near(p95, 95_000.0), "{range}: {p95:?}");
        let path = "/api/v1/services/shop/transactions/view?name=GET+/a";
        let body = json(&store, &format!("{path}&{range}")).await;
        let distribution = &body["distribution"];
        assert!(close(distribution["count"].as_f64(), 100.0), "{range}");
        assert!(
            near(distribution["percentiles"]["p95"].as_f64(), 95_000.0),
            "{range}"
        );
        assert_eq!(distribution["exact"], false, "{range}");
    }
}

#[actix_web::test]
async fn ten_minutes_of_which_some_are_gone_are_counted_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let batches = vec![
        arrived(9, 128, -60 * MINUTE, 0),
        arrived(8, 128, 0, MINUTE / 32),
        arrived(6, 128, 5 * MINUTE, MINUTE / 32),
    ];
    let store = retained(dir.path(), batches, 128).await;
    let range = "from=2026-01-01T00:02:00Z&to=2026-01-01T00:08:00Z";
    let body = json(
        &store,
        &format!("/api/v1/services/shop/transactions?{range}"),
    )
    .await;
    let (count, _, axis) = group(&body);
    assert!(close(Some(count), 256.0), "{count}");
    assert_eq!(
        (&axis["interval"], &axis["widened"]),
        (&600.into(), &true.into())
    );
}

#[actix_web::test]
async fn minutes_that_are_kept_are_not_widened_by_what_was_before_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let batches = vec![
        arrived(8, 128, -60 * MINUTE, 0),
        arrived(1, 128, 3 * MINUTE, MINUTE / 32),
    ];
    let store = retained(dir.path(), batches, 128).await;
    for (range, expected) in [
        ("from=2026-01-01T00:00:00Z&to=2026-01-01T00:15:00Z", 128.0),
        ("from=2026-01-01T00:04:00Z&to=2026-01-01T00:06:00Z", 64.0),
    ] {
        let body = json(
            &store,
            &format!("/api/v1/services/shop/transactions?{range}"),
        )
        .await;
        let (count, _, axis) = group(&body);
        assert!(close(Some(count), expected), "{range}: {count}");
        assert_eq!(
            (&axis["interval"], &axis["widened"]),
            (&60.into(), &Json::Null)
        );
    }
}

#[actix_web::test]
async fn sides_whose_minutes_are_gone_are_compared_by_ten_minutes_and_share_none() {
    let dir = tempfile::tempdir().expect("a directory");
    let batch = arrived(8, 128, 3 * MINUTE, MINUTE / 8);
    let store = retained(dir.path(), vec![batch], 0).await;
    let range = "from=2026-01-01T00:17:00Z&to=2026-01-01T00:31:00Z";
    let body = json(&store, &format!("/api/v1/compare?service=shop&{range}")).await;
    let edge = |side: &str, edge: &str| {
        body[side][edge]
            .as_i64()
            .map(|at| at - NEW_YEAR / 1_000_000)
    };
    assert_eq!(
        (edge("before", "from"), edge("before", "to")),
        (Some(-600), Some(600))
    );
    assert_eq!(
        (edge("after", "from"), edge("after", "to")),
        (Some(1_200), Some(2_400))
    );
    let row = &body["transactions"][0];
    assert!(close(row["before"]["count"].as_f64(), 56.0), "{row}");
    assert!(row["after"].is_null(), "{row}");
    let environment = row["environment"].as_str().expect("an environment");
    for (env, rows) in [(environment, 1), ("elsewhere", 0)] {
        let body = json(&store, &format!("/api/v1/compare?env={env}&{range}")).await;
        let found = body["transactions"].as_array().map(Vec::len);
        assert_eq!(found, Some(rows), "{env}");
    }
}

#[actix_web::test]
async fn callers_of_a_statement_are_found_where_their_minutes_are_gone() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut batch = arrived(8, 128, 3 * MINUTE, MINUTE / 32);
    let call = span(&mut batch, 8_000, "select * from people");
    batch.events.push(Event::Span(call));
    let store = retained(dir.path(), vec![batch], 0).await;
    let path = dir.path().join("apm.db");
    let counted = move || {
        // As the engine counts them.
        let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
        diesel::sql_query("PRAGMA busy_timeout = 10000")
            .execute(&mut other)
            .expect("a time");
        other
            .batch_execute(
                "INSERT INTO roll_caller (level, bucket, tx_group_id, statement_id, requests, calls, most, sum, \
                     tx_sum, follows, looped, trace_id) \
                 SELECT 600, r.bucket, r.group_id, q.id, 128, 256, 2, 1, 1, 0, 0, zeroblob(16) \
                 FROM roll_tx r, statement q WHERE r.level = 600; \
                 INSERT INTO roll_caller_written SELECT level, bucket, 1 FROM roll_caller GROUP BY level, bucket",
            )
            .expect("counted");
    };
    web::block(counted).await.expect("a thread");
    let fingerprint = Fingerprint::from_text("select * from people").hash;
    let range = "from=2026-01-01T00:04:00Z&to=2026-01-01T00:06:00Z";
    for path in [
        format!("/api/v1/queries/{fingerprint:016x}/callers?{range}"),
        format!("/api/v1/queries?{range}"),
    ] {
        let body = json(&store, &path).await;
        let caller = &body["callers"][0];
        assert_eq!(
            (&caller["transaction"], &caller["requests"]),
            (&"GET /a".into(), &128.into()),
            "{path}: {body}"
        );
    }
}
