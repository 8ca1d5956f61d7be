//! Makes deltas of the journal: ids become places in lists of names.

mod metrics;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Double};

use super::delta::{self, Delta};
use super::names::{Name, Table};
use crate::error::StoreError;
use crate::id::{Identifier, StoredId};
use crate::rollup::{BinKey, Cell, CellKey, LEVELS, Rollup, Series};

/// Rows of the journal that are read together.
const JOURNAL: i64 = 20_000;

/// Bytes of the journal that are read together.
const BYTES: i64 = 32 << 20;

/// Rows of callers that are read together.
const CALLERS: i64 = 20_000;

/// Rows of a delta, at most.
const ROWS: usize = 4_000;

/// Bytes of the names of a delta after which another one begins.
const NAMES: usize = 256 << 10;

/// Deltas that were made, and what they were made of.
#[derive(Debug, Default)]
pub struct Packed {
    /// As JSON.
    pub deltas: Vec<Vec<u8>>,
    /// Rows whose names are gone.
    pub lost: u64,
    /// Rows in them.
    pub rows: usize,
    /// Whether there may be more.
    pub has_more: bool,
    pub(super) journal: Taken,
    pub(super) callers: Taken,
}

/// Rows that deltas were made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    /// The number of the last one.
    pub(super) last: i64,
    pub(super) rows: i64,
}

/// Makes deltas of what was noted; none where nothing was. [`super::put`] is to follow.
///
/// # Errors
/// If the store cannot be read.
pub fn pack(conn: &mut SqliteConnection) -> Result<Option<Packed>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Binary)]
        counts: Vec<u8>,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT id, counts FROM (SELECT id, counts, sum(length(counts)) OVER (ORDER BY id) AS bytes \
         FROM (SELECT id, counts FROM share_journal ORDER BY id LIMIT +?)) WHERE bytes - length(counts) < ?",
    )
    .bind::<BigInt, _>(JOURNAL)
    .bind::<BigInt, _>(BYTES)
    .load(conn)?;
    let callers: Vec<CallerRow> = sql_query("SELECT * FROM share_caller ORDER BY id LIMIT +?")
        .bind::<BigInt, _>(CALLERS)
        .load(conn)?;
    let (journal, last_caller) = (
        rows.last().map(|row| row.id),
        callers.last().map(|row| row.id),
    );
    if journal.is_none() && last_caller.is_none() {
        return Ok(None);
    }
    let mut rollup = Rollup::default();
    for row in &rows {
        rollup
            .read(&row.counts)
            .ok_or_else(|| StoreError::BadBlock(format!("row {} of the journal", row.id)))?;
    }
    let mut packer = Packer {
        conn,
        delta: Delta::new(),
        rows: 0,
        bytes: 0,
        places: HashMap::new(),
        texts: HashMap::new(),
        packed: Packed {
            journal: Taken {
                last: journal.unwrap_or_default(),
                rows: rows.len() as i64,
            },
            callers: Taken {
                last: last_caller.unwrap_or_default(),
                rows: callers.len() as i64,
            },
            has_more: rows.len() as i64 == JOURNAL || callers.len() as i64 == CALLERS,
            ..Packed::default()
        },
    };
    packer.rollup(&rollup)?;
    for caller in &callers {
        packer.caller(caller)?;
    }
    packer.finish();
    Ok(Some(packer.packed))
}

#[derive(QueryableByName)]
struct CallerRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    tx_group_id: i64,
    #[diesel(sql_type = BigInt)]
    statement_id: i64,
    #[diesel(sql_type = BigInt)]
    requests: i64,
    #[diesel(sql_type = Double)]
    calls: f64,
    #[diesel(sql_type = Double)]
    most: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = Double)]
    tx_sum: f64,
    #[diesel(sql_type = BigInt)]
    follows: i64,
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
    #[diesel(sql_type = Double)]
    looped: f64,
}

struct Packer<'c> {
    conn: &'c mut SqliteConnection,
    delta: Delta,
    rows: usize,
    bytes: usize,
    /// Places in the lists of the delta at hand.
    places: HashMap<(Table, i64), usize>,
    /// Rows of names that were read: the service, then the texts and numbers.
    texts: HashMap<(Table, i64), Option<Name>>,
    packed: Packed,
}

impl Packer<'_> {
    fn rollup(&mut self, rollup: &Rollup) -> QueryResult<()> {
        let level = LEVELS[0];
        self.series(Table::Transaction, &rollup.tx, |delta| {
            (&mut delta.tx, &mut delta.tx_bins)
        })?;
        self.series(Table::Statement, &rollup.statement, |delta| {
            (&mut delta.statement, &mut delta.statement_bins)
        })?;
        self.series(Table::Destination, &rollup.destination, |delta| {
            (&mut delta.destination, &mut delta.destination_bins)
        })?;
        for (key, cell) in rollup.cost.cells(level) {
            if let Some(at) = self.row(Table::Statement, key.statement)? {
                let row = (at, key.bucket, cell.steps_max, cell.sums().to_vec());
                self.delta.cost.push(row);
            }
        }
        for (key, count) in rollup.cost.bins(level) {
            if let Some(at) = self.row(Table::Statement, key.statement)? {
                let row = (at, key.bucket, key.bin, count);
                self.delta.cost_bins.push(row);
            }
        }
        for (key, cell) in rollup.calls.cells(level) {
            let Some(at) = self.row(Table::Destination, key.destination)? else {
                continue;
            };
            if let Some(callee) = self.place(Table::Service, key.callee)? {
                let Cell { count, n, sum, max } = cell;
                let row = (at, callee, key.bucket, key.outcome, count, n, sum, max);
                self.delta.calls.push(row);
            }
        }
        for (key, count) in rollup.vitals.bins(level) {
            if let Some(at) = self.row(Table::Transaction, key.group)? {
                let row = (at, key.bucket, key.vital, key.rating, key.bin, count);
                self.delta.vitals.push(row);
            }
        }
        for ((group, bucket), n) in rollup.errors(level) {
            if let Some(at) = self.row(Table::Error, group)? {
                self.delta.error.push((at, bucket, n));
            }
        }
        for (key, (count, sum)) in rollup.breakdown(level) {
            if let Some(at) = self.row(Table::Transaction, key.tx_group)? {
                let row = (at, key.bucket, key.span_type, key.subtype, count, sum);
                self.delta.breakdown.push(row);
            }
        }
        self.metrics(rollup)
    }

    fn series(
        &mut self,
        table: Table,
        series: &Series,
        rows: impl Fn(&mut Delta) -> (&mut Vec<delta::Cell>, &mut Vec<delta::Bin>),
    ) -> QueryResult<()> {
        for (key, cell) in series.cells(LEVELS[0]) {
            let CellKey {
                id,
                bucket,
                result,
                outcome,
            } = key;
            let Some(at) = self.row(table, id)? else {
                continue;
            };
            let result = match result {
                0 => 0,
                result => self
                    .place(Table::Result, result)?
                    .map_or(0, |place| place + 1),
            };
            let Cell { count, n, sum, max } = cell;
            rows(&mut self.delta)
                .0
                .push((at, bucket, result, outcome, count, n, sum, max));
        }
        for (key, count) in series.bins(LEVELS[0]) {
            let BinKey {
                id,
                bucket,
                outcome,
                bin,
            } = key;
            if let Some(at) = self.row(table, id)? {
                rows(&mut self.delta)
                    .1
                    .push((at, bucket, outcome, bin, count));
            }
        }
        Ok(())
    }

    fn caller(&mut self, caller: &CallerRow) -> QueryResult<()> {
        let Some(transaction) = self.row(Table::Transaction, caller.tx_group_id)? else {
            return Ok(());
        };
        let statement = match caller.statement_id {
            0 => 0,
            id => match self.place(Table::Statement, id)? {
                Some(place) => place + 1,
                None => return Ok(()),
            },
        };
        self.delta.callers.push(delta::Caller {
            transaction,
            statement,
            minute: caller.bucket,
            requests: caller.requests,
            follows: caller.follows,
            sums: [
                caller.calls,
                caller.most,
                caller.sum,
                caller.tx_sum,
                caller.looped,
            ],
            trace: caller.trace_id.to_string(),
        });
        Ok(())
    }

    /// The place of the name of the next row, in a delta that has room for it.
    fn row(&mut self, table: Table, id: i64) -> QueryResult<Option<usize>> {
        if self.rows >= ROWS || self.bytes >= NAMES {
            self.finish();
        }
        let place = self.place(table, id)?;
        match place {
            Some(_) => self.rows += 1,
            None => self.packed.lost += 1,
        }
        Ok(place)
    }

    /// The place of a name, which is added to its list; none where it is gone.
    fn place(&mut self, table: Table, id: i64) -> QueryResult<Option<usize>> {
        if let Some(place) = self.places.get(&(table, id)) {
            return Ok(Some(*place));
        }
        let name = match self.texts.get(&(table, id)) {
            Some(name) => name.clone(),
            None => {
                let name: Option<Name> = sql_query(table.query())
                    .bind::<BigInt, _>(id)
                    .get_result(self.conn)
                    .optional()?;
                self.texts.insert((table, id), name.clone());
                name
            }
        };
        let Some(name) = name else {
            return Ok(None);
        };
        let service = match table {
            Table::Service => 0,
            _ => match self.place(Table::Service, name.service)? {
                Some(service) => service,
                None => return Ok(None),
            },
        };
        let texts = [&name.a, &name.b, &name.c, &name.d, &name.e, &name.f];
        self.bytes += texts.map(String::len).iter().sum::<usize>() + 64;
        let place = self.push(table, service, name);
        self.places.insert((table, id), place);
        Ok(Some(place))
    }

    fn push(&mut self, table: Table, service: usize, name: Name) -> usize {
        let Name {
            a,
            b,
            c,
            d,
            e,
            f,
            number,
            seen,
            flag,
            ..
        } = name;
        let delta = &mut self.delta;
        match table {
            Table::Service => add(
                &mut delta.services,
                delta::Service {
                    name: a,
                    environment: b,
                    agent: c,
                    agent_version: d,
                    language: e,
                    version: f,
                },
            ),
            Table::Transaction => add(&mut delta.transactions, (service, a, b)),
            Table::Result => add(&mut delta.results, (service, a)),
            Table::Destination => add(
                &mut delta.destinations,
                delta::Destination {
                    service,
                    resource: a,
                    target_type: b,
                    target_name: c,
                    span_type: d,
                    span_subtype: e,
                },
            ),
            Table::Statement => add(
                &mut delta.statements,
                delta::Statement {
                    service,
                    instance: a,
                    subtype: b,
                    normalized: c,
                    sample: d,
                    verb: e,
                    table: f,
                    seen,
                },
            ),
            Table::Error => add(
                &mut delta.errors,
                delta::ErrorGroup {
                    service,
                    key: number,
                    kind: a,
                    message: b,
                    culprit: c,
                    handled: flag,
                    seen,
                },
            ),
            Table::Series => add(
                &mut delta.series,
                delta::Series {
                    service,
                    name: a,
                    kind: i32::try_from(number).unwrap_or(-1),
                    unit: b,
                    labels: c,
                },
            ),
        }
    }

    fn finish(&mut self) {
        let delta = std::mem::replace(&mut self.delta, Delta::new());
        self.packed.rows += self.rows;
        (self.rows, self.bytes) = (0, 0);
        self.places.clear();
        if !delta.is_empty() {
            let json = serde_json::to_vec(&delta).expect("numbers and texts are JSON");
            self.packed.deltas.push(json);
        }
    }
}

fn add<T>(list: &mut Vec<T>, item: T) -> usize {
    list.push(item);
    list.len() - 1
}
