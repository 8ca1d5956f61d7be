//! `/errors` and `/services/{s}/errors`: which errors there were, how often, since when.

use apm_store::OTHER;
use apm_time::SECOND;
use diesel::QueryResult;
use maud::{Markup, html};

use super::{Answer, Ask, charts, page, service_crumbs, service_tabs};
use crate::analytics::errors::{self, ErrorGroup, Errors};
use crate::ui::chart::bars::{BarChart, Layer};
use crate::ui::chart::buckets::{Buckets, partial};
use crate::ui::chart::frame::Measure;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::findings::{Finding, Mark, findings};
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Sort, table};
use crate::ui::href::Href;
use crate::ui::number;
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 5] = [
    Column::text("Error", "message"),
    Column::bare("Occurrences", "count"),
    Column::text("Service", "service"),
    Column::bare("First seen", "first"),
    Column::bare("Last seen", "last"),
];

/// The page of one service, or of all.
pub(crate) fn list(ask: &mut Ask<'_>, service: Option<&str>) -> QueryResult<Answer> {
    let scope = service.map_or_else(|| ask.scope(), |name| ask.service(name));
    let found = errors::list(ask.conn, &scope, None, &ask.window)?;
    let crumbs = match service {
        Some(name) => service_crumbs(ask.view, name, &[Crumb::here("Errors")]),
        None => vec![Crumb::here("Errors")],
    };
    let tabs = html! { @if let Some(name) = service { (service_tabs(ask.view, name, "errors")) } };
    let body = if found.errors.is_empty() {
        let what = service.map_or_else(
            || "No error".to_owned(),
            |name| format!("No error in {name}"),
        );
        html! {
            (page_head(&crumbs, format!("{what} {}.", words::range(ask.view)), "Exceptions, panics and logged errors would be listed here, alike ones together."))
            (tabs)
            (super::nothing_here(ask.view, "No errors"))
        }
    } else {
        let sql = errors::series_sql(&scope, None, &ask.window).shell();
        let (answer, why) = headline(ask.view, &found);
        html! {
            (page_head(&crumbs, answer, why))
            (tabs)
            (totals(ask, &found))
            section.panel { (chart(ask, &found, &sql)) }
            (panel("Errors", number::grouped(kinds(&found)), html! {}, rows(ask.view, &found)))
        }
    };
    let title = service.map_or_else(|| "Errors".to_owned(), |name| format!("Errors · {name}"));
    Ok(Answer::Page(Page {
        service: service.map(str::to_owned),
        ..page(Section::Errors, title, body)
    }))
}

fn headline(view: &View, found: &Errors) -> (String, String) {
    let total = found.occurrences;
    let times = |n: i64| words::often(n.unsigned_abs());
    let Some(first) = found.errors.iter().max_by_key(|group| group.occurrences) else {
        return Default::default();
    };
    let answer = if found.errors.len() == 1 {
        format!(
            "“{}” occurred {} {}.",
            words::cut(&title(first), 90),
            times(total),
            words::range(view)
        )
    } else {
        format!(
            "{} different errors occurred {} {}.",
            number::grouped(kinds(found)),
            times(total),
            words::range(view)
        )
    };
    let new = found
        .errors
        .iter()
        .filter(|group| is_new(view, group))
        .count();
    let mut why = if found.errors.len() > 1 {
        format!(
            "Most often “{}”, {}.",
            words::cut(&title(first), 90),
            times(first.occurrences)
        )
    } else if first.culprit.is_empty() {
        format!("In {}.", first.service)
    } else {
        format!("In {}, {}.", first.service, words::cut(&first.culprit, 90))
    };
    if new > 0 && found.errors.len() == 1 {
        why.push_str(" It was first seen in this range.");
    } else if new > 0 {
        why.push_str(&format!(
            " {} of them {} first seen in this range.",
            number::grouped(new as u64),
            if new == 1 { "was" } else { "were" }
        ));
    }
    (answer, why)
}

/// First seen within the range that is shown.
pub(crate) fn is_new(view: &View, group: &ErrorGroup) -> bool {
    group.first_seen * SECOND >= view.range.from
}

/// What an error is called: its message, else its type.
pub(crate) fn title(group: &ErrorGroup) -> String {
    match (group.message.is_empty(), group.kind.is_empty()) {
        (false, _) => group.message.clone(),
        (true, false) => group.kind.clone(),
        (true, true) => "error without a message".to_owned(),
    }
}

pub(crate) fn href(view: &View, group: &ErrorGroup) -> String {
    view.to(&["services", &group.service, "errors", &group.key])
        .to_string()
}

/// How many different errors there are, those left out too.
fn kinds(found: &Errors) -> u64 {
    (found.errors.len() + found.left_out) as u64
}

fn totals(ask: &Ask<'_>, found: &Errors) -> Markup {
    let total = found.occurrences;
    let unhandled: i64 = found
        .errors
        .iter()
        .filter(|group| group.handled == Some(false))
        .map(|group| group.occurrences)
        .sum();
    let latest = found.errors.iter().filter_map(|group| group.latest).max();
    facts(&[
        Fact::new("Occurrences", number::compact(total.unsigned_abs())),
        Fact::new(
            "Per minute",
            number::rate(total as f64 / ask.window.minutes),
        ),
        Fact::new("Unhandled", number::compact(unhandled.unsigned_abs())),
        Fact::new("Kinds", number::grouped(kinds(found))),
        Fact::new(
            "Last seen",
            html! { @match latest { Some(at) => (ask.view.clock.relative(at)), None => span.dim { "–" } } },
        ),
    ])
}

/// Occurrences over time, all groups together.
fn chart(ask: &Ask<'_>, found: &Errors, sql: &str) -> Markup {
    let values: Vec<f64> = found.series.iter().map(|n| *n as f64).collect();
    occurrences(ask, &found.axis, &values, sql)
}

/// The chart of occurrences, of all groups or of one.
pub(crate) fn occurrences(
    ask: &Ask<'_>,
    axis: &crate::analytics::series::Axis,
    values: &[f64],
    sql: &str,
) -> Markup {
    let total: f64 = values.iter().sum();
    let layers = [Layer {
        name: "occurrences",
        class: "r-5xx",
        values,
        mean: None,
    }];
    BarChart {
        id: "occurrences",
        title: "Occurrences",
        note: &charts::per(axis),
        says: &format!(
            "{} {}.",
            words::count(super::whole(total), "occurrence", "occurrences"),
            words::range(ask.view)
        ),
        measure: Measure::Count,
        buckets: Buckets::from(axis),
        layers: &layers,
        partial: &partial(axis),
        height: 96,
        sql: Some(sql),
    }
    .render(&ask.view.clock, ask.flags)
}

fn rows(view: &View, found: &Errors) -> Markup {
    let sort = Sort::of(view, &COLUMNS, "-last");
    let mut groups: Vec<&ErrorGroup> = found.errors.iter().collect();
    groups.sort_by(|a, b| match sort.key {
        "message" => sort.compare_text(&title(a), &title(b)),
        "count" => sort.compare(Some(a.occurrences as f64), Some(b.occurrences as f64)),
        "service" => sort.compare_text(&a.service, &b.service),
        "first" => sort.compare(Some(a.first_seen as f64), Some(b.first_seen as f64)),
        _ => sort.compare(a.latest.map(|at| at as f64), b.latest.map(|at| at as f64)),
    });
    let shown = &groups[super::shown(view, groups.len())];
    let body = html! { @for group in shown { (row(view, group)) } };
    html! {
        (table(view, "table--lines", "Errors", &COLUMNS, &sort, body))
        (super::beyond(view, (groups.len(), found.left_out), "occurrences", groups.iter().any(|group| group.kind == OTHER)))
    }
}

fn row(view: &View, group: &ErrorGroup) -> Markup {
    let series: Vec<Option<f64>> = group.series.iter().map(|n| Some(*n as f64)).collect();
    let title = title(group);
    let count = number::compact(group.occurrences.unsigned_abs());
    html! {
        tr {
            th.grow scope="row" {
                a href=(href(view, group)) title=(title) { (title.lines().next().unwrap_or("")) }
                " " span.flags {
                    @if group.handled == Some(false) { (flag(Tone::Bad, "unhandled")) }
                    @if is_new(view, group) { (flag(Tone::Neutral, "new")) }
                }
                span.sub title=(group.culprit) { code { (short(&group.key)) } " · " (if group.culprit.is_empty() { &group.kind } else { &group.culprit }) }
            }
            (cells::trend_bare(spark(&series, "occurrences over time", false), &count))
            td.soft { a.plain href=(view.to(&["services", &group.service])) { (group.service) } }
            td.num.soft { (view.clock.relative(group.first_seen * SECOND)) }
            td.num.soft { @match group.latest { Some(at) => (view.clock.relative(at)), None => "–" } }
        }
    }
}

/// The first five characters of a key, as people say it.
pub(crate) fn short(key: &str) -> &str {
    key.get(..5).unwrap_or(key)
}

/// The panel of the most frequent errors on another page; without a list, its filter names what errors do not have.
pub(crate) fn short_list(view: &View, found: Option<&Errors>, all: &Href) -> Markup {
    let none = |why: &str| html! { section.panel { div.panel-head { h2 { "Errors" } span.note { (why) } } } };
    match found {
        None => none("cannot be filtered by that"),
        Some(found) if found.errors.is_empty() => none(&format!("none {}", words::range(view))),
        Some(found) => panel(
            "Errors",
            number::grouped(kinds(found)),
            html! { a href=(all) { "All errors" } },
            findings(&as_findings(view, &found.errors, 5)),
        ),
    }
}

/// The most frequent errors as findings.
pub(crate) fn as_findings(view: &View, groups: &[ErrorGroup], most: usize) -> Vec<Finding> {
    let mut groups: Vec<&ErrorGroup> = groups.iter().collect();
    groups
        .sort_by_key(|group| std::cmp::Reverse((group.handled == Some(false), group.occurrences)));
    let finding = |group: &&ErrorGroup| Finding {
        mark: if group.handled == Some(true) {
            Mark::Notice
        } else {
            Mark::Failure
        },
        what: format!(
            "{} {}×",
            words::cut(&title(group), 90),
            number::compact(group.occurrences.unsigned_abs())
        ),
        href: href(view, group),
        when: html! { @if let Some(at) = group.latest { (view.clock.relative(at)) } },
        place: html! { (group.service) @if !group.culprit.is_empty() { " · " (words::cut(&group.culprit, 80)) } @if group.handled == Some(false) { " · unhandled" } },
    };
    groups.iter().take(most).map(finding).collect()
}
