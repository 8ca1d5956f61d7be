//! Spans of Diesel's queries on PostgreSQL and MySQL (or MariaDB).

/// The tests of one database. All tables are temporary: the tests leave nothing behind.
macro_rules! tests_of {
    ($database:ident, $variable:literal, $connection:ident, $subtype:literal) => {
        mod $database {
            use diesel::connection::SimpleConnection as _;
            use diesel::prelude::*;
            use diesel::r2d2::{ConnectionManager, Pool};
            use diesel::$connection;
            use serde_json::Value;

            use crate::support::Checked;

            diesel::table! {
                people {
                    id -> Integer,
                    name -> Text,
                }
            }

            const SECRET: &str = "a name that is nobody's business";

            /// A pool of one connection and the URL it is to; `None` after a line that says why.
            fn pool(recorder: &Checked) -> Option<(Pool<ConnectionManager<$connection>>, String)> {
                let Ok(url) = std::env::var($variable) else {
                    eprintln!(concat!("skipped: ", $variable, " is not set"));
                    return None;
                };
                let pool: Pool<ConnectionManager<$connection>> = Pool::builder()
                    .max_size(1)
                    .connection_customizer(Box::new(recorder.agent().diesel(&url)))
                    .build(ConnectionManager::new(&url))
                    .unwrap();
                let create = "CREATE TEMPORARY TABLE people \
                    (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE)";
                pool.get().unwrap().batch_execute(create).unwrap();
                Some((pool, url))
            }

            fn insert(connection: &mut $connection, id: i32, name: &str) -> QueryResult<usize> {
                diesel::insert_into(people::table)
                    .values((people::id.eq(id), people::name.eq(name)))
                    .execute(connection)
            }

            #[test]
            fn queries_name_their_statement_database_and_server_and_hide_values_and_passwords() {
                let recorder = Checked::uncompressed();
                let Some((pool, url)) = pool(&recorder) else {
                    return;
                };
                recorder.run(|agent| {
                    agent.transaction("GET /", "request").run(|| {
                        let connection = &mut pool.get().unwrap();
                        connection
                            .transaction(|connection| insert(connection, 1, SECRET))
                            .unwrap();
                        let named = people::table.filter(people::name.eq(SECRET));
                        let found = named.select(people::id).load::<i32>(connection);
                        assert_eq!(found, Ok(vec![1]));
                    });
                });

                let recorded = recorder.take();
                let names: Vec<_> = recorded
                    .spans
                    .iter()
                    .map(|span| span["name"].as_str().unwrap())
                    .collect();
                assert_eq!(
                    names,
                    [
                        "BEGIN",
                        "INSERT INTO people",
                        "COMMIT",
                        "SELECT FROM people"
                    ]
                );
                let after_password = url.rsplit_once('@').unwrap().1;
                let (server, instance) = after_password.split_once('/').unwrap();
                for span in &recorded.spans {
                    let text = |pointer: &str| span.pointer(pointer).and_then(Value::as_str);
                    assert_eq!(
                        (text("/type"), text("/subtype")),
                        (Some("db"), Some($subtype))
                    );
                    assert_eq!(text("/outcome"), Some("success"));
                    assert_eq!(text("/context/db/instance"), Some(instance));
                    let resource = format!("{}/{instance}", $subtype);
                    assert_eq!(
                        text("/context/destination/service/resource"),
                        Some(resource.as_str())
                    );
                    let destination = &span["context"]["destination"];
                    assert_eq!(
                        format!(
                            "{}:{}",
                            destination["address"].as_str().unwrap(),
                            destination["port"]
                        ),
                        server
                    );
                }
                let select = recorded.spans[3]
                    .pointer("/context/db/statement")
                    .and_then(Value::as_str)
                    .unwrap();
                assert!(
                    select.starts_with("SELECT ") && !select.contains("binds"),
                    "{select}"
                );
                let everything = format!("{recorded:?}");
                let (_, password) = url[..url.len() - after_password.len() - 1]
                    .rsplit_once(':')
                    .unwrap();
                assert!(
                    !everything.contains(password) && !everything.contains(SECRET),
                    "{everything}"
                );
            }

            #[test]
            fn failing_queries_fail_their_spans_and_no_others() {
                let recorder = Checked::uncompressed();
                let Some((pool, _)) = pool(&recorder) else {
                    return;
                };
                recorder.run(|agent| {
                    agent.transaction("GET /", "request").run(|| {
                        let connection = &mut pool.get().unwrap();
                        insert(connection, 1, "ann").unwrap();
                        insert(connection, 2, "ann").unwrap_err();
                        connection
                            .batch_execute("SELECT * FROM no_such_table")
                            .unwrap_err();
                        diesel::sql_query("SELECT nonsense FROM people")
                            .execute(connection)
                            .unwrap_err();
                        assert_eq!(people::table.count().get_result(connection), Ok(1_i64));
                    });
                });

                let recorded = recorder.take();
                let spans: Vec<_> = recorded
                    .spans
                    .iter()
                    .map(|span| {
                        (
                            span["name"].as_str().unwrap(),
                            span["outcome"].as_str().unwrap(),
                        )
                    })
                    .collect();
                assert_eq!(
                    spans,
                    [
                        ("INSERT INTO people", "success"),
                        ("INSERT INTO people", "failure"),
                        ("SELECT FROM no_such_table", "failure"),
                        ("SELECT FROM people", "failure"),
                        ("SELECT FROM people", "success"),
                    ]
                );
                assert_eq!(recorded.transactions[0]["span_count"]["started"], 5);
            }

            #[test]
            fn a_failing_load_fails_its_span() {
                let recorder = Checked::uncompressed();
                let Some((pool, _)) = pool(&recorder) else {
                    return;
                };
                recorder.run(|agent| {
                    agent.transaction("GET /", "request").run(|| {
                        let connection = &mut pool.get().unwrap();
                        diesel::sql_query("SELECT id, name FROM no_such_table")
                            .load::<Person>(connection)
                            .unwrap_err();
                    });
                });
                let recorded = recorder.take();
                assert_eq!(recorded.spans[0]["outcome"], "failure");
            }

            #[derive(Debug, QueryableByName)]
            #[diesel(table_name = people)]
            #[expect(dead_code, reason = "the query fails before there is a row")]
            struct Person {
                id: i32,
                name: String,
            }

            #[test]
            fn outside_a_transaction_nothing_is_recorded() {
                let recorder = Checked::uncompressed();
                let Some((pool, _)) = pool(&recorder) else {
                    return;
                };
                insert(&mut pool.get().unwrap(), 1, "ann").unwrap();
                assert!(recorder.take().spans.is_empty());
            }
        }
    };
}

tests_of!(postgres, "POSTGRES_URL", PgConnection, "postgresql");
tests_of!(mysql, "MYSQL_URL", MysqlConnection, "mysql");
