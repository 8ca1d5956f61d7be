//! `/map` and `/services/{s}/map`: services, what they call, and how their calls go.

use maud::{Markup, html};

use super::{Answer, Context, Rendered, narrowed, page, service_crumbs, service_tabs};
use crate::analytics::service_map::{Edge, Node, ServiceMap};
use crate::answers::service_map::{All, Answer as Found, Params};
use crate::ui::budget::each;
use crate::ui::chart::graph::{self, Tone, graph};
use crate::ui::components::cells::{self, swatch};
use crate::ui::components::choose;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::panel;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::components::waterfall::type_class;
use crate::ui::href::Href;
use crate::ui::number::{self, NARROW};
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for All {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let narrowed = choose::narrowed(view);
        let (answer, why) = headline(view, narrowed.as_deref(), &found.map);
        let body = html! {
            (page_head(&[Crumb::here("Map")], answer, why))
            (body(view, view.service(), &found.map))
        };
        Answer::Page(page(Section::Map, "Map", body))
    }
}

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service) = (context.view, self.service.as_str());
        let crumbs = service_crumbs(view, service, &[Crumb::here("Map")]);
        let (answer, why) = headline(view, Some(service), &found.map);
        let body = html! {
            (page_head(&crumbs, answer, why))
            (service_tabs(view, service, "map"))
            (body(view, Some(service), &found.map))
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            ..page(Section::Services, format!("Map · {service}"), body)
        })
    }
}

/// The sentence of the page, and what stands out.
fn headline(view: &View, service: Option<&str>, map: &ServiceMap) -> (String, String) {
    let name = service.map(|name| words::cut(name, 60));
    if map.nodes.is_empty() {
        let why =
            "Calls are drawn here as agents send spans of databases, queues and other services.";
        return match name {
            Some(name) => narrowed::none(
                view,
                &format!("call of {name}"),
                &format!("{name} neither calls anything nor is called"),
                why,
            ),
            None => narrowed::none(view, "call", "No service called anything", why),
        };
    }
    let answer = match (&name, service) {
        (Some(name), Some(service)) => {
            let ends = |of: fn(&Edge) -> usize, other: fn(&Edge) -> usize| {
                let is_it = |place: usize| {
                    let node = map.nodes.get(place);
                    node.is_some_and(|node| node.is_service() && node.name == service)
                };
                let edges = map.edges.iter();
                let ends = edges.filter(|edge| is_it(of(edge)) && !is_it(other(edge)));
                ends.count() as u64
            };
            let called = ends(|edge| edge.from, |edge| edge.to);
            let callers = ends(|edge| edge.to, |edge| edge.from);
            let ends = |n: u64| match n {
                0 => "none".to_owned(),
                n => words::count(n, "other", "others"),
            };
            match called {
                0 => format!("{name} is called by {} and calls none.", ends(callers)),
                _ => format!(
                    "{name} calls {} and is called by {}.",
                    ends(called),
                    ends(callers)
                ),
            }
        }
        _ => {
            let is_service = |place: usize| map.nodes.get(place).is_some_and(Node::is_service);
            let within =
                |edge: &Edge| edge.from != edge.to && is_service(edge.from) && is_service(edge.to);
            let services = map.nodes.iter().filter(|node| node.is_service()).count();
            let callees = match (map.edges.iter().any(within), others(&map.nodes)) {
                (true, None) => "each other".to_owned(),
                (true, Some(others)) => format!("each other and {others}"),
                (false, Some(others)) => others,
                (false, None) if services == 1 => "itself".to_owned(),
                (false, None) => "themselves only".to_owned(),
            };
            match services {
                1 => format!("One service calls {callees}."),
                n => format!("{} services call {callees}.", number::grouped(n as u64)),
            }
        }
    };
    let failing = map.edges.iter().filter(|edge| edge.count >= 1.0);
    let failing = failing.max_by(|a, b| {
        let failed = |edge: &Edge| edge.failed_rate.unwrap_or(0.0) * edge.count;
        failed(a).total_cmp(&failed(b))
    });
    let why = match failing.filter(|edge| edge.failed_rate.unwrap_or(0.0) > 0.0) {
        Some(edge) => format!(
            "Most failed calls are those of {} to {}: {} fail.",
            named(map, edge.from),
            named(map, edge.to),
            number::percent(edge.failed_rate.unwrap_or(0.0))
        ),
        None => format!(
            "No call{} failed {}.",
            narrowed::that_matches(view, 1),
            words::range(view)
        ),
    };
    (answer, why)
}

/// The nodes that are no services, in words: `1 database`, `5 databases and hosts`; nothing without one.
fn others(nodes: &[Node]) -> Option<String> {
    let of = |class: &str| {
        let others = nodes.iter().filter(|node| !node.is_service());
        others.filter(|node| kind(node) == class).count() as u64
    };
    let kinds = [
        ("database", "databases"),
        ("queue", "queues"),
        ("host", "hosts"),
    ];
    let found = kinds.map(|(one, many)| (of(one), one, many));
    let found: Vec<_> = found.into_iter().filter(|(n, ..)| *n > 0).collect();
    match found[..] {
        [] => None,
        [(n, one, many)] => Some(words::count(n, one, many)),
        _ => {
            let all: u64 = found.iter().map(|(n, ..)| n).sum();
            let many: Vec<&str> = found.iter().map(|(.., many)| *many).collect();
            Some(format!("{} {}", number::grouped(all), words::list(&many)))
        }
    }
}

/// The word for a node that is no service, as in the legend.
fn kind(node: &Node) -> &'static str {
    match type_class(&node.kind) {
        "t-db" => "database",
        "t-message" => "queue",
        _ => "host",
    }
}

fn named(map: &ServiceMap, place: usize) -> String {
    map.nodes
        .get(place)
        .map_or_else(String::new, |node| words::cut(&node.name, 60))
}

fn body(view: &View, service: Option<&str>, map: &ServiceMap) -> Markup {
    html! {
        @if map.nodes.is_empty() && map.alone.is_empty() {
            (super::nothing_here(view, "No calls"))
        }
        @if !map.nodes.is_empty() {
            (panel("Service map", note(map), key(), drawing(view, service, map)))
            (panel("Calls", "by time", html! {}, calls(view, map)))
        }
        @if !map.alone.is_empty() { (panel("Without calls", "by requests", html! {}, alone(view, map))) }
    }
}

fn note(map: &ServiceMap) -> Markup {
    html! {
        "callers are left of what they call"
        @if map.left_out > 0 {
            "; " (words::count(map.left_out as u64, "node", "nodes")) " with fewer calls not shown"
        }
    }
}

/// The meaning of the colours.
fn key() -> Markup {
    html! {
        span.row.legend {
            span.row.row--c { (swatch("t-db")) "database" }
            span.row.row--c { (swatch("t-external")) "host" }
            span.row.row--c { (swatch("t-message")) "queue" }
        }
    }
}

/// The page of a node: the map of another service, the overview of the one that the map is about, or the dependency.
fn href(view: &View, node: &Node, centre: Option<&str>) -> Href {
    match node.is_service() {
        true if centre == Some(node.name.as_str()) => view.to(&["services", &node.name]),
        true => view.to(&["services", &node.name, "map"]),
        false => view.to(&["dependencies", &node.name]).without("service"),
    }
}

fn drawing(view: &View, service: Option<&str>, map: &ServiceMap) -> Markup {
    let most = map.edges.iter().map(|edge| edge.count).fold(1.0, f64::max);
    let nodes: Vec<graph::Node> = map
        .nodes
        .iter()
        .map(|node| graph::Node {
            href: href(view, node, service),
            name: node.name.clone(),
            facts: facts(node),
            class: match node.is_service() {
                true => "",
                false => type_class(&node.kind),
            },
            tone: Tone::from_rate(node.failed_rate),
            is_centre: node.is_service() && service == Some(node.name.as_str()),
        })
        .collect();
    let edges: Vec<graph::Edge> = map
        .edges
        .iter()
        .map(|edge| graph::Edge {
            from: edge.from,
            to: edge.to,
            label: label(map, edge),
            says: says(map, edge),
            weight: (1.0 + edge.count).ln() / (1.0 + most).ln(),
            tone: Tone::from_rate(edge.failed_rate),
        })
        .collect();
    let what = format!(
        "{} and {} between them. The table of calls has the same numbers.",
        words::count(map.nodes.len() as u64, "node", "nodes"),
        words::count(map.edges.len() as u64, "kind of call", "kinds of calls"),
    );
    graph(&nodes, &edges, &what)
}

/// The second line of a node.
fn facts(node: &Node) -> String {
    let mut facts = vec![format!("{}/min", number::rate(node.throughput))];
    facts.extend(
        node.latency_avg
            .map(|avg| number::duration(avg).to_string()),
    );
    if let Some(share) = node.db_share.filter(|share| *share >= 0.005) {
        facts.push(format!("DB {}", number::percent(share)));
    }
    if let Some(rate) = node.failed_rate.filter(|rate| *rate > 0.0) {
        facts.push(format!("{} failed", number::percent(rate)));
    }
    facts.join(" · ")
}

fn is_database(map: &ServiceMap, edge: &Edge) -> bool {
    map.nodes.get(edge.to).is_some_and(|node| node.kind == "db")
}

/// The words at an edge: how often, and how long a call takes or which share of the caller's time it is.
fn label(map: &ServiceMap, edge: &Edge) -> String {
    let rate = format!("{}/min", number::rate(edge.throughput));
    match (edge.share, edge.latency_avg) {
        (Some(share), _) if is_database(map, edge) => {
            format!("{rate} · DB {}", number::percent(share))
        }
        (_, Some(avg)) => format!("{rate} · {}", number::duration(avg)),
        _ => rate,
    }
}

fn says(map: &ServiceMap, edge: &Edge) -> String {
    let mut text = format!(
        "{} calls {}: {}",
        named(map, edge.from),
        named(map, edge.to),
        words::per_minute(edge.throughput, "call", "calls")
    );
    if let Some(avg) = edge.latency_avg {
        text.push_str(&format!(", {} on average", number::duration(avg)));
    }
    if let Some(share) = edge.share {
        text.push_str(&format!(
            ", {} of the caller's time",
            number::percent(share)
        ));
    }
    if let Some(rate) = edge.failed_rate {
        text.push_str(&format!(", {} failed", number::percent(rate)));
    }
    text
}

/// The calls as a table: what the drawing shows, and more.
fn calls(view: &View, map: &ServiceMap) -> Markup {
    const COLUMNS: [Column; 6] = [
        Column::text("Caller"),
        Column::text("Callee"),
        Column::bare("Calls/min"),
        Column::figure("Avg"),
        Column::figure("Failed"),
        Column::figure("Share of caller's time"),
    ];
    let widest = map.edges.iter().filter_map(|edge| edge.share);
    let widest = widest.fold(0.0, f64::max);
    let cell = |place: usize| {
        let node = map.nodes.get(place);
        html! {
            @if let Some(node) = node {
                span.row.row--c {
                    @if !node.is_service() { (swatch(type_class(&node.kind))) }
                    a href=(href(view, node, None)) title=(node.name) { (node.name) }
                }
            }
        }
    };
    let row = |edge: &Edge| {
        let fill = if is_database(map, edge) {
            "fill-db"
        } else {
            "fill"
        };
        html! {
            tr {
                th.grow scope="row" { (cell(edge.from)) }
                td.grow { (cell(edge.to)) }
                (cells::rate(edge.throughput))
                (cells::duration(edge.latency_avg))
                (cells::percent(edge.failed_rate))
                (cells::share(edge.share, widest, fill))
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Calls",
        name: "calls",
        columns: &COLUMNS,
        sort: None,
    };
    framed(view, frame, each(&map.edges, row))
}

/// Services that neither call nor are called.
fn alone(view: &View, map: &ServiceMap) -> Markup {
    html! {
        ul.alone {
            @for node in &map.alone {
                li {
                    a.inline href=(view.to(&["services", &node.name])) title=(node.name) {
                        (words::cut(&node.name, 60))
                    }
                    " " span.dim { (number::rate(node.throughput)) (NARROW) "/min" }
                }
            }
        }
    }
}
