use diesel::connection::{Connection as _, SimpleConnection as _};

use super::*;
use crate::testing;

/// The plans that were sent since the last time, and whether as ones that were sent before.
fn sent(recorder: &testing::Recorder) -> Vec<(String, bool)> {
    let sets = recorder.take().metricsets;
    sets.iter()
        .filter_map(|set| {
            let plan = set["tags"]["sqlite_plan"].as_str()?.to_owned();
            Some((plan, set["tags"]["sqlite_plan_again"] == "1"))
        })
        .collect()
}

fn scan(again: bool) -> [(String, bool); 1] {
    [("SCAN people".to_owned(), again)]
}

#[test]
fn a_plan_that_is_known_is_sent_again_after_an_hour_without_asking_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("people.db");
    let mut connection = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection
        .batch_execute(
            "PRAGMA journal_mode = WAL; CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT)",
        )
        .unwrap();
    let recorder = testing::Recorder::default();
    let source = Source::new(&recorder.agent(), Target::File(file), Some("people.db"));
    let mut database = Database::new(source);
    assert!(database.add("SELECT id FROM people".into()));
    let start = Instant::now();
    let mut after = |minutes: u64| {
        assert!(database.look(start + Duration::from_secs(60 * minutes)));
        sent(&recorder)
    };
    assert_eq!(after(0), scan(false));
    assert_eq!(after(1), []);
    assert_eq!(after(59), []);
    assert_eq!(after(60), scan(true));
    assert_eq!(after(61), []);

    // Of a file that is gone, too: it is not asked.
    drop(connection);
    drop(dir);
    assert_eq!(after(120), scan(true));
}

#[test]
fn plans_are_asked_for_again_when_statistics_have_changed_and_the_schema_has_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("people.db");
    let mut connection = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let mut run = |sql: &str| connection.batch_execute(sql).unwrap();
    run(
        "PRAGMA journal_mode = WAL; CREATE TABLE people (id INTEGER PRIMARY KEY, city, age); \
         CREATE INDEX people_city ON people (city); CREATE INDEX people_age ON people (age); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) \
         INSERT INTO people (city, age) SELECT i, 1 FROM n; ANALYZE",
    );
    let recorder = testing::Recorder::default();
    let source = Source::new(&recorder.agent(), Target::File(file), None);
    let mut database = Database::new(source);
    assert!(database.add("SELECT id FROM people WHERE city = ? AND age = ?".into()));
    let start = Instant::now();
    let mut after = |minutes: u64| {
        assert!(database.look(start + Duration::from_secs(60 * minutes)));
        (sent(&recorder), database.schema)
    };
    let by = |index: &str| {
        let column = index.trim_start_matches("people_");
        vec![(
            format!("SEARCH people USING INDEX {index} ({column}=?)"),
            false,
        )]
    };
    let (first, schema) = after(0);
    assert_eq!(first, by("people_city"));
    run("UPDATE people SET city = 1, age = id; ANALYZE");
    assert_eq!(after(1), (by("people_age"), schema));
    // The same statistics once more.
    run("ANALYZE");
    assert_eq!(after(2), (Vec::new(), schema));
}

#[test]
fn a_statement_that_is_known_is_kept_once_and_there_is_a_bound() {
    let recorder = testing::Recorder::default();
    let target = Target::File("nowhere.db".into());
    let mut database = Database::new(Source::new(&recorder.agent(), target, None));
    for number in 0..STATEMENTS {
        assert!(database.add(format!("SELECT {number}").into()));
    }
    assert!(database.add("SELECT 7".into()), "it is known");
    assert!(!database.add("SELECT a".into()));
    assert_eq!(database.statements.len(), STATEMENTS);
}
