//! A result as comma-separated values, RFC 4180, for programs: texts as they are.

use super::Cell;
use crate::csv::{self, Cell as Value, Texts};

pub(super) fn write(columns: &[String], rows: &[Vec<Cell>]) -> Vec<u8> {
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| row.iter().map(value).collect())
        .collect();
    csv::write(columns, &rows, Texts::Raw)
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Empty,
        Cell::Int(value) => (*value).into(),
        Cell::Real(value) => (*value).into(),
        Cell::Text(_) | Cell::Blob(_) => cell.to_string().into(),
    }
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
            String::from_utf8(write(&columns, &rows)).unwrap(),
            "a,\"b,c\"\r\n-1,\"x \"\"y\"\"\nz\"\r\n,x'00ff'\r\n0.5,=1+1\r\n"
        );
    }
}
