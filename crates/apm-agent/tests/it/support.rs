//! Helpers that the tests share.

pub(crate) mod gherkin;
pub(crate) mod logged;
pub(crate) mod page;
pub(crate) mod programs;
pub(crate) mod schema;
pub(crate) mod server;

use apm_agent::Agent;
use apm_agent::testing::{Recorded, Recorder};

/// A recorder whose every line is checked against the schemas of the intake.
#[derive(Debug, Default)]
pub(crate) struct Checked(Recorder);

impl Checked {
    pub(crate) fn with_options<'a>(options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(Recorder::with_options(options))
    }

    /// One that does not compress spans.
    pub(crate) fn uncompressed() -> Self {
        Self::with_options([("span_compression_enabled", "false")])
    }

    pub(crate) fn agent(&self) -> Agent {
        self.0.agent()
    }

    pub(crate) fn run<R>(&self, closure: impl FnOnce(&Agent) -> R) -> R {
        self.0.run(closure)
    }

    pub(crate) fn take_with_metrics(&self) -> Recorded {
        let recorded = self.0.take_with_metrics();
        schema::check(&recorded);
        recorded
    }

    pub(crate) fn take(&self) -> Recorded {
        let recorded = self.0.take();
        schema::check(&recorded);
        recorded
    }
}

/// Runs a closure on a checked agent of its own.
pub(crate) fn record(closure: impl FnOnce(&Agent)) -> Recorded {
    let recorder = Checked::default();
    recorder.run(closure);
    recorder.take()
}

/// Runs `attempt` until it gives something, or a minute has passed.
pub(crate) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "not within ten seconds: {what}"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
