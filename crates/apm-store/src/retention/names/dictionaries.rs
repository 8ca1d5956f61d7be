//! The dictionaries: tables of names, what refers to their rows, and what goes with a row that is deleted.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text};

use super::super::super::apply::Memory;
use super::super::super::number::number;
use super::super::super::statement::Run as _;

/// A dictionary, and what refers to its rows.
pub(super) struct Dictionary {
    pub(super) table: &'static str,
    /// Fewer rows than these are not looked at.
    pub(super) few: i64,
    /// Whether an event (or a row of another dictionary) refers to row `n.id`, as far as an index tells.
    pub(super) used: &'static str,
    /// Whether a rollup does.
    pub(super) counted: &'static str,
    /// All that is in use, where that is asked at once.
    pub(super) all: Option<&'static str>,
    /// Rollups that go with the row: the tables and their columns.
    pub(super) rollups: &'static [(&'static str, &'static str)],
    /// Bytes of a row with its rollups, roughly.
    pub(super) weight: i64,
}

const NONE: Dictionary = Dictionary {
    table: "",
    few: 1000,
    used: "0",
    counted: "0",
    all: None,
    rollups: &[],
    weight: 256,
};

/// Those that others refer to come last.
pub(super) const DICTIONARIES: [Dictionary; 12] = [
    Dictionary {
        table: "stack",
        few: 64,
        ..NONE
    },
    Dictionary {
        table: "resource",
        few: 64,
        ..NONE
    },
    Dictionary {
        table: "span_group",
        ..NONE
    },
    Dictionary {
        table: "metric_series",
        few: 64,
        counted: "EXISTS (SELECT 1 FROM roll_metric r WHERE r.level IN (60, 600, 3600) AND r.series_id = n.id)",
        rollups: &[
            ("roll_metric", "series_id"),
            ("roll_metric_hist", "series_id"),
        ],
        ..NONE
    },
    Dictionary {
        table: "instance",
        few: 64,
        counted: "EXISTS (SELECT 1 FROM roll_instance r WHERE r.level IN (60, 600, 3600) AND r.instance_id = n.id)",
        rollups: &[
            ("roll_instance", "instance_id"),
            ("roll_instance_hist", "instance_id"),
        ],
        weight: 4096,
        ..NONE
    },
    Dictionary {
        table: "metric_name",
        // One probe per service and name.
        all: Some(
            "WITH RECURSIVE pair (service, name) AS ( \
                SELECT id, (SELECT min(name_id) FROM metric_sample WHERE service_id = service.id) FROM service \
                UNION ALL \
                SELECT service, (SELECT min(name_id) FROM metric_sample WHERE service_id = service AND name_id > name) \
                FROM pair WHERE name IS NOT NULL) \
             SELECT DISTINCT name AS id FROM pair WHERE name IS NOT NULL UNION SELECT name_id FROM metric_series",
        ),
        ..NONE
    },
    Dictionary {
        table: "statement",
        few: 1,
        used: "EXISTS (SELECT 1 FROM span e WHERE e.statement_id = n.id)",
        counted: "EXISTS (SELECT 1 FROM roll_statement r WHERE r.level IN (60, 600, 3600) AND r.statement_id = n.id)",
        rollups: &[
            ("roll_statement", "statement_id"),
            ("roll_statement_hist", "statement_id"),
            ("roll_statement_cost", "statement_id"),
            ("roll_statement_steps", "statement_id"),
            ("roll_caller", "statement_id"),
        ],
        weight: 4096,
        ..NONE
    },
    Dictionary {
        table: "tx_group",
        few: 1,
        used: "EXISTS (SELECT 1 FROM tx e WHERE e.group_id = n.id)",
        counted: "EXISTS (SELECT 1 FROM roll_tx r WHERE r.level IN (60, 600, 3600) AND r.group_id = n.id) \
            OR EXISTS (SELECT 1 FROM roll_breakdown r WHERE r.level IN (60, 600, 3600) AND r.tx_group_id = n.id) \
            OR EXISTS (SELECT 1 FROM roll_vital r WHERE r.level IN (60, 600, 3600) AND r.group_id = n.id)",
        rollups: &[
            ("roll_tx", "group_id"),
            ("roll_tx_hist", "group_id"),
            ("roll_breakdown", "tx_group_id"),
            ("roll_vital", "group_id"),
        ],
        ..NONE
    },
    Dictionary {
        table: "destination",
        few: 1,
        counted: "EXISTS (SELECT 1 FROM roll_destination r \
            WHERE r.level IN (60, 600, 3600) AND r.destination_id = n.id)",
        rollups: &[
            ("roll_destination", "destination_id"),
            ("roll_destination_hist", "destination_id"),
            ("roll_call", "destination_id"),
        ],
        ..NONE
    },
    Dictionary {
        table: "error_group",
        few: 1,
        used: "EXISTS (SELECT 1 FROM error e WHERE e.group_id = n.id)",
        counted: "EXISTS (SELECT 1 FROM roll_error r WHERE r.level IN (60, 600, 3600) AND r.group_id = n.id)",
        rollups: &[("roll_error", "group_id")],
        ..NONE
    },
    Dictionary {
        table: "result",
        all: Some("SELECT DISTINCT result_id AS id FROM roll_tx"),
        ..NONE
    },
    Dictionary {
        table: "service",
        few: 64,
        used: "EXISTS (SELECT 1 FROM resource e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM tx_group e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM span_group e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM destination e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM statement e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM error_group e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM metric_series e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM instance e WHERE e.service_id = n.id)",
        ..NONE
    },
];

/// New rows since the last round, in units of some 256 bytes: ids are given in order.
pub(super) const UNITS: &str = "SELECT 16 * (coalesce((SELECT max(id) FROM stack), 0) \
    + coalesce((SELECT max(id) FROM resource), 0) \
    + coalesce((SELECT max(id) FROM statement), 0)) + coalesce((SELECT max(id) FROM tx_group), 0) \
    + coalesce((SELECT max(id) FROM span_group), 0) + coalesce((SELECT max(id) FROM destination), 0) \
    + coalesce((SELECT max(id) FROM error_group), 0) + coalesce((SELECT max(id) FROM metric_name), 0) \
    + coalesce((SELECT max(id) FROM metric_series), 0) + coalesce((SELECT max(id) FROM instance), 0) \
    + coalesce((SELECT max(id) FROM result), 0) + coalesce((SELECT max(id) FROM service), 0) AS n";

#[derive(QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Bool)]
    pub(super) used: bool,
}

pub(super) fn has_few(conn: &mut SqliteConnection, dictionary: &Dictionary) -> QueryResult<bool> {
    let Dictionary { table, few, .. } = dictionary;
    let rows = format!("SELECT count(*) AS n FROM (SELECT 1 FROM {table} LIMIT {few})");
    Ok(number(conn, &rows)? < *few)
}

/// The next rows of a dictionary; `limit` -1: all of them.
pub(super) fn rows(
    conn: &mut SqliteConnection,
    dictionary: &Dictionary,
    used: &str,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<Row>> {
    let table = dictionary.table;
    sql_query(format!(
        "SELECT n.id, ({used}) AS used \
         FROM (SELECT id FROM {table} WHERE id > ? AND id < (SELECT max(id) FROM {table}) ORDER BY id LIMIT +?) n"
    ))
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)
}

/// Deletes rows of a dictionary and the rollups that go with them.
pub(super) fn delete(
    conn: &mut SqliteConnection,
    memory: &mut Memory,
    dictionary: &Dictionary,
    ids: &[i64],
) -> QueryResult<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    let list = super::super::delete::list(ids.iter().copied());
    for (table, column) in dictionary.rollups {
        sql_query(format!(
            "DELETE FROM {table} WHERE level IN (60, 600, 3600) AND {column} IN (SELECT value FROM json_each(?))"
        ))
        .bind::<Text, _>(&list)
        .run(conn)?;
    }
    memory.forget_names(dictionary.table, &ids.iter().copied().collect());
    sql_query(format!(
        "DELETE FROM {} WHERE id IN (SELECT value FROM json_each(?))",
        dictionary.table
    ))
    .bind::<Text, _>(&list)
    .run(conn)
}
