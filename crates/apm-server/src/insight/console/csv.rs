//! Comma-separated values, RFC 4180.

use super::Cell;

pub(super) fn write(columns: &[String], rows: &[Vec<Cell>]) -> String {
    let mut out = String::new();
    line(&mut out, columns.iter().map(String::as_str));
    for row in rows {
        let cells: Vec<String> = row.iter().map(Cell::to_string).collect();
        line(&mut out, cells.iter().map(String::as_str));
    }
    out
}

fn line<'a>(out: &mut String, fields: impl Iterator<Item = &'a str>) {
    for (i, field) in fields.enumerate() {
        if i > 0 {
            out.push(',');
        }
        if field.contains(['"', ',', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
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
            vec![Cell::Real(0.5), text("plain")],
        ];
        assert_eq!(
            write(&columns, &rows),
            "a,\"b,c\"\r\n-1,\"x \"\"y\"\"\nz\"\r\n,x'00ff'\r\n0.5,plain\r\n"
        );
    }
}
