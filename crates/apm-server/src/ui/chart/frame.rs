//! The parts that all charts share: head, y gutter, grid, base line, x row, and the table behind "View data".

use maud::{Markup, Render, html};

use super::axis::ValueAxis;
use super::buckets::Buckets;
use crate::ui::components::table::file_button;
use crate::ui::href::Href;
use crate::ui::plot::coordinate::{PLOT, Pc, Px};
use crate::ui::plot::ticks::Tick;

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
                        // The first would lie on the base line, or at the bottom.
                        @for (y, _) in self.axis.labels.iter().skip(1).filter(|(y, _)| *y != self.axis.base) {
                            line.grid x1="0" x2=(Px(PLOT)) y1=(Px(*y)) y2=(Px(*y)) {}
                        }
                        (self.plot)
                        @let base = self.axis.base;
                        line.base x1="0" x2=(Px(PLOT)) y1=(Px(base)) y2=(Px(base)) {}
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
    use crate::ui::chart::axis::Measure;

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
