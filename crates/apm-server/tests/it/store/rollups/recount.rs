//! Rollups, counted again from the rows of events.

use std::collections::BTreeMap;

use apm_store::rollup::{LEVELS, bin, bucket, weight};
use apm_store::schema::{
    error, roll_destination, roll_destination_hist, roll_error, roll_statement,
    roll_statement_hist, roll_tx, roll_tx_hist, span, tx,
};
use apm_store::{Store, StoreError};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::cost;

/// (id, bucket, result, outcome) → (count, n, sum, max)
type Cells = BTreeMap<(i64, i64, i64, i32), (f64, i64, f64, i64)>;
/// (id, bucket, outcome, bin) → count
type Bins = BTreeMap<(i64, i64, i32, i32), f64>;

/// A row as far as a rollup looks at it.
struct Raw {
    id: i64,
    result: i64,
    outcome: i32,
    ts: i64,
    sum: i64,
    of: i64,
    weight: f64,
}

fn recount(rows: &[Raw], level: i64) -> (Cells, Bins) {
    let mut cells = Cells::new();
    let mut bins = Bins::new();
    for row in rows.iter().filter(|row| row.weight > 0.0) {
        let bucket = bucket(row.ts, level);
        let count = row.weight * row.of as f64;
        let mean = row.sum / row.of;
        let cell = cells
            .entry((row.id, bucket, row.result, row.outcome))
            .or_default();
        cell.0 += count;
        cell.1 += 1;
        cell.2 += row.sum as f64 * row.weight;
        cell.3 = cell.3.max(mean);
        *bins
            .entry((row.id, bucket, row.outcome, bin(mean)))
            .or_default() += count;
    }
    (cells, bins)
}

/// Sums may differ in their last digits by the order of additions.
fn assert_equal(cells: &Cells, expected: &Cells) {
    assert_eq!(
        cells.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (key, (count, n, sum, max)) in cells {
        let (count2, n2, sum2, max2) = expected[key];
        assert_eq!((*count, *n, *max), (count2, n2, max2), "{key:?}");
        assert!(
            (sum - sum2).abs() <= sum2.abs() * 1e-9,
            "{key:?}: {sum} and {sum2}"
        );
    }
}

/// Compares every rollup with the rows of events.
pub(super) fn check(store: &Store) {
    cost::check(store);
    let query = |conn: &mut SqliteConnection| -> Result<(), StoreError> {
        type Tx = (i64, Option<i64>, i32, i64, i64, Option<f64>);
        let tx: Vec<Tx> = tx::table
            .select((
                tx::group_id,
                tx::result_id,
                tx::outcome,
                tx::ts,
                tx::duration,
                tx::sample_rate,
            ))
            .load(conn)?;
        let tx: Vec<Raw> = tx
            .into_iter()
            .map(|(id, result, outcome, ts, sum, rate)| Raw {
                id,
                result: result.unwrap_or_default(),
                outcome,
                ts,
                sum,
                of: 1,
                weight: weight(rate),
            })
            .collect();
        type Span = (
            Option<i64>,
            Option<i64>,
            i32,
            i64,
            i64,
            Option<i64>,
            Option<i64>,
            Option<f64>,
        );
        let spans: Vec<Span> = span::table
            .select((
                span::statement_id,
                span::destination_id,
                span::outcome,
                span::ts,
                span::duration,
                span::composite_count,
                span::composite_sum,
                span::sample_rate,
            ))
            .load(conn)?;
        let of_spans = |pick: fn(&Span) -> Option<i64>| -> Vec<Raw> {
            let raw = |span: &Span| {
                let (_, _, outcome, ts, duration, count, sum, rate) = *span;
                Some(Raw {
                    id: pick(span)?,
                    result: 0,
                    outcome,
                    ts,
                    sum: sum.unwrap_or(duration),
                    of: count.unwrap_or(1),
                    weight: weight(rate),
                })
            };
            spans.iter().filter_map(raw).collect()
        };
        for level in LEVELS {
            macro_rules! compare {
                ($cells:ident, $bins:ident, $id:ident, $result:expr, $rows:expr) => {
                    let (cells, bins) = recount($rows, level);
                    let found: Vec<(i64, i64, i64, i32, (f64, i64, f64, i64))> = $cells::table
                        .filter($cells::level.eq(level as i32))
                        .select((
                            $cells::$id,
                            $cells::bucket,
                            $result,
                            $cells::outcome,
                            ($cells::count, $cells::n, $cells::sum, $cells::max),
                        ))
                        .load(conn)?;
                    let found = found
                        .into_iter()
                        .map(|(id, bucket, result, outcome, cell)| {
                            ((id, bucket, result, outcome), cell)
                        });
                    assert_equal(&found.collect(), &cells);
                    let found: Vec<(i64, i64, i32, i32, f64)> = $bins::table
                        .filter($bins::level.eq(level as i32))
                        .select((
                            $bins::$id,
                            $bins::bucket,
                            $bins::outcome,
                            $bins::bin,
                            $bins::count,
                        ))
                        .load(conn)?;
                    let found = found.into_iter().map(|(id, bucket, outcome, bin, count)| {
                        ((id, bucket, outcome, bin), count)
                    });
                    assert_eq!(found.collect::<Bins>(), bins);
                };
            }
            let none = || diesel::dsl::sql::<diesel::sql_types::BigInt>("0");
            compare!(roll_tx, roll_tx_hist, group_id, roll_tx::result_id, &tx);
            compare!(
                roll_statement,
                roll_statement_hist,
                statement_id,
                none(),
                &of_spans(|span| span.0)
            );
            compare!(
                roll_destination,
                roll_destination_hist,
                destination_id,
                none(),
                &of_spans(|span| span.1)
            );

            let errors: Vec<(i64, i64)> = error::table
                .select((error::group_id, error::ts))
                .load(conn)?;
            let mut counts: BTreeMap<(i64, i64), i64> = BTreeMap::new();
            for (group, ts) in errors {
                *counts.entry((group, bucket(ts, level))).or_default() += 1;
            }
            let found: Vec<(i64, i64, i64)> = roll_error::table
                .filter(roll_error::level.eq(level as i32))
                .select((roll_error::group_id, roll_error::bucket, roll_error::n))
                .load(conn)?;
            let found = found
                .into_iter()
                .map(|(group, bucket, n)| ((group, bucket), n));
            assert_eq!(found.collect::<BTreeMap<_, _>>(), counts);
        }
        Ok(())
    };
    store.read(query).expect("queries");
    check_event_counts(store);
}

/// (kind, service, outcome, bucket) → how many
type EventCounts = BTreeMap<(i64, i64, i64, i64), i64>;

/// Compares the numbers of stored events with the rows, on every level.
pub(crate) fn check_event_counts(store: &Store) {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        kind: i64,
        #[diesel(sql_type = BigInt)]
        service_id: i64,
        #[diesel(sql_type = BigInt)]
        outcome: i64,
        #[diesel(sql_type = BigInt)]
        at: i64,
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let query = |conn: &mut SqliteConnection| -> Result<(), StoreError> {
        let rows: Vec<Row> = diesel::sql_query(
            "SELECT 1 AS kind, service_id, outcome, ts AS at, 1 AS n FROM tx JOIN tx_group g ON g.id = group_id \
             UNION ALL SELECT 6, service_id, outcome, ts, 1 FROM tx JOIN tx_group g ON g.id = group_id \
             WHERE parent_id IS NULL \
             UNION ALL SELECT 2, service_id, outcome, ts, 1 FROM span JOIN span_group g ON g.id = group_id \
             UNION ALL SELECT 3, service_id, 2, ts, 1 FROM error JOIN error_group g ON g.id = group_id \
             UNION ALL SELECT 4, service_id, 2, ts, 1 FROM metricset \
             UNION ALL SELECT 5, service_id, 2, ts, 1 FROM log",
        )
        .load(conn)?;
        for level in LEVELS {
            let mut expected = EventCounts::new();
            for row in &rows {
                let bucket = bucket(row.at, level);
                let key = (row.kind, row.service_id, row.outcome, bucket);
                *expected.entry(key).or_default() += 1;
            }
            let found: Vec<Row> = diesel::sql_query(
                "SELECT kind, service_id, outcome, bucket AS at, n FROM event_count WHERE level = ?",
            )
            .bind::<BigInt, _>(level)
            .load(conn)?;
            let found: EventCounts = found
                .into_iter()
                .map(|row| ((row.kind, row.service_id, row.outcome, row.at), row.n))
                .collect();
            assert_eq!(found, expected, "level {level}");
        }
        Ok(())
    };
    // Of one moment, for retention may go on.
    store
        .read::<_, StoreError>(|conn| conn.transaction(query))
        .expect("queries");
}
