//! The statistics tab: a trace by operation, so that many short spans are seen as one cost.

use maud::{Markup, html};

use crate::answers::trace::look::Looked;
use crate::answers::trace::operations::Operation;
use crate::ui::components::cells::{self, keyed};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::components::waterfall::type_class;
use crate::ui::pages::pager;
use crate::ui::view::View;

const COLUMNS: [Column; 7] = [
    Column::text("Operation").by("name"),
    Column::text("Service").by("service"),
    Column::bare("Count").by("count"),
    Column::figure("Total").by("total"),
    Column::figure("Self time").by("self"),
    Column::figure("Average").by("avg"),
    Column::figure("Longest").by("max"),
];

/// The tab.
pub(super) fn tab(view: &View, looked: &Looked) -> Markup {
    let (Some(list), Some(page)) = (&looked.operations, &looked.tab_rows) else {
        return html! {};
    };
    let class = |one: &Operation| match one.is_transaction {
        true => "t-app",
        false => type_class(&one.kind),
    };
    let rows = html! {
        @for one in list {
            tr {
                th.grow scope="row" { (keyed(class(one), &one.name)) }
                td.soft title=(one.service) { (one.service) }
                (cells::count(one.count.unsigned_abs()))
                (cells::duration(Some(one.total as f64)))
                (cells::duration(Some(one.self_time as f64)))
                (cells::duration(Some(one.average)))
                (cells::duration(Some(one.longest as f64)))
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Operations of this trace",
        name: "operations",
        columns: &COLUMNS,
        sort: looked.sort,
    };
    html! {
        (framed(view, frame, rows))
        (pager(view, page, "time", false))
    }
}
