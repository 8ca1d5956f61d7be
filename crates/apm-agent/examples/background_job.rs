//! Work without a web framework: a producer puts jobs into a queue, a worker on another thread runs them, and each job
//! is part of the trace that it was made in.
//!
//! `cargo run -p apm-agent --example background_job`

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use apm_agent::{
    Agent, Outcome, TraceContext, Transaction, capture_error, current_transaction, span,
};

/// A job carries the trace it belongs to beside its work, as it would in a message's header or a table's column.
struct Job {
    input: &'static str,
    traceparent: Option<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::from_env()?.start();
    let (queue, jobs) = mpsc::channel();
    let worker = thread::spawn(move || jobs.iter().for_each(run));

    agent.transaction("enqueue numbers", "task").run(|| {
        for input in ["7", "42", "many"] {
            let traceparent = current_transaction().map(|transaction| transaction.traceparent());
            // The worker takes jobs until the queue is closed.
            let _ = queue.send(Job { input, traceparent });
        }
    });

    drop(queue);
    let worked = worker.join();
    agent.shutdown(Duration::from_secs(5));
    worked.map_err(|_| "the worker panicked".into())
}

fn run(job: Job) {
    let parent = job
        .traceparent
        .as_deref()
        .and_then(TraceContext::from_traceparent);
    let transaction = Transaction::continue_from(parent, "parse number", "task");
    transaction.run(|| {
        let mut parsing = span("parse", "app");
        parsing.set_label("input", job.input);
        match job.input.parse::<u32>() {
            Ok(_) => transaction.set_result("parsed"),
            Err(error) => {
                // Fails the span and, as it has no other outcome, the transaction.
                capture_error(&error);
                parsing.set_outcome(Outcome::Failure);
                transaction.set_result("not a number");
            }
        }
    });
}
