//! A minute under load without a server:
//!
//! ```sh
//! cargo test -p apm-agent --test it soak -- --ignored --nocapture
//! ```
//!
//! `--release` in front of `--test` shows the figures of a service as it is deployed; `SOAK_SECONDS=15` makes it
//! shorter.
//!
//! Two equal services answer in turns: the agent of one has a server, the server of the other is away. Whatever else
//! the machine does meanwhile slows down both, so the ratio of their medians shows what the outage costs, and nothing
//! else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, web};
use apm_agent::{Agent, AgentGuard, DropReason};
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::{RunQueryDsl as _, sql_query};
use log::{Level, Metadata, Record};

use crate::diesel::SqlitePool;
use crate::support::server::{Behaviour, FakeServer, nobody};

/// Requests of each service.
const PER_SECOND: usize = 1000;
const QUERY: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
    SELECT sum(i) FROM n";

fn seconds() -> u64 {
    std::env::var("SOAK_SECONDS").map_or(60, |text| text.parse().expect("SOAK_SECONDS is a number"))
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Counts the agents' own warnings.
#[derive(Debug)]
struct Warnings(AtomicUsize);

impl log::Log for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "apm_agent"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) && record.level() == Level::Warn {
            eprintln!("{}", record.args());
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

static WARNINGS: Warnings = Warnings(AtomicUsize::new(0));

fn agent(url: String) -> AgentGuard {
    Agent::builder()
        .service_name("soak")
        .server_url(url)
        .option("cloud_provider", "none")
        .option("central_config", "false")
        .option("api_request_time", "1s")
        .start()
}

/// A route with two queries.
macro_rules! service {
    ($agent:expr) => {{
        let pool: SqlitePool = Pool::builder()
            .max_size(1)
            .test_on_check_out(false)
            .connection_customizer(Box::new($agent.diesel("people.db")))
            .build(ConnectionManager::new(":memory:"))
            .unwrap();
        let people = async |pool: web::Data<SqlitePool>| {
            let mut connection = pool.get().unwrap();
            let counted = (0..2).map(|_| sql_query(QUERY).execute(&mut connection).unwrap());
            counted.sum::<usize>().to_string()
        };
        let app = App::new()
            .app_data(web::Data::new(pool))
            .route("/people", web::get().to(people));
        init_service(app.wrap($agent.middleware())).await
    }};
}

/// The time of an answer, in nanoseconds.
async fn answer<B: MessageBody>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
) -> u32 {
    let request = TestRequest::get().uri("/people").to_request();
    let begin = Instant::now();
    let response = app.call(request).await.unwrap();
    assert!(response.status().is_success());
    assert!(to_bytes(response.into_body()).await.is_ok());
    u32::try_from(begin.elapsed().as_nanos()).unwrap_or(u32::MAX)
}

fn median(took: &mut [u32]) -> u32 {
    let middle = took.len() / 2;
    *took.select_nth_unstable(middle).1
}

#[actix_web::test]
#[ignore = "takes a minute"]
async fn a_minute_without_a_server_costs_bounded_memory_one_warning_and_no_time() {
    log::set_logger(&WARNINGS).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let run = Duration::from_secs(seconds());
    let most_requests = PER_SECOND * usize::try_from(run.as_secs() + 1).unwrap();
    let (server, address) = (FakeServer::start(Behaviour::Forget), nobody());
    let (with, without) = (agent(server.url()), agent(format!("http://{address}")));
    let (near, far) = (service!(with), service!(without));
    let (mut up, mut down) = (vec![0; most_requests], vec![0; most_requests]);
    for _ in 0..100 {
        answer(&near).await;
        answer(&far).await;
    }

    let before = resident();
    let begin = Instant::now();
    let (mut done, mut most) = (0, before);
    while begin.elapsed() < run {
        let due = (begin.elapsed().as_secs_f64() * PER_SECOND as f64) as usize;
        while done < due {
            // The first of a pair wakes the processor up; each is it as often.
            if done % 2 == 0 {
                up[done] = answer(&near).await;
                down[done] = answer(&far).await;
            } else {
                down[done] = answer(&far).await;
                up[done] = answer(&near).await;
            }
            done += 1;
        }
        most = most.max(resident());
        actix_web::rt::time::sleep(Duration::from_millis(5)).await;
    }

    let grown = most.saturating_sub(before);
    let (up, down) = (median(&mut up[..done]), median(&mut down[..done]));
    let ratio = f64::from(down) / f64::from(up);
    let stats = without.stats();
    eprintln!(
        "{done} requests with a server, median {up} ns, and as many without, median {down} ns: ratio {ratio:.3}; \
         resident memory grew by {} KiB; {stats:?}",
        grown / 1024,
    );
    assert!(done > PER_SECOND * usize::try_from(run.as_secs() - 1).unwrap());
    assert!(grown < 16 << 20, "{grown} bytes");
    assert!(ratio < 1.05, "{ratio}");
    assert_eq!(WARNINGS.0.load(Ordering::Relaxed), 1);
    assert!(stats.dropped(DropReason::QueueFull) > 0, "{stats:?}");

    let server = FakeServer::start_at(address, Behaviour::Accept);
    for agent in [&with, &without] {
        assert!(agent.flush(Duration::from_secs(20)));
        let stats = agent.stats();
        assert_eq!(
            stats.recorded,
            stats.accepted + stats.dropped_total(),
            "{stats:?}"
        );
    }
    assert_eq!(with.stats().dropped_total(), 0, "{:?}", with.stats());
    assert_eq!(server.events().len() as u64, without.stats().accepted);
    assert!(with.shutdown(Duration::from_secs(5)) && without.shutdown(Duration::from_secs(5)));
}
