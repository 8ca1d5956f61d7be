//! Counts the statements that a piece of code runs on SQLite, and their cost: the first thing to add to the tests of a
//! service.
//!
//! ```
//! # use diesel::{Connection, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query};
//! # fn first_page(connection: &mut SqliteConnection) {
//! #     connection.batch_execute("SELECT id FROM people ORDER BY id LIMIT 20").unwrap();
//! # }
//! apm_agent::testing::measure_sqlite();
//! let mut connection = SqliteConnection::establish(":memory:").unwrap();
//! connection.batch_execute("CREATE TABLE people (id INTEGER PRIMARY KEY)").unwrap();
//! for id in 0..100 {
//!     sql_query(format!("INSERT INTO people VALUES ({id})")).execute(&mut connection).unwrap();
//! }
//! let sql = apm_agent::testing::sql(|| first_page(&mut connection));
//! assert!(sql.statements() <= 3, "{sql}");
//! sql.assert_no_scan();
//! ```

mod scans;

use std::cell::{Cell, RefCell};
use std::fmt;

use sqlite_meter::Finished;

thread_local! {
    /// Whether a connection was measured on this thread.
    static MEASURED: Cell<bool> = const { Cell::new(false) };
    /// The statements that the closure of this thread has run so far; none outside of [`sql`].
    static RUNS: RefCell<Option<Runs>> = const { RefCell::new(None) };
}

/// The statements of a closure that still runs.
#[derive(Clone, Debug, Default)]
struct Runs {
    /// Whether it used a connection that is measured, if only to begin a transaction.
    measured: bool,
    statements: Vec<Statement>,
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
    /// The tables and indexes that it scans, in words.
    scans: Vec<String>,
}

/// The statements that a closure ran: see [`sql`]. Its text lists them.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    statements: Vec<Statement>,
    /// Whether the closure used a connection that is measured.
    measured: bool,
    /// Whether its thread did, before or within the closure.
    measured_on_thread: bool,
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
    struct Restore(Option<Runs>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let own = RUNS.take().unwrap_or_default();
            if let Some(outer) = &mut self.0 {
                outer.measured |= own.measured;
                for statement in own.statements {
                    add(&mut outer.statements, statement);
                }
            }
            RUNS.set(self.0.take());
        }
    }
    measure_sqlite();
    let restore = Restore(RUNS.replace(Some(Runs::default())));
    work();
    let runs = RUNS.with_borrow(Clone::clone).unwrap_or_default();
    drop(restore);
    Sql {
        statements: runs.statements,
        measured: runs.measured,
        measured_on_thread: MEASURED.get(),
    }
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
    let text = finished.sql();
    // At the end of a thread there is nobody to tell.
    let _ = RUNS.try_with(|runs| {
        MEASURED.set(true);
        if let Some(runs) = &mut *runs.borrow_mut() {
            runs.measured = true;
            if !is_counted(&text) {
                return;
            }
            let counters = finished.counters();
            let run = Statement {
                text: text.trim().to_owned(),
                calls: 1,
                steps: counters.steps,
                scan_steps: counters.fullscan_steps,
                sorts: counters.sorts,
                rows_returned: counters.rows_returned.unwrap_or(0),
                scans: scans::of(finished),
            };
            add(&mut runs.statements, run);
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
            for scan in run.scans {
                if !known.scans.contains(&scan) {
                    known.scans.push(scan);
                }
            }
        }
        None => statements.push(run),
    }
}

impl Sql {
    /// Number of statements that were run.
    ///
    /// # Panics
    /// When the closure used no connection that is measured: then this number would say nothing. For code that is to
    /// run no statement there is [`assert_none`](Self::assert_none).
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
    /// When there were more: the message lists them. And where [`statements`](Self::statements) does.
    #[track_caller]
    pub fn assert_at_most(&self, statements: u64) {
        let run = self.statements();
        assert!(
            run <= statements,
            "{run} statements were run, at most {statements} are allowed:\n{self}"
        );
    }

    /// Checks that no statement was run, as where the answer is in a cache.
    ///
    /// # Panics
    /// When one was: the message lists the statements. And when no connection that is measured was used on this thread,
    /// neither in the closure nor before it: then nothing is known.
    #[track_caller]
    pub fn assert_none(&self) {
        assert!(self.measured_on_thread, "{UNMEASURED}");
        let run: u64 = self.statements.iter().map(|it| it.calls).sum();
        assert!(
            run == 0,
            "{run} statements were run, and none is allowed:\n{self}"
        );
    }

    /// Checks that no statement read a table, or an index from one end on, row by row.
    ///
    /// It is no scan to read as many rows as are returned up to a `LIMIT`, such as a page in the order of a key, nor to
    /// read a result that lives for the statement alone, such as that of a materialised `WITH`. It is one to read rows
    /// until enough of them match, and to read all entries of an index. Scans are judged by what was read, from the
    /// second row of a table on, so the test has to fill its tables.
    ///
    /// # Panics
    /// When one did: the message lists the statements, and what they read. And when none was run, for then nothing was
    /// judged.
    #[track_caller]
    pub fn assert_no_scan(&self) {
        self.judged();
        assert!(
            !self.statements.is_empty(),
            "no statement was run on this thread, so nothing is known of scans"
        );
        let scans = self.statements.iter().filter(|it| !it.scans.is_empty());
        let scans = scans.count();
        assert!(
            scans == 0,
            "{scans} of {} statements scan a table or an index row by row:\n{self}",
            self.statements.len()
        );
    }

    #[track_caller]
    fn judged(&self) {
        assert!(self.measured, "{UNMEASURED}");
    }
}

const UNMEASURED: &str = "no connection that is measured was used on this thread, so nothing is known of its \
    statements: open it within the closure, or call apm_agent::testing::measure_sqlite() before it is opened; where no \
    statement is to be run, assert_none() checks that";

/// A line for each statement: calls, steps, what was scanned and sorted, and the text. Below it, what it scans.
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
                scans,
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
            for scan in scans {
                writeln!(f, "  {scan}")?;
            }
        }
        Ok(())
    }
}
