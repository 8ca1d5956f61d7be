//! Spans that do not name their transaction.
//!
//! Those of OpenTelemetry name their parent alone. The intake follows parents within a body; what is above a span may
//! come in a later one. So such spans wait here, by their parent, until a transaction takes what lies below it.

use std::collections::HashMap;

use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};

use super::{SpanRow, WAITING};
use crate::analytics::sql::Sql;

/// The spans that wait.
#[derive(Debug, Default)]
pub(super) struct Loose {
    /// By their parent.
    below: HashMap<StoredId, Waiting>,
    /// Spans above some of them that do name their transaction, by that.
    owned: HashMap<StoredId, Vec<StoredId>>,
    /// The number of spans in both.
    count: usize,
}

#[derive(Debug)]
struct Waiting {
    spans: Vec<Row>,
    since: u32,
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Identifier)]
    id: StoredId,
    #[diesel(sql_type = Identifier)]
    parent_id: StoredId,
    #[diesel(sql_type = Nullable<BigInt>)]
    statement_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = Bool)]
    failed: bool,
    #[diesel(sql_type = Bool)]
    of_one_kind: bool,
}

#[derive(QueryableByName)]
struct Owned {
    #[diesel(sql_type = Identifier)]
    id: StoredId,
    #[diesel(sql_type = Identifier)]
    transaction_id: StoredId,
}

impl Loose {
    /// Reads those that came in a range of arrivals. `look`: the number of this reading.
    pub(super) fn read(
        &mut self,
        conn: &mut SqliteConnection,
        from: i64,
        to: i64,
        look: u32,
    ) -> QueryResult<()> {
        let range = |text: &'static str| Sql::new(text).bind("from", from).bind("to", to);
        for row in range(include_str!("loose.sql")).load::<Row>(conn)? {
            if self.count >= WAITING {
                break;
            }
            self.count += 1;
            let waiting = self.below.entry(row.parent_id.clone());
            let waiting = waiting.or_insert(Waiting {
                spans: Vec::new(),
                since: look,
            });
            waiting.spans.push(row);
        }
        // Without such spans, as with Elastic's agents, there is no more to be read.
        if self.below.is_empty() {
            return Ok(());
        }
        for row in range(include_str!("owned.sql")).load::<Owned>(conn)? {
            if self.count < WAITING && self.below.contains_key(&row.id) {
                self.count += 1;
                self.owned
                    .entry(row.transaction_id)
                    .or_default()
                    .push(row.id);
            }
        }
        Ok(())
    }

    /// Takes the statements that were run below a transaction.
    pub(super) fn take(&mut self, transaction: &StoredId) -> Vec<SpanRow> {
        if self.below.is_empty() {
            return Vec::new();
        }
        let mut above = self.owned.remove(transaction).unwrap_or_default();
        self.count -= above.len();
        above.push(transaction.clone());
        let mut taken = Vec::new();
        // Each step removes what it goes on from, so a circle of parents ends, too.
        while let Some(id) = above.pop() {
            let Some(waiting) = self.below.remove(&id) else {
                continue;
            };
            self.count -= waiting.spans.len();
            for row in waiting.spans {
                above.push(row.id);
                if let Some(statement_id) = row.statement_id {
                    taken.push(SpanRow {
                        transaction_id: transaction.clone(),
                        statement_id,
                        ts: row.ts,
                        calls: row.calls,
                        total: row.total,
                        failed: row.failed,
                        of_one_kind: row.of_one_kind,
                    });
                }
            }
        }
        taken
    }

    /// Drops those that have waited since a look, or for longer.
    pub(super) fn forget(&mut self, oldest: u32) {
        if oldest == 0 {
            return;
        }
        self.below.retain(|_, waiting| waiting.since > oldest);
        let below = &self.below;
        self.owned.retain(|_, ids| {
            ids.retain(|id| below.contains_key(id));
            !ids.is_empty()
        });
        let spans: usize = below.values().map(|waiting| waiting.spans.len()).sum();
        let owned: usize = self.owned.values().map(Vec::len).sum();
        self.count = spans + owned;
    }
}
