//! Metrics by name.

use diesel::insert_into;
use diesel::prelude::*;

use crate::store::dictionary::{Entry, Key, Known};
use crate::store::schema::metric_name;

/// The name of a metric.
#[derive(Debug)]
pub(in crate::store) struct MetricName<'a>(pub(in crate::store) &'a str);

impl Entry for MetricName<'_> {
    touch!(metric_name);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.0);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        find!(metric_name, conn, metric_name::name.eq(self.0))
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(metric_name::table)
            .values((metric_name::name.eq(self.0), metric_name::last_seen.eq(now)))
            .returning(metric_name::id)
            .get_result(conn)
    }
}
