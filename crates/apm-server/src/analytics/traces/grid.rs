//! Durations over time, counted in a grid: a million transactions are as many cells as a hundred.

use apm_time::Range;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analytics::discover::points::Point;

/// Columns of the grid: stretches of time of one length.
pub(crate) const COLUMNS: usize = 120;
/// Rows for each factor of ten of the duration.
pub(crate) const PER_DECADE: usize = 10;
/// Rows: up to 10^13 µs, some four months.
const ROWS: usize = 13 * PER_DECADE;

/// The transactions of one stretch of time and of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "DensityCell")]
pub struct Cell {
    /// Number of its column, from 0.
    pub column: usize,
    /// Number of its row: durations from 10^(row/10) µs on, those of row 0 from 0 on.
    pub row: usize,
    /// Transactions.
    pub count: u64,
    /// Those of them that failed.
    pub failed: u64,
}

/// Durations over time.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "Density")]
pub struct Density {
    /// Start of the first column, µs since the epoch.
    pub from: i64,
    /// End of the last column.
    pub to: i64,
    /// Number of columns.
    pub columns: usize,
    /// Cells with transactions.
    pub cells: Vec<Cell>,
    /// Transactions.
    pub count: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Whether all were looked at in time.
    pub complete: bool,
}

/// A grid that is filled.
#[derive(Debug)]
pub(super) struct Grid {
    range: Range,
    cells: Vec<(u64, u64)>,
}

impl Grid {
    pub(super) fn new(range: Range) -> Self {
        Self {
            range,
            cells: vec![(0, 0); COLUMNS * ROWS],
        }
    }

    pub(super) fn add(&mut self, point: &Point) {
        let length = (self.range.to - self.range.from).max(1);
        let at = i128::from(point.ts - self.range.from) * COLUMNS as i128;
        let at = at.div_euclid(i128::from(length));
        let Some(column) = usize::try_from(at).ok().filter(|column| *column < COLUMNS) else {
            return;
        };
        let cell = &mut self.cells[column * ROWS + row(point.duration)];
        cell.0 += 1;
        cell.1 += u64::from(point.failed);
    }

    pub(super) fn finish(self, complete: bool) -> Density {
        let filled = self.cells.iter().enumerate().filter(|(_, cell)| cell.0 > 0);
        let cells: Vec<Cell> = filled
            .map(|(index, (count, failed))| Cell {
                column: index / ROWS,
                row: index % ROWS,
                count: *count,
                failed: *failed,
            })
            .collect();
        Density {
            from: self.range.from,
            to: self.range.to,
            columns: COLUMNS,
            count: cells.iter().map(|cell| cell.count).sum(),
            failed: cells.iter().map(|cell| cell.failed).sum(),
            cells,
            complete,
        }
    }
}

/// The row of a duration, µs.
fn row(duration: i64) -> usize {
    let row = (duration.max(1) as f64).log10() * PER_DECADE as f64;
    // Just below a border is the border.
    ((row + 1e-9) as usize).min(ROWS - 1)
}

/// The durations of a row, µs: from, to.
pub(crate) fn durations(row: usize) -> (f64, f64) {
    let border = |row: usize| 10f64.powf(row as f64 / PER_DECADE as f64);
    (border(row), border(row + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_in_the_cell_of_its_time_and_duration() {
        let mut grid = Grid::new(Range {
            from: 1_000,
            to: 2_000,
        });
        for (ts, duration, failed) in [
            (1_000, 0, false),
            (1_000, 1, true),
            (1_999, 1_000, false),
            (1_999, i64::MAX, false),
            (2_000, 5, false),
            (999, 5, false),
        ] {
            let seq = 0;
            grid.add(&Point {
                ts,
                seq,
                duration,
                failed,
            });
        }
        let found = grid.finish(true);
        assert_eq!((found.count, found.failed), (4, 1));
        let cells: Vec<_> = found
            .cells
            .iter()
            .map(|of| (of.column, of.row, of.count))
            .collect();
        assert_eq!(cells, [(0, 0, 2), (119, 30, 1), (119, 129, 1)]);
    }

    #[test]
    fn a_row_holds_the_durations_that_it_says() {
        for duration in [1, 2, 9, 10, 99, 100, 12_345, 999_999, 1_000_000] {
            let (from, to) = durations(row(duration));
            let us = duration as f64;
            assert!(
                us >= from * 0.999_999 && us < to,
                "{duration}: {from} to {to}"
            );
        }
    }
}
