//! Turns a log record of the service into an error event, a log event, both, or nothing.
//!
//! The agent's own lines are never looked at, nor is anything that is logged on its thread: a failure to send must not
//! produce more to send.

use std::sync::Arc;

use log::Level;

use super::{Record, ServiceFields};
use crate::config::Settings;
use crate::recording::captured::{Place, What};
use crate::recording::context;
use crate::recording::current::{Current, TraceIds};
use crate::recording::error::{self, Stack};
use crate::recording::recorder::{self, Recorder};
use crate::recording::server_version::ServerVersion;
use crate::sanitize::urls;
use crate::sql;
use crate::trace::ids::ErrorId;
use crate::util::clock::Moment;
use crate::util::own_log;

/// From here on servers take log events.
const TAKES_LOGS: ServerVersion = ServerVersion(8, 6, 0);

/// A record, before anybody decided to keep it.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) level: Level,
    /// The logger: in Rust the module that logs.
    pub(crate) target: &'a str,
    pub(crate) file: Option<&'a str>,
    pub(crate) line: Option<u32>,
}

/// Looks at a record, on the thread that logs it. `message` is only called if somebody wants it. Returns the id of the
/// error event, if the record became one.
pub(crate) fn observe(record: &Observed<'_>, message: impl FnOnce() -> String) -> Option<ErrorId> {
    if recorder::on_agent_thread() || record.target == own_log::TARGET {
        return None;
    }
    let current = context::current();
    let agent = match &current {
        Some(current) => Arc::clone(&current.transaction.recorder),
        None => recorder::running()?,
    };
    let settings = agent.config.load();
    let capture = record.level == Level::Error && settings.capture_log_errors;
    // A server that has not told its version yet is taken for a current one.
    let send = settings.log_sending
        && agent
            .server_version()
            .is_none_or(|version| version >= TAKES_LOGS);
    if !agent.reports(&settings) || !(capture || send) {
        return None;
    }
    let message = message();
    let error_id = capture
        .then(|| capture_error(&agent, current.as_ref(), record, &message))
        .flatten();
    if send {
        send_log(
            &agent,
            current.as_ref(),
            record,
            &without_secrets(&message, &settings),
            error_id,
            &ServiceFields::new(&settings),
        );
    }
    error_id
}

fn capture_error(
    agent: &Arc<Recorder>,
    current: Option<&Current>,
    record: &Observed<'_>,
    message: &str,
) -> Option<ErrorId> {
    let what = || What::Log {
        message: message.to_owned(),
        template: None,
        level: "error",
        logger: Some(record.target.to_owned()),
    };
    let place = record.file.zip(record.line);
    let place = place.map(|(file, line)| Place {
        file: file.to_owned(),
        line,
        column: 0,
    });
    error::capture(agent, current, what, place, None, Stack::Left)
}

fn send_log(
    agent: &Recorder,
    current: Option<&Current>,
    record: &Observed<'_>,
    message: &str,
    error_id: Option<ErrorId>,
    service: &ServiceFields,
) {
    let thread = std::thread::current();
    let level = record.level.as_str().to_ascii_lowercase();
    let event = Record {
        timestamp: agent.clock.micros(Moment::now()),
        level: &level,
        message,
        logger: Some(record.target),
        file: record.file,
        line: record.line,
        thread: thread.name(),
        ids: current.map(TraceIds::from_current),
        error_id,
    };
    agent
        .buffers
        .append(1, |out| event.write_event(service, out));
}

/// The beginning of a message, without the secrets of the URLs and the SQL in it.
fn without_secrets(message: &str, settings: &Settings) -> String {
    let secrets = &settings.sanitize_field_names;
    let message = sql::message(bounded(message), settings.sanitize_sql);
    urls::text(&message, |name| secrets.matches(name)).into_owned()
}

/// The server refuses events of more than 300 KiB; nobody reads a line of more than a few.
fn bounded(message: &str) -> &str {
    const MAX_MESSAGE: usize = 32 * 1024;
    &message[..message.floor_char_boundary(MAX_MESSAGE)]
}
