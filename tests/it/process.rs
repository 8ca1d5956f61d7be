//! The binary as a user starts and stops it.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

use crate::support::{self, Ended, addresses, get};

mod commands;
mod encrypted;
mod greedy;
mod health;
mod limits;
mod load;
mod logged;
mod mcp;
mod show;
mod sql;
mod top;

fn command(dir: &tempfile::TempDir) -> Command {
    support::command(env!("CARGO_BIN_EXE_pocket-apm"), dir)
}

/// Runs the binary in a directory.
fn run(dir: &tempfile::TempDir, line: &[&str]) -> Output {
    command(dir).args(line).output().unwrap()
}

fn succeeds(dir: &tempfile::TempDir, line: &[&str]) -> String {
    let output = run(dir, line);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The complaint of a command that does not succeed.
fn fails(dir: &tempfile::TempDir, line: &[&str]) -> String {
    let output = run(dir, line);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{line:?}");
    error
}

/// Starts the binary on free ports and returns it with the URLs that it prints.
fn start(dir: &tempfile::TempDir) -> (Ended, String, String) {
    start_with(dir, &[])
}

/// The same with more options.
fn start_with(dir: &tempfile::TempDir, options: &[&str]) -> (Ended, String, String) {
    let listen = ["--listen", "127.0.0.1:0", "--apm-listen", "127.0.0.1:0"];
    let mut child = Ended::start(command(dir).args(listen).args(options));
    let [service, apm] = addresses(child.stdout.take().unwrap(), ["service", "APM"]);
    (child, service, apm)
}

/// The address at which a server tells how many writes it has stored.
const WRITES: &str = "/api/v1/discover?from=now-15m&q=\
    transaction.name:%22GET%20/sql-write%22%20and%20processor.event:transaction";

/// The writes that a server knows which is started once more in the directory.
async fn stored_writes(dir: &tempfile::TempDir) -> u64 {
    let (_child, _, apm) = start(dir);
    let found = get(&format!("{apm}{WRITES}")).await;
    let total = found.json()["total"].as_u64();
    total.unwrap_or_else(|| panic!("{}", found.body))
}

#[actix_web::test]
async fn a_stop_signal_ends_it_within_five_seconds_and_what_was_recorded_is_there_after_a_restart()
{
    let dir = tempfile::tempdir().unwrap();
    for signal in ["INT", "TERM"] {
        let (mut child, service, _) = start(&dir);
        let in_flight = actix_web::rt::spawn({
            let url = format!("{service}/delay");
            async move { get(&url).await.status }
        });
        assert_eq!(get(&format!("{service}/sql-write")).await.status, 200);
        support::signal(&child, signal);

        assert_eq!(in_flight.await.unwrap(), 200);
        let status = limits::exit(&mut child, Duration::from_secs(5)).await;
        let status = status.unwrap_or_else(|| panic!("still running after SIG{signal}"));
        assert!(status.success(), "SIG{signal}: {status}");
    }
    assert_eq!(stored_writes(&dir).await, 2);
}

#[test]
fn a_port_in_use_is_an_error_that_names_the_option() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    for (option, other) in [("--listen", "--apm-listen"), ("--apm-listen", "--listen")] {
        let error = fails(&dir, &[option, &addr, other, "127.0.0.1:0"]);
        assert!(error.contains(option) && error.contains(&addr), "{error}");
    }
}

#[test]
fn a_port_for_otlp_that_is_taken_is_told_and_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let mut child = Ended::start(
        command(&dir)
            .args(["server", "--apm-listen", "127.0.0.1:0"])
            .args(["--apm-otlp-listen", &addr])
            .args(["--apm-otlp-grpc-listen", "127.0.0.1:0"]),
    );
    let otlp = child.lines().find(|line| line.starts_with("OTLP")).unwrap();
    let log = child.kill();
    assert!(otlp.ends_with("(gRPC)") && !otlp.contains("HTTP"), "{otlp}");
    assert!(
        log.contains("--apm-otlp-listen") && log.contains(&addr),
        "{log}"
    );
}

#[test]
fn the_help_names_every_option_with_its_variable() {
    let help = Command::new(env!("CARGO_BIN_EXE_pocket-apm"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for name in [
        "--listen",
        "DATABASE_URL",
        "UPSTREAM_URL",
        "--apm-max-age",
        "APM_SECRET_TOKEN",
        "ELASTIC_APM_SERVER_URL",
    ] {
        assert!(help.contains(name), "no {name} in {help}");
    }
}

#[actix_web::test]
async fn lines_that_are_logged_inside_a_request_carry_its_ids() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, service, _) =
        start_with(&dir, &["--upstream-url", "http://127.0.0.1:1/people"]);
    get(&format!("{service}/upstream")).await;

    let mut log = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let line = log
        .find(|line| line.contains("could not be reached"))
        .unwrap();
    let id = |name: &str| {
        line.split_whitespace()
            .find_map(|word| word.strip_prefix(name))
            .unwrap_or_default()
    };
    assert_eq!(
        (id("trace.id=").len(), id("transaction.id=").len()),
        (32, 16),
        "{line}"
    );
}
