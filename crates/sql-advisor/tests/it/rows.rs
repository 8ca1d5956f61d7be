//! Tables that are filled up, and copies of the schema alone.

use sql_advisor::{AdviseError, Lab, Options};

use crate::support::{Database, changes, numbers, recorded};

fn people() -> Database {
    Database::new(&format!(
        "CREATE TABLE cities (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
         CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, age INTEGER, city_id INTEGER \
         REFERENCES cities (id));
         CREATE TABLE tally (n INTEGER); INSERT INTO tally VALUES (0);
         INSERT INTO cities (name) {} SELECT 'c' || n FROM s;
         INSERT INTO people (email, age, city_id) {} SELECT n || '@x.org', n % 50, 1 + n % 20 FROM s;
         CREATE TRIGGER counted AFTER INSERT ON people BEGIN UPDATE tally SET n = n + 1; END;",
        numbers(20),
        numbers(1_000)
    ))
}

fn rows(lab: &Lab, sql: &str) -> f64 {
    let done = lab.replay(&recorded(&[(sql, 1.0)]), &mut |_| ()).unwrap();
    done[0]
        .cost
        .as_ref()
        .unwrap_or_else(|| panic!("{done:?}"))
        .rows
}

#[test]
fn a_table_is_filled_up_with_rows_like_those_that_are_there() {
    let options = Options {
        rows: vec![("people".to_owned(), 20_000)],
        ..Options::default()
    };
    let lab = Lab::open(&people().path, &options, &mut |_| ()).unwrap();
    let lab = &lab;
    assert_eq!(rows(lab, "SELECT 1 FROM people"), 20_000.0);
    assert_eq!(rows(lab, "SELECT DISTINCT age FROM people"), 50.0);
    assert_eq!(rows(lab, "SELECT DISTINCT email FROM people"), 20_000.0);
    assert_eq!(
        rows(
            lab,
            "SELECT 1 FROM people p JOIN cities c ON c.id = p.city_id"
        ),
        20_000.0
    );
    // Its triggers ran.
    assert_eq!(rows(lab, "SELECT 1 FROM tally WHERE n = 19000"), 1.0);
    let shares = rows(lab, "SELECT 1 FROM people WHERE city_id = 3");
    assert!((900.0..1_100.0).contains(&shares), "{shares}");
}

#[test]
fn names_numbers_and_sizes_of_tables_do_not_disturb_what_is_drawn() {
    // Large numbers differ in digits that a real number has no room for. The table of 7919 rows has the name of the one
    // that its rows are drawn from.
    let database = Database::new(&format!(
        "CREATE TABLE parts (n INTEGER, large INTEGER UNIQUE);
         CREATE TABLE drawn (x INTEGER, own INTEGER UNIQUE);
         INSERT INTO parts {} SELECT n % 7, 1152921504606846976 + n FROM s;
         INSERT INTO drawn {} SELECT n % 100, n FROM s;",
        numbers(100),
        numbers(7_919)
    ));
    let options = Options {
        rows: vec![("parts".to_owned(), 400), ("drawn".to_owned(), 17_919)],
        ..Options::default()
    };
    let lab = &Lab::open(&database.path, &options, &mut |_| ()).unwrap();
    assert_eq!(rows(lab, "SELECT 1 FROM parts"), 400.0);
    assert_eq!(rows(lab, "SELECT DISTINCT n FROM parts"), 7.0);
    assert_eq!(rows(lab, "SELECT 1 FROM drawn"), 17_919.0);
    let share = rows(lab, "SELECT 1 FROM drawn WHERE x = 1");
    assert!((150.0..210.0).contains(&share), "{share}");
}

#[test]
fn rowids_from_all_over_their_range_are_sampled() {
    let database = Database::new(&format!(
        "CREATE TABLE events (id INTEGER PRIMARY KEY, kind INTEGER);
         INSERT INTO events {} SELECT (n - 1500) * 6148914691236517, n / 1000 FROM s;",
        numbers(3_000)
    ));
    let options = Options {
        schema_only: true,
        rows: vec![("events".to_owned(), 4_000)],
        ..Options::default()
    };
    let lab = Lab::open(&database.path, &options, &mut |_| ()).unwrap();
    assert_eq!(rows(&lab, "SELECT 1 FROM events"), 4_000.0);
    let share = rows(&lab, "SELECT 1 FROM events WHERE kind = 1");
    assert!((1_200.0..1_500.0).contains(&share), "{share}");
}

#[test]
fn the_schema_alone_is_copied_with_rows_made_of_a_sample() {
    let database = people();
    let options = Options {
        schema_only: true,
        rows: vec![("people".to_owned(), 5_000)],
        ..Options::default()
    };
    let lab = Lab::open(&database.path, &options, &mut |_| ()).unwrap();
    assert_eq!(rows(&lab, "SELECT 1 FROM people"), 5_000.0);
    assert_eq!(rows(&lab, "SELECT 1 FROM cities"), 20.0);
    let advice = database.advise_with(
        &[(
            "SELECT email FROM people WHERE city_id = ? AND age = ?",
            10.0,
        )],
        &options,
    );
    assert_eq!(changes(&advice).len(), 1, "{advice:#?}");
    assert!(
        advice.assumed[0].contains("made up"),
        "{:?}",
        advice.assumed
    );
}

#[test]
fn a_table_that_cannot_be_filled_is_an_error_that_names_it() {
    let database = Database::new("CREATE TABLE a (x); CREATE VIEW v AS SELECT x FROM a;");
    for (table, reason) in [
        ("a", "no rows"),
        ("v", "no such table"),
        ("b", "no such table"),
    ] {
        let options = Options {
            rows: vec![(table.to_owned(), 10)],
            ..Options::default()
        };
        let error = Lab::open(&database.path, &options, &mut |_| ()).unwrap_err();
        assert!(
            matches!(error, AdviseError::Fill { .. }) && error.to_string().contains(reason),
            "{error}"
        );
    }
}
