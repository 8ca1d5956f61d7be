//! Runs a statement on the copy and reads what SQLite counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::hooks::Action;
use rusqlite::{Connection, Result, StatementStatus};

use crate::copy::Copy;
use crate::guard::Whose;
use crate::plan;
use crate::report::Cost;
use crate::values::Values;

/// A run that is faster than this is timed again.
const SHORT: Duration = Duration::from_millis(20);

/// Times that a short run is timed.
const TIMED: usize = 3;

/// An index that was made on the copy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) table: String,
    /// The number of its first page.
    pub(crate) root: i64,
    /// The share of the table's rows that are in it, 0 to 1.
    pub(crate) share: f64,
}

/// Rows that were written, by table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Mutex<HashMap<String, f64>>>);

impl Changes {
    /// Counts the rows that a connection writes.
    pub(crate) fn watch(conn: &Connection) -> Result<Self> {
        let changes = Self::default();
        let count = changes.clone();
        conn.update_hook(Some(move |_: Action, _: &str, table: &str, _| {
            let mut counts = count.0.lock().unwrap_or_else(PoisonError::into_inner);
            match counts.get_mut(table) {
                Some(count) => *count += 1.0,
                None => drop(counts.insert(table.to_owned(), 1.0)),
            }
        }))?;
        Ok(changes)
    }

    fn take(&self) -> HashMap<String, f64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs a statement with each set of values. Its changes are rolled back.
///
/// # Errors
/// A sentence, where SQLite refuses it or it takes too long.
pub(crate) fn measure(
    copy: &Copy,
    changes: &Changes,
    made: &[Made],
    (sql, writes): (&str, bool),
    values: &[Values],
    time: Duration,
) -> std::result::Result<Cost, String> {
    let conn = &copy.conn;
    let none = Values::new();
    let first = values.first().unwrap_or(&none);
    let mut cost = copy.guard.run(Whose::Recorded, time, || {
        Ok(Cost {
            plan: plan::lines(conn, sql, first)?,
            ..Cost::default()
        })
    })?;
    let _likes = copy.guard.bound_likes(conn, sql, time)?;
    let written = if writes && !made.is_empty() {
        copy.guard
            .run(Whose::Recorded, time, || plan::written(conn, sql))?
    } else {
        Vec::new()
    };
    let runs = values.len().max(1);
    for run in 0..runs {
        let values = values.get(run).unwrap_or(&none);
        let ran = run_once(copy, changes, sql, writes, values, time)?;
        // The fastest of a few: other processes make some slow.
        let mut fastest = ran.time;
        for _ in 1..TIMED {
            if ran.time < SHORT {
                fastest = fastest.min(run_once(copy, changes, sql, writes, values, time)?.time);
            }
        }
        cost.micros += fastest.as_secs_f64() * 1e6;
        cost.steps += f64::from(ran.steps);
        cost.scan_steps += f64::from(ran.scan_steps);
        cost.sorts += f64::from(ran.sorts);
        cost.rows += ran.rows as f64;
        for index in made {
            let times = written.iter().filter(|page| **page == index.root).count();
            let rows = ran
                .changes
                .iter()
                .find(|(table, _)| table.eq_ignore_ascii_case(&index.table));
            cost.entries += index.share * times as f64 * rows.map_or(0.0, |(_, rows)| *rows);
        }
    }
    for figure in [
        &mut cost.steps,
        &mut cost.scan_steps,
        &mut cost.sorts,
        &mut cost.rows,
        &mut cost.entries,
        &mut cost.micros,
    ] {
        *figure /= runs as f64;
    }
    Ok(cost)
}

/// The cost of one run.
struct Ran {
    time: Duration,
    steps: i32,
    scan_steps: i32,
    sorts: i32,
    rows: u64,
    changes: HashMap<String, f64>,
}

fn run_once(
    copy: &Copy,
    changes: &Changes,
    sql: &str,
    writes: bool,
    values: &Values,
    time: Duration,
) -> std::result::Result<Ran, String> {
    let conn = &copy.conn;
    if writes {
        conn.execute_batch("BEGIN")
            .map_err(|error| error.to_string())?;
    }
    // Rows of an earlier statement do not count.
    changes.take();
    let ran = copy.guard.run(Whose::Recorded, time, || {
        let mut statement = conn.prepare(sql)?;
        plan::bind(&mut statement, values)?;
        let start = Instant::now();
        let mut rows = 0;
        let mut found = statement.raw_query();
        while found.next()?.is_some() {
            rows += 1;
        }
        drop(found);
        let time = start.elapsed();
        Ok(Ran {
            time,
            steps: statement.get_status(StatementStatus::VmStep),
            scan_steps: statement.get_status(StatementStatus::FullscanStep),
            sorts: statement.get_status(StatementStatus::Sort),
            rows,
            changes: changes.take(),
        })
    });
    // An interrupt ends the transaction itself.
    if !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")
            .map_err(|error| error.to_string())?;
    }
    ran
}
