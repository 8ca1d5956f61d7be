//! Reads a statement: which columns it compares, groups and sorts by, and what its parameters are compared with.
//!
//! The text is parsed by `sqlite3-parser`, which has SQLite's own grammar. Nothing is guessed: a parameter that no
//! column can give a value for makes the statement "not judged".

mod number;
mod tokens;
mod walk;

use sqlite3_parser::ast::{Cmd, Stmt};
use sqlite3_parser::lexer::sql::Parser;
use sqlite3_parser::{Bump, FallibleIterator as _};

use crate::guard::LONGEST_SQL;
use crate::schema::Schema;
use walk::Walk;

/// A column or an expression of one table's columns in a condition or a list, as an index would write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// `city`, `lower(name)`, `name COLLATE NOCASE`
    pub(crate) text: String,
    /// Whether it sorts from the highest value.
    pub(crate) descending: bool,
}

/// The parts of a statement that use one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Use {
    /// The table as the schema writes it.
    pub(crate) table: String,
    /// Its name in the statement.
    pub(crate) alias: String,
    /// Compared by `=`, `IN` or `IS`, and joined.
    pub(crate) equal: Vec<Term>,
    /// Compared by `<`, `>` or `BETWEEN`.
    pub(crate) range: Vec<Term>,
    pub(crate) group: Vec<Term>,
    pub(crate) order: Vec<Term>,
    /// Equalities that are one side of an OR.
    pub(crate) either: Vec<Term>,
    /// Conditions without parameters, such as `status = 'open'`.
    pub(crate) constant: Vec<String>,
    /// Whether one row is found by its key, without another table.
    pub(crate) by_key: bool,
    /// Every column of it that the statement reads, as the schema writes it.
    pub(crate) columns: Vec<String>,
}

/// The values that a parameter should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// Values of an expression of a table; `shift`: which of several rows, in a list.
    Of {
        table: String,
        alias: String,
        expression: String,
        bound: Bound,
        shift: usize,
    },
    /// A value for a column of a new row; `row`: which of several.
    New {
        table: String,
        column: String,
        row: usize,
    },
    /// A number that stands for itself.
    Number(i64),
    /// No column tells it.
    Unknown(String),
}

/// The comparison of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Equal,
    /// The column is above it.
    Low,
    /// The column is below it.
    High,
    Like,
    Glob,
}

/// The parts of a statement that matter for indexes and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The statement, with every parameter numbered or named.
    pub(crate) sql: String,
    pub(crate) uses: Vec<Use>,
    /// By the name of the parameter, such as `?1`.
    pub(crate) parameters: Vec<(String, Role)>,
    /// The table that it writes, if it does.
    pub(crate) writes: Option<String>,
}

/// The condition of a `CREATE INDEX … WHERE …`.
pub(crate) fn condition_of_index(sql: &str) -> Option<String> {
    let bump = Bump::new();
    match Parser::new(&bump, sql.as_bytes()).next() {
        Ok(Some(Cmd::Stmt(Stmt::CreateIndex {
            where_clause: Some(condition),
            ..
        }))) => Some(tokens::text(&condition)),
        _ => None,
    }
}

/// Reads one statement.
///
/// # Errors
/// The reason, where the text has no statement, several, or one of a kind that has no cost of its own.
pub(crate) fn read(sql: &str, schema: &Schema) -> Result<Reading, String> {
    if sql.len() > LONGEST_SQL {
        return Err(format!("it is longer than {LONGEST_SQL} bytes"));
    }
    let sql = number::parameters(sql)?;
    let bump = Bump::new();
    let mut parser = Parser::new(&bump, sql.as_bytes());
    let command = parser.next().map_err(|error| error.to_string())?;
    let Some(Cmd::Stmt(statement)) = command else {
        return Err("it is no statement".to_owned());
    };
    if !matches!(parser.next(), Ok(None)) {
        return Err("it is more than one statement".to_owned());
    }
    let mut walk = Walk::new(schema);
    walk.statement(&statement)?;
    let mut reading = walk.into_reading();
    reading.sql = sql.trim().trim_end_matches(';').to_owned();
    Ok(reading)
}
