//! The traces that matching events belong to, whatever their kind.

use std::collections::HashMap;

use apm_store::StoreError;
use apm_store::event::Kind;
use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::blocks::runs;
use super::walk::{Search, bound};
use super::{Cursor, Request, columns};
use crate::analytics::sql::Sql;

/// The kinds of events that are parts of a trace.
const KINDS: [Kind; 3] = [Kind::Transaction, Kind::Span, Kind::Error];

/// Blocks whose rows are read before the clock is looked at.
const BLOCKS: usize = 64;

/// Traces that are told apart: bounds memory.
const MOST: usize = 100_000;

/// Traces, each with its newest matching event.
#[derive(Debug, Default)]
pub(crate) struct Traced {
    found: HashMap<StoredId, Cursor>,
    /// Whether these are all.
    pub(crate) complete: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// The traces of matching events, for as long as there is time: those of the newest blocks first.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub(crate) fn traced(conn: &mut SqliteConnection, request: &Request) -> Result<Traced, StoreError> {
    let search = Search::for_kinds(request, &KINDS);
    let deadline = request.limits.begin();
    let mut traced = Traced::default();
    if !search.is_exact() {
        let read = search.read_all(conn, 0, &deadline, &mut |(timestamp, seq), document| {
            let trace = document
                .pointer("/trace/id")
                .and_then(serde_json::Value::as_str);
            if let Some(trace) = trace {
                traced.add(StoredId::from(trace), Cursor { timestamp, seq });
            }
        })?;
        traced.complete = read.complete && traced.found.len() < MOST;
        return Ok(traced);
    }
    let mut left = search.blocks(conn, request.range)?;
    let mut looked_at = 0;
    loop {
        let blocks = left.next(conn, BLOCKS)?;
        if blocks.is_empty() {
            traced.complete = true;
            return Ok(traced);
        }
        let is_full = traced.found.len() >= MOST;
        if is_full || !deadline.allows_more(looked_at, 1) {
            return Ok(traced);
        }
        looked_at += blocks.len();
        let runs = runs(&blocks);
        for (kind, condition) in &search.parts {
            let text = format!(
                "SELECT r.trace_id, r.ts, r.seq\n\
                 FROM json_each(:runs) run\n\
                 CROSS JOIN {} r NOT INDEXED ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
                 WHERE r.ts >= :from AND r.ts < :to{}\n  AND {}",
                columns::table(*kind),
                // Only errors may have no trace, and to ask costs a look-up for each span.
                if *kind == Kind::Error {
                    " AND r.trace_id IS NOT NULL"
                } else {
                    ""
                },
                condition.sql(),
            );
            let sql = Sql::new(text).bind("runs", runs.as_str());
            bound(sql, request.range, condition).each(conn, |row: Row| {
                let place = Cursor {
                    timestamp: row.ts,
                    seq: row.seq,
                };
                traced.add(row.trace_id, place);
            })?;
        }
    }
}

impl Traced {
    fn add(&mut self, trace: StoredId, place: Cursor) {
        if let Some(known) = self.found.get_mut(&trace) {
            *known = place.max(*known);
        } else if self.found.len() < MOST {
            self.found.insert(trace, place);
        }
    }

    /// Number of traces.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// The traces, each with its newest matching event.
    pub(crate) fn found(self) -> HashMap<StoredId, Cursor> {
        self.found
    }
}
