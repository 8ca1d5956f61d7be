use super::*;

fn never() -> Clock {
    Arc::new(|| false)
}

fn connections() -> (Connection, Connection) {
    let (own, other) = (
        Connection::open_in_memory().unwrap(),
        Connection::open_in_memory().unwrap(),
    );
    replace_slow_functions(&other, &never()).unwrap();
    replace_likes(&other, &never()).unwrap();
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
        "1e15",
        "1e16",
        "-0.0",
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
    replace_slow_functions(&conn, &never()).unwrap();
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

#[test]
fn comparisons_give_what_sqlite_gives() {
    let (own, other) = connections();
    let texts = [
        "NULL",
        "''",
        "'a'",
        "'A'",
        "'é'",
        "'É'",
        "'ab'",
        "'aXbXa'",
        "'a%b'",
        "'a_b'",
        "'aéb'",
        "'a-b'",
        "'a]b'",
        "'abcabcabd'",
        "'[a]'",
        "'^'",
        "'-'",
        "']'",
        "x'6162'",
        "12",
        "1.5",
        "'a' || char(0) || 'b'",
        "'a*b?'",
    ];
    let patterns = [
        "NULL",
        "''",
        "'%'",
        "'_'",
        "'a'",
        "'A%'",
        "'%a'",
        "'%b%'",
        "'a_b'",
        "'a%_'",
        "'%_%_%_%'",
        "'a\\%b'",
        "'a\\'",
        "'%abd'",
        "'É'",
        "'1%'",
        "'a' || char(0)",
        "'%%b'",
        "'_%a'",
        "'*'",
        "'?'",
        "'a*'",
        "'*b*'",
        "'[a-c]*'",
        "'[^a]*'",
        "'[]]'",
        "'[^]]'",
        "'[]-]'",
        "'[a-]'",
        "'[-a]'",
        "'a[x-]b'",
        "'[a'",
        "'*[a'",
        "'[a-'",
        "'[z-a]'",
        "'a[!-~]b'",
        "'[[]a]'",
        "'[a-c-e]'",
        "'[^'",
        "'[^]'",
        "x'6125'",
        "12",
    ];
    let mut count = 0;
    for text in texts {
        for pattern in patterns {
            for call in [
                format!("{text} LIKE {pattern}"),
                format!("{text} NOT LIKE {pattern}"),
                format!("{text} LIKE {pattern} ESCAPE '\\'"),
                format!("{text} LIKE {pattern} ESCAPE '%'"),
                format!("{text} LIKE {pattern} ESCAPE '_'"),
                format!("{text} LIKE {pattern} ESCAPE NULL"),
                format!("{text} LIKE {pattern} ESCAPE 'ab'"),
                format!("{text} LIKE {pattern} ESCAPE ''"),
                format!("{text} GLOB {pattern}"),
                format!("glob({pattern}, {text})"),
            ] {
                let on = |conn: &Connection| -> std::result::Result<Option<i64>, String> {
                    conn.query_row(&format!("SELECT {call}"), [], |row| row.get(0))
                        .map_err(|error| error.to_string())
                };
                assert_eq!(on(&other), on(&own), "{call}");
                count += 1;
            }
        }
    }
    assert_eq!(count, texts.len() * patterns.len() * 10);
    let long = format!("SELECT 'a' LIKE '{}'", "a".repeat(60_000));
    let error = other.query_row(&long, [], |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("too complex"), "{error}");
}

#[test]
fn comparisons_are_counted_in_the_program() {
    let (conn, _) = connections();
    conn.execute_batch(
        "CREATE TABLE t (a TEXT); CREATE VIEW v AS SELECT a LIKE '%x%' AS b, a GLOB 'x*' AS c FROM t",
    )
    .unwrap();
    for (sql, expected) in [
        ("SELECT a FROM t", 0),
        ("SELECT 'like(2)', lower(a) FROM t", 0),
        ("SELECT a FROM t WHERE a LIKE 'x%' ESCAPE '!'", 1),
        ("SELECT b, b, b FROM v", 3),
        ("SELECT max(b, b, b, b, c, c) FROM v", 6),
        ("DELETE FROM t WHERE like('x', a) OR glob('x', a)", 2),
    ] {
        assert_eq!(likes(&conn, sql).unwrap(), expected, "{sql}");
    }
}

#[test]
fn what_is_late_ends_between_calls_and_within_a_comparison() {
    use std::sync::atomic::{AtomicU32, Ordering};

    for (sql, least) in [
        (
            "SELECT instr('a', 'b') + instr('b', 'c') + instr('c', 'd')",
            2,
        ),
        ("SELECT trim('a', 'b')", 1),
        ("SELECT unhex('61', 'b')", 1),
        ("SELECT replace('a', 'b', 'c')", 1),
        ("SELECT 'a' LIKE 'b'", 1),
        // One comparison that takes longer than there is time.
        (
            "SELECT replace(hex(zeroblob(100000)), '0', 'a') LIKE '%aaaaaaaaaaaaaaaaaaaab'",
            4,
        ),
    ] {
        let conn = Connection::open_in_memory().unwrap();
        let looks = Arc::new(AtomicU32::new(0));
        let own = Arc::clone(&looks);
        let clock: Clock = Arc::new(move || own.fetch_add(1, Ordering::Relaxed) + 1 >= least);
        replace_slow_functions(&conn, &clock).unwrap();
        replace_likes(&conn, &clock).unwrap();
        let error = conn.query_row(sql, [], |_| Ok(())).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::OperationInterrupted),
            "{sql}: {error}"
        );
        assert_eq!(looks.load(Ordering::Relaxed), least, "{sql}");
    }
}
