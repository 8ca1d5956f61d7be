//! The state of one connection: its observer, and the counts from before the statement that runs now.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::c_uint;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use libsqlite3_sys as ffi;

use crate::every;
use crate::finished::Finished;
use crate::options::Options;

/// Called for each statement that ends.
pub(crate) type Observer = Box<dyn FnMut(&Finished<'_>) + Send>;

/// Queries, or statements, after which the counters of all statements are set to zero, so that begins need not be
/// reported any more.
const SETTLED_AFTER: usize = 1_000;

/// Statements of a connection that run at once, at most.
const MOST_RUNNING: usize = 64;

/// Numbers of pages that SQLite gives before they begin anew. Versions before 3.51 give one more bit.
const PAGES: u32 = u32::MAX >> 1;

/// The state of one connection. SQLite uses a connection from one thread at a time, and so is this.
pub(crate) struct Slot {
    /// The connection, while a trace is set up on it that refers to this slot.
    traced: Cell<Option<*mut ffi::sqlite3>>,
    /// Whether it is traced from its opening on, for the observer of all connections.
    from_opening: Cell<bool>,
    observer: RefCell<Option<Observer>>,
    options: Cell<Options>,
    /// The statement that returned a row last, by its address, and how many it has returned. Mostly one is running.
    rows: Cell<(usize, u64)>,
    /// The same of others that still run.
    other_rows: RefCell<Vec<(usize, u64)>>,
    /// The moments at which statements began that still run, by their addresses.
    begins: RefCell<Vec<(usize, Instant)>>,
    /// Pages read and written since the connection was opened, as of the last statement that ended.
    pages: Cell<[u32; 2]>,
    /// Whether the last statement was reported before SQLite had completed it.
    given_up: Cell<bool>,
    /// Whether the statement that attached the observer still runs: it is not reported.
    attaching: Cell<bool>,
    /// Whether a transaction may be open, which has pages to write.
    in_transaction: Cell<bool>,
    /// Whether reports are switched off: the observer gets none.
    is_off: Cell<bool>,
    /// Whether SQLite was told so, because nobody else wants them.
    is_silent: Cell<bool>,
    /// Since reports were switched on: the statements that have begun. Counters of others may be those of runs that
    /// nobody wanted to know of. `None` where there are no such.
    begun: RefCell<Option<Begun>>,
    /// Whether `begun` is something; looked at for each query.
    is_settling: Cell<bool>,
}

/// Statements that have begun since reports were switched on, by their addresses.
#[derive(Debug, Default)]
struct Begun {
    statements: HashSet<usize>,
    queries: usize,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

impl Slot {
    pub(crate) fn new() -> Self {
        Self {
            traced: Cell::new(None),
            from_opening: Cell::new(false),
            observer: RefCell::new(None),
            options: Cell::default(),
            rows: Cell::default(),
            other_rows: RefCell::default(),
            begins: RefCell::default(),
            pages: Cell::default(),
            given_up: Cell::new(false),
            attaching: Cell::new(false),
            in_transaction: Cell::new(true),
            is_off: Cell::new(false),
            is_silent: Cell::new(false),
            begun: RefCell::default(),
            is_settling: Cell::new(false),
        }
    }

    pub(crate) fn traced(&self) -> Option<*mut ffi::sqlite3> {
        self.traced.get()
    }

    pub(crate) fn set_traced(&self, db: Option<*mut ffi::sqlite3>) {
        self.traced.set(db);
    }

    /// The connection is being opened, and traced for the observer of all.
    pub(crate) fn trace_from_opening(&self, db: *mut ffi::sqlite3) {
        self.set_traced(Some(db));
        self.from_opening.set(true);
    }

    /// Whether an observer is being called right now.
    pub(crate) fn is_reporting(&self) -> bool {
        self.observer.try_borrow_mut().is_err()
    }

    /// Begins to report to an observer; `pages` as of now. Returns the earlier one, whose drop is somebody's code.
    pub(crate) fn watch(
        &self,
        observer: Observer,
        options: Options,
        pages: [u32; 2],
    ) -> Option<Observer> {
        let every = self.from_opening.get().then(Options::default);
        self.options
            .set(every.map_or(options, |every| options.or(every)));
        self.is_off.set(false);
        self.is_silent.set(false);
        self.settle();
        self.begin_counts(pages);
        self.observer.replace(Some(observer))
    }

    /// Ends it. An observer that is being called right now is dropped when it returns.
    pub(crate) fn forget(&self) {
        if let Ok(mut observer) = self.observer.try_borrow_mut() {
            drop(observer.take());
        }
    }

    #[inline]
    pub(crate) fn was_given_up(&self) -> bool {
        self.given_up.get()
    }

    /// A statement has ended, or was given up half-way.
    #[inline]
    pub(crate) fn set_given_up(&self, given_up: bool) {
        self.given_up.set(given_up);
    }

    /// Whether no statement has begun since the observer was attached by one.
    #[inline]
    pub(crate) fn is_attaching(&self) -> bool {
        self.attaching.get()
    }

    #[inline]
    pub(crate) fn set_attaching(&self, attaching: bool) {
        self.attaching.set(attaching);
    }

    /// Whether a transaction may be open now. Returns whether one might be before.
    #[inline]
    pub(crate) fn set_in_transaction(&self, may_be: bool) -> bool {
        self.in_transaction.replace(may_be)
    }

    /// Counts begin here; `pages` as of now.
    fn begin_counts(&self, pages: [u32; 2]) {
        self.rows.take();
        self.other_rows.take();
        self.begins.take();
        self.set_pages(pages);
    }

    /// The events that SQLite is asked to report now. Where nobody wants reports, that of a begin costs least: SQLite
    /// does not look at the clock for it.
    pub(crate) fn events(&self) -> c_uint {
        if self.is_silent.get() {
            return ffi::SQLITE_TRACE_STMT;
        }
        let options = self.options.get();
        let given_up = options.pages && self.given_up.get();
        options.events(given_up || self.is_settling.get())
    }

    /// The events that are wanted where the connection's own observer goes: none, or those of the observer of all.
    pub(crate) fn events_unwatched(&self) -> c_uint {
        if !self.from_opening.get() {
            return 0;
        }
        self.options.take();
        self.is_off.set(false);
        self.is_silent.set(false);
        self.settle();
        self.events()
    }

    /// Whether reports are on, or off, and nothing is left to be done for it.
    #[inline]
    pub(crate) fn is_settled(&self, on: bool) -> bool {
        self.is_off.get() != on && !(on && self.is_settling.get())
    }

    #[inline]
    pub(crate) fn is_silent(&self) -> bool {
        self.is_silent.get()
    }

    pub(crate) fn switch_off(&self) {
        self.is_off.set(true);
        self.is_silent.set(!every::is_set());
    }

    /// Switches reports on again. Whether SQLite is to be told, and counts begin anew.
    pub(crate) fn switch_on(&self) -> bool {
        self.is_off.set(false);
        self.is_silent.replace(false)
    }

    /// Counts begin anew, though statements have counted; `pages` as of now.
    pub(crate) fn unsettle(&self, pages: [u32; 2]) {
        self.begin_counts(pages);
        self.begun.replace(Some(Begun::default()));
        self.is_settling.set(true);
    }

    /// A query begins, and reports are on. Whether it is time to set all counters to zero.
    pub(crate) fn is_time_to_settle(&self) -> bool {
        let mut begun = self.begun.borrow_mut();
        begun.as_mut().is_some_and(|begun| {
            begun.queries += 1;
            begun.queries.max(begun.statements.len()) >= SETTLED_AFTER
        })
    }

    /// The counters of all statements are those of runs that were reported, or zero.
    pub(crate) fn settle(&self) {
        self.begun.take();
        self.is_settling.set(false);
    }

    /// A statement begins. Whether its counters may be those of runs that nobody wanted to know of.
    pub(crate) fn begins_unsettled(&self, statement: usize) -> bool {
        let begun = self.begun.try_borrow_mut();
        begun.is_ok_and(|mut begun| {
            begun
                .as_mut()
                .is_some_and(|begun| begun.statements.insert(statement))
        })
    }

    /// Pages are counted from here on.
    pub(crate) fn set_pages(&self, pages: [u32; 2]) {
        self.given_up.set(false);
        self.in_transaction.set(true);
        self.pages.set(pages);
    }

    /// Pages that were read and written until now are no statement's; `pages` as of now.
    pub(crate) fn skip_pages(&self, pages: [u32; 2]) {
        self.pages.set(pages);
    }

    #[inline]
    pub(crate) fn options(&self) -> Options {
        self.options.get()
    }

    /// A statement begins, or a trigger within one that has begun.
    pub(crate) fn begins_at(&self, statement: usize, moment: Instant) {
        let Ok(mut begins) = self.begins.try_borrow_mut() else {
            return;
        };
        if begins.iter().any(|(known, _)| *known == statement) {
            return;
        }
        // More do not run at once, so the ends of these were not reported.
        if begins.len() >= MOST_RUNNING {
            begins.clear();
        }
        begins.push((statement, moment));
    }

    /// A statement ends. Returns when it began, if that is known.
    pub(crate) fn take_begin(&self, statement: usize) -> Option<Instant> {
        let mut begins = self.begins.try_borrow_mut().ok()?;
        let at = begins.iter().position(|(known, _)| *known == statement)?;
        Some(begins.swap_remove(at).1)
    }

    /// A statement returned a row.
    pub(crate) fn add_row(&self, statement: usize) {
        let (last, rows) = self.rows.get();
        if last == statement {
            return self.rows.set((statement, rows + 1));
        }
        let Ok(mut others) = self.other_rows.try_borrow_mut() else {
            return;
        };
        if last != 0 {
            others.push((last, rows));
        }
        self.rows.set((statement, take(&mut others, statement) + 1));
    }

    /// Takes the number of rows that a statement has returned.
    #[inline]
    pub(crate) fn take_rows(&self, statement: usize) -> u64 {
        let (last, rows) = self.rows.get();
        if last == statement {
            self.rows.take();
            return rows;
        }
        let others = self.other_rows.try_borrow_mut();
        others.map_or(0, |mut others| take(&mut others, statement))
    }

    /// Pages read and written since the statement before, by their numbers as of now; those that are not asked for have
    /// not changed.
    #[inline]
    pub(crate) fn pages_since(&self, now: [Option<u32>; 2]) -> [Option<u64>; 2] {
        let mut pages = self.pages.get();
        let since = [0, 1].map(|which: usize| {
            let before = pages[which];
            let now = now[which].unwrap_or(before);
            pages[which] = now;
            Some(u64::from(now.wrapping_sub(before) & PAGES))
        });
        self.pages.set(pages);
        since
    }

    /// Hands a statement to the observer. A panic ends the observer: it must not reach SQLite.
    pub(crate) fn report(&self, finished: &Finished<'_>) {
        every::report(finished);
        if self.is_off.get() {
            return;
        }
        // An observer that runs statements on its own connection is not called for them.
        let Ok(mut observer) = self.observer.try_borrow_mut() else {
            return;
        };
        let Some(call) = observer.as_mut() else {
            return;
        };
        if catch_unwind(AssertUnwindSafe(|| call(finished))).is_err() {
            let observer = observer.take();
            // The observer's `drop` may panic as well.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(observer)));
        }
    }
}

/// Takes the number of rows of one statement out of a list.
fn take(rows: &mut Vec<(usize, u64)>, statement: usize) -> u64 {
    let at = rows.iter().position(|(known, _)| *known == statement);
    at.map_or(0, |at| rows.swap_remove(at).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_statements_that_run_at_once_are_counted_apart() {
        let slot = Slot::new();
        let returned = |statement| slot.take_rows(statement);
        // A virtual table reads rows of its own between those of the query.
        for statement in [1, 2, 1, 3, 3, 2, 1] {
            slot.add_row(statement);
        }
        assert_eq!(returned(3), 2);
        slot.add_row(1);
        assert_eq!(returned(2), 2);
        assert_eq!(returned(1), 4);
        // The address may be another statement's now.
        assert_eq!([1, 2, 3].map(returned), [0; 3]);
        slot.add_row(2);
        assert_eq!(returned(2), 1);
    }

    #[test]
    fn pages_are_counted_from_the_statement_before_across_the_end_of_their_numbers() {
        let slot = Slot::new();
        for largest in [u32::MAX, PAGES] {
            slot.set_pages([largest, 7]);
            assert_eq!(slot.pages_since([Some(1), Some(9)]), [Some(2), Some(2)]);
            assert_eq!(slot.pages_since([Some(4), None]), [Some(3), Some(0)]);
            assert_eq!(slot.pages_since([Some(4), Some(10)]), [Some(0), Some(1)]);
        }
    }
}
