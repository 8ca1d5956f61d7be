//! The functions that SQLite calls.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::time::Instant;

use libsqlite3_sys as ffi;

use crate::every;
use crate::finished::{Counters, Finished, Reports, StatementKey};
use crate::options::Options;
use crate::pending::{self, Answer, Waiting};
use crate::questions::{counters, pages, pages_now, read, reset, work};
use crate::slot::Slot;

/// The SQL function by which a connection is told from others.
pub(crate) const LOCATE: &CStr = c"sqlite_meter_locate";

/// A connection that was found: its handle, and its slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located {
    pub(crate) db: *mut ffi::sqlite3,
    pub(crate) slot: *const Slot,
}

thread_local! {
    /// The connection that ran [`LOCATE`] last on this thread.
    static LOCATED: Cell<Option<Located>> = const { Cell::new(None) };
}

/// Takes what the last run of [`LOCATE`] on this thread found.
pub(crate) fn take_located() -> Option<Located> {
    LOCATED.take()
}

/// Called by SQLite for each connection that the process opens: registers [`LOCATE`]. It never keeps a connection from
/// being opened.
///
/// # Safety
/// To be called by SQLite only, with the handle of a connection.
pub(crate) unsafe extern "C" fn on_open(
    db: *mut ffi::sqlite3,
    _message: *mut *mut c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> c_int {
    let slot = Rc::into_raw(Rc::new(Slot::new())).cast_mut();
    let flags = ffi::SQLITE_UTF8 | ffi::SQLITE_DIRECTONLY;
    // SAFETY: `db` is the connection being opened. The name ends with a NUL. SQLite owns `slot` from here on: it calls
    // `on_destroy` for it exactly once, also where registering fails.
    let code = unsafe {
        ffi::sqlite3_create_function_v2(
            db,
            LOCATE.as_ptr(),
            0,
            flags,
            slot.cast(),
            Some(on_locate),
            None,
            None,
            Some(on_destroy),
        )
    };
    if code == ffi::SQLITE_OK && every::is_set() {
        // SAFETY: `db` is the connection being opened. SQLite took the slot, which lives until `on_destroy`, where the
        // trace ends first.
        let code = unsafe {
            ffi::sqlite3_trace_v2(
                db,
                Options::default().events(false),
                Some(on_trace),
                slot.cast(),
            )
        };
        if code == ffi::SQLITE_OK {
            // SAFETY: as above: the slot is alive, and only shared references to it are made.
            unsafe { &*slot }.trace_from_opening(db);
        }
    }
    ffi::SQLITE_OK
}

/// The SQL function: remembers who runs it. Its value is NULL.
///
/// # Safety
/// To be called by SQLite only.
unsafe extern "C" fn on_locate(
    context: *mut ffi::sqlite3_context,
    _count: c_int,
    _values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: SQLite passes a valid context.
    let db = unsafe { ffi::sqlite3_context_db_handle(context) };
    // SAFETY: as above; the function was registered with a slot.
    let slot = unsafe { ffi::sqlite3_user_data(context) }
        .cast::<Slot>()
        .cast_const();
    if let Some(waiting) = pending::take() {
        // SAFETY: SQLite runs the function on this thread now, for this connection, and holds the slot.
        unsafe { attach(db, slot, waiting) };
    }
    // The thread may be at its end, where there is nobody to find it.
    let _ = LOCATED.try_with(|located| located.set(Some(Located { db, slot })));
}

/// Attaches an observer while a statement of the connection runs the function.
///
/// # Safety
/// `db` must be the connection that runs it on this thread now, and `slot` that of the function, which SQLite holds.
unsafe fn attach(db: *mut ffi::sqlite3, slot: *const Slot, waiting: Waiting) {
    let Waiting { observer, options } = waiting;
    // SAFETY: the slot is alive, as the caller says, and only shared references to it are made.
    let slot_ref = unsafe { &*slot };
    if slot_ref.is_reporting() {
        // The earlier observer is being called right now, so that it cannot be replaced.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(observer)));
        return pending::answer(Answer::Reporting);
    }
    // SAFETY: the connection is alive, and uses this thread.
    let read = unsafe { pages(db) };
    // SAFETY: as above.
    unsafe { reset(db) };
    let earlier = slot_ref.watch(observer, options, read);
    // No panic must reach SQLite.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(earlier)));
    // The statement that runs now is nobody's, and so is the row that it returns. So rows are asked for when the next
    // one begins, as they are after a statement that was given up.
    slot_ref.set_attaching(true);
    slot_ref.set_given_up(true);
    let events = slot_ref.options().events(true) & !ffi::SQLITE_TRACE_ROW;
    let context = slot.cast_mut().cast();
    // SAFETY: the connection is alive. The slot outlives the trace: `on_destroy`, which frees it, ends the trace first.
    // SQLite does nothing here but to note what it is asked for, so the call is allowed while a statement runs.
    let code = unsafe { ffi::sqlite3_trace_v2(db, events, Some(on_trace), context) };
    if code == ffi::SQLITE_OK {
        slot_ref.set_traced(Some(db));
    }
    pending::answer(Answer::Code(code));
}

/// Called by SQLite when the function goes: the connection is closed, or someone registers another function of that
/// name.
///
/// # Safety
/// To be called by SQLite only, with what was registered in [`on_open`].
unsafe extern "C" fn on_destroy(slot: *mut c_void) {
    // SAFETY: `slot` came from `Rc::into_raw` in `on_open`, and SQLite calls this once for it. Another count of it may
    // be that of the connection's instrumentation: it belongs to the same connection, so no other thread uses it now.
    let slot = unsafe { Rc::from_raw(slot.cast::<Slot>().cast_const()) };
    if let Some(db) = slot.traced() {
        slot.set_traced(None);
        // The trace refers to the slot, so it ends first. The connection may live on, where another function took the
        // name.
        // SAFETY: SQLite destroys a connection's functions before the connection, so `db` is valid memory. A connection
        // that is being closed refuses the call or takes it; either way it reports nothing any more.
        let _ = unsafe { ffi::sqlite3_trace_v2(db, 0, None, ptr::null_mut()) };
    }
    // The observer's drop is somebody's code: a panic must not reach SQLite.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // The connection's instrumentation may hold the slot a little longer.
        slot.forget();
        drop(slot);
    }));
}

/// Called by SQLite for what it was asked to report.
///
/// # Safety
/// To be called by SQLite only, with a slot that is alive as context.
pub(crate) unsafe extern "C" fn on_trace(
    event: c_uint,
    context: *mut c_void,
    statement: *mut c_void,
    _detail: *mut c_void,
) -> c_int {
    // SAFETY: the trace was set up with this slot, which lives until `on_destroy`, where the trace ends first. Only
    // shared references to it are made while the connection is alive.
    let raw = context.cast::<Slot>().cast_const();
    // SAFETY: as above.
    let slot = unsafe { &*raw };
    let statement = statement.cast::<ffi::sqlite3_stmt>();
    match event {
        // SAFETY: for this event SQLite passes the statement that ended, which stays valid until this function returns,
        // and the trace's slot as context.
        ffi::SQLITE_TRACE_PROFILE => unsafe { on_profile(slot, raw, statement) },
        ffi::SQLITE_TRACE_ROW => slot.add_row(statement.addr()),
        // SAFETY: for this event SQLite passes the statement that begins, and the trace's slot as context.
        ffi::SQLITE_TRACE_STMT => unsafe { on_begin(slot, statement) },
        _ => {}
    }
    0
}

/// A statement begins, or a part of one that is a trigger.
///
/// # Safety
/// `statement` must be valid, and `slot` the one of its connection's trace.
unsafe fn on_begin(slot: &Slot, statement: *mut ffi::sqlite3_stmt) {
    slot.set_attaching(false);
    if slot.is_silent() {
        // When reports are on again, this counter alone cannot be set to zero at the statement's begin: it has counted
        // then what was prepared again for that very run.
        // SAFETY: the statement is valid.
        let _ = unsafe { read(statement, ffi::SQLITE_STMTSTATUS_REPREPARE) };
        return;
    }
    if slot.options().time {
        slot.begins_at(statement.addr(), Instant::now());
    }
    if slot.begins_unsettled(statement.addr()) {
        // SAFETY: the statement is valid.
        let _ = unsafe { work(statement) };
    }
    if slot.was_given_up() {
        // SQLite completed the statement before after its report: the pages that it wrote then are not this one's.
        // SAFETY: the statement is valid, and so is the connection that it belongs to.
        let db = unsafe { ffi::sqlite3_db_handle(statement) };
        // SAFETY: the connection is valid.
        slot.set_pages(unsafe { pages(db) });
        // SAFETY: the connection is valid, and is traced with this slot.
        unsafe { trace_again(db, slot) };
    }
}

impl Reports for Slot {
    unsafe fn resume(&self, db: *mut ffi::sqlite3) {
        // The trace is over where an observer has taken the meter's function away.
        if self.traced().is_some() {
            // SAFETY: the connection is valid.
            self.skip_pages(unsafe { pages(db) });
            // SAFETY: the connection is valid, and is traced with this slot, which SQLite holds.
            unsafe { trace_again(db, self) };
        }
    }
}

/// Has SQLite report what the slot wants to know now. Each report takes time.
///
/// # Safety
/// `db` must be valid, and traced with this slot, which SQLite holds.
pub(crate) unsafe fn trace_again(db: *mut ffi::sqlite3, slot: &Slot) {
    let context = ptr::from_ref(slot).cast_mut().cast();
    // SAFETY: the connection is valid. Its trace keeps the callback and the slot that it has. SQLite does nothing here
    // but to note what it is asked for, so the call is allowed within a report.
    let _ = unsafe { ffi::sqlite3_trace_v2(db, slot.events(), Some(on_trace), context) };
}

/// A query begins, whose statements are to be reported or not.
///
/// # Safety
/// `db` must be valid, used by nobody else meanwhile, and traced with this slot, which SQLite holds.
pub(crate) unsafe fn switch(db: *mut ffi::sqlite3, slot: &Slot, on: bool) {
    if !on {
        slot.switch_off();
    } else if slot.switch_on() {
        // SAFETY: the connection is valid.
        slot.unsettle(unsafe { pages(db) });
    } else if slot.is_time_to_settle() {
        // SAFETY: the connection is valid.
        unsafe { reset(db) };
        slot.settle();
    } else {
        return;
    }
    // SAFETY: the connection is valid, and is traced with this slot.
    unsafe { trace_again(db, slot) };
}

/// A statement ended.
///
/// # Safety
/// `statement` must be valid, and `slot` the one of its connection's trace, with `raw` as SQLite has it.
unsafe fn on_profile(slot: &Slot, raw: *const Slot, statement: *mut ffi::sqlite3_stmt) {
    if slot.is_attaching() {
        return;
    }
    // SAFETY: the statement is valid; the text belongs to it, and stays until it is finalized, which cannot happen
    // before this returns.
    let text = unsafe { ffi::sqlite3_sql(statement) };
    if text.is_null() {
        return;
    }
    // SAFETY: SQLite's texts end with a NUL.
    let sql = unsafe { CStr::from_ptr(text) };
    // SAFETY: the statement is valid, and so is the connection that it belongs to.
    let db = unsafe { ffi::sqlite3_db_handle(statement) };
    // SAFETY: the statement is valid.
    let is_readonly = unsafe { ffi::sqlite3_stmt_readonly(statement) } != 0;
    // A statement whose rows were not read to the end is reported before SQLite completes it, and with it the number of
    // changed rows.
    // SAFETY: the statement is valid.
    let given_up = unsafe { ffi::sqlite3_stmt_busy(statement) } != 0;
    let options = slot.options();
    let began = options.time.then(|| slot.take_begin(statement.addr()));
    let mut pages = [None; 2];
    if options.pages {
        // SAFETY: the connection is valid.
        let may_write = unsafe { may_write(db, slot, is_readonly) };
        // SAFETY: the connection is valid.
        pages = slot.pages_since(unsafe { pages_now(db, may_write) });
    }
    let [pages_read, pages_written] = pages;
    let rows_changed = (!given_up && !is_readonly).then(|| {
        // SAFETY: the connection is valid.
        unsafe { ffi::sqlite3_changes64(db) }.cast_unsigned()
    });
    // Made in its place: it is large, and is passed on by reference.
    let finished = Finished {
        key: StatementKey {
            statement: statement.addr(),
            text: text.addr(),
        },
        sql,
        counters: Counters {
            rows_returned: options.rows.then(|| slot.take_rows(statement.addr())),
            rows_changed,
            pages_read,
            pages_written,
            // SAFETY: the statement is valid.
            ..unsafe { counters(statement) }
        },
        duration: began.flatten().map(|began| began.elapsed()),
        given_up,
        db,
        reports: slot,
    };
    slot.set_given_up(false);
    // An observer may have SQLite destroy the function that has the slot, by another of its name.
    // SAFETY: the slot came from `Rc::into_raw`, and SQLite has a count of it until it destroys the function.
    unsafe { Rc::increment_strong_count(raw) };
    // SAFETY: as above; the count is the one that was added.
    let held = unsafe { Rc::from_raw(raw) };
    slot.report(&finished);
    // Behind the report: an observer may run statements on this connection, and they are not the next one.
    if given_up && slot.traced().is_some() {
        slot.set_given_up(true);
        // SAFETY: the connection is valid, and is traced with this slot.
        unsafe { trace_again(db, slot) };
    }
    if Rc::strong_count(&held) == 1 {
        // It is destroyed, and goes now, with the observer, whose drop may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(held)));
    }
}

/// Whether a statement that has ended may have written pages. One that only reads writes some where it ends a
/// transaction, or where the cache has no room for those that others have changed.
///
/// # Safety
/// `db` must be valid.
unsafe fn may_write(db: *mut ffi::sqlite3, slot: &Slot, is_readonly: bool) -> bool {
    if !is_readonly {
        slot.set_in_transaction(true);
        return true;
    }
    // SAFETY: the connection is valid, as the caller says.
    let in_transaction = unsafe { ffi::sqlite3_get_autocommit(db) } == 0;
    slot.set_in_transaction(in_transaction) || in_transaction
}
