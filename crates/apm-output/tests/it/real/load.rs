//! Agents that send without end, and remember what was answered.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::http::call;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"load","agent":{"name":"rust","version":"1"}}}}"#;

pub(super) struct Load {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    answered: Mutex<HashSet<String>>,
}

/// The age of what is sent, µs. Its minutes are over, so the next flush of minutes counts all of it.
const AGO: i64 = 2 * 3_600_000_000;

impl Load {
    /// Two agents that send to a port.
    pub(super) fn start(port: u16) -> Self {
        Self::of_agents(port, [1, 2], Duration::ZERO)
    }

    /// Agents of some numbers, which are in the ids of what they send; each sends 60 events in a time, or without end.
    pub(super) fn of_agents(port: u16, agents: [u64; 2], each: Duration) -> Self {
        let shared = Arc::<Shared>::default();
        let threads = agents.into_iter().map(|agent| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || send(port, agent, each, &shared))
        });
        Self {
            threads: Mutex::new(threads.collect()),
            shared,
        }
    }

    pub(super) fn stop(&self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            thread.join().expect("an agent ends");
        }
    }

    /// The ids of transactions whose request was answered: they are stored.
    pub(super) fn answered(&self) -> HashSet<String> {
        let answered = self
            .shared
            .answered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        answered.clone()
    }
}

fn send(port: u16, agent: u64, each: Duration, shared: &Shared) {
    let mut number = 0;
    let mut next = Instant::now();
    while !shared.is_over.load(Ordering::Relaxed) {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next += each;
        let mut body = METADATA.to_owned();
        let mut ids = Vec::new();
        for _ in 0..60 {
            number += 1;
            let id = format!("{:016x}", agent << 40 | number);
            let at = apm_time::now() - AGO;
            body += &format!(
                "\n{{\"transaction\":{{\"id\":\"{id}\",\"trace_id\":\"{id}{id}\",\"name\":\"GET /{}\",\
                 \"type\":\"request\",\"result\":\"HTTP 2xx\",\"outcome\":\"success\",\
                 \"duration\":1.5,\"timestamp\":{at},\
                 \"span_count\":{{\"started\":0}}}}}}",
                number % 7
            );
            ids.push(id);
        }
        let answer = call(
            port,
            "POST",
            "/intake/v2/events",
            "application/x-ndjson",
            body.as_bytes(),
        );
        match answer {
            Ok((202, _)) => {
                let mut answered = shared
                    .answered
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                answered.extend(ids);
            }
            // The server is not there: what was sent may be stored or not, and nobody was told that it is.
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
