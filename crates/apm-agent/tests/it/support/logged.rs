//! The lines that the agent logs. The logger is the process's, so a test that looks at them has one to itself.

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};

struct Lines(Mutex<Vec<String>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "apm_agent"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}", record.level(), record.args());
            self.0.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

/// Keeps what is logged from here on.
pub(crate) fn start(level: LevelFilter) {
    log::set_logger(&LINES).unwrap();
    log::set_max_level(level);
}

/// The lines since the last call, each behind its level.
pub(crate) fn taken() -> Vec<String> {
    std::mem::take(&mut *LINES.0.lock().unwrap())
}
