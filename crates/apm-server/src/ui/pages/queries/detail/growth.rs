//! The growth of a statement: its time or its steps against the rows of its tables.

use maud::{Markup, html};

use crate::insight::growth;
use crate::ui::chart::axis::Measure;
use crate::ui::chart::growth::{Fit, Growth};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::number;
use crate::ui::pages::whole;
use crate::ui::view::View;

/// The reason for which there is no chart of growth.
const NO_ROWS: &str = "It needs the rows of the table: INSERTs that were seen, or a gauge that is named after the \
    table, such as people.rows.";

/// The panel with a chart for each table.
pub(super) fn growth_panel(view: &View, growth: &[growth::Growth]) -> Markup {
    let mut parts = Vec::new();
    for (i, found) in growth.iter().enumerate() {
        let id = format!("growth-{i}");
        if let Some(steps) = &found.steps {
            parts.push(steps_against_rows(&id, found, steps));
            continue;
        }
        let Some(regime) = found.growing().or(found.regimes.last()) else {
            continue;
        };
        let runs: Vec<(f64, f64)> = found
            .points
            .iter()
            .map(|point| (point.rows, point.micros))
            .collect();
        let chart = Growth {
            id: &id,
            table: &found.table,
            measure: Measure::Duration,
            runs: &runs,
            // A line that the words beside it deny would mislead.
            fit: regime
                .fit
                .filter(|_| found.growing().is_some())
                .map(|fit| Fit {
                    at_zero: fit.at_zero,
                    per_row: fit.per_row,
                    r_squared: fit.r_squared,
                }),
            height: 140,
            sql: std::slice::from_ref(&found.sql),
            file: "growth",
        };
        let words = match found.growing() {
            Some(_) => chart.words(),
            None => Some(match found.ended() {
                Some(at) => format!(
                    "It grew with {} until {}, and no longer does.",
                    found.table,
                    view.clock.minute((at * 1e6) as i64)
                ),
                None => format!("It does not change with the rows of {}.", found.table),
            }),
        };
        parts.push(html! {
            (chart.render())
            @if let Some(words) = words { p.soft.pad { (words) } }
        });
    }
    let body = html! {
        @if parts.is_empty() {
            (nothing("No growth to show", NO_ROWS))
        }
        @for part in &parts { (part) }
    };
    panel("Growth", "last 6 hours", html! {}, body)
}

/// Steps of SQLite against the rows, and what they say of growth.
fn steps_against_rows(id: &str, found: &growth::Growth, steps: &growth::Steps) -> Markup {
    let runs = steps.points.iter().map(|point| (point.rows, point.steps));
    let runs: Vec<(f64, f64)> = runs.collect();
    let growing = steps.growing();
    let chart = Growth {
        id,
        table: &found.table,
        measure: Measure::Count,
        runs: &runs,
        fit: growing.map(|trend| trend.line),
        height: 140,
        sql: std::slice::from_ref(&found.sql),
        file: "growth",
    };
    html! {
        (chart.render())
        p.soft.pad {
            @match (growing, steps.trend()) {
                (Some(trend), _) => {
                    "It grows " (trend.order.words()) " of " (found.table) ": "
                    @let [fewest, rows, most, rows_now] =
                        [trend.steps_min, trend.rows_min, trend.steps_max, trend.rows_max]
                            .map(|count| number::grouped(whole(count)));
                    (fewest) " steps at " (rows) " rows, " (most) " at " (rows_now) "."
                }
                (None, Some(_)) => { "It does not grow with " (found.table) "." }
                (None, None) => { (found.table) " did not grow enough to tell: it must at least double." }
            }
        }
    }
}
