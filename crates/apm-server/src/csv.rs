//! Comma-separated values, RFC 4180. Texts come from telemetry: a file for a spreadsheet has none that it would run.

use std::borrow::Cow;

use apm_time as time;

/// A value of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Empty,
    Whole(i64),
    Real(f64),
    Text(String),
    /// A point in time, µs since 1970; written as RFC 3339 in UTC.
    Time(i64),
}

impl Cell {
    /// A point in time, seconds since 1970.
    pub(crate) fn second(at: i64) -> Self {
        Self::Time(at.saturating_mul(time::SECOND))
    }

    fn text(&self, texts: Texts) -> Cow<'_, str> {
        match self {
            Self::Empty => "".into(),
            Self::Whole(value) => value.to_string().into(),
            Self::Real(value) => value.to_string().into(),
            Self::Text(text) => texts.written(text),
            Self::Time(at) => time::rfc3339(*at).into(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self::Whole(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self::Whole(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::from(if value { "true" } else { "false" })
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// The form of texts in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    /// For spreadsheets: an apostrophe stands before a text that would be run as a formula.
    Harmless,
    /// For programs: as they were sent.
    Raw,
}

impl Texts {
    fn written(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Harmless => harmless(text),
            Self::Raw => text.into(),
        }
    }
}

/// A column: its head, which says the unit, and its value of a row.
pub(crate) type Column<T> = (&'static str, fn(&T) -> Cell);

/// A table of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    /// Its name in addresses and of the file.
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Cow<'static, str>>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table of rows, each with a cell for each of the columns.
    pub(crate) fn from_rows<'a, T: 'a>(
        name: &'static str,
        rows: impl IntoIterator<Item = &'a T>,
        columns: &[Column<T>],
    ) -> Self {
        let cells = |row: &T| columns.iter().map(|(_, cell)| cell(row)).collect();
        Self {
            name,
            columns: columns.iter().map(|(head, _)| (*head).into()).collect(),
            rows: rows.into_iter().map(cells).collect(),
        }
    }

    /// The file.
    pub(crate) fn file(&self, texts: Texts) -> Vec<u8> {
        write(&self.columns, &self.rows, texts)
    }

    /// The file of the table of this name; empty if there is no such table.
    pub(crate) fn file_of(tables: &[Self], name: &str, texts: Texts) -> Vec<u8> {
        let found = tables.iter().find(|table| table.name == name);
        found.map(|table| table.file(texts)).unwrap_or_default()
    }
}

/// Comma-separated values with a line of heads.
pub(crate) fn write(columns: &[impl AsRef<str>], rows: &[Vec<Cell>], texts: Texts) -> Vec<u8> {
    let mut writer = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let heads = columns.iter().map(|head| texts.written(head.as_ref()));
    // A vector takes every byte, and each line has as many cells as there are columns.
    let mut written = line(&mut writer, heads);
    for row in rows {
        written = written.and_then(|()| line(&mut writer, row.iter().map(|cell| cell.text(texts))));
    }
    debug_assert!(written.is_ok(), "{written:?}");
    writer.into_inner().unwrap_or_default()
}

fn line<'a>(
    writer: &mut ::csv::Writer<Vec<u8>>,
    cells: impl Iterator<Item = Cow<'a, str>>,
) -> Result<(), ::csv::Error> {
    for cell in cells {
        writer.write_field(cell.as_bytes())?;
    }
    writer.write_record(None::<&[u8]>)
}

/// Puts an apostrophe before a text that a spreadsheet would take for a formula. A number with a sign is not one.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let is_figure = |rest: &str| {
        rest.chars()
            .all(|c| c.is_ascii_digit() || " .,%".contains(c))
    };
    let start = text.trim_start();
    let signed = start.strip_prefix(['+', '-']);
    let is_formula = start.starts_with(['=', '@']) || signed.is_some_and(|rest| !is_figure(rest));
    if is_formula {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_becomes_text() {
        for (text, want) in [
            ("=1+1", "'=1+1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-1+1", "'-1+1"),
            ("\t=1", "'\t=1"),
            ("-5 %", "-5 %"),
            ("+1,000.5", "+1,000.5"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), want);
        }
    }

    #[test]
    fn cells_are_raw_numbers_and_quoted_texts() {
        let rows = [
            vec![Cell::Whole(-1), "x \"y\"\nz".into()],
            vec![Cell::Empty, Cell::Time(1_767_225_600_000_000)],
            vec![Cell::Real(0.5), "=1+1".into()],
            vec![Cell::Real(2_187.25), "".into()],
        ];
        for (texts, formula) in [(Texts::Harmless, "'=1+1"), (Texts::Raw, "=1+1")] {
            assert_eq!(
                String::from_utf8(write(&["a", "b,c"], &rows, texts)).unwrap(),
                format!(
                    "a,\"b,c\"\r\n-1,\"x \"\"y\"\"\nz\"\r\n,2026-01-01T00:00:00Z\r\n0.5,{formula}\r\n2187.25,\r\n"
                )
            );
        }
    }

    #[test]
    fn a_single_empty_cell_is_a_line_of_its_own() {
        let file = write(
            &["a"],
            &[vec![Cell::Empty], vec!["b".into()]],
            Texts::Harmless,
        );
        assert_eq!(String::from_utf8(file).unwrap(), "a\r\n\"\"\r\nb\r\n");
    }
}
