//! Where the time between the statements of a trace went: stretches of its requests that no span covers, named by what came
//! before them.
//!
//! Agents often time the statement and not the fetching of its rows: a long stretch after a SELECT says so.

use maud::{Markup, html};

use super::{busy, is_sql};
use crate::analytics::trace::cover::{Interval, uncovered};
use crate::analytics::trace::item::{Item, Trace};
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::table::csv;
use crate::ui::pages::transactions::named;

/// A stretch this many times as long as the SELECT before it is where its rows were read (reference/ui.md 6.6).
const FETCHING: i64 = 5;

/// Shorter ones are within what clocks tell, µs.
const LEAST: i64 = 1_000;

/// Stretches that came after the same.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gap {
    after: String,
    count: u64,
    time: i64,
    /// The time of the spans before them, µs.
    before: i64,
    follows_select: bool,
}

impl Gap {
    fn is_fetching(&self) -> bool {
        self.follows_select && self.time >= LEAST && self.time > FETCHING * self.before
    }
}

fn interval(item: &Item) -> Interval {
    (item.at, item.at.saturating_add(item.duration))
}

/// The stretches of each request that runs statements, longest first.
pub(super) fn of(trace: &Trace) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for tx in trace.items.iter().filter(|item| item.is_transaction) {
        let own: Vec<&Item> = trace
            .items
            .iter()
            .filter(|item| !item.is_transaction && item.transaction_id.as_ref() == Some(&tx.id))
            .collect();
        if !own.iter().any(|item| is_sql(item)) {
            continue;
        }
        let intervals = own.iter().map(|item| interval(item));
        for (from, to) in uncovered(interval(tx), intervals) {
            let before = own.iter().filter(|item| interval(item).1 == from);
            // Of a span and its child that end together, the child is what ran.
            let before = before.min_by_key(|item| item.duration);
            let after = match before {
                Some(item) => format!("after {}", named(&item.name)),
                None => "before the first span".to_owned(),
            };
            let known = gaps.iter().position(|gap| gap.after == after);
            let index = known.unwrap_or_else(|| {
                gaps.push(Gap {
                    after,
                    follows_select: before
                        .is_some_and(|item| is_sql(item) && item.name.starts_with("SELECT")),
                    ..Gap::default()
                });
                gaps.len() - 1
            });
            let gap = &mut gaps[index];
            gap.count += 1;
            gap.time += to - from;
            gap.before += before.map_or(0, |item| busy(item));
        }
    }
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.time));
    gaps
}

pub(super) fn table(gaps: &[Gap]) -> Markup {
    let all: i64 = gaps.iter().map(|gap| gap.time).sum();
    let share = |gap: &Gap| (all > 0).then(|| gap.time as f64 / all as f64);
    let widest = gaps.first().and_then(share).unwrap_or(0.0);
    html! {
        @if !gaps.is_empty() {
            div.wide { table.table {
                caption { "Not covered by any span" }
                thead { tr { th scope="col" { "Where" } th.num.num--bare scope="col" { "Times" } th.num scope="col" { "Total" } th.num scope="col" { "Share" } } }
                tbody { @for gap in gaps.iter().take(20) {
                    tr {
                        th.grow scope="row" { (gap.after) @if gap.is_fetching() { " " (flag(Tone::Warn, "rows are read after the span")) } }
                        (cells::count(gap.count))
                        (cells::duration(Some(gap.time as f64)))
                        (cells::share(share(gap), widest, "fill"))
                    }
                } }
            } }
            (csv("Not covered by any span"))
        }
    }
}
