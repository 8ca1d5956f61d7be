//! The dictionaries' rows: what identifies each, and what else is kept of the first one seen.

use std::hash::{BuildHasher as _, RandomState};

use diesel::QueryResult;
use diesel::result::Error;

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

/// The row of the table that passes a filter: there is one at most. `first` would bind a LIMIT, with which SQLite
/// prepares the statement anew each time.
macro_rules! find {
    ($table:ident, $conn:ident, $filter:expr) => {
        $table::table
            .filter($filter)
            .select(($table::id, $table::last_seen))
            .get_result::<super::Found>($conn)
            .optional()
            .map(|found| found.map(Known::from))
    };
}

/// The columns of a text's row that are looked for: one of two hashes, and the text itself.
macro_rules! same_text {
    ($table:ident, $hash:ident, $text:ident, $hashes:expr, $is:expr) => {{
        let [own, other] = $hashes;
        $table::$hash
            .eq(own)
            .or($table::$hash.eq(other))
            .and($table::$text.eq($is))
    }};
}

/// Makes the row of a text under its hash, or under its other one where a row of another text has that. Senders choose
/// texts, and can make some of one hash. `insert` gives nothing where there is a row of a hash.
fn insert_text(
    hashes: [i64; 2],
    text: &str,
    mut insert: impl FnMut(i64) -> QueryResult<Option<i64>>,
) -> QueryResult<i64> {
    for hash in hashes {
        if let Some(id) = insert(hash)? {
            return Ok(id);
        }
    }
    // A hash that nobody can choose, and that is not found again: the text gets another row when its id is no longer
    // cached, and never the row of another text.
    let hash = RandomState::new().hash_one(text).cast_signed();
    insert(hash)?.ok_or(Error::NotFound)
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
mod instance;
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
pub(crate) use instance::Instance;
pub(crate) use metric::MetricName;
pub(crate) use metric_series::MetricSeries;
pub(crate) use resource::Resource;
pub(crate) use service::Service;
pub(crate) use span::SpanGroup;
pub(crate) use stack::Stack;
pub(crate) use statement::Statement;
pub(crate) use transaction::{ResultValue, TxGroup};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_whose_hashes_are_those_of_others_has_a_hash_that_cannot_be_chosen() {
        let mut tried = Vec::new();
        let id = insert_text([1, 2], "a", |hash| {
            tried.push(hash);
            Ok((tried.len() == 3).then_some(7))
        });
        assert_eq!((id, &tried[..2]), (Ok(7), &[1, 2][..]));
        let before = tried[2];
        let id = insert_text([1, 2], "a", |hash| {
            Ok((!(1..=2).contains(&hash)).then_some(hash))
        });
        assert!(id.is_ok_and(|id| id != before));
    }
}
