//! Labels at the right end of lines: pushed apart until none covers another, and kept in their order.

use crate::sort_rows::SortRows as _;

/// New places for labels that want to stand at `wanted`, at least `gap` apart, within `low ..= high` as far as they
/// fit.
///
/// Neighbours that collide become one block around the mean of what they wanted, so that a block moves as little as it
/// can.
pub(crate) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    struct Block {
        first: usize,
        len: usize,
        centre: f64,
    }
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_rows_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let half = |len: usize| (len - 1) as f64 * gap / 2.0;
    // A block that is taller than the room starts at its top.
    let inside = |block: &Block| {
        block
            .centre
            .min(high - half(block.len))
            .max(low + half(block.len))
    };
    let mut blocks: Vec<Block> = Vec::new();
    for (position, index) in order.iter().enumerate() {
        let mut block = Block {
            first: position,
            len: 1,
            centre: wanted[*index],
        };
        block.centre = inside(&block);
        while let Some(above) = blocks.last() {
            if above.centre + half(above.len) + gap <= block.centre - half(block.len) + 1e-9 {
                break;
            }
            let total = above.len + block.len;
            // Means weighted by labels; each half shifts its own mean to the middle of the joint block.
            let centre =
                (above.centre * above.len as f64 + block.centre * block.len as f64) / total as f64;
            block = Block {
                first: above.first,
                len: total,
                centre,
            };
            block.centre = inside(&block);
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut out = vec![0.0; wanted.len()];
    for block in blocks {
        let top = block.centre - half(block.len);
        for i in 0..block.len {
            out[order[block.first + i]] = top + i as f64 * gap;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn labels_that_stand_free_stay_where_they_are() {
        assert_eq!(
            spread(&[20.0, 60.0, 100.0], 15.0, 8.0, 172.0),
            [20.0, 60.0, 100.0]
        );
        assert!(spread(&[], 15.0, 0.0, 10.0).is_empty());
    }

    #[test]
    fn colliding_labels_are_pushed_apart_around_their_middle() {
        assert_eq!(spread(&[50.0, 52.0], 15.0, 0.0, 172.0), [43.5, 58.5]);
        assert_eq!(spread(&[52.0, 50.0], 15.0, 0.0, 172.0), [58.5, 43.5]);
        assert_eq!(
            spread(&[50.0, 50.0, 50.0], 15.0, 0.0, 172.0),
            [35.0, 50.0, 65.0]
        );
    }

    #[test]
    fn labels_stay_inside_the_plot() {
        assert_eq!(spread(&[2.0, 3.0], 15.0, 8.0, 172.0), [8.0, 23.0]);
        assert_eq!(spread(&[170.0, 171.0], 15.0, 8.0, 172.0), [157.0, 172.0]);
    }

    #[test]
    fn every_pair_keeps_its_distance_and_order() {
        let wanted = [10.0, 11.0, 40.0, 41.0, 44.0, 90.0, 160.0, 171.0];
        let got = spread(&wanted, 15.0, 8.0, 172.0);
        assert!(
            got.windows(2).all(|pair| pair[1] - pair[0] >= 15.0 - 1e-6),
            "{got:?}"
        );
    }
}
