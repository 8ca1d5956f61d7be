//! A heat map: how often values of each size were met over time.

use maud::{Markup, Render as _, html};

use super::axis::ValueAxis;
use super::buckets::Buckets;
use super::frame::{Data, Frame};
use crate::ui::moment::Clock;
use crate::ui::number::grouped;
use crate::ui::plot::coordinate::{PLOT, Px};

/// Height of a row, and the least height of a map.
const ROW: f64 = 8.0;
const LEAST: u32 = 96;

/// Distance of two labels of the axis, in rows.
const EVERY: usize = 5;

/// Shades of the colour.
const STEPS: usize = 9;

/// A range of values, and how many fell into each bucket of time.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    /// The ends of the range, as they are written.
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) counts: &'a [f64],
}

/// A heat map and what it needs to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct HeatMap<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) note: &'a str,
    pub(crate) says: &'a str,
    pub(crate) buckets: Buckets,
    /// From the smallest values to the greatest.
    pub(crate) rows: &'a [Row<'a>],
    pub(crate) sql: &'a [String],
    /// The table of the answer that has its data.
    pub(crate) file: &'a str,
}

impl HeatMap<'_> {
    pub(crate) fn render(&self, clock: &Clock) -> Markup {
        let height = LEAST.max((self.rows.len() as f64 * ROW) as u32);
        let axis = ValueAxis::rows(self.labels(f64::from(height)), height);
        let data = self.data(clock);
        maud::Render::render(&Frame {
            id: self.id,
            title: self.title,
            note: html! { (self.note) },
            head: html! {},
            says: self.says,
            axis: &axis,
            x: &self.buckets.ticks(clock),
            plot: self.cells(f64::from(height)),
            over: html! {},
            right: None,
            data: Some(&data),
            sql: self.sql,
            file: self.file,
            // A crosshair would show the counts of all rows.
            time: None,
        })
    }

    /// The top of a row.
    fn top(&self, row: usize, height: f64) -> f64 {
        height - (row + 1) as f64 * self.tall(height)
    }

    fn tall(&self, height: f64) -> f64 {
        height / self.rows.len().max(1) as f64
    }

    fn labels(&self, height: f64) -> Vec<(f64, String)> {
        let labelled = self.rows.iter().enumerate().step_by(EVERY);
        labelled
            .map(|(place, row)| {
                let low = self.top(place, height) + self.tall(height);
                (low, row.from.clone())
            })
            .collect()
    }

    /// The cells of one shade are one path: a map has more than a thousand cells.
    fn cells(&self, height: f64) -> Markup {
        let most = self
            .rows
            .iter()
            .flat_map(|row| row.counts)
            .copied()
            .fold(0.0, f64::max);
        let (width, tall) = (PLOT / self.buckets.count.max(1) as f64, self.tall(height));
        let mut shades = vec![String::new(); STEPS];
        for (place, row) in self.rows.iter().enumerate() {
            for (bucket, count) in row
                .counts
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0.0)
            {
                let path = &mut shades[shade(*count, most)];
                path.push('M');
                Px(bucket as f64 * width).render_to(path);
                path.push(' ');
                Px(self.top(place, height)).render_to(path);
                path.push('h');
                Px(width).render_to(path);
                path.push('v');
                Px(tall).render_to(path);
                path.push('h');
                Px(-width).render_to(path);
                path.push('z');
            }
        }
        html! {
            @for (place, path) in shades.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
                path.heat d=(path) fill-opacity=(format!("{:.2}", (place + 1) as f64 / STEPS as f64)) {}
            }
        }
    }

    fn data(&self, clock: &Clock) -> Data {
        let mut heads = vec!["Time".to_owned()];
        heads.extend(
            self.rows
                .iter()
                .map(|row| format!("{} – {}", row.from, row.to)),
        );
        let is_there = |bucket: &usize| {
            self.rows
                .iter()
                .any(|row| row.counts.get(*bucket).is_some_and(|n| *n > 0.0))
        };
        let rows = (0..self.buckets.count).filter(is_there).map(|bucket| {
            let mut cells = vec![self.buckets.name(bucket, clock)];
            let count = |row: &Row<'_>| {
                row.counts
                    .get(bucket)
                    .map_or_else(String::new, |n| whole(*n))
            };
            cells.extend(self.rows.iter().map(count));
            cells
        });
        Data {
            classes: vec![""; heads.len()],
            rows: rows.collect(),
            heads,
            links: Vec::new(),
        }
    }
}

/// The shade of a count. Few values beside many must still be seen: by the logarithm.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is within the shades"
)]
fn shade(count: f64, most: f64) -> usize {
    let share = (count + 1.0).ln() / (most + 1.0).ln().max(f64::MIN_POSITIVE);
    let shade = (share.clamp(0.0, 1.0) * STEPS as f64).ceil() as usize;
    shade.clamp(1, STEPS) - 1
}

/// Counts may be parts of whole ones where an increase is spread over time.
fn whole(count: f64) -> String {
    if count > 0.0 && count < 0.5 {
        "<1".to_owned()
    } else {
        grouped(count.round().max(0.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn a_heat_map_is_golden() {
        let rows = [
            Row {
                from: "1 ms".into(),
                to: "2 ms".into(),
                counts: &[0.0, 4.0, 0.25],
            },
            Row {
                from: "2 ms".into(),
                to: "4 ms".into(),
                counts: &[100.0, 0.0, 0.0],
            },
        ];
        let map = HeatMap {
            id: "heat",
            title: "Values",
            note: "per minute",
            says: "Most are short.",
            buckets: Buckets {
                from: 0,
                step: 60_000_000,
                count: 3,
            },
            rows: &rows,
            sql: &[],
            file: "metric",
        };
        let clock = Clock {
            now: 180_000_000,
            zone: TimeZone::UTC,
        };
        let html = map.render(&clock).into_string();
        insta::assert_snapshot!(html.replace("><", ">\n<"));
    }
}
