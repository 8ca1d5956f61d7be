//! Durations over time, counted in a grid: a million transactions are as many cells as a hundred.

use std::collections::BTreeMap;

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
        let Some(column) = column(self.range, point.ts) else {
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

/// Transactions of a stretch of time and of durations that another place counted: a time within it, µs since the epoch,
/// its shortest duration, µs, how many there are, and how many of them failed.
pub(crate) type Counted = (i64, i64, u64, u64);

impl Density {
    /// Raises the cells to the counts of an engine, which has what is stored here, too, but for the last seconds.
    pub(crate) fn add_at_least(&mut self, counted: impl IntoIterator<Item = Counted>) {
        let range = Range {
            from: self.from,
            to: self.to,
        };
        let own = std::mem::take(&mut self.cells);
        let mut cells: BTreeMap<(usize, usize), (u64, u64)> = own
            .into_iter()
            .map(|cell| ((cell.column, cell.row), (cell.count, cell.failed)))
            .collect();
        for (at, duration, count, failed) in counted {
            if let Some(column) = column(range, at) {
                let cell = cells.entry((column, row(duration))).or_default();
                *cell = (cell.0.max(count), cell.1.max(failed));
            }
        }
        let cell = |((column, row), (count, failed))| Cell {
            column,
            row,
            count,
            failed,
        };
        self.cells = cells.into_iter().map(cell).collect();
        self.count = self.cells.iter().map(|cell| cell.count).sum();
        self.failed = self.cells.iter().map(|cell| cell.failed).sum();
    }
}

/// The column of a time, µs since the epoch.
fn column(range: Range, ts: i64) -> Option<usize> {
    let length = (range.to - range.from).max(1);
    let at = i128::from(ts - range.from) * COLUMNS as i128;
    let at = at.div_euclid(i128::from(length));
    usize::try_from(at).ok().filter(|column| *column < COLUMNS)
}

/// The shortest durations of the rows after the first one, in whole µs; rows without a whole number have none.
pub(crate) fn borders() -> Vec<i64> {
    let mut borders: Vec<i64> = Vec::new();
    for number in 1..ROWS {
        // Between them lies the border, wherever a power is rounded to.
        let (mut below, mut first) = (0, durations(number).1 as i64 + 1);
        while first - below > 1 {
            let middle = below + (first - below) / 2;
            match row(middle) >= number {
                true => first = middle,
                false => below = middle,
            }
        }
        if row(first) == number && borders.last() != Some(&first) {
            borders.push(first);
        }
    }
    borders
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
    fn a_row_begins_at_its_border() {
        let borders = borders();
        // Five lies in the row of four.
        assert_eq!(&borders[..6], [2, 3, 4, 6, 7, 8]);
        assert!(borders.contains(&1_000) && borders.contains(&1_000_000_000));
        for border in &borders {
            assert!(row(*border) > row(border - 1), "{border}");
        }
        // Each row but the first one has a border, if a whole number lies in it.
        let rows: Vec<usize> = borders.iter().map(|border| row(*border)).collect();
        let has_number = |number: &usize| {
            let (from, to) = durations(*number);
            (from.ceil() as i64..to.ceil() as i64).any(|us| row(us) == *number)
        };
        let low = (1..30).filter(has_number).collect::<Vec<_>>();
        assert_eq!(&rows[..low.len()], low);
        assert_eq!(*rows.last().expect("rows"), ROWS - 1);
    }

    #[test]
    fn a_cell_has_the_larger_count_of_here_and_of_the_engine() {
        let range = Range {
            from: 1_200,
            to: 2_400,
        };
        let mut grid = Grid::new(range);
        for (ts, failed) in [(1_200, false), (1_209, true), (1_300, false)] {
            grid.add(&Point {
                ts,
                seq: 0,
                duration: 100,
                failed,
            });
        }
        let mut density = grid.finish(true);
        density.add_at_least([(1_205, 100, 1, 0), (1_305, 100, 7, 2), (1_205, 1_000, 3, 0)]);
        // Outside of the range.
        density.add_at_least([(1_199, 100, 9, 9), (2_400, 100, 9, 9)]);
        let cells: Vec<_> = density
            .cells
            .iter()
            .map(|of| (of.column, of.row, of.count, of.failed))
            .collect();
        assert_eq!(cells, [(0, 20, 2, 1), (0, 30, 3, 0), (10, 20, 7, 2)]);
        assert_eq!((density.count, density.failed), (12, 3));
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
