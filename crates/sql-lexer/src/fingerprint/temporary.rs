//! Names of tables that a program makes up for one use: `tmp_139919_7`, `#work_7`, `import_4f1c…`.
//!
//! A number that may be a part of the table's name stays: `shard_7` holds other rows than `shard_8`, and
//! `events_2026_11` those of a month.

use std::borrow::Cow;

/// Hexadecimal digits in a row, of which one at least is below ten, that no person chose.
const LONG: usize = 16;

/// A name without the numbers that were made up for it, quotes and all. `is_table`: whether a table is named, and not
/// a column; asked where that matters.
pub(super) fn without_numbers(name: &str, is_table: impl FnOnce() -> bool) -> Cow<'_, str> {
    if !name.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    let all = is_temporary(name) && is_table();
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    let bytes = name.as_bytes();
    while at < bytes.len() {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        // A number begins where a word does: the `cafe1` of `decafe1` is none.
        let mut len = match before.is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            true => 0,
            false => made_up(&bytes[at..]),
        };
        if len == 0 && all && !before.is_some_and(|byte| byte.is_ascii_digit()) {
            len = run(&bytes[at..], u8::is_ascii_digit);
        }
        if len > 0 {
            out.push_str(&name[kept..at]);
            if !out.ends_with('?') {
                out.push('?');
            }
            kept = at + len;
        }
        at += len.max(1);
    }
    match kept {
        0 => Cow::Borrowed(name),
        _ => {
            out.push_str(&name[kept..]);
            Cow::Owned(out)
        }
    }
}

/// Length of the made-up number at the start; 0 where there is none.
fn made_up(bytes: &[u8]) -> usize {
    let uuid = uuid(bytes);
    if uuid > 0 {
        return uuid;
    }
    let len = run(bytes, u8::is_ascii_hexdigit);
    let is_whole = bytes
        .get(len)
        .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    match len >= LONG && is_whole && bytes[..len].iter().any(u8::is_ascii_digit) {
        true => len,
        false => 0,
    }
}

/// Length of the run of such bytes at the start.
fn run(bytes: &[u8], is: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(byte)).count()
}

/// Length of a UUID at the start, with dashes or underscores between its parts.
fn uuid(bytes: &[u8]) -> usize {
    const PARTS: [usize; 5] = [8, 4, 4, 4, 12];
    let mut at = 0;
    for (number, len) in PARTS.into_iter().enumerate() {
        if number > 0 {
            if !matches!(bytes.get(at), Some(b'-' | b'_')) {
                return 0;
            }
            at += 1;
        }
        let part = bytes.get(at..at + len);
        if !part.is_some_and(|part| part.iter().all(u8::is_ascii_hexdigit)) {
            return 0;
        }
        at += len;
    }
    match bytes.get(at) {
        Some(next) if next.is_ascii_alphanumeric() => 0,
        _ => at,
    }
}

/// Whether a name says that its table is temporary: SQL Server's `#`, or a word of it.
fn is_temporary(name: &str) -> bool {
    let inner = name.trim_matches(['"', '`', '[', ']']);
    let mut words = inner.split(|c: char| !c.is_ascii_alphabetic());
    inner.starts_with('#')
        || words.any(|word| {
            ["tmp", "temp", "temporary"]
                .iter()
                .any(|other| other.eq_ignore_ascii_case(word))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_numbers_go_and_numbers_that_mean_something_stay() {
        for (name, is_table, left) in [
            ("tmp_139919_7", true, "tmp_?_?"),
            ("\"temp_7\"", true, "\"temp_?\""),
            ("TMP7", true, "TMP?"),
            ("#work_7a", true, "#work_?a"),
            ("pg_temp_3", true, "pg_temp_?"),
            ("temp_1", false, "temp_1"),
            ("temperature_1", true, "temperature_1"),
            ("events_2026_11", true, "events_2026_11"),
            ("shard_7", true, "shard_7"),
            ("t1", true, "t1"),
            (
                "import_4f1c2d3e-0000-4a4a-8b8b-0123456789ab",
                false,
                "import_?",
            ),
            (
                "import_4f1c2d3e_0000_4a4a_8b8b_0123456789ab_rows",
                false,
                "import_?_rows",
            ),
            ("x_0123456789abcdef", false, "x_?"),
            ("x_0123456789abcdefg", false, "x_0123456789abcdefg"),
            ("x0123456789abcdef", false, "x0123456789abcdef"),
            ("deadbeefdeadbeef", false, "deadbeefdeadbeef"),
            ("é_0123456789abcdef", false, "é_?"),
        ] {
            assert_eq!(without_numbers(name, || is_table), left, "{name}");
        }
    }
}
