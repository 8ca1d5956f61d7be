//! `/compare`: before and after a marker, or this range and the one before it.

use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page, whole};
use crate::answers::compare::{Answer as Found, Params};
use crate::insight::compare::{Row, Side, Stretch};
use crate::insight::marker::Marker;
use crate::ui::budget::each;
use crate::ui::components::cells::{self, Rise, Tone, flag};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::components::shell::Section;
use crate::ui::components::sql::highlight;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, delta};
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let answer = headline(found);
        let stretch = |of: &Stretch| {
            let minute = |at: i64| view.clock.minute(at * SECOND);
            format!("{}–{}", minute(of.from), minute(of.to))
        };
        let compared = &found.compared;
        let why = format!(
            "{} against {}.",
            stretch(&compared.after),
            stretch(&compared.before)
        );
        let crumbs = [Crumb::here("Compare")];
        let count = |n: usize| number::grouped(n as u64);
        let markers = markers_list(view, &found.markers, found.marker.as_ref());
        let requests = rows(
            view,
            &compared.transactions,
            found.transactions_total,
            false,
        );
        let statements = rows(view, &compared.statements, found.statements_total, true);
        let body = html! {
            (page_head(&crumbs, answer, why))
            (panel("Markers", count(found.markers.len()), html! {}, markers))
            (panel("Requests", count(found.transactions_total), html! {}, requests))
            (panel("Statements", count(found.statements_total), html! {}, statements))
        };
        Answer::Page(page(Section::Compare, "Compare", body))
    }
}

/// The headline: the part that is slower, where both sides are known.
fn headline(found: &Found) -> String {
    let compared = &found.compared;
    if !compared.is_covered {
        return "There is no earlier data to compare with.".to_owned();
    }
    let length = words::length((compared.before.to - compared.before.from) * SECOND);
    let what = match &found.marker {
        Some(marker) => format!("before {}", marker.words()),
        None => format!("in the {length} before"),
    };
    let has_enough = |row: &&Row| change(row).is_some();
    let rows: Vec<&Row> = compared.transactions.iter().filter(has_enough).collect();
    if rows.is_empty() {
        return "There are too few requests to compare.".to_owned();
    }
    let is_slower = |row: &&&Row| change(row).is_some_and(|(_, worse)| worse);
    match rows.iter().filter(is_slower).count() {
        0 => format!("No kind of request is slower than {what}."),
        n => format!(
            "{} slower than {what}.",
            words::count(n as u64, "kind of request is", "kinds of requests are")
        ),
    }
}

/// Markers that are listed, the newest.
const MARKERS: usize = 20;

/// Requests that each side needs for its p95 to tell something of the others.
const ENOUGH: f64 = 20.0;

/// The ways to a first marker.
const NO_MARKERS: &str =
    "Set one, send POST /api/v1/markers, or start a service with another service.version.";

fn markers_list(view: &View, markers: &[Marker], chosen: Option<&Marker>) -> Markup {
    html! {
        form.row.pad-all method="post" action="/markers" {
            label.field {
                "Set a marker now"
                input.input.input--text.marker-name type="text" name="name" required maxlength="100"
                    placeholder="before the index";
            }
            button.btn type="submit" { "Set" }
        }
        @if markers.is_empty() {
            (nothing("No markers", NO_MARKERS))
        }
        @else {
            ul.plain-list.pad {
                @for marker in markers.iter().take(MARKERS) {
                    li.row {
                        a href=(view.here().set("marker", &marker.id.to_string()))
                            aria-current=[(chosen.map(|m| m.id) == Some(marker.id)).then_some("true")] {
                            (marker.words())
                        }
                        span.dim {
                            @if !marker.service.is_empty() { (words::cut(&marker.service, 60)) " · " }
                            @if let Some(environment) = &marker.environment { (words::cut(environment, 60)) " · " }
                            (view.clock.relative(marker.at * SECOND))
                        }
                    }
                }
            }
            @if markers.len() > MARKERS {
                p.panel-foot {
                    (words::count((markers.len() - MARKERS) as u64, "older marker", "older markers")) " not shown."
                }
            }
        }
    }
}

/// The delta of the 95th percentile, and whether it got worse; nothing where there are too few.
fn change(row: &Row) -> Option<(number::Delta, bool)> {
    let (before, after) = (row.before?, row.after?);
    if before.count < ENOUGH || after.count < ENOUGH {
        return None;
    }
    let delta = delta(
        after.p95,
        before.p95,
        (whole(after.count), whole(before.count)),
    );
    Some((delta, cells::is_worse(delta, Rise::Worse)))
}

fn rows(view: &View, rows: &[Row], total: usize, statements: bool) -> Markup {
    const COLUMNS: [Column; 6] = [
        Column::text("Name"),
        Column::bare("Before"),
        Column::bare("After"),
        Column::figure("p95 before"),
        Column::figure("p95 after"),
        Column::bare("Change"),
    ];
    if rows.is_empty() {
        return nothing(
            "Nothing to compare",
            "There are none in either of the two ranges.",
        );
    }
    let several = words::are_several(rows.iter().map(|row| &row.environment));
    let frame = Frame {
        class: "table--lines",
        caption: if statements {
            "Statements then and now"
        } else {
            "Requests then and now"
        },
        name: if statements {
            "statements"
        } else {
            "transactions"
        },
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        (framed(view, frame, each(rows, |one| row(view, one, statements, several))))
        @if rows.len() < total {
            p.panel-foot {
                "The first " (number::grouped(rows.len() as u64)) " of " (number::grouped(total as u64)) " are shown."
            }
        }
    }
}

/// The number of one side; a dash where there is none.
fn count(side: Option<Side>) -> Markup {
    match side {
        Some(side) => cells::count(whole(side.count)),
        None => html! { td.num.none { "–" } },
    }
}

fn row(view: &View, row: &Row, is_statement: bool, several: bool) -> Markup {
    let href = match is_statement {
        true => view
            .to(&["queries", &row.kind])
            .set("service", &row.service),
        false => super::transaction_href(view, &row.service, &row.kind, &row.name),
    };
    let href = match row.environment.as_str() {
        "" => href,
        environment => href.set("env", environment),
    };
    let name = match is_statement {
        true => html! {
            a.qlink href=(href) { code.sql title=(row.name) { (highlight(&row.name)) } }
        },
        false => html! { a href=(href) { (row.name) } },
    };
    let delta = change(row).map_or_else(
        || match (row.before, row.after) {
            (Some(_), Some(_)) => number::Delta::TooFew,
            _ => number::Delta::Unknown,
        },
        |(delta, _)| delta,
    );
    html! {
        tr {
            th.grow scope="row" {
                (name)
                span.sub {
                    a.plain href=(view.to(&["services", &row.service])) { (row.service) }
                    @if several { " · " (words::environment(&row.environment)) }
                    @if row.before.is_none() { " " (flag(Tone::Accent, "new")) }
                    @if row.after.is_none() { " " (flag(Tone::Neutral, "gone")) }
                }
            }
            (count(row.before))
            (count(row.after))
            (cells::duration(row.before.and_then(|side| side.p95)))
            (cells::duration(row.after.and_then(|side| side.p95)))
            (cells::delta_cell(delta, Rise::Worse, "before"))
        }
    }
}
