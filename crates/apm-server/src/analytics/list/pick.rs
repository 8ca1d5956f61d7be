//! The rows of a list that are read: all of them are searched and ranked before a thousand are taken.

use std::cmp::Ordering;
use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::MOST;
use crate::analytics::sql::Sql;
use crate::analytics::totals::Total;

/// The rank of the rows of a list. Every row has these numbers before any is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum By {
    /// Their time.
    #[default]
    Time,
    /// Number of events.
    Count,
    /// Mean duration.
    Mean,
    /// Longest duration.
    Max,
    /// Share of failures.
    Failed,
    /// The word of their key at this place; words of keys have a tab between them.
    Word(usize),
    /// The 95th percentile of their duration, from histograms.
    P95,
    /// A number that the list itself knows of all its rows ([`super::Own`]).
    Own,
}

/// A choice of rows. The default is those with most time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pick {
    /// A text that their names must have, in lower case.
    pub(crate) search: Option<String>,
    pub(crate) by: By,
    pub(crate) descending: bool,
    /// Number of rows of higher rank that are left out: a multiple of a thousand.
    pub(crate) first: usize,
    /// Number of rows that are read, at most [`MOST`].
    pub(crate) most: usize,
    /// False if rows are asked for in an order that is none of [`By`]: only those that are read can be sorted.
    pub(crate) is_order_asked: bool,
    /// The keys of the only rows that are read; the others are counted as left out.
    pub(crate) keys: Option<HashSet<String>>,
}

impl Default for Pick {
    fn default() -> Self {
        Self {
            search: None,
            by: By::Time,
            descending: true,
            first: 0,
            most: MOST,
            is_order_asked: true,
            keys: None,
        }
    }
}

impl Pick {
    /// The few rows with most time.
    pub(crate) fn most_time(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// The rows of these keys, such as those of an answer in another window.
    pub(crate) fn of_keys(keys: impl IntoIterator<Item = String>) -> Self {
        Self {
            keys: Some(keys.into_iter().collect()),
            ..Self::default()
        }
    }

    /// True if a row of this key may be read.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains(key))
    }

    /// True if the first row that is read, where `left_out` are not, has more time than any other of the window.
    pub(crate) fn has_most_time_first(&self, first: usize, left_out: usize) -> bool {
        let is_by_time = self.by == By::Time && self.descending;
        self.search.is_none() && self.keys.is_none() && first == 0 && (left_out == 0 || is_by_time)
    }

    /// True if a name has the text that is searched for.
    pub(crate) fn finds(&self, name: &str) -> bool {
        let found = |text: &String| name.to_lowercase().contains(text);
        self.search.as_ref().is_none_or(found)
    }

    /// The ids whose names have the text. `sql` reads `id` and `name` of all.
    pub(crate) fn ids(
        &self,
        conn: &mut SqliteConnection,
        sql: &Sql,
    ) -> QueryResult<Option<HashSet<i64>>> {
        #[derive(QueryableByName)]
        struct Named {
            #[diesel(sql_type = BigInt)]
            id: i64,
            #[diesel(sql_type = Text)]
            name: String,
        }
        if self.search.is_none() {
            return Ok(None);
        }
        let mut found = HashSet::new();
        sql.each(conn, |row: Named| {
            if self.finds(&row.name) {
                found.insert(row.id);
            }
        })?;
        Ok(Some(found))
    }

    /// The number that ranks a row, where its sums have it.
    pub(super) fn number(&self, total: &Total) -> Option<f64> {
        match self.by {
            By::Time => Some(total.sum),
            By::Count => Some(total.count),
            By::Mean => total.mean(),
            By::Max => Some(total.max as f64),
            By::Failed => total.failed_rate(),
            By::Word(_) | By::P95 | By::Own => None,
        }
    }

    /// The order of two rows by their keys and the numbers that rank them; unknown numbers come last either way.
    pub(super) fn compare(&self, a: (&str, Option<f64>), b: (&str, Option<f64>)) -> Ordering {
        if let By::Word(place) = self.by {
            let word = |key: &str| {
                key.split('\t')
                    .nth(place)
                    .unwrap_or_default()
                    .to_lowercase()
            };
            let order = word(a.0).cmp(&word(b.0));
            let order = if self.descending {
                order.reverse()
            } else {
                order
            };
            return order.then_with(|| a.0.cmp(b.0));
        }
        let order = match (a.1, b.1) {
            (Some(a), Some(b)) if self.descending => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        order.then_with(|| a.0.cmp(b.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(count: f64, time: f64, judged: f64) -> Total {
        Total {
            count,
            sum: time,
            successes: judged,
            ..Total::default()
        }
    }

    #[test]
    fn rows_are_ranked_by_what_is_asked_for() {
        let rows = [
            ("request\tb", total(10.0, 20.0, 1.0)),
            ("request\tA", total(2.0, 30.0, 0.0)),
            ("job\tc", total(5.0, 15.0, 1.0)),
        ];
        let ranked = |by: By, descending: bool| {
            let pick = Pick {
                by,
                descending,
                ..Pick::default()
            };
            let mut sorted: Vec<_> = rows.iter().collect();
            sorted.sort_by(|a, b| pick.compare((a.0, pick.number(&a.1)), (b.0, pick.number(&b.1))));
            let last = |key: &str| key.chars().next_back().unwrap_or_default();
            sorted.iter().map(|row| last(row.0)).collect::<String>()
        };
        assert_eq!(ranked(By::Time, true), "Abc");
        assert_eq!(ranked(By::Time, false), "cbA");
        assert_eq!(ranked(By::Count, true), "bcA");
        assert_eq!(ranked(By::Mean, true), "Acb");
        // `A` has no judged request.
        assert_eq!(ranked(By::Failed, true), "cbA");
        assert_eq!(ranked(By::Failed, false), "cbA");
        assert_eq!(ranked(By::Word(1), false), "Abc");
        assert_eq!(ranked(By::Word(1), true), "cbA");
    }
}
