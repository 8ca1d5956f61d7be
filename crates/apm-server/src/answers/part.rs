//! The part of the rows that an answer has, as the name of a file says it.

use super::listing::Rows;

/// Some rows of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Number of rows before them; nothing where that is not known, behind a cursor.
    pub(crate) first: Option<usize>,
    pub(crate) shown: usize,
    pub(crate) total: usize,
}

impl Part {
    /// The rows of a page that begins at a cursor.
    pub(crate) fn of(shown: usize, total: u64) -> Self {
        Self {
            first: None,
            shown,
            total: usize::try_from(total).unwrap_or(usize::MAX),
        }
    }
}

impl From<Rows> for Part {
    fn from(rows: Rows) -> Self {
        Self {
            first: Some(rows.first),
            shown: rows.shown,
            total: rows.total,
        }
    }
}

/// As a part of the name of a file.
impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { shown, total, .. } = self;
        match self.first {
            Some(first) => write!(f, "{}-to-{}-of-{total}", first + 1, first + shown),
            None => write!(f, "{shown}-of-{total}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_its_place_where_that_is_known() {
        assert_eq!(Part::of(200, 5_000).to_string(), "200-of-5000");
        let part = Part {
            first: Some(1_000),
            shown: 100,
            total: 1_100,
        };
        assert_eq!(part.to_string(), "1001-to-1100-of-1100");
    }
}
