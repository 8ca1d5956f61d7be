use std::path::PathBuf;
use std::time::Instant;

use super::*;

fn people() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("people.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, surname TEXT, city TEXT);
         CREATE TABLE visit (person_id INTEGER, at TEXT);
         CREATE TRIGGER t AFTER INSERT ON people BEGIN INSERT INTO visit VALUES (new.id, ''); END;
         CREATE VIEW adults AS SELECT * FROM people WHERE age > 17;
         INSERT INTO people (name, city) VALUES ('ruan', 'cape town')",
    )
    .unwrap();
    (dir, path)
}

const GROUP: &str =
    "SELECT COUNT(*), `people`.`city` FROM `people` GROUP BY `people`.`city` -- binds: []";

#[test]
fn the_articles_statement_scans_and_sorts_and_an_index_on_city_covers_it() {
    let (_dir, path) = people();
    let found = explain(&path, GROUP).unwrap();
    assert!(
        found.plan.has(Kind::FullScan) && found.plan.has(Kind::TempBTree),
        "{found:#?}"
    );
    let proposal = found.proposal.unwrap();
    assert_eq!(proposal.index, "CREATE INDEX people_city ON people (city)");
    assert!(proposal.after.has(Kind::CoveringScan) && !proposal.after.has(Kind::TempBTree));
    assert_eq!(proposal.before, found.plan);

    let asked = what_if(&path, GROUP, "create index i on people(city, age)").unwrap();
    assert!(asked.after.has(Kind::CoveringScan));
}

#[test]
fn a_join_without_an_index_gets_one_and_a_good_plan_gets_none() {
    let (_dir, path) = people();
    let join = "SELECT * FROM adults a LEFT JOIN visit v ON v.person_id = a.id WHERE a.name = ?";
    let found = explain(&path, join).unwrap();
    assert!(found.proposal.is_some(), "{found:#?}");
    let good = explain(&path, "SELECT name FROM people WHERE id = :id").unwrap();
    assert_eq!(
        good.summary,
        "It finds its rows by index and sorts nothing."
    );
    assert_eq!(good.proposal, None);
    let write = explain(&path, "DELETE FROM people WHERE city = 'x'").unwrap();
    assert_eq!(
        write.proposal.unwrap().index,
        "CREATE INDEX people_city ON people (city)"
    );
}

/// A database made by some SQL.
fn database(sql: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(&format!("PRAGMA synchronous = OFF; BEGIN; {sql}; COMMIT"))
        .unwrap();
    (dir, path)
}

#[test]
fn an_index_is_proposed_only_where_sqlite_would_use_it() {
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
    let item = format!(
        "CREATE TABLE item (id INTEGER PRIMARY KEY, flag INTEGER, shop INTEGER, code TEXT, at INTEGER);
         INSERT INTO item (flag, shop, code, at) {rows} SELECT 1, i % 40, 'c' || i, i FROM n;"
    );
    let shop = format!(
        "CREATE TABLE shop (id INTEGER PRIMARY KEY, region TEXT);
         INSERT INTO shop (region) {rows} SELECT 'r' || i FROM n LIMIT 40;"
    );
    let partial = "CREATE INDEX open_item ON item (at) WHERE flag = 1;";
    let nocase = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE);";
    let code = "SELECT * FROM item WHERE code = 'c7'";
    let flag = "SELECT * FROM item WHERE flag = 1";
    let join = "SELECT * FROM shop s JOIN item i ON i.shop = s.id WHERE s.region = 'r1'";
    for (name, made, sql, expected) in [
        ("a rare value", vec![&*item], code, Some("item_code")),
        (
            "a rare value, analysed",
            vec![&item, "ANALYZE"],
            code,
            Some("item_code"),
        ),
        ("one value in all", vec![&*item], flag, None),
        (
            "one value in all, analysed",
            vec![&item, "ANALYZE"],
            flag,
            None,
        ),
        (
            "order",
            vec![&item, "ANALYZE"],
            "SELECT * FROM item ORDER BY at LIMIT 5",
            Some("item_at"),
        ),
        (
            "a join",
            vec![&item, &shop, "ANALYZE"],
            join,
            Some("item_shop"),
        ),
        (
            "a join, never analysed",
            vec![&*item, &shop],
            join,
            Some("item_shop"),
        ),
        (
            "an expression",
            vec![&item, "ANALYZE"],
            "SELECT * FROM item WHERE lower(code) = 'c7'",
            None,
        ),
        (
            "an index that is there",
            vec![&item, "CREATE INDEX i ON item (code)", "ANALYZE"],
            code,
            None,
        ),
        (
            "a partial index that does",
            vec![&item, partial, "ANALYZE"],
            "SELECT id, at FROM item WHERE flag = 1 AND at > 19990",
            None,
        ),
        (
            "a collation",
            vec![nocase],
            "SELECT * FROM person WHERE name = 'x'",
            Some("person_name"),
        ),
        (
            "a small table, analysed",
            vec![
                "CREATE TABLE unit (name TEXT, size INTEGER); INSERT INTO unit VALUES ('a', 1), ('b', 2)",
                "ANALYZE",
            ],
            "SELECT * FROM unit WHERE size > 0",
            None,
        ),
    ] {
        let (_dir, path) = database(&made.join(";"));
        let found = explain(&path, sql).unwrap();
        let index = found
            .proposal
            .as_ref()
            .map(|proposal| proposal.index.as_str());
        match expected {
            None => assert_eq!(index, None, "{name}: {found:#?}"),
            Some(expected) => {
                assert!(
                    index.is_some_and(
                        |index| index.starts_with(&format!("CREATE INDEX {expected}"))
                    ),
                    "{name}: {found:#?}"
                )
            }
        }
        if let Some(proposal) = &found.proposal {
            assert_eq!(proposal.before, found.plan, "{name}");
            let is_analysed = made.last() == Some(&"ANALYZE");
            // SQLite itself, with the index and its statistics, plans as was said.
            if is_analysed {
                let real = Connection::open(&path).unwrap();
                real.execute_batch(&format!("{}; ANALYZE", proposal.index))
                    .unwrap();
                drop(real);
                assert_eq!(explain(&path, sql).unwrap().plan, proposal.after, "{name}");
            }
            assert_eq!(
                proposal.assumed[0].contains("never"),
                !is_analysed,
                "{name}: {proposal:?}"
            );
        }
    }
}

#[test]
fn an_index_that_would_not_help_is_told() {
    let (_dir, path) = database(
        "CREATE TABLE item (id INTEGER PRIMARY KEY, flag INTEGER);
         INSERT INTO item (flag) SELECT 1 \
         FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) \
         SELECT i FROM n)",
    );
    let asked = what_if(
        &path,
        "SELECT * FROM item WHERE flag = 1",
        "CREATE INDEX i ON item (flag)",
    )
    .unwrap();
    assert!(
        !asked.helps && asked.summary.contains("many rows share a value"),
        "{asked:#?}"
    );
    assert!(
        asked.assumed[1].contains("5000 rows of item have 1 different value of flag"),
        "{asked:#?}"
    );
    Connection::open(&path)
        .unwrap()
        .execute_batch("ANALYZE")
        .unwrap();
    let asked = what_if(
        &path,
        "SELECT * FROM item WHERE flag = 1",
        "CREATE INDEX i ON item (flag)",
    )
    .unwrap();
    assert!(
        !asked.is_used && asked.summary.contains("would not use"),
        "{asked:#?}"
    );
    let partial = "CREATE INDEX i ON item (flag) WHERE flag = 1";
    let asked = what_if(&path, "SELECT * FROM item WHERE flag = 1", partial).unwrap();
    assert!(asked.assumed[1].contains("not counted"), "{asked:#?}");
}

#[test]
fn an_index_that_is_there_already_is_not_taken_for_a_new_one() {
    let (_dir, path) = database(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT, age INTEGER);
         CREATE INDEX people_age ON people (age); CREATE INDEX people_city ON people (city)",
    );
    let asked = |index: &str| what_if(&path, GROUP, &format!("CREATE INDEX IF NOT EXISTS {index}"));
    assert!(asked("people_city_age ON people (city, age)").is_ok());
    // The answer would be that of people_city, the last index of the schema.
    let error = asked("people_age ON people (age)").expect_err("it exists");
    assert!(error.to_string().contains("exists already"), "{error}");
}

#[test]
fn a_plan_without_steps_is_told_for_what_it_is() {
    let (_dir, path) = database("CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT)");
    for (sql, expected) in [
        (
            "DELETE FROM people",
            "It deletes every row at once, without looking at any.",
        ),
        (
            "INSERT INTO people (city) VALUES ('x')",
            "It writes rows and reads none.",
        ),
        ("SELECT 1", "It reads no table."),
        (
            "DELETE FROM people WHERE id = 1",
            "It finds its rows by index and sorts nothing.",
        ),
        (
            "UPDATE people SET city = ''",
            "It reads every row of people.",
        ),
    ] {
        assert_eq!(explain(&path, sql).unwrap().summary, expected, "{sql}");
    }
}

#[test]
fn nothing_that_is_explained_is_run() {
    let (_dir, path) = people();
    for sql in [
        "DELETE FROM people",
        "INSERT INTO people (name) VALUES ('x')",
        "UPDATE people SET city = ''",
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    ] {
        explain(&path, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let conn = Connection::open(&path).unwrap();
    let left: (i64, String) = conn
        .query_row("SELECT count(*), max(city) FROM people", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(left, (1, "cape town".to_owned()));
}

#[test]
fn hostile_text_is_refused_with_a_reason() {
    let (dir, path) = people();
    for (sql, reason) in [
        ("SELECT 1; DELETE FROM people", "not several"),
        ("SELECT 1; SELECT 2", "not several"),
        ("", "exactly one"),
        ("-- nothing", "exactly one"),
        ("ATTACH 'x.db' AS x", "has no plan"),
        ("PRAGMA journal_mode = DELETE", "has no plan"),
        ("PRAGMA writable_schema = 1", "has no plan"),
        ("VACUUM", "has no plan"),
        ("VACUUM INTO 'x.db'", "has no plan"),
        ("EXPLAIN PRAGMA journal_mode = DELETE", "syntax error"),
        ("DROP TABLE people", "has no plan"),
        ("CREATE TABLE x (a)", "has no plan"),
        ("DELETE FROM sqlite_schema", ""),
        ("BEGIN", "has no plan"),
        ("EXPLAIN SELECT 1", "syntax error"),
        ("QUERY PLAN SELECT 1", "has no plan"),
        ("SELECT load_extension('x')", ""),
        ("SELECT * FROM nobody", "no such table"),
        ("SELECT \0", "NUL"),
    ] {
        let error = explain(&path, sql).expect_err(sql).to_string();
        assert!(error.contains(reason), "{sql}: {error}");
    }
    for index in [
        "DROP TABLE people",
        "CREATE TABLE x (a)",
        "CREATE INDEX i ON people (city); DROP TABLE people",
        "CREATE INDEX i ON nobody (city)",
        "ATTACH 'x.db' AS x",
        "CREATE UNIQUE",
    ] {
        assert!(what_if(&path, GROUP, index).is_err(), "{index}");
    }
    assert!(explain(&dir.path().join("none.db"), "SELECT 1").is_err());
    assert!(!dir.path().join("none.db").exists() && !dir.path().join("x.db").exists());
}

#[test]
fn a_plan_takes_no_longer_than_it_may() {
    let (_dir, path) = people();
    let join: Vec<String> = (0..60).map(|i| format!("people p{i}")).collect();
    let sql = format!("SELECT * FROM {}", join.join(", "));
    let start = Instant::now();
    let _ = explain(&path, &sql);
    assert!(start.elapsed() < Duration::from_secs(10));
}
