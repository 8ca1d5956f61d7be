//! The number of events that came since a list was made.

use std::collections::HashSet;

use apm_time::Range;

use crate::analytics::discover::{self, Cursor, Request};
use crate::analytics::engine_query::EngineQuery;
use crate::answers::{Problem, Source, elsewhere};

/// µs of the times that an engine knows.
const MILLISECOND: i64 = 1000;

/// Matching events that are newer than the newest of a list, here and on other servers.
///
/// An engine knows milliseconds. Events of other servers in the millisecond of the newest one do not count. Where the
/// engine cannot tell what matches, or does not answer, the number is that of here.
pub(super) fn newer(
    source: &mut Source<'_>,
    request: &Request,
    hold: Cursor,
) -> Result<u64, Problem> {
    let from = hold.timestamp.saturating_add(1);
    if from >= request.range.to {
        return Ok(0);
    }
    let since = |from| Request {
        range: Range {
            from,
            ..request.range
        },
        size: 0,
        after: None,
        ..request.clone()
    };
    let mut found = discover::search(source.conn, &since(from))?;
    let next = (hold.timestamp.div_euclid(MILLISECOND) + 1) * MILLISECOND;
    if next < request.range.to && EngineQuery::new(&request.query).exact {
        let interval = Some(found.axis.interval);
        let here = HashSet::new();
        let others =
            elsewhere::others(source.conn, source.settings, &since(next), &here, interval)?;
        if let Some(others) = others {
            others.join(&mut found, 0);
        }
    }
    Ok(found.total)
}
