//! Counts the statements that a piece of code runs on SQLite, and their cost: the first thing to add to the tests of a
//! service.
//!
//! ```
//! # use diesel::{Connection, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query};
//! # fn first_page(connection: &mut SqliteConnection) {
//! #     sql_query("SELECT id FROM people ORDER BY id LIMIT 20").execute(connection).unwrap();
//! # }
//! let sql = apm_agent::testing::sql(|| {
//!     let mut connection = SqliteConnection::establish(":memory:").unwrap();
//!     connection.batch_execute("CREATE TABLE people (id INTEGER PRIMARY KEY)").unwrap();
//!     first_page(&mut connection);
//! });
//! assert!(sql.statements() <= 3, "{sql}");
//! sql.assert_no_scan();
//! ```

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlite_meter::Finished;

/// Whether a statement of any connection was ever reported.
static REPORTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The statements that the closure of this thread has run so far; none outside of [`sql`].
    static RUNS: RefCell<Option<Vec<Statement>>> = const { RefCell::new(None) };
}

/// Statements that were run with one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// The text, with placeholders.
    pub text: String,
    /// Number of times that it ran.
    pub calls: u64,
    /// Instructions of SQLite's virtual machine, of all calls.
    pub steps: u64,
    /// Steps from one row to the next in full scans of tables, of all calls: one less than the rows of a scan.
    pub scan_steps: u64,
    /// Sorts, of all calls.
    pub sorts: u64,
    /// Rows that it returned, of all calls.
    pub rows_returned: u64,
}

/// The statements that a closure ran: see [`sql`]. Its text lists them.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    statements: Vec<Statement>,
}

/// Runs a closure, and tells what it asked of SQLite on this thread.
///
/// Connections of Diesel are seen whether or not an agent traces them, if they are opened after the first call of this
/// function or of [`measure_sqlite`] in the process. What the closure runs on other threads is not counted, and neither
/// are statements that begin and end transactions, nor PRAGMAs. Calls may be nested: the outer one counts what the
/// inner one does.
///
/// # Panics
/// When SQLite refuses to be asked, as Apple's builds do.
pub fn sql(work: impl FnOnce()) -> Sql {
    /// Puts back what was there before, also when the closure panics.
    struct Restore(Option<Vec<Statement>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let own = RUNS.take().unwrap_or_default();
            if let Some(outer) = &mut self.0 {
                own.into_iter().for_each(|statement| add(outer, statement));
            }
            RUNS.set(self.0.take());
        }
    }
    measure_sqlite();
    let restore = Restore(RUNS.replace(Some(Vec::new())));
    work();
    let statements = RUNS.with_borrow(Clone::clone).unwrap_or_default();
    drop(restore);
    Sql { statements }
}

/// Has the connections measured that are opened from now on: to be called before a pool or a connection is made that
/// lives longer than the closures that are given to [`sql`].
///
/// # Panics
/// When SQLite refuses to be asked, as Apple's builds do.
pub fn measure_sqlite() {
    match sqlite_meter::observe_every(on_finished) {
        Ok(true) => {}
        Ok(false) => panic!("another part of this process observes all connections of SQLite"),
        Err(error) => panic!("SQLite cannot be asked what a statement costs: {error}"),
    }
}

fn on_finished(finished: &Finished<'_>) {
    REPORTED.store(true, Ordering::Relaxed);
    let text = finished.sql();
    if !is_counted(&text) {
        return;
    }
    // At the end of a thread there is nobody to tell.
    let _ = RUNS.try_with(|runs| {
        if let Some(runs) = &mut *runs.borrow_mut() {
            let counters = finished.counters();
            let run = Statement {
                text: text.trim().to_owned(),
                calls: 1,
                steps: counters.steps,
                scan_steps: counters.fullscan_steps,
                sorts: counters.sorts,
                rows_returned: counters.rows_returned.unwrap_or(0),
            };
            add(runs, run);
        }
    });
}

/// Whether a statement is one that the code asks for: not what begins or ends a transaction, no PRAGMA, none of the
/// meter's.
fn is_counted(text: &str) -> bool {
    let text = text.trim_start();
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next();
    let is_own = text.starts_with("SELECT sqlite_meter_locate");
    let left_out = [
        "BEGIN",
        "COMMIT",
        "END",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "PRAGMA",
    ];
    !is_own
        && word.is_some_and(|word| {
            !left_out
                .iter()
                .any(|other| word.eq_ignore_ascii_case(other))
        })
}

fn add(statements: &mut Vec<Statement>, run: Statement) {
    match statements.iter_mut().find(|known| known.text == run.text) {
        Some(known) => {
            known.calls += run.calls;
            known.steps += run.steps;
            known.scan_steps += run.scan_steps;
            known.sorts += run.sorts;
            known.rows_returned += run.rows_returned;
        }
        None => statements.push(run),
    }
}

impl Sql {
    /// Number of statements that were run.
    ///
    /// # Panics
    /// When no connection of the process is measured: then this number would say nothing.
    #[must_use]
    #[track_caller]
    pub fn statements(&self) -> u64 {
        self.judged();
        self.statements
            .iter()
            .map(|statement| statement.calls)
            .sum()
    }

    /// Steps of all statements. The same statements on the same data take the same steps on any machine.
    #[must_use]
    #[track_caller]
    pub fn steps(&self) -> u64 {
        self.judged();
        self.statements
            .iter()
            .map(|statement| statement.steps)
            .sum()
    }

    /// The statements by text, in the order in which they were first run.
    #[must_use]
    pub fn by_text(&self) -> &[Statement] {
        &self.statements
    }

    /// Checks that no more statements were run.
    ///
    /// # Panics
    /// When there were more: the message lists them. And when no connection of the process is measured.
    #[track_caller]
    pub fn assert_at_most(&self, statements: u64) {
        let run = self.statements();
        assert!(
            run <= statements,
            "{run} statements were run, at most {statements} are allowed:\n{self}"
        );
    }

    /// Checks that no statement read a whole table row by row. A scan shows from the second row of a table on, so
    /// the test has to fill it.
    ///
    /// # Panics
    /// When one did: the message lists the statements. And when none was run, for then nothing was judged.
    #[track_caller]
    pub fn assert_no_scan(&self) {
        self.judged();
        assert!(
            !self.statements.is_empty(),
            "no statement was run on this thread, so nothing is known of scans"
        );
        let scans = self
            .statements
            .iter()
            .filter(|statement| statement.scan_steps > 0);
        let scans: Vec<&str> = scans.map(|statement| statement.text.as_str()).collect();
        assert!(
            scans.is_empty(),
            "{} of {} statements scan a whole table; an index on what they look for would end that:\n{self}",
            scans.len(),
            self.statements.len()
        );
    }

    #[track_caller]
    fn judged(&self) {
        assert!(
            REPORTED.load(Ordering::Relaxed),
            "no connection is measured: open it within the closure, or call \
             apm_agent::testing::measure_sqlite() before it is opened"
        );
    }
}

/// A line for each statement: calls, steps, what was scanned and sorted, and the text.
impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for statement in &self.statements {
            let Statement {
                text,
                calls,
                steps,
                scan_steps,
                sorts,
                rows_returned,
            } = statement;
            let s = |n: u64| if n == 1 { "" } else { "s" };
            write!(f, "{calls}× {steps} step{}", s(*steps))?;
            write!(f, ", {rows_returned} row{} returned", s(*rows_returned))?;
            if *scan_steps > 0 {
                write!(f, ", {scan_steps} row{} scanned", s(*scan_steps))?;
            }
            if *sorts > 0 {
                write!(f, ", {sorts} sort{}", s(*sorts))?;
            }
            writeln!(f, ": {text}")?;
        }
        Ok(())
    }
}
