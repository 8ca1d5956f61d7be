//! Statements that are no statements, cannot be judged, or want more than to read and change rows.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sql_advisor::{AdviseError, Lab, Options, advise};

use crate::support::{Database, recorded};

fn database() -> Database {
    Database::new(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER);
         CREATE TABLE empty (a, b);
         INSERT INTO people (name, age) VALUES ('a', 1), ('b', 2), ('c', 3);",
    )
}

#[test]
fn what_cannot_be_judged_says_why() {
    let database = database();
    let lab = Lab::open(&database.path, &Options::default(), &mut |_| ()).unwrap();
    let outside = database.directory.path().join("outside.db");
    let attach = format!("ATTACH '{}' AS x", outside.display());
    let vacuum = format!("VACUUM INTO '{}'", outside.display());
    for (sql, reason) in [
        ("", "no statement"),
        ("SELECT 1; SELECT 2", "more than one"),
        ("SELECT FROM", "syntax"),
        ("SELECT * FROM nobody", "no such table"),
        ("SELECT secret(name) FROM people", "no such function"),
        (
            "SELECT * FROM people WHERE date(?) = '2026-01-01'",
            "no column is compared with it",
        ),
        (
            "SELECT * FROM people WHERE ? = ?",
            "no column is compared with it",
        ),
        ("SELECT * FROM empty WHERE a = ?", "no rows"),
        (
            "SELECT x.n FROM (SELECT name AS n FROM people) x WHERE x.n = ?",
            "no column of a table",
        ),
        (attach.as_str(), "only SELECT"),
        (vacuum.as_str(), "only SELECT"),
        ("PRAGMA journal_mode = DELETE", "only SELECT"),
        ("DROP TABLE people", "only SELECT"),
        ("BEGIN", "transaction"),
        ("DELETE FROM sqlite_schema", ""),
        ("SELECT load_extension('x')", ""),
        (
            "SELECT pgsize FROM dbstat WHERE aggregate = 1",
            "whole file",
        ),
        ("SELECT writefile('x', 'y')", ""),
        ("SELECT '\u{0}' FROM people", ""),
        (
            "SELECT length(zeroblob(2100000) || x'01') FROM people WHERE age > 0",
            "too big",
        ),
    ] {
        let done = lab.replay(&recorded(&[(sql, 1.0)]), &mut |_| ()).unwrap();
        let why = done[0]
            .why
            .clone()
            .unwrap_or_else(|| panic!("{sql} was judged: {done:?}"));
        assert!(why.contains(reason), "{sql}: {why}");
    }
    assert!(!outside.exists());
    // It still works.
    let done = lab
        .replay(
            &recorded(&[("SELECT name FROM people WHERE age > ?", 1.0)]),
            &mut |_| (),
        )
        .unwrap();
    assert!(done[0].cost.is_some(), "{done:?}");
}

#[test]
fn one_call_of_a_function_takes_no_hours() {
    let database = database();
    let lab = Lab::open(&database.path, &Options::default(), &mut |_| ()).unwrap();
    for call in [
        "instr(zeroblob(2000000), zeroblob(1000000) || x'01') = 0",
        "trim(hex(zeroblob(1000000)), 'a' || hex(zeroblob(900000))) = ''",
    ] {
        let sql = format!("SELECT name FROM people WHERE age > 0 AND {call}");
        let done = lab.replay(&recorded(&[(&*sql, 1.0)]), &mut |_| ()).unwrap();
        assert!(done[0].cost.is_some(), "{done:?}");
    }
    let likes = vec!["name LIKE '%a%'"; 21].join(" OR ");
    let sql = format!("SELECT name FROM people WHERE age > 0 AND ({likes})");
    let done = lab.replay(&recorded(&[(&*sql, 1.0)]), &mut |_| ()).unwrap();
    let why = done[0].why.clone().unwrap_or_default();
    assert!(why.contains("more than 20 comparisons"), "{done:?}");
    let sql = "SELECT json_patch(name, name) FROM people WHERE age > 0";
    let done = lab.replay(&recorded(&[(sql, 1.0)]), &mut |_| ()).unwrap();
    let why = done[0].why.clone().unwrap_or_default();
    assert!(why.contains("not available here"), "{done:?}");
}

/// One text of SQL for thousands of calls: a column of a subquery is copied for each use.
fn copies(call: &str, columns: usize, uses: usize) -> String {
    let used = vec!["b"; uses].join(", ");
    let columns = vec![format!("max({used})"); columns].join(", ");
    format!("SELECT {columns} FROM (SELECT {call} AS b FROM big)")
}

#[test]
fn thousands_of_calls_in_a_row_end_in_time() {
    test_support::alone("hostile::late_calls", &[]);
}

#[test]
#[ignore = "it runs in a process of its own"]
fn late_calls() {
    sqlite_meter::bound_memory().expect("no connection was opened");
    let database = Database::new(
        "CREATE TABLE big (x TEXT); INSERT INTO big VALUES (replace(hex(zeroblob(900000)), '0', 'a'));",
    );
    let options = Options {
        statement_time: Duration::from_millis(300),
        ..Options::default()
    };
    let lab = Lab::open(&database.path, &options, &mut |_| ()).unwrap();
    let pattern = format!("%{}b", "a".repeat(190));
    let (many, late) = ("more than 20 comparisons", "took longer than");
    for (call, reason) in [
        (format!("x LIKE '{pattern}'"), many),
        (format!("x GLOB '{}'", pattern.replace('%', "*")), many),
        ("length(quote(x))".to_owned(), late),
        ("length(json_quote(x))".to_owned(), late),
        ("length(upper(x))".to_owned(), late),
        ("length(trim(x, x || 'b'))".to_owned(), late),
    ] {
        let conn = rusqlite::Connection::open(&database.path).unwrap();
        let start = Instant::now();
        conn.query_row(&copies(&call, 1, 2), [], |_| Ok(()))
            .unwrap();
        let few = start.elapsed();
        let start = Instant::now();
        let sql = copies(&call, 100, 50);
        let done = lab.replay(&recorded(&[(&*sql, 1.0)]), &mut |_| ()).unwrap();
        let why = done[0].why.clone().unwrap_or_default();
        assert!(why.contains(reason), "{call}: {done:?}");
        // There are 2 500 times as many as in the few.
        let bound = (few * 20).max(Duration::from_secs(5));
        assert!(start.elapsed() < bound, "{call}: {few:?}");
    }
    // Of some comparisons the patterns are shorter, and of few they are not.
    for (count, is_judged) in [(2, true), (3, false)] {
        let likes = vec![format!("x LIKE '{}'", "c".repeat(60)); count].join(" OR ");
        let sql = format!("SELECT length(x) FROM big WHERE {likes}");
        let done = lab.replay(&recorded(&[(&*sql, 1.0)]), &mut |_| ()).unwrap();
        let why = done[0].why.clone().unwrap_or_default();
        assert_eq!(done[0].cost.is_some(), is_judged, "{count}: {why}");
        assert_eq!(why.contains("too complex"), !is_judged, "{count}: {why}");
    }
    // The lab goes on.
    let sql = "SELECT length(x) FROM big WHERE x LIKE '%a%'";
    let done = lab.replay(&recorded(&[(sql, 1.0)]), &mut |_| ()).unwrap();
    assert!(done[0].cost.is_some(), "{done:?}");
}

#[test]
fn many_kinds_of_statements_get_values() {
    let database = database();
    let lab = Lab::open(&database.path, &Options::default(), &mut |_| ()).unwrap();
    for sql in [
        "SELECT * FROM people WHERE id = ?",
        "SELECT * FROM people WHERE ?1 = age AND name <> :name",
        "SELECT p.* FROM people p WHERE p.age IN (?, ?, ?) ORDER BY 2 LIMIT ?, ?",
        "SELECT name FROM people WHERE name LIKE ? OR name GLOB ?",
        "SELECT age, count(*) AS n FROM people GROUP BY age HAVING n > ? AND count(*) > ?",
        "SELECT age, count(*) AS n FROM people GROUP BY age HAVING EXISTS (SELECT q.age FROM people q GROUP BY q.age \
        HAVING count(*) > 0) AND n > ?",
        "SELECT (SELECT max(q.age) FROM people q WHERE q.name = p.name AND q.age < ?) FROM people p WHERE \
        EXISTS (SELECT 1 FROM people r WHERE r.id = p.id AND r.name = ?)",
        "WITH old AS (SELECT * FROM people WHERE age > ?) SELECT * FROM old",
        "SELECT * FROM people WHERE (age, name) = (1, 'a')",
        "SELECT * FROM people WHERE age + 1 = ? AND lower(\"name\") = ?",
        "INSERT INTO people (name, age) VALUES (?, ?), (?, ?)",
        "INSERT INTO people VALUES (?, ?, ?)",
        "INSERT INTO people (name, age) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET age = ? WHERE people.age < ?",
        "INSERT OR REPLACE INTO people (id, name, age) SELECT id, name, ? FROM people WHERE id = ?",
        "INSERT INTO empty VALUES (?, ?)",
        "INSERT INTO people DEFAULT VALUES",
        "UPDATE people SET age = age + ?, name = ? WHERE id = ? RETURNING age",
        "UPDATE people SET (age, name) = (?, ?) WHERE id = ?",
        "DELETE FROM people WHERE age BETWEEN ? AND ? AND name IS NOT ?",
        "SELECT x.value FROM people, json_each('[1]') x WHERE people.age = ?",
        "SELECT a.id FROM people a JOIN people b USING (age) WHERE a.name = ? UNION SELECT b.id FROM people a, \
        people b WHERE b.name = ?",
        "VALUES (?, ?)",
        "SELECT 1",
    ] {
        let done = lab.replay(&recorded(&[(sql, 1.0)]), &mut |_| ()).unwrap();
        assert!(done[0].cost.is_some(), "{sql}: {:?}", done[0].why);
    }
}

#[test]
fn a_statement_without_end_is_ended() {
    let database = database();
    let options = Options {
        statement_time: Duration::from_millis(200),
        ..Options::default()
    };
    let lab = Lab::open(&database.path, &options, &mut |_| ()).unwrap();
    let start = Instant::now();
    for sql in [
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
        "INSERT INTO empty WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n, n FROM c",
    ] {
        let done = lab.replay(&recorded(&[(sql, 1.0)]), &mut |_| ()).unwrap();
        assert!(
            done[0].why.as_ref().unwrap().contains("longer than 200 ms"),
            "{done:?}"
        );
    }
    assert!(start.elapsed() < Duration::from_secs(20));
    let done = lab
        .replay(
            &recorded(&[("SELECT count(*) FROM empty", 1.0)]),
            &mut |_| (),
        )
        .unwrap();
    assert!(done[0].cost.as_ref().unwrap().steps < 20.0, "{done:?}");
}

/// Linux says how much a thread writes.
#[cfg(target_os = "linux")]
#[test]
fn a_statement_that_fills_the_disk_with_temporary_files_is_ended() {
    let database = database();
    let options = Options {
        statement_time: Duration::from_secs(60),
        statement_writes: 8 << 20,
        ..Options::default()
    };
    let lab = Lab::open(&database.path, &options, &mut |_| ()).unwrap();
    let rows = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c";
    // The cache of the copy has 64 MiB, which are not written.
    let sql = format!("SELECT * FROM ({rows}) ORDER BY randomblob(100000)");
    let before = sql_advisor::written().expect("Linux counts");
    let done = lab.replay(&recorded(&[(&sql, 1.0)]), &mut |_| ()).unwrap();
    let why = done[0].why.clone().expect("it is not judged");
    assert!(why.contains("wrote more than 8 MiB"), "{why}");
    let written = sql_advisor::written().expect("Linux counts") - before;
    assert!(written < 256 << 20, "{written} bytes");
}

#[test]
fn a_virtual_table_whose_module_is_missing_is_no_reason_to_judge_nothing() {
    let database = database();
    let conn = rusqlite::Connection::open(&database.path).unwrap();
    conn.execute_batch(
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'far', 'far', 0, \
         'CREATE VIRTUAL TABLE far USING nowhere(x)')",
    )
    .unwrap();
    drop(conn);
    let lab = Lab::open(&database.path, &Options::default(), &mut |_| ()).unwrap();
    let workload = recorded(&[
        ("SELECT name FROM people WHERE age = ?", 1.0),
        ("SELECT x FROM far WHERE x = ?", 1.0),
    ]);
    let done = lab.replay(&workload, &mut |_| ()).unwrap();
    assert!(done[0].cost.is_some(), "{done:?}");
    assert!(done[1].why.is_some(), "{done:?}");
}

#[test]
fn a_workload_of_which_nothing_can_be_judged_is_an_error_with_the_first_reason() {
    let error = advise(
        &database().path,
        &recorded(&[("SELECT nothing", 1.0)]),
        &Options::default(),
        &mut |_| (),
    );
    let error = error.unwrap_err();
    assert!(
        matches!(error, AdviseError::NoStatement(_)) && error.to_string().contains("nothing"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(
        words in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "SELECT", "FROM", "WHERE", "people", "name", "age", "=", "?", "?1", ":a", "(", ")", ",",
                    "*", "IN", "AND", "OR",
                    "NOT", "BETWEEN", "LIKE", "'x'", "\"name\"", "[age]", "GROUP", "BY", "ORDER", "LIMIT", "1",
                    "COLLATE", "NOCASE",
                    "AS", "p", ".", "JOIN", "ON", "USING", "UNION", "WITH", "INSERT", "INTO", "VALUES",
                    "UPDATE", "SET", "DELETE",
                    "IS", "NULL", "'", "\"", "[", "`", "--", "/*", "x'0", "$", "@", "%", "CASE", "WHEN",
                    "THEN", "END", ";",
                ]).prop_map(str::to_owned),
                "\\PC{0,5}",
            ],
            0..20,
        ),
    ) {
        let database = database();
        let lab = Lab::open(&database.path, &Options { runs: 1, ..Options::default() }, &mut |_| ()).unwrap();
        lab.replay(&recorded(&[(&words.join(" "), 1.0)]), &mut |_| ()).unwrap();
    }
}
