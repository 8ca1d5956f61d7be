//! The functions that SQLite calls, and the questions that they put to it.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;

use libsqlite3_sys as ffi;

use crate::every;
use crate::finished::{Counters, Finished, StatementKey};
use crate::options::Options;
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
    let slot = Box::into_raw(Box::new(Slot::new()));
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
            unsafe { &*slot }.set_traced(Some(db));
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
    // The thread may be at its end, where there is nobody to find it.
    let _ = LOCATED.try_with(|located| located.set(Some(Located { db, slot })));
}

/// Called by SQLite when the function goes: the connection is closed, or someone registers another function of that
/// name.
///
/// # Safety
/// To be called by SQLite only, with what was registered in [`on_open`].
unsafe extern "C" fn on_destroy(slot: *mut c_void) {
    // SAFETY: `slot` came from `Box::into_raw` in `on_open`, and SQLite calls this once for it.
    let slot = unsafe { Box::from_raw(slot.cast::<Slot>()) };
    if let Some(db) = slot.traced() {
        // The trace refers to the slot, so it ends first. The connection may live on, where another function took the
        // name.
        // SAFETY: SQLite destroys a connection's functions before the connection, so `db` is valid memory. A connection
        // that is being closed refuses the call or takes it; either way it reports nothing any more.
        let _ = unsafe { ffi::sqlite3_trace_v2(db, 0, None, ptr::null_mut()) };
    }
    // The observer's drop is somebody's code: a panic must not reach SQLite.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(slot)));
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
    let slot = unsafe { &*context.cast::<Slot>().cast_const() };
    let statement = statement.cast::<ffi::sqlite3_stmt>();
    match event {
        // SAFETY: for this event SQLite passes the statement that ended, which stays valid until this function returns,
        // and the trace's slot as context.
        ffi::SQLITE_TRACE_PROFILE => unsafe { on_profile(slot, context, statement) },
        ffi::SQLITE_TRACE_ROW => slot.add_row(statement.addr()),
        // SAFETY: for this event SQLite passes the statement that begins, and the trace's slot as context.
        ffi::SQLITE_TRACE_STMT => unsafe { on_begin(slot, context, statement) },
        _ => {}
    }
    0
}

/// A statement begins, and there was one before that was given up half-way. SQLite completed that one after its report:
/// the pages that it wrote then are not this statement's.
///
/// # Safety
/// `statement` must be valid, and `context` the slot of its connection's trace.
unsafe fn on_begin(slot: &Slot, context: *mut c_void, statement: *mut ffi::sqlite3_stmt) {
    // SAFETY: the statement is valid, and so is the connection that it belongs to.
    let db = unsafe { ffi::sqlite3_db_handle(statement) };
    if slot.was_given_up() {
        // SAFETY: the connection is valid.
        slot.set_pages(unsafe { pages(db) });
    }
    // SAFETY: the connection is valid, and is traced with this slot.
    unsafe { trace_begins(db, slot, context, false) };
}

/// Has SQLite report the begins of statements, or no longer. Each report takes time, and only one of them is needed:
/// that of the statement behind one that was given up.
///
/// # Safety
/// `db` must be valid, and `context` the slot that it is traced with.
unsafe fn trace_begins(db: *mut ffi::sqlite3, slot: &Slot, context: *mut c_void, begins: bool) {
    let events = slot.options().events(begins);
    // SAFETY: the connection is valid. Its trace keeps the callback and the slot that it has. SQLite does nothing here
    // but to note what it is asked for, so the call is allowed within a report.
    let _ = unsafe { ffi::sqlite3_trace_v2(db, events, Some(on_trace), context) };
}

/// A statement ended.
///
/// # Safety
/// `statement` must be valid, and `context` the slot of its connection's trace.
unsafe fn on_profile(slot: &Slot, context: *mut c_void, statement: *mut ffi::sqlite3_stmt) {
    // SAFETY: the statement is valid; the text belongs to it, and stays until it is finalized, which cannot happen
    // before this returns.
    let text = unsafe { ffi::sqlite3_sql(statement) };
    if text.is_null() {
        return;
    }
    // SAFETY: SQLite's texts end with a NUL.
    let sql = unsafe { CStr::from_ptr(text) };
    // Made in its place: it is large, and is passed on by reference.
    let mut finished = Finished {
        key: StatementKey {
            statement: statement.addr(),
            text: text.addr(),
        },
        sql,
        // SAFETY: the statement is valid.
        counters: unsafe { counters(statement) },
    };
    let counters = &mut finished.counters;
    // SAFETY: the statement is valid, and so is the connection that it belongs to.
    let db = unsafe { ffi::sqlite3_db_handle(statement) };
    // SAFETY: the connection is valid.
    let pages = slot.options().pages.then(|| unsafe { pages(db) });
    slot.complete(statement.addr(), counters, pages);
    // A statement whose rows were not read to the end is reported before SQLite completes it, and with it the number of
    // changed rows.
    // SAFETY: the statement is valid.
    let given_up = unsafe { ffi::sqlite3_stmt_busy(statement) } != 0;
    slot.set_given_up(given_up);
    if given_up {
        // SAFETY: the connection is valid, and is traced with this slot.
        unsafe { trace_begins(db, slot, context, true) };
    }
    // SAFETY: the statement is valid.
    if !given_up && unsafe { ffi::sqlite3_stmt_readonly(statement) } == 0 {
        // SAFETY: the connection is valid.
        let changed = unsafe { ffi::sqlite3_changes64(db) };
        counters.rows_changed = Some(changed.cast_unsigned());
    }
    slot.report(&finished);
}

/// Reads a statement's counters, and sets them to zero for its next run.
///
/// # Safety
/// `statement` must be valid.
#[inline]
pub(crate) unsafe fn counters(statement: *mut ffi::sqlite3_stmt) -> Counters {
    let read = |which| {
        // SAFETY: the statement is valid, as the caller says.
        let count = unsafe { ffi::sqlite3_stmt_status(statement, which, 1) };
        u64::from(count.cast_unsigned())
    };
    Counters {
        steps: read(ffi::SQLITE_STMTSTATUS_VM_STEP),
        fullscan_steps: read(ffi::SQLITE_STMTSTATUS_FULLSCAN_STEP),
        sorts: read(ffi::SQLITE_STMTSTATUS_SORT),
        autoindex_steps: read(ffi::SQLITE_STMTSTATUS_AUTOINDEX),
        reprepares: read(ffi::SQLITE_STMTSTATUS_REPREPARE),
        ..Counters::default()
    }
}

/// Pages that a connection has read into its cache, and written from it, since it was opened.
///
/// # Safety
/// `db` must be valid.
#[inline]
pub(crate) unsafe fn pages(db: *mut ffi::sqlite3) -> [u32; 2] {
    let read = |which| {
        let (mut now, mut most) = (0, 0);
        // SAFETY: the connection is valid, as the caller says; both numbers are written to, and kept nowhere.
        unsafe { ffi::sqlite3_db_status(db, which, &mut now, &mut most, 0) };
        now.cast_unsigned()
    };
    [
        read(ffi::SQLITE_DBSTATUS_CACHE_MISS),
        read(ffi::SQLITE_DBSTATUS_CACHE_WRITE),
    ]
}

/// Sets the counters of all statements of a connection to zero: what ran before is nobody's.
///
/// # Safety
/// `db` must be valid.
pub(crate) unsafe fn reset(db: *mut ffi::sqlite3) {
    let mut statement = ptr::null_mut();
    loop {
        // SAFETY: the connection is valid, and the statement is null or one of its own.
        statement = unsafe { ffi::sqlite3_next_stmt(db, statement) };
        if statement.is_null() {
            return;
        }
        // SAFETY: SQLite gave the statement.
        let _ = unsafe { counters(statement) };
    }
}
