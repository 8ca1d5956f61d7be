//! A bound on the memory that SQLite takes on a thread.
//!
//! SQLite has a limit of its own for a process as a whole, which one greedy statement would use up for all others. And
//! while it prepares a statement, it looks neither at the clock nor at such a limit: it copies a view, a common table
//! expression and a column of a subquery for each use, so that a text of half a kilobyte can ask for gigabytes.
//!
//! So this crate stands between SQLite and its allocator. Where a thread has a bound and takes more, the allocator says
//! that there is no memory. SQLite then ends the statement with an error, and the connection can be used again.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use libsqlite3_sys as ffi;

/// Why memory is not bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "SQLite refused to have its memory bounded (code {code}): call sqlite_meter::bound_memory() before the first \
     connection is opened"
)]
pub struct MemoryError {
    /// SQLite's result code.
    pub code: i32,
}

/// The allocator that SQLite had before.
#[derive(Clone, Copy, Debug)]
struct Allocator {
    allocate: unsafe extern "C" fn(c_int) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
    reallocate: unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void,
    size: unsafe extern "C" fn(*mut c_void) -> c_int,
}

static ALLOCATOR: OnceLock<Allocator> = OnceLock::new();

/// `LEFT` of a thread without a bound.
const UNBOUNDED: i64 = i64::MAX;

thread_local! {
    /// Bytes that this thread may still take.
    static LEFT: Cell<i64> = const { Cell::new(UNBOUNDED) };
}

/// Prepares the process for [`MemoryBound`], which has no effect before. To be called before the first connection is
/// opened; more calls change nothing.
///
/// # Errors
/// If a connection was opened before, or SQLite does not let its allocator be replaced.
pub fn bound_memory() -> Result<(), MemoryError> {
    static CODE: OnceLock<i32> = OnceLock::new();
    match *CODE.get_or_init(replace_allocator) {
        ffi::SQLITE_OK => Ok(()),
        code => Err(MemoryError { code }),
    }
}

/// Gives SQLite's result code.
fn replace_allocator() -> c_int {
    let mut methods = MaybeUninit::<ffi::sqlite3_mem_methods>::zeroed();
    // SAFETY: SQLite writes the methods that it uses to the place that it is given.
    let code = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, methods.as_mut_ptr()) };
    if code != ffi::SQLITE_OK {
        return code;
    }
    // SAFETY: it was written just now. All of its fields may be zero besides.
    let mut methods = unsafe { methods.assume_init() };
    let (Some(allocate), Some(free), Some(reallocate), Some(size)) = (
        methods.xMalloc,
        methods.xFree,
        methods.xRealloc,
        methods.xSize,
    ) else {
        return ffi::SQLITE_ERROR;
    };
    let own = Allocator {
        allocate,
        free,
        reallocate,
        size,
    };
    // Before SQLite may call what reads it. This is the only place that sets it, and runs once.
    let _ = ALLOCATOR.set(own);
    methods.xMalloc = Some(on_allocate);
    methods.xFree = Some(on_free);
    methods.xRealloc = Some(on_reallocate);
    // SAFETY: SQLite copies the methods. They have the signatures that it asks for, are never unloaded, and give what
    // its own allocator gives.
    unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const methods) }
}

unsafe extern "C" fn on_allocate(bytes: c_int) -> *mut c_void {
    let Some(own) = ALLOCATOR.get() else {
        return std::ptr::null_mut();
    };
    if !has_room(bytes) {
        return std::ptr::null_mut();
    }
    // SAFETY: SQLite asks its own allocator, as it would without this crate.
    let memory = unsafe { (own.allocate)(bytes) };
    count(own, memory, -1);
    memory
}

unsafe extern "C" fn on_free(memory: *mut c_void) {
    if let Some(own) = ALLOCATOR.get() {
        count(own, memory, 1);
        // SAFETY: SQLite frees what its own allocator gave, and does not use it any more.
        unsafe { (own.free)(memory) }
    }
}

unsafe extern "C" fn on_reallocate(memory: *mut c_void, bytes: c_int) -> *mut c_void {
    let Some(own) = ALLOCATOR.get() else {
        return std::ptr::null_mut();
    };
    let more = bytes.saturating_sub(size(own, memory));
    if !has_room(more) {
        return std::ptr::null_mut();
    }
    count(own, memory, 1);
    // SAFETY: SQLite hands over what its own allocator gave.
    let moved = unsafe { (own.reallocate)(memory, bytes) };
    // Without memory for it, the old place stays as it was.
    let kept = if moved.is_null() { memory } else { moved };
    count(own, kept, -1);
    moved
}

/// Whether this thread may take so many bytes.
fn has_room(bytes: c_int) -> bool {
    LEFT.with(|left| i64::from(bytes) <= left.get())
}

/// Counts memory as taken (-1) or given back (1), where this thread has a bound.
fn count(own: &Allocator, memory: *mut c_void, sign: i64) {
    LEFT.with(|left| {
        if left.get() != UNBOUNDED {
            let bytes = sign * i64::from(size(own, memory));
            // Memory that another thread took may be given back here.
            left.set(left.get().saturating_add(bytes).min(UNBOUNDED - 1));
        }
    });
}

fn size(own: &Allocator, memory: *mut c_void) -> c_int {
    if memory.is_null() || LEFT.with(Cell::get) == UNBOUNDED {
        return 0;
    }
    // SAFETY: it was given by this allocator and is not freed yet: all callers have it from SQLite or from it.
    unsafe { (own.size)(memory) }
}

/// Bounds the memory that SQLite takes on this thread while it lives: that of all connections which the thread uses.
///
/// More than that fails with `SQLITE_NOMEM`. A bound within another one can only be narrower.
#[derive(Debug)]
pub struct MemoryBound {
    /// Bytes that were left as it began, and those that it took of them.
    before: i64,
    bytes: i64,
    /// It is about a thread, so it stays on it.
    of_thread: PhantomData<*const ()>,
}

impl MemoryBound {
    /// From now on, SQLite takes at most so many bytes more on this thread. Without [`bound_memory`] it does nothing.
    #[must_use]
    pub fn begin(bytes: usize) -> Self {
        let before = LEFT.with(Cell::get);
        let bytes = i64::try_from(bytes).unwrap_or(UNBOUNDED).min(before);
        LEFT.with(|left| left.set(bytes));
        Self {
            before,
            bytes,
            of_thread: PhantomData,
        }
    }
}

impl Drop for MemoryBound {
    fn drop(&mut self) {
        LEFT.with(|left| {
            let taken = self.bytes - left.get();
            left.set(match self.before {
                UNBOUNDED => UNBOUNDED,
                before => before - taken,
            });
        });
    }
}
