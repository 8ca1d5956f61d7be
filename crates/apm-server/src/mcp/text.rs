//! Answers as short texts: a table's first rows, or an object without what is long.

use serde_json::{Map, Value};

use crate::csv::{self, Cell, Table};

/// Rows of a table that are shown.
const ROWS: usize = 20;

/// Bytes of an object, about.
const BYTES: usize = 16_000;

/// Longest text in an object or in a cell, characters.
const LONGEST: usize = 400;

/// Lists of numbers for charts, which say little as text.
const CHARTS: [&str; 8] = [
    "series",
    "previous",
    "histogram",
    "buckets",
    "distribution",
    "latency",
    "throughput",
    "sql",
];

/// The first rows of tables as comma-separated values.
pub(super) fn tables(tables: &[Table], most: usize) -> String {
    let mut text = String::new();
    for table in tables.iter().take(most) {
        if !text.is_empty() {
            text.push('\n');
        }
        let rows = table.rows.iter().take(ROWS);
        let shown: Vec<Vec<Cell>> = rows
            .map(|row| row.iter().map(short_cell).collect())
            .collect();
        let file = csv::write(&table.columns, &shown, csv::Texts::Raw);
        text.push_str(&format!("{} ({} rows", table.name, table.rows.len()));
        if table.rows.len() > ROWS {
            text.push_str(&format!(", the first {ROWS} of them"));
        }
        text.push_str("):\n");
        text.push_str(String::from_utf8_lossy(&file).trim_start_matches('\u{feff}'));
    }
    text
}

/// A cell of which a long text is cut: twenty statements of a few thousand characters would be all that is read.
fn short_cell(cell: &Cell) -> Cell {
    match cell {
        Cell::Text(text) => Cell::Text(cut(text, LONGEST)),
        other => other.clone(),
    }
}

/// An object as JSON: lists are cut until all of it is short.
pub(super) fn object(value: &Value) -> String {
    // A large answer is large by a few long lists: these are cut shorter until it fits.
    for most in [30, 10, 5, 2] {
        let text = short(value, most).to_string();
        if text.len() <= BYTES || most == 2 {
            return cut(&text, BYTES * 2);
        }
    }
    String::new()
}

fn short(value: &Value, most: usize) -> Value {
    match value {
        Value::String(text) => cut(text, LONGEST).into(),
        Value::Array(all) => {
            let mut list: Vec<Value> = all.iter().take(most).map(|one| short(one, most)).collect();
            if all.len() > most {
                list.push(format!("… and {} more", all.len() - most).into());
            }
            list.into()
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .filter(|(name, value)| !value.is_null() && !is_chart(name, value))
                .map(|(name, value)| (name.clone(), short(value, most)));
            members.collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn is_chart(name: &str, value: &Value) -> bool {
    CHARTS.contains(&name) && (value.is_array() || value.is_object())
}

/// The first characters of a text.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_cut_where_it_has_many_rows_or_long_texts() {
        let row = || vec![Cell::Text("z".repeat(5_000)), Cell::Whole(7)];
        let table = Table {
            name: "statements",
            columns: vec!["statement".into(), "calls".into()],
            rows: (0..30).map(|_| row()).collect(),
        };
        let text = tables(&[table], 1);
        assert!(
            text.starts_with("statements (30 rows, the first 20 of them):\n"),
            "{text}"
        );
        assert_eq!(text.matches("…,7").count(), ROWS);
        assert!(text.len() < ROWS * (LONGEST + 50), "{}", text.len());
    }

    #[test]
    fn an_object_is_cut_where_it_is_long_and_says_so() {
        let long = json!({
            "name": "x".repeat(1_000),
            "none": null,
            "series": [1, 2, 3],
            "items": (0..100).collect::<Vec<_>>(),
        });
        let text = object(&long);
        assert!(text.len() < 1_000, "{}", text.len());
        assert!(text.contains("and 70 more"), "{text}");
        assert!(!text.contains("none") && !text.contains("series"));
        let huge = json!({"items": vec![json!({"text": "y".repeat(400)}); 1_000]});
        assert!(object(&huge).len() <= BYTES);
    }
}
