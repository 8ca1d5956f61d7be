//! Growth: how long single runs took, or how many steps of SQLite, against the rows they read, with the line through
//! medians.

use maud::{Markup, html};

use super::axis::{Measure, ValueAxis};
use super::frame::{Data, Frame};
pub(crate) use crate::insight::growth::Fit;
use crate::sort_rows::SortRows as _;
use crate::ui::number::{NARROW, duration};
use crate::ui::plot::coordinate::{Pc, Px};
use crate::ui::plot::scale::Scale;
use crate::ui::plot::ticks;

/// A scatter of runs and its line.
#[derive(Debug, Clone)]
pub(crate) struct Growth<'a> {
    pub(crate) id: &'a str,
    /// The table of the rows: `people`.
    pub(crate) table: &'a str,
    /// Durations, or steps as a count.
    pub(crate) measure: Measure,
    /// `(rows, µs or steps)` of single runs.
    pub(crate) runs: &'a [(f64, f64)],
    pub(crate) fit: Option<Fit>,
    pub(crate) height: u32,
    pub(crate) sql: &'a [String],
    /// The table of the answer that has its data.
    pub(crate) file: &'a str,
}

impl Growth<'_> {
    fn what(&self) -> &'static str {
        match self.measure {
            Measure::Duration => "Duration",
            _ => "Steps",
        }
    }

    /// Slope, R² and one projection of durations, in words.
    pub(crate) fn words(&self) -> Option<String> {
        let fit = self.fit.filter(|_| self.measure == Measure::Duration)?;
        let sign = if fit.per_row < 0.0 { "−" } else { "+" };
        // “R² 1.00” would claim more than there is.
        let r_squared = if fit.r_squared > 0.99 {
            "R² > 0.99".to_owned()
        } else {
            format!("R² {:.2}", fit.r_squared)
        };
        Some(format!(
            "{sign}{} per 1,000 rows, {r_squared}. At 1{NARROW}M rows: about {}.",
            duration((fit.per_row * 1e3).abs()),
            duration(fit.at(1e6))
        ))
    }

    pub(crate) fn render(&self) -> Markup {
        let most = |of: fn(&(f64, f64)) -> f64| self.runs.iter().map(of).fold(0.0, f64::max);
        let least = self
            .runs
            .iter()
            .map(|run| run.0)
            .fold(f64::INFINITY, f64::min);
        let (rows, slowest) = (most(|run| run.0), most(|run| run.1));
        let scale = Scale::linear(0.0, rows * 1.2);
        let ahead = self.fit.map_or(0.0, |fit| fit.at(rows * 1.2));
        let axis = ValueAxis::new(self.measure, slowest.max(ahead), self.height, 8.0);
        let x = ticks::linear(scale, 3, "rows", 1.0);
        let y = |rows: f64, fit: Fit| Px(axis.height.y(fit.at(rows)));
        let over = html! {
            @for (rows, us) in self.runs { circle.pt cx=(Pc(scale.place(*rows))) cy=(Px(axis.height.y(*us))) r="2" {} }
            // Runs over one number of rows have no slope.
            @if let Some(fit) = self.fit && rows > least {
                line.fit x1=(Pc(scale.place(least))) x2=(Pc(scale.place(rows))) y1=(y(least, fit)) y2=(y(rows, fit)) {}
                line.fit-ahead x1=(Pc(scale.place(rows))) x2="100%" y1=(y(rows, fit)) y2=(y(rows * 1.2, fit)) {}
                line.fit-ahead x1="0" x2=(Pc(scale.place(least))) y1=(y(0.0, fit)) y2=(y(least, fit)) {}
            }
        };
        let says = match self.words() {
            Some(words) => format!("{} against rows in {}: {words}", self.what(), self.table),
            None => format!("{} against rows in {}.", self.what(), self.table),
        };
        maud::Render::render(&Frame {
            id: self.id,
            title: &format!("By rows of {}", self.table),
            note: html! { "medians" },
            head: html! {},
            says: &says,
            axis: &axis,
            x: &x,
            plot: html! {},
            over,
            right: None,
            data: Some(&self.data()),
            sql: self.sql,
            file: self.file,
            time: None,
        })
    }

    fn data(&self) -> Data {
        let mut runs = self.runs.to_vec();
        runs.sort_rows_by(|a, b| a.0.total_cmp(&b.0));
        let row = |(rows, cost): &(f64, f64)| {
            vec![Measure::Count.write(*rows), self.measure.write(*cost)]
        };
        Data {
            heads: ["Rows", self.what()].map(str::to_owned).to_vec(),
            rows: runs.iter().map(row).collect(),
            classes: Vec::new(),
            links: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_state_slope_fit_and_one_projection() {
        let fit = Some(Fit {
            at_zero: 1_000.0,
            per_row: 0.22,
            r_squared: 0.98,
        });
        let growth = Growth {
            id: "g",
            table: "people",
            measure: Measure::Duration,
            runs: &[(10.0, 5.0)],
            fit,
            height: 92,
            sql: &[],
            file: "latency",
        };
        assert_eq!(
            growth.words().unwrap().replace(NARROW, " "),
            "+220 µs per 1,000 rows, R² 0.98. At 1 M rows: about 221 ms."
        );
    }

    #[test]
    fn a_scatter_is_golden() {
        let runs = [(100.0, 1_000.0), (200.0, 2_000.0)];
        let growth = Growth {
            id: "g",
            table: "people",
            measure: Measure::Duration,
            runs: &runs,
            fit: Some(Fit {
                at_zero: 0.0,
                per_row: 10.0,
                r_squared: 1.0,
            }),
            height: 92,
            sql: &[],
            file: "latency",
        };
        insta::assert_snapshot!(growth.render().into_string().replace("><", ">\n<"));
    }
}
