//! Spans that do not name their transaction.
//!
//! Those of OpenTelemetry name their parent alone. The intake follows parents within a body; what is above a span may
//! come in a later one. So such spans wait here, by their parent, until a transaction takes what lies below it. Or the
//! parent never comes: then the transaction takes them in which they began, if no other comes into question.

use std::collections::{HashMap, HashSet};

use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};

use super::{SpanRow, TxRow, WAITING};
use crate::analytics::sql::Sql;
use crate::analytics::trace::within::{Stretch, Within};

/// A trace, and the number of a service.
type Of = (StoredId, i64);

/// The spans that wait.
#[derive(Debug, Default)]
pub(super) struct Loose {
    /// By their parent.
    below: HashMap<StoredId, Waiting>,
    /// Spans above some of them that do name their transaction, by that.
    owned: HashMap<StoredId, Vec<StoredId>>,
    /// The number of spans in both.
    count: usize,
    /// Whether there were spans that found no place.
    pub(super) is_cut: bool,
}

#[derive(Debug)]
struct Waiting {
    spans: Vec<Row>,
    since: u32,
    /// Trace and service of all of them; none where these differ.
    of: Option<Of>,
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Identifier)]
    id: StoredId,
    #[diesel(sql_type = Identifier)]
    parent_id: StoredId,
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
    #[diesel(sql_type = BigInt)]
    service_id: i64,
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
    #[diesel(sql_type = Nullable<BigInt>)]
    steps: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    scan_steps: Option<i64>,
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
                self.is_cut = true;
                break;
            }
            self.keep(row, look);
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

    fn keep(&mut self, row: Row, look: u32) {
        self.count += 1;
        let of = (row.trace_id.clone(), row.service_id);
        let waiting = self.below.entry(row.parent_id.clone());
        let waiting = waiting.or_insert_with(|| Waiting {
            spans: Vec::new(),
            since: look,
            of: Some(of.clone()),
        });
        waiting.of.take_if(|first| *first != of);
        waiting.spans.push(row);
    }

    /// Parents that did not come, by the transaction that what waits for them belongs to: the only one of its trace and
    /// service in which the first of its spans began. `requests`: transactions that came last.
    pub(super) fn lost<'a>(
        &self,
        requests: impl Iterator<Item = &'a TxRow>,
    ) -> HashMap<StoredId, Vec<StoredId>> {
        let mut lost: HashMap<StoredId, Vec<StoredId>> = HashMap::new();
        if self.below.is_empty() {
            return lost;
        }
        let requests: Vec<&TxRow> = requests.collect();
        let mut known: HashSet<&StoredId> = requests.iter().map(|tx| &tx.id).collect();
        known.extend(self.owned.values().flatten());
        let waiting = self.below.values().flat_map(|waiting| &waiting.spans);
        known.extend(waiting.map(|row| &row.id));
        let mut stretches: HashMap<Of, Vec<Stretch>> = HashMap::new();
        for (index, tx) in (0u32..).zip(&requests) {
            let of = (tx.trace_id.clone(), tx.service_id);
            let end = tx.ts.saturating_add(tx.duration.max(0));
            stretches.entry(of).or_default().push((tx.ts, end, index));
        }
        let within: HashMap<Of, Within> = stretches
            .into_iter()
            .map(|(of, stretches)| (of, Within::new(&stretches)))
            .collect();
        for (parent, waiting) in &self.below {
            let within = waiting.of.as_ref().and_then(|of| within.get(of));
            let first = waiting.spans.iter().map(|row| row.ts).min();
            if !known.contains(parent)
                && let Some(index) = within.zip(first).and_then(|(within, at)| within.only(at))
            {
                let transaction = requests[index as usize].id.clone();
                lost.entry(transaction).or_default().push(parent.clone());
            }
        }
        lost
    }

    /// Takes the statements that were run below a transaction. `lost`: parents that did not come, below which they are
    /// its own, too.
    pub(super) fn take(&mut self, transaction: &StoredId, lost: Vec<StoredId>) -> Vec<SpanRow> {
        if self.below.is_empty() {
            return Vec::new();
        }
        let mut above = self.owned.remove(transaction).unwrap_or_default();
        self.count -= above.len();
        above.push(transaction.clone());
        above.extend(lost);
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
                        steps: row.steps,
                        scan_steps: row.scan_steps,
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

#[cfg(test)]
mod tests;
