//! The places where a statement runs, each a service and a database, and the numbers of all of them together.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::super::{database, whole};
use crate::analytics::statements::Statement;
use crate::answers::statement::Answer as Found;
use crate::ui::components::cells;
use crate::ui::components::panel::panel;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number;
use crate::ui::pages::beyond;
use crate::ui::view::View;
use crate::ui::words;

/// Rows of the table.
const SHOWN: usize = 50;

/// The numbers of a statement, of the places that are listed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Total {
    pub(super) calls: f64,
    /// µs, as all durations here.
    pub(super) time: f64,
    /// Of the time of all statements, 0 to 1.
    pub(super) share: f64,
    pub(super) average: Option<f64>,
    pub(super) p95: Option<f64>,
    pub(super) longest: i64,
}

impl Total {
    pub(super) fn of(found: &Found) -> Self {
        let rows = &found.statements;
        let sum = |of: fn(&Statement) -> f64| rows.iter().map(of).sum::<f64>();
        let (calls, time) = (sum(|row| row.calls), sum(|row| row.total));
        // Percentiles do not add up: those of all places are those of the distribution.
        let p95 = match rows.as_slice() {
            [one] => one.latency,
            _ => found.distribution.percentiles,
        };
        Self {
            calls,
            time,
            share: sum(|row| row.share),
            average: (calls > 0.0).then(|| time / calls),
            p95: p95.map(|of| of.p95),
            longest: rows.iter().map(|row| row.latency_max).max().unwrap_or(0),
        }
    }
}

/// Words for the places: `shop`, `2 databases of shop`, `3 services`.
pub(super) fn words(found: &Found) -> String {
    let services: BTreeSet<&str> = found.statements.iter().map(|row| &*row.service).collect();
    let places = found.statements.len() as u64;
    match services.first() {
        Some(service) if services.len() == 1 && places > 1 => {
            format!(
                "{} databases of {}",
                number::grouped(places),
                words::cut(service, 60)
            )
        }
        Some(service) if services.len() == 1 => words::cut(service, 60),
        _ => words::count(services.len() as u64, "service", "services"),
    }
}

/// A row for each place; nothing where there is only one.
pub(super) fn places(view: &View, found: &Found) -> Markup {
    const COLUMNS: [Column; 7] = [
        Column::text("Service and database"),
        Column::bare("Calls"),
        Column::figure("Total"),
        Column::figure("Share"),
        Column::figure("Average"),
        Column::figure("p95"),
        Column::figure("Longest"),
    ];
    let rows = &found.statements;
    if rows.len() + found.left_out < 2 {
        return html! {};
    }
    let several = words::are_several(rows.iter().flat_map(|row| &row.environments));
    let widest = rows.iter().map(|row| row.share).fold(0.0, f64::max);
    let shown = &rows[..rows.len().min(SHOWN)];
    let body = html! {
        @for row in shown {
            @let href = view.to(&["queries", &row.fingerprint]).set("service", &row.service);
            tr {
                th.grow scope="row" {
                    a href=(href) title=(row.service) { (words::cut(&row.service, 60)) }
                    span.sub title=(row.instance) {
                        (database(row))
                        @if several { " · " (words::environments(&row.environments)) }
                    }
                }
                (cells::count(whole(row.calls)))
                (cells::duration(Some(row.total)))
                (cells::share(Some(row.share), widest, "fill-db"))
                (cells::duration(row.latency_avg))
                (cells::duration(row.latency.map(|of| of.p95)))
                (cells::duration(Some(row.latency_max as f64)))
            }
        }
    };
    let frame = Frame {
        class: "table--lines",
        caption: "Places where this statement runs",
        name: "statements",
        columns: &COLUMNS,
        sort: None,
    };
    let count = number::grouped((rows.len() + found.left_out) as u64);
    let table = html! {
        (framed(view, frame, body))
        (beyond(rows.len() - shown.len() + found.left_out, "place", "places"))
    };
    panel("Where it runs", count, html! {}, table)
}
