//! Agents that send without end, and remember what was answered.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

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

impl Load {
    /// Two agents that send to a port.
    pub(super) fn start(port: u16) -> Self {
        let shared = Arc::<Shared>::default();
        let threads = (1..=2).map(|agent| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || send(port, agent, &shared))
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

fn send(port: u16, agent: u64, shared: &Shared) {
    let mut number = 0;
    while !shared.is_over.load(Ordering::Relaxed) {
        let mut body = METADATA.to_owned();
        let mut ids = Vec::new();
        for _ in 0..60 {
            number += 1;
            let id = format!("{:016x}", agent << 40 | number);
            let at = apm_time::now();
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
