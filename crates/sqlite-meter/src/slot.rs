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
    counting: RefCell<Counting>,
    /// Whether the last statement was reported before SQLite had completed it.
    given_up: Cell<bool>,
}

#[derive(Default)]
struct Counting {
    options: Options,
    /// Rows that statements which still run have returned, by the address of the statement. Mostly there is one.
    rows: Vec<(usize, u64)>,
    /// Pages read and written since the connection was opened, as of the last statement that ended.
    pages: [u32; 2],
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
            counting: RefCell::new(Counting::default()),
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
        self.counting.replace(Counting {
            options,
            rows: Vec::new(),
            pages,
        });
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
        if let Ok(mut counting) = self.counting.try_borrow_mut() {
            counting.pages = pages;
        }
    }

    pub(crate) fn counts_pages(&self) -> bool {
        self.counting
            .try_borrow()
            .is_ok_and(|counting| counting.options.pages)
    }

    /// A statement returned a row.
    pub(crate) fn add_row(&self, statement: usize) {
        let Ok(mut counting) = self.counting.try_borrow_mut() else {
            return;
        };
        match counting
            .rows
            .iter_mut()
            .find(|(known, _)| *known == statement)
        {
            Some((_, rows)) => *rows += 1,
            None => counting.rows.push((statement, 1)),
        }
    }

    /// Completes the counters of a statement that ended with what this connection counted besides. `pages` as of now.
    pub(crate) fn complete(
        &self,
        statement: usize,
        counters: &mut Counters,
        pages: Option<[u32; 2]>,
    ) {
        let Ok(mut counting) = self.counting.try_borrow_mut() else {
            return;
        };
        if counting.options.rows {
            let at = counting
                .rows
                .iter()
                .position(|(known, _)| *known == statement);
            counters.rows_returned = Some(at.map_or(0, |at| counting.rows.swap_remove(at).1));
        }
        if let Some(pages) = pages {
            // SQLite's numbers have 32 bits and begin anew after that.
            let since =
                |which: usize| Some(u64::from(pages[which].wrapping_sub(counting.pages[which])));
            counters.pages_read = since(0);
            counters.pages_written = since(1);
            counting.pages = pages;
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
