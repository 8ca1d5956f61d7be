//! The latency chart: the mean and percentiles, or the one line that a reader chose; the scale is linear or
//! logarithmic.

use maud::{Markup, html};

use super::super::{Context, whole};
use super::{MINUTE, TALL, laid, per, percentile, said};
use crate::analytics::latency::Latency;
use crate::answers::sourced::Sourced;
use crate::ui::chart::axis::Measure;
use crate::ui::chart::buckets::Buckets;
use crate::ui::chart::lines::{Line, LineChart};
use crate::ui::components::controls::segment;
use crate::ui::components::icon;
use crate::ui::view::View;

/// The lines of a latency chart that a reader can choose: the value in the address, and its words.
const CHOICES: [(&str, &str); 8] = [
    ("", "avg, p95, p99"),
    ("avg", "avg"),
    ("p50", "p50"),
    ("p75", "p75"),
    ("p90", "p90"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("p99.9", "p99.9"),
];

/// One line of the chart, as it was chosen, with that of the comparison; nothing where all are shown.
fn chosen(name: &str, of: &Latency) -> Option<Vec<Option<f64>>> {
    Some(match name {
        "avg" => of.avg.clone(),
        "p50" => percentile(of, |p| p.p50),
        "p75" => percentile(of, |p| p.p75),
        "p90" => percentile(of, |p| p.p90),
        "p95" => percentile(of, |p| p.p95),
        "p99" => percentile(of, |p| p.p99),
        "p99.9" => percentile(of, |p| p.p999),
        _ => return None,
    })
}

/// The choice of the line and of the scale, for a latency chart.
fn choices(context: &Context<'_>, is_log: bool) -> Markup {
    let view = context.view;
    let current = view.param("line").unwrap_or("");
    let shown = CHOICES.iter().find(|(value, _)| *value == current);
    let shown = shown.map_or(CHOICES[0].1, |(_, words)| words);
    html! {
        div.row.push {
            details.menu.menu--right {
                summary.btn.btn--small { span.sr { "Line: " } (shown) (icon::caret()) }
                ul.menu-list {
                    @for (value, words) in CHOICES {
                        li {
                            a href=(view.here().set("line", value))
                                aria-current=[(value == current).then_some("true")] { (words) }
                        }
                    }
                }
            }
            (scale(view, is_log))
        }
    }
}

/// The choice of the scale of durations.
pub(crate) fn scale(view: &View, is_log: bool) -> Markup {
    let scales = [
        ("lin", view.here().without("axis"), !is_log),
        ("log", view.here().set("axis", "log"), is_log),
    ];
    segment("Vertical scale", scales)
}

/// Whether durations are asked for on a logarithmic scale.
pub(crate) fn is_log(view: &View) -> bool {
    view.param("axis") == Some("log")
}

/// Average, p95 and p99, with the p95 of the comparison, or the one line that was chosen. `noun`: what is counted, in
/// the plural.
pub(crate) fn latency(
    context: &Context<'_>,
    noun: &str,
    now: &Sourced<Latency>,
    before: Option<&Latency>,
) -> Markup {
    let is_log = is_log(context.view);
    let name = context.view.param("line").unwrap_or("");
    if let Some(values) = chosen(name, now) {
        let earlier = before.and_then(|before| Some((chosen(name, before)?, &before.axis)));
        let earlier = earlier.map(|(values, axis)| laid(values, axis, &now.axis));
        return one_line(
            context,
            noun,
            now,
            (name, &values, earlier.as_deref()),
            is_log,
        );
    }
    let (p95, p99) = (percentile(now, |p| p.p95), percentile(now, |p| p.p99));
    let sparse = p95.iter().all(Option::is_none);
    let previous = before
        .map(|before| laid(percentile(before, |p| p.p95), &before.axis, &now.axis))
        .filter(|values| values.iter().any(Option::is_some));
    // In the order of drawing: p95, by which people judge, lies above the others.
    let mut lines = Vec::new();
    if let Some(previous) = &previous {
        lines.push(Line {
            name: "p95 before",
            class: "lat-prev",
            values: previous,
            sparse: false,
        });
    }
    if !sparse {
        lines.push(Line {
            name: "p99",
            class: "lat-p99",
            values: &p99,
            sparse: false,
        });
    }
    lines.push(Line {
        name: "avg",
        class: "lat-avg",
        values: &now.avg,
        sparse,
    });
    if !sparse {
        lines.push(Line {
            name: "p95",
            class: "lat-p95",
            values: &p95,
            sparse: false,
        });
    }
    let says = said(
        context,
        &now.axis,
        if sparse { "Average" } else { "p95" },
        if sparse { &now.avg } else { &p95 },
    );
    let note = if sparse {
        format!("{}, too few for percentiles", per(&now.axis))
    } else {
        per(&now.axis)
    };
    drawn(context, (noun, now), &lines, (&note, &says), is_log)
}

/// The chart with some lines, the note beside its title, and its finding in words.
fn drawn(
    context: &Context<'_>,
    (noun, now): (&str, &Sourced<Latency>),
    lines: &[Line<'_>],
    (note, says): (&str, &str),
    is_log: bool,
) -> Markup {
    let counts: Vec<u64> = now.count.iter().map(|count| whole(*count)).collect();
    let chart = LineChart {
        id: "latency",
        title: "Latency",
        note,
        says,
        measure: Measure::Duration,
        buckets: Buckets::from(&now.axis),
        lines,
        is_reported: now.axis.interval < MINUTE,
        counts: &counts,
        counts_name: noun,
        height: TALL,
        sql: &now.sql,
        file: "latency",
    };
    let controls = choices(context, is_log);
    chart.render_with(&context.view.clock, context.flags, controls, is_log)
}

/// A line's name, its values, and those of the comparison.
type Chosen<'a> = (&'a str, &'a [Option<f64>], Option<&'a [Option<f64>]>);

/// The latency chart with the line that was chosen, and that of the comparison.
fn one_line(
    context: &Context<'_>,
    noun: &str,
    now: &Sourced<Latency>,
    (name, values, before): Chosen<'_>,
    is_log: bool,
) -> Markup {
    let earlier = format!("{name} before");
    let mut lines = Vec::new();
    if let Some(before) = before.filter(|before| before.iter().any(Option::is_some)) {
        lines.push(Line {
            name: &earlier,
            class: "lat-prev",
            values: before,
            sparse: false,
        });
    }
    lines.push(Line {
        name,
        class: "lat-p95",
        values,
        sparse: false,
    });
    let says = said(context, &now.axis, name, values);
    drawn(
        context,
        (noun, now),
        &lines,
        (&per(&now.axis), &says),
        is_log,
    )
}
