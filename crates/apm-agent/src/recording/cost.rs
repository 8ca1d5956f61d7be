//! The work of a database for a statement, as the database counts it: numeric labels of the statement's span.
//!
//! `docs/sql-cost.md` in the repository says what each counts.

use crate::encode::json;

/// The number of counts.
pub(crate) const COUNTS: usize = 8;
/// The place among them of the number of rows that were returned.
pub(crate) const ROWS_RETURNED: usize = 5;

/// The labels as they begin in JSON, and whether they are sent where they are zero.
const LABELS: [(&str, bool); COUNTS] = [
    ("\"sqlite_steps\":", true),
    ("\"sqlite_scan_steps\":", false),
    ("\"sqlite_sorts\":", false),
    ("\"sqlite_autoindex_steps\":", false),
    ("\"sqlite_reprepares\":", false),
    ("\"sqlite_rows_returned\":", true),
    ("\"sqlite_pages_read\":", false),
    ("\"sqlite_pages_written\":", false),
];

/// The counts of one statement, or the sums of several, in the order of the labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost(pub(crate) [u64; COUNTS]);

impl Cost {
    /// Adds what another statement took.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
    }

    /// Takes out what was added before.
    pub(crate) fn subtract(&mut self, other: &Self) {
        for (sum, less) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_sub(less);
        }
    }

    /// Appends the labels, each followed by a comma.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (before, from) = self.0.split_at(ROWS_RETURNED);
        Self::write_part(out, &LABELS[..1], &before[..1]);
        // Most statements that take few steps do nothing else.
        if before[1..].iter().any(|count| *count > 0) {
            Self::write_part(out, &LABELS[1..ROWS_RETURNED], &before[1..]);
        }
        Self::write_part(out, &LABELS[ROWS_RETURNED..], from);
    }

    fn write_part(out: &mut Vec<u8>, labels: &[(&str, bool)], counts: &[u64]) {
        for ((label, always), count) in labels.iter().zip(counts) {
            if *always || *count > 0 {
                out.extend_from_slice(label.as_bytes());
                json::uint(out, *count);
                out.push(b',');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroes_are_left_out_but_for_steps_and_rows_returned() {
        let written = |cost: Cost| {
            let mut out = Vec::new();
            cost.write(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            written(Cost::default()),
            "\"sqlite_steps\":0,\"sqlite_rows_returned\":0,"
        );
        assert_eq!(
            written(Cost([1, 2, 3, 4, 5, 6, 7, 8])),
            "\"sqlite_steps\":1,\"sqlite_scan_steps\":2,\"sqlite_sorts\":3,\"sqlite_autoindex_steps\":4,\
             \"sqlite_reprepares\":5,\"sqlite_rows_returned\":6,\"sqlite_pages_read\":7,\"sqlite_pages_written\":8,"
        );
    }

    #[test]
    fn sums_stop_at_their_bounds() {
        let mut sum = Cost([u64::MAX; COUNTS]);
        sum.add(&Cost([1; COUNTS]));
        assert_eq!(sum, Cost([u64::MAX; COUNTS]));
        let mut rest = Cost([1; COUNTS]);
        rest.subtract(&Cost([2; COUNTS]));
        assert_eq!(rest, Cost::default());
    }
}
