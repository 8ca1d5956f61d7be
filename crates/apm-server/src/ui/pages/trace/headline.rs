//! The sentence over a trace: what it took, whether it failed, and what it waited for most.

use crate::analytics::trace::item::Item;
use crate::analytics::trace::{Trace, cover};
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
        let answer = match trace.errors.len() as u64 {
            0 => format!(
                "{} without a request.",
                words::count(trace.logs.len() as u64, "log line", "log lines")
            ),
            errors => format!(
                "{} without a request.",
                words::count(errors, "error", "errors")
            ),
        };
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

/// The item that the entry waited for longest.
pub(crate) enum Longest<'a> {
    /// The request itself: this share of its time is covered by no span.
    Own(f64),
    /// The request itself, but spans cover most of this share: those below spans that had ended by then.
    Late(f64),
    /// An item, with its share of the entry's time.
    Spent(&'a Item, f64),
    /// Spans cover most of the request, but they ended after it: nobody waited for their end. The longest of them.
    Outlived(&'a Item),
}

/// The item that the entry of a trace waited for longest; nothing where it has no spans.
pub(crate) fn longest(trace: &Trace) -> Option<Longest<'_>> {
    let mut spent = vec![0i64; trace.items.len()];
    for stretch in &trace.critical_path {
        spent[stretch.item as usize] += stretch.to - stretch.from;
    }
    let total: i64 = spent.iter().sum();
    let (most, time) = spent.iter().enumerate().max_by_key(|(_, time)| **time)?;
    if total == 0 || trace.items.len() < 2 {
        return None;
    }
    let share = |time: i64| time as f64 / total as f64;
    let item = &trace.items[most];
    if !item.is_transaction {
        return Some(Longest::Spent(item, share(*time)));
    }
    // The critical path leaves out what ended after its parent, though its bar covers that time.
    let below = |child: &&Item| child.parent == u32::try_from(most).ok() && !child.is_far;
    let late = trace.items.iter().filter(below);
    let late = late.filter(|child| child.at < item.end() && child.end() > item.end());
    let late = late.max_by_key(|child| item.end() - child.at);
    match late {
        Some(child) if 2 * item.self_time < *time => Some(Longest::Outlived(child)),
        _ if most == 0 => {
            let (own, bare) = (item.self_time.min(*time), uncovered(trace));
            match 2 * bare < own {
                true => Some(Longest::Late(share(own))),
                false => Some(Longest::Own(share(own.min(bare)))),
            }
        }
        _ => Some(Longest::Spent(item, share(*time))),
    }
}

/// The time of the entry that no other item covers, wherever it is in the tree, µs.
fn uncovered(trace: &Trace) -> i64 {
    let entry = &trace.items[0];
    let others = trace.items.iter().skip(1).filter(|item| !item.is_far);
    cover::self_time(
        (entry.at, entry.end()),
        others.map(|item| (item.at, item.end())),
    )
}

/// Of what the entry waited for, the greatest part.
fn waited(trace: &Trace) -> String {
    let name = |item: &Item| words::cut(named(&item.what.name), 80);
    match longest(trace) {
        Some(Longest::Own(share)) => {
            format!("{} of it is time that no span covers.", percent(share))
        }
        Some(Longest::Late(share)) => format!(
            "{} of it is covered only by spans that ended after their parents.",
            percent(share)
        ),
        Some(Longest::Spent(item, share)) => {
            format!("{} of it was spent in {}.", percent(share), name(item))
        }
        Some(Longest::Outlived(item)) => format!("It ended before {} did.", name(item)),
        None if trace.items.len() == 1 => "No span was recorded in it.".to_owned(),
        None => String::new(),
    }
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
        out.push_str(" Part of it was not sampled, so its spans were not recorded.");
    }
    if trace.far > 0 {
        out.push_str(&format!(
            " {} more than a day away from the rest and {} drawn.",
            words::count(trace.far as u64, "item is", "items are"),
            if trace.far == 1 { "is not" } else { "are not" }
        ));
    }
    if trace.is_cut {
        out.push_str(
            " The trace is too large to be read whole: the events that arrived last are left out.",
        );
    }
    out
}
