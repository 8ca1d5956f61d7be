//! The ways in which a program ends, and how none of them loses what the agent has recorded last.
//!
//! `cargo run -p apm-agent --example endings -- return` (or `error`, `panic`, `thread`, `abort`, `exit`, `clone`,
//! `hook`, `fork`)

use std::process::ExitCode;
use std::time::Duration;

use apm_agent::{Agent, Transaction, capture_error};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    env_logger::init();
    let ending = std::env::args().nth(1).unwrap_or_default();
    if ending == "hook" {
        // Set before the agent is started: the agent's hook goes first, and then calls this one.
        std::panic::set_hook(Box::new(|_| std::process::abort()));
    }

    // The guard: it sends what is left when it is dropped, whatever the reason.
    let agent = Agent::from_env()?.start();

    let job = agent.transaction("the last job", "task");
    job.run(|| drop(apm_agent::span("the last step", "app")));
    agent.metrics().counter("jobs").add(1);
    match ending.as_str() {
        // `main` returns, with an exit code instead of `exit`.
        "return" => {}
        // `?`
        "error" => {
            drop(job);
            "seven".parse::<u32>().inspect_err(|error| {
                capture_error(error);
            })?;
        }
        // Unwinding drops the guard as well, behind the transaction.
        "panic" => job.run(|| panic!("on purpose")),
        // A hook that ends the process: the agent's own hook waits before it calls it.
        "hook" | "thread" => {
            let panics = std::thread::spawn(|| panic!("on purpose"));
            drop(panics.join());
        }
        // A panic that cannot unwind: nothing is dropped, and the agent's hook ends the transaction.
        "abort" => job.run(|| cannot_unwind()),
        // `exit` drops nothing, so what is recorded is sent before.
        "exit" => {
            drop(job);
            let sent = apm_agent::flush(Duration::from_secs(5));
            std::process::exit(if sent { 3 } else { 4 });
        }
        // Clones in other places, such as middleware, do not keep the guard from sending.
        "clone" => {
            drop(job);
            std::mem::forget(agent.clone());
            return Ok(ExitCode::SUCCESS);
        }
        #[cfg(unix)]
        "fork" => {
            drop(job);
            return fork(&agent);
        }
        _ => return Err("which ending? See the first lines of this example".into()),
    }
    Ok(ExitCode::SUCCESS)
}

extern "C" fn cannot_unwind() {
    panic!("on purpose")
}

/// A fork copies no threads: the agent stays with the parent, and the child starts one of its own.
#[cfg(unix)]
fn fork(agent: &Agent) -> Result<ExitCode, Box<dyn std::error::Error>> {
    match fork::fork()? {
        fork::Fork::Parent(child) => {
            fork::waitpid(child)?;
            Ok(ExitCode::SUCCESS)
        }
        fork::Fork::Child => {
            // The agent's log says once that it does not run here.
            assert!(!agent.is_recording());
            assert!(!agent.flush(Duration::from_secs(60)));
            drop(agent.transaction("not recorded", "task"));
            let own = Agent::from_env()?.start();
            drop(own.transaction("of the child", "task"));
            drop(Transaction::begin("of the child", "task"));
            Ok(ExitCode::SUCCESS)
        }
    }
}
