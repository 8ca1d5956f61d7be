//! The CPU time of a process, all threads, in nanoseconds.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// The run time of each thread at one moment, from the scheduler's own accounts (`/proc/PID/task/TID/schedstat`):
/// exact, where the ticks of
/// `/proc/PID/stat` are 10 ms.
#[derive(Debug)]
pub(crate) struct Snapshot(HashMap<String, u64>);

impl Snapshot {
    pub(crate) fn take(pid: u32) -> anyhow::Result<Self> {
        let tasks = format!("/proc/{pid}/task");
        let mut threads = HashMap::new();
        for task in fs::read_dir(&tasks).with_context(|| format!("cannot read {tasks}"))? {
            let task = task?;
            // A thread may end meanwhile.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            let run = text
                .split(' ')
                .next()
                .and_then(|run| run.parse().ok())
                .with_context(|| format!("{tasks}: {text:?} is no schedstat"))?;
            threads.insert(task.file_name().to_string_lossy().into_owned(), run);
        }
        Ok(Self(threads))
    }

    /// The time used since `earlier`. The time of a thread that ended in between is not known.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let used = |(thread, run): (&String, &u64)| {
            run.saturating_sub(earlier.0.get(thread).copied().unwrap_or(0))
        };
        Duration::from_nanos(self.0.iter().map(used).sum())
    }
}
