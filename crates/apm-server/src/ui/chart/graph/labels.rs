//! Places for the words at edges: none covers another, and as few lines as can be run through one.

use super::{COLUMN, Edge, WIDTH};
use crate::sort_rows::SortRows as _;
use crate::ui::chart::graph::route::Route;

/// Width of a character and height of a line, in the size of these words.
const CHARACTER: f64 = 6.2;
const LINE: f64 = 13.0;

/// Points of the way that are tried, the best first.
const TRIED: [f64; 9] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82];

/// Points of each way that are looked at, to see whether it runs through words.
const SAMPLES: usize = 24;

/// The rectangle of some words.
#[derive(Debug, Clone, Copy)]
struct Words {
    x: f64,
    /// The line that they stand on.
    y: f64,
    half: f64,
}

impl Words {
    fn covers(self, other: Self) -> bool {
        (self.x - other.x).abs() < self.half + other.half + 4.0 && (self.y - other.y).abs() < LINE
    }

    fn holds(self, (x, y): (f64, f64)) -> bool {
        (x - self.x).abs() < self.half && (self.y - LINE + 2.0..self.y + 2.0).contains(&y)
    }
}

/// The width of words, about.
pub(super) fn width(words: &str) -> f64 {
    words.chars().count() as f64 * CHARACTER
}

/// The middle and the base of the words at each edge; none where they would cover others, heavier edges first. The
/// edge's title says them, too.
pub(super) fn places(edges: &[Edge], routes: &[Route]) -> Vec<Option<(f64, f64)>> {
    let ways: Vec<Vec<(f64, f64)>> = routes.iter().map(samples).collect();
    let mut order: Vec<usize> = (0..edges.len()).collect();
    order.sort_rows_by(|a, b| edges[*b].weight.total_cmp(&edges[*a].weight));
    let mut placed: Vec<Words> = Vec::new();
    let mut places = vec![None; edges.len()];
    for edge in order {
        let half = width(&edges[edge].label) / 2.0;
        let free = candidates(&routes[edge], half)
            .filter(|words| !placed.iter().any(|other| words.covers(*other)));
        let lines = |words: &Words| {
            let through = |way: &usize| ways[*way].iter().any(|point| words.holds(*point));
            (0..ways.len())
                .filter(|way| *way != edge)
                .filter(through)
                .count()
        };
        // The first of the best: `min_by_key` takes the earliest of equals.
        if let Some(words) = free.min_by_key(lines) {
            placed.push(words);
            places[edge] = Some((words.x, words.y));
        }
    }
    places
}

/// Places for the words of an edge: on its way or below it, in the room between two layers, nearest to the callee
/// first.
fn candidates(route: &Route, half: f64) -> impl Iterator<Item = Words> + '_ {
    let room = ((COLUMN - WIDTH) / 2.0 - 6.0).max(half) - half;
    (0..3)
        .flat_map(|segment| TRIED.map(|t| (segment, t)))
        .flat_map(move |(segment, t)| {
            let middle = route.point(segment, 0.5);
            let point = route.point(segment, t);
            [4.0, -5.0, 14.0].into_iter().filter_map(move |above| {
                let ((middle, _), (x, y)) = (middle?, point?);
                let x = x.clamp(middle - room, middle + room);
                Some(Words {
                    x,
                    y: y + above,
                    half,
                })
            })
        })
}

fn samples(route: &Route) -> Vec<(f64, f64)> {
    let segments = (0..).map_while(|segment| route.point(segment, 0.5).map(|_| segment));
    segments
        .flat_map(|segment| (0..=SAMPLES).map(move |i| (segment, i as f64 / SAMPLES as f64)))
        .filter_map(|(segment, t)| route.point(segment, t))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::chart::graph::Tone;

    fn edge(label: &str, weight: f64) -> Edge {
        Edge {
            from: 0,
            to: 1,
            label: label.to_owned(),
            says: String::new(),
            weight,
            tone: Tone::Fine,
        }
    }

    #[test]
    fn words_of_edges_that_meet_do_not_cover_each_other() {
        let through = |y1, y2| Route::Through(vec![(286.0, y1), (430.0, y2)]);
        let routes = [
            through(50.0, 50.0),
            through(20.0, 80.0),
            through(80.0, 20.0),
        ];
        let edges =
            ["17.6/min · DB 13 %", "2/min · DB 75 %", "8.3/min"].map(|label| edge(label, 1.0));
        let places = places(&edges, &routes);
        let words: Vec<Words> = places
            .iter()
            .zip(&edges)
            .filter_map(|(place, edge)| {
                let (x, y) = (*place)?;
                let half = edge.label.chars().count() as f64 * CHARACTER / 2.0;
                Some(Words { x, y, half })
            })
            .collect();
        assert_eq!(words.len(), 3);
        for (i, one) in words.iter().enumerate() {
            assert!(
                words[..i].iter().all(|other| !one.covers(*other)),
                "{words:?}"
            );
        }
    }

    #[test]
    fn words_that_have_no_room_are_left_out_and_the_heaviest_edge_keeps_its_own() {
        let routes: Vec<Route> = (0..30)
            .map(|_| Route::Through(vec![(286.0, 50.0), (430.0, 50.0)]))
            .collect();
        let mut edges = vec![edge("17.6/min · DB 13 %", 0.1); 30];
        edges[29].weight = 1.0;
        let places = places(&edges, &routes);
        assert!(places[29].is_some());
        assert!(places.iter().flatten().count() < 5);
    }
}
