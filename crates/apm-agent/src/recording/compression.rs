//! Several similar exit spans in a row become one composite span (agent specification, "span compression").
//!
//! Each parent keeps at most one ended child back; this module decides what happens when the next one ends. It is pure:
//! the caller holds the parent's lock and reports what is given out.

use std::sync::Arc;
use std::time::Duration;

use crate::recording::binds::Binds;
use crate::recording::finished_span::{Composite, FinishedSpan, LastMerged, Strategy};
use crate::recording::outcome::Outcome;

/// The settings, as they were when the transaction began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    pub(crate) enabled: bool,
    pub(crate) exact_match: Duration,
    pub(crate) same_kind: Duration,
}

/// A child ended under a parent that has not: keeps it, merges it, or gives out what can no longer be merged. `report`
/// gets what is to be reported now, in this order. Inlined, and so are those that pass the child on: it is large, and
/// is made where it is moved from.
#[inline]
pub(crate) fn offer(
    kept: &mut Option<FinishedSpan>,
    ended: FinishedSpan,
    thresholds: Thresholds,
    mut report: impl FnMut(FinishedSpan),
) {
    if let Some(before) = kept
        && merges(before, &ended, thresholds)
    {
        return;
    }
    if let Some(before) = kept.take() {
        report(before);
    }
    if keeps(&ended, thresholds) {
        *kept = Some(ended);
    } else {
        report(ended);
    }
}

/// Whether a span went well and left no trace elsewhere: it may be merged, or left out for being fast.
pub(crate) fn eligible(span: &FinishedSpan) -> bool {
    span.tail.kind.exit && !span.propagated && span.outcome == Outcome::Success
}

/// Whether a child that has ended is kept back. A query is in any case: its caller may still say that it failed.
#[inline]
pub(crate) fn keeps(ended: &FinishedSpan, thresholds: Thresholds) -> bool {
    if thresholds.enabled {
        eligible(ended)
    } else {
        ended.tail.is_query()
    }
}

/// Merges `child` into the one that is kept back, if compression is wanted and they are alike and short enough.
#[inline]
pub(crate) fn merges(
    kept: &mut FinishedSpan,
    child: &FinishedSpan,
    thresholds: Thresholds,
) -> bool {
    thresholds.enabled && eligible(child) && merge(kept, child, thresholds)
}

fn merge(kept: &mut FinishedSpan, child: &FinishedSpan, thresholds: Thresholds) -> bool {
    if !same_kind(kept, child) {
        return false;
    }
    let exact = kept.tail.name == child.tail.name && same_statement(kept, child);
    match &kept.composite {
        None => {
            let (strategy, limit) = match exact {
                true => (Strategy::ExactMatch, thresholds.exact_match),
                false => (Strategy::SameKind, thresholds.same_kind),
            };
            if kept.duration() > limit || child.duration() > limit {
                return false;
            }
            let renamed = (strategy == Strategy::SameKind).then(|| same_kind_name(kept));
            kept.composite = Some(Box::new(Composite {
                count: 1,
                sum: kept.duration(),
                strategy,
                renamed,
                last: None,
            }));
        }
        Some(composite) => {
            let fits = match composite.strategy {
                Strategy::ExactMatch => exact && child.duration() <= thresholds.exact_match,
                Strategy::SameKind => child.duration() <= thresholds.same_kind,
            };
            if !fits {
                return false;
            }
        }
    }
    kept.binds = kept.binds.and(child.binds);
    if let (Some(cost), Some(more)) = (&mut kept.cost, &child.cost) {
        cost.add(more);
    } else {
        // A sum of some would look like that of all.
        kept.cost = None;
    }
    kept.rows = match (kept.rows, child.rows) {
        (Some(rows), Some(more)) => Some(rows.saturating_add(more)),
        (one, other) => one.or(other),
    };
    if let Some(composite) = &mut kept.composite {
        composite.count += 1;
        composite.sum += child.duration();
        composite.last = Some(LastMerged {
            id: child.id,
            start: child.start,
            end: child.end,
            tail: Arc::clone(&child.tail),
            rows: child.rows,
            cost: child.cost,
            end_before: kept.end,
        });
    }
    kept.end = kept.end.max(child.end);
    true
}

/// Says how many rows the query that ended last has changed. A composite keeps its number: the sum, where the database
/// said how many each statement changed, else that of its first.
#[inline]
pub(crate) fn set_rows_of_last_query(kept: Option<&mut FinishedSpan>, rows: usize) {
    if let Some(span) = kept
        && span.composite.is_none()
        && span.tail.is_query()
        && span.tail.changes_rows()
    {
        span.rows = u64::try_from(rows).ok();
    }
}

/// The query that ended last has failed, as its caller found out: takes it out of what it was merged into, and gives
/// out what can be reported now.
pub(crate) fn fail_last_query(
    kept: &mut Option<FinishedSpan>,
    mut report: impl FnMut(FinishedSpan),
) {
    let Some(mut span) = kept.take_if(|span| span.tail.is_query()) else {
        return;
    };
    let Some(composite) = &mut span.composite else {
        span.outcome = Outcome::Failure;
        span.rows = None;
        return report(span);
    };
    let Some(last) = composite.last.take() else {
        return report(span);
    };
    let failed = FinishedSpan {
        id: last.id,
        parent_id: span.parent_id,
        start: last.start,
        end: last.end,
        outcome: Outcome::Failure,
        propagated: false,
        tail: last.tail,
        binds: Binds::Unknown,
        composite: None,
        rows: None,
        cost: last.cost,
        stack: None,
    };
    composite.count -= 1;
    composite.sum = composite.sum.saturating_sub(failed.duration());
    if let (Some(cost), Some(less)) = (&mut span.cost, &last.cost) {
        cost.subtract(less);
    }
    if let (Some(rows), Some(less)) = (&mut span.rows, last.rows) {
        *rows = rows.saturating_sub(less);
    }
    span.end = last.end_before;
    // One call alone is a plain span again, under its own name.
    if composite.count == 1 {
        span.composite = None;
    }
    report(span);
    report(failed);
}

fn same_kind(one: &FinishedSpan, other: &FinishedSpan) -> bool {
    Arc::ptr_eq(&one.tail.kind, &other.tail.kind) || *one.tail.kind == *other.tail.kind
}

/// Whether two spans of one name are the same call. Queries are named after their verb and table, so the statements are
/// compared too: as one span, twelve different SELECTs on a table would look like one that ran twelve times.
fn same_statement(one: &FinishedSpan, other: &FinishedSpan) -> bool {
    !one.tail.is_query() || Arc::ptr_eq(&one.tail, &other.tail) || one.tail.is_same(&other.tail)
}

/// `Calls to sqlite/people.db`.
fn same_kind_name(span: &FinishedSpan) -> Box<str> {
    let target = span.tail.kind.target.as_ref();
    let kind = target.and_then(|target| target.kind.as_deref());
    let name = target.and_then(|target| target.name.as_deref());
    match (kind, name) {
        (Some(kind), Some(name)) => format!("Calls to {kind}/{name}"),
        (Some(one), None) | (None, Some(one)) => format!("Calls to {one}"),
        (None, None) => "Calls to unknown".to_owned(),
    }
    .into()
}

#[cfg(test)]
mod tests;
