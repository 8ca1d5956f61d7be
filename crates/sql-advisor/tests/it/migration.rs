//! Statements that gain and lose by a migration.

use sql_advisor::{AdviseError, Fate, Options, check_migration};

use crate::support::{Database, numbers, recorded};

fn people() -> Database {
    Database::new(&format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
         INSERT INTO people (name, city) {} SELECT 'n' || n, 'c' || (n % 30) FROM s;
         CREATE INDEX people_name ON people (name);",
        numbers(2_000)
    ))
}

const BY_NAME: &str = "SELECT id FROM people WHERE name = ?";
const GROUP: &str = "SELECT city, count(*) FROM people GROUP BY city";
const INSERT: &str = "INSERT INTO people (name, city) VALUES (?, ?)";

fn check(sql: &str) -> Result<sql_advisor::Migration, AdviseError> {
    let workload = recorded(&[
        (BY_NAME, 100.0),
        (GROUP, 5.0),
        (INSERT, 10.0),
        ("SELECT x FROM y", 1.0),
    ]);
    check_migration(
        &people().path,
        sql,
        &workload,
        &Options::default(),
        &mut |_| (),
    )
}

fn fate(migration: &sql_advisor::Migration, sql: &str) -> Fate {
    migration
        .statements
        .iter()
        .find(|replay| replay.sql == sql)
        .unwrap()
        .fate
}

#[test]
fn who_gains_and_who_loses_is_told_by_steps() {
    let migration =
        check("CREATE INDEX people_city ON people (city); DROP INDEX people_name;").unwrap();
    assert_eq!(fate(&migration, GROUP), Fate::Gains);
    assert_eq!(fate(&migration, BY_NAME), Fate::Loses);
    assert_eq!(fate(&migration, INSERT), Fate::Same);
    assert!(migration.harms());
    assert_eq!(
        migration.statements[0].sql, BY_NAME,
        "what loses comes first"
    );
    assert!(migration.statements[0].replanned);
    assert!(
        migration.lock_ms > 0.0 && migration.work_after > migration.work_before,
        "{migration:#?}"
    );
    assert_eq!(migration.not_judged.len(), 1);
}

#[test]
fn a_statement_that_a_migration_breaks_says_what_is_missing() {
    let migration = check("ALTER TABLE people RENAME COLUMN city TO town").unwrap();
    assert_eq!(fate(&migration, GROUP), Fate::Breaks);
    assert_eq!(fate(&migration, BY_NAME), Fate::Same);
    let broken = migration
        .statements
        .iter()
        .find(|replay| replay.sql == GROUP)
        .unwrap();
    assert!(
        broken
            .why
            .as_ref()
            .unwrap()
            .contains("no such column: city"),
        "{broken:?}"
    );
}

#[test]
fn a_migration_that_harms_nobody_passes_with_its_own_transaction_too() {
    for sql in [
        "CREATE INDEX people_city ON people (city)",
        "BEGIN; CREATE INDEX people_city ON people (city); COMMIT;",
        "CREATE INDEX people_city ON people (city); -- a comment at the end",
    ] {
        let migration = check(sql).unwrap();
        assert!(!migration.harms(), "{migration:#?}");
        assert!(migration.grows > 0, "{sql}");
    }
}

#[test]
fn a_migration_that_fails_or_reaches_elsewhere_is_an_error_with_the_reason() {
    let database = people();
    let outside = database.directory.path().join("outside.db");
    for (sql, reason) in [
        ("CREATE TABLE people (x)", "already exists"),
        ("nonsense", "syntax error"),
        (
            &format!("ATTACH '{}' AS o", outside.display()),
            "reach beyond",
        ),
        (&format!("VACUUM INTO '{}'", outside.display()), ""),
        ("PRAGMA max_page_count = 4294967294", "bounds of the copy"),
        ("PRAGMA Hard_Heap_Limit = 1", "bounds of the copy"),
    ] {
        let error = check(sql).unwrap_err();
        assert!(matches!(error, AdviseError::Migration(_)), "{sql}: {error}");
        assert!(error.to_string().contains(reason), "{sql}: {error}");
    }
    assert!(!outside.exists());
}
