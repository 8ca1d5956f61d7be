//! The charts of a service, a transaction group or a statement.

use diesel::{QueryResult, SqliteConnection};
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{Arguments, wrong};
use super::parameter::Parameter;
use super::problem::Problem;
use super::sourced::Sourced;
use crate::analytics::Scope;
use crate::analytics::breakdown::{self, Breakdown};
use crate::analytics::distribution::{Bar, Distribution, Scale};
use crate::analytics::latency::{self, Latency};
use crate::analytics::samples::Durations;
use crate::analytics::series::Axis;
use crate::analytics::short;
use crate::analytics::throughput::{self, Throughput};
use crate::analytics::window::Window;
use crate::csv::{Cell, Table};

/// The charts of a scope's transactions.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Charts {
    pub(crate) latency: Sourced<Latency>,
    pub(crate) throughput: Sourced<Throughput>,
    pub(crate) breakdown: Sourced<Breakdown>,
}

impl Charts {
    pub(crate) fn read(
        conn: &mut SqliteConnection,
        scope: &Scope,
        window: &Window,
    ) -> QueryResult<Self> {
        // A short window in buckets of some seconds, so that its first minutes draw a curve.
        let short = short::short(conn, scope, window)?;
        let (of, on) = match &short {
            Some((scope, window)) => (scope, window),
            None => (scope, window),
        };
        Ok(Self {
            latency: Sourced::read(conn, |conn| latency::chart(conn, of, on))?,
            throughput: Sourced::read(conn, |conn| throughput::chart(conn, of, on))?,
            breakdown: Sourced::read(conn, |conn| breakdown::chart(conn, scope, window))?,
        })
    }
}

/// The names of the tables of [`Charts::tables`].
pub(crate) const TABLES: [&str; 3] = ["latency", "throughput", "breakdown"];

impl Charts {
    /// A table for each chart.
    pub(crate) fn tables(&self) -> [Table; 3] {
        [
            latency_table(&self.latency),
            throughput_table(&self.throughput),
            breakdown_table(&self.breakdown),
        ]
    }
}

/// Rows with values of their own columns.
fn table(name: &'static str, heads: &[&'static str], rows: Vec<Vec<Cell>>) -> Table {
    let columns = heads.iter().map(|head| (*head).into()).collect();
    Table {
        name,
        columns,
        rows,
    }
}

/// A row for each bucket.
pub(crate) fn latency_table(chart: &Latency) -> Table {
    let heads = [
        "time_utc",
        "count",
        "avg_us",
        "p50_us",
        "p75_us",
        "p90_us",
        "p95_us",
        "p99_us",
        "p99_9_us",
        "throughput_per_minute",
        "failed_rate",
    ];
    let buckets = chart.axis.buckets.iter().enumerate();
    let rows = buckets.map(|(at, bucket)| {
        let percentiles = chart.percentiles.get(at).copied().flatten();
        vec![
            Cell::second(bucket.start),
            chart.count.get(at).copied().into(),
            chart.avg.get(at).copied().flatten().into(),
            percentiles.map(|of| of.p50).into(),
            percentiles.map(|of| of.p75).into(),
            percentiles.map(|of| of.p90).into(),
            percentiles.map(|of| of.p95).into(),
            percentiles.map(|of| of.p99).into(),
            percentiles.map(|of| of.p999).into(),
            chart.throughput.get(at).copied().into(),
            chart.failed_rate.get(at).copied().flatten().into(),
        ]
    });
    table("latency", &heads, rows.collect())
}

/// A row for each result and bucket.
fn throughput_table(chart: &Throughput) -> Table {
    let mut rows = Vec::new();
    for of in &chart.results {
        for (bucket, rate) in chart.axis.buckets.iter().zip(&of.throughput) {
            let time = Cell::second(bucket.start);
            rows.push(vec![time, (&of.result).into(), (*rate).into()]);
        }
    }
    table(
        "throughput",
        &["time_utc", "result", "throughput_per_minute"],
        rows,
    )
}

/// A row for each kind of span and bucket.
fn breakdown_table(chart: &Breakdown) -> Table {
    let mut rows = Vec::new();
    for kind in &chart.kinds {
        for (bucket, share) in chart.axis.buckets.iter().zip(&kind.shares) {
            let time = Cell::second(bucket.start);
            let (name, subtype) = ((&kind.kind).into(), (&kind.subtype).into());
            rows.push(vec![time, name, subtype, (*share).into()]);
        }
    }
    table("breakdown", &["time_utc", "type", "subtype", "share"], rows)
}

/// A row for each range of durations.
pub(crate) fn distribution_table(distribution: &Distribution) -> Table {
    Table::from_rows(
        "distribution",
        &distribution.bars,
        &[
            ("from_us", |bar: &Bar| bar.from.into()),
            ("to_us", |bar| bar.to.into()),
            ("count", |bar| bar.count.into()),
            ("failed", |bar| bar.failed.into()),
        ],
    )
}

/// A row for each bucket of counts.
pub(crate) fn counts_table(
    name: &'static str,
    head: &'static str,
    axis: &Axis,
    counts: impl IntoIterator<Item = Cell>,
) -> Table {
    let rows = axis.buckets.iter().zip(counts);
    let rows = rows.map(|(bucket, count)| vec![Cell::second(bucket.start), count]);
    table(name, &["time_utc", head], rows.collect())
}

const MIN_US: Parameter = Parameter::whole(
    "min_us",
    0,
    i64::MAX,
    "Shortest duration of the samples, µs.",
);
const MAX_US: Parameter = Parameter::whole(
    "max_us",
    0,
    i64::MAX,
    "First duration that is too long for the samples, µs.",
);
const MIN_MS: Parameter = Parameter::duration(
    "min_ms",
    "The same as `min_us`: ms, or with a unit, such as `1.2s`.",
);
const MAX_MS: Parameter = Parameter::duration("max_ms", "The same as `max_us`, likewise.");
const SCALE: Parameter = Parameter::word(
    "scale",
    &["log", "linear"],
    "How the distribution is cut. Default `log`.",
);

/// The range of durations: in µs as links have it, or in ms as people type it.
pub(crate) fn durations(arguments: &Arguments) -> Result<Durations, Problem> {
    let all = Durations::default();
    // Both are read in any case, so that both are checked and described.
    let min = arguments
        .whole(&MIN_US)?
        .or(arguments.duration(&MIN_MS, 1e3)?);
    let max = arguments
        .whole(&MAX_US)?
        .or(arguments.duration(&MAX_MS, 1e3)?);
    let durations = Durations {
        min: min.unwrap_or(all.min),
        max: max.unwrap_or(all.max),
    };
    if durations.min >= durations.max {
        return Err(wrong(&MAX_US, "must be greater than min_us".to_owned()));
    }
    Ok(durations)
}

/// The cut of the axis of durations.
pub(crate) fn scale(arguments: &Arguments) -> Result<Scale, Problem> {
    Ok(match arguments.word(&SCALE)? {
        Some("linear") => Scale::Linear,
        _ => Scale::Log,
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::answers::arguments::Shape;

    fn read(query: &str) -> Result<(i64, i64), String> {
        let request = TestRequest::with_uri(&format!("/?{query}")).to_http_request();
        let arguments = Arguments::at(&request, Shape::Page, 0, TimeZone::UTC).unwrap();
        let durations = durations(&arguments).map_err(|problem| problem.to_string())?;
        Ok((durations.min, durations.max))
    }

    #[test]
    fn a_range_is_read_in_either_unit() {
        for (query, want) in [
            ("min_us=20000&max_us=50000", (20_000, 50_000)),
            ("min_ms=20&max_ms=50.5", (20_000, 50_500)),
            ("min_ms=0%2C5", (500, i64::MAX)),
            ("min_ms=250us&max_ms=1.2+s", (250, 1_200_000)),
            ("", (i64::MIN, i64::MAX)),
        ] {
            assert_eq!(read(query), Ok(want), "{query}");
        }
    }

    #[test]
    fn a_range_that_is_none_is_refused() {
        for query in [
            "min_us=x",
            "max_us=-1",
            "min_ms=x",
            "min_ms=-1ms",
            "min_us=5&max_us=5",
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
