//! Charts of runtimes, a section for each.

use maud::{Markup, html};

use super::super::Context;
use super::super::charts::per;
use super::{latest, lines_of};
use crate::analytics::metrics::panels::Panel;
use crate::analytics::series::Axis;
use crate::answers::sourced::Sourced;
use crate::ui::chart::buckets::Buckets;
use crate::ui::chart::lines::LineChart;
use crate::ui::components::panel::split;
use crate::ui::unit::Unit;
use crate::ui::words;

/// Characters of a line's name: the gutter beside a chart has no room for more.
const MOST_NAME: usize = 10;

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
    let names: Vec<String> = panel
        .lines
        .iter()
        .map(|line| words::cut(&line.name, MOST_NAME))
        .collect();
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
    LineChart {
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
    .render(&context.view.clock, context.flags)
}
