//! The order within layers: by the mean place of the neighbours, forth and back, and the best that was met is kept.

use super::Net;
use crate::sort_rows::SortRows as _;

/// Times that all layers are sorted; more change little.
const ROUNDS: usize = 12;

/// Sorts the layers so that few links cross.
pub(super) fn settle(net: &mut Net) {
    let mut best = net.layers.clone();
    let mut least = crossings(net);
    for round in 0..ROUNDS {
        if least == 0 {
            break;
        }
        let forth = round % 2 == 0;
        let count = net.layers.len();
        // The layer that a sweep begins with has nothing to go by.
        for step in 1..count {
            let layer = if forth { step } else { count - 1 - step };
            sort(net, layer, forth);
        }
        let now = crossings(net);
        if now < least {
            least = now;
            best.clone_from(&net.layers);
        }
    }
    net.layers = best;
}

/// The place of each cell in its layer.
fn places(net: &Net) -> Vec<usize> {
    let mut places = vec![0; net.cells.len()];
    for layer in &net.layers {
        for (place, cell) in layer.iter().enumerate() {
            places[*cell] = place;
        }
    }
    places
}

fn sort(net: &mut Net, layer: usize, forth: bool) {
    let places = places(net);
    let neighbours = if forth { &net.before } else { &net.after };
    let mean = |cell: usize| {
        let near = &neighbours[cell];
        if near.is_empty() {
            return places[cell] as f64;
        }
        let sum: usize = near.iter().map(|near| places[*near]).sum();
        sum as f64 / near.len() as f64
    };
    let mut cells: Vec<(f64, usize)> = net.layers[layer]
        .iter()
        .map(|cell| (mean(*cell), *cell))
        .collect();
    // A stable sort: with equal means the order stays, and equal graphs are drawn equally.
    cells.sort_rows_by(|a, b| a.0.total_cmp(&b.0));
    net.layers[layer] = cells.into_iter().map(|(_, cell)| cell).collect();
}

/// Pairs of links that cross.
fn crossings(net: &Net) -> usize {
    let places = places(net);
    net.layers
        .iter()
        .map(|layer| {
            let mut ends: Vec<usize> = Vec::new();
            for cell in layer {
                let from = ends.len();
                ends.extend(net.after[*cell].iter().map(|to| places[*to]));
                // Links of one cell do not cross each other.
                ends[from..].sort_unstable();
            }
            inversions(&ends)
        })
        .sum()
}

/// Pairs in the wrong order.
fn inversions(values: &[usize]) -> usize {
    let most = values.iter().copied().max().unwrap_or(0) + 1;
    // A Fenwick tree of how often each value came.
    let mut seen = vec![0usize; most + 1];
    let mut count = 0;
    for (before, value) in values.iter().enumerate() {
        let mut not_larger = 0;
        let mut at = value + 1;
        while at > 0 {
            not_larger += seen[at];
            at &= at - 1;
        }
        count += before - not_larger;
        let mut at = value + 1;
        while at <= most {
            seen[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inversions_are_counted() {
        for (values, want) in [
            (&[][..], 0),
            (&[0, 1, 2], 0),
            (&[2, 1, 0], 3),
            (&[1, 1], 0),
            (&[3, 0, 2], 2),
        ] {
            assert_eq!(inversions(values), want, "{values:?}");
        }
    }
}
