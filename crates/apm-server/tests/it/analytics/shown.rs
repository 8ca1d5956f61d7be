//! Lists and charts, beside one statement each that asks the same.

use std::collections::BTreeMap;

use apm_server::analytics::dependencies::Choice;
use apm_server::analytics::percentile::representative;
use apm_server::analytics::samples::Durations;
use apm_server::analytics::series::Axis;
use apm_server::analytics::sql::Sql;
use apm_server::analytics::{
    Scope, dependencies, latency, samples, services, statements, throughput, transactions,
};
use apm_store::event::Event;
use apm_store::{Store, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::lists::close;
use super::{add, batch, of_service, open, shop, store_all, window};
use crate::oracle;
use crate::support::events::{NEW_YEAR, span};

/// The rows of a histogram's oracle: percentiles of each key, in bins.
fn by_sql(store: &Store, text: &'static str, name: &str) -> Vec<(String, i64, i64)> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        key: String,
        #[diesel(sql_type = Double)]
        p50: f64,
        #[diesel(sql_type = Double)]
        p95: f64,
    }
    let sql = oracle::question(text, &Scope::default(), &window());
    let rows: Vec<Row> = store
        .read::<_, StoreError>(|conn| Ok(sql.load(conn)?))
        .expect(name);
    rows.into_iter()
        .map(|row| (row.key, row.p50 as i64, row.p95 as i64))
        .collect()
}

#[test]
fn percentiles_kept_in_memory_are_those_of_their_oracles() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    // Twice: what the first answer keeps must not outlive what arrives after it.
    for round in 0..2_u64 {
        let mut events = batch("shop");
        add(
            &mut events,
            1 + round * 100_000,
            "a",
            (0..10_100).map(|i| 100 + i * 7 * (1 + round as i64)),
        );
        for number in 0..50_u64 {
            let mut event = span(&mut events, round * 1000 + number, "select 1");
            event.duration = 100 + (number * number) as i64 * (1 + round as i64);
            events.events.push(Event::Span(event));
        }
        store_all(&store, events);
        let all = Scope::default();
        for _ in 0..2 {
            let (services, groups, statements, dependencies) = store
                .read::<_, StoreError>(|conn| {
                    Ok((
                        services::list(conn, &all, &window())?,
                        transactions::list(conn, &all, &window())?,
                        statements::list(conn, &all, &window())?,
                        dependencies::list(conn, &all, &Choice::default(), &window())?,
                    ))
                })
                .expect("lists");
            let table = [
                (services.services[0].latency, oracle::SERVICES_HISTOGRAM),
                (
                    groups.transactions[0].latency,
                    oracle::TRANSACTIONS_HISTOGRAM,
                ),
                (
                    statements.statements[0].latency,
                    oracle::STATEMENTS_HISTOGRAM,
                ),
                (
                    dependencies.dependencies[0].latency,
                    oracle::DEPENDENCIES_HISTOGRAM,
                ),
            ];
            for (kept, text) in table {
                let kept = kept.expect("percentiles");
                let found = by_sql(&store, text, "histogram");
                let [(key, p50, p95)] = found.as_slice() else {
                    panic!("one key: {found:?}");
                };
                let (p50, p95) = (*p50, *p95);
                assert!(
                    close(Some(kept.p50), representative(p50)),
                    "{round} {key}: {kept:?}"
                );
                assert!(
                    close(Some(kept.p95), representative(p95)),
                    "{round} {key}: {kept:?}"
                );
            }
        }
    }
}

/// Counts and sums in the order of an oracle.
fn rows_of(store: &Store, sql: &Sql) -> Vec<(f64, f64)> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Double)]
        count: f64,
        #[diesel(sql_type = Double)]
        sum: f64,
    }
    let rows: Vec<Row> = store
        .read::<_, StoreError>(|conn| Ok(sql.load(conn)?))
        .expect("an answer");
    rows.iter().map(|row| (row.count, row.sum)).collect()
}

#[test]
fn a_list_has_the_numbers_of_its_oracle() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let (all, window) = (Scope::default(), window());
    // Twice: what the first answer keeps must not outlive what arrives after it.
    for round in 0..2_u64 {
        shop(&store);
        let mut events = batch("bank");
        for (number, sql) in (0..30_u64).zip(["select 1", "select a from b"].iter().cycle()) {
            let mut event = span(&mut events, 90_000 + round * 100 + number, sql);
            event.duration = 100 + (number * number) as i64;
            events.events.push(Event::Span(event));
        }
        store_all(&store, events);
        let (services, groups, statements, dependencies) = store
            .read::<_, StoreError>(|conn| {
                Ok((
                    services::list(conn, &all, &window)?,
                    transactions::list(conn, &all, &window)?,
                    statements::list(conn, &all, &window)?,
                    dependencies::list(conn, &all, &Choice::default(), &window)?,
                ))
            })
            .expect("lists");
        let sum = |count: f64, mean: Option<f64>| count * mean.unwrap_or_default();
        let listed = [
            services
                .services
                .iter()
                .map(|of| (of.transactions, sum(of.transactions, of.latency_avg)))
                .collect::<Vec<_>>(),
            groups
                .transactions
                .iter()
                .map(|of| (of.count, sum(of.count, of.latency_avg)))
                .collect(),
            statements
                .statements
                .iter()
                .map(|of| (of.calls, of.total))
                .collect(),
            dependencies
                .dependencies
                .iter()
                .map(|of| (of.count, sum(of.count, of.latency_avg)))
                .collect(),
        ];
        let oracles = [
            oracle::SERVICES,
            oracle::TRANSACTIONS,
            oracle::STATEMENTS,
            oracle::DEPENDENCIES,
        ];
        let sql = oracles.map(|text| oracle::question(text, &all, &window));
        for (listed, sql) in listed.iter().zip(&sql) {
            let shown = rows_of(&store, sql);
            assert_eq!(listed.len(), shown.len(), "{round}: {}", sql.text());
            for ((count, sum), (shown_count, shown_sum)) in listed.iter().zip(shown) {
                let both = close(Some(*count), shown_count) && close(Some(*sum), shown_sum);
                assert!(both, "{round}: {listed:?}: {}", sql.text());
            }
        }
    }
}

#[test]
fn samples_of_many_groups_are_the_newest_of_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    shop(&store);
    let found = store
        .read::<_, StoreError>(|conn| {
            let scope = of_service("shop");
            Ok(samples::list(
                conn,
                &scope,
                &window(),
                Durations::default(),
                60,
            )?)
        })
        .expect("samples");
    let mut times: Vec<i64> = (0..100).chain(0..50).collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    let seconds: Vec<i64> = found
        .iter()
        .map(|sample| (sample.timestamp - NEW_YEAR) / 1_000_000)
        .collect();
    assert_eq!(seconds, times[..60]);
}

/// Counts by the start of their bucket.
fn by_bucket(store: &Store, text: &'static str) -> BTreeMap<i64, f64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        bucket: i64,
        #[diesel(sql_type = Double)]
        count: f64,
    }
    let sql = oracle::question(text, &Scope::default(), &window());
    let rows: Vec<Row> = store
        .read::<_, StoreError>(|conn| Ok(sql.load(conn)?))
        .expect("rows");
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row.bucket).or_default() += row.count;
    }
    counts
}

/// Rates per minute as counts by the start of their bucket; buckets without any are left out.
fn counts<'a>(axis: &Axis, series: impl Iterator<Item = &'a [f64]>) -> BTreeMap<i64, f64> {
    let mut counts: BTreeMap<i64, f64> = BTreeMap::new();
    for rates in series {
        for (rate, bucket) in rates.iter().zip(&axis.buckets) {
            let count = rate * bucket.covered.max(1.0) / 60.0;
            if count > 0.0 {
                *counts.entry(bucket.start).or_default() += count;
            }
        }
    }
    counts
}

#[test]
fn a_series_has_the_counts_of_its_oracle() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    shop(&store);
    let mut events = batch("bank");
    for number in 0..30_u64 {
        let event = span(&mut events, 90_000 + number, "select 1");
        events.events.push(Event::Span(event));
    }
    store_all(&store, events);
    let (all, window) = (Scope::default(), window());
    let table = store
        .read::<_, StoreError>(|conn| {
            let services = services::list(conn, &all, &window)?;
            let groups = transactions::list(conn, &all, &window)?;
            let statements = statements::list(conn, &all, &window)?;
            let dependencies = dependencies::list(conn, &all, &Choice::default(), &window)?;
            let latency = latency::chart(conn, &all, &window)?;
            let results = throughput::chart(conn, &all, &window)?;
            let of = |axis: &Axis, series: Vec<&[f64]>| counts(axis, series.into_iter());
            Ok([
                (
                    oracle::SERVICES_SERIES,
                    of(
                        &services.axis,
                        services
                            .services
                            .iter()
                            .map(|of| &*of.series.throughput)
                            .collect(),
                    ),
                ),
                (
                    oracle::TRANSACTIONS_SERIES,
                    of(
                        &groups.axis,
                        groups
                            .transactions
                            .iter()
                            .map(|of| &*of.series.throughput)
                            .collect(),
                    ),
                ),
                (
                    oracle::STATEMENTS_SERIES,
                    of(
                        &statements.axis,
                        statements
                            .statements
                            .iter()
                            .map(|of| &*of.series.throughput)
                            .collect(),
                    ),
                ),
                (
                    oracle::DEPENDENCIES_SERIES,
                    of(
                        &dependencies.axis,
                        dependencies
                            .dependencies
                            .iter()
                            .map(|of| &*of.series.throughput)
                            .collect(),
                    ),
                ),
                (
                    oracle::LATENCY,
                    of(&latency.axis, vec![&*latency.throughput]),
                ),
                (
                    oracle::THROUGHPUT,
                    of(
                        &results.axis,
                        results.results.iter().map(|of| &*of.throughput).collect(),
                    ),
                ),
            ])
        })
        .expect("answers");
    for (text, found) in table {
        let expected = by_bucket(&store, text);
        assert!(!expected.is_empty(), "{text}");
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "{text}"
        );
        for (bucket, count) in &expected {
            assert!(
                close(found.get(bucket).copied(), *count),
                "{bucket}: {text}"
            );
        }
    }
}
