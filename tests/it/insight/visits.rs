//! A service on a small database: left alone where it is healthy, told of what it repeats.

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, Path as Segment, get};
use actix_web::{App, HttpResponse, HttpServer};
use apm_agent::AgentGuard;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_query;
use diesel::sql_types::Integer;

use super::{Client, SOON, start_agent, start_server, text};

type Connections = Pool<ConnectionManager<SqliteConnection>>;

/// Runs what a handler does on the blocking pool.
async fn run(
    pool: Data<Connections>,
    work: impl FnOnce(&mut SqliteConnection) -> QueryResult<usize> + Send + 'static,
) -> HttpResponse {
    let done = apm_agent::actix::block(move || work(&mut pool.get().unwrap()).unwrap()).await;
    HttpResponse::Ok().body(done.unwrap().to_string())
}

fn execute(conn: &mut SqliteConnection, sql: &str, id: i32) -> QueryResult<usize> {
    sql_query(sql).bind::<Integer, _>(id).execute(conn)
}

async fn person(pool: Data<Connections>, id: Segment<i32>) -> HttpResponse {
    run(pool, move |conn| {
        execute(conn, "SELECT name, city FROM people WHERE id = ?", *id)
    })
    .await
}

async fn visits(pool: Data<Connections>, id: Segment<i32>) -> HttpResponse {
    run(pool, move |conn| {
        execute(
            conn,
            "SELECT at FROM visit WHERE person_id = ? ORDER BY at DESC LIMIT 20",
            *id,
        )
    })
    .await
}

async fn visit(pool: Data<Connections>, id: Segment<i32>) -> HttpResponse {
    run(pool, move |conn| {
        execute(conn, "INSERT INTO visit (person_id, at) VALUES (?, 1)", *id)?;
        execute(conn, "UPDATE people SET seen = seen + 1 WHERE id = ?", *id)
    })
    .await
}

async fn forget(pool: Data<Connections>) -> HttpResponse {
    run(pool, |conn| sql_query("DELETE FROM visit").execute(conn)).await
}

/// The same question six times, and a question for each of six people.
async fn loops(pool: Data<Connections>) -> HttpResponse {
    run(pool, |conn| {
        for _ in 0..6 {
            execute(conn, "SELECT seen FROM people WHERE id = ?", 7)?;
        }
        for id in 1..=6 {
            execute(conn, "SELECT count(*) FROM visit WHERE person_id = ?", id)?;
        }
        Ok(12)
    })
    .await
}

/// A service of ours on a small database, watched.
struct Visits {
    url: String,
    server: apm_server::Running,
    agent: AgentGuard,
    handle: ServerHandle,
    _dir: tempfile::TempDir,
}

impl Visits {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("people.db").to_str().unwrap().to_owned();
        let tables = "
            PRAGMA journal_mode = WAL;
            CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, city TEXT, seen INTEGER NOT NULL DEFAULT 0);
            CREATE TABLE visit (id INTEGER PRIMARY KEY, person_id INTEGER, at INTEGER);
            CREATE INDEX visit_person ON visit (person_id, at);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
            INSERT INTO people SELECT i, 'person ' || i, 'city ' || (i % 9), 0 FROM n;
            INSERT INTO visit (person_id, at) SELECT a.id, b.id FROM people a JOIN people b ON b.id <= 30;";
        SqliteConnection::establish(&file)
            .unwrap()
            .batch_execute(tables)
            .unwrap();
        let server = start_server(dir.path(), "visits");
        let agent = start_agent("visits", &server);
        let pool = Pool::builder()
            .max_size(2)
            .test_on_check_out(false)
            .connection_customizer(Box::new(agent.diesel(&*file)))
            .build(ConnectionManager::<SqliteConnection>::new(&*file))
            .unwrap();
        let (data, watched) = (Data::new(pool), agent.clone());
        let service = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/people/{id}", get().to(person))
                .route("/visits/{id}", get().to(visits))
                .route("/visit/{id}", get().to(visit))
                .route("/forget", get().to(forget))
                .route("/loops", get().to(loops))
                .wrap(watched.middleware())
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}", service.addrs()[0]);
        let service = service.run();
        let handle = service.handle();
        actix_web::rt::spawn(service);
        Self {
            url,
            server,
            agent,
            handle,
            _dir: dir,
        }
    }

    async fn stop(self) {
        self.handle.stop(true).await;
        assert!(self.agent.shutdown(SOON));
        self.server.stop(true).await;
    }
}

#[actix_web::test]
async fn a_service_whose_statements_are_varied_indexed_and_not_repeated_is_left_alone() {
    let (app, client) = (Visits::start(), Client::new());
    for number in 0..600 {
        for path in ["people", "visits", "visit"] {
            let url = format!("{}/{path}/{}", app.url, 1 + number * 7 % 500);
            client.get(&url).await;
        }
    }
    // It has been looked at for certain once a fault of the same service is told.
    client.get(&format!("{}/forget", app.url)).await;
    let about = ("no_where", "DELETE FROM visit");
    let fault = client
        .until(&app.server, about, |_| true, async || {})
        .await;
    let found = client.findings(&app.server).await;
    assert_eq!(found, [fault], "{found:#?}");
    app.stop().await;
}

#[actix_web::test]
async fn the_same_question_asked_again_is_told_from_a_question_for_each_row() {
    let (app, client) = (Visits::start(), Client::new());
    for _ in 0..5 {
        client.get(&format!("{}/loops", app.url)).await;
    }
    for (table, words) in [
        ("SELECT FROM people 6×", "with the same values each time"),
        (
            "SELECT FROM visit 6×",
            "once per row of an earlier query (N+1)",
        ),
    ] {
        let repeat = client
            .until(&app.server, ("repeat", table), |_| true, async || {})
            .await;
        assert!(text(&repeat["title"]).contains(words), "{repeat:#}");
    }
    app.stop().await;
}
