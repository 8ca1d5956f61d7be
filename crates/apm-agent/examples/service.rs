//! A service in which each request is a transaction and each query a span.
//!
//! `cargo run -p apm-agent --example service`, then `curl http://127.0.0.1:8080/count`. Events go to
//! `ELASTIC_APM_SERVER_URL`, by default `http://127.0.0.1:8200`; the address to listen on is `LISTEN`.

use actix_web::error::ErrorInternalServerError;
use actix_web::{App, HttpServer, Responder, Result, get, web};
use apm_agent::Agent;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::{SqliteConnection, sql_query, sql_types};

type Visits = Pool<ConnectionManager<SqliteConnection>>;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::BigInt)]
    number: i64,
}

/// Counts its visitors.
#[get("/count")]
async fn count(visits: web::Data<Visits>) -> Result<impl Responder> {
    let counted = apm_agent::actix::block(
        move || -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
            let connection = &mut visits.get()?;
            sql_query("INSERT INTO visit DEFAULT VALUES").execute(connection)?;
            let counts = sql_query("SELECT count(*) AS number FROM visit")
                .get_result::<Count>(connection)?;
            Ok(counts.number)
        },
    );
    let number = counted.await?.map_err(ErrorInternalServerError)?;
    Ok(format!("You are number {number}\n"))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::from_env()?.start();
    let visits = Pool::builder()
        .max_size(1) // the database is in memory: each connection has its own
        .test_on_check_out(false)
        .connection_customizer(Box::new(agent.diesel(":memory:")))
        .build(ConnectionManager::<SqliteConnection>::new(":memory:"))?;
    sql_query("CREATE TABLE visit (id INTEGER PRIMARY KEY)").execute(&mut visits.get()?)?;

    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let recorder = agent.clone();
    HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(visits.clone()))
            .service(count)
            .wrap(recorder.middleware())
    })
    .workers(1)
    .bind(listen)?
    .run()
    .await?;
    Ok(())
}
