//! `/services/{s}/errors/{key}`: one error group. How often, where, the latest occurrence, and what its occurrences
//! share.

mod occurrence;
mod shared;
mod state;

use apm_time::SECOND;
use maud::{Markup, html};

use super::trace::document::text;
use super::{Answer, Context, Rendered, errors, narrowed, page, service_crumbs, transaction_href};
use crate::analytics::error_group::Affected;
use crate::analytics::errors::State;
use crate::answers::Problem;
use crate::answers::error::{Answer as Found, Params};
use crate::answers::errors::title;
use crate::answers::trace::named;
use crate::ui::components::cells::meter;
use crate::ui::components::findings::findings;
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::shell::{Page, Section};
use crate::ui::number::{self, percent};
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service, group) = (context.view, self.service.as_str(), &*found.group);
        let series: Vec<f64> = group.series.iter().map(|n| *n as f64).collect();
        let here = Crumb::here(errors::short(&group.key));
        let crumbs = service_crumbs(view, service, &[all_errors(view, service), here]);
        let (answer, why) = headline(view, found);
        let chart = errors::occurrences(context, &found.axis, &series, &found.group.sql);
        let body = html! {
            (page_head(&crumbs, answer, why))
            (totals(view, found))
            (super::elsewhere_note(&found.elsewhere))
            div.cols.cols--side {
                div.stack {
                    section.panel { (chart) }
                    (occurrence::panel(view, found))
                }
                div.stack {
                    (state::part(view, service, found))
                    (state::versions(view, found))
                    (affected(view, service, &found.transactions))
                    (shared::panel(view, &found.shared, found.samples.len()))
                    @if !found.others.is_empty() {
                        section.panel {
                            div.panel-head { h2 { "Other errors of " (words::cut(service, 40)) } }
                            (findings(&errors::as_findings(view, &found.others)))
                        }
                    }
                }
            }
        };
        let title = words::cut(title(group), 60);
        Answer::Page(Page {
            service: Some(service.to_owned()),
            fresh: false,
            ..page(Section::Errors, title, body)
        })
    }

    fn missing(context: &Context<'_>, _: &Problem) -> Page {
        let view = context.view;
        let crumbs = [
            Crumb::link("Errors", view.to(&["errors"]).to_string()),
            Crumb::here("not found"),
        ];
        let (answer, why) = narrowed::none(
            view,
            "occurrence of this error",
            "This error did not occur",
            "It may have occurred earlier, or in another environment.",
        );
        let body = html! {
            (page_head(&crumbs, answer, why))
            (super::nothing_here(view, "No occurrences"))
        };
        page(Section::Errors, "Error not found", body)
    }
}

fn all_errors(view: &View, service: &str) -> Crumb {
    Crumb::link(
        "Errors",
        view.to(&["services", service, "errors"]).to_string(),
    )
}

fn headline(view: &View, found: &Found) -> (String, String) {
    let (group, document) = (&*found.group, found.document.as_ref());
    let title = words::cut(title(group), 110);
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
    let names = found.transactions.iter().map(|one| named(&one.name));
    let names: Vec<&str> = names.take(3).collect();
    if !names.is_empty() {
        let total = found.transactions.len();
        let names = words::list_of(&names, total, ("other", "others"));
        why.push(format!("In {}", words::cut(&names, 120)));
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
    let mut why = if why.is_empty() {
        format!("Recorded by {}.", words::cut(&group.service, 60))
    } else {
        format!("{}.", why.join(", "))
    };
    if group.state != State::default() {
        why.push(' ');
        why.push_str(&state::sentence(view, group));
    }
    (answer, why)
}

fn totals(view: &View, found: &Found) -> Markup {
    let (group, document) = (&*found.group, found.document.as_ref());
    let share = (found.requests > 0.0).then(|| group.occurrences as f64 / found.requests);
    let version = document.and_then(|document| text(document, "service.version"));
    let handled = match group.handled {
        Some(false) => html! { span.badge.badge--bad.badge--fact { "no" } },
        Some(true) => html! { span.badge.badge--fact { "yes" } },
        None => dim("not sent"),
    };
    let first = group.first_seen * SECOND;
    let mut list = vec![Fact::with(
        "Occurrences",
        number::compact(group.occurrences.unsigned_abs()),
        html! { @if found.is_new { (dim("new")) } },
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
    if !group.state.assignee.is_empty() {
        list.push(Fact::new(
            "Assigned to",
            words::cut(&group.state.assignee, 30),
        ));
    }
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
                @if list.is_empty() { p.dim { "The error was sent without a request." } }
                ul.top {
                    @for one in list {
                        li {
                            a.v href=(transaction_href(view, service, &one.kind, &one.name)) title=(one.name) {
                                (named(&one.name))
                            }
                            span.pc { (number::compact(one.occurrences.unsigned_abs())) }
                            (meter(one.occurrences as f64 / all.max(1) as f64, "fill-bad"))
                        }
                    }
                }
            }
        }
    }
}
