//! The small service whose agent is measured, with everything but the network: requests go straight into actix-web's
//! services, and what is recorded is thrown away by the agent's own thread instead of being sent.

use std::fmt::{self, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::rt::SystemRunner;
use actix_web::{App, Error, HttpResponse, middleware::Condition, test, web};
use apm_agent::options::CloudProvider;
use apm_agent::{Agent, AgentGuard};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::r2d2::CustomizeConnection as _;
use diesel::sqlite::Sqlite;
use pocket_apm::people::NewPerson;
use pocket_apm::schema::people;

/// Queries in a request to [`QUERIES`].
pub(crate) const QUERY_COUNT: usize = 5;
/// A request without a query, and one with [`QUERY_COUNT`].
pub(crate) const PLAIN: &str = "/";
pub(crate) const QUERIES: &str = "/queries";

/// Ways to watch a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Without the middleware.
    Not,
    /// With the middleware, `enabled=false`.
    Disabled,
    /// Nothing is sampled.
    Unsampled,
    /// Everything is.
    Sampled,
    /// Everything is, without the hash of a SELECT's bind values.
    Unhashed,
}

impl Watched {
    pub(crate) const ALL: [Self; 4] = [Self::Not, Self::Disabled, Self::Unsampled, Self::Sampled];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Not => "no middleware",
            Self::Disabled => "disabled",
            Self::Unsampled => "unsampled",
            Self::Sampled => "sampled",
            Self::Unhashed => "sampled, no bind hash",
        }
    }

    /// An agent in this state; it sends nothing. Spans are not compressed: each is recorded in full.
    pub(crate) fn agent(self) -> AgentGuard {
        let is_sampled = matches!(self, Self::Sampled | Self::Unhashed);
        let rate = if is_sampled { 1.0 } else { 0.0 };
        let enabled = is_sampled || self == Self::Unsampled;
        Agent::builder()
            .service_name("agent-overhead")
            .enabled(enabled)
            .transaction_sample_rate(rate)
            .disable_send(true)
            .cloud_provider(CloudProvider::None)
            .span_compression_enabled(false)
            .transaction_max_spans(4_000_000_000)
            .capture_bind_hash(self != Self::Unhashed)
            .start()
    }

    /// A service, ready for requests.
    pub(crate) fn service(
        self,
        system: &SystemRunner,
        agent: &Agent,
    ) -> impl Service<actix_http::Request, Response = ServiceResponse<impl MessageBody>, Error = Error>
    {
        let conn = web::Data::new(Mutex::new(connection(agent)));
        let app = App::new()
            .app_data(conn)
            .route(PLAIN, web::get().to(plain))
            .route(QUERIES, web::get().to(queries))
            .wrap(Condition::new(self != Self::Not, agent.middleware()));
        system.block_on(test::init_service(app))
    }
}

/// A request as a browser would send it, or as a load generator does: with one header.
pub(crate) fn request(path: &str, headers: &[(&'static str, &'static str)]) -> actix_http::Request {
    let mut request = test::TestRequest::get()
        .uri(path)
        .insert_header(("Host", "127.0.0.1:8080"));
    for header in headers {
        request = request.insert_header(*header);
    }
    request.to_request()
}

/// With `Host`, nine headers.
pub(crate) const BROWSER: [(&str, &str); 8] = [
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Connection", "keep-alive"),
    ("Cookie", "session=0b6f1f4e2d"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Cache-Control", "max-age=0"),
];

/// A connection to a table in memory with one row, watched by an agent.
pub(crate) fn connection(agent: &Agent) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").expect("a database in memory");
    conn.batch_execute(include_str!(
        "../../migrations/2026-11-22-000000_create_people/up.sql"
    ))
    .and_then(|()| {
        conn.batch_execute(
            "INSERT INTO people (name, age, surname, city) VALUES ('ruan', 34, 'bekker', 'cape town')",
        )
    })
    .expect("the table");
    let watch = agent.diesel("people.db");
    watch.on_acquire(&mut conn).expect("the instrumentation");
    conn
}

/// Runs [`select`].
pub(crate) fn query(conn: &mut SqliteConnection) -> (i32, String) {
    select().get_result(conn).expect("the row")
}

/// A query by primary key.
#[diesel::dsl::auto_type]
pub(crate) fn select() -> _ {
    people::table
        .select((people::id, people::name))
        .filter(people::id.eq(1_i32))
}

/// One of `/sql-write`'s INSERTs.
pub(crate) fn insert(person: &NewPerson) -> impl QueryFragment<Sqlite> + '_ {
    diesel::insert_into(people::table).values(person)
}

/// Has Diesel write a statement, as an instrumentation does, and stops it before the values. Returns the statement's
/// length.
pub(crate) fn format(query: &impl QueryFragment<Sqlite>) -> usize {
    struct Sink(usize);
    impl fmt::Write for Sink {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            if piece == " -- binds: " {
                return Err(fmt::Error);
            }
            self.0 += piece.len();
            Ok(())
        }
    }
    let mut sink = Sink(0);
    // An error is how the sink stops Diesel.
    let _ = write!(sink, "{}", diesel::debug_query::<Sqlite, _>(query));
    sink.0
}

/// Lets the agent's thread finish what it has.
pub(crate) fn settle(agent: &Agent) {
    agent.flush(Duration::from_secs(10));
}

async fn plain() -> HttpResponse<BoxBody> {
    HttpResponse::Ok().body("ok")
}

async fn queries(conn: web::Data<Mutex<SqliteConnection>>) -> HttpResponse<BoxBody> {
    let mut conn = conn.lock().expect("no query panics");
    for _ in 0..QUERY_COUNT {
        std::hint::black_box(query(&mut conn));
    }
    HttpResponse::Ok().body("ok")
}
