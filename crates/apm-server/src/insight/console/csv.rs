//! Comma-separated values, RFC 4180.

use super::Cell;
use crate::csv::{field, harmless};

pub(super) fn write(columns: &[String], rows: &[Vec<Cell>]) -> String {
    let mut out = String::new();
    line(
        &mut out,
        columns.iter().map(|name| harmless(name).into_owned()),
    );
    for row in rows {
        line(&mut out, row.iter().map(cell));
    }
    out
}

/// Only text can be taken for a formula.
fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => harmless(text).into_owned(),
        other => other.to_string(),
    }
}

fn line(out: &mut String, fields: impl Iterator<Item = String>) {
    for (i, text) in fields.enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(&field(&text));
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_line_is_quoted() {
        let columns = ["a".to_owned(), "b,c".to_owned()];
        let text = |text: &str| Cell::Text(text.to_owned());
        let rows = [
            vec![Cell::Int(-1), text("x \"y\"\nz")],
            vec![Cell::Null, Cell::Blob(vec![0, 255])],
            vec![Cell::Real(0.5), text("=1+1")],
        ];
        assert_eq!(
            write(&columns, &rows),
            "a,\"b,c\"\r\n-1,\"x \"\"y\"\"\nz\"\r\n,x'00ff'\r\n0.5,'=1+1\r\n"
        );
    }
}
