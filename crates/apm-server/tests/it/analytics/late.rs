//! Lists over a day while events come late: what is kept of stretches of buckets says what the query that is shown
//! says.

use std::collections::BTreeMap;

use apm_server::analytics::sql::Sql;
use apm_server::analytics::window::Window;
use apm_server::analytics::{Scope, statements, throughput, transactions};
use apm_store::event::{Batch, Event, Outcome};
use apm_store::{Store, StoreError};
use apm_time::Range;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Double, Text};

use super::{MINUTE, open, store_all};
use crate::oracle;
use crate::support::events::{NEW_YEAR, now, resource, span, transaction};

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
}

#[derive(QueryableByName)]
struct InBucket {
    #[diesel(sql_type = Text)]
    result: String,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Double)]
    count: f64,
}

fn rows<R: QueryableByName<diesel::sqlite::Sqlite> + 'static + Send>(
    store: &Store,
    sql: &Sql,
) -> Vec<R> {
    let rows = store.read(|conn| Ok::<_, StoreError>(sql.load(conn)?));
    rows.expect("an answer")
}

fn sums(store: &Store, sql: &Sql) -> Vec<(i64, i64)> {
    let rows: Vec<Sum> = rows(store, sql);
    rows.iter()
        .map(|row| (row.count as i64, row.sum as i64))
        .collect()
}

#[test]
fn lists_over_a_day_are_those_of_the_sql_shown_while_events_come_late() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let all = Scope::default();
    let hours = |hours: i64| {
        let range = Range::new(NEW_YEAR + 7 * MINUTE, NEW_YEAR + (60 * hours - 3) * MINUTE);
        Window::new(range.expect("not empty"), NEW_YEAR + 48 * 60 * MINUTE)
    };
    let mut number = 0;
    for round in 0..8_u64 {
        // Long enough ago to be settled: then only the time of the last arrival tells whether what is kept still holds.
        let received = now() - 180 * MINUTE + round as i64 * 10 * MINUTE;
        let mut events = Batch::new(resource("shop"), received);
        // In the first round everywhere, then here and there.
        for minute in
            (0..26 * 60).filter(|minute| (minute * 7 + round) % (1 + 97 * round.min(1)) == 0)
        {
            number += 1;
            let at = NEW_YEAR + minute as i64 * MINUTE + 20_000_000;
            let mut query = span(
                &mut events,
                number,
                ["select 1", "select a from b"][number as usize % 2],
            );
            query.timestamp = at;
            query.duration = 100 + (number * number % 5_000) as i64;
            events.events.push(Event::Span(query));
            let mut request =
                transaction(&mut events, number, ["a", "b", "c"][number as usize % 3]);
            request.timestamp = at;
            request.duration = 200 + (number * number % 9_000) as i64;
            if number % 10 == 0 {
                request.outcome = Outcome::Failure;
                request.result = Some(events.keep("HTTP 5xx"));
            }
            events.events.push(Event::Transaction(request));
        }
        store_all(&store, events);
        for window in [hours(1), hours(5), hours(26)] {
            let (groups, statements, results) = store
                .read::<_, StoreError>(|conn| {
                    Ok((
                        transactions::list(conn, &all, &window)?,
                        statements::list(conn, &all, &window)?,
                        throughput::chart(conn, &all, &window)?,
                    ))
                })
                .expect("lists");
            let of = groups.transactions.iter();
            let listed: Vec<(i64, i64)> = of
                .map(|of| {
                    (
                        of.count as i64,
                        (of.count * of.latency_avg.unwrap_or_default()).round() as i64,
                    )
                })
                .collect();
            assert_eq!(
                listed,
                sums(
                    &store,
                    &oracle::question(oracle::TRANSACTIONS, &all, &window)
                ),
                "round {round}"
            );
            let of = statements.statements.iter();
            let listed: Vec<(i64, i64)> = of.map(|of| (of.calls as i64, of.total as i64)).collect();
            assert_eq!(
                listed,
                sums(&store, &oracle::question(oracle::STATEMENTS, &all, &window)),
                "round {round}"
            );
            for of in &statements.statements {
                let covered = of.series.throughput.iter().zip(&statements.axis.buckets);
                let count: f64 = covered
                    .map(|(rate, bucket)| rate * bucket.covered / 60.0)
                    .sum();
                assert!(
                    (count - of.calls).abs() < 1e-6,
                    "round {round}: {count} of {}",
                    of.calls
                );
            }
            let mut listed: BTreeMap<(&str, i64), i64> = BTreeMap::new();
            for of in &results.results {
                for (rate, bucket) in of.throughput.iter().zip(&results.axis.buckets) {
                    let count = (rate * bucket.covered.max(1.0) / 60.0).round() as i64;
                    listed.insert((&of.result, bucket.start), count);
                }
                let count: f64 = of
                    .throughput
                    .iter()
                    .zip(&results.axis.buckets)
                    .map(|(rate, bucket)| rate * bucket.covered.max(1.0) / 60.0)
                    .sum();
                assert!((count - of.count).abs() < 1e-6, "round {round}");
            }
            listed.retain(|_, count| *count > 0);
            let shown: Vec<InBucket> =
                rows(&store, &oracle::question(oracle::THROUGHPUT, &all, &window));
            let shown: BTreeMap<(&str, i64), i64> = shown
                .iter()
                .map(|row| ((row.result.as_str(), row.bucket), row.count as i64))
                .collect();
            assert_eq!(listed, shown, "round {round}");
        }
    }
}
