//! The cost of an agent: the service bare, with `apm-agent`, and with OpenTelemetry's Rust stack, measured in turn.
//!
//! ```sh
//! benches/peers/run                  # 15 fresh processes per variant, about 14 minutes
//! benches/peers/run --processes 3    # a look
//! ```
//!
//! One binary plays all parts: `serve` is the service in one of its variants, `sink` takes what the variants send and
//! counts it, `run` starts everything and prints the comparison. `benches/peers/instructions` counts instructions, not
//! time.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod ask;
mod client;
mod cpu;
mod otel;
mod pace;
mod run;
mod serve;
mod sink;
mod spread;
mod wrk;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure all variants in turn and print the comparison. Needs wrk.
    Run(run::Options),
    /// Serve one variant until standard input ends. Prints its address.
    Serve {
        variant: serve::Variant,
        /// The base address of the sink.
        #[arg(long)]
        sink: String,
        /// The SQLite file; made, with 1000 people, where it is missing.
        #[arg(long)]
        database: PathBuf,
    },
    /// Ask a service for a path, one request after another on one connection.
    Ask {
        address: SocketAddr,
        path: String,
        #[arg(long, default_value_t = 1000)]
        requests: u32,
    },
    /// Take Elastic's intake v2 and OTLP, count the events. `GET /counts` says how many.
    Sink {
        #[arg(long, default_value = "127.0.0.1:8200")]
        listen: SocketAddr,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Serve {
            variant,
            sink,
            database,
        } => serve::serve(variant, &sink, &database),
        Command::Ask {
            address,
            path,
            requests,
        } => ask::ask(address, &path, requests),
        Command::Sink { listen } => sink::run(listen),
    }
}
