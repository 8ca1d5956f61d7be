//! Growth since the last value of the same process, of metrics that count from a start.
//!
//! A process may report to several servers. Each takes the readings of the others in between its own: the growth is the
//! same wherever a reading arrived, and one that comes late adds nothing, because the next one holds it (ADR 456).

use diesel::prelude::*;

use super::growth::{added, since};
use super::state::{load, save};
use crate::event::MetricKind;
use crate::rollup::{Increase, MetricRollup, Owner, Point, Reading};

/// Counts what a reading grew by. Gives back whether it is the last one of its process now: it is not where it came
/// late or twice.
pub(super) fn grow(
    conn: &mut SqliteConnection,
    grown: &mut MetricRollup,
    kind: MetricKind,
    owner: Owner,
    now: &Point,
) -> QueryResult<bool> {
    let last = load(conn, owner, now.start)?;
    if let Some(increase) = since(last.as_ref(), now) {
        count(grown, kind, owner.series, now.ts, &increase);
    }
    keep(conn, owner, last.as_ref(), now)
}

/// The increase since the last report. A delta tells its start, so that only one without it needs the last report.
pub(super) fn delta(
    conn: &mut SqliteConnection,
    owner: Owner,
    now: &Point,
) -> QueryResult<Option<Increase>> {
    if now.start > 0 {
        return Ok(added(None, now));
    }
    let last = load(conn, owner, 0)?;
    let increase = added(last.as_ref(), now);
    let kept = Point {
        bins: Vec::new(),
        ..*now
    };
    keep(conn, owner, last.as_ref(), &kept)?;
    Ok(increase)
}

/// Adds what a counter or distribution grew by until `ts`.
pub(super) fn count(
    metrics: &mut MetricRollup,
    kind: MetricKind,
    series: i64,
    ts: i64,
    increase: &Increase,
) {
    match kind {
        MetricKind::Histogram | MetricKind::Summary => metrics.distribution(series, ts, increase),
        _ => metrics.increase(series, ts, increase),
    }
}

/// Takes a reading of another server; what it grew by is added to `grown`.
pub(crate) fn follow_reading(
    conn: &mut SqliteConnection,
    grown: &mut MetricRollup,
    kind: MetricKind,
    Reading { owner, point }: &Reading,
) -> QueryResult<()> {
    match kind {
        MetricKind::Counter | MetricKind::Histogram | MetricKind::Summary => {
            grow(conn, grown, kind, *owner, point).map(drop)
        }
        // A sum of what was added. Its values were counted as those of a gauge where they came.
        MetricKind::UpDown => {
            let last = load(conn, *owner, point.start)?;
            keep(conn, *owner, last.as_ref(), point).map(drop)
        }
        MetricKind::Gauge | MetricKind::Quantile => Ok(()),
    }
}

/// Keeps a value where it is later than the last one. Gives back whether it is.
pub(super) fn keep(
    conn: &mut SqliteConnection,
    owner: Owner,
    last: Option<&Point>,
    now: &Point,
) -> QueryResult<bool> {
    let is_last = last.is_none_or(|last| now.ts > last.ts);
    if is_last {
        save(conn, owner, now, last.is_none())?;
    }
    Ok(is_last)
}
