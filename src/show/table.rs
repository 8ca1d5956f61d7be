//! Rows in columns that fit the terminal.

use std::io::stdout;

use anyhow::Context as _;
use apm_server::console;
use apm_server::terminal::plain;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use super::list::List;
use super::words::{cell, is_number};
use crate::terminal::words::cut;

/// The width where the terminal does not say one, columns.
const WIDTH: u16 = 100;
/// The height where the terminal does not say one, lines.
const HEIGHT: u16 = 24;
/// The longest text of a cell, characters. Statements and messages may have thousands.
const LONGEST: usize = 80;

/// The columns of a list that a terminal shows, from the CSV of the API.
pub(super) fn render(list: &List, csv: &str) -> anyhow::Result<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let heads = reader.headers()?.clone();
    let places: Vec<(usize, &str, &str)> = list
        .columns
        .iter()
        .map(|(head, column)| {
            let place = heads.iter().position(|name| name == *column);
            let place = place.with_context(|| {
                format!("the server's answer has no column `{column}`: is it of the version of this command?")
            })?;
            Ok((place, *head, *column))
        })
        .collect::<anyhow::Result<_>>()?;
    let mut table = empty();
    table.set_header(
        places
            .iter()
            .map(|(_, head, column)| aligned(Cell::new(head), is_number(column))),
    );
    for row in reader.records() {
        let row = row?;
        table.add_row(places.iter().map(|(place, _, column)| {
            let value = cell(column, row.get(*place).unwrap_or_default());
            aligned(Cell::new(cut(&value, LONGEST)), is_number(column))
        }));
    }
    // An id in pieces could not be copied.
    for (at, (_, _, column)) in places.iter().enumerate() {
        if matches!(*column, "fingerprint" | "trace_id")
            && let Some(column) = table.column_mut(at)
        {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    if table.row_count() == 0 {
        return Ok(format!("{}\n", list.none));
    }
    Ok(format!("{table}\n"))
}

/// The first rows of a result of SQL.
pub(crate) fn of_sql(result: &console::Table, rows: usize) -> String {
    let mut table = empty();
    table.set_header(result.columns.iter().map(|name| plain(name)));
    for row in result.rows.iter().take(rows) {
        table.add_row(row.iter().map(|value| {
            let text = cut(&plain(&value.to_string()), LONGEST);
            aligned(Cell::new(text), value.number().is_some())
        }));
    }
    format!("{table}\n")
}

fn empty() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width());
    table
}

fn aligned(cell: Cell, is_number: bool) -> Cell {
    match is_number {
        true => cell.set_alignment(CellAlignment::Right),
        false => cell,
    }
}

/// Columns of the terminal.
pub(super) fn width() -> u16 {
    match rustix::termios::tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 => size.ws_col,
        _ => WIDTH,
    }
}

/// Lines of the terminal.
pub(super) fn height() -> usize {
    let lines = match rustix::termios::tcgetwinsize(stdout()) {
        Ok(size) if size.ws_row > 0 => size.ws_row,
        _ => HEIGHT,
    };
    usize::from(lines)
}
