//! The agent's own thread: takes what is ready or ripe, posts it, and leaves a failing server alone for a while.
//!
//! It has its own single-threaded runtime, so it needs none of the service's and cannot be starved by it. It waits only
//! inside that runtime: a pooled connection that the server closes meanwhile is noticed instead of used.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc as std_mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time;

use crate::config::CloudProvider;
use crate::recording::buffers::{Body, Content};
use crate::recording::recorder::{self, Command, Recorder};
use crate::recording::stats::DropReason;
use crate::util::own_log;
use crate::worker::backoff::Backoff;
use crate::worker::client::{Answer, Client, Posted};
use crate::worker::periodic::PeriodicWork;
use crate::worker::refusal;
use crate::worker::shared::Shared;
use crate::worker::{central_config, server_info};

/// Starts the thread.
pub(crate) fn spawn(
    shared: Arc<Shared>,
    client: Client,
    commands: mpsc::Receiver<Command>,
) -> io::Result<thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("apm-agent".to_owned())
        .spawn(move || {
            recorder::mark_agent_thread();
            let sender = Sender {
                work: PeriodicWork::new(&shared.recorder.config.load()),
                recorder: Arc::clone(&shared.recorder),
                shared,
                client: Arc::new(client),
                commands,
                waiting: Vec::new(),
                backoff: Backoff::default(),
                retry_at: None,
                outage: None,
                dropped_before: 0,
                closing: false,
            };
            runtime.block_on(sender.run());
        })
}

/// Commands that may wait behind a request.
const WAITING: usize = 16;

/// Warnings during one outage, even if the server fails in ever new ways.
const MAX_TOLD: usize = 8;

/// The command for the moment when the last handle of the agent is gone.
fn final_shutdown() -> Command {
    let (done, _) = std_mpsc::sync_channel(1);
    Command::Shutdown {
        deadline: Instant::now() + Duration::from_secs(1),
        done,
    }
}

struct Sender {
    shared: Arc<Shared>,
    recorder: Arc<Recorder>,
    client: Arc<Client>,
    work: PeriodicWork,
    commands: mpsc::Receiver<Command>,
    /// Commands that came while a request was under way.
    waiting: Vec<Command>,
    backoff: Backoff,
    /// The server is left alone until then.
    retry_at: Option<Instant>,
    /// A warning was logged, and no success since.
    outage: Option<Outage>,
    /// Events that had been dropped when the server last took some.
    dropped_before: u64,
    /// The last handle is gone, or a shutdown waits.
    closing: bool,
}

/// A time in which the server takes nothing.
#[derive(Debug, Default)]
struct Outage {
    /// Each kind of failure is a warning once.
    told: Vec<Failure>,
}

/// The kinds of failed requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Status(u16),
    Broken,
    Unreached,
}

/// The reasons for which a posting loop stops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing is left to send.
    Empty,
    /// A request failed, or the server is being left alone.
    Failing,
    /// The deadline passed.
    OutOfTime,
}

impl Sender {
    async fn run(mut self) {
        let mut cloud = self.start_tasks();
        let mut next_tick = Instant::now() + self.tick();
        loop {
            let wake_at = self.next_wake(next_tick);
            let command = if self.waiting.is_empty() {
                tokio::select! {
                    // Commands come first: a shutdown does not wait behind events.
                    biased;
                    command = self.commands.recv() => match command {
                        Some(command) => Some(command),
                        None => Some(final_shutdown()),
                    },
                    () = self.recorder.buffers.wake.notified() => None,
                    () = finished(&mut cloud) => {
                        cloud = None;
                        None
                    }
                    () = time::sleep_until(wake_at.into()) => None,
                }
            } else {
                Some(self.waiting.remove(0))
            };
            match command {
                Some(Command::Flush {
                    deadline,
                    metrics,
                    done,
                }) => {
                    if metrics {
                        self.work.report(&self.shared);
                    }
                    let sent = self.flush(deadline, None).await;
                    // The caller may have given up waiting.
                    let _ = done.try_send(sent);
                }
                Some(Command::Shutdown { deadline, done }) => {
                    self.closing = true;
                    self.work.report(&self.shared);
                    let sent = self.flush(deadline, Some(deadline)).await;
                    self.drop_rest();
                    let _ = done.try_send(sent);
                    return;
                }
                None => {}
            }
            let now = Instant::now();
            let urgent = self.recorder.buffers.urgent.swap(false, Ordering::Relaxed);
            if now >= next_tick || urgent {
                next_tick = now + self.tick();
                self.recorder.clock.synchronise();
                self.work.run(&self.shared, now, false);
                self.recorder.buffers.ripen();
            } else if self.work.next(&self.recorder).is_some_and(|at| now >= at) {
                self.work.run(&self.shared, now, false);
            }
            if cloud.is_none() && self.retry_at.is_none_or(|at| now >= at) {
                self.post_ready(None, None).await;
            }
        }
    }

    /// Starts what runs beside the sender. The first events wait for the returned task, so that they say in which cloud
    /// they arose.
    fn start_tasks(&self) -> Option<JoinHandle<()>> {
        let settings = self.recorder.config.snapshot();
        if settings.disable_send {
            return None;
        }
        if !settings.skip_server_info {
            tokio::spawn(server_info::watch(
                Arc::clone(&self.shared),
                Arc::clone(&self.client),
            ));
        }
        if settings.central_config {
            tokio::spawn(central_config::poll(
                Arc::clone(&self.recorder),
                Arc::clone(&self.client),
            ));
        }
        let shared = Arc::clone(&self.shared);
        (settings.cloud_provider != CloudProvider::None)
            .then(|| tokio::spawn(async move { shared.look_up_cloud().await }))
    }

    /// The time between two sendings: `api_request_time` ± 10 %, so that many services do not send in step.
    fn tick(&self) -> Duration {
        self.recorder
            .config
            .load()
            .api_request_time
            .mul_f64(0.9 + 0.2 * fastrand::f64())
            .max(Duration::from_millis(10))
    }

    fn next_wake(&self, next_tick: Instant) -> Instant {
        let wake = self
            .work
            .next(&self.recorder)
            .map_or(next_tick, |at| at.min(next_tick));
        match self.retry_at {
            Some(at) if self.recorder.buffers.has_ready() => wake.min(at),
            _ => wake,
        }
    }

    /// Sends everything that was recorded until now, even to a server that is being left alone: one attempt, then it
    /// gives up.
    async fn flush(&mut self, deadline: Instant, abort_at: Option<Instant>) -> bool {
        // Encoded events go first: the first stack trace of a process can take as long as the deadline allows.
        self.recorder.buffers.ripen();
        self.retry_at = None;
        let sent = self.post_ready(Some(deadline), abort_at).await == Progress::Empty;
        self.work.run(&self.shared, Instant::now(), true);
        self.recorder.buffers.ripen();
        sent && self.post_ready(Some(deadline), abort_at).await == Progress::Empty
    }

    /// Posts what is ready, oldest first, until something stops it. From `abort_at` on even a request under way is
    /// given up.
    async fn post_ready(
        &mut self,
        deadline: Option<Instant>,
        abort_at: Option<Instant>,
    ) -> Progress {
        while let Some((content, body)) = self.recorder.buffers.pop() {
            if self.recorder.config.load().disable_send {
                self.recorder
                    .buffers
                    .counters
                    .dropped(DropReason::Disabled, body.events);
                self.recorder.buffers.recycle(body.bytes);
                continue;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.recorder.buffers.push_front(content, body);
                return Progress::OutOfTime;
            }
            if !self.post(content, body, abort_at).await {
                return Progress::Failing;
            }
            // A command waits: the rest is sent behind it.
            if deadline.is_none() && !self.waiting.is_empty() {
                return Progress::OutOfTime;
            }
        }
        Progress::Empty
    }

    /// Posts one body and keeps the accounts; `false` when the request failed.
    async fn post(&mut self, content: Content, body: Body, abort_at: Option<Instant>) -> bool {
        let (events, bytes) = (body.events, body.bytes.len());
        let posted = self.attempt(body, abort_at).await;
        let counters = &self.recorder.buffers.counters;
        // Nothing was sent: the body stays the first of those that wait.
        if let Posted::Unreached(why, body) = posted {
            counters.request(false);
            self.recorder.buffers.push_front(content, body);
            self.failed(Failure::Unreached, &why, None);
            return false;
        }
        counters.sent(events, bytes);
        // It was sent, and may be stored: to send it again might store it twice.
        let Posted::Answered(answer) = posted else {
            counters.request(false);
            counters.dropped(DropReason::Connection, events);
            if let Posted::Broken(why, kinds) = posted {
                let why = format!("{why}; {kinds} were dropped");
                self.failed(Failure::Broken, &why, None);
            }
            return false;
        };
        let (status, accepted) = (answer.status, answer.accepted);
        let success = (200..300).contains(&status);
        counters.request(success);
        counters.accepted(accepted);
        if accepted < events {
            let reason = if status >= 500 {
                DropReason::ServerError
            } else {
                DropReason::Rejected
            };
            counters.dropped(reason, events - accepted);
        }
        if success {
            self.succeeded();
        } else {
            let why = self.describe(&answer, events);
            self.failed(Failure::Status(status), &why, answer.pause);
        }
        success
    }

    /// Why events were refused, which ones were dropped, and what the server says about it.
    fn describe(&self, answer: &Answer, events: u64) -> String {
        let mut text = format!("it answered {}", answer.status);
        if let Some(reason) = refusal::reason(answer.status, self.client.credential()) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        let dropped = events - answer.accepted;
        match answer.refused {
            Some(kinds) if answer.accepted == 0 => {
                text.push_str(&format!("; {kinds} were dropped"));
            }
            Some(kinds) => text.push_str(&format!("; {dropped} of {kinds} were dropped")),
            None => {}
        }
        if !answer.message.is_empty() {
            text.push_str("; it said: ");
            text.push_str(&answer.message);
        }
        text
    }

    /// One request. Meanwhile commands are received, so that a shutdown does not wait for a server that hangs.
    async fn attempt(&mut self, body: Body, mut abort_at: Option<Instant>) -> Posted {
        let posting = self.client.post(body);
        tokio::pin!(posting);
        loop {
            // Without a limit the request ends by its own time-out.
            let last = abort_at.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                biased;
                (posted, memory) = &mut posting => {
                    if let Some(memory) = memory {
                        self.recorder.buffers.recycle(memory);
                    }
                    return posted;
                }
                () = time::sleep_until(last.into()) => return Posted::Abandoned,
                command = self.commands.recv(), if !self.closing && self.waiting.len() < WAITING => {
                    let command = command.unwrap_or_else(final_shutdown);
                    if let Command::Shutdown { deadline, .. } = &command {
                        abort_at = Some(*deadline);
                        self.closing = true;
                    }
                    self.waiting.push(command);
                }
            }
        }
    }

    fn succeeded(&mut self) {
        self.recorder.set_away(false);
        self.backoff.succeeded();
        self.retry_at = None;
        let dropped = self.dropped_total();
        let meanwhile = dropped - std::mem::replace(&mut self.dropped_before, dropped);
        if self.outage.take().is_some() {
            own_log::info(format_args!(
                "the APM server at {} takes events again; {meanwhile} events were dropped meanwhile",
                self.client.shown_url()
            ));
        }
    }

    fn dropped_total(&self) -> u64 {
        self.recorder.buffers.counters.snapshot().dropped_total()
    }

    fn failed(&mut self, failure: Failure, why: &str, asked: Option<Duration>) {
        self.recorder.set_away(true);
        let pause = self.backoff.failed().max(asked.unwrap_or_default());
        self.retry_at = Some(Instant::now() + pause);
        let url = self.client.shown_url();
        let outage = self.outage.get_or_insert_default();
        if outage.told.contains(&failure) || outage.told.len() == MAX_TOLD {
            own_log::debug(format_args!(
                "the APM server at {url} still takes no events: {why}"
            ));
        } else {
            outage.told.push(failure);
            own_log::warn(format_args!(
                "the APM server at {url} takes no events: {why}; the service is not affected, \
                 and events are kept while there is room",
            ));
        }
        self.client.next_url();
    }

    /// Counts what is left as lost.
    fn drop_rest(&mut self) {
        self.recorder.buffers.ripen();
        while let Some((_, body)) = self.recorder.buffers.pop() {
            self.recorder
                .buffers
                .counters
                .dropped(DropReason::Shutdown, body.events);
        }
        self.recorder
            .errors
            .drop_all(&self.recorder.buffers.counters);
        self.recorder
            .stacks
            .drop_all(&self.recorder.buffers.counters);
    }
}

/// Waits for a task; for ever without one.
async fn finished(task: &mut Option<JoinHandle<()>>) {
    match task {
        // A task that panicked is over as well.
        Some(task) => drop(task.await),
        None => std::future::pending().await,
    }
}
