//! `/errors` and `/services/{s}/errors`: which errors there were, how often, since when.

mod bulk;
pub(crate) mod change;

use apm_store::OTHER;
use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, charts, narrowed, page, service_crumbs, service_tabs};
use crate::analytics::errors::{ErrorGroup, Status};
use crate::analytics::series::Axis;
use crate::answers::errors::{All, Answer as Found, Params, is_new, title};
use crate::ui::budget::each;
use crate::ui::chart::axis::Measure;
use crate::ui::chart::bars::{BarChart, Layer};
use crate::ui::chart::buckets::{Buckets, partial};
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::choose;
use crate::ui::components::controls::segment;
use crate::ui::components::findings::{Finding, Mark, findings};
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::saved::save;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::href::Href;
use crate::ui::number;
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 5] = [
    Column::text("Error").by("message"),
    Column::bare("Occurrences").by("count"),
    Column::text("Service").by("service"),
    Column::bare("First seen").by("first"),
    Column::bare("Last seen").by("last"),
];

impl Rendered for All {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let crumbs = [Crumb::here("Errors")];
        let chosen = choose::narrowed(context.view);
        let chosen = chosen.as_deref();
        let body = body(context, &crumbs, html! {}, chosen, found);
        Answer::Page(page(Section::Errors, "Errors", body))
    }
}

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, name) = (context.view, self.service.as_str());
        let crumbs = service_crumbs(view, name, &[Crumb::here("Errors")]);
        let tabs = service_tabs(view, name, "errors");
        let body = body(context, &crumbs, tabs, Some(name), found);
        Answer::Page(Page {
            service: Some(name.to_owned()),
            ..page(Section::Errors, format!("Errors · {name}"), body)
        })
    }
}

fn body(
    context: &Context<'_>,
    crumbs: &[Crumb],
    tabs: Markup,
    service: Option<&str>,
    found: &Found,
) -> Markup {
    let view = context.view;
    if found.rows.total == 0 {
        let (by, all) = (&found.by_status, found.status.is_none());
        let others = by.open + by.resolved + by.ignored;
        let kind = match found.status {
            Some(status) if others > 0 => format!("{} ", status.as_str()),
            _ => String::new(),
        };
        let what = service.map_or_else(
            || format!("{kind}error"),
            |name| format!("{kind}error in {}", words::cut(name, 60)),
        );
        let (answer, why) = narrowed::none(
            view,
            &what,
            &format!("No {what}"),
            "Exceptions, panics and logged errors are listed here. Errors of the same kind are grouped.",
        );
        return html! {
            (page_head(crumbs, answer, why))
            (tabs)
            @if others > 0 && !all && view.param("search").is_none() {
                (empty("No errors of this state", "Others occurred in this range.", states(view, found)))
            } @else {
                (super::nothing_here(view, "No errors"))
            }
        };
    }
    let (answer, why) = headline(view, found);
    let values: Vec<f64> = found.series.iter().map(|n| *n as f64).collect();
    html! {
        (page_head(crumbs, answer, why))
        (tabs)
        (totals(context, found))
        section.panel { (occurrences(context, &found.axis, &values, &found.series.sql)) }
        (panel("Errors", number::grouped(found.rows.total as u64), html! {
            (states(view, found))
            (save(view, &service.map_or_else(|| "Errors".to_owned(), |name| format!("Errors of {name}"))))
        }, rows(view, found)))
    }
}

fn headline(view: &View, found: &Found) -> (String, String) {
    let times = |n: i64| words::often(n.unsigned_abs());
    let Some(first) = &found.most_frequent else {
        return Default::default();
    };
    let kinds = kinds(found);
    let answer = if kinds == 1 {
        format!(
            "“{}” occurred {} {}.",
            words::cut(title(first), 90),
            times(found.occurrences),
            words::range(view)
        )
    } else {
        format!(
            "{} different errors{} occurred {} {}.",
            number::grouped(kinds),
            narrowed::that_match(view),
            times(found.occurrences),
            words::range(view)
        )
    };
    let mut why = if kinds > 1 && first.occurrences == 1 {
        "Each occurred once.".to_owned()
    } else if kinds > 1 {
        format!(
            "Most often “{}”, {}.",
            words::cut(title(first), 90),
            times(first.occurrences)
        )
    } else if first.culprit.is_empty() {
        format!("In {}.", words::cut(&first.service, 60))
    } else {
        format!(
            "In {}, {}.",
            words::cut(&first.service, 60),
            words::cut(&first.culprit, 90)
        )
    };
    if found.new > 0 && kinds == 1 {
        why.push_str(" It was first seen in this range.");
    } else if found.new as u64 == kinds {
        why.push_str(" All of them were first seen in this range.");
    } else if found.new > 0 {
        why.push_str(&format!(
            " {} of them {} first seen in this range.",
            number::grouped(found.new as u64),
            if found.new == 1 { "was" } else { "were" }
        ));
    }
    (answer, why)
}

/// Number of the groups that the figures are of, whatever is searched for.
fn kinds(found: &Found) -> u64 {
    let by = &found.by_status;
    let kinds = match found.status {
        Some(Status::Open) => by.open,
        Some(Status::Resolved) => by.resolved,
        Some(Status::Ignored) => by.ignored,
        None => by.open + by.resolved + by.ignored,
    };
    kinds.unsigned_abs()
}

pub(crate) fn href(view: &View, group: &ErrorGroup) -> String {
    view.to(&["services", &group.service, "errors", &group.key])
        .to_string()
}

fn totals(context: &Context<'_>, found: &Found) -> Markup {
    let last = match found.latest {
        Some(at) => html! { (context.view.clock.relative(at)) },
        None => html! { span.dim { "–" } },
    };
    facts(&[
        Fact::new(
            "Occurrences",
            number::compact(found.occurrences.unsigned_abs()),
        ),
        Fact::new("Per minute", number::rate(found.occurrences_per_minute)),
        Fact::new("Unhandled", number::compact(found.unhandled.unsigned_abs())),
        Fact::new("Kinds", number::grouped(kinds(found))),
        Fact::new("Last seen", last),
    ])
}

/// The chart of occurrences, of all groups or of one.
pub(crate) fn occurrences(
    context: &Context<'_>,
    axis: &Axis,
    values: &[f64],
    sql: &[String],
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
            words::range(context.view)
        ),
        measure: Measure::Count,
        buckets: Buckets::from(axis),
        layers: &layers,
        partial: &partial(axis),
        height: 96,
        sql,
        file: "occurrences",
        zoom: Some(context.view),
    }
    .render(&context.view.clock, context.flags)
}

fn rows(view: &View, found: &Found) -> Markup {
    let several = words::are_several(found.errors.iter().flat_map(|group| &group.environments));
    let body = each(&found.errors, |group| row(view, group, several));
    let frame = Frame {
        class: "table--lines",
        caption: "Errors",
        name: "errors",
        columns: &COLUMNS,
        sort: Some(found.sort),
    };
    let other = found.errors.iter().any(|group| group.kind == OTHER);
    html! {
        (framed(view, frame, body))
        (bulk::actions(view, found))
        (super::pager(view, &found.rows, "occurrences", other))
    }
}

fn row(view: &View, group: &ErrorGroup, names_environments: bool) -> Markup {
    let series: Vec<Option<f64>> = group.series.iter().map(|n| Some(*n as f64)).collect();
    let title = title(group);
    let count = number::compact(group.occurrences.unsigned_abs());
    html! {
        tr {
            th.grow scope="row" {
                (bulk::pick(group))
                a href=(href(view, group)) title=(title) { (title.lines().next().unwrap_or("")) }
                " " span.flags {
                    // There is room for two: what was decided comes first.
                    (state_flags(group))
                    @let is_open = group.state.status == Status::Open;
                    @if is_open && group.handled == Some(false) { (flag(Tone::Bad, "unhandled")) }
                    @if is_open && group.state.reopened.is_none() && is_new(view.range, group) {
                        (flag(Tone::Neutral, "new"))
                    }
                }
                span.sub title=(group.culprit) {
                    code { (short(&group.key)) } " · "
                    (if group.culprit.is_empty() { &group.kind } else { &group.culprit })
                    @if !group.state.assignee.is_empty() { " · " (words::cut(&group.state.assignee, 30)) }
                }
            }
            (cells::trend_bare(spark(&series, "occurrences over time", false), &count))
            td.soft {
                a.plain href=(view.to(&["services", &group.service])) { (group.service) }
                @if names_environments { span.sub { (words::environments(&group.environments)) } }
            }
            td.num.soft { (view.clock.relative(group.first_seen * SECOND)) }
            td.num.soft { @match group.latest { Some(at) => (view.clock.relative(at)), None => "–" } }
        }
    }
}

/// The decision of people about a group, and that it came back.
fn state_flags(group: &ErrorGroup) -> Markup {
    let state = &group.state;
    let back = state.reopened.as_ref().filter(|of| of.by != "time");
    let back = back.map(|of| match &*of.version {
        "" => "came back".to_owned(),
        version => format!("came back in {}", words::cut(version, 24)),
    });
    html! {
        @match state.status {
            Status::Open => {},
            Status::Resolved => (flag(Tone::Neutral, "resolved")),
            Status::Ignored => (flag(Tone::Neutral, "ignored")),
        }
        @if let Some(back) = back { (flag(Tone::Warn, &back)) }
    }
}

/// The switch between groups of one state and all.
fn states(view: &View, found: &Found) -> Markup {
    let count = |n: i64| number::grouped(n.unsigned_abs());
    let by = &found.by_status;
    let choices = [
        (format!("Open {}", count(by.open)), "", Some(Status::Open)),
        (
            format!("Resolved {}", count(by.resolved)),
            "resolved",
            Some(Status::Resolved),
        ),
        (
            format!("Ignored {}", count(by.ignored)),
            "ignored",
            Some(Status::Ignored),
        ),
        ("All".to_owned(), "all", None),
    ];
    let choices = choices.iter().map(|(text, value, status)| {
        let href = view.at_first_row().set("state", value);
        (text.as_str(), href, *status == found.status)
    });
    segment("State", choices)
}

/// The first five characters of a key, as people say it.
pub(crate) fn short(key: &str) -> &str {
    key.get(..5).unwrap_or(key)
}

/// The panel of the most frequent errors on another page, of so many in all; without a list, its filter names what
/// errors do not have.
pub(crate) fn short_list(view: &View, found: Option<(&[ErrorGroup], usize)>, all: &Href) -> Markup {
    let none = |why: &str| html! { section.panel { div.panel-head { h2 { "Errors" } span.note { (why) } } } };
    match found {
        None => none("This filter cannot be applied to errors."),
        Some(([], _)) => none(&format!("none {}", words::range(view))),
        Some((groups, total)) => panel(
            "Errors",
            number::grouped(total as u64),
            html! { a href=(all) { "All errors" } },
            findings(&as_findings(view, groups)),
        ),
    }
}

/// Errors as findings.
pub(crate) fn as_findings(view: &View, groups: &[ErrorGroup]) -> Vec<Finding> {
    let finding = |group: &ErrorGroup| Finding {
        mark: if group.handled == Some(true) {
            Mark::Notice
        } else {
            Mark::Failure
        },
        what: format!(
            "{} {}×",
            words::cut(title(group), 90),
            number::compact(group.occurrences.unsigned_abs())
        ),
        href: href(view, group),
        when: html! { @if let Some(at) = group.latest { (view.clock.relative(at)) } },
        place: html! {
            (words::cut(&group.service, 60))
            @if !group.culprit.is_empty() { " · " (words::cut(&group.culprit, 80)) }
            @if group.handled == Some(false) { " · unhandled" }
        },
    };
    groups.iter().map(finding).collect()
}
