//! Advice for schemas whose best index is known.

use sql_advisor::Advice;

use crate::support::{Database, changes, numbers};

/// People as in the article: 2 000 rows in 40 cities.
fn people() -> String {
    format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER NOT NULL, city TEXT NOT \
        NULL, note TEXT);
         INSERT INTO people (name, age, city, note) {} SELECT 'Name' || n, n % 80, 'city' || (n * 7 % 40), \
         hex(randomblob(40)) FROM s;",
        numbers(2_000)
    )
}

#[track_caller]
fn why(advice: &Advice, change: &str) -> String {
    let found = advice
        .refused
        .iter()
        .find(|refused| refused.change == change);
    found
        .unwrap_or_else(|| panic!("{change} was not refused: {advice:#?}"))
        .why
        .clone()
}

#[test]
fn the_article_s_group_gets_the_index_on_city() {
    let advice = Database::new(&people())
        .advise(&[("SELECT COUNT(*), city FROM people GROUP BY city", 500.0)]);
    assert_eq!(
        changes(&advice),
        ["CREATE INDEX people_city ON people (city)"]
    );
    let group = &advice.statements[0];
    assert!(group.before.steps > 20_000.0, "{group:#?}");
    assert!(group.after.steps < group.before.steps * 0.6, "{group:#?}");
    assert_eq!((group.before.sorts, group.after.sorts), (1.0, 0.0));
    assert_eq!(group.before.rows, 40.0);
    assert_eq!(
        group.after.plan,
        ["SCAN people USING COVERING INDEX people_city"]
    );
    assert!(advice.recommended[0].bytes >= 20_000, "{advice:#?}");
}

#[test]
fn an_equality_with_an_order_gets_both_columns_and_no_sort() {
    let orders = format!(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, created_at TEXT, total REAL);
         INSERT INTO orders (customer_id, created_at, total) {}
         SELECT n % 25, datetime(1700000000 + n * 7919 % 100000, 'unixepoch'), n * 0.5 FROM s;",
        numbers(5_000)
    );
    let sql = "SELECT id, total FROM orders WHERE customer_id = ? ORDER BY created_at DESC LIMIT ?";
    let advice = Database::new(&orders).advise(&[(sql, 100.0)]);
    assert_eq!(
        changes(&advice),
        ["CREATE INDEX orders_customer_id_created_at ON orders (customer_id, created_at)"]
    );
    assert_eq!(advice.statements[0].after.sorts, 0.0);
    assert_eq!(advice.statements[0].before.rows, 20.0);
}

#[test]
fn what_no_index_can_serve_gets_none_and_a_reason() {
    let database = Database::new(&people());
    for (sql, note) in [
        (
            "SELECT id FROM people WHERE name LIKE '%ame19%'",
            "no condition",
        ),
        (
            "SELECT note FROM people WHERE age >= 0",
            "no index that was tried",
        ),
        ("SELECT * FROM people", "no condition"),
        ("SELECT name FROM people WHERE id = ?", "cheap already"),
    ] {
        let advice = database.advise(&[(sql, 10.0)]);
        assert_eq!(changes(&advice), [""; 0], "{sql}");
        let found = advice.statements[0].note.as_deref().unwrap_or_default();
        assert!(found.contains(note), "{sql}: {advice:#?}");
    }
}

#[test]
fn a_column_with_two_values_is_refused() {
    let advice = Database::new(
        "CREATE TABLE flags (id INTEGER PRIMARY KEY, active INTEGER, payload TEXT);
         INSERT INTO flags (active, payload) WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s \
         WHERE n < 3000)
         SELECT n % 10 > 0, 'p' || n FROM s; UPDATE flags SET active = 1 WHERE active = 0 AND id % 20 = 0;",
    )
    .advise(&[("SELECT payload FROM flags WHERE active = ?", 100.0)]);
    assert_eq!(changes(&advice), [""; 0], "{advice:#?}");
    let why = why(&advice, "CREATE INDEX flags_active ON flags (active)");
    assert!(why.contains("most of the rows"), "{why}");
}

#[test]
fn a_constant_condition_that_few_rows_meet_gets_a_partial_index() {
    let jobs = format!(
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, status TEXT, priority INTEGER, body TEXT);
         INSERT INTO jobs (status, priority, body) {} SELECT iif(n % 100 = 0, 'open', 'done'), n * 31 % 1000, \
         'b' || n FROM s;",
        numbers(5_000)
    );
    let sql = "SELECT id, body FROM jobs WHERE status = 'open' ORDER BY priority LIMIT 1";
    let advice = Database::new(&jobs).advise(&[
        (sql, 100.0),
        ("UPDATE jobs SET body = ? WHERE id = ?", 10.0),
    ]);
    assert_eq!(
        changes(&advice),
        ["CREATE INDEX jobs_priority_status_open ON jobs (priority) WHERE status = 'open'"]
    );
    assert!(advice.recommended[0].bytes <= 8_192, "{advice:#?}");
}

#[test]
fn an_expression_and_a_collation_are_indexed_as_they_are_compared() {
    for (sql, expected) in [
        (
            "SELECT id FROM people WHERE lower(name) = ?",
            "CREATE INDEX people_lower_name ON people (lower(name))",
        ),
        (
            "SELECT p.id FROM people AS p WHERE p.name = ? COLLATE NOCASE",
            "CREATE INDEX people_name_COLLATE_NOCASE ON people (name COLLATE NOCASE)",
        ),
        (
            "SELECT id FROM people WHERE name LIKE 'name19%'",
            "CREATE INDEX people_name_COLLATE_NOCASE ON people (name COLLATE NOCASE)",
        ),
        (
            "SELECT max(age) FROM people",
            "CREATE INDEX people_age ON people (age)",
        ),
    ] {
        let advice = Database::new(&people()).advise(&[(sql, 50.0)]);
        assert_eq!(changes(&advice), [expected], "{sql}: {advice:#?}");
    }
}

#[test]
fn a_sum_by_group_gets_an_index_that_covers_it() {
    let advice = Database::new(&people())
        .advise(&[("SELECT city, sum(age) FROM people GROUP BY city", 50.0)]);
    assert_eq!(
        changes(&advice),
        ["CREATE INDEX people_city_age ON people (city, age)"]
    );
    assert_eq!(
        advice.statements[0].after.plan,
        ["SCAN people USING COVERING INDEX people_city_age"]
    );
}

#[test]
fn statistics_that_change_a_plan_and_save_nothing_are_refused_by_words_about_statistics() {
    // Either index finds the same rows.
    let pairs = format!(
        "CREATE TABLE pair (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, note TEXT);
         INSERT INTO pair (a, b, note) {} SELECT n / 10, n / 10, 'n' || n FROM s;
         CREATE INDEX pair_a ON pair (a); CREATE INDEX pair_b ON pair (b);
         ANALYZE; UPDATE sqlite_stat1 SET stat = '5000 2500' WHERE idx = 'pair_b';
         DELETE FROM sqlite_stat4; UPDATE pair SET a = 0 WHERE id > 4990;",
        numbers(5_000)
    );
    let advice =
        Database::new(&pairs).advise(&[("SELECT note FROM pair WHERE a = ? AND b = ?", 100.0)]);
    assert!(!changes(&advice).contains(&"ANALYZE"), "{advice:#?}");
    let why = why(&advice, "ANALYZE");
    assert!(why.contains("statistics"), "{why}");
}

#[test]
fn statistics_that_are_wrong_are_made_anew_before_any_index() {
    let visits = format!(
        "CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, kind INTEGER, at TEXT);
         INSERT INTO visits (person, kind, at) {} SELECT n % 2500, n % 2, 't' || n FROM s;
         CREATE INDEX visits_person ON visits (person); CREATE INDEX visits_kind ON visits (kind);
         ANALYZE; UPDATE sqlite_stat1 SET stat = '5000 2500' WHERE idx = 'visits_person';
         UPDATE sqlite_stat1 SET stat = '5000 2' WHERE idx = 'visits_kind'; DELETE FROM sqlite_stat4;",
        numbers(5_000)
    );
    let advice = Database::new(&visits)
        .advise(&[("SELECT at FROM visits WHERE person = ? AND kind = ?", 100.0)]);
    assert_eq!(changes(&advice), ["ANALYZE"], "{advice:#?}");
    assert!(
        advice.statements[0].before.plan[0].contains("visits_kind"),
        "{advice:#?}"
    );
    assert!(
        advice.statements[0].after.plan[0].contains("visits_person"),
        "{advice:#?}"
    );
}

#[test]
fn a_join_gets_an_index_on_each_side() {
    let shop = format!(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, name TEXT);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), total REAL);
         INSERT INTO customers (email, name) {0} SELECT n || '@example.org', 'c' || n FROM s;
         INSERT INTO orders (customer_id, total) {0} SELECT 1 + n * 7 % 2000, n * 0.1 FROM s;",
        numbers(2_000)
    );
    let sql = "SELECT o.id, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = ?";
    let advice = Database::new(&shop).advise(&[(sql, 100.0)]);
    // Neither helps much alone.
    assert_eq!(
        changes(&advice),
        [
            "CREATE INDEX orders_customer_id ON orders (customer_id); CREATE INDEX customers_email ON customers (email)"
        ],
        "{advice:#?}"
    );
    assert!(advice.work_after < advice.work_before / 50.0, "{advice:#?}");
}

#[test]
fn either_of_two_conditions_gets_two_indexes_at_once() {
    let advice = Database::new(&people()).advise(&[(
        "SELECT id, note FROM people WHERE name = ? OR note = ?",
        100.0,
    )]);
    assert_eq!(
        changes(&advice),
        ["CREATE INDEX people_name ON people (name); CREATE INDEX people_note ON people (note)"],
        "{advice:#?}"
    );
    assert_eq!(advice.statements[0].after.plan[0], "MULTI-INDEX OR");
}

#[test]
fn an_index_that_costs_more_in_writing_than_it_saves_is_refused() {
    let log = format!(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, level TEXT, source TEXT, message TEXT);
         INSERT INTO log (level, source, message) {} SELECT 'l' || (n % 5), 's' || (n % 500), 'm' || n FROM s;",
        numbers(2_000)
    );
    let reads = "SELECT message FROM log WHERE source = ?";
    let writes = "INSERT INTO log (level, source, message) VALUES (?, ?, ?)";
    let database = Database::new(&log);
    let rarely = database.advise(&[(reads, 1.0), (writes, 100_000.0)]);
    assert_eq!(changes(&rarely), [""; 0], "{rarely:#?}");
    let why = why(&rarely, "CREATE INDEX log_source ON log (source)");
    assert!(why.contains("of writing"), "{why}");
    let often = database.advise(&[(reads, 1_000.0), (writes, 1_000.0)]);
    assert_eq!(changes(&often), ["CREATE INDEX log_source ON log (source)"]);
    let write = &often.recommended[0].writes[0];
    assert_eq!((write.id.as_str(), write.after.entries), (writes, 1.0));
    assert!(write.after.steps > write.before.steps, "{write:#?}");
}

#[test]
fn an_index_that_is_there_is_not_made_again() {
    let sql = format!("{} CREATE INDEX by_city ON people (city, age);", people());
    let advice =
        Database::new(&sql).advise(&[("SELECT id FROM people WHERE city = ? AND age = ?", 100.0)]);
    assert_eq!(changes(&advice), [""; 0], "{advice:#?}");
    assert!(
        advice
            .refused
            .iter()
            .all(|refused| refused.change != "CREATE INDEX people_city_age ON people (city, age)")
    );
}

#[test]
fn rows_that_are_changed_or_deleted_are_found_by_an_index_too() {
    let sql = "UPDATE people SET note = ? WHERE name = ?";
    let database = Database::new(&people());
    let advice = database.advise(&[(sql, 100.0), ("DELETE FROM people WHERE name = ?", 10.0)]);
    assert_eq!(
        changes(&advice),
        ["CREATE INDEX people_name ON people (name)"],
        "{advice:#?}"
    );
    // The UPDATE finds its row by the index and does not write it; the DELETE takes an entry away.
    let writes: Vec<_> = advice.recommended[0]
        .writes
        .iter()
        .map(|write| (write.id.as_str(), write.after.entries))
        .collect();
    assert_eq!(writes, [("DELETE FROM people WHERE name = ?", 1.0)]);
}

#[test]
fn the_same_database_gives_the_same_figures() {
    let database = Database::new(&people());
    let workload = [
        ("SELECT COUNT(*), city FROM people GROUP BY city", 5.0),
        ("SELECT id FROM people WHERE age BETWEEN ? AND ?", 50.0),
        (
            "INSERT INTO people (name, age, city) VALUES (?, ?, ?)",
            50.0,
        ),
    ];
    let steps = |advice: Advice| {
        let of = |cost: &sql_advisor::Cost| (cost.steps, cost.entries, cost.plan.clone());
        let costs = advice
            .statements
            .iter()
            .map(|statement| (of(&statement.before), of(&statement.after)));
        (costs.collect::<Vec<_>>(), advice.work_after)
    };
    assert_eq!(
        steps(database.advise(&workload)),
        steps(database.advise(&workload))
    );
}

#[test]
fn two_indexes_that_differ_in_their_order_alone_have_different_names() {
    let marks = format!(
        "CREATE TABLE marks (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, note TEXT);
         INSERT INTO marks (a, b, note) {} SELECT n % 4, n * 31 % 997, 'n' || n FROM s;",
        numbers(2_000)
    );
    let advice = Database::new(&marks).advise(&[
        ("SELECT * FROM marks ORDER BY a, b LIMIT 5", 100.0),
        ("SELECT * FROM marks ORDER BY a DESC, b LIMIT 5", 100.0),
    ]);
    let mut found = changes(&advice);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "CREATE INDEX marks_a_b ON marks (a, b)",
            "CREATE INDEX marks_a_b_2 ON marks (a DESC, b)"
        ],
        "{advice:#?}"
    );
    for statement in &advice.statements {
        assert_eq!(statement.after.sorts, 0.0, "{statement:#?}");
    }
}

#[test]
fn a_statement_whose_index_a_wider_one_replaced_is_helped_by_the_wider_one() {
    let (wide, narrow) = (
        "SELECT * FROM people WHERE city = ? AND age = ?",
        "SELECT * FROM people WHERE city = ?",
    );
    let advice = Database::new(&people()).advise(&[(wide, 100.0), (narrow, 100.0)]);
    assert_eq!(
        changes(&advice),
        ["CREATE INDEX people_city_age ON people (city, age)"],
        "{advice:#?}"
    );
    let narrower = why(&advice, "CREATE INDEX people_city ON people (city)");
    assert!(narrower.contains("needless"), "{narrower}");
    let mut helped = advice.recommended[0].helps.clone();
    helped.sort_unstable();
    assert_eq!(helped, [narrow, wide]);
    for statement in &advice.statements {
        assert_eq!(statement.note, None, "{statement:#?}");
    }
}
