//! The SQL tab: the statements of one trace, alike ones together, with what a repeat costs.

mod between;

use std::collections::HashMap;

use apm_store::StoreError;
use maud::{Markup, html};

use super::rows::{busy, weight};
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::Item;
use crate::analytics::trace::read;
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::panel::nothing;
use crate::ui::components::sql;
use crate::ui::components::table::csv;
use crate::ui::number;
use crate::ui::pages::{Ask, beyond, shown};
use crate::ui::view::View;

/// Calls from which one statement within one request is a finding.
const FINDING: i64 = 5;

fn is_sql(item: &Item) -> bool {
    !item.is_transaction && &*item.what.kind == "db"
}

/// How many statements, and their time together, µs.
pub(super) fn total(trace: &Trace) -> (u64, i64) {
    let all = trace.items.iter().filter(|item| is_sql(item));
    all.fold((0, 0), |(count, time), item| {
        (count + weight(item).unsigned_abs(), time + busy(item))
    })
}

/// Letters of a statement in its row; all of it is on its own page.
const MOST_LETTERS: usize = 300;

struct Group<'a> {
    /// One of its calls.
    item: &'a Item,
    calls: i64,
    time: i64,
    longest: i64,
    failed: i64,
}

impl Group<'_> {
    /// The statement, or what stands for it where there is none.
    fn text<'t>(&'t self, texts: &'t HashMap<i64, String>) -> &'t str {
        let text = self.item.what.statement.and_then(|id| texts.get(&id));
        let text = text.map_or(&*self.item.what.name, String::as_str);
        let end = text.char_indices().nth(MOST_LETTERS);
        end.map_or(text, |(end, _)| &text[..end])
    }
}

/// The statements of a trace, those of one text and service together, most time first.
fn groups(trace: &Trace) -> Vec<Group<'_>> {
    let mut places: HashMap<(&str, Option<i64>, &str), usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for item in trace.items.iter().filter(|item| is_sql(item)) {
        let what = &item.what;
        let name = match what.fingerprint {
            Some(_) => "",
            None => &*what.name,
        };
        let place = *places
            .entry((&what.service, what.fingerprint, name))
            .or_insert_with(|| {
                groups.push(Group {
                    item,
                    calls: 0,
                    time: 0,
                    longest: 0,
                    failed: 0,
                });
                groups.len() - 1
            });
        let group = &mut groups[place];
        group.calls = group.calls.saturating_add(weight(item));
        group.time = group.time.saturating_add(busy(item));
        group.longest = group.longest.max(item.duration / weight(item).max(1));
        group.failed += i64::from(item.failed());
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.time));
    groups
}

/// The tab.
pub(super) fn tab(trace: &Trace, ask: &mut Ask<'_>) -> Result<Markup, StoreError> {
    let groups = groups(trace);
    if groups.is_empty() {
        return Ok(nothing(
            "No SQL",
            "No statement was recorded in this trace.",
        ));
    }
    let view = ask.view;
    let widest = groups.first().map_or(0, |group| group.time) as f64;
    let all = groups.iter().map(|group| group.time);
    let all = all.fold(0i64, i64::saturating_add);
    let listed = groups.len().min(MOST);
    let part = &groups[shown(view, listed)];
    let texts = read::statements(ask.conn, part.iter().map(|group| group.item))?;
    let rows = html! { @for group in part { (row(group, group.text(&texts), widest, all, view)) } };
    Ok(html! {
        div.wide { table.table.table--lines {
            caption.sr { "SQL statements of this trace by total time" }
            thead { tr { th scope="col" { "Statement" } th.num.num--bare scope="col" { "Calls" } th.num scope="col" aria-sort="descending" { "Total ↓" } th.num scope="col" { "Share of SQL" } th.num scope="col" { "Average" } th.num scope="col" { "Longest" } } }
            tbody { (rows) }
        } }
        (csv("SQL statements of this trace by total time"))
        (beyond(view, (listed, groups.len() - listed), "time", false))
        (between::table(&between::of(trace)))
    })
}

/// Statements that are listed, also in a file.
const MOST: usize = 5_000;

fn row(group: &Group<'_>, text: &str, widest: f64, all: i64, view: &View) -> Markup {
    let share = (all > 0).then(|| group.time as f64 / all as f64);
    let widest = if all > 0 { widest / all as f64 } else { 0.0 };
    html! {
        tr {
            th.grow scope="row" {
                span.qtext {
                    @match group.item.what.fingerprint() {
                        Some(fingerprint) => a.plain href=(view.to(&["queries", &fingerprint])) { code.sql title=(text) { (sql::highlight(text)) } },
                        None => code.sql title=(text) { (sql::highlight(text)) },
                    }
                    span.qsub {
                        span.dim { (group.item.what.service) }
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
