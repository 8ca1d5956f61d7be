//! An agent that keeps what it records, for tests.
//!
//! ```
//! let recorded = apm_agent::testing::record(|agent| {
//!     let transaction = agent.transaction("clean up", "task");
//!     transaction.run(|| drop(apm_agent::span("find what is old", "app")));
//! });
//! assert_eq!(recorded.transactions[0]["name"], "clean up");
//! assert_eq!(recorded.spans[0]["name"], "find what is old");
//! ```

#[cfg(feature = "sqlite-meter")]
mod sql;

use std::sync::{Arc, Weak};
use std::time::Instant;

use serde_json::Value;

use crate::agent::{Agent, Builder};
use crate::recording::recorder;
use crate::util::{Mutex, MutexGuard, lock};
use crate::worker::periodic::PeriodicWork;

#[cfg(feature = "sqlite-meter")]
pub use sql::{Sql, Statement, measure_sqlite, sql};

/// Events as the server would have read them, in the order in which they were recorded.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Recorded {
    /// The metadata lines, one per request.
    pub metadata: Vec<Value>,
    /// Transactions; like all others without the object around them that names their kind.
    pub transactions: Vec<Value>,
    /// Spans.
    pub spans: Vec<Value>,
    /// Errors.
    pub errors: Vec<Value>,
    /// Metric sets.
    pub metricsets: Vec<Value>,
    /// Logs.
    pub logs: Vec<Value>,
}

/// An agent without a server: nothing leaves the process, and no thread is started. The environment is not read.
#[derive(Clone, Debug)]
pub struct Recorder {
    agent: Agent,
    work: Arc<Mutex<PeriodicWork>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::with_options([])
    }
}

impl Recorder {
    /// A recorder with options as [`Builder::option`] takes them.
    ///
    /// # Panics
    /// When an option does not exist, or a value is not valid.
    #[must_use]
    pub fn with_options<'a>(options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut builder = Builder::default().service_name("recorder");
        for (key, value) in options {
            builder = builder.option(key, value);
        }
        let (config, warnings) = builder.resolve();
        assert!(warnings.is_empty(), "{warnings:?}");
        if config.load().capture_panics {
            crate::recording::panic::install();
        }
        let work = Arc::new(Mutex::new(PeriodicWork::new(&config.load())));
        Self {
            agent: Agent::for_tests(config),
            work,
        }
    }

    /// The agent, to give to what is tested.
    #[must_use]
    pub fn agent(&self) -> Agent {
        self.agent.clone()
    }

    /// Runs a closure with this agent as the running one of the thread, which
    /// [`Transaction::begin`](crate::Transaction::begin) and errors outside transactions use.
    pub fn run<R>(&self, closure: impl FnOnce(&Agent) -> R) -> R {
        struct Restore(Weak<recorder::Recorder>);
        impl Drop for Restore {
            fn drop(&mut self) {
                recorder::set_running_here(std::mem::take(&mut self.0));
            }
        }
        let _restore = Restore(recorder::set_running_here(Arc::downgrade(
            self.agent.recorder(),
        )));
        closure(&self.agent)
    }

    /// Takes what was recorded, and the metrics as they are now.
    #[must_use]
    pub fn take_with_metrics(&self) -> Recorded {
        self.work().report(self.agent.shared());
        self.take()
    }

    fn work(&self) -> MutexGuard<'_, PeriodicWork> {
        lock(&self.work)
    }

    /// Takes what was recorded since the last time.
    ///
    /// # Panics
    /// When a line is not JSON, or its accounts do not add up: then the agent is broken.
    #[must_use]
    pub fn take(&self) -> Recorded {
        let recorder = self.agent.recorder();
        self.work().run(self.agent.shared(), Instant::now(), true);
        recorder.buffers.ripen();
        let mut recorded = Recorded::default();
        while let Some((_, body)) = recorder.buffers.pop() {
            let events = recorded.read(&body.bytes);
            assert_eq!(
                events, body.events,
                "a body does not hold the events that were counted"
            );
            recorder.buffers.counters.accepted(body.events);
        }
        assert_eq!(self.agent.stats().pending(), 0, "{:?}", self.agent.stats());
        recorded
    }
}

impl Recorded {
    /// Reads a request body; returns how many events it holds.
    fn read(&mut self, body: &[u8]) -> u64 {
        let mut events = 0;
        for line in body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let shown = || String::from_utf8_lossy(line).into_owned();
            let Ok(Value::Object(object)) = serde_json::from_slice(line) else {
                panic!("not a JSON object: {}", shown());
            };
            let Some((kind, event)) = object.into_iter().next() else {
                panic!("an empty line: {}", shown())
            };
            let list = match kind.as_str() {
                "metadata" => {
                    self.metadata.push(event);
                    continue;
                }
                "transaction" => &mut self.transactions,
                "span" => &mut self.spans,
                "error" => &mut self.errors,
                "metricset" => &mut self.metricsets,
                "log" => &mut self.logs,
                _ => panic!("an unknown kind of event: {}", shown()),
            };
            list.push(event);
            events += 1;
        }
        events
    }
}

/// Runs a closure on an agent of its own and returns what it recorded.
pub fn record(closure: impl FnOnce(&Agent)) -> Recorded {
    let recorder = Recorder::default();
    recorder.run(closure);
    recorder.take()
}
