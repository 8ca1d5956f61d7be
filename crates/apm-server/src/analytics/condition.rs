//! Queries as SQL conditions, as far as columns can tell.
//!
//! A [`Condition`] never excludes an event that [`kql::matches()`] accepts. Where it is `exact` it
//! excludes all others too; where it is not, it only narrows, and the document decides. That follows
//! from the translation: a condition that no column decides becomes “anything”, and is inexact; a
//! negation of something inexact becomes “anything” as well.
//!
//! The caller's [`Columns`] know the column of each field.

use std::cmp::Ordering;

use apm_store::id::StoredId;
use kql::{Bound, Expr, Field, Order, Value};

use super::sql::Value as Bind;
use crate::sort_rows::SortRows as _;

/// The type of the column that has a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ColumnType {
    /// Text; NULL and the empty string both mean that the field is absent.
    Text,
    /// A number, NULL where absent.
    Number,
    /// 0 or 1, NULL where absent.
    Bool,
    /// An identifier as [`StoredId`] keeps it, NULL where absent.
    Id,
    /// Microseconds since the epoch that the document shows cut to milliseconds.
    Time,
    /// The same text in every event.
    Constant(&'static str),
    /// No event has it.
    Absent,
}

/// The place of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Column {
    /// SQL of its value.
    pub(crate) value: &'static str,
    /// Its form.
    pub(crate) kept: ColumnType,
    /// Set where the value lives in a dictionary: the start of `outer.id IN (SELECT … WHERE`.
    pub(crate) within: Option<&'static str>,
}

/// Finds the column of a field; nothing where only the document knows.
pub(crate) type Columns<'a> = &'a dyn Fn(&str) -> Option<Column>;

/// The truth of a condition, as far as SQL knows it.
#[derive(Debug, Clone, PartialEq)]
enum Truth {
    Always,
    Never,
    Sql(String),
}

/// A translated query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    truth: Truth,
    /// Whether the condition alone decides.
    pub(crate) exact: bool,
    /// Values of its parameters `:q0`, `:q1`, …
    pub(crate) binds: Vec<Bind>,
}

impl Condition {
    /// Translates a query over some columns.
    #[must_use]
    pub(crate) fn new(expr: &Expr, columns: Columns<'_>) -> Self {
        let mut translator = Translator {
            columns,
            binds: Vec::new(),
        };
        let (truth, exact) = translator.expr(expr);
        let binds = match truth {
            Truth::Sql(_) => translator.binds,
            _ => Vec::new(),
        };
        Self {
            truth,
            exact,
            binds,
        }
    }

    /// SQL for a WHERE clause.
    #[must_use]
    pub(crate) fn sql(&self) -> &str {
        match &self.truth {
            Truth::Always => "TRUE",
            Truth::Never => "FALSE",
            Truth::Sql(sql) => sql,
        }
    }

    /// Whether nothing can satisfy it.
    #[must_use]
    pub(crate) fn is_never(&self) -> bool {
        self.truth == Truth::Never
    }

    /// Whether everything satisfies it.
    #[must_use]
    pub(crate) fn is_always(&self) -> bool {
        self.truth == Truth::Always && self.exact
    }
}

struct Translator<'c> {
    columns: Columns<'c>,
    binds: Vec<Bind>,
}

const UNKNOWN: (Truth, bool) = (Truth::Always, false);

impl Translator<'_> {
    fn expr(&mut self, expr: &Expr) -> (Truth, bool) {
        match expr {
            Expr::All => (Truth::Always, true),
            Expr::And(items) => self.and(items),
            Expr::Or(items) => self.or(items),
            Expr::Not(inner) => match self.expr(inner) {
                (Truth::Always, true) => (Truth::Never, true),
                (Truth::Never, true) => (Truth::Always, true),
                // Every condition is in parentheses already.
                (Truth::Sql(sql), true) => (Truth::Sql(format!("NOT {sql}")), true),
                // A condition that only narrows must not be turned round: it would exclude events that match.
                _ => UNKNOWN,
            },
            Expr::Text(_) => UNKNOWN,
            Expr::Exists(field) => self.leaf(field, |_, column| Some(exists(column))),
            Expr::Is(field, value) => self.leaf(field, |this, column| this.is(column, value)),
            Expr::Range(field, order, bound) => {
                self.leaf(field, |this, column| this.range(column, *order, bound))
            }
        }
    }

    fn and(&mut self, items: &[Expr]) -> (Truth, bool) {
        let mut parts = Vec::new();
        let mut exact = true;
        for item in items {
            let (truth, is_exact) = self.expr(item);
            match truth {
                // Conditions never exclude too much, so one that excludes everything settles it.
                Truth::Never => return (Truth::Never, true),
                Truth::Always => {}
                Truth::Sql(sql) => parts.push(sql),
            }
            exact &= is_exact;
        }
        // SQLite goes from left to right: what the row itself says is cheaper than a look into a dictionary.
        parts.sort_rows_by_key(|sql| sql.contains("SELECT"));
        (joined(parts, " AND ", Truth::Always), exact)
    }

    fn or(&mut self, items: &[Expr]) -> (Truth, bool) {
        let mut parts = Vec::new();
        let mut exact = true;
        let mut always = false;
        for item in items {
            let (truth, is_exact) = self.expr(item);
            match truth {
                Truth::Always if is_exact => return (Truth::Always, true),
                Truth::Always => always = true,
                Truth::Never => {}
                Truth::Sql(sql) => parts.push(sql),
            }
            exact &= is_exact;
        }
        if always {
            return UNKNOWN;
        }
        (joined(parts, " OR ", Truth::Never), exact)
    }

    /// A condition on one field. `test` gives its truth, or nothing where only the document can tell.
    fn leaf(
        &mut self,
        field: &Field,
        test: impl FnOnce(&mut Self, &Column) -> Option<Truth>,
    ) -> (Truth, bool) {
        let column = match &field.pattern {
            None => (self.columns)(&field.name),
            Some(_) => None,
        };
        let Some(column) = column else {
            return UNKNOWN;
        };
        match (column.kept, column.within) {
            (ColumnType::Absent, _) => (Truth::Never, true),
            (_, within) => match test(self, &column) {
                None => UNKNOWN,
                Some(Truth::Sql(sql)) => {
                    let sql =
                        within.map_or_else(|| sql.clone(), |within| format!("{within} {sql})"));
                    (Truth::Sql(format!("({sql})")), true)
                }
                Some(truth) => (truth, true),
            },
        }
    }

    fn is(&mut self, column: &Column, value: &Value) -> Option<Truth> {
        let expr = column.value;
        Some(match (column.kept, value) {
            (ColumnType::Constant(text), Value::Exact(wanted)) => certain(text == wanted),
            (ColumnType::Constant(text), Value::Wildcard(pattern)) => {
                certain(pattern.matches(text))
            }
            // An empty text stands for a field that is absent, and that matches no value.
            (ColumnType::Text, Value::Exact(wanted)) if wanted.is_empty() => Truth::Never,
            (ColumnType::Text, Value::Exact(wanted)) => {
                let bind = self.bind(wanted.as_str());
                Truth::Sql(format!("{expr} IS {bind}"))
            }
            // Never NULL, which NOT would leave as it is.
            (ColumnType::Text, Value::Wildcard(pattern)) => {
                let bind = self.bind(pattern.to_glob());
                Truth::Sql(format!("ifnull({expr} GLOB {bind} AND {expr} <> '', 0)"))
            }
            (ColumnType::Number, Value::Exact(wanted)) => match wanted.parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    let bind = self.bind(number);
                    Truth::Sql(format!("{expr} IS {bind}"))
                }
                _ => Truth::Never,
            },
            (ColumnType::Bool, Value::Exact(wanted)) => {
                let is = |word| wanted.eq_ignore_ascii_case(word);
                match (is("true"), is("false")) {
                    (true, _) => Truth::Sql(format!("{expr} IS 1")),
                    (_, true) => Truth::Sql(format!("{expr} IS 0")),
                    _ => Truth::Never,
                }
            }
            (ColumnType::Id, Value::Exact(wanted)) => {
                let bind = self.bind(&StoredId::from(wanted.as_str()));
                Truth::Sql(format!("{expr} IS {bind}"))
            }
            (ColumnType::Absent, _) => Truth::Never,
            _ => return None,
        })
    }

    fn range(&mut self, column: &Column, order: Order, bound: &Bound) -> Option<Truth> {
        let (expr, operator) = (column.value, order.as_str());
        Some(match (column.kept, bound) {
            (ColumnType::Constant(text), Bound::Text(bound)) => {
                certain(order.holds(text.cmp(bound.as_str())))
            }
            (ColumnType::Constant(text), Bound::Number(bound)) => {
                let ordering = text
                    .parse()
                    .ok()
                    .and_then(|number: f64| number.partial_cmp(bound));
                certain(ordering.is_some_and(|ordering| order.holds(ordering)))
            }
            (ColumnType::Number, Bound::Number(bound)) if bound.is_finite() => {
                let bind = self.bind(*bound);
                Truth::Sql(format!("ifnull({expr} {operator} {bind}, 0)"))
            }
            (ColumnType::Number, Bound::Number(bound)) => {
                // An infinite bound is true of every number or of no number.
                match order.holds(0.0_f64.partial_cmp(bound).unwrap_or(Ordering::Equal)) {
                    true => Truth::Sql(format!("{expr} IS NOT NULL")),
                    false => Truth::Never,
                }
            }
            (ColumnType::Number, _) | (ColumnType::Bool, _) => Truth::Never,
            (ColumnType::Time, Bound::Time(bound)) => {
                let bind = self.bind(*bound);
                // As documents show times, cut to milliseconds.
                Truth::Sql(format!("{expr} / 1000 * 1000 {operator} {bind}"))
            }
            (ColumnType::Text, Bound::Text(bound)) => {
                let bind = self.bind(bound.as_str());
                Truth::Sql(format!(
                    "ifnull({expr} {operator} {bind} AND {expr} <> '', 0)"
                ))
            }
            (ColumnType::Absent, _) => Truth::Never,
            _ => return None,
        })
    }

    fn bind(&mut self, value: impl Into<Bind>) -> String {
        self.binds.push(value.into());
        format!(":q{}", self.binds.len() - 1)
    }
}

fn exists(column: &Column) -> Truth {
    let expr = column.value;
    match column.kept {
        ColumnType::Constant(_) | ColumnType::Time => Truth::Always,
        ColumnType::Absent => Truth::Never,
        ColumnType::Text => Truth::Sql(format!("ifnull({expr}, '') <> ''")),
        ColumnType::Number | ColumnType::Bool | ColumnType::Id => {
            Truth::Sql(format!("{expr} IS NOT NULL"))
        }
    }
}

fn certain(truth: bool) -> Truth {
    if truth { Truth::Always } else { Truth::Never }
}

fn joined(mut parts: Vec<String>, separator: &str, none: Truth) -> Truth {
    match parts.pop() {
        None => none,
        Some(only) if parts.is_empty() => Truth::Sql(only),
        Some(last) => {
            parts.push(last);
            Truth::Sql(format!("({})", parts.join(separator)))
        }
    }
}

#[cfg(test)]
mod tests;
