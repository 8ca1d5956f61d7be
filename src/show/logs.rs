//! Lines of logs, and new ones as they arrive.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

use apm_server::remote::Remote;
use serde_json::Value;

use super::question::{from, matching};
use super::words::plain;
use crate::cli::{ListFormat, LogsOptions};
use crate::remote;
use crate::terminal::print;

/// Matches log lines: errors are in the same kind of data stream.
const LINES: &str = "data_stream.type: logs and not processor.event: error";
/// The pause between two questions for new lines.
const PAUSE: Duration = Duration::from_secs(1);
/// Lines may arrive so much later than they were written.
const LATE: Duration = Duration::from_secs(60);

pub(super) async fn run(server: &Remote, options: &LogsOptions) -> anyhow::Result<()> {
    let mut since = from(&options.show.since);
    let mut printed = Printed::default();
    loop {
        let lines = ask(server, options, &since).await?;
        let mut text = String::new();
        // The server answers with the newest first.
        for line in lines.iter().rev() {
            if !options.follow || printed.is_new(line) {
                text += &shown(line, options.show.format)?;
            }
        }
        print(&text)?;
        if !options.follow {
            return Ok(());
        }
        actix_web::rt::time::sleep(PAUSE).await;
        printed.forget();
        since = format!("now-{}s", LATE.as_secs());
    }
}

async fn ask(server: &Remote, options: &LogsOptions, since: &str) -> anyhow::Result<Vec<Value>> {
    let kql = matching(&[LINES], &options.show);
    let mut query = vec![
        ("from", since.to_owned()),
        ("size", options.show.limit.to_string()),
    ];
    query.extend(kql.map(|kql| ("q", kql)));
    query.extend(options.show.environment.clone().map(|name| ("env", name)));
    let answer = remote::get(server, "/api/v1/discover", &query).await?;
    let mut answer: Value = serde_json::from_slice(&answer)?;
    match answer["hits"].take() {
        Value::Array(hits) => Ok(hits),
        _ => {
            anyhow::bail!("the server's answer has no hits: is it of the version of this command?")
        }
    }
}

/// One line: time, level, service, message, and the trace that it belongs to.
fn shown(line: &Value, format: Option<ListFormat>) -> anyhow::Result<String> {
    if format == Some(ListFormat::Json) {
        return Ok(serde_json::to_string(line)? + "\n");
    }
    let text = |pointer: &str| {
        plain(
            line.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )
    };
    let mut shown = format!(
        "{} {:<5} {}: {}",
        text("/@timestamp"),
        text("/log/level").to_uppercase(),
        text("/service/name"),
        text("/message"),
    );
    let trace = text("/trace/id");
    if !trace.is_empty() {
        shown += &format!("  trace={trace}");
    }
    Ok(shown + "\n")
}

/// The lines that were printed while they can still be part of an answer. Questions overlap, because a line can arrive
/// after later ones.
#[derive(Default)]
struct Printed(HashMap<u64, Instant>);

impl Printed {
    fn is_new(&mut self, line: &Value) -> bool {
        let mut hasher = DefaultHasher::new();
        line.to_string().hash(&mut hasher);
        self.0.insert(hasher.finish(), Instant::now()).is_none()
    }

    fn forget(&mut self) {
        self.0.retain(|_, last| last.elapsed() < LATE * 2);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_shows_what_was_logged_and_its_trace() {
        let line = json!({
            "@timestamp": "2026-11-29T11:00:00.000Z", "message": "no\u{1b}[31m such\ncity",
            "log": {"level": "warn"}, "service": {"name": "shop"}, "trace": {"id": "ab"}
        });
        assert_eq!(
            shown(&line, None).unwrap(),
            "2026-11-29T11:00:00.000Z WARN  shop: no\u{fffd}[31m such city  trace=ab\n"
        );
    }

    #[test]
    fn a_line_that_is_answered_twice_is_printed_once() {
        let mut printed = Printed::default();
        let (one, other) = (json!({"message": "a"}), json!({"message": "b"}));
        let new: Vec<bool> = [&one, &other, &one].map(|line| printed.is_new(line)).into();
        assert_eq!(new, [true, true, false]);
    }
}
