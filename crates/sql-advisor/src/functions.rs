//! Functions of SQLite whose time grows with the product of the lengths of two values, in a form whose time does not.
//!
//! SQLite looks at the clock between instructions, and a call of a function is one: a call of `instr` with two values
//! of some megabytes takes hours, which nothing ends. The text of a statement comes from anybody.

use std::borrow::Cow;
use std::collections::HashSet;

use memchr::memmem;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, ffi};

/// Comparisons by `LIKE` and `GLOB` in a statement of others, at most. SQLite looks at the clock where it jumps, and
/// each of many in a row may take some 100 ms.
pub const MOST_LIKES: u32 = 20;

/// Whether a function is one of these comparisons.
#[must_use]
pub fn is_like(function: &str) -> bool {
    function.eq_ignore_ascii_case("like") || function.eq_ignore_ascii_case("glob")
}

/// Puts quick forms of such functions in the place of SQLite's own, on a connection whose limits are set. They give the
/// same; `json_patch`, which has no quick form here, is refused.
///
/// # Errors
/// Those of SQLite.
pub fn replace_slow_functions(conn: &Connection) -> Result<()> {
    // Without the last one they could not be used in indexes and views.
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    let most = usize::try_from(conn.limit(Limit::SQLITE_LIMIT_LENGTH)?).unwrap_or(usize::MAX);
    conn.create_scalar_function("instr", 2, flags, instr)?;
    conn.create_scalar_function("replace", 3, flags, move |context| replace(context, most))?;
    for (name, at_start, at_end) in [
        ("trim", true, true),
        ("ltrim", true, false),
        ("rtrim", false, true),
    ] {
        conn.create_scalar_function(name, 2, flags, move |context| {
            trim(context, at_start, at_end)
        })?;
    }
    conn.create_scalar_function("unhex", 2, flags, unhex)?;
    for name in ["json_patch", "jsonb_patch"] {
        conn.create_scalar_function(name, 2, flags, move |_| -> Result<Option<String>> {
            let why = format!("{name}() is not available here, as one call of it can take hours");
            Err(Error::UserFunctionError(why.into()))
        })?;
    }
    Ok(())
}

/// A value as text; nothing for NULL.
fn bytes<'c>(context: &'c Context<'_>, at: usize) -> Option<Cow<'c, [u8]>> {
    match context.get_raw(at) {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string().into_bytes().into()),
        ValueRef::Real(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Some(format!("{number:.1}").into_bytes().into())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn connections() -> (Connection, Connection) {
        let (own, other) = (
            Connection::open_in_memory().unwrap(),
            Connection::open_in_memory().unwrap(),
        );
        replace_slow_functions(&other).unwrap();
        (own, other)
    }

    #[test]
    fn the_quick_forms_give_what_sqlite_gives() {
        let (own, other) = connections();
        let values = [
            "NULL",
            "''",
            "'a'",
            "'b'",
            "'ab'",
            "'aXbXa'",
            "'é'",
            "'aéüéa'",
            "'éa'",
            "x''",
            "x'61'",
            "x'c3a9'",
            "7",
            "-12",
            "1.5",
            "2.0",
            "'61 62'",
            "'6162'",
            "'616'",
            "' '",
            "'6 1'",
            "'zz'",
        ];
        let mut count = 0;
        for first in values {
            for second in values {
                for call in [
                    format!("instr({first}, {second})"),
                    format!("replace({first}, {second}, '<é>')"),
                    format!("replace({first}, {second}, NULL)"),
                    format!("trim({first}, {second})"),
                    format!("ltrim({first}, {second})"),
                    format!("rtrim({first}, {second})"),
                    format!("unhex({first}, {second})"),
                ] {
                    let sql = format!("SELECT quote(CAST({call} AS BLOB)), {call} IS NULL");
                    let on = |conn: &Connection| -> (String, bool) {
                        conn.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                            .unwrap()
                    };
                    assert_eq!(on(&other), on(&own), "{call}");
                    count += 1;
                }
            }
        }
        assert_eq!(count, values.len() * values.len() * 7);
    }

    #[test]
    fn long_values_take_no_hours() {
        let (_, conn) = connections();
        let (long, part) = (
            "replace(hex(zeroblob(2000000)), '00', 'aa')",
            "replace(hex(zeroblob(1000000)), '00', 'aa')",
        );
        for (call, expected) in [
            (
                "instr(zeroblob(4000000), zeroblob(2000000) || x'01')".to_owned(),
                0,
            ),
            (
                format!("length(replace({long}, {part} || 'b', ''))"),
                4_000_000,
            ),
            (format!("length(trim({long}, {part} || 'b'))"), 0),
            (
                format!("length(unhex({long} || '61', 'b' || {part} || ' '))"),
                2_000_001,
            ),
        ] {
            let found: i64 = conn
                .query_row(&format!("SELECT {call}"), [], |row| row.get(0))
                .unwrap();
            assert_eq!(found, expected, "{call}");
        }
    }

    #[test]
    fn what_has_no_quick_form_is_refused_and_what_becomes_too_long_ends() {
        let (_, conn) = connections();
        let sql = "SELECT json_patch('{\"a\":1}', '{\"a\":2}')";
        let error = conn.query_row(sql, [], |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("not available here"), "{error}");
        conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, 100_000).unwrap();
        replace_slow_functions(&conn).unwrap();
        let sql = "SELECT length(replace(hex(zeroblob(40000)), '0', hex(zeroblob(40000))))";
        let error = conn.query_row(sql, [], |_| Ok(())).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::TooBig),
            "{error}"
        );
    }

    #[test]
    fn an_index_on_such_a_function_can_still_be_used() {
        let (_, conn) = connections();
        conn.execute_batch(
            "PRAGMA trusted_schema = 0; CREATE TABLE t (a TEXT); CREATE INDEX i ON t (instr(a, 'x')); \
             CREATE VIEW v AS SELECT replace(a, 'x', 'y') AS b FROM t; INSERT INTO t VALUES ('axb')",
        )
        .unwrap();
        let sql = "SELECT b FROM v, t WHERE instr(t.a, 'x') = 2";
        let found: String = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(found, "ayb");
    }
}
