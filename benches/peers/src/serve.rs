//! The service, in one of its variants: the same routes and queries, watched by nobody, by `apm-agent` or by
//! OpenTelemetry.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpResponse, HttpServer, Responder, error, web};
use anyhow::Context as _;
use apm_agent::Agent;
use clap::ValueEnum;
use diesel::r2d2::{self, ConnectionManager, Pool};
use diesel::{QueryResult, SqliteConnection};
use peers_service::db::{Database, Instrument};
use peers_service::people::{self, PEOPLE_PER_WRITE};

/// People in a new table.
const ROWS: usize = 1000;
/// As the service has: one connection per worker and some to spare.
const CONNECTIONS: u32 = 8;
const WORKERS: usize = 2;
/// For what is still to be sent when the process ends, so that everything can be counted.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Variant {
    /// Not watched.
    Bare,
    /// `apm-agent`, a span per statement as OpenTelemetry has.
    Ours,
    /// OpenTelemetry: actix middleware, a span per statement, batch processor, OTLP over HTTP.
    Otel,
}

/// The state that handlers work with.
#[derive(Debug, Clone)]
struct State {
    variant: Variant,
    database: Database,
}

pub(crate) fn serve(variant: Variant, sink: &str, path: &Path) -> anyhow::Result<()> {
    let url = path.to_str().context("the database's path is not UTF-8")?;
    fill(url)?;
    match variant {
        Variant::Bare => listen(variant, url, Pool::builder(), None, App::new),
        Variant::Ours => {
            let agent = Agent::builder()
                .service_name("peers")
                .server_url(sink)
                .span_compression_enabled(false)
                .from_env()?
                .start();
            let instrument = Box::new(agent.diesel("people.db"));
            let pool = Pool::builder().event_handler(Box::new(agent.pool_events("people")));
            let wrapped = agent.clone();
            listen(variant, url, pool, Some(instrument), move || {
                App::new().wrap(wrapped.middleware())
            })?;
            let sent = agent.shutdown(FLUSH_TIMEOUT);
            eprintln!("ours: all sent: {sent}; {:?}", agent.stats());
            Ok(())
        }
        Variant::Otel => {
            use opentelemetry_instrumentation_actix_web::RequestTracing;

            let provider = crate::otel::start(sink)?;
            let instrument = Box::new(crate::otel::Instrumented);
            listen(variant, url, Pool::builder(), Some(instrument), || {
                App::new().wrap(RequestTracing::new())
            })?;
            provider.shutdown_with_timeout(FLUSH_TIMEOUT)?;
            Ok(())
        }
    }
}

/// Makes the table, unwatched.
fn fill(url: &str) -> anyhow::Result<()> {
    if Path::new(url).exists() {
        return Ok(());
    }
    let database = Database::open(url, 1, None)?;
    let mut conn = database.conn()?;
    for _ in 0..ROWS / PEOPLE_PER_WRITE {
        people::write(&mut conn)?;
    }
    Ok(())
}

/// Serves on a free port until standard input ends.
fn listen<T, B>(
    variant: Variant,
    url: &str,
    pool: r2d2::Builder<ConnectionManager<SqliteConnection>>,
    instrument: Option<Instrument>,
    app: impl Fn() -> App<T> + Send + Clone + 'static,
) -> anyhow::Result<()>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let database = Database::open_with(url, CONNECTIONS, pool, instrument)?;
    let state = State { variant, database };
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            app()
                .app_data(web::Data::new(state.clone()))
                .route("/", web::get().to(index))
                .route("/sql-group", web::get().to(sql_group))
                .route("/sql-write", web::get().to(sql_write))
        })
        .workers(WORKERS)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{}", server.addrs()[0])?;
        stdout.flush()?;
        let server = server.run();
        let handle = server.handle();
        std::thread::spawn(move || {
            // The end of the input ends the service: its starter closes it, or dies.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            actix_web::rt::System::new().block_on(handle.stop(true));
        });
        server.await.context("the service failed")
    })
}

async fn index() -> impl Responder {
    HttpResponse::Ok().json(serde_json::json!({ "message": "response ok" }))
}

async fn sql_group(state: web::Data<State>) -> actix_web::Result<&'static str> {
    let counts = with_conn(state, people::count_by_city).await?;
    drop(counts);
    Ok("ok")
}

async fn sql_write(state: web::Data<State>) -> actix_web::Result<&'static str> {
    with_conn(state, people::write).await?;
    Ok("ok")
}

/// Runs a query on the blocking pool; each variant carries its own context there.
async fn with_conn<R: Send + 'static>(
    state: web::Data<State>,
    query: fn(&mut SqliteConnection) -> QueryResult<R>,
) -> actix_web::Result<R> {
    let variant = state.variant;
    let work = move || -> anyhow::Result<R> { Ok(query(&mut *state.database.conn()?)?) };
    let done = match variant {
        Variant::Bare => web::block(work).await,
        Variant::Ours => apm_agent::actix::block(work).await,
        Variant::Otel => {
            let context = opentelemetry::Context::current();
            web::block(move || {
                let _attached = context.attach();
                work()
            })
            .await
        }
    };
    done?.map_err(error::ErrorInternalServerError)
}
