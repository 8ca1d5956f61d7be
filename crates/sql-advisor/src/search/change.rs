//! A change of a database that is tried: one index, two of them, or ANALYZE.

use std::time::Duration;

use crate::candidates::Candidate;
use crate::statistics::Statistics;

/// An index that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) sql: String,
    pub(super) condition: Option<String>,
    /// Its first term.
    first: String,
    terms: usize,
}

/// A change that is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// None for ANALYZE.
    pub(super) indexes: Vec<Index>,
}

/// A change that was made.
#[derive(Debug, Clone)]
pub(super) struct Applied {
    pub(super) change: Change,
    pub(super) build: Duration,
    pub(super) bytes: u64,
    /// The statistics of ANALYZE from before.
    pub(super) statistics: Option<Statistics>,
}

impl Change {
    pub(super) fn analyze() -> Self {
        Self {
            indexes: Vec::new(),
        }
    }

    /// One index, of a name that nothing else has.
    pub(super) fn index(candidate: &Candidate, name: String) -> Self {
        let first = candidate.terms.first().map(|term| term.text.clone());
        Self {
            indexes: vec![Index {
                sql: candidate.statement(&name),
                table: candidate.table.clone(),
                condition: candidate.condition.clone(),
                first: first.unwrap_or_default(),
                terms: candidate.terms.len(),
                name,
            }],
        }
    }

    pub(super) fn with(&self, other: &Self) -> Self {
        Self {
            indexes: [&self.indexes[..], &other.indexes[..]].concat(),
        }
    }

    pub(super) fn is_analyze(&self) -> bool {
        self.indexes.is_empty()
    }

    /// Whether it is one index of one term, of all rows.
    pub(super) fn is_simple(&self) -> bool {
        matches!(&self.indexes[..], [only] if only.terms == 1 && only.condition.is_none())
    }

    /// Table and first term of its index.
    pub(super) fn leads(&self) -> Option<(&str, &str)> {
        self.indexes
            .first()
            .map(|index| (index.table.as_str(), index.first.as_str()))
    }

    /// Whether it can change what a statement on a table costs.
    pub(super) fn is_on(&self, table: &str) -> bool {
        self.is_analyze() || self.indexes.iter().any(|index| index.table == table)
    }

    /// Whether a plan uses one of its indexes.
    pub(super) fn is_used_by(&self, plan: &[String]) -> bool {
        let mut words = plan.iter().flat_map(|line| line.split(' '));
        words.any(|word| self.has(word))
    }

    /// Whether one of its indexes has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.indexes
            .iter()
            .any(|index| index.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn parts(&self) -> Vec<String> {
        self.indexes.iter().map(|index| index.sql.clone()).collect()
    }

    /// As SQL.
    pub(super) fn text(&self) -> String {
        if self.is_analyze() {
            "ANALYZE".to_owned()
        } else {
            self.parts().join("; ")
        }
    }
}
