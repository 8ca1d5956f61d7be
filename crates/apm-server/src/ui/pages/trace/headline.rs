//! The sentence over a trace: what it took, whether it failed, and what it waited for most.

use crate::analytics::trace::Trace;
use crate::answers::trace::named;
use crate::ui::number::{duration, percent};
use crate::ui::words;

/// The answer and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) answer: String,
    pub(super) why: String,
}

pub(super) fn headline(trace: &Trace) -> Headline {
    let Some(entry) = trace.items.first() else {
        let answer = format!(
            "{} without a request.",
            words::count(trace.errors.len() as u64, "error", "errors")
        );
        return Headline {
            answer,
            why: "No transaction or span of this trace is stored.".to_owned(),
        };
    };
    let name = words::cut(named(&entry.what.name), 90);
    let verb = if entry.failed() {
        "failed after"
    } else {
        "took"
    };
    let answer = format!("{name} {verb} {}.", duration(entry.duration as f64));
    Headline {
        answer,
        why: format!("{}{}", waited(trace), problems(trace)),
    }
}

/// Of what the entry waited for, the greatest part.
fn waited(trace: &Trace) -> String {
    let mut spent = vec![0i64; trace.items.len()];
    for stretch in &trace.critical_path {
        spent[stretch.item as usize] += stretch.to - stretch.from;
    }
    let total: i64 = spent.iter().sum();
    let Some((most, time)) = spent.iter().enumerate().max_by_key(|(_, time)| **time) else {
        return String::new();
    };
    if total == 0 {
        return String::new();
    }
    let share = percent(*time as f64 / total as f64);
    if trace.items.len() == 1 {
        return "No span was recorded in it.".to_owned();
    }
    if most == 0 {
        return format!("{share} of it is time that no span covers.");
    }
    format!(
        "{share} of it was spent in {}.",
        words::cut(named(&trace.items[most].what.name), 80)
    )
}

fn problems(trace: &Trace) -> String {
    let mut out = String::new();
    if let Some(error) = trace.errors.first() {
        let text = if error.message.is_empty() {
            &error.kind
        } else {
            &error.message
        };
        out.push_str(&format!(
            " It recorded {}: “{}”.",
            words::count(trace.errors.len() as u64, "error", "errors"),
            words::cut(text, 90)
        ));
    }
    if trace
        .items
        .iter()
        .any(|item| item.is_transaction && !item.sampled)
    {
        out.push_str(" Part of it was not sampled: its spans were not recorded.");
    }
    if trace.far > 0 {
        out.push_str(&format!(
            " {} more than a day from the rest and {} drawn.",
            words::count(trace.far as u64, "item is", "items are"),
            if trace.far == 1 { "is not" } else { "are not" }
        ));
    }
    if trace.is_cut {
        out.push_str(
            " It is larger than what is read of one trace: what arrived last is left out.",
        );
    }
    out
}
