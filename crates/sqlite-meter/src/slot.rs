//! The state of one connection: its observer, and the counts from before the statement that runs now.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libsqlite3_sys as ffi;

use crate::every;
use crate::finished::{Counters, Finished};
use crate::options::Options;

/// Called for each statement that ends.
pub(crate) type Observer = Box<dyn FnMut(&Finished<'_>) + Send>;

/// The state of one connection. SQLite uses a connection from one thread at a time, and so is this.
pub(crate) struct Slot {
    /// The connection, while a trace is set up on it that refers to this slot.
    traced: Cell<Option<*mut ffi::sqlite3>>,
    observer: RefCell<Option<Observer>>,
    options: Cell<Options>,
    /// The statement that returned a row last, by its address, and how many it has returned. Mostly one is running.
    rows: Cell<(usize, u64)>,
    /// The same of others that still run.
    other_rows: RefCell<Vec<(usize, u64)>>,
    /// Pages read and written since the connection was opened, as of the last statement that ended.
    pages: Cell<[u32; 2]>,
    /// Whether the last statement was reported before SQLite had completed it.
    given_up: Cell<bool>,
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
            observer: RefCell::new(None),
            options: Cell::default(),
            rows: Cell::default(),
            other_rows: RefCell::default(),
            pages: Cell::default(),
            given_up: Cell::new(false),
        }
    }

    pub(crate) fn traced(&self) -> Option<*mut ffi::sqlite3> {
        self.traced.get()
    }

    pub(crate) fn set_traced(&self, db: Option<*mut ffi::sqlite3>) {
        self.traced.set(db);
    }

    /// Begins to report to an observer; `pages` as of now.
    pub(crate) fn watch(&self, observer: Observer, options: Options, pages: [u32; 2]) {
        self.options.set(options);
        self.rows.take();
        self.other_rows.take();
        self.pages.set(pages);
        drop(self.observer.replace(Some(observer)));
    }

    /// Ends it. An observer that is being called right now is dropped when it returns.
    pub(crate) fn forget(&self) {
        if let Ok(mut observer) = self.observer.try_borrow_mut() {
            drop(observer.take());
        }
    }

    pub(crate) fn was_given_up(&self) -> bool {
        self.given_up.get()
    }

    pub(crate) fn set_given_up(&self, given_up: bool) {
        self.given_up.set(given_up);
    }

    /// Pages are counted from here on.
    pub(crate) fn set_pages(&self, pages: [u32; 2]) {
        self.given_up.set(false);
        self.pages.set(pages);
    }

    #[inline]
    pub(crate) fn options(&self) -> Options {
        self.options.get()
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
    fn take_rows(&self, statement: usize) -> u64 {
        let (last, rows) = self.rows.get();
        if last == statement {
            self.rows.take();
            return rows;
        }
        let others = self.other_rows.try_borrow_mut();
        others.map_or(0, |mut others| take(&mut others, statement))
    }

    /// Completes the counters of a statement that ended with what this connection counted besides. `pages` as of now.
    pub(crate) fn complete(
        &self,
        statement: usize,
        counters: &mut Counters,
        pages: Option<[u32; 2]>,
    ) {
        if self.options.get().rows {
            counters.rows_returned = Some(self.take_rows(statement));
        }
        if let Some(pages) = pages {
            let before = self.pages.replace(pages);
            // SQLite's numbers have 32 bits and begin anew after that.
            let since = |which: usize| Some(u64::from(pages[which].wrapping_sub(before[which])));
            counters.pages_read = since(0);
            counters.pages_written = since(1);
        }
    }

    /// Hands a statement to the observer. A panic ends the observer: it must not reach SQLite.
    pub(crate) fn report(&self, finished: &Finished<'_>) {
        every::report(finished);
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
        let returned = |statement| {
            let mut counters = Counters::default();
            slot.complete(statement, &mut counters, None);
            counters.rows_returned
        };
        // A virtual table reads rows of its own between those of the query.
        for statement in [1, 2, 1, 3, 3, 2, 1] {
            slot.add_row(statement);
        }
        assert_eq!(returned(3), Some(2));
        slot.add_row(1);
        assert_eq!(returned(2), Some(2));
        assert_eq!(returned(1), Some(4));
        // The address may be another statement's now.
        assert_eq!([1, 2, 3].map(returned), [Some(0); 3]);
        slot.add_row(2);
        assert_eq!(returned(2), Some(1));
    }

    #[test]
    fn pages_are_counted_from_the_statement_before_across_the_end_of_their_numbers() {
        let slot = Slot::new();
        slot.set_pages([u32::MAX, 7]);
        let mut counters = Counters::default();
        slot.complete(1, &mut counters, Some([1, 9]));
        assert_eq!(
            (counters.pages_read, counters.pages_written),
            (Some(2), Some(2))
        );
    }
}
