//! Connections that are closed while statements of theirs live, as `sqlite3_close_v2` allows. Diesel never does that,
//! but another library of the process may, and its connections are traced by `observe_every`.

use std::ffi::{CString, c_int};
use std::ptr;

use libsqlite3_sys as ffi;
use sqlite_meter::observe_every;
use test_support::alone;

use crate::every::{see, texts};
use crate::support::people;

/// A connection of another library, which is observed from its opening on.
fn open() -> *mut ffi::sqlite3 {
    assert_eq!(observe_every(see), Ok(true));
    let mut db = ptr::null_mut();
    // SAFETY: the name ends with a NUL, and the handle is written to a variable that lives.
    let code = unsafe { ffi::sqlite3_open(c":memory:".as_ptr(), &mut db) };
    assert_eq!(code, ffi::SQLITE_OK);
    let made = CString::new(people(20)).expect("no NUL");
    // SAFETY: the connection is open, the text ends with a NUL, and there is no callback.
    let code =
        unsafe { ffi::sqlite3_exec(db, made.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) };
    assert_eq!(code, ffi::SQLITE_OK);
    db
}

fn prepare(db: *mut ffi::sqlite3, sql: &str) -> *mut ffi::sqlite3_stmt {
    let sql = CString::new(sql).expect("no NUL");
    let mut statement = ptr::null_mut();
    // SAFETY: the connection is open, the text ends with a NUL, and the statement is written to a variable that lives.
    let code =
        unsafe { ffi::sqlite3_prepare_v2(db, sql.as_ptr(), -1, &mut statement, ptr::null_mut()) };
    assert_eq!(code, ffi::SQLITE_OK);
    statement
}

fn step(statement: *mut ffi::sqlite3_stmt) -> c_int {
    // SAFETY: each test steps statements that it has not finalized.
    unsafe { ffi::sqlite3_step(statement) }
}

fn finalize(statement: *mut ffi::sqlite3_stmt) {
    // SAFETY: each test finalizes a statement once.
    assert_eq!(unsafe { ffi::sqlite3_finalize(statement) }, ffi::SQLITE_OK);
}

unsafe extern "C" {
    /// The bindings leave it out.
    fn sqlite3_close_v2(db: *mut ffi::sqlite3) -> c_int;
}

fn close(db: *mut ffi::sqlite3) {
    // SAFETY: each test closes a connection once, and uses its handle no more.
    assert_eq!(unsafe { sqlite3_close_v2(db) }, ffi::SQLITE_OK);
}

#[test]
fn statements_that_outlive_the_close_of_their_connection_are_reported_when_they_end() {
    alone("closed::outlived", &[]);
}

#[test]
#[ignore = "it runs in a process of its own, as its observer stays"]
fn outlived() {
    const HALF: &str = "SELECT name FROM people WHERE age > 3";
    const WHOLE: &str = "SELECT count(*) FROM people";
    for _ in 0..20 {
        let db = open();
        let (half, whole, never) = (
            prepare(db, HALF),
            prepare(db, WHOLE),
            prepare(db, "SELECT 1"),
        );
        assert_eq!(step(half), ffi::SQLITE_ROW);
        texts();
        close(db);
        assert_eq!(texts(), [""; 0], "nothing has ended");

        // The slot of the connection lives as long as they do.
        assert_eq!(step(half), ffi::SQLITE_ROW);
        assert_eq!(step(whole), ffi::SQLITE_ROW);
        assert_eq!(step(whole), ffi::SQLITE_DONE);
        assert_eq!(texts(), [WHOLE]);
        finalize(half);
        assert_eq!(texts(), [HALF]);
        finalize(never);
        // With the last one, SQLite frees the connection and its slot.
        finalize(whole);
        assert_eq!(texts(), [""; 0]);
    }
}

#[test]
fn a_connection_that_is_closed_on_another_thread_than_its_last_statement_ends_there() {
    alone("closed::on_another_thread", &[]);
}

#[test]
#[ignore = "it runs in a process of its own, as its observer stays"]
fn on_another_thread() {
    let db = open();
    let statement = prepare(db, "SELECT id FROM people").expose_provenance();
    close(db);
    std::thread::spawn(move || {
        let statement = ptr::with_exposed_provenance_mut(statement);
        assert_eq!(step(statement), ffi::SQLITE_ROW);
        finalize(statement);
        assert_eq!(texts(), ["SELECT id FROM people"]);
    })
    .join()
    .expect("no panic");
}
