//! One row of the waterfall: of an item, of folded repeats, of time that no span covers, of orphans.

use super::{Options, SHORT, busy, class, weight};
use crate::analytics::trace::item::Trace;
use crate::ui::components::cells::Tone;
use crate::ui::components::waterfall::{Bar, Row};
use crate::ui::pages::transactions::named;

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
        href: None,
    }
}

pub(super) fn item_row(
    trace: &Trace,
    index: usize,
    level: usize,
    hidden: bool,
    has_children: bool,
    critical: &[(i64, i64)],
    options: &Options<'_>,
) -> Row {
    let item = &trace.items[index];
    let failed = item.outcome == "failure";
    let mut badges = Vec::new();
    if options.current == Some(item.id.as_str()) {
        badges.push((Tone::Accent, "this request".to_owned()));
    }
    let errors = trace
        .errors
        .iter()
        .filter(|error| {
            error.parent_id.as_ref().or(error.transaction_id.as_ref()) == Some(&item.id)
        })
        .count();
    if errors > 0 {
        badges.push((
            Tone::Bad,
            if errors == 1 {
                "error".to_owned()
            } else {
                format!("{errors} errors")
            },
        ));
    } else if failed {
        badges.push((Tone::Bad, "failed".to_owned()));
    }
    if let Some(composite) = item.composite {
        badges.push((Tone::Neutral, format!("{}×", composite.count)));
    }
    if item.is_transaction && !item.sampled {
        badges.push((Tone::Warn, "not sampled".to_owned()));
    }
    if let Some(dropped) = item.spans_dropped.filter(|dropped| *dropped > 0) {
        badges.push((Tone::Warn, format!("{dropped} dropped")));
    }
    badges.truncate(2);
    Row {
        expanded: has_children.then_some(true),
        hidden,
        class: class(item),
        label: named(&item.name).to_owned(),
        service: item.is_transaction.then(|| item.service.clone()),
        badges,
        duration: item.duration,
        at: item.at,
        bar: item.composite.map_or(Bar::Plain, |composite| {
            Bar::Slices(composite.count.unsigned_abs())
        }),
        failed,
        selected: options.selected == Some(item.id.as_str()),
        critical: critical.to_vec(),
        href: Some((options.href)(item)),
        ..blank(item.id.clone(), level)
    }
}

pub(super) fn fold_row(trace: &Trace, first: usize, len: usize, level: usize) -> Row {
    let items = &trace.items[first..first + len];
    let calls: i64 = items.iter().map(weight).sum();
    let end = items
        .iter()
        .map(|item| item.at.saturating_add(item.duration))
        .max()
        .unwrap_or(0);
    // The bar spans from the first to the last; the figure is the time of the calls themselves.
    Row {
        expanded: Some(len <= SHORT),
        class: class(&items[0]),
        label: named(&items[0].name).to_owned(),
        badges: vec![(Tone::Warn, format!("repeated {calls}×"))],
        duration: items.iter().map(busy).sum(),
        at: items[0].at,
        bar: Bar::Total { until: end },
        ..blank(format!("fold-{first}"), level)
    }
}

pub(super) fn gap_row(trace: &Trace, parent: usize, from: i64, to: i64, level: usize) -> Row {
    let label = if trace.items[parent].is_transaction {
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
        ..blank(format!("gap-{parent}-{from}"), level)
    }
}

pub(super) fn orphans_row(trace: &Trace, orphans: &[usize], level: usize) -> Row {
    let at = orphans
        .iter()
        .map(|index| trace.items[*index].at)
        .min()
        .unwrap_or(0);
    let end = orphans
        .iter()
        .map(|index| {
            trace.items[*index]
                .at
                .saturating_add(trace.items[*index].duration)
        })
        .max()
        .unwrap_or(0);
    let label = if orphans.len() == 1 {
        "1 item whose parent did not arrive".to_owned()
    } else {
        format!("{} items whose parent did not arrive", orphans.len())
    };
    Row {
        expanded: Some(true),
        label,
        badges: vec![(Tone::Warn, "orphans".to_owned())],
        duration: end - at,
        at,
        bar: Bar::Total { until: end },
        quiet: true,
        ..blank("orphans".to_owned(), level)
    }
}
