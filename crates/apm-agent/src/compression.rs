//! Several similar exit spans in a row become one composite span (agent specification, "span compression").
//!
//! Each parent keeps at most one ended child back; this module decides what happens when the next one ends. It is pure: the
//! caller holds the parent's lock and reports what is given out.

use std::sync::Arc;
use std::time::Duration;

use crate::outcome::Outcome;
use crate::transaction::finished::{Composite, FinishedSpan, Strategy};

/// The thresholds, as they were when the transaction began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    pub(crate) exact_match: Duration,
    pub(crate) same_kind: Duration,
}

/// What is to be reported now, in this order.
pub(crate) type Released = [Option<FinishedSpan>; 2];

/// A child ended under a parent that has not: keeps it, merges it, or gives out what can no longer be merged.
pub(crate) fn offer(
    kept: &mut Option<FinishedSpan>,
    child: FinishedSpan,
    thresholds: Thresholds,
) -> Released {
    if !eligible(&child) {
        return [kept.take(), Some(child)];
    }
    match kept {
        None => {
            *kept = Some(child);
            [None, None]
        }
        Some(composite) => match merge(composite, &child, thresholds) {
            true => [None, None],
            false => [kept.replace(child), None],
        },
    }
}

fn eligible(span: &FinishedSpan) -> bool {
    span.tail.kind.exit && !span.propagated && span.outcome == Outcome::Success
}

/// Merges `child` into `kept` if they are alike and short enough.
fn merge(kept: &mut FinishedSpan, child: &FinishedSpan, thresholds: Thresholds) -> bool {
    if !same_kind(kept, child) {
        return false;
    }
    let exact = kept.tail.name == child.tail.name;
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
            kept.composite = Some(Composite {
                count: 1,
                sum: kept.duration(),
                strategy,
                renamed,
            });
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
    if let Some(composite) = &mut kept.composite {
        composite.count += 1;
        composite.sum += child.duration();
    }
    kept.end = kept.end.max(child.end);
    true
}

fn same_kind(one: &FinishedSpan, other: &FinishedSpan) -> bool {
    Arc::ptr_eq(&one.tail.kind, &other.tail.kind) || *one.tail.kind == *other.tail.kind
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
