//! Metrics by name.

use diesel::insert_into;
use diesel::prelude::*;

use crate::dictionary::{Entry, Key, Known, Limited};
use crate::limits::{NameKind, OTHER};
use crate::schema::metric_name;

/// The name of a metric of a service.
#[derive(Debug)]
pub(crate) struct MetricName<'a> {
    pub(crate) service: i64,
    pub(crate) name: &'a str,
}

impl Limited for MetricName<'_> {
    const KIND: NameKind = NameKind::Metric;
    count!("metric_name");

    fn service(&self) -> i64 {
        self.service
    }

    fn others(&self) -> [Self; 2] {
        let other = || Self {
            service: self.service,
            name: OTHER,
        };
        [other(), other()]
    }
}

impl Entry for MetricName<'_> {
    touch!(metric_name);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service).text(self.name);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = metric_name::service_id
            .eq(self.service)
            .and(metric_name::name.eq(self.name));
        find!(metric_name, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(metric_name::table)
            .values((
                metric_name::service_id.eq(self.service),
                metric_name::name.eq(self.name),
                metric_name::last_seen.eq(now),
            ))
            .returning(metric_name::id)
            .get_result(conn)
    }
}
