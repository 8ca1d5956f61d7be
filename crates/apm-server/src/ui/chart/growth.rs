//! Growth: how long single runs took against the rows they read, with the line through bucket medians.

use maud::{Markup, html};

use super::coordinate::{Pc, Px};
use super::frame::{Frame, Measure, ValueAxis};
use super::scale::Scale;
use super::ticks;
use crate::ui::number::{NARROW, duration};

/// A straight line: µs at 0, and µs per row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    pub(crate) at_zero: f64,
    pub(crate) per_row: f64,
    pub(crate) r_squared: f64,
}

impl Fit {
    fn at(self, rows: f64) -> f64 {
        self.at_zero + self.per_row * rows
    }
}

/// Least squares through `(rows, µs)`; none for fewer than two different row counts.
pub(crate) fn least_squares(points: &[(f64, f64)]) -> Option<Fit> {
    let n = points.len() as f64;
    let (mean_x, mean_y) = (
        points.iter().map(|p| p.0).sum::<f64>() / n,
        points.iter().map(|p| p.1).sum::<f64>() / n,
    );
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        points
            .iter()
            .map(|(x, y)| of(x - mean_x, y - mean_y))
            .sum::<f64>()
    };
    let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
    if points.len() < 2 || xx <= 0.0 || !xy.is_finite() {
        return None;
    }
    let per_row = xy / xx;
    let r_squared = if yy > 0.0 {
        (xy * xy / (xx * yy)).min(1.0)
    } else {
        1.0
    };
    Some(Fit {
        at_zero: mean_y - per_row * mean_x,
        per_row,
        r_squared,
    })
}

/// A scatter of runs and its line.
#[derive(Debug, Clone)]
pub(crate) struct Growth<'a> {
    pub(crate) id: &'a str,
    /// What the rows are rows of: `people`.
    pub(crate) table: &'a str,
    /// `(rows, µs)` of single runs.
    pub(crate) runs: &'a [(f64, f64)],
    pub(crate) fit: Option<Fit>,
    pub(crate) height: u32,
}

impl Growth<'_> {
    /// Slope, R² and one projection, in words.
    pub(crate) fn words(&self) -> Option<String> {
        let fit = self.fit?;
        let sign = if fit.per_row < 0.0 { "−" } else { "+" };
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
        let axis = ValueAxis::new(Measure::Duration, slowest.max(ahead), self.height, 8.0);
        let x = ticks::linear(scale, 3, "rows", 1.0);
        let y = |rows: f64, fit: Fit| Px(axis.height.y(fit.at(rows)));
        let over = html! {
            @for (rows, us) in self.runs { circle.pt cx=(Pc(scale.place(*rows))) cy=(Px(axis.height.y(*us))) r="2" {} }
            @if let Some(fit) = self.fit && rows > least {
                line.fit x1=(Pc(scale.place(least))) x2=(Pc(scale.place(rows))) y1=(y(least, fit)) y2=(y(rows, fit)) {}
                line.fit-ahead x1=(Pc(scale.place(rows))) x2="100%" y1=(y(rows, fit)) y2=(y(rows * 1.2, fit)) {}
                line.fit-ahead x1="0" x2=(Pc(scale.place(least))) y1=(y(0.0, fit)) y2=(y(least, fit)) {}
            }
        };
        let says = match self.words() {
            Some(words) => format!("Duration against rows in {}: {words}", self.table),
            None => format!("Duration against rows in {}.", self.table),
        };
        maud::Render::render(&Frame {
            id: self.id,
            title: "",
            note: html! {},
            head: html! {},
            says: &says,
            axis: &axis,
            x: &x,
            plot: html! {},
            over,
            right: None,
            // The frame has no head here, and so no link that would show it.
            data: None,
            sql: None,
            time: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_is_found_exactly() {
        let fit = least_squares(&[(0.0, 1_000.0), (1_000.0, 1_220.0), (2_000.0, 1_440.0)]).unwrap();
        assert!((fit.per_row - 0.22).abs() < 1e-9);
        assert!((fit.at_zero - 1_000.0).abs() < 1e-6);
        assert!((fit.r_squared - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_row_count_has_no_slope() {
        assert_eq!(least_squares(&[(5.0, 1.0), (5.0, 3.0)]), None);
        assert_eq!(least_squares(&[]), None);
    }

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
            runs: &[(10.0, 5.0)],
            fit,
            height: 92,
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
            runs: &runs,
            fit: least_squares(&runs),
            height: 92,
        };
        insta::assert_snapshot!(growth.render().into_string().replace("><", ">\n<"));
    }
}
