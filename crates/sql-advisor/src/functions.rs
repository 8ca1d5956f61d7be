//! Functions of SQLite whose time grows with the product of the lengths of two values, in a form whose time does not.
//!
//! SQLite looks at the clock between instructions, and a call of a function is one: a call of `instr` with two values
//! of some megabytes takes hours, which nothing ends. The text of a statement comes from anybody.

mod like;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use memchr::memmem;
use rusqlite::functions::{Context, FunctionFlags, SqlFnOutput};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, ffi};

pub use like::{BUILT_IN_LIKES, likes, replace_likes};

/// Whether the statement that runs on a connection has to end.
pub type Clock = Arc<dyn Fn() -> bool + Send + Sync>;

/// Whether a table of SQLite's reads the whole file for one row, which nothing ends: the pages of `dbstat`, added up.
#[must_use]
pub fn reads_whole_file(table: &str) -> bool {
    table.eq_ignore_ascii_case("dbstat")
}

/// Puts quick forms of such functions in the place of SQLite's own, on a connection whose limits are set. They give the
/// same, but for numbers that SQLite writes with an exponent or rounds; `json_patch`, which has no quick form here, is
/// refused. Each call looks at the clock, as a statement may have thousands in a row.
///
/// # Errors
/// Those of SQLite.
pub fn replace_slow_functions(conn: &Connection, clock: &Clock) -> Result<()> {
    let most = usize::try_from(conn.limit(Limit::SQLITE_LIMIT_LENGTH)?).unwrap_or(usize::MAX);
    define(conn, clock, "instr", 2, instr)?;
    define(conn, clock, "replace", 3, move |context| {
        replace(context, most)
    })?;
    for (name, at_start, at_end) in [
        ("trim", true, true),
        ("ltrim", true, false),
        ("rtrim", false, true),
    ] {
        define(conn, clock, name, 2, move |context| {
            trim(context, at_start, at_end)
        })?;
    }
    define(conn, clock, "unhex", 2, unhex)?;
    for name in ["json_patch", "jsonb_patch"] {
        define(conn, clock, name, 2, move |_| -> Result<Option<String>> {
            let why = format!("{name}() is not available here, as one call of it can take hours");
            Err(Error::UserFunctionError(why.into()))
        })?;
    }
    Ok(())
}

/// Defines a function that looks at the clock before it begins.
fn define<T: SqlFnOutput>(
    conn: &Connection,
    clock: &Clock,
    name: &str,
    arguments: i32,
    function: impl Fn(&Context<'_>) -> Result<T> + Send + 'static,
) -> Result<()> {
    // Without the last one they could not be used in indexes and views.
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    let clock = Arc::clone(clock);
    conn.create_scalar_function(name, arguments, flags, move |context| {
        look(&clock)?;
        function(context)
    })
}

/// SQLite's error for a statement that was ended.
pub(crate) fn interrupted() -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None)
}

/// Ends the statement where its time is over.
fn look(clock: &Clock) -> Result<()> {
    match clock() {
        true => Err(interrupted()),
        false => Ok(()),
    }
}

/// A value as text; nothing for NULL.
fn bytes<'c>(context: &'c Context<'_>, at: usize) -> Option<Cow<'c, [u8]>> {
    match context.get_raw(at) {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string().into_bytes().into()),
        ValueRef::Real(number) if number.fract() == 0.0 && number.abs() < 1e17 => {
            // A zero has no sign.
            Some(format!("{:.1}", number + 0.0).into_bytes().into())
        }
        ValueRef::Real(number) => Some(number.to_string().into_bytes().into()),
        ValueRef::Text(text) | ValueRef::Blob(text) => Some(text.into()),
    }
}

fn text(context: &Context<'_>, at: usize) -> Option<String> {
    bytes(context, at).map(|text| String::from_utf8_lossy(&text).into_owned())
}

/// The place of a text in another one, counted in characters from 1, or in bytes where both are blobs; 0 where it is
/// not there.
fn instr(context: &Context<'_>) -> Result<Option<i64>> {
    let (Some(all), Some(part)) = (bytes(context, 0), bytes(context, 1)) else {
        return Ok(None);
    };
    let are_blobs = [0, 1].into_iter().all(|at| {
        let value = context.get_raw(at);
        matches!(value, ValueRef::Blob(_))
    });
    let place = memmem::find(&all, &part).map_or(0, |at| match are_blobs {
        true => at + 1,
        // Other bytes than the first of a character have these two bits.
        false => all[..at].iter().filter(|byte| *byte & 0xc0 != 0x80).count() + 1,
    });
    Ok(Some(i64::try_from(place).unwrap_or(i64::MAX)))
}

/// A text with another one in the place of each occurrence of a third, of at most so many bytes.
fn replace(context: &Context<'_>, most: usize) -> Result<Option<String>> {
    let (Some(all), Some(part)) = (bytes(context, 0), bytes(context, 1)) else {
        return Ok(None);
    };
    if part.is_empty() {
        return Ok(Some(String::from_utf8_lossy(&all).into_owned()));
    }
    let Some(other) = bytes(context, 2) else {
        return Ok(None);
    };
    let mut out = Vec::with_capacity(all.len());
    let mut done = 0;
    for at in memmem::find_iter(&all, &part) {
        out.extend_from_slice(&all[done..at]);
        out.extend_from_slice(&other);
        done = at + part.len();
        if out.len() > most {
            return Err(Error::SqliteFailure(
                ffi::Error::new(ffi::SQLITE_TOOBIG),
                None,
            ));
        }
    }
    out.extend_from_slice(&all[done..]);
    Ok(Some(String::from_utf8_lossy(&out).into_owned()))
}

/// A text without some characters at its start or its end.
fn trim(context: &Context<'_>, at_start: bool, at_end: bool) -> Result<Option<String>> {
    let (Some(all), Some(set)) = (text(context, 0), text(context, 1)) else {
        return Ok(None);
    };
    let set: HashSet<char> = set.chars().collect();
    let is_one = |c: char| set.contains(&c);
    let mut left = all.as_str();
    if at_start {
        left = left.trim_start_matches(is_one);
    }
    if at_end {
        left = left.trim_end_matches(is_one);
    }
    Ok(Some(left.to_owned()))
}

/// The bytes that pairs of hexadecimal digits stand for, with some characters passed over between pairs.
fn unhex(context: &Context<'_>) -> Result<Option<Vec<u8>>> {
    let (Some(all), Some(passed)) = (text(context, 0), text(context, 1)) else {
        return Ok(None);
    };
    let passed: HashSet<char> = passed.chars().collect();
    let mut out = Vec::with_capacity(all.len() / 2);
    let mut chars = all.chars();
    while let Some(first) = chars.next() {
        let Some(high) = first.to_digit(16) else {
            match passed.contains(&first) {
                true => continue,
                false => return Ok(None),
            }
        };
        let Some(low) = chars.next().and_then(|second| second.to_digit(16)) else {
            return Ok(None);
        };
        out.push((high << 4 | low) as u8);
    }
    Ok(Some(out))
}
