//! `/services/{s}/instances`: what runs a service, and how each of these does.

use maud::{Markup, html};

use super::{Answer, Context, Rendered, narrowed, page, service_crumbs, service_tabs, whole};
use crate::analytics::instances::Instance;
use crate::answers::instances::{Answer as Found, Params};
use crate::ui::budget::each;
use crate::ui::components::cells;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, bytes};
use crate::ui::view::{View, quoted};
use crate::ui::words;

const COLUMNS: [Column; 8] = [
    Column::text("Instance").by("node"),
    Column::text("Version").by("version"),
    Column::bare("Per minute").by("throughput"),
    Column::figure("Average").by("avg"),
    Column::figure("p95").by("p95"),
    Column::figure("Failed").by("failed"),
    Column::figure("CPU").by("cpu"),
    Column::figure("Memory").by("memory"),
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service) = (context.view, self.service.as_str());
        let crumbs = service_crumbs(view, service, &[Crumb::here("Instances")]);
        let tabs = service_tabs(view, service, "instances");
        let (answer, why) = headline(view, service, found);
        let body = html! {
            (page_head(&crumbs, answer, why))
            (super::elsewhere_note(&found.elsewhere))
            (super::counted_since(view, found.counted_since))
            (tabs)
            @if found.rows.total == 0 { (super::nothing_here(view, "No instances")) }
            @else {
                @let count = number::grouped(found.rows.total as u64);
                (panel("Instances", count, html! {}, rows(view, service, found)))
            }
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            ..page(Section::Services, format!("Instances · {service}"), body)
        })
    }
}

fn headline(view: &View, service: &str, found: &Found) -> (String, String) {
    let service = words::cut(service, 60);
    let total = found.rows.total as u64;
    if total == 0 {
        return narrowed::none(
            view,
            &format!("instance of {service}"),
            &format!("No instance of {service} sent anything"),
            "An instance is a process, a container or a machine that runs the service.",
        );
    }
    let answer = format!(
        "{} of {service} sent data {}.",
        words::count(total, "instance", "instances"),
        words::range(view)
    );
    let cut = if found.complete {
        ""
    } else {
        " The reading was cut: figures are of the newest events."
    };
    let slowest = found.slowest.as_ref();
    let why = match slowest.and_then(|of| of.latency_p95.map(|p95| (of, p95))) {
        Some((of, p95)) if total > 1 => {
            format!(
                "The slowest is {}, {} at p95.",
                name(of),
                number::duration(p95)
            )
        }
        _ => format!(
            "{}.",
            words::count(whole(found.count), "transaction", "transactions")
        ),
    };
    (answer, format!("{why}{cut}"))
}

fn name(of: &Instance) -> String {
    match &*of.node {
        "" => "one without a name".to_owned(),
        node => words::cut(node, 60),
    }
}

fn rows(view: &View, service: &str, found: &Found) -> Markup {
    let frame = Frame {
        class: "table--lines",
        caption: "Instances",
        name: "instances",
        columns: &COLUMNS,
        sort: Some(found.sort),
    };
    html! {
        (framed(view, frame, each(&found.instances, |one| row(view, service, one))))
        (super::pager(view, &found.rows, "transactions", false))
        @if found.left_out > 0 {
            p.panel-foot {
                (words::count(found.left_out as u64, "instance", "instances")) " with fewer transactions left out."
            }
        }
    }
}

fn row(view: &View, service: &str, one: &Instance) -> Markup {
    let mut query = format!("service.name: {}", quoted(service));
    if !one.node.is_empty() {
        query.push_str(&format!(" and service.node.name: {}", quoted(&one.node)));
    }
    let about: Vec<&str> = [&one.host, &one.pod, &one.runtime, &one.environment]
        .into_iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty() && *text != one.node)
        .collect();
    html! {
        tr {
            th.grow scope="row" {
                a href=(view.discover(&query)) title=(one.node) { (name(one)) }
                span.sub {
                    (words::cut(&about.join(" · "), 120))
                    @if let Some(processes @ 2..) = one.processes {
                        " · " (number::grouped(processes as u64)) " processes"
                    }
                }
            }
            td.soft title=(one.version) { @if one.version.is_empty() { "–" } @else { (words::cut(&one.version, 40)) } }
            td.num { (number::rate(one.throughput)) }
            (cells::duration(one.latency_avg))
            (cells::duration(one.latency_p95))
            (cells::percent(one.failed_rate))
            (cells::percent(one.cpu))
            (cells::figure(one.memory.map(|memory| bytes(memory.max(0.0) as u64))))
        }
    }
}
