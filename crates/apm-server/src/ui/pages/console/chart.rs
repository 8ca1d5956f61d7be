//! Charts of an answer, where its columns suit one: a time and numbers, or two numbers.

use apm_time::SECOND;
use maud::{Markup, html};

use crate::answers::console::Answer as Table;
use crate::insight::console::Cell;
use crate::sort_rows::SortRows as _;
use crate::ui::chart::xy::{Across, XyChart};
use crate::ui::moment::Clock;
use crate::ui::words;

/// Fewer rows are read faster than a chart.
const FEWEST: usize = 3;

/// Columns that are drawn.
const MOST: usize = 4;

/// Names of columns whose numbers are seconds or microseconds since the epoch.
const TIMES: [&str; 6] = ["time", "ts", "bucket", "minute", "hour", "day"];

/// Columns that hold numbers but name things.
const NAMES: [&str; 4] = ["seq", "id", "status", "level"];

/// A chart for each column of numbers, in the order of the columns.
pub(super) fn charts(table: &Table, clock: &Clock) -> Markup {
    let Some((across, is_time)) = across(table) else {
        return html! {};
    };
    let columns: Vec<usize> = (0..table.columns.len())
        .filter(|at| *at != across && is_number(table, *at))
        .collect();
    let (columns, more) = columns.split_at(columns.len().min(MOST));
    let ids: Vec<String> = columns.iter().map(|at| format!("column-{at}")).collect();
    let drawn = columns.iter().zip(&ids).map(|(at, id)| {
        let mut points: Vec<(f64, f64)> = table
            .rows
            .iter()
            .filter_map(|row| {
                let x = if is_time {
                    micros(&row[across])? as f64
                } else {
                    row[across].number()?
                };
                Some((x, row[*at].number().filter(|value| value.is_finite())?))
            })
            .collect();
        points.sort_rows_by(|a, b| a.0.total_cmp(&b.0));
        let chart = XyChart {
            id,
            title: &table.columns[*at],
            across: if is_time {
                Across::Time(clock)
            } else {
                Across::Number(&table.columns[across])
            },
            points: &points,
            height: 140,
        };
        chart.render()
    });
    html! {
        div.charts { @for chart in drawn { (chart) } }
        @if !more.is_empty() {
            @let count = words::count(more.len() as u64, "more column", "more columns");
            p.panel-foot { (count) " of numbers without a chart." }
        }
    }
}

/// The column that goes across, and whether it is a time: the first time, else the first of several columns of numbers.
fn across(table: &Table) -> Option<(usize, bool)> {
    if table.rows.len() < FEWEST {
        return None;
    }
    let all = 0..table.columns.len();
    let time = all.clone().find(|at| is_time(table, *at));
    let number = || {
        let numbers: Vec<usize> = all.filter(|at| is_number(table, *at)).collect();
        // Beside a text, each row is a thing of its own: its numbers are not points of a curve.
        (numbers.len() == table.columns.len() && numbers.len() >= 2).then(|| numbers[0])
    };
    time.map(|at| (at, true))
        .or_else(|| Some((number()?, false)))
}

fn is_time(table: &Table, at: usize) -> bool {
    let named = TIMES.contains(&table.columns[at].as_str());
    table.rows.iter().all(|row| match &row[at] {
        Cell::Text(_) => micros(&row[at]).is_some(),
        Cell::Int(_) => named,
        _ => false,
    })
}

fn is_number(table: &Table, at: usize) -> bool {
    let name = table.columns[at].as_str();
    !NAMES.contains(&name)
        && !name.ends_with("_id")
        && table.rows.iter().any(|row| row[at].number().is_some())
        && table
            .rows
            .iter()
            .all(|row| matches!(row[at], Cell::Int(_) | Cell::Real(_) | Cell::Null))
}

/// µs since the epoch of an RFC 3339 text, or of a number of seconds or microseconds.
fn micros(cell: &Cell) -> Option<i64> {
    match cell {
        // Words as `now` are no data.
        Cell::Text(text) if text.starts_with(|c: char| c.is_ascii_digit()) && text.len() >= 10 => {
            apm_time::parse("time", text, 0, apm_time::Round::Down).ok()
        }
        Cell::Int(value) if *value > 1_000_000_000_000 => Some(*value),
        Cell::Int(value) => value.checked_mul(SECOND),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str], row: impl Fn(i64) -> Vec<Cell>) -> Table {
        Table {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: (0..5).map(row).collect(),
            ..Table::default()
        }
    }

    #[test]
    fn a_chart_is_drawn_of_times_and_of_pairs_of_numbers_only() {
        let text = |i: i64| Cell::Text(format!("2026-11-22T10:0{i}:00Z"));
        let number = |i: i64| Cell::Real(i as f64 / 2.0);
        for (columns, row, expected) in [
            (
                &["time", "value"][..],
                vec![text(0), number(0)],
                Some((0, true)),
            ),
            (
                &["service", "time", "n"],
                vec![Cell::Text("a".into()), text(0), Cell::Int(0)],
                Some((1, true)),
            ),
            (
                &["bucket", "n"],
                vec![Cell::Int(1_795_000_000), Cell::Int(3)],
                Some((0, true)),
            ),
            (
                &["rows", "ms"],
                vec![Cell::Int(5), number(1)],
                Some((0, false)),
            ),
            (
                &["name", "n", "ms"],
                vec![Cell::Text("GET /".into()), Cell::Int(3), number(1)],
                None,
            ),
            (&["n"], vec![Cell::Int(3)], None),
            (
                &["seq", "duration_us"],
                vec![Cell::Int(3), Cell::Int(4)],
                None,
            ),
        ] {
            let table = table(columns, |_| row.clone());
            assert_eq!(across(&table), expected, "{columns:?}");
        }
    }

    #[test]
    fn each_column_of_numbers_is_a_chart_and_nothing_of_a_value_becomes_markup() {
        let clock = Clock::new(0, Some("UTC"));
        let table = table(&["time", "<b>", "ms"], |i| {
            vec![
                Cell::Text(format!("2026-11-22T10:0{}:00Z", 5 - i)),
                Cell::Int(i - 2),
                if i == 3 {
                    Cell::Null
                } else {
                    Cell::Real(f64::INFINITY)
                },
            ]
        });
        let html = charts(&table, &clock).into_string();
        assert_eq!(html.matches("<figure").count(), 2, "{html}");
        assert_eq!(html.matches("<circle").count(), 5, "{html}");
        assert!(
            !html.contains("<b>") && !html.contains("NaN") && !html.contains("inf"),
            "{html}"
        );
    }
}
