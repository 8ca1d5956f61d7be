//! The program that SQLite makes of a statement: the tables that it reads, and how far.
//!
//! SQLite marks the instructions whose runs it counts as steps of full scans. The text of `EXPLAIN QUERY PLAN` tells
//! less: it has the name of a materialised subquery where a table has its alias, and no word on where a loop ends.

use std::ffi::{CStr, CString, c_int};
use std::ops::RangeInclusive;
use std::ptr;

use libsqlite3_sys as ffi;

/// A table or an index that a statement reads row by row, from one end on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scan {
    /// The table.
    pub table: String,
    /// The index, where its entries are read one after the other.
    pub index: Option<String>,
    /// The rows that it reads.
    pub extent: Extent,
    /// Whether rows are left out that do not match.
    pub filtered: bool,
    /// Whether it fills an index that lives for this run alone.
    pub automatic: bool,
}

/// The rows that a scan reads, as far as the statement says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// All.
    All,
    /// Those until enough are found, as with `LIMIT`.
    UntilEnough,
    /// Those that another part of the statement asks for, which has a limit.
    AsAskedFor,
}

/// The value of an instruction's fifth operand by which SQLite knows what to count.
const FULL_SCAN: c_int = ffi::SQLITE_STMTSTATUS_FULLSCAN_STEP;
const AUTOMATIC: c_int = ffi::SQLITE_STMTSTATUS_AUTOINDEX;

/// The kinds of instructions that tell something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Opens a table or an index.
    Open,
    /// Opens something that lives for this run alone.
    OpenTransient,
    /// Goes to the next row.
    Advance,
    /// Always goes elsewhere, or when a limit is reached.
    Leave,
    /// The latter.
    Limit,
    /// Goes elsewhere where values compare in a way.
    Compare,
    /// Goes to another part of the program, and comes back when that asks for more.
    Yield,
    Other,
}

impl Kind {
    fn of(opcode: &CStr) -> Self {
        match opcode.to_bytes() {
            b"OpenRead" | b"OpenWrite" | b"ReopenIdx" => Self::Open,
            b"OpenEphemeral" | b"OpenAutoindex" | b"OpenDup" | b"OpenPseudo" | b"VOpen" => {
                Self::OpenTransient
            }
            b"Next" | b"Prev" => Self::Advance,
            b"Goto" => Self::Leave,
            b"DecrJumpZero" => Self::Limit,
            b"Eq" | b"Ne" | b"Lt" | b"Le" | b"Gt" | b"Ge" | b"If" | b"IfNot" => Self::Compare,
            b"Yield" => Self::Yield,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Instruction {
    address: c_int,
    kind: Kind,
    operands: [c_int; 3],
    fifth: c_int,
}

/// A table or an index by the number of its database and its first page.
type Root = (c_int, c_int);

/// A loop of a statement whose runs are counted as steps of scans.
#[derive(Clone, Copy, Debug)]
struct Loop {
    /// `None` of a result that lives for this run alone.
    root: Option<Root>,
    extent: Extent,
    filtered: bool,
    automatic: bool,
}

/// The scans of tables and indexes that SQLite plans for a statement; `None` where it does not tell, or plans none of
/// any kind.
///
/// # Safety
/// `db` must be valid, or one that was closed while a statement lives, and used by nobody else meanwhile.
pub(crate) unsafe fn scans(db: *mut ffi::sqlite3, sql: &CStr) -> Option<Vec<Scan>> {
    // SAFETY: as the caller says.
    let program = unsafe { program(db, sql) }?;
    let loops: Vec<Loop> = parts(&program).flat_map(loops).collect();
    if loops.is_empty() {
        return None;
    }
    let mut scans = Vec::new();
    for it in loops {
        let Some(root) = it.root else { continue };
        // SAFETY: as the caller says.
        let (table, index) = unsafe { names(db, root) }?;
        let scan = Scan {
            table,
            index,
            extent: it.extent,
            filtered: it.filtered,
            automatic: it.automatic,
        };
        if !scans.contains(&scan) {
            scans.push(scan);
        }
    }
    Some(scans)
}

/// Whether a statement reads and writes tables of the database `main` alone, and results that live for its run; `None`
/// where SQLite does not tell.
///
/// # Safety
/// As of [`scans`].
pub(crate) unsafe fn is_of_main(db: *mut ffi::sqlite3, sql: &CStr) -> Option<bool> {
    // SAFETY: as the caller says.
    let program = unsafe { program(db, sql) }?;
    let mut opened = program.iter().filter(|it| it.kind == Kind::Open);
    Some(opened.all(|it| it.operands[2] == 0))
}

/// The program with those of its triggers behind it, whose addresses begin anew.
///
/// # Safety
/// As of [`scans`].
unsafe fn program(db: *mut ffi::sqlite3, sql: &CStr) -> Option<Vec<Instruction>> {
    let asked = CString::new([b"EXPLAIN ", sql.to_bytes()].concat()).ok()?;
    let mut program = Vec::new();
    let read = |row: &Question| {
        let opcode = row.text(1)?;
        program.push(Instruction {
            address: row.number(0),
            kind: Kind::of(&opcode),
            operands: [2, 3, 4].map(|column| row.number(column)),
            fifth: row.number(6),
        });
        Some(())
    };
    // SAFETY: as the caller says.
    unsafe { ask(db, &asked, None, read) }?;
    Some(program)
}

fn parts(program: &[Instruction]) -> impl Iterator<Item = &[Instruction]> {
    program.chunk_by(|_, next| next.address != 0)
}

fn loops(part: &[Instruction]) -> impl Iterator<Item = Loop> {
    let has_limit = part.iter().any(|it| it.kind == Kind::Limit);
    let ends = part.iter().enumerate().filter(|(_, it)| {
        it.kind == Kind::Advance && (it.fifth == FULL_SCAN || it.fifth == AUTOMATIC)
    });
    ends.map(move |(at, end)| {
        let [cursor, start, _] = end.operands;
        let body = start..=end.address;
        Loop {
            root: opened(&part[..at], cursor),
            extent: extent(part, &body, has_limit),
            filtered: within(part, &body)
                .any(|it| it.kind == Kind::Compare && it.operands[1] == end.address),
            automatic: end.fifth == AUTOMATIC,
        }
    })
}

fn within<'p>(
    part: &'p [Instruction],
    body: &RangeInclusive<c_int>,
) -> impl Iterator<Item = &'p Instruction> {
    let body = body.clone();
    part.iter().filter(move |it| body.contains(&it.address))
}

/// The table or index that a cursor was opened on last.
fn opened(before: &[Instruction], cursor: c_int) -> Option<Root> {
    let opens = |it: &&Instruction| {
        matches!(it.kind, Kind::Open | Kind::OpenTransient) && it.operands[0] == cursor
    };
    let open = before.iter().rev().find(opens)?;
    let [_, page, database] = open.operands;
    (open.kind == Kind::Open).then_some((database, page))
}

fn extent(part: &[Instruction], body: &RangeInclusive<c_int>, has_limit: bool) -> Extent {
    let leaves = |it: &Instruction| {
        matches!(it.kind, Kind::Leave | Kind::Limit) && !body.contains(&it.operands[1])
    };
    if within(part, body).any(leaves) {
        Extent::UntilEnough
    } else if has_limit && within(part, body).any(|it| it.kind == Kind::Yield) {
        Extent::AsAskedFor
    } else {
        Extent::All
    }
}

/// The names of a table, and of an index of it where that is meant.
///
/// # Safety
/// As of [`scans`].
unsafe fn names(db: *mut ffi::sqlite3, (database, page): Root) -> Option<(String, Option<String>)> {
    // The first page of a database is that of its schema.
    if page == 1 {
        return Some(("sqlite_schema".to_owned(), None));
    }
    let mut schema = None;
    let read = |row: &Question| {
        if row.number(0) == database {
            schema = Some(row.text(1)?.to_string_lossy().replace('"', "\"\""));
        }
        Some(())
    };
    // SAFETY: as the caller says.
    unsafe { ask(db, c"PRAGMA database_list", None, read) }?;
    let asked = format!(
        "SELECT tbl_name, name, type FROM \"{}\".sqlite_schema WHERE rootpage = ?",
        schema?
    );
    let mut names = None;
    let read = |row: &Question| {
        let [table, name] = [row.text(0)?, row.text(1)?].map(|it| it.to_string_lossy().into());
        let is_index = *row.text(2)? == *c"index";
        names = Some((table, is_index.then_some(name)));
        Some(())
    };
    // SAFETY: as the caller says.
    unsafe { ask(db, &CString::new(asked).ok()?, Some(page), read) }?;
    names
}

/// A statement of this crate's own.
struct Question(*mut ffi::sqlite3_stmt);

impl Drop for Question {
    fn drop(&mut self) {
        // SAFETY: the statement was prepared by `ask`, and is finalized once. Null is allowed.
        let _ = unsafe { ffi::sqlite3_finalize(self.0) };
    }
}

impl Question {
    fn number(&self, column: c_int) -> c_int {
        // SAFETY: the statement is valid; a column that does not exist is 0.
        unsafe { ffi::sqlite3_column_int(self.0, column) }
    }

    fn text(&self, column: c_int) -> Option<CString> {
        // SAFETY: the statement is valid; a column that does not exist is null.
        let text = unsafe { ffi::sqlite3_column_text(self.0, column) };
        if text.is_null() {
            return None;
        }
        // SAFETY: SQLite's texts end with a NUL, and this one is valid until the statement is used again.
        Some(unsafe { CStr::from_ptr(text.cast()) }.to_owned())
    }
}

/// Runs a statement, with a value for its one parameter if it has one. `None` where SQLite or `read` refuses.
///
/// # Safety
/// As of [`scans`].
unsafe fn ask(
    db: *mut ffi::sqlite3,
    sql: &CStr,
    value: Option<c_int>,
    mut read: impl FnMut(&Question) -> Option<()>,
) -> Option<()> {
    let mut question = Question(ptr::null_mut());
    // SAFETY: the connection is valid, or closed, which SQLite notices. The text ends with a NUL.
    let code =
        unsafe { ffi::sqlite3_prepare_v2(db, sql.as_ptr(), -1, &mut question.0, ptr::null_mut()) };
    if code != ffi::SQLITE_OK {
        return None;
    }
    if let Some(value) = value {
        // SAFETY: the statement is valid.
        let _ = unsafe { ffi::sqlite3_bind_int(question.0, 1, value) };
    }
    loop {
        // SAFETY: the statement is valid.
        match unsafe { ffi::sqlite3_step(question.0) } {
            ffi::SQLITE_ROW => read(&question)?,
            ffi::SQLITE_DONE => return Some(()),
            _ => return None,
        }
    }
}
