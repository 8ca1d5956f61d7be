//! A graph of services and calls: boxes in layers from left to right, and curves between them.
//!
//! Unlike other charts it has its natural size, because it holds words, and scrolls where that is too wide. A node is a
//! link, in the order of the layers; the table of calls beside the drawing says the same in words.

mod labels;
mod route;

use maud::{Markup, html};

use crate::sort_rows::SortRows as _;
use crate::ui::href::Href;
use crate::ui::plot::coordinate::Px;
use crate::ui::plot::layered::layered;
use route::Route;

/// Width and height of a node, and the distances from node to node.
const WIDTH: f64 = 276.0;
const HEIGHT: f64 = 44.0;
const COLUMN: f64 = 424.0;
const ROW: f64 = 58.0;
/// Room around the drawing: arcs of calls to itself and their words stand above a node.
const MARGIN: f64 = 30.0;

/// Edges that have their numbers written at them; of more, they would cover each other.
const LABELLED: usize = 40;

/// A node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) href: Href,
    pub(crate) name: String,
    /// The second line.
    pub(crate) facts: String,
    /// The class of the stripe at its left edge, such as `t-db`; empty for a service.
    pub(crate) class: &'static str,
    pub(crate) tone: Tone,
    /// Whether the map is about it.
    pub(crate) is_centre: bool,
}

/// An edge.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) label: String,
    /// All of its numbers, in words.
    pub(crate) says: String,
    /// Width of its line, 0 to 1.
    pub(crate) weight: f64,
    pub(crate) tone: Tone,
}

/// Health, as far as failures tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Fine,
    Some,
    Bad,
}

impl Tone {
    /// The tone of a share of failures: from 1 % on it is seen, from 5 % on it is bad.
    pub(crate) fn from_rate(failed_rate: Option<f64>) -> Self {
        match failed_rate {
            Some(rate) if rate >= 0.05 => Self::Bad,
            Some(rate) if rate >= 0.01 => Self::Some,
            _ => Self::Fine,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Fine => "",
            Self::Some => "some",
            Self::Bad => "bad",
        }
    }

    fn marker(self) -> &'static str {
        match self {
            Self::Fine => "url(#tip)",
            Self::Some => "url(#tip-some)",
            Self::Bad => "url(#tip-bad)",
        }
    }
}

/// The drawing. `says`: what it shows, for those who do not see it.
pub(crate) fn graph(nodes: &[Node], edges: &[Edge], says: &str) -> Markup {
    let ends: Vec<(usize, usize)> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let drawn = layered(nodes.len(), &ends);
    let width = MARGIN * 2.0 + WIDTH + COLUMN * drawn.layers.saturating_sub(1) as f64;
    let height = MARGIN * 2.0 + HEIGHT + ROW * drawn.height;
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_rows_by(|a, b| {
        let (a, b) = (drawn.nodes[*a], drawn.nodes[*b]);
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let routes: Vec<Route> = edges
        .iter()
        .zip(&drawn.bends)
        .map(|(edge, bends)| {
            let ends = (drawn.nodes[edge.from], drawn.nodes[edge.to]);
            Route::new(ends, edge.from == edge.to, bends)
        })
        .collect();
    html! {
        div.graph tabindex="0" role="group" aria-label=(says) {
            svg width=(Px(width)) height=(Px(height)) viewBox={ "0 0 " (Px(width)) " " (Px(height)) } {
                defs { (tip("tip", "")) (tip("tip-some", "some")) (tip("tip-bad", "bad")) }
                @for (edge, route) in edges.iter().zip(&routes) { (line(edge, route)) }
                @if edges.len() <= LABELLED {
                    @for (edge, place) in edges.iter().zip(labels::places(edges, &routes)) {
                        @if let Some((x, y)) = place {
                            @let width = labels::width(&edge.label);
                            rect.call-ground x=(Px(x - width / 2.0)) y=(Px(y - 10.0)) width=(Px(width)) height="13" {}
                            text.call-label x=(Px(x)) y=(Px(y)) aria-hidden="true" { (edge.label) }
                        }
                    }
                }
                @for place in order { (node(&nodes[place], at(drawn.nodes[place]))) }
            }
        }
    }
}

fn tip(id: &str, class: &str) -> Markup {
    html! {
        marker.tip id=(id) viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"
            markerUnits="userSpaceOnUse" { path class=(class) d="M0 .6 7.4 4 0 7.4z" {} }
    }
}

/// The upper left corner of a node.
fn at((layer, height): (usize, f64)) -> (f64, f64) {
    (MARGIN + COLUMN * layer as f64, MARGIN + ROW * height)
}

fn node(node: &Node, (x, y): (f64, f64)) -> Markup {
    let (tone, centre) = (
        node.tone.class(),
        if node.is_centre { "centre" } else { "" },
    );
    html! {
        a class={ "node " (tone) " " (centre) } href=(node.href) {
            title { (node.name) ": " (node.facts) }
            rect.box x=(Px(x)) y=(Px(y)) width=(Px(WIDTH)) height=(Px(HEIGHT)) rx="6" {}
            @if !node.class.is_empty() {
                rect class={ "stripe " (node.class) } x=(Px(x + 5.0)) y=(Px(y + 7.0)) width="3"
                    height=(Px(HEIGHT - 14.0)) rx="1.5" {}
            }
            // Names are cut where the box ends.
            svg x=(Px(x + 14.0)) y=(Px(y)) width=(Px(WIDTH - 22.0)) height=(Px(HEIGHT)) {
                text.name x="0" y="19" { (short(&node.name)) }
                text.numbers x="0" y="35" { (node.facts) }
            }
        }
    }
}

/// As much of a name as may be seen: a name has thousands of characters at worst.
fn short(name: &str) -> String {
    crate::ui::words::cut(name, 28)
}

fn line(edge: &Edge, route: &Route) -> Markup {
    let path = route.path();
    html! {
        g class={ "call " (edge.tone.class()) } {
            title { (edge.says) }
            path.way d=(path) stroke-width=(Px(1.0 + 3.0 * edge.weight.clamp(0.0, 1.0)))
                marker-end=(edge.tone.marker()) {}
            // A line is easier to point at where it is wide.
            path.reach d=(path) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> Node {
        Node {
            href: Href::to(&["services", name, "map"]),
            name: name.to_owned(),
            facts: "12/min".to_owned(),
            class: "",
            tone: Tone::from_rate(Some(0.2)),
            is_centre: false,
        }
    }

    fn edge(from: usize, to: usize) -> Edge {
        Edge {
            from,
            to,
            label: "3/min".to_owned(),
            says: "<a> calls".to_owned(),
            weight: 0.5,
            tone: Tone::Fine,
        }
    }

    #[test]
    fn nodes_are_links_in_the_order_of_the_layers_and_names_are_escaped() {
        let nodes = [node("db"), node("<shop>"), node(&"x".repeat(1000))];
        let edges = [edge(1, 0), edge(1, 2), edge(2, 1), edge(0, 0)];
        let text = graph(&nodes, &edges, "3 services").into_string();
        let place = |what: &str| text.find(what).expect(what);
        assert!(place("%3Cshop%3E/map") < place("/services/db/map"));
        assert!(text.contains("&lt;shop&gt;") && !text.contains("<shop>"));
        assert_eq!(text.matches("<a class=\"node").count(), 3);
        assert_eq!(text.matches("class=\"way\"").count(), 4);
        assert_eq!(text.matches("class=\"call-label\"").count(), 4);
        assert!(text.contains(&format!("{}…", "x".repeat(27))));
    }

    #[test]
    fn the_tone_follows_the_share_of_failures() {
        for (rate, tone) in [
            (None, Tone::Fine),
            (Some(0.0), Tone::Fine),
            (Some(0.012), Tone::Some),
            (Some(0.05), Tone::Bad),
        ] {
            assert_eq!(Tone::from_rate(rate), tone);
        }
    }
}
