//! The SQL tab: the statements of one trace, alike ones together, with what a repeat costs.

mod between;

use std::collections::HashMap;

use maud::{Markup, html};

use super::rows::{busy, weight};
use crate::analytics::trace::item::{Item, Trace};
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::panel::nothing;
use crate::ui::components::sql;
use crate::ui::components::table::csv;
use crate::ui::number;
use crate::ui::view::View;

/// Calls from which one statement within one request is a finding (reference/ui.md 6.2).
const FINDING: i64 = 5;

fn is_sql(item: &Item) -> bool {
    !item.is_transaction && item.kind == "db"
}

/// How many statements, and their time together, µs.
pub(super) fn total(trace: &Trace) -> (u64, i64) {
    let all = trace.items.iter().filter(|item| is_sql(item));
    all.fold((0, 0), |(count, time), item| {
        (count + weight(item).unsigned_abs(), time + busy(item))
    })
}

#[derive(Default)]
struct Group<'a> {
    text: &'a str,
    fingerprint: Option<&'a str>,
    service: &'a str,
    calls: i64,
    time: i64,
    longest: i64,
    failed: i64,
}

/// The tab.
pub(super) fn tab(trace: &Trace, view: &View) -> Markup {
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut groups: HashMap<(&str, &str), Group<'_>> = HashMap::new();
    for item in trace.items.iter().filter(|item| is_sql(item)) {
        let text = if item.statement.is_empty() {
            item.name.as_str()
        } else {
            item.statement.as_str()
        };
        let key = (item.service.as_str(), text);
        let group = groups.entry(key).or_insert_with(|| {
            order.push(key);
            Group {
                text,
                fingerprint: item.fingerprint.as_deref(),
                service: &item.service,
                ..Group::default()
            }
        });
        group.calls += weight(item);
        group.time += busy(item);
        group.longest = group.longest.max(item.duration / weight(item).max(1));
        group.failed += i64::from(item.outcome == "failure");
    }
    if order.is_empty() {
        return nothing("No SQL", "No statement was recorded in this trace.");
    }
    let mut list: Vec<&Group<'_>> = order.iter().filter_map(|key| groups.get(key)).collect();
    list.sort_by_key(|group| std::cmp::Reverse(group.time));
    let widest = list.first().map_or(0, |group| group.time) as f64;
    let all: i64 = list.iter().map(|group| group.time).sum();
    html! {
        div.wide { table.table.table--lines {
            caption.sr { "SQL statements of this trace by total time" }
            thead { tr { th scope="col" { "Statement" } th.num.num--bare scope="col" { "Calls" } th.num scope="col" aria-sort="descending" { "Total ↓" } th.num scope="col" { "Share of SQL" } th.num scope="col" { "Average" } th.num scope="col" { "Longest" } } }
            tbody { @for group in &list { (row(group, widest, all, view)) } }
        } }
        (csv("SQL statements of this trace by total time"))
        (between::table(&between::of(trace)))
    }
}

fn row(group: &Group<'_>, widest: f64, all: i64, view: &View) -> Markup {
    let share = (all > 0).then(|| group.time as f64 / all as f64);
    let widest = if all > 0 { widest / all as f64 } else { 0.0 };
    html! {
        tr {
            th.grow scope="row" {
                span.qtext {
                    @match group.fingerprint {
                        Some(fingerprint) => a.plain href=(view.to(&["queries", fingerprint])) { code.sql title=(group.text) { (sql::highlight(group.text)) } },
                        None => code.sql title=(group.text) { (sql::highlight(group.text)) },
                    }
                    span.qsub {
                        span.dim { (group.service) }
                        @if group.calls >= FINDING { (flag(Tone::Warn, &format!("repeated {}×", group.calls))) }
                        @if group.failed > 0 { (flag(Tone::Bad, &format!("{} failed", group.failed))) }
                    }
                }
            }
            (cells::count(group.calls.unsigned_abs()))
            (cells::duration(Some(group.time as f64)))
            (cells::share(share, widest, "fill-db"))
            (cells::duration((group.calls > 0).then(|| group.time as f64 / group.calls as f64)))
            (cells::figure(Some(number::duration(group.longest as f64))))
        }
    }
}
