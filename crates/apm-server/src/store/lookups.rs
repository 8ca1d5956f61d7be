//! Tests of what the writer asks of the dictionaries: by which index, and that the cost of a new name does not grow with those there are.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use tempfile::TempDir;

use super::apply::Memory;
use super::limits::NameLimits;
use super::{StoreError, StoreOptions, open};
use crate::event::Batch;
use crate::intake::Stream;

/// The look-up of each dictionary, as `EXPLAIN QUERY PLAN` tells it.
const PLANS: [(&str, &str); 10] = [
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
        "INDEX statement_identity (service_id=? AND fingerprint=?)",
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
    ("stack", "INDEX stack_hash (hash=?)"),
];

/// Seconds since the epoch.
const NEW_YEAR: i64 = 1_767_225_600;

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
        let memory = Memory::new(opened.next, names).expect("zstd");
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

/// A batch of one sender. `received`: seconds since the epoch.
fn batch(metadata: &str, lines: &str, received: i64) -> Batch {
    let text = format!("{{\"metadata\":{{{metadata}}}}}\n{lines}\n");
    let mut stream = Stream::new(None, 1 << 20, None, Arc::default());
    let mut chunk = text.as_bytes();
    assert!(stream.advance(&mut chunk).is_none(), "one batch");
    stream.finish();
    let mut batch = stream.take().unwrap_or_else(|| panic!("events: {lines}"));
    batch.received = received * 1_000_000;
    batch
}

fn metadata(service: &str, pid: u64) -> String {
    format!(
        r#""process":{{"pid":{pid}}},"service":{{"name":"{service}","agent":{{"name":"a","version":"1"}}}}"#
    )
}

fn transaction(number: u64, name: &str, result: &str) -> String {
    format!(
        r#"{{"transaction":{{"id":"{number:016x}","trace_id":"{number:032x}","type":"request","name":"{name}","result":"{result}","duration":1,"timestamp":{NEW_YEAR}000000,"span_count":{{"started":0}}}}}}"#
    )
}

fn span(number: u64, name: &str, host: &str, statement: &str, line: u64) -> String {
    format!(
        r#"{{"span":{{"id":"{number:016x}","trace_id":"{number:032x}","parent_id":"{number:016x}","name":"{name}","type":"db.sqlite","duration":1,"timestamp":{NEW_YEAR}000000,"stacktrace":[{{"filename":"f","lineno":{line}}}],"context":{{"db":{{"statement":"{statement}"}},"destination":{{"service":{{"resource":"{host}"}}}}}}}}}}"#
    )
}

fn error(number: u64, kind: &str) -> String {
    format!(
        r#"{{"error":{{"id":"{number:016x}","timestamp":{NEW_YEAR}000000,"exception":{{"type":"{kind}"}}}}}}"#
    )
}

fn metric(name: &str) -> String {
    format!(
        r#"{{"metricset":{{"timestamp":{NEW_YEAR}000000,"samples":{{"{name}":{{"value":1}}}}}}}}"#
    )
}

/// Names of a table that are made of numbers; everything else is the same each time.
fn named(table: &str, numbers: std::ops::Range<u64>) -> Vec<Batch> {
    let line = |number: u64| match table {
        "tx_group" => transaction(number, &format!("GET /{number}"), "ok"),
        "result" => transaction(number, "GET /", &format!("code {number}")),
        "span_group" => span(number, &format!("call {number}"), "db", "SELECT 1", 1),
        "destination" => span(number, "call", &format!("host-{number}"), "SELECT 1", 1),
        "statement" => {
            let statement = format!("SELECT c{number} FROM t");
            span(number, "call", "db", &statement, 1)
        }
        "stack" => span(number, "call", "db", "SELECT 1", number),
        "error_group" => error(number, &format!("Fault{number}")),
        "metric_name" => metric(&format!("metric.{number}")),
        _ => transaction(number, "GET /", "ok"),
    };
    match table {
        "service" | "resource" => numbers
            .map(|number| {
                let metadata = match table {
                    "service" => metadata(&format!("shop {number}"), 1),
                    _ => metadata("shop", number),
                };
                batch(&metadata, &line(number), NEW_YEAR)
            })
            .collect(),
        _ => {
            let lines: Vec<String> = numbers.map(line).collect();
            vec![batch(&metadata("shop", 1), &lines.join("\n"), NEW_YEAR)]
        }
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
    // What SQLite knows: nothing, empty tables, small ones, one service with many rows.
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
            let is_count =
                statement.ends_with("GROUP BY service_id") || statement.ends_with("FROM service");
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
