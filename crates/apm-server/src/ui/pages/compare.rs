//! `/compare`: before and after a marker, or this range and the one before it.

use std::collections::BTreeSet;

use apm_time::SECOND;
use diesel::QueryResult;
use maud::{Markup, html};

use super::{Answer, Ask, page, whole};
use crate::analytics::Scope;
use crate::insight::compare::{self, Comparison, Row, Stretch};
use crate::insight::marker::{self, Marker};
use crate::ui::components::cells::{self, Rise, Tone, flag};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::components::shell::Section;
use crate::ui::components::table::csv;
use crate::ui::href::Href;
use crate::ui::number::{self, delta};
use crate::ui::view::View;

/// How far to either side of a marker, seconds.
const REACH: i64 = 3_600;

/// Rows of each table.
const MOST: usize = 100;

/// The page.
pub(crate) fn both(ask: &mut Ask<'_>) -> QueryResult<Answer> {
    let service = ask.view.param("service");
    let scope = Scope {
        service: service.filter(|name| !name.is_empty()).map(str::to_owned),
        environment: ask.view.environment().map(str::to_owned),
        ..Scope::default()
    };
    let markers = marker::list(ask.conn, None)?;
    let chosen = match ask.view.param("marker") {
        Some(name) => marker::find(ask.conn, name)?,
        None => None,
    };
    let range = ask.window.range;
    let (before, after) = match &chosen {
        Some(marker) => compare::around(marker.at, ask.view.clock.now / SECOND, REACH),
        None => {
            let after = Stretch {
                from: range.from / SECOND,
                to: range.to / SECOND,
            };
            let length = after.to - after.from;
            (
                Stretch {
                    from: after.from - length,
                    to: after.from,
                },
                after,
            )
        }
    };
    let compared = compare::windows(ask.conn, &scope, before, after)?;
    let what = chosen.as_ref().map_or_else(
        || "in the range before".to_owned(),
        |marker| format!("before {}", marker.words()),
    );
    let slower = compared
        .transactions
        .iter()
        .filter(|row| change(row).is_some_and(|(_, worse)| worse))
        .count();
    let answer = match slower {
        0 => format!("Nothing is slower than {what}."),
        1 => format!("One request is slower than {what}."),
        n => format!("{n} requests are slower than {what}."),
    };
    let clock = &ask.view.clock;
    let stretch = |s: &Stretch| {
        format!(
            "{}–{}",
            clock.minute(s.from * SECOND),
            clock.minute(s.to * SECOND)
        )
    };
    let why = format!("{} against {}.", stretch(&after), stretch(&before));
    let body = html! {
        (page_head(&[Crumb::link("Queries", ask.view.to(&["queries"]).to_string()), Crumb::here("Compare")], answer, why))
        (panel("Markers", number::grouped(markers.len() as u64), html! {}, markers_list(ask.view, &markers, chosen.as_ref())))
        (tables(ask.view, &compared))
    };
    Ok(Answer::Page(page(Section::Queries, "Compare", body)))
}

fn markers_list(view: &View, markers: &[Marker], chosen: Option<&Marker>) -> Markup {
    html! {
        form.row.pad-all method="post" action="/markers" {
            label.field { "Set a marker now" input.input.input--text.marker-name type="text" name="name" required maxlength="100" placeholder="before the index"; }
            button.btn type="submit" { "Set" }
        }
        @if markers.is_empty() { (nothing("No markers", "Set one, send POST /api/v1/markers, or start a service with another service.version.")) }
        @else {
            ul.plain-list.pad {
                @for marker in markers.iter().take(20) {
                    li.row {
                        a href=(view.here().set("marker", &marker.id.to_string())) aria-current=[(chosen.map(|m| m.id) == Some(marker.id)).then_some("true")] { (marker.words()) }
                        span.dim { (marker.service) " " (view.clock.relative(marker.at * SECOND)) }
                    }
                }
            }
        }
    }
}

/// The delta of the 95th percentile, and whether it got worse.
fn change(row: &Row) -> Option<(number::Delta, bool)> {
    let (before, after) = (row.before?, row.after?);
    let delta = delta(
        Some(after.p95),
        Some(before.p95),
        (whole(after.count), whole(before.count)),
    );
    Some((delta, cells::is_worse(delta, Rise::Worse)))
}

fn tables(view: &View, compared: &Comparison) -> Markup {
    html! {
        (panel("Requests", number::grouped(compared.transactions.len() as u64), html! {}, rows(view, &compared.transactions, false)))
        (panel("Statements", number::grouped(compared.statements.len() as u64), html! {}, rows(view, &compared.statements, true)))
    }
}

fn rows(view: &View, rows: &[Row], statements: bool) -> Markup {
    if rows.is_empty() {
        return nothing("Nothing to compare", "Neither side has any.");
    }
    // Each file of a table goes by the caption.
    let caption = if statements {
        "Statements then and now"
    } else {
        "Requests then and now"
    };
    let environments: BTreeSet<&str> = rows.iter().map(|row| row.environment.as_str()).collect();
    let several = environments.len() > 1;
    let of = |row: &Row, href: Href| match row.environment.as_str() {
        "" => href,
        environment => href.set("env", environment),
    };
    html! {
            div.wide { table.table.table--lines {
                caption.sr { (caption) }
                thead { tr { th scope="col" { "Name" } th.num.num--bare scope="col" { "Before" } th.num.num--bare scope="col" { "After" } th.num scope="col" { "p95 before" } th.num scope="col" { "p95 after" } th.num.num--bare scope="col" { "Change" } } }
                tbody {
                    @for row in rows.iter().take(MOST) {
                        tr {
                            th.grow scope="row" {
                                @if statements { a.qlink href=(of(row, view.to(&["queries", &row.kind]).set("service", &row.service))) { code.sql title=(row.name) { (crate::ui::components::sql::highlight(&row.name)) } } }
                                @else { a href=(of(row, super::transaction_href(view, &row.service, &row.kind, &row.name))) { (row.name) } }
                                span.sub { (row.service) @if several && !row.environment.is_empty() { " · " (row.environment) } @if row.before.is_none() { " " (flag(Tone::Accent, "new")) } @if row.after.is_none() { " " (flag(Tone::Neutral, "gone")) } }
                            }
                            (cells::count(row.before.map_or(0, |side| whole(side.count))))
                            (cells::count(row.after.map_or(0, |side| whole(side.count))))
                            (cells::duration(row.before.map(|side| side.p95)))
                            (cells::duration(row.after.map(|side| side.p95)))
                            (cells::delta_cell(change(row).map_or(number::Delta::Unknown, |(delta, _)| delta), Rise::Worse, "before"))
                        }
                    }
                }
            } }
    (csv(caption))
        }
}
