//! From a Diesel connection to its slot, and from there to SQLite's reports.

use std::error::Error;
use std::ffi::c_uint;
use std::ptr;
use std::sync::OnceLock;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use libsqlite3_sys as ffi;

use crate::callback::{LOCATE, Located, on_open, on_trace, take_located};
use crate::every;
use crate::finished::Finished;
use crate::options::Options;
use crate::pending::{self, Answer};
use crate::questions::{pages, reset};
use crate::slot::{Observer, Slot};

/// Why SQLite does not call this crate for new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "SQLite refused to report new connections to the meter (code {code}); some builds of it do, such as Apple's"
)]
pub struct InstallError {
    /// SQLite's result code.
    pub code: i32,
}

/// Why a connection is not measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The connection was opened before [`install`], or the function of the meter was taken away from it.
    #[error(
        "the connection does not know the meter: call sqlite_meter::install() before it is opened"
    )]
    Unknown(#[source] diesel::result::Error),
    /// The function ran, but not this crate's.
    #[error("the connection has another function named sqlite_meter_locate")]
    Foreign,
    /// The client could not run the SQL by which its connection is found: it was opened before [`install`], or the
    /// function of the meter was taken away from it.
    #[error(
        "the connection does not know the meter: call sqlite_meter::install() before it is opened"
    )]
    NotRun(#[source] Box<dyn Error + Send + Sync>),
    /// The client did not run the SQL by which its connection is found, or on another thread.
    #[error("the SQL that finds the connection did not run on this thread")]
    Elsewhere,
    /// The connection was reporting a statement to its observer, which then cannot be replaced.
    #[error("an observer cannot be replaced while it is called")]
    Reporting,
    /// SQLite refused to trace the connection.
    #[error("SQLite refused to trace the connection (code {code})")]
    Refused {
        /// SQLite's result code.
        code: i32,
    },
}

/// Makes connections that are opened from now on ready to be measured. Nothing is measured before [`attach`]. To be
/// called once; more calls change nothing.
///
/// # Errors
/// If SQLite has no such calls, or no memory.
pub fn install() -> Result<(), InstallError> {
    static CODE: OnceLock<i32> = OnceLock::new();
    let code = *CODE.get_or_init(|| {
        // SAFETY: the function has the signature that SQLite asks for, and is never unloaded.
        unsafe { ffi::sqlite3_auto_extension(Some(on_open)) }
    });
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(InstallError { code }),
    }
}

/// Reports each statement of all connections that are opened from now on, besides what observers of single connections
/// get. It is meant for tests: nobody has to hand over the connections. The first observer stays for as long as the
/// process lives; whether it is this one, is the answer.
///
/// The observer is called on the thread that uses the connection, before Diesel returns. A panic in it is caught, and
/// what it was called for is lost.
///
/// # Errors
/// If SQLite does not report new connections: see [`install`].
pub fn observe_every(observer: fn(&Finished<'_>)) -> Result<bool, InstallError> {
    install()?;
    Ok(every::set(observer))
}

/// Reports each statement of a connection that ends from now on to an observer, which replaces an earlier one.
///
/// The observer is called on the thread that uses the connection, before Diesel returns. If it panics, it is dropped,
/// and the connection is not measured any more.
///
/// # Errors
/// If the connection was opened before [`install`], or SQLite refuses.
pub fn attach<F>(
    connection: &mut SqliteConnection,
    options: Options,
    observer: F,
) -> Result<(), AttachError>
where
    F: FnMut(&Finished<'_>) + Send + 'static,
{
    attach_to(locate(connection)?, options, Box::new(observer))
}

/// As [`attach`], for a connection of another client than Diesel. `run` is to run the SQL that it gets on that
/// connection at once, on this thread. The process must have one SQLite alone, which Cargo sees to by itself.
///
/// ```ignore
/// sqlite_meter::install()?;
/// let connection = rusqlite::Connection::open("pets.db")?;
/// let options = sqlite_meter::Options::default().time(true);
/// sqlite_meter::attach_by(|sql| connection.execute_batch(sql), options, |finished| {
///     println!("{}: {} steps in {:?}", finished.sql(), finished.counters().steps, finished.duration());
/// })?;
/// ```
///
/// # Errors
/// If the connection was opened before [`install`], `run` does not run the SQL, SQLite refuses, or the connection's
/// observer calls this for it.
pub fn attach_by<F, E>(
    run: impl FnOnce(&str) -> Result<(), E>,
    options: Options,
    observer: F,
) -> Result<(), AttachError>
where
    F: FnMut(&Finished<'_>) + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let sql = locating();
    match pending::wait(Box::new(observer), options, || run(&sql)) {
        (Some(Answer::Code(ffi::SQLITE_OK)), _) => Ok(()),
        (Some(Answer::Code(code)), _) => Err(AttachError::Refused { code }),
        (Some(Answer::Reporting), _) => Err(AttachError::Reporting),
        (None, Err(error)) => Err(AttachError::NotRun(error.into())),
        (None, Ok(())) => Err(AttachError::Elsewhere),
    }
}

/// The SQL by which a connection is found.
fn locating() -> String {
    format!("SELECT {}()", LOCATE.to_string_lossy())
}

/// Attaches an observer to a connection that was found just now, and is borrowed until this returns.
pub(crate) fn attach_to(
    located: Located,
    options: Options,
    observer: Observer,
) -> Result<(), AttachError> {
    let Located { db, slot } = located;
    // SAFETY: `locate` found the slot by running its function on this connection just now. It lives as long as the
    // connection, which is borrowed until this returns.
    let slot_ref = unsafe { &*slot };
    // SAFETY: the handle is that of the borrowed connection.
    let read = unsafe { pages(db) };
    // SAFETY: as above.
    unsafe { reset(db) };
    drop(slot_ref.watch(observer, options, read));
    trace(db, slot, slot_ref.events())
}

/// Ends the reports of a connection and drops its observer. That of [`observe_every`] is told of it all the same.
///
/// # Errors
/// If the connection was opened before [`install`].
pub fn detach(connection: &mut SqliteConnection) -> Result<(), AttachError> {
    let Located { db, slot } = locate(connection)?;
    // SAFETY: as in `attach_to`.
    let slot_ref = unsafe { &*slot };
    trace(db, slot, slot_ref.events_unwatched())?;
    slot_ref.forget();
    Ok(())
}

/// Runs the function that knows the connection which runs it.
pub(crate) fn locate(connection: &mut SqliteConnection) -> Result<Located, AttachError> {
    // An address that another connection of this thread left is not this one's.
    take_located();
    connection
        .batch_execute(&locating())
        .map_err(AttachError::Unknown)?;
    take_located().ok_or(AttachError::Foreign)
}

/// Asks SQLite for events; for none, where `events` is 0.
fn trace(db: *mut ffi::sqlite3, slot: *const Slot, events: c_uint) -> Result<(), AttachError> {
    let callback = (events != 0).then_some(
        on_trace
            as unsafe extern "C" fn(
                c_uint,
                *mut std::ffi::c_void,
                *mut std::ffi::c_void,
                *mut std::ffi::c_void,
            ) -> i32,
    );
    let context = if events == 0 {
        ptr::null_mut()
    } else {
        slot.cast_mut().cast()
    };
    // SAFETY: the callers located `db` and `slot` through a connection that is borrowed. The slot outlives the trace:
    // `on_destroy`, which frees it, ends the trace first.
    let code = unsafe { ffi::sqlite3_trace_v2(db, events, callback, context) };
    if code != ffi::SQLITE_OK {
        return Err(AttachError::Refused { code });
    }
    // SAFETY: the slot lives as long as the connection.
    unsafe { &*slot }.set_traced((events != 0).then_some(db));
    Ok(())
}
