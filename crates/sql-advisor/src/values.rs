//! Values for the parameters of a statement, taken from the data.
//!
//! Parameters that are compared with columns of one table get values of one row, so that conditions that go together
//! find something. Rows are taken at even distances, so the same database gives the same values.

mod new;
mod rows;

use std::cmp::Ordering;
use std::collections::HashMap;

use rusqlite::Result;
use rusqlite::types::Value;

use crate::copy::Copy;
use crate::schema::Schema;
use crate::statement::{Bound, Reading, Role};
use new::NewRows;

/// Rows that are looked at for one table of a statement.
const SAMPLE: usize = 20;

/// A value for each parameter, by its name.
pub(crate) type Values = Vec<(String, Value)>;

/// Values for `runs` runs of a statement.
///
/// # Errors
/// A sentence, where a parameter has no column to take its values from, or a table no rows.
pub(crate) fn sample(
    copy: &Copy,
    schema: &Schema,
    reading: &Reading,
    runs: usize,
) -> Result<Vec<Values>, String> {
    if let Some((name, why)) = reading
        .parameters
        .iter()
        .find_map(|(name, role)| match role {
            Role::Unknown(why) => Some((name, why)),
            _ => None,
        })
    {
        return Err(format!("parameter {name}: {why}"));
    }
    let mut columns = Columns::default();
    let mut new = NewRows::default();
    (0..runs)
        .map(|run| {
            // The runs take rows from all over the sample, and not its first ones.
            let nth = run * SAMPLE / runs;
            let mut values = Values::new();
            for (name, role) in &reading.parameters {
                let value = match role {
                    Role::Number(number) => Value::Integer(*number),
                    Role::New { table, column, row } => {
                        new.value(copy, schema, table, column, (run, *row))?
                    }
                    Role::Of {
                        alias,
                        bound,
                        shift,
                        expression,
                        ..
                    } => {
                        let rows = columns.read(copy, schema, reading, role)?;
                        match bound {
                            Bound::Equal => rows[(nth + shift) % rows.len()].clone(),
                            Bound::Like => pattern(&rows[nth % rows.len()], "%"),
                            Bound::Glob => pattern(&rows[nth % rows.len()], "*"),
                            Bound::Low | Bound::High => {
                                let has_both = has(reading, alias, expression, Bound::Low)
                                    && has(reading, alias, expression, Bound::High);
                                ranged(rows, *bound, has_both, (run, runs))
                            }
                        }
                    }
                    Role::Unknown(why) => return Err(why.clone()),
                };
                values.push((name.clone(), value));
            }
            Ok(values)
        })
        .collect()
}

fn has(reading: &Reading, of: &str, expr: &str, wanted: Bound) -> bool {
    reading.parameters.iter().any(|(_, role)| {
        matches!(role, Role::Of { alias, expression, bound, .. }
            if alias == of && expression == expr && *bound == wanted)
    })
}

/// A bound of a range. Two bounds enclose about a twentieth of the rows; one alone leaves about a tenth.
fn ranged(rows: &[Value], bound: Bound, has_both: bool, (run, runs): (usize, usize)) -> Value {
    let mut sorted = rows.to_vec();
    sorted.sort_by(order);
    let last = sorted.len() - 1;
    let at = match (has_both, bound) {
        (true, Bound::Low) => last * (2 * run + 1) / (2 * runs),
        (true, _) => (last * (2 * run + 1) / (2 * runs) + 1).min(last),
        (false, Bound::Low) => last - last / 10,
        (false, _) => last / 10,
    };
    sorted[at].clone()
}

/// A part of a text, with anything before and after it: services mostly look for words within.
fn pattern(value: &Value, any: &str) -> Value {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Null | Value::Blob(_) => String::new(),
    };
    // Signs with a meaning in patterns would match by themselves.
    let part: String = text
        .chars()
        .filter(|c| !"%_*?[]".contains(*c))
        .take(3)
        .collect();
    Value::Text(format!("{any}{part}{any}"))
}

/// The order in which SQLite sorts values of different types.
fn order(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    };
    let number = |value: &Value| match value {
        Value::Integer(number) => *number as f64,
        Value::Real(number) => *number,
        _ => 0.0,
    };
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)).then(number(a).total_cmp(&number(b))),
    }
}

/// Values of expressions, by the name of a table in the statement. All expressions of one name come from the same rows.
#[derive(Default)]
struct Columns(HashMap<(String, String), Vec<Value>>);

impl Columns {
    fn read(
        &mut self,
        copy: &Copy,
        schema: &Schema,
        reading: &Reading,
        role: &Role,
    ) -> Result<&[Value], String> {
        let Role::Of {
            table,
            alias,
            expression,
            ..
        } = role
        else {
            return Err("it is compared with no column".to_owned());
        };
        let key = (alias.clone(), expression.clone());
        if !self.0.contains_key(&key) {
            // All expressions of one table come from the same rows, so that values of a row stay together.
            let mut expressions: Vec<&str> = Vec::new();
            for (_, other) in &reading.parameters {
                if let Role::Of {
                    alias: of,
                    expression,
                    ..
                } = other
                    && of == alias
                    && !expressions.contains(&expression.as_str())
                {
                    expressions.push(expression);
                }
            }
            let found = rows::spread(copy, schema, table, &expressions, SAMPLE)?;
            for (at, expression) in expressions.iter().enumerate() {
                let values = found.iter().map(|row| row[at].clone()).collect();
                self.0
                    .insert((alias.clone(), (*expression).to_owned()), values);
            }
        }
        let values = self.0.get(&key).map_or(&[][..], Vec::as_slice);
        if values.is_empty() {
            return Err(format!("the table {table} has no rows to take values from"));
        }
        Ok(values)
    }
}
