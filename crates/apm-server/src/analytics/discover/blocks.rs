//! The blocks that touch a range, the one with the newest event first.

use apm_store::StoreError;
use apm_store::event::Kind;
use apm_time::Range;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use kql::{Bound, Expr, Order};

use crate::analytics::sql::Sql;

/// Events in a block.
const SLOTS: i64 = 128;

/// Blocks whose rows are looked at, whatever the time, where nothing has its place yet: the rows of 131 072 events.
pub(super) const LEAST_BLOCKS: usize = 1_024;

/// A block of events.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub(super) struct Block {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    /// Its newest event, µs.
    #[diesel(sql_type = BigInt)]
    pub(super) ts_max: i64,
}

impl Block {
    /// The number of the block that an event is in.
    pub(super) fn containing(seq: i64) -> i64 {
        seq.div_euclid(SLOTS)
    }
}

/// The durations from which on a search takes transactions and spans, µs. A block that has neither is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Least {
    tx: f64,
    span: f64,
}

impl Least {
    /// All blocks, those with other events too.
    pub(super) const NONE: Self = Self {
        tx: -2.0,
        span: -2.0,
    };

    /// Those of a search for events of some kinds.
    pub(super) fn of_query(query: &Expr, kinds: impl IntoIterator<Item = Kind>) -> Self {
        // No event is that long.
        let mut found = Self {
            tx: f64::MAX,
            span: f64::MAX,
        };
        for kind in kinds {
            let (bound, field) = match kind {
                Kind::Transaction => (&mut found.tx, "transaction.duration.us"),
                Kind::Span => (&mut found.span, "span.duration.us"),
                // Nothing is known of how long others took.
                Kind::Error | Kind::Metricset | Kind::Log => return Self::NONE,
            };
            // A block without such an event has less than none.
            *bound = least(query, field).unwrap_or(0.0).max(0.0);
        }
        found
    }
}

/// The bound below which a query takes no value of a field, whatever else it asks for.
fn least(query: &Expr, field: &str) -> Option<f64> {
    match query {
        Expr::And(parts) => {
            let bounds = parts.iter().filter_map(|part| least(part, field));
            bounds.reduce(f64::max)
        }
        Expr::Range(of, Order::Greater | Order::AtLeast, Bound::Number(bound)) => {
            let is_it = of.name == field && of.pattern.is_none() && bound.is_finite();
            is_it.then_some(*bound)
        }
        _ => None,
    }
}

/// Gives out the blocks, a few at a time.
#[derive(Debug)]
pub(super) struct Blocks {
    range: Range,
    least: Least,
    /// The time that the widest block spans: bounds where those are that touch the range.
    widest: i64,
    last: Option<Block>,
}

impl Blocks {
    /// Those with events from some durations on.
    pub(super) fn new(
        conn: &mut SqliteConnection,
        range: Range,
        least: Least,
    ) -> Result<Self, StoreError> {
        #[derive(QueryableByName)]
        struct Widest {
            #[diesel(sql_type = BigInt)]
            widest: i64,
        }
        let sql = Sql::new("SELECT ifnull(max(ts_max - ts_min), 0) AS widest FROM block");
        Ok(Self {
            range,
            least,
            widest: sql.first::<Widest>(conn)?.widest,
            last: None,
        })
    }

    /// The next ones; none where there are no more.
    pub(super) fn next(
        &mut self,
        conn: &mut SqliteConnection,
        most: usize,
    ) -> Result<Vec<Block>, StoreError> {
        let last = self.last.unwrap_or(Block {
            id: i64::MAX,
            ts_max: self.range.to.saturating_add(self.widest),
        });
        let sql = Sql::new(include_str!("blocks.sql"))
            .bind("from", self.range.from)
            .bind("to", self.range.to)
            .bind("last", last.ts_max)
            .bind("id", last.id)
            .bind("tx_least", self.least.tx)
            .bind("span_least", self.least.span)
            .bind("most", i64::try_from(most).unwrap_or(i64::MAX));
        let found: Vec<Block> = sql.load(conn)?;
        self.last = found.last().copied().or(self.last);
        Ok(found)
    }

    /// All that are left.
    pub(super) fn all(mut self, conn: &mut SqliteConnection) -> Result<Vec<Block>, StoreError> {
        self.next(conn, usize::MAX)
    }
}

/// Runs of block numbers as JSON, `[from, to)` each: blocks of one time mostly follow each other, and a run is one
/// range of rows.
pub(super) fn runs(blocks: &[Block]) -> String {
    let mut ids: Vec<i64> = blocks.iter().map(|block| block.id).collect();
    ids.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, end)) if *end == id => *end += 1,
            _ => runs.push((id, id + 1)),
        }
    }
    let runs: Vec<String> = runs
        .iter()
        .map(|(from, to)| format!("[{from},{to}]"))
        .collect();
    format!("[{}]", runs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_for_long_events_has_a_bound_for_each_kind_that_it_may_find() {
        let both = [Kind::Transaction, Kind::Span];
        let of = |text: &str, kinds: &[Kind]| {
            let query = kql::parse(text, 0).expect("a query");
            let found = Least::of_query(&query, kinds.iter().copied());
            (found.tx, found.span)
        };
        let none = (Least::NONE.tx, Least::NONE.span);
        for (text, kinds, bounds) in [
            (
                "transaction.duration.us >= 5000",
                &both[..1],
                (5000.0, f64::MAX),
            ),
            ("span.duration.us > 70", &both[1..], (f64::MAX, 70.0)),
            (
                "a: b and span.duration.us > 7 and span.duration.us > 70",
                &both[1..],
                (f64::MAX, 70.0),
            ),
            ("span.duration.us >= -3", &both[1..], (f64::MAX, 0.0)),
            ("span.duration.us > 7 or a: b", &both[1..], (f64::MAX, 0.0)),
            ("not span.duration.us > 7", &both[1..], (f64::MAX, 0.0)),
            ("span.duration.us < 7", &both[1..], (f64::MAX, 0.0)),
            ("a: b", &both[..], (0.0, 0.0)),
            ("transaction.duration.us >= 5000", &Kind::ALL[..], none),
        ] {
            assert_eq!(of(text, kinds), bounds, "{text}");
        }
    }
}
