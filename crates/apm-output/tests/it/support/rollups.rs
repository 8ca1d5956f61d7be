//! The rollups of a store, by names in place of ids.

use apm_store::{Store, StoreError};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};

/// Queries for rows of every kind of rollup, each as one text.
const TABLES: [&str; 18] = [
    "SELECT 'tx', r.level, s.name, s.environment, g.type, g.name, r.bucket, coalesce(x.value, ''), r.outcome, r.count, \
     r.n, r.sum, r.max FROM roll_tx r JOIN tx_group g ON g.id = r.group_id JOIN service s ON s.id = g.service_id \
     LEFT JOIN result x ON x.id = r.result_id",
    "SELECT 'tx_hist', r.level, s.name, g.name, r.bucket, r.outcome, r.bin, r.count FROM roll_tx_hist r \
     JOIN tx_group g ON g.id = r.group_id JOIN service s ON s.id = g.service_id",
    "SELECT 'statement', r.level, s.name, g.normalized, g.instance, g.subtype, g.verb, g.table_name, g.sample, \
     g.fingerprint, r.bucket, r.outcome, r.count, r.n, r.sum, r.max FROM roll_statement r \
     JOIN statement g ON g.id = r.statement_id JOIN service s ON s.id = g.service_id",
    "SELECT 'statement_hist', r.level, s.name, g.normalized, r.bucket, r.outcome, r.bin, r.count \
     FROM roll_statement_hist r JOIN statement g ON g.id = r.statement_id JOIN service s ON s.id = g.service_id",
    "SELECT 'cost', r.level, s.name, g.normalized, r.bucket, r.measured, r.steps, r.steps_max, r.scan_steps, r.sorts, \
     r.autoindex_steps, r.reprepares, r.rows_returned, r.changing, r.rows_changed, r.pages_read, r.pages_written \
     FROM roll_statement_cost r JOIN statement g ON g.id = r.statement_id JOIN service s ON s.id = g.service_id",
    "SELECT 'steps', r.level, s.name, g.normalized, r.bucket, r.bin, r.count FROM roll_statement_steps r \
     JOIN statement g ON g.id = r.statement_id JOIN service s ON s.id = g.service_id",
    "SELECT 'destination', r.level, s.name, g.resource, g.target_type, g.target_name, g.span_type, r.bucket, \
     r.outcome, r.count, r.n, r.sum, r.max FROM roll_destination r JOIN destination g ON g.id = r.destination_id \
     JOIN service s ON s.id = g.service_id",
    "SELECT 'destination_hist', r.level, s.name, g.resource, r.bucket, r.outcome, r.bin, r.count \
     FROM roll_destination_hist r JOIN destination g ON g.id = r.destination_id JOIN service s ON s.id = g.service_id",
    "SELECT 'call', r.level, s.name, g.resource, c.name, r.bucket, r.outcome, r.count, r.n, r.sum, r.max \
     FROM roll_call r JOIN destination g ON g.id = r.destination_id JOIN service s ON s.id = g.service_id \
     JOIN service c ON c.id = r.callee_id",
    "SELECT 'vital', r.level, s.name, g.name, r.bucket, r.vital, r.rating, r.bin, r.count FROM roll_vital r \
     JOIN tx_group g ON g.id = r.group_id JOIN service s ON s.id = g.service_id",
    "SELECT 'error', r.level, s.name, g.grouping_key, g.type, g.message, g.culprit, r.bucket, r.n FROM roll_error r \
     JOIN error_group g ON g.id = r.group_id JOIN service s ON s.id = g.service_id",
    "SELECT 'breakdown', r.level, s.name, g.name, r.bucket, r.span_type, r.subtype, r.count, r.sum \
     FROM roll_breakdown r JOIN tx_group g ON g.id = r.tx_group_id JOIN service s ON s.id = g.service_id",
    "SELECT 'caller', r.level, s.name, g.name, coalesce(q.normalized, ''), r.bucket, r.requests, r.calls, r.most, \
     r.sum, r.tx_sum, r.follows, r.looped, hex(r.trace_id) FROM roll_caller r JOIN tx_group g ON g.id = r.tx_group_id \
     JOIN service s ON s.id = g.service_id LEFT JOIN statement q ON q.id = r.statement_id",
    "SELECT 'metric', r.level, s.name, n.name, m.kind, m.unit, m.labels, r.bucket, r.n, r.count, r.sum, \
     coalesce(r.min, ''), coalesce(r.max, '') FROM roll_metric r JOIN metric_series m ON m.id = r.series_id \
     JOIN metric_name n ON n.id = m.name_id JOIN service s ON s.id = m.service_id",
    "SELECT 'metric_hist', r.level, s.name, n.name, m.labels, r.bucket, r.bin, r.count FROM roll_metric_hist r \
     JOIN metric_series m ON m.id = r.series_id JOIN metric_name n ON n.id = m.name_id \
     JOIN service s ON s.id = m.service_id",
    "SELECT 'instance', r.level, s.name, s.environment, i.node, i.version, i.host, i.pod, i.runtime, r.bucket, \
     r.count, r.failed, r.succeeded, r.sum, r.cpu_n, r.cpu_sum, r.machine_n, r.machine_sum, r.memory_n, \
     r.memory_sum, r.used_n, r.used_sum, coalesce(r.used_min, ''), coalesce(r.used_max, ''), \
     coalesce(r.longest, '') FROM roll_instance r \
     JOIN instance i ON i.id = r.instance_id JOIN service s ON s.id = i.service_id",
    "SELECT 'instance_hist', r.level, s.name, i.node, i.version, r.bucket, r.bin, r.count FROM roll_instance_hist r \
     JOIN instance i ON i.id = r.instance_id JOIN service s ON s.id = i.service_id",
    "SELECT 'error_version', s.name, g.grouping_key, v.version, v.first_ts, v.last_ts, v.occurrences \
     FROM error_version v JOIN error_group g ON g.id = v.group_id JOIN service s ON s.id = g.service_id",
];

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

/// All rows, sorted.
pub(crate) fn rollups(store: &Store) -> Vec<String> {
    let rows = store.read::<_, StoreError>(|conn| {
        let mut rows = Vec::new();
        for query in TABLES {
            // A row as one text: the columns of a table-valued SELECT are renamed by position.
            let columns = query.split(" FROM ").next().unwrap_or_default();
            let columns = columns.trim_start_matches("SELECT ");
            let joined = split(columns).join(" || '|' || ");
            let rest = &query[query.find(" FROM ").expect("a table")..];
            let found: Vec<Row> = sql_query(format!("SELECT {joined} AS row{rest}")).load(conn)?;
            rows.extend(found.into_iter().map(|row| row.row));
        }
        Ok(rows)
    });
    let mut rows = rows.expect("readable");
    rows.sort();
    rows
}

/// The columns of a list: commas within parentheses separate none.
fn split(columns: &str) -> Vec<String> {
    let (mut depth, mut out) = (0, vec![String::new()]);
    for c in columns.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                out.push(String::new());
                continue;
            }
            _ => {}
        }
        out.last_mut().expect("one").push(c);
    }
    out.into_iter()
        .map(|column| format!("({})", column.trim()))
        .collect()
}

/// Transactions by the rollups.
pub(crate) fn transactions(store: &Store) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let row = store.read::<Row, StoreError>(|conn| {
        let sum = "SELECT coalesce(sum(n), 0) AS n FROM roll_tx WHERE level = 60";
        Ok(sql_query(sum).get_result(conn)?)
    });
    row.expect("readable").n
}
