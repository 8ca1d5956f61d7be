//! Whatever ends a program, what it has recorded last arrives.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::programs::{example, named, names, program};
use crate::support::server::{Behaviour, FakeServer};

/// Runs the example to its end, with an agent that sends nothing by itself meanwhile.
fn run(ending: &str, server: &FakeServer) -> Option<Output> {
    Some(end(example("endings", server)?, ending))
}

fn end(mut program: Command, ending: &str) -> Output {
    program
        .arg(ending)
        .env("ELASTIC_APM_API_REQUEST_TIME", "1h")
        // The first stack trace of an unoptimised program takes seconds on a busy machine.
        .env("ELASTIC_APM_STACK_TRACE_LIMIT", "0")
        .stderr(Stdio::piped());
    program.output().unwrap()
}

/// Runs it, and says with which code it ended; `None` for a signal.
fn ended(ending: &str) -> Option<(FakeServer, Option<i32>)> {
    let server = FakeServer::start(Behaviour::Accept);
    let output = run(ending, &server)?;
    assert_eq!(
        names(&named(&server, "transaction")),
        ["the last job"],
        "{ending}"
    );
    assert_eq!(names(&named(&server, "span")), ["the last step"]);
    Some((server, output.status.code()))
}

fn message(server: &FakeServer) -> Value {
    let errors = named(server, "error");
    assert!(!errors.is_empty());
    errors[0]["exception"]["message"].clone()
}

fn has_counted(server: &FakeServer) -> bool {
    let sets = named(server, "metricset");
    sets.iter().any(|set| set["samples"]["jobs"]["value"] == 1)
}

#[test]
fn when_main_returns_all_is_sent_with_the_last_metrics() {
    for ending in ["return", "clone"] {
        let Some((server, code)) = ended(ending) else {
            return;
        };
        assert_eq!(code, Some(0));
        assert!(has_counted(&server), "{ending}");
    }
}

#[test]
fn an_error_that_ends_main_is_sent() {
    let Some((server, code)) = ended("error") else {
        return;
    };
    assert_eq!(code, Some(1));
    assert_eq!(message(&server), "invalid digit found in string");
    assert!(has_counted(&server));
}

#[test]
fn a_panic_in_main_is_sent_with_its_transaction() {
    let Some((server, code)) = ended("panic") else {
        return;
    };
    assert_eq!(code, Some(101));
    assert_eq!(message(&server), "on purpose");
    assert_eq!(named(&server, "transaction")[0]["outcome"], "failure");
}

#[test]
fn a_panic_in_a_thread_is_sent_when_main_returns() {
    let Some((server, code)) = ended("thread") else {
        return;
    };
    assert_eq!(code, Some(0));
    assert_eq!(message(&server), "on purpose");
}

#[test]
fn a_panic_that_cannot_unwind_is_sent_with_its_transaction() {
    let Some((server, code)) = ended("abort") else {
        return;
    };
    assert_eq!(code, None, "it was aborted");
    assert_eq!(message(&server), "on purpose");
    assert_eq!(named(&server, "transaction")[0]["outcome"], "failure");
    assert!(has_counted(&server));
}

/// `.ci/torture` builds the example with `panic=abort`, and says where it is in `ENDINGS`.
#[test]
#[ignore = "needs the example with panic=abort, see .ci/torture"]
fn a_panic_that_aborts_the_program_is_sent_with_its_transaction() {
    let path = std::env::var_os("ENDINGS").expect("ENDINGS names the example");
    for ending in ["panic", "thread", "abort", "hook"] {
        let server = FakeServer::start(Behaviour::Accept);
        let output = end(program((&path).into(), &server).expect("a program"), ending);
        assert_eq!(output.status.code(), None, "{ending}: it was aborted");
        assert_eq!(message(&server), "on purpose", "{ending}");
        let transactions = named(&server, "transaction");
        if matches!(ending, "panic" | "abort") {
            assert_eq!(transactions[0]["outcome"], "failure", "{ending}");
        }
    }
}

#[test]
fn a_panic_whose_hook_ends_the_process_is_sent() {
    let server = FakeServer::start(Behaviour::Accept);
    let Some(output) = run("hook", &server) else {
        return;
    };
    assert_eq!(output.status.code(), None, "it was aborted");
    assert_eq!(message(&server), "on purpose");
}

#[test]
fn before_exit_what_is_left_can_be_sent_without_a_handle() {
    let Some((server, code)) = ended("exit") else {
        return;
    };
    assert_eq!(code, Some(3));
    assert!(has_counted(&server));
}

#[test]
fn the_end_of_a_program_does_not_wait_long_for_a_server_that_hangs() {
    for ending in ["return", "clone", "panic", "abort"] {
        let server = FakeServer::start(Behaviour::Silence);
        let start = Instant::now();
        if run(ending, &server).is_none() {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(8), "{ending}");
    }
}

#[test]
#[cfg(unix)]
fn a_forked_child_says_that_it_has_no_agent_and_can_start_one() {
    let server = FakeServer::start(Behaviour::Accept);
    let start = Instant::now();
    let Some(output) = run("fork", &server) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(
        said.matches("start an agent after the fork").count(),
        1,
        "{said}"
    );
    // Nobody waits for a thread that is not there.
    assert!(start.elapsed() < Duration::from_secs(30));
    let mut transactions = named(&server, "transaction");
    transactions.sort_by_key(|it| it["name"].to_string());
    assert_eq!(
        names(&transactions),
        ["of the child", "of the child", "the last job"]
    );
}
