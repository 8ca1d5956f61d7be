//! The dictionaries' rows: what identifies each, and what else is kept of the first one seen.

use super::Known;

/// Columns of a row that was found.
type Found = (i64, i64);

impl From<Found> for Known {
    fn from((id, last_seen): Found) -> Self {
        Self {
            id,
            last_seen,
            beyond: false,
        }
    }
}

/// The methods that are alike in all entries.
macro_rules! touch {
    ($table:ident) => {
        fn touch(id: i64, now: i64, conn: &mut SqliteConnection) -> QueryResult<usize> {
            diesel::update($table::table.filter($table::id.eq(id)))
                .set($table::last_seen.eq(now))
                .execute(conn)
        }
    };
}

/// The row of the table that passes a filter.
macro_rules! find {
    ($table:ident, $conn:ident, $filter:expr) => {
        $table::table
            .filter($filter)
            .select(($table::id, $table::last_seen))
            .first::<super::Found>($conn)
            .optional()
            .map(|found| found.map(Known::from))
    };
}

/// The query that counts the rows of a table by service.
macro_rules! count {
    ($table:literal) => {
        const COUNT: &'static str = concat!(
            "SELECT service_id AS service, count(*) AS n FROM ",
            $table,
            " GROUP BY service_id"
        );
    };
}

/// Bytes that are kept of a sample: the whole statement is in its event.
const MAX_SAMPLE: usize = 4096;

// Below the macros, which they use.
mod destination;
mod error;
mod metric;
mod metric_series;
mod resource;
mod service;
mod span;
mod stack;
mod statement;
mod transaction;

pub(crate) use destination::Destination;
pub(crate) use error::ErrorGroup;
pub(crate) use metric::MetricName;
pub(crate) use metric_series::MetricSeries;
pub(crate) use resource::Resource;
pub(crate) use service::Service;
pub(crate) use span::SpanGroup;
pub(crate) use stack::Stack;
pub(crate) use statement::Statement;
pub(crate) use transaction::{ResultValue, TxGroup};
