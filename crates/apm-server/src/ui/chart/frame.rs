//! The parts that all charts share: head, y gutter, grid, base line, x row, and the table behind "View data".

use maud::{Markup, Render, html};

use super::buckets::Buckets;
use crate::ui::components::table::file_button;
use crate::ui::href::Href;
use crate::ui::number::NARROW;
use crate::ui::plot::coordinate::{PLOT, Pc, Px};
use crate::ui::plot::labels;
use crate::ui::plot::scale::{Height, Scale};
use crate::ui::plot::ticks::{self, Tick};

/// The unit of the values of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Microseconds.
    Duration,
    /// Things that are counted: no broken ticks.
    Count,
    /// Per minute.
    Rate,
    /// Shares of 0 … 1.
    Share,
    Bytes,
    /// A number without a unit that we know.
    Plain,
}

impl Measure {
    /// The unit of an axis up to `max`, and its length in the measure's own unit.
    fn unit(self, max: f64) -> (&'static str, f64) {
        match self {
            Self::Duration => ticks::duration_unit(max),
            Self::Share => ("%", 0.01),
            Self::Bytes => match max {
                max if max < 1e3 => ("B", 1.0),
                max if max < 1e6 => ("kB", 1e3),
                max if max < 1e9 => ("MB", 1e6),
                max if max < 1e12 => ("GB", 1e9),
                max if max < 1e15 => ("TB", 1e12),
                _ => ("PB", 1e15),
            },
            Self::Count | Self::Rate | Self::Plain => ("", 1.0),
        }
    }

    /// A value with its unit, as a table or a tooltip shows it.
    pub(crate) fn write(self, value: f64) -> String {
        use crate::ui::number;
        match self {
            Self::Duration => number::duration(value).to_string(),
            Self::Count => number::grouped(value.max(0.0).round() as u64),
            Self::Rate => number::rate(value),
            Self::Share => number::percent(value).to_string(),
            Self::Bytes => number::bytes(value.max(0.0) as u64).to_string(),
            Self::Plain => labels::plain(value),
        }
    }
}

/// The y axis of one chart: from zero to the last tick.
#[derive(Debug, Clone)]
pub(crate) struct ValueAxis {
    pub(crate) height: Height,
    labels: Vec<(f64, String)>,
    /// The last tick and its unit where the scale begins at zero and is linear, for a script that draws a part of the
    /// chart on another scale.
    linear: Option<(f64, &'static str)>,
    /// Set where the axis is logarithmic.
    scale: Option<Scale>,
}

impl ValueAxis {
    /// An axis that holds `max`; `room` px stay free above the top tick (8, or 22 where a label sits inside).
    pub(crate) fn new(measure: Measure, max: f64, height: u32, room: f64) -> Self {
        let (unit, length) = measure.unit(max);
        let steps = if height >= 130 { 4 } else { 3 };
        // Ticks are round numbers of the unit that is written, such as ms, and not of the unit of the values.
        let values = ticks::from_zero(max / length, steps, measure == Measure::Count);
        let top = values.last().copied().unwrap_or(1.0);
        let height = Height {
            max: top * length,
            height: f64::from(height),
            room,
        };
        let labels = values
            .iter()
            .map(|value| {
                let mut label = labels::value_label(*value);
                if *value == top && !unit.is_empty() {
                    label = format!("{label}{NARROW}{unit}");
                }
                (height.y(value * length), label)
            })
            .collect();
        Self {
            height,
            labels,
            linear: Some((top, unit)),
            scale: None,
        }
    }

    /// An axis of rows of the same height, with labels at places of its own.
    pub(crate) fn rows(labels: Vec<(f64, String)>, height: u32) -> Self {
        Self {
            height: whole(height),
            labels,
            linear: None,
            scale: None,
        }
    }

    /// An axis of durations (µs) on a logarithmic scale.
    pub(crate) fn durations(scale: Scale, height: u32) -> Self {
        let labels = ticks::log_durations(scale)
            .into_iter()
            .map(|tick| (f64::from(height) * (1.0 - tick.place), tick.label))
            .collect();
        Self {
            height: whole(height),
            labels,
            linear: None,
            scale: Some(scale),
        }
    }

    /// The distance of a value from the top of the plot.
    pub(crate) fn y(&self, value: f64) -> f64 {
        match self.scale {
            Some(scale) => self.height.height * (1.0 - scale.place(value)),
            None => self.height.y(value),
        }
    }
}

/// A plot whose places are shares of its height.
fn whole(height: u32) -> Height {
    Height {
        max: 1.0,
        height: f64::from(height),
        room: 0.0,
    }
}

/// The rows behind a chart: a head, then one row per mark.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Class of each head's swatch in the tooltip; empty for none.
    pub(crate) classes: Vec<&'static str>,
    /// The page that a row leads to, such as its part of the range; empty where rows lead nowhere.
    pub(crate) links: Vec<Href>,
}

/// The parts of one chart. `says` is the finding in words, for those who do not see it.
pub(crate) struct Frame<'a> {
    /// Unique on its page; also the anchor of its data (`#id-data`).
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) note: Markup,
    /// Legend and controls, at the right end of the head.
    pub(crate) head: Markup,
    pub(crate) says: &'a str,
    pub(crate) axis: &'a ValueAxis,
    pub(crate) x: &'a [Tick],
    /// Marks in the stretched plot.
    pub(crate) plot: Markup,
    /// Marks and words that must not be stretched.
    pub(crate) over: Markup,
    /// Labels at the right end of lines, with the width of their gutter.
    pub(crate) right: Option<(u32, Markup)>,
    pub(crate) data: Option<&'a Data>,
    /// The statements that read its values, as the console takes them.
    pub(crate) sql: &'a [String],
    /// The table of the answer that has its data.
    pub(crate) file: &'a str,
    /// For charts over time: what `chart.js` needs for crosshair and zoom.
    pub(crate) time: Option<Buckets>,
}

impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Frame")
            .field("id", &self.id)
            .field("says", &self.says)
            .finish_non_exhaustive()
    }
}

/// The class that lets a label at the edge of the plot stay inside it.
fn edge(place: f64) -> &'static str {
    match place {
        place if place < 0.015 => "start",
        place if place > 0.985 => "end",
        _ => "",
    }
}

impl Render for Frame<'_> {
    fn render(&self) -> Markup {
        let height = self.axis.height.height;
        let data_id = format!("{}-data", self.id);
        let sql_id = format!("{}-sql", self.id);
        html! {
            figure.chart id=(self.id) data-from=[self.time.map(|time| time.from)]
                data-step=[self.time.map(|time| time.step)]
                aria-labelledby=[(!self.title.is_empty()).then(|| format!("{}-t", self.id))] {
                @if !self.title.is_empty() {
                    figcaption.chart-head {
                        h2 id={ (self.id) "-t" } { (self.title) }
                        span.note { (self.note) }
                        (self.head)
                        @if self.data.is_some() || !self.sql.is_empty() {
                            span.chart-links {
                                @if self.data.is_some() { a href={ "#" (data_id) } { "View data" } }
                                @if !self.sql.is_empty() { a href={ "#" (sql_id) } { "SQL" } }
                            }
                        }
                    }
                }
                div.chart-body {
                    svg.chart-y height=(Px(height)) aria-hidden="true" data-top=[self.axis.linear.map(|(top, _)| top)]
                        data-room=(self.axis.height.room) data-unit=[self.axis.linear.map(|(_, unit)| unit)] {
                        @for (y, label) in &self.axis.labels { text x="100%" dx="-8" y=(Px(*y)) { (label) } }
                    }
                    svg.chart-plot height=(Px(height)) viewBox={ "0 0 " (Px(PLOT)) " " (Px(height)) }
                        preserveAspectRatio="none" role="img" aria-label=(self.says) {
                        // The first would lie on the base line.
                        @for (y, _) in self.axis.labels.iter().skip(1) {
                            line.grid x1="0" x2=(Px(PLOT)) y1=(Px(*y)) y2=(Px(*y)) {}
                        }
                        (self.plot)
                        line.base x1="0" x2=(Px(PLOT)) y1=(Px(height)) y2=(Px(height)) {}
                    }
                    svg.chart-over height=(Px(height)) aria-hidden="true" { (self.over) }
                    @if let Some((width, right)) = &self.right {
                        svg.chart-right width=(width) height=(Px(height)) aria-hidden="true" { (right) }
                    }
                    svg.chart-x aria-hidden="true" {
                        @for tick in self.x {
                            line.tick x1=(Pc(tick.place)) x2=(Pc(tick.place)) y1="0" y2="4" {}
                            text class=(edge(tick.place)) x=(Pc(tick.place)) y="16" { (tick.label) }
                        }
                    }
                }
                @if let Some(data) = self.data { (behind(&data_id, self.title, data, (self.id, self.file))) }
                @if !self.sql.is_empty() { (statements(&sql_id, self.sql, self.id)) }
            }
        }
    }
}

/// Bytes of a statement that an address may carry.
const LONGEST: usize = 8_000;

/// The statements behind a chart, hidden as its data is.
fn statements(id: &str, sql: &[String], chart: &str) -> Markup {
    html! {
        div.chart-behind id=(id) {
            div.row {
                h3 { "SQL" }
                span.note { "what was read, with its values" }
                a.push href={ "#" (chart) } { "Hide" }
            }
            @for sql in sql {
                @if sql.len() <= LONGEST {
                    div.row { a href=(Href::to(&["sql"]).set("sql", sql)) { "Open in SQL" } }
                }
                pre.code tabindex="0" { (crate::ui::components::sql::highlight(sql)) }
            }
        }
    }
}

/// Hidden until its link is followed, so that it needs no script.
fn behind(id: &str, title: &str, data: &Data, (chart, file): (&str, &str)) -> Markup {
    html! {
        div.chart-behind id=(id) {
            div.row { h3 { (title) } a.push href={ "#" (chart) } { "Hide" } }
            table.table.docs data-series="" {
                caption.sr { "Data of the chart " (title) }
                thead { tr {
                    @for (i, head) in data.heads.iter().enumerate() {
                        th scope="col" class=[(i > 0).then_some("num num--bare")]
                            data-swatch=[data.classes.get(i).filter(|class| !class.is_empty())] {
                            (head)
                        }
                    }
                } }
                tbody { @for (at, row) in data.rows.iter().enumerate() { tr {
                    @for (i, cell) in row.iter().enumerate() {
                        @match (i, data.links.get(at)) {
                            (0, Some(link)) => th scope="row" { a href=(link) { (cell) } }
                            (0, None) => th scope="row" { (cell) }
                            _ => td.num { (cell) }
                        }
                    }
                } } }
            }
            (file_button(file, &format!("Data of the chart {title}")))
        }
    }
}

/// The frame of a chart that has nothing to show: which range, and what would help.
pub(crate) fn without_data(id: &str, title: &str, says: &str, remedies: Markup) -> Markup {
    html! {
        figure.chart id=(id) aria-labelledby={ (id) "-t" } {
            figcaption.chart-head { h2 id={ (id) "-t" } { (title) } }
            div.empty.empty--chart { p { (says) } p.row { (remedies) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_stands_on_the_top_tick_only() {
        let axis = ValueAxis::new(Measure::Duration, 58_900.0, 172, 8.0);
        let labels: Vec<_> = axis
            .labels
            .iter()
            .map(|(y, label)| format!("{y:.1} {label}"))
            .collect();
        assert_eq!(
            labels,
            ["172.0 0", "117.3 20", "62.7 40", "8.0 60\u{202f}ms"]
        );
    }

    #[test]
    fn shares_are_ticked_in_per_cent_and_counts_in_whole_numbers() {
        let labels = |axis: ValueAxis| {
            axis.labels
                .into_iter()
                .map(|(_, label)| label)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            labels(ValueAxis::new(Measure::Share, 0.018, 172, 8.0)),
            ["0", "0.5", "1", "1.5", "2\u{202f}%"]
        );
        assert_eq!(
            labels(ValueAxis::new(Measure::Count, 2.0, 88, 8.0)),
            ["0", "1", "2"]
        );
    }

    #[test]
    fn a_frame_is_golden() {
        let axis = ValueAxis::new(Measure::Count, 10.0, 88, 8.0);
        let x = [
            Tick {
                place: 0.0,
                label: "13:45".into(),
            },
            Tick {
                place: 0.5,
                label: "13:52".into(),
            },
        ];
        let data = Data {
            heads: vec!["Time".into(), "n".into()],
            rows: vec![vec!["13:45".into(), "<b>".into()]],
            classes: vec!["", "r-2xx"],
            links: vec![],
        };
        let frame = Frame {
            id: "hits",
            title: "Documents",
            note: html! { "per 30 s" },
            head: html! {},
            says: "one & only",
            axis: &axis,
            x: &x,
            plot: html! {},
            over: html! {},
            right: None,
            data: Some(&data),
            sql: &[],
            file: "latency",
            time: None,
        };
        insta::assert_snapshot!(frame.render().into_string().replace("><", ">\n<"));
    }
}
