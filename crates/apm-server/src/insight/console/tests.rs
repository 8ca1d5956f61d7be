use std::time::{Duration, Instant};

use apm_store::MIGRATIONS;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::MigrationHarness;

use super::*;

/// A telemetry database with one statement in it.
fn database() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("apm.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.run_pending_migrations(MIGRATIONS).unwrap();
    for sql in [
        "INSERT INTO service VALUES (1, 'shop', '', 'rust', '1', 'rust', '1', 0, 0)",
        "INSERT INTO statement VALUES (1, 1, 'shop.db', 'sqlite', 255, 'SELECT ?', 'SELECT 1', 'SELECT', '', 0, 0)",
    ] {
        diesel::sql_query(sql).execute(&mut conn).unwrap();
    }
    (dir, path)
}

fn ask(sql: &str) -> Result<Table, ConsoleError> {
    let (_dir, path) = database();
    run(
        &path,
        sql,
        Limits {
            time: Duration::from_millis(500),
            ..Limits::default()
        },
    )
}

#[test]
fn every_documented_view_can_be_read() {
    for view in [
        "v_transactions",
        "v_spans",
        "v_errors",
        "v_statements",
        "v_metrics",
    ] {
        let table = ask(&format!("SELECT * FROM {view} LIMIT 5; -- done")).unwrap();
        assert!(
            table.columns.contains(&"service".to_owned()),
            "{view}: {table:?}"
        );
    }
    let table =
        ask("SELECT service, fingerprint, calls, NULL AS n, x'00ff' AS b FROM v_statements")
            .unwrap();
    assert_eq!(
        serde_json::to_value(&table.rows).unwrap(),
        serde_json::json!([["shop", "00000000000000ff", 0, null, "x'00ff'"]])
    );
    assert_eq!(table.cut, None);
}

#[test]
fn what_does_more_than_read_is_refused_with_the_reason() {
    for (sql, reason) in [
        ("", "exactly one"),
        ("-- nothing", "exactly one"),
        ("SELECT 1; SELECT 2", "not several"),
        ("SELECT 1; DROP TABLE tx", "only reading"),
        ("DELETE FROM tx", "only reading"),
        ("INSERT INTO tx SELECT * FROM tx", "only reading"),
        ("UPDATE service SET name = 'x'", "only reading"),
        (
            "WITH x AS (SELECT 1) DELETE FROM tx RETURNING *",
            "only reading",
        ),
        ("DROP TABLE tx", "only reading"),
        ("CREATE TABLE t (a)", "only reading"),
        ("CREATE TEMP TABLE t AS SELECT 1", "only reading"),
        ("CREATE VIRTUAL TABLE t USING dbstat", "only reading"),
        ("SELECT * FROM dbstat WHERE aggregate = 1", "the whole file"),
        ("SELECT count(*) FROM DBSTAT('main', 1)", "the whole file"),
        ("ALTER TABLE tx RENAME TO ty", "only reading"),
        ("VACUUM INTO '/tmp/x.db'", "refused"),
        ("REINDEX", "only reading"),
        ("ANALYZE", "only reading"),
        ("ATTACH '/etc/passwd' AS p", "only this one"),
        ("DETACH main", "only this one"),
        ("PRAGMA query_only = 0", "PRAGMA"),
        ("PRAGMA writable_schema", "PRAGMA"),
        ("EXPLAIN PRAGMA journal_mode = DELETE", "PRAGMA"),
        ("SELECT * FROM pragma_database_list", "PRAGMA"),
        ("BEGIN", "BEGIN"),
        ("SAVEPOINT a", "SAVEPOINT"),
        (
            "SELECT load_extension('/tmp/evil.so')",
            "load_extension() reaches beyond",
        ),
        (
            "SELECT readfile('/etc/passwd')",
            "no such function: readfile",
        ),
        (
            "SELECT writefile('/tmp/x', 'y')",
            "no such function: writefile",
        ),
        ("SELECT * FROM nowhere", "no such table"),
        ("SELEKT", "syntax error"),
        ("SELECT 'a\0b'", "NUL"),
        ("SELECT zeroblob(2000000000)", "longer than"),
        ("SELECT randomblob(2000000000)", "longer than"),
        ("SELECT printf('%.*c', 2000000000, 'x')", "longer than"),
    ] {
        let error = ask(sql).expect_err(sql).to_string();
        assert!(error.contains(reason), "{sql}: {error}");
    }
    let long = format!("SELECT '{}'", "x".repeat(200_000));
    assert!(ask(&long).unwrap_err().to_string().contains("longer than"));
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(ask(&deep).unwrap_err().to_string(), "Recursion limit");
    let wide = format!("SELECT {}", vec!["1"; 5_000].join(","));
    assert_eq!(
        ask(&wide).unwrap_err().to_string(),
        "too many columns in result set"
    );
    let error = ask("SELECT json_patch('{}', '{}')")
        .unwrap_err()
        .to_string();
    assert!(error.contains("not available here"), "{error}");
    let nested = format!("SELECT 1{}", " + 1".repeat(200));
    assert_eq!(
        ask(&nested).unwrap_err().to_string(),
        "Expression tree is too large (maximum depth 100)"
    );
    let compound = vec!["SELECT 1"; 50].join(" UNION ALL ");
    assert_eq!(
        ask(&compound).unwrap_err().to_string(),
        "too many terms in compound SELECT"
    );
}

#[test]
fn a_bomb_is_stopped_in_time_and_a_flood_is_cut() {
    let bomb = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)";
    for sql in [
        format!("{bomb} SELECT count(*) FROM c"),
        format!("{bomb} SELECT n FROM c ORDER BY -n"),
        format!("{bomb} SELECT group_concat(n) FROM c WHERE n < 0"),
        "SELECT count(*) FROM (SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,10]')) a, \
         json_each('[1,2,3,4,5,6,7,8,9,10]') b, json_each('[1,2,3,4,5,6,7,8,9,10]') c, \
         json_each('[1,2,3,4,5,6,7,8,9,10]') d, json_each('[1,2,3,4,5,6,7,8,9,10]') e, \
         json_each('[1,2,3,4,5,6,7,8,9,10]') f, json_each('[1,2,3,4,5,6,7,8,9,10]') g, \
         json_each('[1,2,3,4,5,6,7,8,9,10]') h"
            .to_owned(),
    ] {
        let start = Instant::now();
        let error = ask(&sql).expect_err(&sql);
        assert!(matches!(error, ConsoleError::TimeOut(_)), "{sql}: {error}");
        assert!(start.elapsed() < Duration::from_secs(5), "{sql}");
    }
    let table = ask(&format!("{bomb} SELECT n FROM c")).unwrap();
    assert_eq!((table.rows.len(), table.cut), (1_000, Some(Cut::Rows)));
    for value in ["hex(zeroblob(100000))", "randomblob(200000)"] {
        let table = ask(&format!("{bomb} SELECT {value} FROM c")).unwrap();
        assert_eq!(table.cut, Some(Cut::Bytes), "{value}");
        assert!(table.rows.len() < 30, "{value}");
    }
}

/// Linux says how much a thread writes.
#[cfg(target_os = "linux")]
#[test]
fn what_fills_the_disk_with_temporary_files_is_stopped() {
    const MOST: u64 = 8 << 20;
    let (_dir, path) = database();
    let rows = "WITH RECURSIVE c(n, b) AS (SELECT 1, randomblob(10000) UNION ALL SELECT n + 1, randomblob(10000) \
        FROM c)";
    for sql in [
        format!("{rows} SELECT n FROM c ORDER BY b"),
        format!("{rows} SELECT b, count(*) FROM c GROUP BY b"),
        format!("{rows} SELECT DISTINCT b FROM c ORDER BY n DESC"),
        format!("{rows} SELECT count(*) FROM (SELECT b FROM c UNION SELECT b FROM c)"),
    ] {
        let before = sql_advisor::written().expect("Linux counts");
        let limits = Limits {
            time: Duration::from_secs(60),
            temporary: MOST,
            ..Limits::default()
        };
        let error = run(&path, &sql, limits).expect_err(&sql);
        assert_eq!(error, ConsoleError::Spilled(MOST), "{sql}");
        assert!(
            error.to_string().contains("8 MiB of temporary files"),
            "{error}"
        );
        let written = sql_advisor::written().expect("Linux counts") - before;
        // Rows that are merged in the step at hand may be written once more.
        assert!(written < 6 * MOST, "{sql}: {written} bytes");
    }
}

#[test]
fn a_file_that_is_not_there_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.db");
    let error = run(&path, "SELECT 1", Limits::default()).unwrap_err();
    assert!(matches!(error, ConsoleError::Open { .. }), "{error}");
    assert!(!path.exists());
    std::fs::write(
        &path,
        "not a database, but long enough to be looked at as if it were one",
    )
    .unwrap();
    assert!(run(&path, "SELECT * FROM sqlite_schema", Limits::default()).is_err());
}

#[test]
fn many_comparisons_by_like_give_the_same() {
    for count in [1, 2, 3, 50] {
        let sql = format!("SELECT {}", vec!["('shop' LIKE 'S%')"; count].join(" + "));
        let table = ask(&sql).unwrap();
        assert_eq!(table.rows, [[Cell::Int(count as i64)]], "{sql}");
    }
    let sql = "EXPLAIN SELECT 'a' LIKE 'b', 'a' LIKE 'b', 'a' LIKE 'b'";
    assert!(ask(sql).unwrap().rows.len() > 3);
}

#[test]
fn thousands_of_calls_in_a_row_end_in_time() {
    test_support::alone("insight::console::tests::late_calls", &[]);
}

#[test]
#[ignore = "it runs in a process of its own"]
fn late_calls() {
    // Before a connection is opened.
    sqlite_meter::bound_memory().unwrap();
    let (_dir, path) = database();
    let limits = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let pattern = format!("%{}b", "a".repeat(190));
    for call in [
        format!("x LIKE '{pattern}'"),
        format!("x GLOB '{}'", pattern.replace('%', "*")),
        "length(trim(x, x || 'b'))".to_owned(),
        "length(unhex(x, 'b' || x))".to_owned(),
        "length(quote(x))".to_owned(),
    ] {
        // A column of a subquery is copied for each use: one text of SQL for thousands of calls.
        let sql = |columns: usize, uses: usize| {
            let used = vec!["b"; uses].join(", ");
            let columns = vec![format!("max({used})"); columns].join(", ");
            format!(
                "WITH big(x) AS MATERIALIZED (SELECT replace(hex(zeroblob(120000)), '0', 'a') UNION ALL SELECT '') \
                 SELECT {columns} FROM (SELECT {call} AS b FROM big)"
            )
        };
        let start = Instant::now();
        let patient = Limits {
            time: Duration::from_secs(120),
            ..limits
        };
        run(&path, &sql(1, 2), patient).unwrap();
        let few = start.elapsed();
        let start = Instant::now();
        let error = run(&path, &sql(120, 50), limits).unwrap_err();
        assert_eq!(error, ConsoleError::TimeOut(limits.time), "{call}");
        // There are 3 000 times as many as in the few.
        let bound = (few * 20).max(Duration::from_secs(3));
        assert!(start.elapsed() < bound, "{call}: {few:?}");
    }
}
