//! Tests of what the writer asks of the dictionaries: by which index, and that the cost of a new name does not grow
//! with those there are.

mod events;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use tempfile::TempDir;

use super::apply::Memory;
use super::error::StoreError;
use super::limits::NameLimits;
use super::open;
use super::options::StoreOptions;
use crate::event::Batch;
use events::{NEW_YEAR, named};

/// The look-up of each dictionary, as `EXPLAIN QUERY PLAN` tells it.
const PLANS: [(&str, &str); 12] = [
    (
        "service",
        "INDEX sqlite_autoindex_service_1 (name=? AND environment=?)",
    ),
    (
        "resource",
        "INDEX resource_identity (service_id=? AND hash=?)",
    ),
    (
        "tx_group",
        "INDEX sqlite_autoindex_tx_group_1 (service_id=? AND type=? AND name=?)",
    ),
    (
        "span_group",
        "INDEX sqlite_autoindex_span_group_1 (service_id=? AND name=? AND type=? AND subtype=? AND action=?)",
    ),
    (
        "destination",
        "INDEX sqlite_autoindex_destination_1 (service_id=? AND resource=? AND target_type=? AND target_name=?)",
    ),
    (
        "statement",
        "INDEX statement_identity (service_id=? AND fingerprint=? AND instance=? AND subtype=?)",
    ),
    (
        "error_group",
        "INDEX sqlite_autoindex_error_group_1 (service_id=? AND grouping_key=?)",
    ),
    (
        "result",
        "INDEX sqlite_autoindex_result_1 (service_id=? AND value=?)",
    ),
    (
        "metric_name",
        "INDEX sqlite_autoindex_metric_name_1 (service_id=? AND name=?)",
    ),
    (
        "metric_series",
        "INDEX sqlite_autoindex_metric_series_1 (service_id=? AND name_id=? AND kind=? AND unit=? AND labels=?)",
    ),
    (
        "instance",
        "INDEX sqlite_autoindex_instance_1 (service_id=? AND node=? AND version=? AND host=? AND pod=? AND runtime=?)",
    ),
    ("stack", "INDEX stack_hash (hash=?)"),
];

struct Writer {
    conn: SqliteConnection,
    memory: Memory,
    _dir: TempDir,
}

impl Writer {
    fn new(names: NameLimits) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let options = StoreOptions {
            names,
            ..StoreOptions::new(dir.path().join("apm.db"))
        };
        let opened = open::open(&options).expect("opens");
        let memory = Memory::new(opened.next, names).expect("zstd").sharing(true);
        Self {
            conn: opened.conn,
            memory,
            _dir: dir,
        }
    }

    fn store(&mut self, batches: &[Batch]) {
        let Self { conn, memory, .. } = self;
        conn.immediate_transaction(|conn| {
            memory.apply(conn, batches.iter())?;
            Ok::<_, StoreError>(())
        })
        .expect("stored");
        memory.commit();
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Every statement that reads or changes rows while batches are stored, and how SQLite runs it.
fn plans(writer: &mut Writer, batches: &[Batch]) -> Vec<(String, String)> {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let record = Arc::clone(&seen);
    writer
        .conn
        .set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                record.lock().expect("sound").push(query.to_string());
            }
        });
    writer.store(batches);
    writer
        .conn
        .set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let mut statements: Vec<String> = seen
        .lock()
        .expect("sound")
        .iter()
        .map(|query| query.split(" -- binds").next().unwrap_or(query).to_owned())
        .filter(|query| query.starts_with("SELECT") || query.starts_with("UPDATE"))
        .collect();
    statements.sort_unstable();
    statements.dedup();
    statements
        .into_iter()
        .map(|statement| {
            let explain = format!("EXPLAIN QUERY PLAN {statement}");
            let steps: Vec<Step> = sql_query(explain).load(&mut writer.conn).expect("a plan");
            let steps: Vec<String> = steps.into_iter().map(|step| step.detail).collect();
            (statement, steps.join("; "))
        })
        .collect()
}

#[test]
fn every_look_up_of_the_writer_uses_the_whole_key_whatever_sqlite_knows_of_the_tables() {
    let everything = |first: u64, received: i64| {
        PLANS.iter().flat_map(move |(table, _)| {
            named(table, first..first + 3)
                .into_iter()
                .map(move |mut batch| {
                    batch.received = received * 1_000_000;
                    batch
                })
        })
    };
    let mut writer = Writer::new(NameLimits::default());
    let many: Vec<Batch> = everything(0, NEW_YEAR).collect();
    // Each state of SQLite's knowledge: none, empty tables, small ones, one service with many rows.
    for round in 0..4_u64 {
        match round {
            0 => {}
            1 | 2 => writer.conn.batch_execute("ANALYZE").expect("analysed"),
            _ => {
                for (table, _) in PLANS {
                    writer.store(&named(table, 10_000..10_400));
                }
                writer.conn.batch_execute("ANALYZE").expect("analysed");
            }
        }
        let mut found = Vec::new();
        // New names; then the same ones two hours later, read again and brought up to date.
        writer.memory.rollback();
        let new: Vec<Batch> = everything(100 * (round + 1), NEW_YEAR).collect();
        found.extend(plans(&mut writer, &new));
        let hours = i64::try_from(round + 1).expect("few") * 7_200;
        let old: Vec<Batch> = everything(0, NEW_YEAR + hours).collect();
        if round > 0 {
            found.extend(plans(&mut writer, &old));
        } else {
            writer.store(&many);
        }
        for (table, index) in PLANS {
            let from = format!("FROM `{table}`");
            let select = found
                .iter()
                .find(|(statement, _)| statement.contains(&from));
            let (_, plan) = select.unwrap_or_else(|| panic!("{table} is looked up: {found:?}"));
            assert!(plan.ends_with(index), "{table}, {round}: {plan}");
        }
        for (statement, plan) in &found {
            // The counts for the limits: once, and again after deletions.
            let is_count = ["GROUP BY service_id", "GROUP BY name_id", "FROM service"]
                .iter()
                .any(|end| statement.ends_with(end));
            assert!(is_count || !plan.contains("SCAN"), "{statement}: {plan}");
        }
        let touched = found
            .iter()
            .filter(|(statement, _)| statement.starts_with("UPDATE"));
        let by_id = touched.filter(|(_, plan)| plan.contains("INTEGER PRIMARY KEY (rowid=?)"));
        assert!(round == 0 || by_id.count() >= PLANS.len(), "{found:?}");
    }
}

/// Time that this thread ran: on a busy machine a clock would measure the others.
fn ran() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = schedstat
        .split(' ')
        .next()
        .and_then(|word| word.parse().ok());
    nanos.map_or_else(since_start, Duration::from_nanos)
}

fn since_start() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[test]
fn a_new_name_costs_the_same_however_many_there_are() {
    const BATCHES: u64 = 15;
    const NAMES: u64 = 400;
    for (table, _) in PLANS {
        let mut ratio = f64::INFINITY;
        // A page that has to be fetched, or another process, makes one of them slow: the best of three tells.
        for _ in 0..3 {
            let mut writer = Writer::new(NameLimits::new(0));
            let mut times = Vec::new();
            for number in 0..BATCHES {
                let batches = named(table, number * NAMES..(number + 1) * NAMES);
                let start = ran();
                writer.store(&batches);
                times.push(ran() - start);
            }
            let last = times[times.len() - 1].as_secs_f64();
            ratio = ratio.min(last / times[1].as_secs_f64());
            if ratio <= 2.0 {
                break;
            }
        }
        assert!(
            ratio <= 2.0,
            "{table}: the last batch took {ratio:.1} times the second"
        );
    }
}
