//! The statements that a service ran on SQLite, with their calls, so that they can be run again elsewhere.

use apm_time::Range;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::analytics::window::Window;
use crate::analytics::{Scope, minutes, statements};

/// A statement that ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// 16 hex digits.
    pub fingerprint: String,
    /// `span.subtype`, such as `sqlite`.
    pub subtype: String,
    /// `SELECT`, `INSERT`, …
    pub verb: String,
    /// With `?` for its literals.
    pub normalized: String,
    /// A text of it, cut to 4 KiB.
    pub sample: String,
    /// Number of times that it ran.
    pub calls: f64,
}

/// The statements of a service. It is read from the answer of `GET /api/v1/queries` as well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Most time first.
    pub statements: Vec<Ran>,
    /// Number of statements that are left out: those with less time, or on other pages of an answer.
    #[serde(default)]
    pub left_out: usize,
    /// The page of an answer that has the next ones.
    #[serde(default, skip_serializing)]
    pub next_page: Option<usize>,
}

impl Workload {
    /// The statements that can be run again: those of SQLite that read or change rows, each once, whatever databases it
    /// ran on. Those that begin and end transactions, and settings, cost nothing that an index could change.
    #[must_use]
    pub fn that_can_be_replayed(self) -> Self {
        let mut statements: Vec<Ran> = Vec::new();
        for ran in self.statements {
            let is_plain = matches!(
                ran.verb.as_str(),
                "SELECT" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "VALUES" | "WITH"
            );
            if ran.subtype != "sqlite" || !is_plain || ran.sample.is_empty() {
                continue;
            }
            match statements
                .iter_mut()
                .find(|known| known.fingerprint == ran.fingerprint)
            {
                Some(known) => known.calls += ran.calls,
                None => statements.push(ran),
            }
        }
        Self { statements, ..self }
    }

    /// Adds the next page of the same list.
    pub fn add(&mut self, page: Self) {
        self.left_out = self.left_out.saturating_sub(page.statements.len());
        self.statements.extend(page.statements);
        self.next_page = page.next_page;
    }
}

/// Reads what a service ran in a range. `now` in µs.
///
/// # Errors
/// Those of SQLite.
pub fn read(
    conn: &mut SqliteConnection,
    service: &str,
    range: Range,
    now: i64,
) -> QueryResult<Workload> {
    let scope = Scope {
        service: Some(service.to_owned()),
        ..Scope::default()
    };
    let window = minutes::widened(conn, &Window::new(range, now))?;
    let found = statements::list(conn, &scope, &window)?;
    let ran = found.statements.into_iter().map(|row| Ran {
        fingerprint: row.fingerprint,
        subtype: row.subtype,
        verb: row.verb,
        normalized: row.normalized,
        sample: row.sample,
        calls: row.calls,
    });
    let workload = Workload {
        statements: ran.collect(),
        left_out: found.left_out,
        next_page: None,
    };
    Ok(workload.that_can_be_replayed())
}
