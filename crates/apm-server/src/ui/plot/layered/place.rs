//! Heights: every cell as near to its neighbours as the order and the gaps of its layer allow.

use super::Net;

/// Times that all layers are moved.
const ROUNDS: usize = 8;

/// Half of the room that a node and a bend take.
const NODE: f64 = 0.5;
const BEND: f64 = 0.2;

/// The height of each cell, from 0 on.
pub(super) fn heights(net: &Net) -> Vec<f64> {
    let mut heights = vec![0.0; net.cells.len()];
    for layer in &net.layers {
        for (cell, offset) in layer.iter().zip(offsets(net, layer)) {
            heights[*cell] = offset;
        }
    }
    for round in 0..ROUNDS {
        let forth = round % 2 == 0;
        let count = net.layers.len();
        for step in 0..count {
            let layer = &net.layers[if forth { step } else { count - 1 - step }];
            let wish = |cell: &usize| {
                let mut near = net.before[*cell].iter().chain(&net.after[*cell]).peekable();
                if near.peek().is_none() {
                    return heights[*cell];
                }
                let (sum, count) = near.fold((0.0, 0.0), |(sum, count), near| {
                    (sum + heights[*near], count + 1.0)
                });
                sum / count
            };
            let wishes: Vec<f64> = layer.iter().map(wish).collect();
            let offsets = offsets(net, layer);
            for (cell, height) in layer.iter().zip(nearest(&wishes, &offsets)) {
                heights[*cell] = height;
            }
        }
    }
    let top = heights.iter().copied().fold(f64::INFINITY, f64::min);
    heights.iter().map(|height| height - top).collect()
}

/// The heights of a layer's cells that stand as closely as they may.
fn offsets(net: &Net, layer: &[usize]) -> Vec<f64> {
    let half = |cell: usize| if net.cells[cell].is_bend { BEND } else { NODE };
    let mut at = 0.0;
    let mut offsets = Vec::with_capacity(layer.len());
    for (place, cell) in layer.iter().enumerate() {
        if place > 0 {
            at += half(layer[place - 1]) + half(*cell);
        }
        offsets.push(at);
    }
    offsets
}

/// The heights nearest to the wishes, by least squares, that keep the order and the gaps: neighbours that would overlap
/// move together (pool adjacent violators).
fn nearest(wishes: &[f64], offsets: &[f64]) -> Vec<f64> {
    // Blocks of cells that stand as closely as they may: the mean of their wishes, and how many they are.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (wish, offset) in wishes.iter().zip(offsets) {
        // Without their offsets all cells of a block wish for one start.
        let mut block = (wish - offset, 1);
        while let Some((mean, count)) = blocks.last().copied()
            && mean > block.0
        {
            let all = count + block.1;
            block.0 = (mean * count as f64 + block.0 * block.1 as f64) / all as f64;
            block.1 = all;
            blocks.pop();
        }
        blocks.push(block);
    }
    let starts = blocks
        .into_iter()
        .flat_map(|(mean, count)| std::iter::repeat_n(mean, count));
    starts.zip(offsets).map(|(start, at)| start + at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_want_one_place_stand_around_it() {
        assert_eq!(nearest(&[5.0, 5.0, 5.0], &[0.0, 1.0, 2.0]), [4.0, 5.0, 6.0]);
        assert_eq!(nearest(&[0.0, 9.0], &[0.0, 1.0]), [0.0, 9.0]);
        assert_eq!(nearest(&[], &[]), [] as [f64; 0]);
    }
}
