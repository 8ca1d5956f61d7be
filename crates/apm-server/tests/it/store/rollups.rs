//! A rollup equals what a recount of the raw rows gives, whatever was sent in whatever order.

mod cost;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use apm_store::event::{Batch, Composite, Event, Outcome};
use apm_store::rollup::{LEVELS, bin, bucket, weight};
use apm_store::schema::{
    error, roll_destination, roll_destination_hist, roll_error, roll_statement,
    roll_statement_hist, roll_tx, roll_tx_hist, span, tx,
};
use apm_store::{Store, StoreError};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::MigrationHarness;
use proptest::prelude::*;

use super::{number, open};
use crate::support::events::{NEW_YEAR, batch, error, pairs, span, transaction};

/// What is varied of an event.
#[derive(Clone, Debug)]
struct Sent {
    kind: u8,
    name: u8,
    /// Minutes before or after the new year: many are late.
    minute: i64,
    duration: i64,
    outcome: u8,
    /// 1 / 2^n, 0, or none.
    rate: Option<u8>,
    composite: Option<(i64, i64)>,
    /// Steps, of which the other counts are made.
    steps: Option<i64>,
    /// Whether a commit ends here.
    commit: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    (
        0..4u8,
        0..3u8,
        -1500..1500i64,
        prop_oneof![0..100i64, 1_000..2_000_000i64, Just(i64::MAX / 4)],
        0..3u8,
        prop::option::of(0..5u8),
        prop::option::weighted(0.2, (2..50i64, 0..1_000_000i64)),
        prop::option::of(prop_oneof![0..9i64, 10..5_000_000i64]),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(kind, name, minute, duration, outcome, rate, composite, steps, commit)| Sent {
                kind,
                name,
                minute,
                duration,
                outcome,
                rate,
                composite,
                steps,
                commit,
            },
        )
}

/// One of many that differ in kind, name and outcome, sent whole.
fn varied(number: u64, minute: i64, duration: i64) -> Sent {
    Sent {
        kind: (number % 4) as u8,
        name: (number % 3) as u8,
        minute,
        duration,
        outcome: (number % 3) as u8,
        rate: None,
        composite: None,
        steps: number.is_multiple_of(2).then_some(duration),
        commit: false,
    }
}

fn outcome(code: u8) -> Outcome {
    [Outcome::Failure, Outcome::Success, Outcome::Unknown][usize::from(code)]
}

fn add(batch: &mut Batch, number: u64, sent: &Sent) {
    let ts = NEW_YEAR + sent.minute * 60_000_000 + 59_999_999;
    let rate = sent.rate.map(|power| match power {
        4 => 0.0,
        power => 1.0 / f64::from(1 << power),
    });
    let event = match sent.kind {
        0 | 1 => {
            let mut event = transaction(batch, number, ["a", "b", "c"][usize::from(sent.name)]);
            event.timestamp = ts;
            event.duration = sent.duration;
            event.outcome = outcome(sent.outcome);
            event.sample_rate = rate;
            if sent.name == 2 {
                event.result = None;
            }
            Event::Transaction(event)
        }
        2 => {
            let sql = [
                "select 1",
                "select a from b where c = 5",
                "insert into b values (1)",
            ];
            let mut event = span(batch, number, sql[usize::from(sent.name)]);
            event.timestamp = ts;
            event.duration = sent.duration;
            event.outcome = outcome(sent.outcome);
            event.sample_rate = rate;
            event.composite = sent.composite.map(|(count, sum)| Composite { count, sum });
            event.cost = sent.steps.map(cost::of_steps);
            Event::Span(event)
        }
        _ => {
            let mut event = error(batch, number);
            event.timestamp = ts;
            event.grouping_key = u64::from(sent.name);
            Event::Error(event)
        }
    };
    batch.events.push(event);
}

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

fn check(store: &Store) {
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

/// How many events are stored is what the rows say, on every level, and nothing else.
pub(super) fn check_event_counts(store: &Store) {
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
             UNION ALL SELECT 6, service_id, outcome, ts, 1 FROM tx JOIN tx_group g ON g.id = group_id WHERE parent_id IS NULL \
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_rollup_equals_a_recount(events in prop::collection::vec(sent(), 1..250)) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open(dir.path());
        let mut pending = batch("shop");
        let mut tickets = Vec::new();
        for (number, sent) in (0..).zip(&events) {
            add(&mut pending, number, sent);
            if sent.commit {
                let full = std::mem::replace(&mut pending, batch("shop"));
                tickets.push(store.submit(full).expect("room"));
            }
        }
        tickets.push(store.submit(pending).expect("room"));
        for ticket in tickets {
            ticket.wait().expect("stored");
        }
        check(&store);
    }
}

#[test]
fn a_rollup_equals_a_recount_after_a_failed_commit() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    store
        .submit(pairs("shop", 0, 200))
        .expect("room")
        .wait()
        .expect("stored");
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON roll_tx_hist BEGIN SELECT RAISE(ABORT, 'refused'); END";
    let run = |sql: &'static str| {
        let write = move |conn: &mut SqliteConnection| diesel::sql_query(sql).execute(conn);
        store.write(write).expect("room").wait().expect(sql)
    };
    run(fails);
    let refused = store
        .submit(pairs("other", 1000, 300))
        .expect("room")
        .wait();
    assert!(matches!(refused, Err(StoreError::Query(_))), "{refused:?}");
    run("DROP TRIGGER fails");
    store
        .submit(pairs("other", 2000, 300))
        .expect("room")
        .wait()
        .expect("stored");
    check(&store);
}

#[test]
fn under_load_the_coarser_levels_follow_within_a_moment() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let behind = || number(&store, "SELECT count(*) AS n FROM roll_behind");
    let mut was_behind = false;
    for part in 0..12_u64 {
        let ticket = store.submit(pairs("shop", part * 1000, 500)).expect("room");
        ticket.wait().expect("stored");
        was_behind |= behind() > 0;
    }
    assert!(was_behind, "12 000 events at once are a load");
    let deadline = Instant::now() + Duration::from_secs(30);
    while behind() > 0 {
        assert!(Instant::now() < deadline, "still behind");
        std::thread::yield_now();
    }
    check(&store);
}

#[test]
fn what_a_crash_left_behind_is_made_again_from_the_minutes() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for number in 0..300_u64 {
        let sent = varied(number, number as i64 % 90 - 45, 100 * number as i64);
        add(&mut events, number, &sent);
    }
    store.submit(events).expect("room").wait().expect("stored");
    // As after a crash in which the coarser levels lacked some of what the minutes hold.
    for table in [
        "roll_tx",
        "roll_tx_hist",
        "roll_statement_hist",
        "roll_statement_cost",
        "roll_statement_steps",
        "roll_error",
    ] {
        let lose = format!("DELETE FROM {table} WHERE level > 60 AND bucket % 1200 = 0");
        let write = move |conn: &mut SqliteConnection| diesel::sql_query(lose).execute(conn);
        store.write(write).expect("room").wait().expect("written");
    }
    let note = "INSERT INTO roll_behind SELECT bucket FROM roll_received WHERE level = 60";
    let write = move |conn: &mut SqliteConnection| diesel::sql_query(note).execute(conn);
    store.write(write).expect("room").wait().expect("written");
    store.close();
    drop(store);
    let store = open(dir.path());
    assert_eq!(number(&store, "SELECT count(*) AS n FROM roll_behind"), 0);
    check(&store);
}

#[test]
fn events_that_an_older_version_stored_are_counted_when_it_is_opened() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for number in 0..200_u64 {
        // Some of it before 1970.
        let sent = varied(number, (number as i64 - 100) * 300_000, 5);
        add(&mut events, number, &sent);
    }
    store.submit(events).expect("room").wait().expect("stored");
    check_event_counts(&store);
    store.close();
    drop(store);
    let path = dir.path().join("apm.db");
    let mut conn = SqliteConnection::establish(path.to_str().expect("text")).expect("opens");
    // To the version before the counts, whatever migrations come after theirs.
    let counts = "SELECT 1 FROM event_count LIMIT 1";
    while diesel::sql_query(counts).execute(&mut conn).is_ok() {
        conn.revert_last_migration(apm_store::MIGRATIONS)
            .expect("the version before");
    }
    drop(conn);
    check_event_counts(&open(dir.path()));
}
