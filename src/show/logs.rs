//! Lines of logs, and new ones as they arrive.
//!
//! The server's list is ordered by the time at which lines were written. They arrive later, in the order in which
//! agents send them. So each look for new ones reads the lines of the last minute, and prints those that it has not
//! met.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

use apm_server::remote::Remote;
use apm_server::terminal::plain;
use serde_json::Value;

use super::question::{from, matching};
use crate::cli::{ListFormat, LogsOptions};
use crate::remote;
use crate::terminal::print;

/// Matches log lines: errors are in the same kind of data stream.
const LINES: &str = "data_stream.type: logs and not processor.event: error";
/// The pause between two questions for new lines.
const PAUSE: Duration = Duration::from_secs(1);
/// Lines may arrive so much later than they were written.
const LATE: Duration = Duration::from_secs(60);
/// Lines of a question for new ones.
const SIZE: u16 = 1_000;
/// Questions of a look at most.
const QUESTIONS: usize = 10;

pub(super) async fn run(server: &Remote, options: &LogsOptions) -> anyhow::Result<()> {
    let mut met = Met::default();
    if options.follow {
        // Lines that are there already are not new, also where `first` leaves them out because of its limit.
        look(server, options, &mut met).await?;
    }
    let since = from(&options.show.since);
    let first = ask(server, options, &since, options.show.limit, None).await?;
    show(&first.lines, options.show.format)?;
    if !options.follow {
        return Ok(());
    }
    for line in &first.lines {
        met.is_new(line);
    }
    loop {
        actix_web::rt::time::sleep(PAUSE).await;
        met.forget();
        let (new, are_more) = look(server, options, &mut met).await?;
        show(&new, options.show.format)?;
        if are_more {
            log::warn!(
                "lines arrive faster than they are read, and some beyond the newest {} are not printed: \
                 name a service with --service, or say which ones with --query",
                usize::from(SIZE) * QUESTIONS
            );
        }
    }
}

/// Lines, newest first.
struct Lines {
    lines: Vec<Value>,
    /// The place of those that follow; nothing where there are none.
    next: Option<String>,
}

/// The lines of the last minute that were not met before, newest first, and whether there may be more: as many as are
/// read at most were there, and the oldest of these were new.
async fn look(
    server: &Remote,
    options: &LogsOptions,
    met: &mut Met,
) -> anyhow::Result<(Vec<Value>, bool)> {
    let since = format!("now-{}s", LATE.as_secs());
    let (mut new, mut are_oldest_new) = (Vec::new(), false);
    let mut next = None;
    for _ in 0..QUESTIONS {
        let found = ask(server, options, &since, SIZE, next).await?;
        let before = new.len();
        new.extend(found.lines.into_iter().filter(|line| met.is_new(line)));
        if found.next.is_none() {
            return Ok((new, false));
        }
        are_oldest_new = new.len() > before;
        next = found.next;
    }
    Ok((new, are_oldest_new))
}

fn show(lines: &[Value], format: Option<ListFormat>) -> anyhow::Result<()> {
    let mut text = String::new();
    for line in lines.iter().rev() {
        text += &shown(line, format)?;
    }
    Ok(print(&text)?)
}

async fn ask(
    server: &Remote,
    options: &LogsOptions,
    since: &str,
    size: u16,
    after: Option<String>,
) -> anyhow::Result<Lines> {
    let kql = matching(&[LINES], &options.show);
    let mut query = vec![("from", since.to_owned()), ("size", size.to_string())];
    query.extend(after.map(|after| ("after", after)));
    query.extend(kql.map(|kql| ("q", kql)));
    query.extend(options.show.environment.clone().map(|name| ("env", name)));
    let answer = remote::get(server, "/api/v1/discover", &query).await?;
    lines_of(&answer)
}

fn lines_of(answer: &[u8]) -> anyhow::Result<Lines> {
    let mut answer: Value = serde_json::from_slice(answer)?;
    let next = answer["next"].as_str().map(str::to_owned);
    // The answer may be anything, such as a list, and what is written to has to be there.
    match answer.get_mut("hits").map(Value::take) {
        Some(Value::Array(lines)) => Ok(Lines { lines, next }),
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
        plain(apm_server::log_message(line)),
    );
    let trace = text("/trace/id");
    if !trace.is_empty() {
        shown += &format!("  trace={trace}");
    }
    Ok(shown + "\n")
}

/// The lines that were met while they can still be part of an answer. Questions overlap, because a line can arrive
/// after later ones.
#[derive(Default)]
struct Met(HashMap<u64, Instant>);

impl Met {
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
        let line = json!({"message": "", "error": {"type": "Overflow"}});
        assert!(shown(&line, None).unwrap().ends_with(": Overflow\n"));
    }

    #[test]
    fn a_line_that_is_answered_twice_is_printed_once() {
        let mut met = Met::default();
        let (one, other) = (json!({"message": "a"}), json!({"message": "b"}));
        let new: Vec<bool> = [&one, &other, &one].map(|line| met.is_new(line)).into();
        assert_eq!(new, [true, true, false]);
    }

    #[test]
    fn an_answer_without_hits_is_an_error_whatever_it_is() {
        for answer in ["[]", "{}", "null", "7", "\"x\"", r#"{"hits":7}"#] {
            let error = lines_of(answer.as_bytes()).err().expect(answer);
            assert!(error.to_string().contains("no hits"), "{answer}: {error}");
        }
        let found = lines_of(br#"{"hits":[1,2],"next":"x"}"#).unwrap();
        assert_eq!((found.lines.len(), found.next.as_deref()), (2, Some("x")));
    }
}
