//! A trace as a waterfall of text: one line for each span, with a bar where and how long it ran.

use std::fmt::Write as _;

use apm_server::remote::Remote;
use apm_server::terminal::plain;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::table::width;
use crate::cli::TraceOptions;
use crate::remote;
use crate::terminal::words::{cut, duration};

/// Columns of the duration, and of a name at least.
const DURATION: usize = 10;
const NAME: usize = 30;

#[derive(Deserialize)]
struct Trace {
    id: String,
    duration: i64,
    total: usize,
    items: Vec<Item>,
    errors: Vec<serde_json::Value>,
}

/// A transaction or span; times in µs.
#[derive(Deserialize)]
struct Item {
    service: String,
    name: String,
    statement: String,
    outcome: String,
    at: i64,
    duration: i64,
    depth: usize,
    is_transaction: bool,
}

/// Asks for a trace and draws it.
pub(super) async fn text(server: &Remote, options: &TraceOptions) -> anyhow::Result<String> {
    let id = utf8_percent_encode(options.id.trim(), NON_ALPHANUMERIC);
    let size = [("size", options.limit.to_string())];
    let answer = remote::get(server, &format!("/api/v1/traces/{id}"), &size).await?;
    match options.json {
        true => Ok(String::from_utf8(answer)? + "\n"),
        false => Ok(waterfall(
            &serde_json::from_slice(&answer)?,
            usize::from(width()),
        )),
    }
}

fn waterfall(trace: &Trace, width: usize) -> String {
    // Half of the line for names, and on a narrow terminal more: a bar without a name says nothing.
    let name = (width / 2).max(NAME);
    let bar = width.saturating_sub(name + DURATION + 2).max(10);
    let services = trace.items.iter().map(|item| item.service.as_str());
    let services: std::collections::BTreeSet<&str> = services.collect();
    let mut text = format!(
        "trace {}  {}  spans {}  errors {}\n",
        trace.id,
        duration(trace.duration as f64),
        trace.total,
        trace.errors.len()
    );
    for item in &trace.items {
        // One service needs no name on each line.
        let of = match services.len() > 1 && item.is_transaction {
            true => format!("{}: ", item.service),
            false => String::new(),
        };
        let said = match item.statement.is_empty() {
            true => &item.name,
            false => &item.statement,
        };
        let failed = if item.outcome == "failure" {
            "✗ "
        } else {
            ""
        };
        // However deep a span is, its name has room.
        let indent = "  ".repeat(item.depth.min(name / 4));
        let label = cut(&plain(&format!("{indent}{failed}{of}{said}")), name);
        let (before, length) = place(item, trace.duration, bar);
        let line = format!(
            "{label:<name$} {:>DURATION$} {}{}",
            duration(item.duration as f64),
            " ".repeat(before),
            "█".repeat(length)
        );
        let _ = writeln!(text, "{}", cut(line.trim_end(), width));
    }
    if trace.total > trace.items.len() {
        let _ = writeln!(
            text,
            "{} of {} spans; --limit shows more",
            trace.items.len(),
            trace.total
        );
    }
    text
}

/// The columns before a bar, and those of the bar, which has one at least.
fn place(item: &Item, whole: i64, columns: usize) -> (usize, usize) {
    let scale = |us: i64| {
        let share = us.max(0) as f64 / whole.max(1) as f64;
        ((share * columns as f64) as usize).min(columns)
    };
    let before = scale(item.at).min(columns - 1);
    let end = scale(item.at.saturating_add(item.duration));
    (before, end.saturating_sub(before).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, depth: usize, at: i64, duration: i64) -> Item {
        Item {
            service: "shop".to_owned(),
            name: name.to_owned(),
            statement: String::new(),
            outcome: "success".to_owned(),
            at,
            duration,
            depth,
            is_transaction: depth == 0,
        }
    }

    #[test]
    fn bars_stand_where_spans_ran() {
        let trace = Trace {
            id: "ab".to_owned(),
            duration: 1_000,
            total: 3,
            items: vec![
                item("GET /cart", 0, 0, 1_000),
                item("SELECT\u{1b}[2J", 1, 500, 250),
                item("last", 9_000, 1_000, i64::MAX),
            ],
            errors: Vec::new(),
        };
        let text = waterfall(&trace, 80);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "trace ab  1.0 ms  spans 3  errors 0");
        assert!(lines[1].starts_with("GET /cart "), "{text}");
        assert_eq!(lines[1].matches('█').count(), 28, "{text}");
        assert!(lines[2].contains("SELECT\u{fffd}[2J"), "{text}");
        assert!(
            lines[2].ends_with(&format!("{}{}", " ".repeat(14), "█".repeat(7))),
            "{text}"
        );
        assert!(
            lines.iter().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}
