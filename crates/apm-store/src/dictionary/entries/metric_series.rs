//! Series of metrics: the values of one metric with the same labels.

use diesel::insert_into;
use diesel::prelude::*;

use crate::dictionary::{Entry, Key, Known, Limited};
use crate::event::MetricKind;
use crate::limits::NameKind;
use crate::schema::metric_series;

/// The values of a metric with the same labels.
#[derive(Debug)]
pub(crate) struct MetricSeries<'a> {
    pub(crate) service: i64,
    /// The id of the metric's name.
    pub(crate) name: i64,
    pub(crate) kind: MetricKind,
    pub(crate) unit: &'a str,
    /// A JSON object.
    pub(crate) labels: &'a str,
}

impl Limited for MetricSeries<'_> {
    const KIND: NameKind = NameKind::Series;
    const COUNT: &'static str =
        "SELECT name_id AS service, count(*) AS n FROM metric_series GROUP BY name_id";

    /// The limit is one of each metric, so that a label with many values leaves the other metrics alone.
    #[expect(clippy::misnamed_getters, reason = "the limit is one of each metric")]
    fn service(&self) -> i64 {
        self.name
    }

    fn others(&self) -> [Self; 2] {
        let other = || Self {
            labels: r#"{"_other":"_other"}"#,
            ..*self
        };
        [other(), other()]
    }
}

impl Entry for MetricSeries<'_> {
    touch!(metric_series);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.name)
            .number(self.service)
            .number(self.kind as i64)
            .text(self.unit)
            .text(self.labels);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = metric_series::service_id
            .eq(self.service)
            .and(metric_series::name_id.eq(self.name))
            .and(metric_series::kind.eq(self.kind as i32))
            .and(metric_series::unit.eq(self.unit))
            .and(metric_series::labels.eq(self.labels));
        find!(metric_series, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(metric_series::table)
            .values((
                metric_series::service_id.eq(self.service),
                metric_series::name_id.eq(self.name),
                metric_series::kind.eq(self.kind as i32),
                metric_series::unit.eq(self.unit),
                metric_series::labels.eq(self.labels),
                metric_series::last_seen.eq(now),
            ))
            .returning(metric_series::id)
            .get_result(conn)
    }
}
