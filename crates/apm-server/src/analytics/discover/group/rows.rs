//! Groups that are counted from the rows of events, where columns tell the field and which events match.

use apm_store::StoreError;
use apm_store::event::Kind;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text};

use super::Tally;
use crate::analytics::condition::Condition;
use crate::analytics::deadline::Deadline;
use crate::analytics::discover::Request;
use crate::analytics::discover::blocks::{Blocks, Least, runs};
use crate::analytics::discover::columns::{self, Grouping};
use crate::analytics::discover::walk::bound;
use crate::analytics::sql::Sql;

/// Blocks whose rows are counted before the clock is looked at: some milliseconds.
const BLOCKS: usize = 64;

/// The events of one value in some blocks.
#[derive(QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) value: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(super) count: i64,
    /// The sum of their durations, µs; nothing where events of the kind have none.
    #[diesel(sql_type = Nullable<Double>)]
    pub(super) sum: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    pub(super) longest: Option<f64>,
}

/// Events of a kind that rows tell all about.
pub(in crate::analytics::discover) struct Part<'a> {
    kind: Kind,
    condition: &'a Condition,
    grouping: Grouping,
}

impl<'a> Part<'a> {
    /// Nothing where documents have to be read.
    pub(in crate::analytics::discover) fn new(
        kind: Kind,
        condition: &'a Condition,
        field: &str,
    ) -> Option<Self> {
        let grouping = columns::grouping(kind, field).filter(|_| condition.exact)?;
        Some(Self {
            kind,
            condition,
            grouping,
        })
    }

    fn sql(&self) -> String {
        let duration = match self.kind {
            Kind::Transaction | Kind::Span => "r.duration",
            Kind::Error | Kind::Metricset | Kind::Log => "NULL",
        };
        format!(
            "SELECT {} AS value, count, sum, longest\n\
             FROM (\n\
             SELECT {} AS part, count(*) AS count, sum({duration} * 1.0) AS sum, max({duration} * 1.0) AS longest\n\
             FROM json_each(:runs) run\n\
             CROSS JOIN {} r NOT INDEXED ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
             WHERE r.ts >= :from AND r.ts < :to\n  AND {}\n\
             GROUP BY 1)",
            self.grouping.value,
            self.grouping.key,
            columns::table(self.kind),
            self.condition.sql(),
        )
    }
}

/// Counts the events of some kinds, the newest blocks first, until there are so many of them; whether these were all.
pub(in crate::analytics::discover) fn count(
    conn: &mut SqliteConnection,
    request: &Request,
    (parts, most): (&[Part<'_>], u64),
    deadline: &Deadline,
    tally: &mut Tally<'_>,
) -> Result<bool, StoreError> {
    if parts.is_empty() {
        return Ok(true);
    }
    let texts: Vec<String> = parts.iter().map(Part::sql).collect();
    let mut left = Blocks::new(
        conn,
        request.range,
        Least::of_query(&request.query, parts.iter().map(|part| part.kind)),
    )?;
    let mut looked_at = 0;
    loop {
        let blocks = left.next(conn, BLOCKS)?;
        if blocks.is_empty() {
            return Ok(true);
        }
        if tally.total >= most || !deadline.allows_more(looked_at, 1) {
            return Ok(false);
        }
        looked_at += blocks.len();
        let runs = runs(&blocks);
        for (part, text) in parts.iter().zip(&texts) {
            let sql = Sql::new(text.clone()).bind("runs", runs.as_str());
            let rows: Vec<Row> = bound(sql, request.range, part.condition).load(conn)?;
            rows.into_iter().for_each(|row| tally.add_row(row));
        }
    }
}
