//! A bound on the memory that SQLite takes on a thread.
//!
//! SQLite has a limit of its own for a process as a whole, which one greedy statement would use up for all others. And
//! while it prepares a statement, it looks neither at the clock nor at such a limit: it copies a view, a common table
//! expression and a column of a subquery for each use, so that a text of half a kilobyte can ask for gigabytes.
//!
//! So this crate stands between SQLite and its allocator. Where a thread has a bound and takes more, the allocator says
//! that there is no memory. SQLite then ends the statement with an error, and the connection can be used again.
//! It does the same after a moment that is set for what SQLite prepares ([`MemoryDeadline`]).

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::time::Instant;

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

/// Takings of memory between two looks at the clock.
const TAKINGS: u8 = 8;

thread_local! {
    /// Bytes that this thread may still take.
    static LEFT: Cell<i64> = const { Cell::new(UNBOUNDED) };
    /// After it this thread takes no more, where it has a bound.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Whether memory was refused after `DEADLINE`.
    static IS_OVER: Cell<bool> = const { Cell::new(false) };
    /// Takings until the next look at the clock.
    static TO_LOOK: Cell<u8> = const { Cell::new(TAKINGS) };
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
    let left = LEFT.with(Cell::get);
    left == UNBOUNDED || (i64::from(bytes) <= left && !is_over())
}

/// Whether it is too late to take memory. SQLite goes on asking while it gives up, so it stays too late.
fn is_over() -> bool {
    let Some(deadline) = DEADLINE.with(Cell::get) else {
        return false;
    };
    if IS_OVER.with(Cell::get) {
        return true;
    }
    let to_look = TO_LOOK.with(Cell::get) - 1;
    if to_look > 0 {
        TO_LOOK.with(|left| left.set(to_look));
        return false;
    }
    TO_LOOK.with(|left| left.set(TAKINGS));
    let is_over = Instant::now() >= deadline;
    IS_OVER.with(|over| over.set(is_over));
    is_over
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

/// Ends what SQLite does on this thread at a moment, while it lives: from then on it gets no memory, which fails with
/// `SQLITE_NOMEM`. It has an effect within a [`MemoryBound`] only.
///
/// It is for preparing, in which SQLite asks for memory all the time and for the clock hardly ever. While rows are
/// read, SQLite's progress handler is better: a value whose memory is refused shows as NULL.
#[derive(Debug)]
pub struct MemoryDeadline {
    before: Option<Instant>,
    was_over: bool,
    /// It is about a thread, so it stays on it.
    of_thread: PhantomData<*const ()>,
}

impl MemoryDeadline {
    /// From `deadline` on, SQLite gets no memory on this thread. One within another can only be earlier.
    #[must_use]
    pub fn begin(deadline: Instant) -> Self {
        let before = DEADLINE.with(Cell::get);
        let deadline = before.map_or(deadline, |before| before.min(deadline));
        DEADLINE.with(|at| at.set(Some(deadline)));
        Self {
            before,
            was_over: IS_OVER.with(|over| over.replace(false)),
            of_thread: PhantomData,
        }
    }

    /// Whether memory was refused because it was too late.
    #[must_use]
    pub fn is_over(&self) -> bool {
        IS_OVER.with(Cell::get)
    }
}

impl Drop for MemoryDeadline {
    fn drop(&mut self) {
        DEADLINE.with(|at| at.set(self.before));
        IS_OVER.with(|over| over.set(self.was_over));
    }
}
