//! `/services/{s}/errors/{key}`: one error group. How often, where, the latest occurrence, and what its occurrences share.

mod occurrence;
mod shared;

use apm_store::StoreError;
use apm_time::SECOND;
use kql::pasted;
use maud::{Markup, html};
use serde_json::Value;

use super::trace::document::text;
use super::{Answer, Ask, errors, page, service_crumbs, transaction_href};
use crate::analytics::error_group::{self, Affected, Detail};
use crate::analytics::errors::{self as groups, ErrorGroup};
use crate::analytics::{discover, latency};
use crate::ui::components::cells::{Tone, meter};
use crate::ui::components::findings::findings;
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::shell::{Page, Section};
use crate::ui::number::{self, percent};
use crate::ui::pages::transactions::named;
use crate::ui::view::View;
use crate::ui::words;

/// The page.
pub(crate) fn one(ask: &mut Ask<'_>, service: &str, key: &str) -> Result<Answer, StoreError> {
    let Some(number) = pasted::hash(key) else {
        return Ok(Answer::Missing(missing(ask.view, service, key)));
    };
    let scope = ask.service(service);
    let found = error_group::detail(ask.conn, &scope, number, &ask.window)?;
    let Some(group) = found.group.clone() else {
        return Ok(Answer::Missing(missing(ask.view, service, key)));
    };
    let place = ask
        .view
        .param("n")
        .and_then(|n| n.parse::<usize>().ok())
        .unwrap_or(1)
        .clamp(1, found.samples.len().max(1))
        - 1;
    let document = match found.samples.get(place) {
        Some(sample) => discover::document(ask.conn, sample.seq)?,
        None => None,
    };
    let requests = latency::chart(ask.conn, &scope, &ask.window)?.total.count;
    let others = groups::list(ask.conn, &scope, None, &ask.window)?
        .errors
        .into_iter()
        .filter(|other| other.key != group.key)
        .collect::<Vec<_>>();
    let alike = shared::values(ask, &found.samples)?;
    let series: Vec<f64> = group.series.iter().map(|n| *n as f64).collect();
    let sql = groups::series_sql(&scope, Some(number), &ask.window).shell();
    let crumbs = service_crumbs(
        ask.view,
        service,
        &[
            Crumb::link(
                "Errors",
                ask.view.to(&["services", service, "errors"]).to_string(),
            ),
            Crumb::here(errors::short(&group.key)),
        ],
    );
    let (answer, why) = headline(ask.view, &group, &found, document.as_ref());
    let body = html! {
        (page_head(&crumbs, answer, why))
        (totals(ask.view, &group, requests, document.as_ref()))
        div.cols.cols--side {
            div.stack {
                section.panel { (errors::occurrences(ask, &found.axis, &series, &sql)) }
                (occurrence::panel(ask.view, &group, &found.samples, place, document.as_ref()))
            }
            div.stack {
                (affected(ask.view, service, &found.transactions))
                (shared::panel(ask.view, &alike, found.samples.len()))
                @if !others.is_empty() { section.panel { div.panel-head { h2 { "Other errors of " (service) } } (findings(&errors::as_findings(ask.view, &others, 4))) } }
            }
        }
    };
    let title = words::cut(&errors::title(&group), 60);
    Ok(Answer::Page(Page {
        service: Some(service.to_owned()),
        fresh: false,
        ..page(Section::Errors, title, body)
    }))
}

fn missing(view: &View, service: &str, key: &str) -> Page {
    let crumbs = service_crumbs(
        view,
        service,
        &[
            Crumb::link(
                "Errors",
                view.to(&["services", service, "errors"]).to_string(),
            ),
            Crumb::here(words::cut(key, 16)),
        ],
    );
    let body = html! {
        (page_head(&crumbs, format!("This error did not occur {}.", words::range(view)), "It may have occurred earlier, or in another environment."))
        (super::nothing_here(view, "No occurrences"))
    };
    Page {
        service: Some(service.to_owned()),
        ..page(Section::Errors, "Error not found", body)
    }
}

fn headline(
    view: &View,
    group: &ErrorGroup,
    found: &Detail,
    document: Option<&Value>,
) -> (String, String) {
    let title = words::cut(&errors::title(group), 110);
    let times = words::often(group.occurrences.unsigned_abs());
    let (first, last) = (found.samples.last(), found.samples.first());
    // The samples are the newest 500: with more of them the first is not known.
    let when = match (first, last) {
        (Some(first), Some(last))
            if found.samples.len() as i64 == group.occurrences
                && first.timestamp / 60_000_000 != last.timestamp / 60_000_000 =>
        {
            format!(
                "between {} and {}",
                view.clock.minute(first.timestamp),
                view.clock.minute(last.timestamp)
            )
        }
        (Some(first), Some(_)) if found.samples.len() as i64 == group.occurrences => {
            format!("at {}", view.clock.minute(first.timestamp))
        }
        _ => words::range(view),
    };
    let answer = format!("“{title}” occurred {times} {when}.");
    let mut why = Vec::new();
    let names: Vec<&str> = found
        .transactions
        .iter()
        .map(|one| named(&one.name))
        .take(3)
        .collect();
    if !names.is_empty() {
        why.push(format!("In {}", words::cut(&words::list(&names), 120)));
    }
    let culprit = document
        .and_then(|document| text(document, "error.culprit"))
        .unwrap_or_else(|| group.culprit.clone());
    if !culprit.is_empty() {
        why.push(format!(
            "{} {}",
            if why.is_empty() { "At" } else { "at" },
            words::cut(&culprit, 120)
        ));
    }
    let why = if why.is_empty() {
        format!("Recorded by {}.", group.service)
    } else {
        format!("{}.", why.join(", "))
    };
    (answer, why)
}

fn totals(view: &View, group: &ErrorGroup, requests: f64, document: Option<&Value>) -> Markup {
    let share = (requests > 0.0).then(|| group.occurrences as f64 / requests);
    let version = document.and_then(|document| text(document, "service.version"));
    let handled = match group.handled {
        Some(false) => html! { span.badge.badge--bad.badge--fact { "Unhandled" } },
        Some(true) => html! { span.badge.badge--fact { "Handled" } },
        None => dim("not sent"),
    };
    let is_new = errors::is_new(view, group);
    let first = group.first_seen * SECOND;
    let mut list = vec![Fact::with(
        "Occurrences",
        number::compact(group.occurrences.unsigned_abs()),
        html! { @if is_new { (dim("new")) } },
    )];
    if let Some(share) = share.filter(|share| *share <= 1.0) {
        list.push(Fact::new("Of all requests", percent(share)));
    }
    list.push(Fact::with(
        "First seen",
        view.clock.second(first),
        dim(view.clock.ago(first)),
    ));
    if let Some(at) = group.latest {
        list.push(Fact::with(
            "Last seen",
            view.clock.second(at),
            dim(view.clock.ago(at)),
        ));
    }
    list.push(Fact::new("Handled", handled));
    if let Some(version) = version {
        list.push(Fact::new(
            "Version",
            html! { span.badge.badge--line.badge--fact { (words::cut(&version, 24)) } },
        ));
    }
    facts(&list)
}

fn affected(view: &View, service: &str, list: &[Affected]) -> Markup {
    let all: i64 = list.iter().map(|one| one.occurrences).sum();
    html! {
        section.panel {
            div.panel-head { h2 { "Requests affected" } }
            div.pad {
                @if list.is_empty() { p.dim { "The error did not say in which request it occurred." } }
                ul.top {
                    @for one in list {
                        li {
                            a.v href=(transaction_href(view, service, &one.kind, &one.name)) title=(one.name) { (named(&one.name)) }
                            span.pc { (number::compact(one.occurrences.unsigned_abs())) }
                            (meter(one.occurrences as f64 / all.max(1) as f64, "fill-bad"))
                        }
                    }
                }
            }
        }
    }
}

/// The tone of a level of a log line.
pub(super) fn level_tone(level: &str) -> Tone {
    match level.to_ascii_lowercase().as_str() {
        "error" | "critical" | "fatal" => Tone::Bad,
        "warn" | "warning" => Tone::Warn,
        _ => Tone::Neutral,
    }
}
