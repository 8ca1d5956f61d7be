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
use crate::ui::href::Href;
use crate::ui::number::{self, delta};
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let answer = headline(found);
        let stretch = |of: &Stretch| view.clock.minutes(of.from * SECOND, of.to * SECOND);
        let compared = &found.compared;
        let why = format!(
            "{} against {}.",
            stretch(&compared.after),
            stretch(&compared.before)
        );
        let crumbs = [Crumb::here("Compare")];
        let count = |n: usize| number::grouped(n as u64);
        let markers = markers_list(view, &found.markers, found.marker.as_ref());
        let requests = rows(view, found, false);
        let statements = rows(view, found, true);
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

/// Requests that each side needs for its p95 to tell something of the others, and that one side needs for the lack of
/// any on the other to tell something.
const ENOUGH: f64 = 20.0;

/// The ways to a first marker.
const NO_MARKERS: &str =
    "Set one, send POST /api/v1/markers, or start a service with another service.version.";

/// Before and after a marker, of what it is about: the start of one service says nothing of the others.
fn around(view: &View, marker: &Marker) -> Href {
    let mut href = view.here().set("marker", &marker.id.to_string());
    if !marker.service.is_empty() {
        href = href.set("service", &marker.service);
    }
    match &marker.environment {
        Some(environment) => href.set("env", environment),
        None => href,
    }
}

fn markers_list(view: &View, markers: &[Marker], chosen: Option<&Marker>) -> Markup {
    let environments = markers.iter();
    let environments = environments.filter_map(|marker| marker.environment.as_ref());
    let several = words::are_several(environments);
    let named = |environment: &&String| several || !environment.is_empty();
    html! {
        form.row.pad-all method="post" action=(view.acting(&["markers"])) {
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
                        a href=(around(view, marker))
                            aria-current=[(chosen.map(|m| m.id) == Some(marker.id)).then_some("true")] {
                            (marker.words())
                        }
                        span.dim {
                            @if !marker.service.is_empty() {
                                a.plain href=(view.to(&["services", &marker.service])) {
                                    (words::cut(&marker.service, 60))
                                }
                                " · "
                            }
                            @if let Some(environment) = marker.environment.as_ref().filter(named) {
                                (words::environment(environment)) " · "
                            }
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

/// The word for a row that one side alone has: new, or gone. None where there are too few requests to say so, or where
/// the time before is not known whole.
fn alone(row: &Row, is_covered: bool) -> Option<(Tone, &'static str)> {
    let is_enough = |side: Side| side.count >= ENOUGH;
    match (row.before, row.after) {
        (None, Some(after)) if is_covered && is_enough(after) => Some((Tone::Accent, "new")),
        (Some(before), None) if is_covered && is_enough(before) => Some((Tone::Neutral, "gone")),
        _ => None,
    }
}

fn rows(view: &View, found: &Found, statements: bool) -> Markup {
    const COLUMNS: [Column; 6] = [
        Column::text("Name"),
        Column::bare("Before"),
        Column::bare("After"),
        Column::figure("p95 before"),
        Column::figure("p95 after"),
        Column::bare("Change"),
    ];
    let compared = &found.compared;
    let (rows, total) = match statements {
        true => (&compared.statements, found.statements_total),
        false => (&compared.transactions, found.transactions_total),
    };
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
        (framed(view, frame, each(rows, |one| row(view, one, (statements, several), compared.is_covered))))
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

fn row(view: &View, row: &Row, (is_statement, several): (bool, bool), is_covered: bool) -> Markup {
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
                    @if let Some((tone, word)) = alone(row, is_covered) { " " (flag(tone, word)) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::marker::Kind;

    fn marker(service: &str, environment: Option<&str>) -> Marker {
        Marker {
            id: 7,
            at: 1_795_348_680,
            time: String::new(),
            service: service.to_owned(),
            environment: environment.map(str::to_owned),
            kind: Kind::Start,
            name: "process 4242".to_owned(),
        }
    }

    #[test]
    fn a_link_of_a_marker_compares_the_service_and_the_environment_that_it_is_about() {
        let link = |query, of| around(&View::test("/compare", query), &of).to_string();
        for (query, of, expected) in [
            (
                "",
                marker("checkout", Some("demo")),
                "marker=7&service=checkout&env=demo",
            ),
            (
                "",
                marker("checkout", Some("")),
                "marker=7&service=checkout",
            ),
            (
                "service=cart",
                marker("checkout", None),
                "service=checkout&marker=7",
            ),
            ("service=cart", marker("", None), "service=cart&marker=7"),
        ] {
            assert_eq!(link(query, of), format!("/compare?{expected}"), "{query}");
        }
    }

    #[test]
    fn a_marker_without_an_environment_leaves_no_separator() {
        let view = View::test("/compare", "");
        let text = |markers: &[Marker]| markers_list(&view, markers, None).into_string();
        let one = text(&[marker("shop", Some(""))]);
        assert_eq!(one.matches(" · ").count(), 1, "{one}");
        let two = text(&[marker("shop", Some("")), marker("shop", Some("lab"))]);
        assert!(
            two.contains("no environment · ") && two.contains("lab · "),
            "{two}"
        );
    }

    #[test]
    fn a_row_is_new_or_gone_only_where_there_are_enough_requests_to_say_so() {
        let side = |count| Side {
            count,
            avg: 1_000.0,
            p95: None,
            total: 1_000.0 * count,
            failed_rate: None,
        };
        let word = |before: Option<f64>, after: Option<f64>, is_covered| {
            let row = Row {
                service: "shop".to_owned(),
                environment: String::new(),
                kind: "request".to_owned(),
                name: "GET /a".to_owned(),
                before: before.map(side),
                after: after.map(side),
            };
            alone(&row, is_covered).map(|(_, word)| word)
        };
        for (before, after, is_covered, expected) in [
            (None, Some(20.0), true, Some("new")),
            (Some(20.0), None, true, Some("gone")),
            (None, Some(19.0), true, None),
            (Some(3.0), None, true, None),
            (None, Some(500.0), false, None),
            (Some(500.0), Some(500.0), true, None),
        ] {
            let found = word(before, after, is_covered);
            assert_eq!(found, expected, "{before:?} {after:?} {is_covered}");
        }
    }
}
