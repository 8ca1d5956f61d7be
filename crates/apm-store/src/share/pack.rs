//! Makes deltas of the journal: ids become places in lists of names.

mod behind;
mod counts;
mod metrics;
mod names;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary};

use super::delta::Delta;
use super::names::{Name, Table};
use crate::error::StoreError;
use crate::rollup::Rollup;

/// Rows of the journal that are read together.
const JOURNAL: i64 = 20_000;

/// Bytes of the journal that are read together.
const BYTES: i64 = 32 << 20;

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
    pub(super) error_versions: Taken,
}

/// Rows that deltas were made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    /// The number of the last one.
    pub(super) last: i64,
    pub(super) rows: i64,
    /// Whether there may be more.
    has_more: bool,
}

impl Taken {
    /// `last`: the number of the last of the `rows` that were read, of which there were `most` at most.
    fn of(rows: usize, last: Option<i64>, most: i64) -> Self {
        let rows = rows as i64;
        Self {
            last: last.unwrap_or_default(),
            rows,
            has_more: rows == most,
        }
    }
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
    let journal = Taken::of(rows.len(), rows.last().map(|row| row.id), JOURNAL);
    let (callers, taken_callers) = behind::callers(conn)?;
    let (error_versions, taken_versions) = behind::error_versions(conn)?;
    let taken = [journal, taken_callers, taken_versions];
    if taken.iter().all(|taken| taken.rows == 0) {
        return Ok(None);
    }
    // Counts of one minute and name from many commits become one row.
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
            journal,
            callers: taken_callers,
            error_versions: taken_versions,
            has_more: taken.iter().any(|taken| taken.has_more),
            ..Packed::default()
        },
    };
    packer.rollup(&rollup)?;
    for caller in &callers {
        packer.caller(caller)?;
    }
    for row in error_versions {
        packer.error_version(row)?;
    }
    packer.finish();
    Ok(Some(packer.packed))
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
    /// The place of the name of the next row, in a delta that has room for it.
    fn row(&mut self, table: Table, id: i64) -> QueryResult<Option<usize>> {
        // Places are those of one delta. A row must not refer to names of the one before.
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
        // Bytes bound a delta as well as rows do: statements may be long.
        let texts = [&name.a, &name.b, &name.c, &name.d, &name.e, &name.f];
        self.bytes += texts.map(String::len).iter().sum::<usize>() + 64;
        let place = names::push(&mut self.delta, table, service, name);
        self.places.insert((table, id), place);
        Ok(Some(place))
    }

    fn finish(&mut self) {
        let delta = std::mem::replace(&mut self.delta, Delta::new());
        self.packed.rows += self.rows;
        (self.rows, self.bytes) = (0, 0);
        // `texts` stays, so that names of the next delta are not read again.
        self.places.clear();
        if !delta.is_empty() {
            let json = serde_json::to_vec(&delta).expect("numbers and texts are JSON");
            self.packed.deltas.push(json);
        }
    }
}
