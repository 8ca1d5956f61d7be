//! Numbers against a time or a number, as a question of the console gives them: dots, and a line where x goes on.

use maud::{Markup, html};

use super::axis::{Measure, ValueAxis};
use super::frame::Frame;
use crate::ui::moment::Clock;
use crate::ui::plot::coordinate::{PLOT, Pc, Px, points};
use crate::ui::plot::scale::Scale;
use crate::ui::plot::ticks;
use crate::ui::words;

/// The meaning of x.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Across<'a> {
    /// µs since the epoch.
    Time(&'a Clock),
    /// A number, by the name of its column.
    Number(&'a str),
}

/// A chart of one column against another.
#[derive(Debug)]
pub(crate) struct XyChart<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) across: Across<'a>,
    /// `(x, y)`, x ascending.
    pub(crate) points: &'a [(f64, f64)],
    pub(crate) height: u32,
}

impl XyChart<'_> {
    pub(crate) fn render(&self) -> Markup {
        let least =
            |of: fn(&(f64, f64)) -> f64| self.points.iter().map(of).fold(f64::INFINITY, f64::min);
        let most = |of: fn(&(f64, f64)) -> f64| self.points.iter().map(of).fold(0.0, f64::max);
        let (from, to) = (least(|point| point.0), most(|point| point.0));
        let (scale, ticks, note) = match self.across {
            Across::Time(clock) => (
                Scale::linear(from, to),
                ticks::times(from as i64, to as i64, &clock.zone),
                "over time".to_owned(),
            ),
            Across::Number(name) => {
                let scale = Scale::linear(from.min(0.0), to);
                (
                    scale,
                    ticks::linear(scale, 5, "", 1.0),
                    format!("by {name}"),
                )
            }
        };
        let span = (least(|point| point.1).min(0.0), most(|point| point.1));
        let axis = ValueAxis::between(Measure::Plain, span, self.height, 8.0);
        let y = |value: f64| axis.height.y(value);
        let is_time = matches!(self.across, Across::Time(_));
        let line = self
            .points
            .iter()
            .map(|(x, value)| (scale.place(*x) * PLOT, y(*value)));
        let plot = html! { @if is_time { polyline.line.series-1 points=(points(line)) {} } };
        let over = html! {
            @for (x, value) in self.points { circle.pt cx=(Pc(scale.place(*x))) cy=(Px(y(*value))) r="2" {} }
        };
        maud::Render::render(&Frame {
            id: self.id,
            title: self.title,
            note: html! { (note) },
            head: html! {},
            says: &format!(
                "{} {note}, {}.",
                self.title,
                words::count(self.points.len() as u64, "value", "values")
            ),
            axis: &axis,
            x: &ticks,
            plot,
            over,
            right: None,
            // The rows stand in the table below.
            data: None,
            sql: &[],
            file: "rows",
            time: None,
        })
    }
}
