//! Documents grouped by a field: how many have each value, and how long they took.

use maud::{Markup, html};

use crate::analytics::discover::{Group, Groups};
use crate::ui::budget::each;
use crate::ui::components::cells;
use crate::ui::components::controls::plus_minus;
use crate::ui::components::panel::{nothing, panel as framed};
use crate::ui::components::table::{Column, Frame, framed as table_framed};
use crate::ui::number::{compact, duration};
use crate::ui::view::{View, quoted};
use crate::ui::words;

pub(super) fn panel(view: &View, groups: &Groups) -> Markup {
    let note = html! {
        (words::count(groups.groups.len() as u64, "value", "values"))
        @if groups.other == 1 { ", 1 document has another" }
        @if groups.other > 1 { ", " (compact(groups.other)) " documents have others" }
        @if !groups.complete { ", of the documents looked at in time" }
    };
    let aside = html! {
        (super::hits::group_form(view, Some(&groups.field)))
        a.btn.btn--small href=(view.here().without("group")) { "Show documents" }
    };
    if groups.groups.is_empty() {
        return framed(
            &format!("By {}", groups.field),
            note,
            aside,
            nothing("No values", "No document has this field."),
        );
    }
    let widest = groups
        .groups
        .iter()
        .map(|group| group.count)
        .max()
        .unwrap_or(0) as f64
        / groups.total.max(1) as f64;
    let row = |group: &Group| {
        let shown = group.value.as_deref().unwrap_or("not set");
        let (only, without) = match &group.value {
            Some(value) => (
                format!("{}: {}", groups.field, quoted(value)),
                format!("not {}: {}", groups.field, quoted(value)),
            ),
            None => (
                format!("not {}: *", groups.field),
                format!("{}: *", groups.field),
            ),
        };
        html! {
            tr {
                td.act { (plus_minus(shown, view.filtered(&only).without("group"), view.filtered(&without))) }
                th.grow scope="row" {
                    a class=[group.value.is_none().then_some("dim")] href=(view.filtered(&only).without("group"))
                        title=(shown) {
                        (if shown.is_empty() { "(empty)" } else { shown })
                    }
                }
                (cells::count(group.count))
                (cells::share(Some(group.count as f64 / groups.total.max(1) as f64), widest, "fill"))
                (cells::figure(group.duration_avg.map(duration)))
                (cells::figure(group.duration_max.map(duration)))
            }
        }
    };
    let columns = [
        Column::text("Filter"),
        Column::text("Value"),
        Column::bare("Documents"),
        Column::figure("Share"),
        Column::figure("Avg duration"),
        Column::figure("Longest"),
    ];
    let frame = Frame {
        class: "",
        caption: &format!("Documents by {}", groups.field),
        name: "groups",
        columns: &columns,
        sort: None,
    };
    let rows = each(&groups.groups, row);
    let table = table_framed(view, frame, rows);
    framed(&format!("By {}", groups.field), note, aside, table)
}
