//! The work of which `benches/integrations` counts the instructions: one operation many times, with an integration of
//! the agent and without it.
//!
//! `integrations NAME bare|sampled|unsampled COUNT` runs one; without arguments it lists the names. Nothing goes over a
//! network and nothing is sent, so runs differ by little but their count.
#![expect(clippy::print_stdout, reason = "the list is what is asked for")]

#[path = "integrations/calls.rs"]
mod calls;
#[path = "integrations/lines.rs"]
mod lines;
#[path = "integrations/queries.rs"]
mod queries;
#[path = "integrations/requests.rs"]
mod requests;

use apm_agent::options::CloudProvider;
use apm_agent::{Agent, AgentGuard};

/// Operations in a transaction, where they are none themselves.
const IN_A_TRANSACTION: u32 = 10;

/// A way to watch an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    /// Without the integration. A transaction around the operation is there all the same, and is sampled.
    Bare,
    Sampled,
    /// As `Bare` where transactions are not sampled.
    BareUnsampled,
    Unsampled,
}

impl Watched {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "bare" => Some(Self::Bare),
            "sampled" => Some(Self::Sampled),
            "bare-unsampled" => Some(Self::BareUnsampled),
            "unsampled" => Some(Self::Unsampled),
            _ => None,
        }
    }

    /// Whether the integration is there.
    fn is_on(self) -> bool {
        matches!(self, Self::Sampled | Self::Unsampled)
    }
}

/// An operation to be run, and how often.
struct Run {
    agent: AgentGuard,
    watched: Watched,
    count: u32,
}

impl Run {
    fn new(watched: Watched, count: u32) -> Self {
        let is_sampled = matches!(watched, Watched::Bare | Watched::Sampled);
        let agent = Agent::builder()
            .service_name("integrations")
            .disable_send(true)
            .cloud_provider(CloudProvider::None)
            .option("metrics_interval", "0s")
            .span_compression_enabled(false)
            .transaction_sample_rate(if is_sampled { 1.0 } else { 0.0 })
            .start();
        Self {
            agent,
            watched,
            count,
        }
    }

    /// Runs an operation in transactions, as often as is wanted.
    fn within(&self, mut operation: impl FnMut()) {
        for _ in 0..self.count / IN_A_TRANSACTION {
            let transaction = self.agent.transaction("job", "task");
            transaction.run(|| (0..IN_A_TRANSACTION).for_each(|_| operation()));
        }
    }

    /// The same for one that waits.
    async fn within_async(&self, mut operation: impl AsyncFnMut()) {
        for _ in 0..self.count / IN_A_TRANSACTION {
            let transaction = self.agent.transaction("job", "task");
            let operations = async {
                for _ in 0..IN_A_TRANSACTION {
                    operation().await;
                }
            };
            transaction.wrap(operations).await;
        }
    }
}

type Operation = fn(&Run);

/// The operations by their names, as the table of `docs/performance.md` has them.
const OPERATIONS: [(&str, Operation); 15] = [
    ("actix-web: a request", requests::actix),
    ("axum: a request", requests::axum),
    ("tower: a call by gRPC that is served", requests::grpc),
    ("Diesel on SQLite: a query", queries::diesel),
    ("Diesel without SQLite's counts: a query", queries::tracer),
    ("rusqlite, metered: a query", queries::rusqlite_metered),
    (
        "rusqlite, `span_db_ended`: a query",
        queries::rusqlite_ended,
    ),
    ("sqlx, SeaORM: the event of a query", queries::sqlx),
    ("`tracing`: a span with `db.*`", lines::query),
    ("`tracing`: a span with a field", lines::span),
    ("`log`: a line", lines::info),
    ("`log`: an error", lines::error),
    ("awc: a request to another service", calls::awc),
    ("reqwest: a request to another service", calls::reqwest),
    ("tower: a request to another service", calls::tower),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `cargo bench` adds an option of its own.
    let words: Vec<_> = std::env::args()
        .skip(1)
        .filter(|it| it != "--bench")
        .collect();
    let [name, watched, count] = &words[..] else {
        for (name, _) in OPERATIONS {
            println!("{name}");
        }
        return Ok(());
    };
    let found = OPERATIONS.iter().find(|(known, _)| known == name);
    let (_, operation) = found.ok_or("there is no such operation")?;
    let watched = Watched::parse(watched).ok_or("bare, sampled, bare-unsampled or unsampled")?;
    let run = Run::new(watched, count.parse()?);
    operation(&run);
    run.agent.flush(std::time::Duration::from_secs(60));
    Ok(())
}
