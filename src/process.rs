//! Effects of the operating system on the process: signals, and the number of files that it may open.

use std::io;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// Open files beyond this number are of no use here; some systems allow a billion, and then it is a number to be
/// careful with.
const MOST_FILES: u64 = 65_536;

/// Files of a process that serves: libraries, databases with their logs, listeners, and a few dozen connections.
const BASE_FILES: u64 = 160;

/// Files of each thread that serves requests: its event queue, and its connection to the database.
const FILES_PER_WORKER: u64 = 10;

/// The limit on open files does not let the process serve.
#[derive(Debug, thiserror::Error)]
#[error(
    "this process may open {limit} files, and needs at least {needed}: raise the limit, as with `ulimit -n 1024` (or \
     LimitNOFILE= of a systemd unit)"
)]
pub struct TooFewFiles {
    limit: u64,
    needed: u64,
}

/// Raises the limit on open files as far as the system allows, and returns it.
///
/// Many systems start a process with a limit of 1024, although it may raise that itself. Each connection is an open
/// file.
///
/// # Errors
/// If the limit is too low for `workers` threads. Without this check SQLite and the threads' event queues fail one
/// by one.
pub fn raise_file_limit(workers: u64) -> Result<u64, TooFewFiles> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST_FILES).min(MOST_FILES);
    let mut limit = current.unwrap_or(MOST_FILES);
    if limit < wanted {
        let raised = Rlimit {
            current: Some(wanted),
            maximum,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit = wanted,
            Err(error) => log::debug!("the limit on open files stays at {limit}: {error}"),
        }
    }
    let needed = BASE_FILES + FILES_PER_WORKER * workers;
    if limit < needed {
        return Err(TooFewFiles { limit, needed });
    }
    Ok(limit)
}

/// Connections that one of `workers` threads may hold open, so that a quarter of the process's open files is enough for
/// all.
pub fn connections_per_worker(workers: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(MOST_FILES);
    let share = usize::try_from(limit.min(MOST_FILES) / 4).unwrap_or(usize::MAX);
    (share / workers.max(1)).max(16)
}

/// Makes a write beyond the limit on the size of files (`ulimit -f`) fail with an error. The default is to kill the
/// process.
///
/// # Errors
/// If the system does not let it. Belongs inside an async runtime.
pub fn survive_file_size_limit() -> io::Result<()> {
    // The handler stays for the life of the process; nobody has to listen to it.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}

/// Waits for a signal to stop: Ctrl-C, SIGTERM, or SIGHUP, which the system sends when the terminal is closed.
///
/// # Errors
/// If signals cannot be waited for.
pub async fn stop_signal() -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // A handler would undo what `nohup` did.
    let mut hangup = match is_ignored(Signal::HUP) {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    let hung_up = async {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hung_up => {}
    }
    Ok(())
}

/// Whether the process was started with a signal ignored.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

/// Looks for a signal in the mask of Linux's `/proc/self/status`. On other systems there is no such file: not ignored.
fn ignores(status: &str, signal: Signal) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_signal_is_read_from_the_mask() {
        let status = "Name:\tpocket-apm\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\n";
        assert!(ignores(status, Signal::HUP));
        assert!(ignores(status, Signal::PIPE));
        assert!(!ignores(status, Signal::TERM));
        assert!(!ignores("", Signal::HUP));
    }

    #[test]
    fn a_limit_that_is_too_low_names_the_remedy() {
        let message = raise_file_limit(u64::from(u32::MAX))
            .unwrap_err()
            .to_string();
        assert!(message.contains("ulimit -n"), "{message}");
    }
}
