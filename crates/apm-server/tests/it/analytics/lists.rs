//! Lists, whose numbers can be counted by hand.

use actix_web::test::read_body;
use apm_server::analytics::dependencies::Choice;
use apm_server::analytics::distribution::Scale;
use apm_server::analytics::samples::Durations;
use apm_server::analytics::{
    Scope, dependencies, distribution, error_group, errors, latency, percentile, services,
    statement, statements, transactions,
};
use apm_store::event::{Composite, Event, Outcome};
use apm_store::{Store, StoreError};
use sql_lexer::Fingerprint;

use super::api::get;
use super::{add, batch, of_service, open, shop, store_all, window, with_spans};
use crate::support::events::{NEW_YEAR, error, span, transaction};

pub(super) fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-6 * expected.abs().max(1.0))
}

#[test]
fn a_service_has_its_mean_percentiles_rates_and_errors() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    shop(&store);
    let mut events = batch("shop");
    for number in 1..=3 {
        let event = error(&mut events, number);
        events.events.push(Event::Error(event));
    }
    store_all(&store, events);
    let found = store
        .read::<_, StoreError>(|conn| Ok(services::list(conn, &Scope::default(), &window())?))
        .expect("services");
    let [shop] = found.services.as_slice() else {
        panic!("one service: {found:?}");
    };
    assert_eq!((shop.name.as_str(), shop.agent.as_str()), ("shop", "rust"));
    assert_eq!(shop.environments, ["test"]);
    assert!(close(Some(shop.transactions), 150.0));
    assert!(close(
        shop.latency_avg,
        (5050.0 * 1000.0 + 50.0 * 2000.0) / 150.0
    ));
    // 150 values: the 143rd of 50 × 2 ms and 1 to 100 ms is 93 ms.
    assert!(
        close(shop.latency.map(|of| of.p95), 93_000.0),
        "{:?}",
        shop.latency
    );
    assert!(close(Some(shop.throughput), 10.0));
    assert!(close(shop.failed_rate, 0.1));
    assert_eq!(shop.errors, Some(3));
    assert!(close(shop.errors_per_minute, 0.2));
    let spark: f64 = shop.series.throughput.iter().sum();
    assert!(close(Some(spark), 150.0));
}

#[test]
fn an_environment_narrows_and_another_time_is_empty() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    shop(&store);
    let count = |environment: &str, window| {
        let scope = Scope {
            environment: Some(environment.to_owned()),
            ..Scope::default()
        };
        let found = store.read::<_, StoreError>(|conn| Ok(services::list(conn, &scope, &window)?));
        found.expect("services").services.len()
    };
    assert_eq!(count("test", window()), 1);
    assert_eq!(count("production", window()), 0);
    assert_eq!(count("test", window().shifted_back(15 * super::MINUTE)), 0);
}

#[test]
fn transaction_groups_share_the_impact() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    shop(&store);
    let (found, types) = store
        .read::<_, StoreError>(|conn| {
            let scope = of_service("shop");
            Ok((
                transactions::list(conn, &scope, &window())?,
                transactions::types(conn, &scope, &window())?,
            ))
        })
        .expect("transactions");
    assert_eq!(types, ["request"]);
    let names: Vec<&str> = found
        .transactions
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(names, ["GET /a", "GET /b"]);
    let (a, b) = (&found.transactions[0], &found.transactions[1]);
    let percentiles = a.latency.expect("percentiles");
    assert_eq!(
        (percentiles.p50, percentiles.p95, percentiles.p99),
        (50_000.0, 95_000.0, 99_000.0)
    );
    assert_eq!(a.latency_max, 100_000);
    assert!(close(Some(a.impact), 5_050.0 / 5_150.0) && close(Some(b.impact), 100.0 / 5_150.0));
    assert!(close(b.latency_avg, 2000.0) && close(b.failed_rate, 0.1));
}

#[test]
fn beyond_ten_thousand_values_percentiles_stay_within_one_percent() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    add(&mut events, 1, "a", (0..10_500).map(|i| 100 + i * 7));
    store_all(&store, events);
    let (chart, spread, groups) = store
        .read::<_, StoreError>(|conn| {
            let scope = of_service("shop");
            Ok((
                latency::chart(conn, &scope, &window())?,
                distribution::chart(conn, &scope, &window(), Scale::Log)?,
                transactions::list(conn, &scope, &window())?,
            ))
        })
        .expect("charts");
    let off = |found: f64, rank: f64| {
        let exact = 100.0 + ((rank * 10_500.0).ceil() - 1.0) * 7.0;
        (found - exact).abs() / exact
    };
    let group = groups.transactions[0].latency.expect("percentiles");
    let spread_95 = spread.percentiles.expect("percentiles").p95;
    assert!(
        off(group.p50, 0.5) <= 0.0101
            && off(group.p95, 0.95) <= 0.0101
            && off(group.p99, 0.99) <= 0.0101
    );
    assert!(!spread.exact && off(spread_95, 0.95) <= 0.0101);
    assert!((chart.total.count - 10_500.0).abs() < 1e-6);
    assert!(chart.percentiles.iter().flatten().count() >= 10);
}

#[test]
fn an_error_group_knows_its_occurrences_and_whom_it_hit() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for number in 1..=4_u64 {
        let mut event = error(&mut events, number);
        event.timestamp = NEW_YEAR + number as i64 * super::MINUTE;
        if number == 4 {
            event.transaction_name = Some(events.keep("GET /b"));
        }
        events.events.push(Event::Error(event));
    }
    store_all(&store, events);
    let (list, detail) = store
        .read::<_, StoreError>(|conn| {
            let scope = of_service("shop");
            Ok((
                errors::list(conn, &scope, None, &window())?,
                error_group::detail(conn, &scope, 0xef46_db37_51d8_e999, &window())?,
            ))
        })
        .expect("errors");
    let group = &list.errors[0];
    assert_eq!(
        (group.key.as_str(), group.occurrences),
        ("ef46db3751d8e999", 4)
    );
    assert_eq!(
        (group.handled, group.latest),
        (Some(false), Some(NEW_YEAR + 4 * super::MINUTE))
    );
    // In buckets of half a minute.
    assert_eq!(group.series[..10], [0, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
    assert_eq!(detail.group.as_ref(), Some(group));
    let times: Vec<i64> = detail
        .samples
        .iter()
        .map(|of| (of.timestamp - NEW_YEAR) / super::MINUTE)
        .collect();
    assert_eq!(times, [4, 3, 2, 1]);
    let hit: Vec<(&str, i64)> = detail
        .transactions
        .iter()
        .map(|of| (of.name.as_str(), of.occurrences))
        .collect();
    assert_eq!(hit, [("GET /a", 3), ("GET /b", 1)]);
}

#[test]
fn statements_and_dependencies_count_the_parts_of_a_folded_span() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for number in 1..=3_u64 {
        let mut event = span(&mut events, number, "select * from people where id = 7");
        if number == 3 {
            event.composite = Some(Composite {
                count: 4,
                sum: 2000,
            });
        }
        events.events.push(Event::Span(event));
    }
    store_all(&store, events);
    let (list, called, detail) = store
        .read::<_, StoreError>(|conn| {
            let scope = of_service("shop");
            let list = statements::list(conn, &scope, &window())?;
            let fingerprint =
                u64::from_str_radix(&list.statements[0].fingerprint, 16).expect("hex");
            Ok((
                list,
                dependencies::list(conn, &scope, &Choice::default(), &window())?,
                statement::detail(conn, &scope, fingerprint, Durations::default(), &window())?,
            ))
        })
        .expect("statements");
    let [statement] = list.statements.as_slice() else {
        panic!("one statement: {list:?}");
    };
    assert_eq!(
        (statement.verb.as_str(), statement.table.as_str()),
        ("SELECT", "people")
    );
    assert!(close(Some(statement.calls), 6.0), "{statement:?}");
    assert!(close(Some(statement.total), 700.0 * 2.0 + 2000.0));
    assert!(close(Some(statement.share), 1.0));
    assert_eq!(
        detail
            .samples
            .iter()
            .map(|call| call.calls)
            .collect::<Vec<_>>(),
        [4, 1, 1]
    );
    let [dependency] = called.dependencies.as_slice() else {
        panic!("one dependency: {called:?}");
    };
    assert_eq!(
        (dependency.name.as_str(), dependency.kind.as_str()),
        ("sqlite/people.db", "db")
    );
    assert!(close(Some(dependency.count), 6.0), "{dependency:?}");
    let p95 = dependency.latency.expect("percentiles").p95;
    assert!(p95 > 490.0 && p95 < 710.0, "{p95}");
}

#[test]
fn a_statement_has_a_trend_a_distribution_and_samples_of_the_durations_chosen() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for number in 0..30_u64 {
        let mut event = span(&mut events, number, "select * from people where id = 7");
        event.duration = if number < 20 { 100 } else { 5_000 };
        if number == 29 {
            event.outcome = Outcome::Failure;
        }
        events.events.push(Event::Span(event));
    }
    // Another statement is in none of it.
    let other = span(&mut events, 99, "select 1");
    events.events.push(Event::Span(other));
    store_all(&store, events);
    let fingerprint = Fingerprint::from_text("select * from people where id = 7").hash;
    let (scope, window) = (of_service("shop"), window());
    let slow = Durations {
        min: 1_000,
        max: 6_000,
    };
    let (trend, spread, chosen) = store
        .read::<_, StoreError>(|conn| {
            Ok((
                statement::trend(conn, &scope, fingerprint, &window)?,
                statement::distribution(conn, &scope, fingerprint, &window, Scale::Log)?,
                statement::detail(conn, &scope, fingerprint, slow, &window)?.samples,
            ))
        })
        .expect("a statement");
    assert!(close(Some(trend.total.count), 30.0), "{trend:?}");
    assert!(close(trend.total.avg, 52_000.0 / 30.0), "{trend:?}");
    let filled = trend.percentiles.iter().flatten().next().expect("a bucket");
    assert!((filled.p95 - 5_000.0).abs() < 50.0, "{filled:?}");
    assert!(close(Some(spread.count), 30.0), "{spread:?}");
    let failed: f64 = spread.bars.iter().map(|bar| bar.failed).sum();
    assert!(close(Some(failed), 1.0), "{spread:?}");
    let fast: f64 = spread
        .bars
        .iter()
        .filter(|bar| bar.to <= 1_000)
        .map(|bar| bar.count)
        .sum();
    assert!(close(Some(fast), 20.0), "{spread:?}");
    assert_eq!(chosen.len(), 10, "{chosen:?}");
    assert!(chosen.iter().all(|call| call.duration == 5_000));
}

#[test]
fn a_transaction_that_stands_for_none_counts_nowhere() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    add(&mut events, 1, "a", (1..=100).map(|ms| ms * 1000));
    for number in 1001..=1100 {
        let mut event = transaction(&mut events, number, "a");
        event.duration = 900_000;
        event.sampled = false;
        event.sample_rate = Some(0.0);
        events.events.push(Event::Transaction(event));
    }
    store_all(&store, events);
    let scope = of_service("shop");
    let (groups, services, chart, distribution) = store
        .read::<_, StoreError>(|conn| {
            Ok((
                transactions::list(conn, &scope, &window())?,
                services::list(conn, &scope, &window())?,
                latency::chart(conn, &scope, &window())?,
                distribution::chart(conn, &scope, &window(), Scale::Log)?,
            ))
        })
        .expect("answers");
    let p95 = |of: Option<percentile::Percentiles>| of.map(|of| of.p95);
    let group = &groups.transactions[0];
    assert!(close(Some(group.count), 100.0) && close(p95(group.latency), 95_000.0));
    assert!(close(p95(services.services[0].latency), 95_000.0));
    let highest = chart.percentiles.iter().flatten().map(|of| of.p99);
    assert!(close(highest.reduce(f64::max), 100_000.0));
    assert!(close(Some(distribution.count), 100.0) && distribution.exact);
    assert!(close(p95(distribution.percentiles), 95_000.0));
}

/// A thousand services and one. `least` has the least time of all, but an error and a statement.
fn many_services(store: &Store) {
    for number in 0..=1_000_u64 {
        let mut events = match number {
            0 => with_spans("least", 1, 1),
            _ => batch(&format!("service {number:04}")),
        };
        if number == 0 {
            let event = error(&mut events, 1);
            events.events.push(Event::Error(event));
        }
        add(&mut events, 10_000 + number, "a", [2 * 60_000_000]);
        if number == 0 {
            for event in &mut events.events {
                if let Event::Transaction(event) = event {
                    event.duration = 1_000;
                }
            }
        }
        store_all(store, events);
    }
}

#[actix_web::test]
async fn more_than_a_thousand_services_are_ranked_by_errors_and_by_sql() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let seeding = store.clone();
    let seeded = actix_web::web::block(move || many_services(&seeding)).await;
    seeded.expect("stored");
    let range = "from=2026-01-01T00:00:00Z&to=2026-01-01T00:15:00Z";
    for sort in ["-errors", "-sql"] {
        let found = get(
            &store,
            &format!("/api/v1/services?{range}&sort={sort}"),
            None,
        )
        .await;
        let body = read_body(found).await;
        let found: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(found["total"], 1_001, "{sort}");
        assert_eq!(found["services"][0]["name"], "least", "{sort}");
    }
}
