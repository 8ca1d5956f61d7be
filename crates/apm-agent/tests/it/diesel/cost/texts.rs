//! Statements whose text comes from SQLite.

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};

use super::*;

#[test]
fn each_query_has_its_own_text_also_where_one_type_has_several() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 1);
    let many = |connection: &mut SqliteConnection, ids: &[i32]| {
        let found: Vec<i32> = towns::table
            .filter(towns::id.eq_any(ids))
            .select(towns::id)
            .load(connection)
            .unwrap();
        assert_eq!(found.len(), ids.len());
    };
    let boxed = |connection: &mut SqliteConnection, city: Option<&str>| {
        let mut query = towns::table.select(towns::id).limit(1).into_boxed();
        if let Some(city) = city {
            query = query.filter(towns::city.eq(city.to_owned()));
        }
        let found: Vec<i32> = query.load(connection).unwrap();
        assert_eq!(found.len(), 1);
    };
    let raw = |connection: &mut SqliteConnection, sql: &str| {
        let _: Vec<Group> = diesel::sql_query(sql)
            .bind::<Integer, _>(1)
            .load(connection)
            .unwrap();
    };
    for _ in 0..2 {
        let spans = spans_of(&recorder, &pool, |connection| {
            many(connection, &[1]);
            many(connection, &[1, 2, 3]);
            many(connection, &[4]);
            boxed(connection, None);
            boxed(connection, Some("city1"));
            boxed(connection, None);
            raw(connection, "SELECT ? AS n");
            raw(connection, "SELECT 7 + ? AS n");
        });
        let statements: Vec<_> = spans.iter().map(statement).collect();
        let of_ids =
            |ids: &str| format!("SELECT `towns`.`id` FROM `towns` WHERE (`towns`.`id` IN ({ids}))");
        assert_eq!(
            statements[..3],
            [of_ids("?"), of_ids("?, ?, ?"), of_ids("?")]
        );
        assert_eq!(statements[3], statements[5]);
        assert!(!statements[3].contains("WHERE"), "{statements:?}");
        assert!(
            statements[4].contains("WHERE (`towns`.`city` = ?)"),
            "{statements:?}"
        );
        assert_eq!(statements[6..], ["SELECT ? AS n", "SELECT 7 + ? AS n"]);
        assert!(spans.iter().all(|span| !labels(span).is_empty()));
    }
}

#[test]
fn transactions_of_the_database_have_their_own_texts_however_they_begin_and_end() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 1);
    let done = |_: &mut SqliteConnection| QueryResult::Ok(());
    for _ in 0..2 {
        let spans = spans_of(&recorder, &pool, |connection| {
            connection.transaction(done).unwrap();
            connection.transaction(done).unwrap();
            connection.immediate_transaction(done).unwrap();
            connection
                .transaction(|connection| {
                    connection.transaction(done)?;
                    let given_up: QueryResult<()> =
                        connection.transaction(|_| Err(diesel::result::Error::RollbackTransaction));
                    assert!(given_up.is_err());
                    QueryResult::Ok(())
                })
                .unwrap();
            let given_up: QueryResult<()> = connection
                .exclusive_transaction(|_| Err(diesel::result::Error::RollbackTransaction));
            assert!(given_up.is_err());
        });
        let statements: Vec<_> = spans.iter().map(statement).collect();
        let expected = [
            "BEGIN",
            "COMMIT",
            "BEGIN",
            "COMMIT",
            "BEGIN IMMEDIATE",
            "COMMIT",
            "BEGIN",
            "SAVEPOINT diesel_savepoint_1",
            "RELEASE SAVEPOINT diesel_savepoint_1",
            "SAVEPOINT diesel_savepoint_1",
            "ROLLBACK TO SAVEPOINT diesel_savepoint_1",
            "COMMIT",
            "BEGIN EXCLUSIVE",
            "ROLLBACK",
        ];
        assert_eq!(statements, expected);
        assert!(spans.iter().all(|span| !labels(span).is_empty()));
    }
}

#[test]
fn a_transaction_that_cannot_begin_fails_under_the_text_that_could_not_run() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 1);
    let begin = |connection: &mut SqliteConnection, sql: &str| {
        AnsiTransactionManager::begin_transaction_sql(connection, sql)
    };
    let commit =
        |connection: &mut SqliteConnection| AnsiTransactionManager::commit_transaction(connection);
    let spans = spans_of(&recorder, &pool, |connection| {
        for _ in 0..2 {
            begin(connection, "BEGIN").unwrap();
            commit(connection).unwrap();
        }
        assert!(begin(connection, "BEGIN WRONGLY").is_err());
        // More than one statement, of which SQLite has no text.
        for _ in 0..2 {
            begin(connection, "BEGIN; SELECT 7").unwrap();
            commit(connection).unwrap();
        }
    });
    let told: Vec<_> = spans
        .iter()
        .map(|span| (statement(span), span["outcome"].as_str().unwrap()))
        .collect();
    let expected = [
        ("BEGIN", "success"),
        ("COMMIT", "success"),
        ("BEGIN", "success"),
        ("COMMIT", "success"),
        ("BEGIN WRONGLY", "failure"),
        ("BEGIN; SELECT 7", "success"),
        ("COMMIT", "success"),
        ("BEGIN; SELECT 7", "success"),
        ("COMMIT", "success"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn values_are_hashed_from_the_second_run_in_a_transaction_once_the_text_comes_from_sqlite() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 1);
    spans_of(&recorder, &pool, |connection| {
        ask(connection, 9);
    });
    for _ in 0..2 {
        let spans = spans_of(&recorder, &pool, |connection| {
            for age in [8, 9, 9, 7] {
                ask(connection, age);
            }
        });
        let hashes: Vec<_> = spans
            .iter()
            .map(|span| span["context"]["tags"]["bind_hash"].as_str())
            .collect();
        let [None, Some(one), Some(same), Some(other)] = hashes[..] else {
            panic!("{hashes:?}")
        };
        assert_eq!(one, same);
        assert_ne!(one, other);
    }
}

#[test]
fn a_composite_has_a_hash_where_at_least_two_of_its_calls_are_known_to_have_it() {
    let recorder = Checked::default();
    let pool = towns(&recorder, 1);
    spans_of(&recorder, &pool, |connection| {
        ask(connection, 9);
    });
    for (ages, hashed) in [
        (&[9, 9, 9][..], true),
        (&[9, 9], false),
        (&[9, 8, 9], false),
    ] {
        let spans = spans_of(&recorder, &pool, |connection| {
            for age in ages {
                ask(connection, *age);
            }
        });
        assert_eq!(spans[0]["composite"]["count"], ages.len());
        let hash = &spans[0]["context"]["tags"]["bind_hash"];
        assert_eq!(hash.is_string(), hashed, "{ages:?}");
    }
}

#[test]
fn pings_stay_silent_after_their_first_one_too() {
    let recorder = Checked::uncompressed();
    let pool = pool(&recorder);
    recorder.run(|agent| {
        agent.transaction("GET /", "request").run(|| {
            for _ in 0..5 {
                drop(pool.get().unwrap());
            }
            diesel::sql_query("SELECT 7")
                .execute(&mut pool.get().unwrap())
                .unwrap();
        });
    });
    let recorded = recorder.take();
    assert_eq!(names(&recorded), ["SELECT"]);
    assert_eq!(recorded.transactions[0]["span_count"]["started"], 1);
}

#[test]
fn changed_rows_are_known_behind_a_comment_and_a_with_too() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 1);
    let texts = [
        (
            "/* all of the south */ UPDATE towns SET city = 'x' WHERE id <= 3",
            Some(3),
        ),
        ("-- gone\nDELETE FROM towns WHERE id = 1", Some(1)),
        (
            "WITH s AS (SELECT id FROM towns WHERE id <= 6) UPDATE towns SET city = 'y' WHERE id IN (SELECT id FROM s)",
            Some(5),
        ),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4) \
             DELETE FROM towns WHERE id IN (SELECT i FROM n)",
            Some(3),
        ),
        (
            "WITH s AS (SELECT id FROM towns) SELECT count(*) AS n FROM s",
            None,
        ),
        ("/* none */ SELECT 1 AS n", None),
    ];
    for round in 0..2 {
        let spans = spans_of(&recorder, &pool, |connection| {
            connection
                .begin_test_transaction()
                .expect("no transaction is open");
            for (sql, _) in texts {
                diesel::sql_query(sql).execute(connection).unwrap();
            }
            AnsiTransactionManager::rollback_transaction(connection).unwrap();
        });
        for (sql, rows) in texts {
            let found: Vec<_> = spans.iter().filter(|span| statement(span) == sql).collect();
            assert_eq!(found.len(), 1, "{sql}");
            assert_eq!(rows_affected(found[0]), rows, "{round}: {sql}");
        }
        // In a batch they are counted by the texts that SQLite reports.
        let spans = spans_of(&recorder, &pool, |connection| {
            connection
                .batch_execute(
                    "UPDATE towns SET city = 'a' WHERE id <= 2; \
                     WITH s AS (SELECT 1 AS id) UPDATE towns SET city = 'b' WHERE id IN (SELECT id FROM s); \
                     WITH s AS (SELECT 1 AS id) SELECT id FROM s",
                )
                .unwrap();
        });
        assert_eq!(rows_affected(&spans[0]), Some(3), "{spans:#?}");
    }
}
