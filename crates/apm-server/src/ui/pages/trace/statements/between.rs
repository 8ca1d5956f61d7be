//! Where the time between the statements of a trace went: stretches of its requests that no span covers, named by what came
//! before them.
//!
//! Agents often time the statement and not the fetching of its rows: a long stretch after a SELECT says so.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{busy, is_sql};
use crate::analytics::trace::Trace;
use crate::analytics::trace::cover::{Interval, uncovered};
use crate::analytics::trace::item::Item;
use crate::analytics::trace::tree::Children;
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::table::csv;
use crate::ui::pages::transactions::named;

/// A stretch this many times as long as the SELECT before it is where its rows were read.
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
    (item.at, item.end())
}

/// The stretches of each request that runs statements, longest first.
pub(super) fn of(trace: &Trace) -> Vec<Gap> {
    // The spans of each request.
    let spans = Children::of(trace.items.len(), |index| {
        let item = &trace.items[index];
        item.transaction
            .filter(|_| !item.is_transaction && !item.is_far)
    });
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut gaps: Vec<Gap> = Vec::new();
    for (index, tx) in trace.items.iter().enumerate() {
        let own = spans.below(index).iter();
        let own: Vec<&Item> = own.map(|span| &trace.items[*span as usize]).collect();
        if !own.iter().any(|item| is_sql(item)) {
            continue;
        }
        // Of a span and its child that end together, the child is what ran.
        let mut ends: HashMap<i64, &Item> = HashMap::new();
        for item in &own {
            let last = ends.entry(item.end()).or_insert(item);
            if item.duration < last.duration {
                *last = item;
            }
        }
        let intervals = own.iter().map(|item| interval(item));
        for (from, to) in uncovered(interval(tx), intervals) {
            let before = ends.get(&from).copied();
            let after = match before {
                Some(item) => format!("after {}", named(&item.what.name)),
                None => "before the first span".to_owned(),
            };
            let place = *places.entry(after).or_insert_with_key(|after| {
                gaps.push(Gap {
                    after: after.clone(),
                    follows_select: before
                        .is_some_and(|item| is_sql(item) && item.what.name.starts_with("SELECT")),
                    ..Gap::default()
                });
                gaps.len() - 1
            });
            let gap = &mut gaps[place];
            gap.count += 1;
            gap.time += to - from;
            gap.before += before.map_or(0, busy);
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
