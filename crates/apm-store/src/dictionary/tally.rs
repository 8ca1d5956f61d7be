//! The number of rows that each service has in a dictionary, for the limit.
//!
//! The numbers are read once and counted from there. When rows are deleted elsewhere they are stale, which is harmless
//! as long as there is room: they are read again only when they say that there is none.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use crate::limits::NameLimit;

/// Rows for `_other` beside the limit: one for each of so many types of transactions, and the like.
const OTHERS: usize = 20;

/// The share of its limit that a service may use even when all services together are at theirs: nobody is left without
/// names because of what others send.
const RESERVE: usize = 40;

/// Whether there is room for one more row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// For any row.
    Yes,
    /// For an `_other`.
    Other,
    /// For none but the last `_other`.
    No,
}

#[derive(Debug)]
pub(super) struct Tally {
    limit: NameLimit,
    /// The query that counts the rows by service.
    count: &'static str,
    of_service: HashMap<i64, usize>,
    all: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not read yet.
    Unknown,
    /// Exact.
    Exact,
    /// Rows were deleted since.
    Stale,
}

#[derive(QueryableByName)]
struct Rows {
    #[diesel(sql_type = BigInt)]
    service: i64,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

impl Tally {
    pub(super) fn new(limit: NameLimit, count: &'static str) -> Self {
        Self {
            limit,
            count,
            of_service: HashMap::new(),
            all: 0,
            state: State::Unknown,
        }
    }

    /// Whether there is room for one more row of a service.
    pub(super) fn room(&mut self, conn: &mut SqliteConnection, service: i64) -> QueryResult<Room> {
        // Stale numbers are too high: room that they leave is there, and otherwise they are read again.
        let room = match self.state {
            State::Unknown => Room::No,
            _ => self.known(service),
        };
        if room == Room::Yes || self.state == State::Exact {
            return Ok(room);
        }
        let rows: Vec<Rows> = sql_query(self.count).load(conn)?;
        let number = |n: i64| usize::try_from(n).unwrap_or_default();
        self.of_service = rows
            .iter()
            .map(|row| (row.service, number(row.n)))
            .collect();
        self.all = self.of_service.values().sum();
        self.state = State::Exact;
        Ok(self.known(service))
    }

    fn known(&self, service: i64) -> Room {
        let own = self.of_service.get(&service).copied().unwrap_or_default();
        // A service gets the rows of its reserve, even when all services together have no room.
        let is_few = own < self.limit.of_service.div_ceil(RESERVE);
        if own < self.limit.of_service && (is_few || self.all < self.limit.in_all) {
            Room::Yes
        } else if own < self.limit.of_service + OTHERS {
            Room::Other
        } else {
            Room::No
        }
    }

    /// A row was made.
    pub(super) fn add(&mut self, service: i64) {
        *self.of_service.entry(service).or_default() += 1;
        self.all += 1;
    }

    /// Rows were deleted.
    pub(super) fn deleted(&mut self) {
        if self.state == State::Exact {
            self.state = State::Stale;
        }
    }
}
