//! Plans of SQLite for a statement: the tree of EXPLAIN QUERY PLAN, each step with its meaning in words.
//!
//! [`explain`] asks a service's own file (opt-in, `--explain service=file`); the statement itself is never run.
//! [`what_if`] asks an in-memory copy of the schema instead, with an index that does not exist yet.

mod explain;
pub mod history;
mod meaning;
mod propose;
mod schema;
mod statistics;

use schemars::JsonSchema;
use serde::Serialize;
use sql_lexer::Fingerprint;

pub(crate) use explain::has_plan;
pub use explain::{Explained, PlanError, WhatIf, explain, what_if};
pub use meaning::{Kind, Meaning};

/// A row of EXPLAIN QUERY PLAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub id: i64,
    /// The number of the step above it, 0 for none.
    pub parent: i64,
    /// SQLite's words.
    pub detail: String,
}

/// A step and those below it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Step {
    /// SQLite's words.
    pub detail: String,
    /// Their meaning.
    #[serde(flatten)]
    pub meaning: Meaning,
    /// Steps that are part of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// A whole plan.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize)]
pub struct Plan {
    /// The steps in the order of SQLite.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Arranges rows; one whose parent is not there stands at the top.
    #[must_use]
    pub fn from_rows(rows: &[Row]) -> Self {
        Self {
            steps: below(rows, 0, rows.len()),
        }
    }

    /// Every step, parents first.
    pub fn all(&self) -> impl Iterator<Item = &Step> {
        let mut stack: Vec<&Step> = self.steps.iter().rev().collect();
        std::iter::from_fn(move || {
            let step = stack.pop()?;
            stack.extend(step.steps.iter().rev());
            Some(step)
        })
    }

    /// Whether a step is of a kind.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        self.all().any(|step| step.meaning.kind == kind)
    }

    /// The tables that are scanned whole, by the names that the statement calls them.
    pub(in crate::insight) fn scanned(&self) -> impl Iterator<Item = &str> {
        self.all()
            .filter(|step| step.meaning.kind == Kind::FullScan)
            .filter_map(|step| step.meaning.table.as_deref())
    }

    /// The work of the plan, to compare the plans of one statement: whole tables and sorting weigh most.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.all().map(|step| step.meaning.kind.cost()).sum()
    }

    /// The use of an index; none where it is not used.
    #[must_use]
    pub fn using(&self, index: &str) -> Option<Kind> {
        let is_it = |step: &&Step| {
            step.meaning
                .index
                .as_deref()
                .is_some_and(|used| used.eq_ignore_ascii_case(index))
        };
        self.all().find(is_it).map(|step| step.meaning.kind)
    }

    /// The plan of a statement in one sentence: its costly steps, or that there is none.
    #[must_use]
    pub fn summary(&self, sql: &str) -> String {
        let costly: Vec<&str> = self
            .all()
            .filter(|step| step.meaning.kind.cost() > 1)
            .map(|step| step.meaning.words.as_str())
            .collect();
        let finds = |kind: Kind| matches!(kind, Kind::Search | Kind::CoveringSearch);
        if !costly.is_empty() {
            return costly.join(" ");
        }
        if self.all().any(|step| finds(step.meaning.kind)) {
            return "It finds its rows by index and sorts nothing.".to_owned();
        }
        // SQLite reports no step where no row has to be found.
        match Fingerprint::from_text(sql).verb.as_str() {
            "DELETE" => "It deletes every row at once, without looking at any.".to_owned(),
            "INSERT" | "REPLACE" => "It writes rows and reads none.".to_owned(),
            _ => "It reads no table.".to_owned(),
        }
    }
}

/// The steps below a row; `depth` ends what a loop of parents would not.
fn below(rows: &[Row], parent: i64, depth: usize) -> Vec<Step> {
    // A row whose parent is missing is not lost: it stands at the top.
    let is_top = |row: &Row| {
        parent == 0
            && !rows
                .iter()
                .any(|other| other.id == row.parent && other.id != row.id)
    };
    rows.iter()
        .filter(|row| (row.parent == parent && row.id != parent) || is_top(row))
        .map(|row| Step {
            detail: row.detail.clone(),
            meaning: Meaning::parse(&row.detail),
            steps: match depth {
                0 => Vec::new(),
                _ if row.id == 0 => Vec::new(),
                _ => below(rows, row.id, depth - 1),
            },
        })
        .collect()
}

#[cfg(test)]
pub(in crate::insight) mod tests {
    use super::*;

    /// A plan of steps below no other.
    pub(in crate::insight) fn of_details(details: &[&str]) -> Plan {
        let rows: Vec<Row> = (1..)
            .zip(details)
            .map(|(id, detail)| row(id, 0, detail))
            .collect();
        Plan::from_rows(&rows)
    }

    fn row(id: i64, parent: i64, detail: &str) -> Row {
        Row {
            id,
            parent,
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn rows_become_a_tree_in_the_order_of_sqlite() {
        let plan = Plan::from_rows(&[
            row(3, 0, "SCAN p"),
            row(9, 0, "CORRELATED SCALAR SUBQUERY 1"),
            row(12, 9, "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)"),
            row(40, 0, "USE TEMP B-TREE FOR ORDER BY"),
        ]);
        let tops: Vec<_> = plan.steps.iter().map(|step| step.detail.as_str()).collect();
        assert_eq!(
            tops,
            [
                "SCAN p",
                "CORRELATED SCALAR SUBQUERY 1",
                "USE TEMP B-TREE FOR ORDER BY"
            ]
        );
        assert_eq!(plan.steps[1].steps.len(), 1);
        assert_eq!(plan.all().count(), 4);
    }

    #[test]
    fn orphans_and_loops_do_not_hang() {
        let plan = Plan::from_rows(&[
            row(1, 7, "SCAN a"),
            row(2, 3, "SCAN b"),
            row(3, 2, "SCAN c"),
            row(0, 0, "SCAN d"),
        ]);
        assert!(plan.all().any(|step| step.detail == "SCAN a"));
    }

    #[test]
    fn the_articles_statement_is_a_scan_and_a_sort() {
        let before = Plan::from_rows(&[
            row(6, 0, "SCAN people"),
            row(8, 0, "USE TEMP B-TREE FOR GROUP BY"),
        ]);
        let after = Plan::from_rows(&[row(6, 0, "SCAN people USING COVERING INDEX people_city")]);
        assert!(before.has(Kind::FullScan) && before.has(Kind::TempBTree));
        assert!(after.cost() < before.cost());
        assert_eq!(
            before.summary("SELECT count(*), city FROM people GROUP BY city"),
            "It reads every row of people. It sorts for GROUP BY in a temporary B-tree."
        );
    }
}
