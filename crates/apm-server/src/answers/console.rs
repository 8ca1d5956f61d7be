//! `/sql`: questions to the telemetry in SQL.

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{Shape, wrong};
use super::parameter::Parameter;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::csv::{Cell as Value, Table};
use crate::insight::console::schema::{self, View};
use crate::insight::console::{self, Cell, Cut};

const SQL: Parameter = Parameter::text(
    "sql",
    "One SELECT, on v_transactions, v_spans, v_errors, v_statements or v_metrics.",
);

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) sql: String,
    shape: Shape,
}

/// The rows of a question.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "SqlRows")]
pub(crate) struct Answer {
    /// Names of the columns.
    pub(crate) columns: Vec<String>,
    /// A cell for each column: null, a number or a text; a blob as `x'00ff'`.
    #[schemars(with = "Vec<Vec<serde_json::Value>>")]
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Set where there is more.
    pub(crate) cut: Option<Cut>,
    /// µs that it took.
    pub(crate) elapsed: u64,
    /// True if anything was asked.
    #[serde(skip)]
    pub(crate) is_asked: bool,
    /// Why it was not run, for the page, which keeps what was typed.
    #[serde(skip)]
    pub(crate) problem: Option<String>,
    /// The views, for the page.
    #[serde(skip)]
    pub(crate) views: Vec<View>,
}

impl From<console::Table> for Answer {
    fn from(table: console::Table) -> Self {
        Self {
            columns: table.columns,
            rows: table.rows,
            cut: table.cut,
            elapsed: table.elapsed,
            is_asked: true,
            problem: None,
            views: Vec::new(),
        }
    }
}

impl Params {
    /// A question that was sent as a body.
    pub(crate) fn new(sql: String) -> Self {
        let shape = Shape::Data;
        Self { sql, shape }
    }
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/sql");
    const SUMMARY: &'static str = "Ask the telemetry in SQL, read-only";
    const DEPENDS: Depends = Depends::Files;
    const TABLES: &'static [&'static str] = &["rows"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let sql = match arguments.shape {
            Shape::Page => arguments.get(&SQL)?.unwrap_or_default(),
            Shape::Data => arguments.required(&SQL)?,
        };
        Ok(Self {
            sql: sql.to_owned(),
            shape: arguments.shape,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let views = match self.shape {
            Shape::Page => schema::views(source.conn)?,
            Shape::Data => Vec::new(),
        };
        if self.sql.trim().is_empty() && self.shape == Shape::Page {
            return Ok(Answer {
                views,
                ..Answer::default()
            });
        }
        match (source.settings.run(&self.sql), self.shape) {
            (Ok(table), _) => Ok(Answer {
                views,
                ..table.into()
            }),
            (Err(error), Shape::Page) => Ok(Answer {
                is_asked: true,
                problem: Some(error.to_string()),
                views,
                ..Answer::default()
            }),
            (Err(error), Shape::Data) => Err(wrong(&SQL, error.to_string())),
        }
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![Table {
            name: "rows",
            columns: answer.columns.iter().cloned().map(Into::into).collect(),
            rows: answer
                .rows
                .iter()
                .map(|row| row.iter().map(value).collect())
                .collect(),
        }]
    }
}

/// The question for the views.
#[derive(Debug)]
pub(crate) struct SchemaParams;

/// The views that people query.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SqlSchema")]
pub(crate) struct Schema {
    /// By name.
    pub(crate) views: Vec<View>,
}

impl Question for SchemaParams {
    type Answer = Schema;
    const ADDRESS: Address = at!("/sql/schema");
    const SUMMARY: &'static str = "The views that are queried with SQL, and their columns";
    const DEPENDS: Depends = Depends::Nothing;
    const TABLES: &'static [&'static str] = &["columns"];

    fn read(_: &Arguments) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Schema, Problem> {
        let views = schema::views(source.conn)?;
        Ok(Schema { views })
    }

    fn tables(answer: &Schema) -> Vec<Table> {
        let column = |view: &View, column: &String| vec![(&view.name).into(), column.into()];
        let of_view = |view: &View| -> Vec<Vec<Value>> {
            view.columns.iter().map(|name| column(view, name)).collect()
        };
        vec![Table {
            name: "columns",
            columns: ["view", "column"].map(Into::into).to_vec(),
            rows: answer.views.iter().flat_map(of_view).collect(),
        }]
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Empty,
        Cell::Int(value) => (*value).into(),
        Cell::Real(value) => (*value).into(),
        Cell::Text(_) | Cell::Blob(_) => cell.to_string().into(),
    }
}
