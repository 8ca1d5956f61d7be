//! Requests that were read one by one, for questions that rollups cannot answer.
//!
//! Rollups know minutes, and of a request its service, environment, type, name, result and outcome. A query on any
//! other field is answered by a search of the documents (`matching`), and a chart of a short window by the rows of its
//! groups (`short`). A scope that carries such requests has lists and charts counted from them: each function that sums
//! rollups takes the requests of its `Members` instead.

use apm_time::SECOND;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::cache::Slice;
use super::sql::Sql;
use super::weight::Weight;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, QueryableByName)]
pub(super) struct Row {
    /// The transaction group.
    #[diesel(sql_type = BigInt)]
    pub(super) group_id: i64,
    /// µs
    #[diesel(sql_type = BigInt)]
    pub(super) ts: i64,
    /// µs
    #[diesel(sql_type = BigInt)]
    pub(super) duration: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) outcome: i64,
    #[diesel(embed)]
    pub(super) weight: Weight,
    /// 0 for none.
    #[diesel(sql_type = BigInt)]
    pub(super) result: i64,
}

impl Row {
    /// The number of requests that it stands for.
    pub(super) fn weight(&self) -> f64 {
        self.weight.number()
    }
}

/// Requests of a scope, in order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scanned {
    rows: Vec<Row>,
    /// Their numbers as JSON; nothing where all requests of the groups are among them.
    seqs: Option<String>,
    /// The question by which they were read, with its values in place.
    sql: String,
}

impl Scanned {
    pub(super) fn new(mut rows: Vec<Row>, seqs: Option<String>, sql: String) -> Self {
        rows.retain(|row| row.weight() > 0.0);
        rows.sort_by_key(|row| row.ts);
        Self { rows, seqs, sql }
    }

    /// The question by which they were read. A chart that is counted from them tells it as one of its own.
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// Its requests.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The requests of some slices of a window, each with the start of its bucket of `interval` seconds; 0 without.
    pub(super) fn within(
        &self,
        slices: &[Slice],
        interval: Option<i64>,
    ) -> impl Iterator<Item = (i64, &Row)> {
        let from = slices.first().map_or(0, |slice| slice.1);
        let to = slices.last().map_or(0, |slice| slice.2);
        let place = |second: i64| self.rows.partition_point(|row| row.ts < second * SECOND);
        let rows = &self.rows[place(from)..place(to).max(place(from))];
        rows.iter().map(move |row| {
            let start = |width: i64| row.ts.div_euclid(SECOND * width) * width;
            (interval.map_or(0, start), row)
        })
    }

    /// Narrows a text that reads requests to these.
    pub(super) fn apply(&self, sql: Sql) -> Sql {
        const MARKER: &str = "TRUE -- requests: t";
        match &self.seqs {
            Some(seqs) if sql.text().contains(MARKER) => sql
                .replace(MARKER, "t.seq IN (SELECT value FROM json_each(:requests))")
                .bind("requests", seqs.as_str()),
            _ => sql,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ts: i64, sample_rate: Option<f64>, outcome: i64) -> Row {
        Row {
            group_id: 1,
            ts,
            duration: 10,
            outcome,
            weight: sample_rate.into(),
            result: 0,
        }
    }

    #[test]
    fn requests_are_dealt_to_buckets_of_any_width() {
        let rows = vec![
            row(75 * SECOND, None, 1),
            row(60 * SECOND, None, 1),
            row(119 * SECOND, Some(0.0), 1),
            row(120 * SECOND, None, 1),
            row(59 * SECOND, None, 1),
        ];
        let scanned = Scanned::new(rows, None, String::new());
        let starts = |interval| -> Vec<i64> {
            let slices = [(60, 60, 120)];
            scanned
                .within(&slices, interval)
                .map(|(at, _)| at)
                .collect()
        };
        assert_eq!(
            starts(Some(10)),
            [60, 70],
            "one of no weight counts nothing"
        );
        assert_eq!(starts(None), [0, 0]);
        assert_eq!(scanned.within(&[], None).count(), 0);
    }

    #[test]
    fn only_texts_that_read_requests_are_narrowed() {
        let scanned = Scanned::new(Vec::new(), Some("[1]".to_owned()), String::new());
        let text = "SELECT 1 FROM tx t WHERE t.seq > 0 AND TRUE -- requests: t";
        assert_eq!(
            scanned.apply(Sql::new(text)).shell(),
            "SELECT 1 FROM tx t WHERE t.seq > 0 AND t.seq IN (SELECT value FROM json_each('[1]'))"
        );
        assert_eq!(scanned.apply(Sql::new("SELECT 1")), Sql::new("SELECT 1"));
    }
}
