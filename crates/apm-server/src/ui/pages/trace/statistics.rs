//! The statistics tab: a trace by operation, so that many short spans are seen as one cost.

use std::collections::HashMap;

use maud::{Markup, html};

use super::rows::{busy, class, weight};
use crate::analytics::trace::Trace;
use crate::ui::components::cells::{self, swatch};
use crate::ui::components::table::{Column, Sort, table};
use crate::ui::pages::transactions::named;
use crate::ui::pages::{beyond, shown};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 7] = [
    Column::text("Operation", "name"),
    Column::text("Service", "service"),
    Column::bare("Count", "count"),
    Column::figure("Total", "total"),
    Column::figure("Self time", "self"),
    Column::figure("Average", "avg"),
    Column::figure("Longest", "max"),
];

struct Operation<'a> {
    name: &'a str,
    service: &'a str,
    class: &'static str,
    count: i64,
    total: i64,
    own: i64,
    longest: i64,
}

impl Operation<'_> {
    fn average(&self) -> f64 {
        self.total as f64 / self.count.max(1) as f64
    }
}

/// Letters of a name in its row.
const MOST_LETTERS: usize = 200;

/// The tab.
pub(super) fn tab(view: &View, trace: &Trace) -> Markup {
    let mut list: Vec<Operation<'_>> = Vec::new();
    let mut places: HashMap<(&str, &str, &str), usize> = HashMap::new();
    for item in &trace.items {
        let place = *places
            .entry((&item.what.service, &item.what.kind, &item.what.name))
            .or_insert_with(|| {
                list.push(Operation {
                    name: named(&item.what.name),
                    service: &item.what.service,
                    class: class(item),
                    count: 0,
                    total: 0,
                    own: 0,
                    longest: 0,
                });
                list.len() - 1
            });
        let operation = &mut list[place];
        operation.count = operation.count.saturating_add(weight(item));
        operation.total = operation.total.saturating_add(busy(item));
        // A composite's own time is that of its calls: the pauses between them are its parent's.
        operation.own += item.composite().map_or(item.self_time, |composite| {
            composite.sum.min(item.self_time)
        });
        operation.longest = operation.longest.max(item.duration / weight(item).max(1));
    }
    let sort = Sort::of(view, &COLUMNS, "-self");
    list.sort_by(|a, b| match sort.key {
        "name" => sort.compare_text(a.name, b.name),
        "service" => sort.compare_text(a.service, b.service),
        "count" => sort.compare(Some(a.count as f64), Some(b.count as f64)),
        "total" => sort.compare(Some(a.total as f64), Some(b.total as f64)),
        "avg" => sort.compare(Some(a.average()), Some(b.average())),
        "max" => sort.compare(Some(a.longest as f64), Some(b.longest as f64)),
        _ => sort.compare(Some(a.own as f64), Some(b.own as f64)),
    });
    let range = shown(view, list.len());
    let rows = html! {
        @for one in &list[range] { tr {
            @let name = words::cut(one.name, MOST_LETTERS);
            th.grow scope="row" { span.row.row--c { (swatch(one.class)) span title=(name) { (name) } } }
            td.soft { (one.service) }
            (cells::count(one.count.unsigned_abs()))
            (cells::duration(Some(one.total as f64)))
            (cells::duration(Some(one.own as f64)))
            (cells::duration(Some(one.average())))
            (cells::duration(Some(one.longest as f64)))
        } }
    };
    html! {
        (table(view, "", "Operations of this trace", &COLUMNS, &sort, rows))
        (beyond(view, (list.len(), 0), "time", false))
    }
}
