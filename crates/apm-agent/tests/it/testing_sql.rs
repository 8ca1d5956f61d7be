//! Tests that look at the SQL which they run.

use std::panic::{AssertUnwindSafe, catch_unwind};

use apm_agent::testing::{measure_sqlite, sql};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection, sql_query};

/// A connection that no agent traces, to a table of a hundred people.
fn people() -> SqliteConnection {
    measure_sqlite();
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    let made = "CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT NOT NULL); \
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) \
        INSERT INTO people (city) SELECT 'city' || (i % 9) FROM n";
    connection.batch_execute(made).expect("made");
    connection
}

fn run(connection: &mut SqliteConnection, text: &str) {
    connection.batch_execute(text).expect("runs");
}

/// The message with which a closure panics.
fn message(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).expect_err("a panic");
    match panic.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => panic.downcast_ref::<String>().cloned().unwrap_or_default(),
    }
}

#[test]
fn statements_of_plain_connections_are_counted_by_text_and_transactions_are_not() {
    let mut connection = people();
    let seen = sql(|| {
        connection
            .transaction(|connection| {
                for _ in 0..3 {
                    sql_query("INSERT INTO people (city) VALUES ('x')").execute(connection)?;
                }
                sql_query("SELECT id FROM people WHERE id = 7").execute(connection)
            })
            .expect("runs");
        run(&mut connection, "PRAGMA cache_size");
    });
    assert_eq!(seen.statements(), 4, "{seen}");
    assert_eq!(seen.by_text().len(), 2, "{seen}");
    assert_eq!(seen.by_text()[0].calls, 3);
    seen.assert_at_most(4);
    seen.assert_no_scan();
    // Behind the closure nothing is counted.
    run(&mut connection, "SELECT 1");
    sql(|| {}).assert_none();
}

#[test]
fn a_failure_lists_the_statements_with_what_sqlite_did() {
    let mut connection = people();
    let seen = sql(|| {
        run(
            &mut connection,
            "SELECT city, count(*) FROM people GROUP BY city",
        );
        run(&mut connection, "SELECT id FROM people WHERE id = 7");
    });
    let scan = message(|| seen.assert_no_scan());
    assert!(
        scan.starts_with("1 of 2 statements scan a table or an index row by row:\n"),
        "{scan}"
    );
    assert!(
        scan.contains("  people is read row by row, without a limit\n"),
        "{scan}"
    );
    assert!(
        scan.contains("9 rows returned, 99 rows scanned, 1 sort: SELECT city, count(*)"),
        "{scan}"
    );
    let many = message(|| seen.assert_at_most(1));
    assert!(
        many.starts_with("2 statements were run, at most 1 are allowed:\n1× "),
        "{many}"
    );
    let begun = sql(|| run(&mut connection, "BEGIN; COMMIT"));
    assert_eq!(begun.statements(), 0);
    let none = message(|| begun.assert_no_scan());
    assert!(none.contains("no statement was run"), "{none}");
}

/// Statements, and what each scans in the words of the message; nothing where it scans nothing.
const SCANS: &[(&str, &[&str])] = &[
    // Pages in the order of a key.
    ("SELECT id FROM people ORDER BY id LIMIT 20", &[]),
    ("SELECT id FROM people ORDER BY id LIMIT 2000", &[]),
    ("SELECT * FROM people ORDER BY age DESC LIMIT 20", &[]),
    // Results that live for the statement alone.
    (
        "WITH c AS MATERIALIZED (SELECT * FROM people WHERE id <= 5) SELECT * FROM c",
        &[],
    ),
    ("SELECT name FROM sqlite_schema WHERE type = 'table'", &[]),
    ("SELECT max(age) FROM people", &[]),
    // An index that holds all that is asked for.
    (
        "SELECT age, count(*) FROM people GROUP BY age",
        &["the index people_age of people is read row by row, without a limit"],
    ),
    (
        "SELECT * FROM people",
        &["people is read row by row, without a limit"],
    ),
    (
        "SELECT id FROM people ORDER BY city LIMIT 20",
        &["people is read row by row, without a limit"],
    ),
    (
        "SELECT id FROM people WHERE city = 'city7'",
        &["people is read row by row, without a limit; an index on what it looks for may end that"],
    ),
    (
        "SELECT id FROM people WHERE city = 'city7' LIMIT 2",
        &[
            "people is read row by row, until enough rows are found; an index on what it looks for may end that",
        ],
    ),
    // Though all that it reads match.
    (
        "SELECT id FROM people WHERE city <> 'x' LIMIT 5",
        &[
            "people is read row by row, until enough rows are found; an index on what it looks for may end that",
        ],
    ),
    (
        "SELECT * FROM people LIMIT 5 OFFSET 50",
        &["people is read row by row, until enough rows are found"],
    ),
    (
        "SELECT count(*) FROM people p JOIN people q ON q.city = p.city WHERE p.id < 90",
        &["people is read to make an index for this call alone; an index that stays may end that"],
    ),
    (
        "UPDATE people SET city = 'y' WHERE city = 'x'",
        &["people is read row by row, without a limit; an index on what it looks for may end that"],
    ),
];

#[test]
fn pages_and_results_of_a_moment_are_no_scans_and_what_is_one_is_told_as_it_is() {
    let mut connection = people();
    run(
        &mut connection,
        "ALTER TABLE people ADD COLUMN age INTEGER; UPDATE people SET age = id; \
         CREATE INDEX people_age ON people (age)",
    );
    for (text, scans) in SCANS {
        let seen = sql(|| run(&mut connection, text));
        assert_eq!(seen.statements(), 1, "{seen}");
        if scans.is_empty() {
            seen.assert_no_scan();
            continue;
        }
        let told = message(|| seen.assert_no_scan());
        let told: Vec<&str> = told
            .lines()
            .filter_map(|it| it.strip_prefix("  "))
            .collect();
        assert_eq!(&told[..], *scans, "{text}");
    }
}

#[test]
fn rows_of_which_the_code_reads_the_first_ones_only_are_no_scan() {
    use diesel::connection::DefaultLoadingMode;
    diesel::table! { people { id -> Integer, city -> Text, } }
    let mut connection = people();
    let seen = sql(|| {
        let rows = diesel::RunQueryDsl::load_iter::<(i32, String), DefaultLoadingMode>(
            people::table,
            &mut connection,
        );
        assert_eq!(rows.expect("rows").take(3).count(), 3);
    });
    assert_eq!(seen.by_text()[0].rows_returned, 3, "{seen}");
    seen.assert_no_scan();
}

#[test]
fn a_connection_that_is_not_measured_leaves_no_number_behind() {
    let mut connection = people();
    let unmeasured = "no connection that is measured was used on this thread";
    // A test of the same process has measured one; this closure uses none.
    let elsewhere = || {
        sql(|| {
            std::thread::spawn(|| run(&mut people(), "SELECT 3"))
                .join()
                .expect("runs");
        })
    };
    let checks: [fn(&apm_agent::testing::Sql); 4] = [
        |seen| assert_eq!(seen.statements(), 0),
        |seen| assert_eq!(seen.steps(), 0),
        |seen| seen.assert_at_most(3),
        |seen| seen.assert_no_scan(),
    ];
    for check in checks {
        let seen = elsewhere();
        assert!(message(|| check(&seen)).starts_with(unmeasured));
    }
    sql(|| {}).assert_none();
    let some = sql(|| run(&mut connection, "SELECT 1"));
    let told = message(|| some.assert_none());
    assert!(
        told.starts_with("1 statements were run, and none is allowed:\n1× "),
        "{told}"
    );
    let fresh = std::thread::spawn(|| message(|| sql(|| {}).assert_none()));
    assert!(fresh.join().expect("it ends").starts_with(unmeasured));
}

#[test]
fn nested_closures_and_other_threads_do_not_mix() {
    let mut connection = people();
    let mut inner = None;
    let outer = sql(|| {
        run(&mut connection, "SELECT 1");
        inner = Some(sql(|| run(&mut connection, "SELECT 2")));
        std::thread::spawn(|| run(&mut people(), "SELECT 3"))
            .join()
            .expect("runs");
        let purpose = "on purpose";
        // A closure that panics ran what it ran, and does not lose what came before.
        let failed = message(|| {
            sql(|| {
                run(&mut connection, "SELECT 4");
                panic!("{purpose}");
            });
        });
        assert_eq!(failed, purpose);
        run(&mut connection, "SELECT 1");
    });
    assert_eq!(inner.expect("it ran").statements(), 1);
    let texts: Vec<(&str, u64)> = outer
        .by_text()
        .iter()
        .map(|statement| (statement.text.as_str(), statement.calls))
        .collect();
    assert_eq!(texts, [("SELECT 1", 2), ("SELECT 2", 1), ("SELECT 4", 1)]);
}

#[test]
fn the_same_work_takes_the_same_steps_on_eight_threads() {
    let work = || {
        let mut connection = people();
        let seen = sql(|| {
            run(
                &mut connection,
                "SELECT city, count(*) FROM people GROUP BY city",
            );
            run(
                &mut connection,
                "UPDATE people SET city = 'x' WHERE id > 50",
            );
        });
        seen.by_text().to_vec()
    };
    let alone = work();
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(work)).collect();
    for thread in threads {
        assert_eq!(thread.join().expect("it runs"), alone);
    }
}

#[test]
fn connections_that_an_agent_traces_are_seen_by_both() {
    let recorder = apm_agent::testing::Recorder::default();
    measure_sqlite();
    let pool = diesel::r2d2::Pool::builder()
        .max_size(1)
        .test_on_check_out(false)
        .connection_customizer(Box::new(recorder.agent().diesel(":memory:")))
        .build(diesel::r2d2::ConnectionManager::<SqliteConnection>::new(
            ":memory:",
        ))
        .expect("a pool");
    let seen = sql(|| {
        let transaction = recorder.agent().transaction("test", "task");
        transaction.run(|| {
            let mut connection = pool.get().expect("a connection");
            sql_query("SELECT 7")
                .execute(&mut connection)
                .expect("runs");
        });
    });
    assert_eq!(seen.statements(), 1, "{seen}");
    let spans = recorder.take().spans;
    let steps = &spans[0]["context"]["tags"]["sqlite_steps"];
    assert_eq!(steps.as_u64(), Some(seen.steps()), "{spans:#?}");
}
