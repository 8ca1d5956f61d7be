//! Lanes of a flame graph: every item below its parent, and none over another.

use std::collections::BTreeMap;

/// As much of an item as its lane depends on. Parents come before their children.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// The place of its parent among the pieces.
    pub(crate) parent: Option<usize>,
}

/// The lane of each piece, from 0 on; nothing for those that would be in lane `most` or below. What is not longer than
/// `finest` stands right below its parent, also where others are: it is drawn as dust.
pub(crate) fn lanes(pieces: &[Piece], finest: i64, most: usize) -> Vec<Option<usize>> {
    let mut taken: Vec<BTreeMap<i64, i64>> = Vec::new();
    let mut lanes: Vec<Option<usize>> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let first = match piece.parent {
            None => Some(0),
            Some(parent) => lanes.get(parent).copied().flatten().map(|lane| lane + 1),
        };
        let Some(mut lane) = first.filter(|lane| *lane < most) else {
            lanes.push(None);
            continue;
        };
        if piece.to.saturating_sub(piece.from) > finest {
            while taken.get(lane).is_some_and(|taken| overlaps(taken, piece)) {
                lane += 1;
            }
            if lane < most {
                if taken.len() <= lane {
                    taken.resize(lane + 1, BTreeMap::new());
                }
                taken[lane].insert(piece.from, piece.to);
            }
        }
        lanes.push((lane < most).then_some(lane));
    }
    lanes
}

/// Whether a piece overlaps one of those that lie side by side.
fn overlaps(taken: &BTreeMap<i64, i64>, piece: &Piece) -> bool {
    // Those of a lane do not overlap, so the last that begins before the end reaches furthest.
    let before = taken.range(..piece.to).next_back();
    before.is_some_and(|(_, to)| *to > piece.from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece(from: i64, to: i64, parent: Option<usize>) -> Piece {
        Piece { from, to, parent }
    }

    #[test]
    fn children_stand_below_and_those_at_once_below_each_other() {
        let pieces = [
            piece(0, 100, None),
            piece(10, 40, Some(0)),
            piece(15, 30, Some(1)),
            piece(20, 50, Some(0)),
            piece(60, 90, Some(0)),
            piece(95, 96, Some(0)),
        ];
        let lanes = lanes(&pieces, 1, 99);
        assert_eq!(
            lanes,
            [Some(0), Some(1), Some(2), Some(3), Some(1), Some(1)]
        );
    }

    #[test]
    fn what_is_too_deep_has_no_lane() {
        let deep: Vec<Piece> = (0..10_usize)
            .map(|at| piece(0, 100, at.checked_sub(1)))
            .collect();
        let lanes = lanes(&deep, 0, 4);
        assert_eq!(lanes.iter().flatten().count(), 4);
        assert!(lanes[4..].iter().all(Option::is_none));
    }

    proptest! {
        #[test]
        fn none_lies_over_another(sent in prop::collection::vec((0usize..20, 0i64..200, 3i64..90), 1..60)) {
            let pieces: Vec<Piece> = sent.iter().enumerate().map(|(at, (parent, from, length))| {
                piece(*from, from + length, (at > 0).then(|| parent % at))
            }).collect();
            let lanes = lanes(&pieces, 2, usize::MAX);
            for (one, a) in pieces.iter().enumerate() {
                for (other, b) in pieces.iter().enumerate().skip(one + 1) {
                    let apart = a.to <= b.from || b.to <= a.from;
                    prop_assert!(apart || lanes[one] != lanes[other], "{:?} {:?}", a, b);
                }
                if let Some(parent) = a.parent {
                    prop_assert!(lanes[one] > lanes[parent]);
                }
            }
        }
    }
}
