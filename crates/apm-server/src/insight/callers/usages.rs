//! The use of each statement by requests of each transaction group, cached from one question to the next.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use crate::analytics::cache::{Files, Part};
use crate::analytics::sql::Sql;

/// The use of one statement by requests of one transaction group; 0: all statements.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Usage {
    #[diesel(sql_type = BigInt, column_name = "statement_id")]
    pub(super) statement: i64,
    #[diesel(sql_type = BigInt, column_name = "tx_group_id")]
    pub(super) group: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) requests: i64,
    #[diesel(sql_type = Double)]
    pub(super) calls: f64,
    #[diesel(sql_type = Double)]
    pub(super) most: f64,
    #[diesel(sql_type = Double)]
    pub(super) sum: f64,
    #[diesel(sql_type = Double)]
    pub(super) tx_sum: f64,
    #[diesel(sql_type = Identifier, column_name = "trace_id")]
    pub(super) trace: StoredId,
}

impl Usage {
    /// Mean calls of a request.
    pub(super) fn calls_per_request(&self) -> f64 {
        self.calls / self.requests.max(1) as f64
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.calls += other.calls;
        self.sum += other.sum;
        self.tx_sum += other.tx_sum;
        if other.most > self.most {
            self.most = other.most;
            self.trace = other.trace.clone();
        }
    }
}

/// The rows that are read: few are about one statement, or about all together; very many about each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum About {
    /// 0: all of them together.
    Statement(i64),
    Each,
}

/// Those of a stretch of buckets.
#[derive(Debug, Default)]
pub(super) struct Usages(Vec<Usage>);

impl Usages {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Usage> {
        self.0.iter()
    }
}

#[derive(QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(embed)]
    usage: Usage,
}

impl Part for Usages {
    type Row = Row;
    type Table = About;

    const BUCKETS: &'static str = "SELECT level, bucket, written AS received FROM roll_caller_written \
        WHERE level = :level AND bucket >= :from AND bucket < :to ORDER BY bucket";
    const EXACT: bool = true;

    fn sql(about: About) -> Sql {
        match about {
            About::Statement(id) => Sql::new(include_str!("usages/one.sql")).bind("statement", id),
            About::Each => Sql::new(include_str!("usages/each.sql")),
        }
    }

    fn bucket(row: &Row) -> i64 {
        row.bucket
    }

    fn push(&mut self, row: &Row) {
        self.0.push(row.usage.clone());
    }

    fn sum(parts: &[Arc<Self>]) -> Self {
        let mut sums: BTreeMap<(i64, i64), Usage> = BTreeMap::new();
        for usage in parts.iter().flat_map(|part| part.iter()) {
            sums.entry((usage.statement, usage.group))
                .and_modify(|sum| sum.add(usage))
                .or_insert_with(|| usage.clone());
        }
        Self(sums.into_values().collect())
    }

    fn bytes(&self) -> usize {
        let text = |usage: &Usage| match &usage.trace {
            StoredId::Other(id) => id.len(),
            StoredId::Short(_) | StoredId::Long(_) => 0,
        };
        size_of_val(&*self.0) + self.0.iter().map(text).sum::<usize>()
    }

    fn files() -> &'static Files<Self> {
        static FILES: Files<Usages> = LazyLock::new(Mutex::default);
        &FILES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::tests::empty;

    fn usage(statement: i64, group: i64, most: f64, trace: u64) -> Usage {
        Usage {
            statement,
            group,
            requests: 1,
            calls: most,
            most,
            sum: 10.0,
            tx_sum: 20.0,
            trace: StoredId::Short(trace),
        }
    }

    #[test]
    fn usages_are_found_without_those_of_other_statements_or_times() {
        let conn = &mut empty();
        for (about, index) in [
            (
                About::Statement(7),
                "roll_caller_statement (level=? AND statement_id=? AND bucket>? AND bucket<?)",
            ),
            (
                About::Each,
                "PRIMARY KEY (level=? AND bucket>? AND bucket<?)",
            ),
        ] {
            let sql = Usages::sql(about).bind("level", 60);
            let plan = sql.bind("from", 0).bind("to", 600).plan(conn).unwrap();
            assert!(plan[0].ends_with(index), "{about:?}: {plan:?}");
        }
    }

    #[test]
    fn usages_of_several_buckets_are_added_up_by_statement_and_group() {
        let one = Usages(vec![usage(0, 1, 3.0, 1), usage(7, 1, 2.0, 1)]);
        let other = Usages(vec![
            usage(0, 1, 5.0, 2),
            usage(0, 2, 1.0, 3),
            usage(9, 2, 1.0, 3),
        ]);
        let sum = Usages::sum(&[Arc::new(one), Arc::new(other)]);
        let ids: Vec<(i64, i64)> = sum
            .iter()
            .map(|usage| (usage.statement, usage.group))
            .collect();
        assert_eq!(ids, [(0, 1), (0, 2), (7, 1), (9, 2)]);
        let both = sum.iter().next().unwrap();
        assert_eq!((both.requests, both.calls, both.most), (2, 8.0, 5.0));
        assert_eq!(both.trace, StoredId::Short(2));
    }
}
