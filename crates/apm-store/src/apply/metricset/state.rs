//! The last value of what is counted, as it is stored from one commit to the next.
//!
//! It is read and written by its key, so that a sample costs the same however many there are.

use diesel::prelude::*;
use diesel::{delete, replace_into};

use crate::rollup::{Owner, Point};
use crate::schema::metric_state;

/// The age at which the last value of another start of the same process is of no use, µs.
const OLD: i64 = 6 * 3_600_000_000;

/// Bytes of a bar: its bin and its count.
const BAR: usize = 12;

/// The last value of a start.
pub(super) fn load(
    conn: &mut SqliteConnection,
    owner: Owner,
    start: i64,
) -> QueryResult<Option<Point>> {
    type Row = (i64, f64, f64, Vec<u8>);
    let row: Option<Row> = metric_state::table
        .find((owner.series, owner.process, start))
        .select((
            metric_state::ts,
            metric_state::count,
            metric_state::sum,
            metric_state::bins,
        ))
        .get_result(conn)
        .optional()?;
    Ok(row.map(|(ts, count, sum, bins)| Point {
        start,
        ts,
        count,
        sum,
        bins: unpack(&bins),
    }))
}

/// Keeps a value; `is_new`: there was none of its start, so that those of earlier ones may be of no use any more.
pub(super) fn save(
    conn: &mut SqliteConnection,
    owner: Owner,
    point: &Point,
    is_new: bool,
) -> QueryResult<()> {
    // Earlier starts are looked for when a process begins anew, not with each sample.
    if is_new {
        let of_owner = metric_state::series_id
            .eq(owner.series)
            .and(metric_state::process.eq(owner.process));
        delete(
            metric_state::table
                .filter(of_owner)
                .filter(metric_state::ts.lt(point.ts.saturating_sub(OLD))),
        )
        .execute(conn)?;
    }
    replace_into(metric_state::table)
        .values((
            metric_state::series_id.eq(owner.series),
            metric_state::process.eq(owner.process),
            metric_state::start.eq(point.start),
            metric_state::ts.eq(point.ts),
            metric_state::count.eq(point.count),
            metric_state::sum.eq(point.sum),
            metric_state::bins.eq(pack(&point.bins)),
        ))
        .execute(conn)?;
    Ok(())
}

fn pack(bins: &[(i32, f64)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bins.len() * BAR);
    for (bin, count) in bins {
        out.extend_from_slice(&bin.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
    }
    out
}

fn unpack(bytes: &[u8]) -> Vec<(i32, f64)> {
    let bar = |bar: &[u8]| {
        let (bin, count) = bar.split_at(4);
        let bin = i32::from_le_bytes(bin.try_into().expect("four bytes"));
        let count = f64::from_le_bytes(count.try_into().expect("eight bytes"));
        (bin, count)
    };
    bytes.chunks_exact(BAR).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_come_back_as_they_were_packed() {
        let bins = [(-240_000, 0.5), (-100_000, 1e290), (35_814, 3.0)];
        assert_eq!(unpack(&pack(&bins)), bins);
    }
}
