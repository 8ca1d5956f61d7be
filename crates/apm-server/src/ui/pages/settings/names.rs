//! The number of names that are kept apart, and of those that are counted as `_other`.

use apm_store::{NameKind, OTHER};
use maud::{Markup, html};

use crate::answers::settings::Names;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::href::Href;
use crate::ui::number::grouped;
use crate::ui::view::View;

const COLUMNS: [Column; 5] = [
    Column::text("Names of"),
    Column::bare("Kept"),
    Column::bare("Limit per service"),
    Column::bare("In all"),
    Column::bare("Events beyond"),
];

pub(super) fn panel(view: &View, names: &[Names]) -> Markup {
    let frame = Frame {
        class: "",
        caption: "Names by kind",
        name: "names",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        section.panel #names {
            div.panel-head { h2 { "Names" } span.note { "names beyond a limit are counted as " code { (OTHER) } } }
            (framed(view, frame, html! { @for one in names { (row(one)) } }))
            p.panel-foot {
                "An event whose name is beyond a limit is still stored. Its document has the name that was sent, under "
                code { "overflow" } ". A label beyond the limit is listed under " code { "overflow.labels" }
                ", and cannot be searched. The usual cause is an id in a name. Use a placeholder in the names of such "
                "transactions, or raise the limit with " code { "--apm-max-names" } ". Names are free again when their "
                "events are deleted. The last column counts since the start of the server."
            }
        }
    }
}

fn row(names: &Names) -> Markup {
    let limit = |limit: Option<usize>| {
        limit.map_or_else(|| "none".to_owned(), |limit| grouped(limit as u64))
    };
    let own = match (names.of, names.total_limit) {
        (NameKind::Service, Some(_)) => "–".to_owned(),
        _ => limit(names.service_limit),
    };
    html! {
        tr {
            th scope="row" {
                (words(names.of))
                @if !names.full.is_empty() {
                    " " span.dim {
                        "full: "
                        @for (place, service) in names.full.iter().enumerate() {
                            @if place > 0 { ", " }
                            a href=(Href::to(&["services", service])) { bdi { (service) } }
                        }
                    }
                }
            }
            td.num { @match names.count { Some(count) => (grouped(count.unsigned_abs())), None => "–" } }
            td.num.soft { (own) }
            td.num.soft { (limit(names.total_limit)) }
            td.num {
                @match names.events_beyond {
                    0 => "0",
                    beyond => { span.failed { (grouped(beyond)) } }
                }
            }
        }
    }
}

fn words(kind: NameKind) -> &'static str {
    match kind {
        NameKind::Service => "Services",
        NameKind::Transaction => "Transactions",
        NameKind::Result => "Results",
        NameKind::Destination => "Dependencies",
        NameKind::Statement => "Statements",
        NameKind::Error => "Errors",
        NameKind::Metric => "Metrics",
        NameKind::SelfTime => "Span types",
        NameKind::Label => "Labels",
        NameKind::Series => "Series of metrics",
        NameKind::Instance => "Instances",
    }
}
