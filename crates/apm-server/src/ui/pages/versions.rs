//! `/services/{s}/versions`: the versions of a service, and what changed with each deployment.

use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, narrowed, page, service_crumbs, service_tabs, whole};
use crate::answers::versions::{Answer as Versions, Params};
use crate::insight::versions::{Deployment, Side, Version};
use crate::ui::budget::each;
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, Figure};
use crate::ui::view::{View, quoted};
use crate::ui::words;

const VERSIONS: [Column; 7] = [
    Column::text("Version").by("version"),
    Column::bare("Instances").by("instances"),
    Column::bare("Transactions").by("count"),
    Column::figure("Average").by("avg"),
    Column::figure("p95").by("p95"),
    Column::figure("Failed").by("failed"),
    Column::bare("New errors").by("errors"),
];

const DEPLOYMENTS: [Column; 6] = [
    Column::text("Deployed"),
    Column::bare("When"),
    Column::text("p95 before and after"),
    Column::text("Failed before and after"),
    Column::text("New errors"),
    Column::text("Compare"),
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, answer: &Versions) -> Answer {
        let found = &answer.found;
        let (view, service) = (context.view, self.service.as_str());
        let crumbs = service_crumbs(view, service, &[Crumb::here("Versions")]);
        let tabs = service_tabs(view, service, "versions");
        let (title, why) = headline(view, service, answer);
        let frame = |caption, name, columns, sort| Frame {
            class: "table--lines",
            caption,
            name,
            columns,
            sort,
        };
        let versions = each(&found.versions, |one| version(view, service, one));
        let environments = found.deployments.iter();
        let environments = environments.filter_map(|one| one.marker.environment.as_ref());
        let several = words::are_several(environments);
        let deployments = each(&found.deployments, |one| {
            deployment(view, service, one, several)
        });
        let count = |n: usize| number::grouped(n as u64);
        let body = html! {
            (page_head(&crumbs, title, why))
            (super::elsewhere_note(&answer.elsewhere))
            (super::counted_since(view, found.counted_since))
            (tabs)
            @if answer.rows.total == 0 { (super::nothing_here(view, "No versions")) }
            @else {
                (panel("Versions that ran", count(answer.rows.total), html! {}, html! {
                    (framed(view, frame("Versions", "versions", &VERSIONS, Some(answer.sort)), versions))
                    (super::pager(view, &answer.rows, "transactions", false))
                }))
            }
            @if found.deployments.is_empty() {
                @let why = "A deployment is seen when a process sends a service.version that is new to its service.";
                section.panel { (nothing("No deployments", why)) }
            } @else {
                (panel("Deployments", count(found.deployments.len()), html! {},
                    framed(view, frame("Deployments", "deployments", &DEPLOYMENTS, None), deployments)))
            }
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            ..page(Section::Services, format!("Versions · {service}"), body)
        })
    }
}

fn headline(
    view: &View,
    service: &str,
    Versions { found, rows, .. }: &Versions,
) -> (String, String) {
    let service = words::cut(service, 60);
    let answer = match (rows.total, found.versions.as_slice()) {
        (0, _) => {
            let said = narrowed::none(
                view,
                &format!("version of {service}"),
                &format!("No version of {service} ran"),
                "",
            );
            if view.param("search").is_some() {
                return said;
            }
            said.0
        }
        (1, [one]) => format!("{} of {service} ran {}.", named(one), words::range(view)),
        (all, _) => format!(
            "{} of {service} ran {}.",
            words::count(all as u64, "version", "versions"),
            words::range(view)
        ),
    };
    let mut why = match found.deployments.first() {
        None => "No deployment is known.".to_owned(),
        Some(last) => {
            let ago = view.clock.ago(last.marker.at * SECOND);
            let version = words::cut(&last.marker.name, 40);
            match last.new_errors_total {
                0 => format!("The last deployment was {version}, {ago}."),
                new => format!(
                    "The last deployment was {version}, {ago}, with {}.",
                    words::count(new as u64, "new error", "new errors")
                ),
            }
        }
    };
    if !found.complete {
        why.push_str(" The reading was cut: figures of versions are of the newest events.");
    }
    (answer, why)
}

fn named(one: &Version) -> String {
    match &*one.version {
        "" => "One version, which was not sent,".to_owned(),
        version => format!("Version {}", words::cut(version, 40)),
    }
}

fn version(view: &View, service: &str, one: &Version) -> Markup {
    let query = match &*one.version {
        "" => format!(
            "service.name: {} and not service.version: *",
            quoted(service)
        ),
        version => format!(
            "service.name: {} and service.version: {}",
            quoted(service),
            quoted(version)
        ),
    };
    html! {
        tr {
            th.grow scope="row" {
                a href=(view.discover(&query)) title=(one.version) {
                    @if one.version.is_empty() { "(not sent)" } @else { (words::cut(&one.version, 80)) }
                }
            }
            td.num { (number::grouped(one.instances as u64)) }
            (cells::count(whole(one.count)))
            (cells::duration(one.latency_avg))
            (cells::duration(one.latency_p95))
            (cells::percent(one.failed_rate))
            td.num { (number::grouped(one.new_errors as u64)) }
        }
    }
}

fn deployment(view: &View, service: &str, one: &Deployment, several: bool) -> Markup {
    let marker = &one.marker;
    let environment = marker.environment.as_deref().unwrap_or_default();
    let compare = view
        .to(&["compare"])
        .set("marker", &marker.id.to_string())
        .set("service", service)
        .set("env", environment);
    let p95 = |side: &Side| side.latency_p95.map(number::duration);
    let failed = |side: &Side| side.failed_rate.map(number::percent);
    // As a deployment that makes p95 half as long again is told of as an insight.
    let slower = one
        .was
        .latency_p95
        .zip(one.is.latency_p95)
        .is_some_and(|(was, is)| is >= 1.5 * was);
    let failing = one
        .was
        .failed_rate
        .zip(one.is.failed_rate)
        .is_some_and(|(was, is)| is >= was + 0.01);
    html! {
        tr {
            th.grow scope="row" {
                span title=(marker.name) { (words::cut(&marker.name, 60)) }
                @if several || !environment.is_empty() { span.sub {
                    @match marker.environment.as_deref() {
                        Some(name) => (words::environment(name)),
                        None => "all environments",
                    }
                } }
            }
            td.num.soft { (view.clock.relative(marker.at * SECOND)) }
            td { (both(p95(&one.was), p95(&one.is))) @if slower { " " (flag(Tone::Bad, "slower")) } }
            td { (both(failed(&one.was), failed(&one.is))) @if failing { " " (flag(Tone::Bad, "more failures")) } }
            td {
                @if one.new_errors_total == 0 { span.dim { "none" } }
                @for error in &one.new_errors {
                    a.sub href=(view.to(&["services", service, "errors", &error.key])) title=(error.title) {
                        (words::cut(error.title.lines().next().unwrap_or_default(), 60))
                    }
                }
                @if one.new_errors_total > one.new_errors.len() {
                    span.sub { (one.new_errors_total - one.new_errors.len()) " more" }
                }
            }
            td {
                a href=(compare) aria-label={ "Compare before and after " (words::cut(&marker.name, 40)) } { "Compare" }
            }
        }
    }
}

fn both(was: Option<Figure>, is: Option<Figure>) -> Markup {
    let one =
        |side: Option<Figure>| html! { @match side { Some(figure) => (figure), None => "–" } };
    html! { (one(was)) " → " b { (one(is)) } }
}
