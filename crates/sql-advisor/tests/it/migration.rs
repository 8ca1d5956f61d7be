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
fn an_index_that_nothing_reads_costs_more_and_one_that_is_read_pays() {
    let idle = check("ALTER TABLE people ADD note TEXT; CREATE INDEX people_note ON people (note)")
        .unwrap();
    assert_eq!(fate(&idle, INSERT), Fate::Pays);
    assert_eq!(fate(&idle, GROUP), Fate::Same);
    assert!(idle.costs_more() && idle.harms(), "{idle:#?}");
    // Of both sides, the entries that were written are known.
    let insert = |migration: &sql_advisor::Migration| {
        let found = migration.statements.iter().find(|one| one.sql == INSERT);
        let found = found.unwrap();
        [found.before.entries, found.after.as_ref().unwrap().entries]
    };
    assert_eq!(insert(&idle), [1.0, 2.0]);
    let read = check("CREATE INDEX people_city ON people (city)").unwrap();
    assert_eq!(fate(&read, INSERT), Fate::Pays);
    assert!(!read.costs_more() && !read.harms(), "{read:#?}");
    // An index of a tenth of the rows costs a tenth of an entry, and one that is dropped saves its own.
    let part = check("CREATE INDEX part ON people (city) WHERE id % 10 = 0").unwrap();
    let [before, after] = insert(&part);
    assert!((after - before - 0.1).abs() < 0.01, "{part:#?}");
    let dropped = check("DROP INDEX people_name").unwrap();
    assert_eq!(insert(&dropped), [1.0, 0.0]);
    assert_eq!(fate(&dropped, INSERT), Fate::Gains);
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

#[test]
fn a_migration_may_have_longer_patterns_than_a_statement_of_many() {
    let many = "SELECT id FROM people WHERE name LIKE 'a%' OR name LIKE 'b%' OR city LIKE 'c%'";
    let migration = format!(
        "UPDATE people SET city = city WHERE name LIKE '{}'",
        "c".repeat(60)
    );
    let workload = recorded(&[(many, 10.0)]);
    let database = people();
    let checked = check_migration(
        &database.path,
        &migration,
        &workload,
        &Options::default(),
        &mut |_| (),
    );
    assert_eq!(fate(&checked.unwrap(), many), Fate::Same);
}
