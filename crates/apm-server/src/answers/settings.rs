//! `/settings`: what is stored and for how long, how the writer does, and the configuration that agents ask for.

mod output;

use std::collections::BTreeMap;
use std::time::Duration;

use apm_store::{Durability, NameKind, kept};
use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::agent_config::{self, polls};
use crate::analytics::names;
use crate::csv::{Cell, Table};
use output::output;
pub(crate) use output::{Covers, Output, Refused};

/// The question.
#[derive(Debug)]
pub(crate) struct Params;

/// Storage, names and agent settings.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Settings")]
pub(crate) struct Answer {
    /// The file of the telemetry.
    pub(crate) path: String,
    /// Bytes of the file.
    pub(crate) database_bytes: u64,
    /// Bytes of its write-ahead log.
    pub(crate) log_bytes: u64,
    /// Bytes that the log may have.
    pub(crate) log_max_bytes: u64,
    /// Time for which another process has kept the log from being emptied, seconds; null where none does.
    pub(crate) log_pinned_seconds: Option<f64>,
    /// Logs that were deleted, replaced or cut since the start.
    pub(crate) lost_logs: u64,
    /// Blocks of events that were found damaged since the start.
    pub(crate) damaged_blocks: u64,
    /// Bytes that both may have together; null where there is no limit.
    pub(crate) max_bytes: Option<u64>,
    /// Time for which events are kept, seconds; null where only the size decides.
    pub(crate) events_seconds: Option<f64>,
    /// Time for which rollups are kept, seconds; null where only the size decides.
    pub(crate) rollups_seconds: Option<f64>,
    /// When the oldest stored event arrived, kept traces aside, seconds since 1970; null where none is stored.
    pub(crate) oldest: Option<i64>,
    /// Bytes of traces that are kept beyond the newest events.
    pub(crate) kept_bytes: i64,
    /// Part of the largest size that these may take, percent.
    pub(crate) keep_percent: u8,
    /// Part of the traces that stays when they are complete, percent; null where all stay.
    pub(crate) tail_percent: Option<f64>,
    /// The time after which they are sampled; null where all stay.
    pub(crate) tail_seconds: Option<f64>,
    /// True if an acknowledged event survives a power loss, and not only the end of the process.
    pub(crate) survives_power_loss: bool,
    /// Events stored since the start.
    pub(crate) events: u64,
    /// Events that wait for the writer.
    pub(crate) queued_events: u64,
    /// Events that could not be stored since the start.
    pub(crate) failed_events: u64,
    /// Batches that were refused since the start.
    pub(crate) refused_batches: u64,
    /// Events whose time could not be, stored as of their arrival.
    pub(crate) wrong_times: u64,
    /// Mean time of a commit since the start, seconds; null before the first.
    pub(crate) commit_seconds: Option<f64>,
    /// Why the last commit failed; null where it did not.
    pub(crate) trouble: Option<String>,
    /// Host and port where OTLP is taken over HTTP, besides the server's own port; null where nowhere else.
    pub(crate) otlp_http: Option<String>,
    /// Host and port where OTLP is taken over gRPC; null where nowhere.
    pub(crate) otlp_grpc: Option<String>,
    /// The output to Elasticsearch or OpenSearch; null where there is none.
    pub(crate) output: Option<Output>,
    /// Names that are kept apart, by kind.
    pub(crate) names: Vec<Names>,
    /// Settings of agents.
    pub(crate) agents: Vec<Agent>,
}

/// The names of a kind.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NamesOfKind")]
pub(crate) struct Names {
    /// The kind of name.
    pub(crate) kind: &'static str,
    /// Number of names; null where they are not counted.
    pub(crate) count: Option<i64>,
    /// Largest number of a service; null where there is no limit.
    pub(crate) service_limit: Option<usize>,
    /// Largest number in all; null where there is no limit.
    pub(crate) total_limit: Option<usize>,
    /// Events since the start whose name was beyond a limit.
    pub(crate) events_beyond: u64,
    /// Services that have as many as they may, at most five.
    pub(crate) full: Vec<String>,
    #[serde(skip)]
    pub(crate) of: NameKind,
}

/// Settings of the agents of a service.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AgentSettings")]
pub(crate) struct Agent {
    /// `service.name`; empty: all services.
    pub(crate) service: String,
    /// `service.environment`; empty: all environments.
    pub(crate) environment: String,
    /// The settings by name.
    pub(crate) values: BTreeMap<String, String>,
    /// When an agent last said that it has applied them, µs since the epoch; null where none did.
    pub(crate) applied: Option<i64>,
    /// The agents that asked for them within a day.
    pub(crate) agents: Vec<PollingAgent>,
}

/// An agent that asks for its settings.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PollingAgent {
    /// `service.name`
    pub(crate) service: String,
    /// `service.environment`; empty where it names none.
    pub(crate) environment: String,
    /// The agent as it names itself.
    pub(crate) agent: String,
    /// Whether it has applied the settings.
    pub(crate) has_applied: bool,
    /// When it last asked, µs since the epoch, exact to ten minutes.
    pub(crate) at: i64,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/settings");
    const SUMMARY: &'static str = "What is stored and for how long, and what agents are told";
    const DEPENDS: Depends = Depends::Files;
    const TABLES: &'static [&'static str] = &["names", "agents"];

    fn read(_: &Arguments) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let (stats, options) = (source.store.stats(), source.store.options());
        let whole = kept::first_whole_block(source.conn)?;
        let oldest = kept::received_since(source.conn, whole)?;
        let output = output(source)?;
        let known = names::list(source.conn, &options.names)?;
        let names = NameKind::ALL.into_iter().map(|kind| {
            let known = known.iter().find(|names| names.kind == kind);
            let limit = options.names.limit(kind);
            // Servers before an engine count instances, others do not.
            let is_counted = kind != NameKind::Instance || output.is_some();
            Names {
                kind: kind.as_str(),
                count: known.filter(|_| is_counted).map(|names| names.count),
                // Services belong to no service.
                service_limit: limit
                    .filter(|_| kind != NameKind::Service)
                    .map(|limit| limit.of_service),
                total_limit: limit.map(|limit| limit.in_all),
                events_beyond: stats.beyond.number(kind),
                full: known.map(|names| names.full.clone()).unwrap_or_default(),
                of: kind,
            }
        });
        let agents = agents(source.conn)?;
        let seconds = |age: Duration| age.as_secs_f64();
        Ok(Answer {
            path: options.path.display().to_string(),
            database_bytes: stats.database_bytes,
            log_bytes: stats.log_bytes,
            log_max_bytes: stats.log_limit,
            log_pinned_seconds: stats.log_pinned.map(seconds),
            lost_logs: stats.lost_logs,
            damaged_blocks: stats.damaged_blocks,
            max_bytes: options.max_size,
            events_seconds: options.raw_max_age.map(seconds),
            rollups_seconds: options.rollup_max_age.map(seconds),
            oldest,
            kept_bytes: kept::total(source.conn)?.bytes,
            keep_percent: options.keep,
            tail_percent: options.tail.map(|tail| tail.share * 100.0),
            tail_seconds: options.tail.map(|tail| seconds(tail.wait)),
            survives_power_loss: matches!(options.durability, Durability::Full),
            events: stats.events,
            queued_events: stats.queued_events as u64,
            failed_events: stats.failed_events,
            refused_batches: stats.refused_batches,
            wrong_times: stats.wrong_times,
            commit_seconds: (stats.commits > 0)
                .then(|| stats.commit_time.as_secs_f64() / stats.commits as f64),
            trouble: stats.trouble.as_ref().map(ToString::to_string),
            otlp_http: source.settings.otlp_http.clone(),
            otlp_grpc: source.settings.otlp_grpc.clone(),
            names: names.collect(),
            agents,
            output,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![
            Table::from_rows(
                "names",
                &answer.names,
                &[
                    ("kind", |row| row.kind.into()),
                    ("count", |row| row.count.into()),
                    ("service_limit", |row| row.service_limit.into()),
                    ("total_limit", |row| row.total_limit.into()),
                    ("events_beyond", |row| row.events_beyond.into()),
                    ("full", |row| row.full.join(", ").into()),
                ],
            ),
            Table::from_rows(
                "agents",
                &answer.agents,
                &[
                    ("service", |row| (&row.service).into()),
                    ("environment", |row| (&row.environment).into()),
                    ("settings", |row| {
                        let values = row
                            .values
                            .iter()
                            .map(|(key, value)| format!("{key}={value}"));
                        values.collect::<Vec<_>>().join(" ").into()
                    }),
                    ("applied_utc", |row| {
                        row.applied.map_or(Cell::Empty, Cell::Time)
                    }),
                ],
            ),
        ]
    }
}

/// The settings, and the agents that each applies to.
fn agents(conn: &mut SqliteConnection) -> QueryResult<Vec<Agent>> {
    let all = agent_config::list(conn)?;
    let mut agents: Vec<Agent> = all
        .iter()
        .map(|of| Agent {
            service: of.service.clone(),
            environment: of.environment.clone(),
            values: of.values.clone(),
            applied: of.applied,
            agents: Vec::new(),
        })
        .collect();
    for poll in polls::list(conn)? {
        let Some(found) = poll.finds(&all) else {
            continue;
        };
        let place = all.iter().position(|one| one == found).unwrap_or_default();
        let has_applied = poll.has(found);
        agents[place].agents.push(PollingAgent {
            service: poll.service,
            environment: poll.environment,
            agent: poll.agent,
            has_applied,
            at: poll.at,
        });
    }
    Ok(agents)
}
