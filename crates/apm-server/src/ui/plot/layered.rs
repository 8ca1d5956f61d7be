//! A directed graph in layers from left to right: callers stand left of what they call, as far as there are no cycles.
//!
//! The steps are those of Sugiyama: cycles are opened, nodes get layers, long edges get a bend in every layer that they
//! cross, layers are ordered so that few edges cross, and nodes are moved towards their neighbours. Equal graphs are
//! drawn equally.

mod order;
mod place;
mod rank;

/// The places of a graph's nodes and the bends of its edges.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Layered {
    /// Layer and height of each node. Heights are in units of a node with its gap, from 0 on.
    pub(crate) nodes: Vec<(usize, f64)>,
    /// The places that each edge passes on its way, from its source to its target: none for neighbours.
    pub(crate) bends: Vec<Vec<(usize, f64)>>,
    /// Number of layers.
    pub(crate) layers: usize,
    /// Height of the highest layer.
    pub(crate) height: f64,
}

/// A node, or the bend of an edge, in the layers.
#[derive(Debug, Clone, Copy)]
struct Cell {
    layer: usize,
    is_bend: bool,
}

/// The graph with its bends: every link leads from one layer to the next.
#[derive(Debug, Default)]
struct Net {
    cells: Vec<Cell>,
    /// Neighbours in the layer before, and in the one after.
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    /// Cells of each layer, top down.
    layers: Vec<Vec<usize>>,
}

impl Net {
    fn push(&mut self, layer: usize, is_bend: bool) -> usize {
        let cell = self.cells.len();
        self.cells.push(Cell { layer, is_bend });
        self.before.push(Vec::new());
        self.after.push(Vec::new());
        if self.layers.len() <= layer {
            self.layers.resize(layer + 1, Vec::new());
        }
        self.layers[layer].push(cell);
        cell
    }

    fn link(&mut self, from: usize, to: usize) {
        self.after[from].push(to);
        self.before[to].push(from);
    }
}

/// Lays out `nodes` nodes with edges between them; edges from a node to itself need no place.
pub(crate) fn layered(nodes: usize, edges: &[(usize, usize)]) -> Layered {
    let ranked = rank::ranks(nodes, edges);
    let mut net = Net::default();
    for layer in &ranked.layers {
        net.push(*layer, false);
    }
    let chains: Vec<Vec<usize>> = edges
        .iter()
        .zip(&ranked.reversed)
        .map(|((from, to), reversed)| {
            let (from, to) = if *reversed {
                (*to, *from)
            } else {
                (*from, *to)
            };
            if from == to {
                return Vec::new();
            }
            // An edge across several layers has a bend in each, which takes a place beside the nodes there.
            let mut chain = Vec::new();
            let mut last = from;
            for layer in ranked.layers[from] + 1..ranked.layers[to] {
                let bend = net.push(layer, true);
                net.link(last, bend);
                chain.push(bend);
                last = bend;
            }
            net.link(last, to);
            // It was laid out against its direction to break a circle, and is drawn along it.
            if *reversed {
                chain.reverse();
            }
            chain
        })
        .collect();
    order::settle(&mut net);
    let heights = place::heights(&net);
    let at = |cell: usize| (net.cells[cell].layer, heights[cell]);
    Layered {
        nodes: (0..nodes).map(at).collect(),
        bends: chains
            .iter()
            .map(|chain| chain.iter().copied().map(at).collect())
            .collect(),
        layers: net.layers.len(),
        height: heights.iter().copied().fold(0.0, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn callers_stand_left_of_what_they_call() {
        let drawn = layered(4, &[(0, 1), (1, 2), (0, 2), (3, 2)]);
        let layers: Vec<usize> = drawn.nodes.iter().map(|(layer, _)| *layer).collect();
        assert_eq!(layers, [0, 1, 2, 1]);
        assert_eq!(drawn.bends[2].len(), 1, "it passes the layer between");
        assert!(drawn.bends[0].is_empty());
    }

    #[test]
    fn a_cycle_and_a_call_of_itself_are_drawn() {
        let drawn = layered(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        let layers: Vec<usize> = drawn.nodes.iter().map(|(layer, _)| *layer).collect();
        assert_eq!(layers, [0, 1, 2]);
        assert_eq!(drawn.bends[2].len(), 1, "the way back passes the middle");
        assert!(drawn.bends[3].is_empty());
        assert_eq!(layered(0, &[]), Layered::default());
    }

    #[test]
    fn two_pairs_do_not_cross() {
        let drawn = layered(4, &[(0, 3), (1, 2)]);
        let height = |node: usize| drawn.nodes[node].1;
        assert!((height(0) < height(1)) == (height(3) < height(2)));
    }

    proptest! {
        #[test]
        fn nodes_never_overlap_and_edges_are_whole(edges in prop::collection::vec((0usize..30, 0usize..30), 0..90)) {
            let drawn = layered(30, &edges);
            for (one, a) in drawn.nodes.iter().enumerate() {
                prop_assert!(a.1 >= 0.0 && a.1 <= drawn.height && a.0 < drawn.layers);
                for b in &drawn.nodes[one + 1..] {
                    prop_assert!(a.0 != b.0 || (a.1 - b.1).abs() > 0.999, "{:?} {:?}", a, b);
                }
            }
            for ((from, to), bends) in edges.iter().zip(&drawn.bends) {
                let layers = drawn.nodes[*from].0.abs_diff(drawn.nodes[*to].0);
                prop_assert_eq!(bends.len(), layers.saturating_sub(1));
                prop_assert!(from == to || layers > 0);
            }
            prop_assert_eq!(layered(30, &edges), drawn);
        }
    }
}
