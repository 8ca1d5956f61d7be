//! Charts of runtimes, a section for each.

use maud::{Markup, html};

use super::super::Context;
use super::super::charts::per;
use super::line_names::short;
use super::{latest, lines_of};
use crate::analytics::metrics::panels::Panel;
use crate::analytics::series::Axis;
use crate::answers::sourced::Sourced;
use crate::ui::chart::buckets::Buckets;
use crate::ui::chart::lines::LineChart;
use crate::ui::components::panel::split;
use crate::ui::number;
use crate::ui::unit::Unit;
use crate::ui::view::View;
use crate::ui::words;

/// The sections of the runtimes that are there.
pub(super) fn panels(context: &Context<'_>, axis: &Axis, panels: &Sourced<Vec<Panel>>) -> Markup {
    let runtimes = panels.chunk_by(|one, next| one.runtime == next.runtime);
    let charts = |panels: &[Panel], first: usize| -> Vec<Markup> {
        let charts = panels.iter().enumerate();
        charts
            .map(|(place, panel)| chart(context, axis, panel, first + place))
            .collect()
    };
    let mut first = 0;
    let sections: Vec<(&str, Vec<Markup>)> = runtimes
        .map(|panels| {
            let drawn = charts(panels, first);
            first += panels.len();
            (panels[0].runtime, drawn)
        })
        .collect();
    html! {
        @for (place, (runtime, of_runtime)) in sections.iter().enumerate() {
            section.runtime aria-labelledby={ "runtime-" (place) } {
                h2 id={ "runtime-" (place) } { (runtime) }
                @for pair in of_runtime.chunks(2) {
                    @if pair.len() == 2 { (split("split--2", pair)) } @else { div.panel { (pair[0]) } }
                }
            }
        }
    }
}

fn chart(context: &Context<'_>, axis: &Axis, panel: &Panel, place: usize) -> Markup {
    let unit = Unit::of(&panel.metric, &panel.unit, panel.is_rate);
    let names = short(panel.lines.iter().map(|line| line.name.clone()).collect());
    let values: Vec<Vec<Option<f64>>> = panel
        .lines
        .iter()
        .map(|line| unit.scaled_all(&line.values))
        .collect();
    let lines = lines_of(&names, &values);
    let last = panel
        .lines
        .iter()
        .zip(&values)
        .filter_map(|(line, values)| {
            latest(values).map(|value| format!("{} {}", line.name, unit.measure.write(value)))
        });
    let says = format!(
        "{}: {} at the end.",
        panel.title,
        last.collect::<Vec<_>>().join(", ")
    );
    let note = match unit.note {
        "" => per(axis),
        note => note.to_owned(),
    };
    let drawn = LineChart {
        id: &format!("panel-{place}"),
        title: panel.title,
        note: &note,
        says: &says,
        measure: unit.measure,
        buckets: Buckets::from(axis),
        lines: &lines,
        is_reported: true,
        counts: &[],
        counts_name: "",
        height: 112,
        sql: &panel.sql,
        file: "panels",
    }
    .render(&context.view.clock, context.flags);
    // Only a label makes more lines than are drawn.
    match panel.by.filter(|_| panel.more > 0) {
        None => drawn,
        Some(by) => html! { div { (drawn) (left_out(context.view, panel, by)) } },
    }
}

/// The number of lines that are drawn, with the way to all of them.
fn left_out(view: &View, panel: &Panel, by: &str) -> Markup {
    let shown = panel.lines.len();
    let all = view.here().without("label").set("metric", &panel.metric);
    let all = all.set("together", "sum").anchor("metric");
    html! {
        p.panel-foot {
            (number::grouped(shown as u64)) " of " (words::count((shown + panel.more) as u64, "line", "lines"))
            ", by " code { (by) } ", those with the largest values. "
            a href=(all.set("split", by)) { "Show all" }
        }
    }
}
