//! The report: measured statements, tried changes, recommendations.

use serde::Serialize;

use crate::options::Recorded;

/// The cost of a statement, per call, as a mean of its runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Instructions of SQLite's virtual machine.
    pub steps: f64,
    /// Steps from row to row in full scans of tables.
    pub scan_steps: f64,
    /// Sorts.
    pub sorts: f64,
    /// Rows that it returned.
    pub rows: f64,
    /// Entries that it wrote: to indexes that this advice made, or to all indexes around a migration.
    pub entries: f64,
    /// Time, µs: the fastest of a few runs with the same values. It depends on the machine, unlike the rest.
    pub micros: f64,
    /// The lines of EXPLAIN QUERY PLAN.
    pub plan: Vec<String>,
}

/// Steps of work that writing one entry of an index stands for.
///
/// Most of that work is done below the virtual machine, in the B-tree and the pager, where no step is counted.
/// Measured, an entry took as long as 20 steps in a small table and 500 in one of a million rows, whose keys came in no
/// order:
/// `cargo test -p pocket-apm-sql-advisor --test it entry -- --ignored --nocapture`.
pub const ENTRY_STEPS: f64 = 100.0;

impl Cost {
    /// Work in steps, with what entries of indexes stand for.
    #[must_use]
    pub fn work(&self) -> f64 {
        self.steps + ENTRY_STEPS * self.entries
    }
}

/// A figure as reports write it: whole, with spaces between its thousands.
#[must_use]
pub fn figure(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    if value < -0.5 { format!("-{out}") } else { out }
}

/// A statement, before and after what is recommended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// As the caller knows it.
    pub id: String,
    /// Its text as recorded.
    pub sql: String,
    /// Number of times that it ran.
    pub calls: f64,
    /// On the database as it is.
    pub before: Cost,
    /// With everything that is recommended; equal to `before` where nothing is.
    pub after: Cost,
    /// Why nothing is recommended for it, where nothing is.
    pub note: Option<String>,
}

/// The cost of writing with a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Write {
    /// The statement that writes, as the caller knows it.
    pub id: String,
    /// Its text as recorded.
    pub sql: String,
    /// Number of times that it ran.
    pub calls: f64,
    /// Without the change.
    pub before: Cost,
    /// With it.
    pub after: Cost,
}

/// A change that helps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommended {
    /// `CREATE INDEX …`, or `ANALYZE`.
    pub change: String,
    /// The share of the workload's work that it saves, 0 to 1, on top of those before it.
    pub saves: f64,
    /// Bytes that it adds to the file.
    pub bytes: u64,
    /// The time of making it, ms. It holds the write lock for that time.
    pub build_ms: f64,
    /// The statements that it helps, as the caller knows them.
    pub helps: Vec<String>,
    /// The cost of writing with it.
    pub writes: Vec<Write>,
}

/// A change that was tried and does not help, or was not tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refused {
    /// `CREATE INDEX …`, or `ANALYZE`.
    pub change: String,
    /// Why.
    pub why: String,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// Statements that were measured, most work first.
    pub statements: Vec<Measured>,
    /// Statements that were not, each with the reason.
    pub not_judged: Vec<Replayed>,
    /// In the order in which they were found: each on top of those before it.
    pub recommended: Vec<Recommended>,
    /// Changes that were tried and refused.
    pub refused: Vec<Refused>,
    /// Work of the whole workload in steps, weighted by calls, entries of indexes included.
    pub work_before: f64,
    /// The same with everything that is recommended.
    pub work_after: f64,
    /// Whether everything was tried within the time.
    pub complete: bool,
    /// Assumptions behind the figures, a sentence each.
    pub assumed: Vec<String>,
}

/// A statement that was run, or why it was not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// As the caller knows it.
    pub id: String,
    /// Its text as recorded.
    pub sql: String,
    /// Number of times that it ran.
    pub calls: f64,
    /// Its cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Why it was not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Replayed {
    pub(crate) fn new(recorded: &Recorded, cost: Result<Cost, String>) -> Self {
        let (cost, why) = match cost {
            Ok(cost) => (Some(cost), None),
            Err(why) => (None, Some(why)),
        };
        Self {
            id: recorded.id.clone(),
            sql: recorded.sql.clone(),
            calls: recorded.calls,
            cost,
            why,
        }
    }
}
