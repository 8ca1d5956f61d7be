//! How many names are kept apart, and what is counted as `_other`.

use apm_store::{NameKind, NameLimits, OTHER, StoreStats};
use maud::{Markup, html};

use crate::analytics::names::Names;
use crate::ui::components::table::csv;
use crate::ui::href::Href;
use crate::ui::number::grouped;

pub(super) fn panel(names: &[Names], limits: &NameLimits, stats: &StoreStats) -> Markup {
    html! {
        section.panel #names {
            div.panel-head { h2 { "Names" } span.note { "what is beyond a limit is counted as " code { (OTHER) } } }
            div.wide { table.table {
                caption.sr { "Names by kind" }
                thead { tr {
                    th scope="col" { "Names of" }
                    th.num.num--bare scope="col" { "Kept" }
                    th.num.num--bare scope="col" { "Limit per service" }
                    th.num.num--bare scope="col" { "In all" }
                    th.num.num--bare scope="col" title="Events since the start whose name was beyond a limit" { "Events beyond" }
                } }
                tbody { @for kind in NameKind::ALL { (row(kind, names, limits, stats)) } }
            } }
            (csv("Names by kind"))
            p.panel-foot { "An event whose name is beyond a limit is stored whole: its document has the name that was sent, under " code { "overflow" } ". A label whose name is beyond the limit is listed under " code { "overflow.labels" } " and is no field. The usual cause is an id in a name. Give such transactions a name with a placeholder, or raise the limit with " code { "--apm-max-names" } ". There is room again when the events of old names are gone." }
        }
    }
}

fn row(kind: NameKind, names: &[Names], limits: &NameLimits, stats: &StoreStats) -> Markup {
    let kept = names.iter().find(|names| names.kind == kind);
    let limit = limits.of(kind);
    let beyond = stats.beyond.of(kind);
    html! {
        tr {
            th scope="row" {
                (words(kind))
                @if let Some(full) = kept.map(|kept| &kept.full).filter(|full| !full.is_empty()) {
                    " " span.dim { "full: " @for (place, service) in full.iter().enumerate() { @if place > 0 { ", " } a href=(Href::of(&["services", service])) { bdi { (service) } } } }
                }
            }
            td.num { @match kept { Some(kept) => (grouped(kept.count.unsigned_abs())), None => "–" } }
            td.num.soft { @match (limit, kind) { (Some(_), NameKind::Service) => "–", (Some(limit), _) => (grouped(limit.of_service as u64)), (None, _) => "none" } }
            td.num.soft { @match limit { Some(limit) => (grouped(limit.in_all as u64)), None => "none" } }
            td.num { @if beyond > 0 { span.failed { (grouped(beyond)) } } @else { "0" } }
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
    }
}
