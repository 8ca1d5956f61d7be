//! One row of the waterfall: of an item, of folded repeats, of time that no span covers, and the heads of what is
//! listed apart.

use super::{Options, class};
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::Item;
use crate::analytics::trace::lines::{Gap, Kind};
use crate::answers::trace::named;
use crate::answers::trace::weights::{busy, weight};
use crate::ui::components::cells::Tone;
use crate::ui::components::waterfall::{Bar, Row};
use crate::ui::number::duration;
use crate::ui::words;

fn blank(id: String, level: usize) -> Row {
    Row {
        id,
        level,
        expanded: None,
        hidden: false,
        class: "t-other",
        label: String::new(),
        service: None,
        badges: Vec::new(),
        duration: 0,
        at: 0,
        bar: Bar::Plain,
        failed: false,
        quiet: false,
        selected: false,
        critical: Vec::new(),
        marks: Vec::new(),
        href: None,
        place: None,
        name: String::new(),
        turn: None,
        hit: false,
        current_hit: false,
    }
}

pub(super) fn item_row(trace: &Trace, index: usize, level: usize, options: &Options<'_>) -> Row {
    let item = &trace.items[index];
    let what = &item.what;
    let failed = item.failed();
    let id = item.id.to_string();
    let mut badges = Vec::new();
    if options.current == Some(id.as_str()) {
        badges.push((Tone::Accent, "this request".to_owned()));
    }
    if item.sent().is_some() || item.is_far {
        badges.push((Tone::Warn, clock(item)));
    }
    match trace.errors_of.get(&(index as u32)) {
        Some(1) => badges.push((Tone::Bad, "error".to_owned())),
        Some(errors) => badges.push((Tone::Bad, format!("{errors} errors"))),
        None if failed => badges.push((Tone::Bad, "failed".to_owned())),
        None => {}
    }
    if item.scan_steps().is_some() {
        badges.push((Tone::Warn, "full scan".to_owned()));
    }
    if item.is_orphan {
        badges.push((Tone::Warn, "orphan".to_owned()));
    }
    if let Some(composite) = item.composite() {
        badges.push((Tone::Neutral, format!("{}×", composite.count)));
    }
    if item.is_transaction && !item.sampled {
        badges.push((Tone::Warn, "not sampled".to_owned()));
    }
    if let Some(dropped) = item.spans_dropped().filter(|dropped| *dropped > 0) {
        badges.push((Tone::Warn, format!("{dropped} dropped")));
    }
    // There is room for two: the weightiest came first.
    badges.truncate(2);
    Row {
        class: class(item),
        label: named(&what.name).to_owned(),
        service: item.is_transaction.then(|| what.service.to_string()),
        badges,
        duration: item.duration,
        at: item.at,
        bar: match item.composite() {
            _ if item.is_far => Bar::None,
            Some(composite) => Bar::Slices(composite.count.unsigned_abs()),
            None => Bar::Plain,
        },
        failed,
        selected: options.selected == Some(id.as_str()),
        href: Some((options.href)(item)),
        ..blank(id, level)
    }
}

/// The note at an item whose clock is wrong, or that is far from the rest.
fn clock(item: &Item) -> String {
    if !item.is_far {
        return "wrong clock".to_owned();
    }
    let side = if item.at < 0 { "earlier" } else { "later" };
    format!("{} {side}", duration(item.at.unsigned_abs() as f64))
}

pub(super) fn fold_row(trace: &Trace, first: usize, len: usize, level: usize) -> Row {
    let items = &trace.items[first..first + len];
    let calls: i64 = items.iter().map(weight).sum();
    let end = items.iter().map(Item::end).max().unwrap_or(0);
    let mut badges = vec![(Tone::Warn, format!("repeated {calls}×"))];
    if items.iter().any(|item| item.scan_steps().is_some()) {
        badges.push((Tone::Warn, "full scan".to_owned()));
    }
    // The bar spans from the first to the last; the figure is the time of the calls themselves.
    Row {
        class: class(&items[0]),
        label: named(&items[0].what.name).to_owned(),
        badges,
        duration: items.iter().map(busy).sum(),
        at: items[0].at,
        bar: match items[0].is_far {
            true => Bar::None,
            false => Bar::Total { until: end },
        },
        ..blank(format!("fold-{}", items[0].seq), level)
    }
}

pub(super) fn gap_row(trace: &Trace, gap: Gap, level: usize) -> Row {
    let Gap { parent, from, to } = gap;
    let label = if trace.items[parent as usize].is_transaction {
        "not covered by spans"
    } else {
        "not covered by spans below"
    };
    Row {
        label: label.to_owned(),
        duration: to - from,
        at: from,
        bar: Bar::Gap,
        quiet: true,
        ..blank(
            format!("gap-{}-{from}", trace.items[parent as usize].seq),
            level,
        )
    }
}

/// `line`: that of the head; the orphans are those right below it.
pub(super) fn orphans_row(trace: &Trace, line: usize, level: usize) -> Row {
    let lines = &trace.lines.list;
    let below = &lines[line + 1..lines[line].end as usize];
    let own = below
        .iter()
        .filter(|below| below.level == lines[line].level + 1);
    let items: Vec<&Item> = own
        .filter_map(|line| match line.kind {
            Kind::Item(index) => Some(&trace.items[index as usize]),
            _ => None,
        })
        .collect();
    let at = items.iter().map(|item| item.at).min().unwrap_or(0);
    let end = items.iter().map(|item| item.end()).max().unwrap_or(0);
    let count = words::count(items.len() as u64, "item", "items");
    Row {
        label: format!("{count} whose parent did not arrive"),
        badges: vec![(Tone::Warn, "orphans".to_owned())],
        duration: end - at,
        at,
        bar: Bar::Total { until: end },
        quiet: true,
        ..blank("orphans".to_owned(), level)
    }
}

pub(super) fn far_row(trace: &Trace, level: usize) -> Row {
    let count = words::count(trace.far as u64, "item", "items");
    Row {
        label: format!(
            "{count} more than a day from the rest: a wrong clock, or work that ran much later"
        ),
        badges: vec![(Tone::Warn, "not drawn".to_owned())],
        bar: Bar::None,
        quiet: true,
        ..blank("far".to_owned(), level)
    }
}
