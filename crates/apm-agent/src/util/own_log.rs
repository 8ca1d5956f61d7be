//! The agent's own log lines: through the `log` crate, target `apm_agent`, no more than the option `log_level` allows.

use std::fmt::Arguments;
use std::sync::atomic::{AtomicUsize, Ordering};

use log::{Level, LevelFilter};

/// The target of every line.
pub(crate) const TARGET: &str = "apm_agent";

static MOST: AtomicUsize = AtomicUsize::new(LevelFilter::Info as usize);

/// Sets the least severe level that is logged; for all agents of the process.
pub(crate) fn set_level(most: LevelFilter) {
    MOST.store(most as usize, Ordering::Relaxed);
}

pub(crate) fn error(line: Arguments<'_>) {
    write(Level::Error, line);
}

pub(crate) fn warn(line: Arguments<'_>) {
    write(Level::Warn, line);
}

pub(crate) fn info(line: Arguments<'_>) {
    write(Level::Info, line);
}

pub(crate) fn debug(line: Arguments<'_>) {
    write(Level::Debug, line);
}

fn write(level: Level, line: Arguments<'_>) {
    if level as usize <= MOST.load(Ordering::Relaxed) {
        log::log!(target: TARGET, level, "{line}");
    }
}
