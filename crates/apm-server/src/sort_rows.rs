//! Sorting of rows whose number a page bounds.
//!
//! The standard library's sort is compiled anew for each type and each comparison: with the sixty sorts of answers and
//! pages it was a twelfth of this crate. Here one sort serves all of them: it sorts the places of the rows, and only
//! moving the rows to their places is compiled for each type.

use std::cmp::Ordering;

/// Stable sorts, as those of slices.
pub(crate) trait SortRows<T> {
    /// As [`slice::sort_by`].
    fn sort_rows_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering);

    /// As [`slice::sort_by_key`].
    fn sort_rows_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K);
}

impl<T> SortRows<T> for [T] {
    fn sort_rows_by(&mut self, mut compare: impl FnMut(&T, &T) -> Ordering) {
        let mut places = places(self.len(), &mut |a, b| compare(&self[a], &self[b]));
        // Each circle of rows that change places is walked once.
        for start in 0..places.len() {
            let mut to = start;
            loop {
                let from = std::mem::replace(&mut places[to], to);
                if from == start || from == to {
                    break;
                }
                self.swap(to, from);
                to = from;
            }
        }
    }

    fn sort_rows_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.sort_rows_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// The places of rows in the order that they shall have.
fn places(rows: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..rows).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_sorted_as_by_the_standard_library(
            rows in proptest::collection::vec((0..6_u8, any::<u8>()), 0..200),
        ) {
            let mut expected = rows.clone();
            expected.sort_by_key(|row| row.0);
            let mut by_key = rows.clone();
            by_key.sort_rows_by_key(|row| row.0);
            prop_assert_eq!(&by_key, &expected);
            let mut by = rows;
            by.sort_rows_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(by, expected);
        }
    }
}
