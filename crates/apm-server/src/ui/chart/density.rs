//! Durations over time as a picture of how many there are: cells of a grid, darker where more transactions are.
//!
//! One path holds all cells of one shade, so that a million transactions weigh as much as a hundred. `density.js`
//! selects a part by dragging; the numbers beside the chart do the same without a script.

use std::fmt::Write as _;

use apm_time::SECOND;
use maud::{Markup, Render, html};

use super::axis::ValueAxis;
use super::frame::{Data, Frame};
use crate::ui::number::{duration, grouped};
use crate::ui::plot::coordinate::{PLOT, Px};
use crate::ui::plot::scale::Scale;
use crate::ui::plot::ticks;
use crate::ui::view::View;

/// The height of the plot.
const HEIGHT: u32 = 220;

/// Shades of cells.
const SHADES: usize = 5;

/// A cell: a stretch of time (µs since the epoch) and of durations (µs), and what is in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) at: (f64, f64),
    pub(crate) durations: (f64, f64),
    pub(crate) count: u64,
    pub(crate) failed: u64,
}

/// The chart.
#[derive(Debug)]
pub(crate) struct DensityChart<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) note: Markup,
    /// The range, µs since the epoch.
    pub(crate) range: (i64, i64),
    pub(crate) cells: &'a [Cell],
    /// The durations that are selected, µs.
    pub(crate) selected: (Option<i64>, Option<i64>),
    pub(crate) controls: Markup,
    /// The statements that read it.
    pub(crate) sql: &'a [String],
    pub(crate) file: &'a str,
}

impl DensityChart<'_> {
    pub(crate) fn render(&self, view: &View) -> Markup {
        let clock = &view.clock;
        let data = (!self.cells.is_empty()).then(|| self.data(view));
        let (from, to) = self.range;
        let across = Scale::linear(from as f64, to as f64);
        let low = self
            .cells
            .iter()
            .map(|cell| cell.durations.0)
            .fold(f64::INFINITY, f64::min);
        let high = self
            .cells
            .iter()
            .map(|cell| cell.durations.1)
            .fold(1.0, f64::max);
        let up = Scale::log(low.min(high), high);
        let y = |us: f64| f64::from(HEIGHT) * (1.0 - up.place(us));
        let axis = ValueAxis::durations(up, HEIGHT);
        let plot = html! {
            @for (class, path) in self.paths(across, &y) { path class=(class) d=(path) {} }
            @if self.selected != (None, None) {
                @let least = self.selected.0.map_or(low, |us| us as f64);
                @let most = self.selected.1.map_or(high, |us| us as f64);
                rect.band x="0" width=(Px(PLOT)) y=(Px(y(most))) height=(Px((y(least) - y(most)).max(1.0))) {}
            }
        };
        let (low, high) = up.ends();
        html! {
            div.density data-from=(from) data-to=(to) data-low=(Px(low)) data-high=(Px(high)) {
                (Frame {
                    id: self.id,
                    title: self.title,
                    note: self.note.clone(),
                    head: html! { (legend()) div.row.push { (self.controls) } },
                    says: &self.says(),
                    axis: &axis,
                    x: &ticks::times(from, to, &clock.zone),
                    plot,
                    over: html! {},
                    right: None,
                    data: data.as_ref(),
                    sql: self.sql,
                    file: self.file,
                    time: None,
                }.render())
            }
        }
    }

    /// A row for each stretch of time in which something was: cells are too many to be read. It leads to the page about
    /// that stretch.
    fn data(&self, view: &View) -> Data {
        let mut stretches: Vec<Cell> = Vec::new();
        for cell in self.cells {
            match stretches.last_mut().filter(|last| last.at == cell.at) {
                Some(last) => {
                    last.durations.0 = last.durations.0.min(cell.durations.0);
                    last.durations.1 = last.durations.1.max(cell.durations.1);
                    last.count += cell.count;
                    last.failed += cell.failed;
                }
                None => stretches.push(*cell),
            }
        }
        let heads = [
            "Time",
            "Requests",
            "Failed",
            "Fastest from",
            "Slowest up to",
        ];
        let row = |stretch: &Cell| {
            vec![
                view.clock.second(stretch.at.0 as i64),
                grouped(stretch.count),
                grouped(stretch.failed),
                duration(stretch.durations.0).to_string(),
                duration(stretch.durations.1).to_string(),
            ]
        };
        let link = |stretch: &Cell| {
            // A stretch that is less than a second long is no range of a page.
            let (from, to) = (stretch.at.0 as i64, stretch.at.1.ceil() as i64);
            view.here_between(from, to.max(from + SECOND))
        };
        Data {
            heads: heads.map(str::to_owned).to_vec(),
            rows: stretches.iter().map(row).collect(),
            classes: Vec::new(),
            links: stretches.iter().map(link).collect(),
        }
    }

    /// The cells of each shade as one path; those with failures stand above the others.
    fn paths(&self, across: Scale, y: &dyn Fn(f64) -> f64) -> Vec<(String, String)> {
        let most = self.cells.iter().map(|cell| cell.count).max().unwrap_or(1) as f64;
        // By the logarithm: a single slow request has to be seen beside a thousand fast ones.
        let shade = |count: u64| {
            let share = (count as f64).ln_1p() / most.ln_1p();
            ((share * SHADES as f64).ceil() as usize).clamp(1, SHADES)
        };
        let mut paths = vec![String::new(); SHADES * 2];
        for cell in self.cells {
            let (left, right) = (
                across.place(cell.at.0) * PLOT,
                across.place(cell.at.1) * PLOT,
            );
            let (top, bottom) = (y(cell.durations.1), y(cell.durations.0));
            let place = shade(cell.count) - 1 + if cell.failed > 0 { SHADES } else { 0 };
            let path = &mut paths[place];
            // Writing into a String cannot fail.
            let _ = write!(
                path,
                "M{left:.1} {top:.1}h{:.1}v{:.1}h-{:.1}z",
                right - left,
                bottom - top,
                right - left
            );
        }
        let class = |place: usize| {
            let kind = if place >= SHADES {
                "cell failed"
            } else {
                "cell"
            };
            format!("{kind} shade-{}", place % SHADES + 1)
        };
        let drawn = paths.into_iter().enumerate();
        drawn
            .filter(|(_, path)| !path.is_empty())
            .map(|(place, path)| (class(place), path))
            .collect()
    }

    fn says(&self) -> String {
        let count: u64 = self.cells.iter().map(|cell| cell.count).sum();
        let failed: u64 = self.cells.iter().map(|cell| cell.failed).sum();
        let Some(slowest) = self
            .cells
            .iter()
            .max_by(|a, b| a.durations.1.total_cmp(&b.durations.1))
        else {
            return "No requests.".to_owned();
        };
        let densest = self
            .cells
            .iter()
            .max_by_key(|cell| cell.count)
            .unwrap_or(slowest);
        format!(
            "{} requests over time by duration, {} failed. Most are near {}, the slowest takes up to {}.",
            grouped(count),
            grouped(failed),
            duration(densest.durations.0),
            duration(slowest.durations.1)
        )
    }
}

fn legend() -> Markup {
    html! {
        span.legend {
            "fewer "
            span.shades aria-hidden="true" { @for shade in 1..=SHADES { i class={ "shade-" (shade) } {} } }
            " more requests "
            span.shades aria-hidden="true" { i.failed.shade-4 {} }
            " with failures"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(at: f64, durations: (f64, f64), count: u64, failed: u64) -> Cell {
        Cell {
            at: (at, at + 10.0),
            durations,
            count,
            failed,
        }
    }

    fn chart(cells: &[Cell]) -> String {
        let sql = ["SELECT 1".to_owned()];
        let chart = DensityChart {
            id: "density",
            title: "Durations",
            note: html! {},
            range: (0, 100),
            cells,
            selected: (Some(10), None),
            controls: html! {},
            sql: &sql,
            file: "density",
        };
        chart
            .render(&View::test("/traces", "sort=duration"))
            .into_string()
    }

    #[test]
    fn cells_of_one_shade_are_one_path_and_failures_have_their_own() {
        let cells: Vec<Cell> = (0..10)
            .map(|n| cell(f64::from(n) * 10.0, (10.0, 12.6), 1, 0))
            .chain([cell(0.0, (100.0, 126.0), 1_000, 3)])
            .collect();
        let drawn = chart(&cells);
        assert_eq!(drawn.matches("<path").count(), 2, "{drawn}");
        assert!(drawn.contains("cell failed shade-5"), "{drawn}");
        assert!(drawn.contains("1,010 requests"), "{drawn}");
        assert!(drawn.contains("class=\"band\""), "{drawn}");
    }

    #[test]
    fn its_data_has_a_row_for_each_stretch_of_time_that_leads_to_it() {
        let cells = [
            cell(0.0, (10.0, 12.6), 1, 0),
            cell(0.0, (100.0, 126.0), 1_000, 3),
            cell(50.0, (1_000.0, 1_259.0), 2, 2),
        ];
        let drawn = chart(&cells);
        let rows = drawn.split("<tbody>").nth(1).expect("rows");
        let rows = rows.split("</tbody>").next().expect("rows");
        assert_eq!(rows.matches("<tr>").count(), 2, "{rows}");
        assert!(rows.contains("1,001") && rows.contains("126"), "{rows}");
        let link = "/traces?sort=duration&amp;from=1970-01-01T00:00:00";
        assert!(rows.contains(link), "{rows}");
        assert!(drawn.contains("#density-sql"), "{drawn}");
    }

    #[test]
    fn a_chart_without_cells_says_so() {
        let drawn = chart(&[]);
        assert!(
            drawn.contains("No requests.") && !drawn.contains("NaN"),
            "{drawn}"
        );
    }
}
