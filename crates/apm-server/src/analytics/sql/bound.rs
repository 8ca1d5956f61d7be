//! A question as Diesel runs it.
//!
//! A text from a file is prepared once for each connection and kept: for most lists, SQLite takes longer to parse the
//! text than to answer it. A text that was put together for one question is prepared for it alone, as there is no bound
//! on how many of those there are; where it is one of a few, it says so ([`Sql::kept`]).

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Double, Nullable, Text, Untyped};
use diesel::sqlite::Sqlite;

use super::{Sql, Value, parameters};

/// A part of the text.
enum Part<'q> {
    Text(&'q str),
    /// A parameter where the text names it first, which gives it its number.
    First(&'q Value),
    /// The number of a parameter that was there before.
    Again(usize),
}

/// A text and its values.
pub(super) struct Bound<'q> {
    parts: Vec<Part<'q>>,
    /// Whether it is one of a bounded number of texts.
    is_kept: bool,
}

impl<'q> Bound<'q> {
    pub(super) fn new(sql: &'q Sql) -> QueryResult<Self> {
        let mut parts = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut end = 0;
        for parameter in parameters(&sql.text) {
            let name = &sql.text[parameter.start + 1..parameter.end];
            parts.push(Part::Text(&sql.text[end..parameter.start]));
            end = parameter.end;
            match names.iter().position(|known| *known == name) {
                Some(at) => parts.push(Part::Again(at + 1)),
                None => {
                    names.push(name);
                    parts.push(Part::First(sql.value(name)?));
                }
            }
        }
        parts.push(Part::Text(&sql.text[end..]));
        Ok(Self {
            parts,
            is_kept: sql.is_kept,
        })
    }
}

/// The text tells one question from another, and not the type.
impl QueryId for Bound<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Bound<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<SqliteConnection> for Bound<'_> {}

impl QueryFragment<Sqlite> for Bound<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if !self.is_kept {
            out.unsafe_to_cache_prepared();
        }
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_sql(text),
                // Diesel writes `?`, which SQLite gives the next number.
                Part::First(Value::Null) => {
                    out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>)?;
                }
                Part::First(Value::Int(value)) => out.push_bind_param::<BigInt, _>(value)?,
                Part::First(Value::Real(value)) => out.push_bind_param::<Double, _>(value)?,
                Part::First(Value::Text(value)) => {
                    out.push_bind_param::<Text, _>(value.as_str())?;
                }
                Part::First(Value::Blob(value)) => {
                    out.push_bind_param::<Binary, _>(value.as_slice())?;
                }
                Part::Again(number) => {
                    out.push_sql("?");
                    out.push_sql(&number.to_string());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use diesel::connection::InstrumentationEvent;

    use super::*;

    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        text: String,
    }

    #[test]
    fn a_text_of_a_file_is_prepared_once_and_one_that_was_put_together_is_not_kept() {
        const FIXED: &str = "SELECT :a || :b || :a AS text";
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&kept);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::CacheQuery { sql, .. } = event {
                seen.lock().unwrap().push(sql.to_owned());
            }
        });
        for (a, b) in [("1", "2"), ("3", "4")] {
            let answer = |text: Sql, conn: &mut SqliteConnection| {
                let row: Row = text.bind("b", b).bind("a", a).first(conn).unwrap();
                row.text
            };
            let expected = format!("{a}{b}{a}");
            assert_eq!(answer(Sql::new(FIXED), &mut conn), expected);
            assert_eq!(answer(Sql::new(FIXED.to_owned()), &mut conn), expected);
            let few = Sql::new(format!("{FIXED}, 1")).kept();
            assert_eq!(answer(few, &mut conn), expected);
        }
        let texts = [
            "SELECT ? || ? || ?1 AS text",
            "SELECT ? || ? || ?1 AS text, 1",
        ];
        assert_eq!(*kept.lock().unwrap(), texts);
    }
}
