//! Log lines of which some are stored here and others on other servers.

use diesel::SqliteConnection;
use kql::Expr;

use super::page::{Wanted, others_of};
use super::{Elsewhere, Problem, Settings};
use crate::analytics::discover::logs::{Logs, Severity};
use crate::analytics::discover::{Found, MOST_HITS, Request, all_of};

/// Documents that are log lines; those that tell of an error are indexed as errors that have no id.
const LINES: &str = "(not processor.event: *) or processor.event: log or (processor.event: error and not error.id: *)";

/// Adds the lines that the engine has, and that are not stored here. `only`: the severity of the lines; the counts are
/// of all.
///
/// # Errors
/// Those of the store.
pub(crate) fn join_lines(
    conn: &mut SqliteConnection,
    settings: &Settings,
    request: &Request,
    only: Option<Severity>,
    logs: &mut Logs,
) -> Result<Elsewhere, Problem> {
    // Our own text always parses.
    let lines = kql::parse(LINES, 0).unwrap_or(Expr::All);
    let of_lines = Request {
        query: all_of([lines, request.query.clone()]),
        ..request.clone()
    };
    let here = logs.hits.iter().map(|hit| hit.seq).collect();
    let wanted = Wanted {
        request: &of_lines,
        narrow: &only.map_or(Expr::All, Severity::query),
        here: &here,
        interval: Some(logs.axis.interval),
        by: Some("log.level"),
    };
    let Some(mut others) = others_of(conn, settings, &wanted)? else {
        return Ok(Elsewhere::default());
    };
    logs.add_at_least(std::mem::take(&mut others.values));
    let mut found = Found {
        total: 0,
        complete: logs.complete,
        hits: std::mem::take(&mut logs.hits),
        next: logs.next,
        histogram: Vec::new(),
        axis: logs.axis.clone(),
    };
    let elsewhere = others.join(&mut found, request.size.min(MOST_HITS));
    logs.hits = found.hits;
    logs.next = found.next;
    logs.complete = found.complete;
    Ok(elsewhere)
}
