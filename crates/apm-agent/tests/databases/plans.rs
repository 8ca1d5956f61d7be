//! Plans of statements on PostgreSQL and MySQL (or MariaDB), asked for by a user who may only read.

use std::time::Duration;

use apm_agent::{Agent, AgentGuard};
use serde_json::Value;

use crate::support::server::{Behaviour, FakeServer};

/// The labels of the plans that a server was sent, oldest first.
fn plans(server: &FakeServer) -> Vec<Value> {
    let requests = server.intake_requests();
    let events = requests.iter().flat_map(|request| request.events());
    events
        .map(|event| event["metricset"].clone())
        .filter(|set| set["samples"]["sql.plan.steps"].is_object())
        .map(|set| set["tags"].clone())
        .collect()
}

fn agent(server: &FakeServer, plan_url: &str) -> AgentGuard {
    Agent::builder()
        .service_name("planned")
        .server_url(server.url())
        .api_request_time(Duration::from_millis(50))
        .sql_plan_urls([plan_url])
        .start()
}

/// The tests of one database.
macro_rules! tests_of {
    ($database:ident, $variable:literal, $reader:literal, $connection:ident, $system:literal, $scan:literal,
     $search:literal) => {
        mod $database {
            use diesel::$connection;
            use diesel::connection::SimpleConnection as _;
            use diesel::prelude::*;

            use super::*;
            use crate::support::eventually;

            diesel::table! {
                plan_people {
                    id -> Integer,
                    city -> Text,
                }
            }

            fn urls() -> Option<(String, String)> {
                let urls = std::env::var($variable).ok().zip(std::env::var($reader).ok());
                if urls.is_none() {
                    eprintln!(concat!("skipped: ", $variable, " and ", $reader, " are not both set"));
                }
                urls
            }

            fn connect(url: &str) -> $connection {
                $connection::establish(url).unwrap()
            }

            /// A query with a parameter, and one with a literal.
            fn run(agent: &Agent, url: &str) {
                let mut connection = connect(url);
                agent.diesel(url).instrument(&mut connection);
                agent.transaction("GET /", "request").run(|| {
                    let found = plan_people::table.filter(plan_people::city.eq("city 7"));
                    assert_eq!(found.count().get_result(&mut connection), Ok(20_i64));
                    diesel::sql_query("SELECT id FROM plan_people WHERE city = 'a secret' ORDER BY city")
                        .execute(&mut connection)
                        .unwrap();
                    diesel::sql_query("SELECT id FROM no_such_table").execute(&mut connection).unwrap_err();
                });
            }

            fn first_plan(server: &FakeServer) -> Value {
                let both = eventually("both plans", || {
                    Some(plans(server)).filter(|plans| plans.len() == 2)
                });
                assert!(!format!("{both:?}").contains("secret"), "{both:#?}");
                both[0].clone()
            }

            #[test]
            fn statements_are_planned_by_a_reader_and_the_next_start_tells_what_changed() {
                let Some((url, reader)) = urls() else {
                    return;
                };
                let mut writer = connect(&url);
                writer.batch_execute("DROP TABLE IF EXISTS plan_people").unwrap();
                writer
                    .batch_execute("CREATE TABLE plan_people (id INTEGER PRIMARY KEY, city VARCHAR(100) NOT NULL)")
                    .unwrap();
                let rows: Vec<_> = (0..2_000)
                    .map(|id| (plan_people::id.eq(id), plan_people::city.eq(format!("city {}", id % 100))))
                    .collect();
                diesel::insert_into(plan_people::table).values(rows).execute(&mut writer).unwrap();

                let server = FakeServer::start(Behaviour::Accept);
                let planned = agent(&server, &reader);
                run(&planned, &url);
                let first = first_plan(&server);
                assert_eq!(first["sql_system"], $system);
                assert_eq!(first["sql_database"], "apm");
                assert_eq!(first["sql_plan_version"], "1");
                let text = first["sql_plan"].as_str().unwrap();
                assert!(text.contains($scan), "{text}");

                let index = "CREATE INDEX plan_people_city ON plan_people (city)";
                writer.batch_execute(index).unwrap();
                // The statistics of the new index, in the words of each database.
                let analyze = ["ANALYZE plan_people", "ANALYZE TABLE plan_people"];
                assert!(analyze.iter().any(|words| writer.batch_execute(words).is_ok()));
                let server = FakeServer::start(Behaviour::Accept);
                drop(planned);
                let planned = agent(&server, &reader);
                run(&planned, &url);
                let second = first_plan(&server);
                assert_eq!(second["sql_statement"], first["sql_statement"]);
                let text = second["sql_plan"].as_str().unwrap();
                assert!(text.contains($search), "{text}");
                writer.batch_execute("DROP TABLE plan_people").unwrap();
            }

            #[test]
            fn a_plan_url_that_leads_nowhere_takes_nothing_from_the_service() {
                let Some((url, _)) = urls() else {
                    return;
                };
                let server = FakeServer::start(Behaviour::Accept);
                let (scheme, rest) = url.split_once("://").unwrap();
                let (_, name) = rest.rsplit_once('/').unwrap();
                let agent = agent(&server, &format!("{scheme}://reader:s3cret@127.0.0.1:1/{name}"));
                let mut connection = connect(&url);
                agent.diesel(&url).instrument(&mut connection);
                agent.transaction("GET /", "request").run(|| {
                    diesel::sql_query("SELECT 1 + 1").execute(&mut connection).unwrap();
                });
                let span = eventually("the span", || {
                    let requests = server.intake_requests();
                    let events = requests.iter().flat_map(|request| request.events());
                    events.map(|event| event["span"].clone()).find(Value::is_object)
                });
                assert_eq!(span["outcome"], "success");
                assert_eq!(plans(&server), Vec::<Value>::new());
            }
        }
    };
}

tests_of!(
    postgres,
    "POSTGRES_URL",
    "POSTGRES_READER_URL",
    PgConnection,
    "postgresql",
    "Seq Scan on plan_people",
    "plan_people_city"
);
tests_of!(
    mysql,
    "MYSQL_URL",
    "MYSQL_READER_URL",
    MysqlConnection,
    "mysql",
    "ALL plan_people",
    "ref plan_people using plan_people_city (city)"
);
