//! The table that a name belongs to, by its place in a statement.

use sqlite3_parser::ast::{Expr, FunctionTail};

use super::super::tokens::unquote;
use super::Walk;
use crate::schema::quote;

/// A source that a FROM names.
#[derive(Debug)]
pub(super) struct Source {
    /// Its name in the statement.
    pub(super) alias: String,
    /// The number of the use; `None` for subqueries and other sources that are not tables.
    pub(super) at: Option<usize>,
}

/// The place that a column belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: usize,
    /// As the schema writes it, in quotes where it needs them.
    pub(super) column: String,
}

/// The sources that an expression depends on.
#[derive(Debug, Default)]
pub(super) struct Depends {
    pub(super) places: Vec<Place>,
    pub(super) has_parameter: bool,
    pub(super) has_select: bool,
    /// Whether it has names that belong to no table.
    pub(super) is_unclear: bool,
    pub(super) has_aggregate: bool,
}

impl Depends {
    /// The one use that it depends on.
    pub(super) fn only(&self) -> Option<usize> {
        let first = self.places.first()?.at;
        let is_alone = self.places.iter().all(|place| place.at == first);
        (is_alone && !self.has_select && !self.is_unclear && !self.has_aggregate).then_some(first)
    }

    pub(super) fn on(&self, at: usize) -> bool {
        self.places.iter().any(|place| place.at == at)
    }
}

impl Walk<'_> {
    /// The place of a column: in the innermost part of the statement that knows it.
    pub(super) fn place(&self, qualifier: Option<&str>, column: &str) -> Option<Place> {
        for scope in self.scopes.iter().rev() {
            for source in scope {
                let is_named =
                    qualifier.is_none_or(|qualifier| qualifier.eq_ignore_ascii_case(&source.alias));
                let Some(at) = source.at.filter(|_| is_named) else {
                    // A subquery has that name, and its columns are not a table's.
                    if qualifier.is_some() && is_named {
                        return None;
                    }
                    continue;
                };
                let Some(table) = self.schema.table(&self.uses[at].table) else {
                    continue;
                };
                let known = table.column(column).map(|column| quote(&column.name));
                let rowid = || {
                    let is_rowid = ["rowid", "oid", "_rowid_"]
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(column));
                    (is_rowid && table.has_rowid)
                        .then(|| table.rowid.as_deref().map_or("rowid".to_owned(), quote))
                };
                if let Some(column) = known.or_else(rowid) {
                    return Some(Place { at, column });
                }
            }
        }
        None
    }

    /// The sources that an expression depends on.
    pub(super) fn depends(&self, expr: &Expr<'_>) -> Depends {
        let mut depends = Depends::default();
        self.add(expr, &mut depends);
        depends
    }

    fn add(&self, expr: &Expr<'_>, depends: &mut Depends) {
        let place = match expr {
            Expr::Id(id) => Some(self.place(None, &unquote(id.0))),
            Expr::Name(name) => Some(self.place(None, &unquote(name.0))),
            Expr::Qualified(table, column) | Expr::DoublyQualified(_, table, column) => {
                Some(self.place(Some(&unquote(table.0)), &unquote(column.0)))
            }
            Expr::Variable(_) => {
                depends.has_parameter = true;
                None
            }
            Expr::Exists(_) | Expr::InSelect { .. } | Expr::Subquery(_) | Expr::InTable { .. } => {
                depends.has_select = true;
                None
            }
            Expr::FunctionCall { name, args, .. } => {
                let args = args.map_or(0, <[_]>::len);
                depends.has_aggregate |= is_aggregate(name.0, args);
                None
            }
            Expr::FunctionCallStar { .. } => {
                depends.has_aggregate = true;
                None
            }
            _ => None,
        };
        match place {
            Some(Some(place)) => depends.places.push(place),
            // SQLite reads "…" as a string where no such column exists.
            Some(None) if !matches!(expr, Expr::Id(id) if id.0.starts_with('"')) => {
                depends.is_unclear = true;
            }
            _ => {}
        }
        for child in children(expr) {
            self.add(child, depends);
        }
    }
}

fn is_aggregate(name: &str, args: usize) -> bool {
    let name = name.to_ascii_lowercase();
    // With more arguments `min` and `max` are plain functions.
    matches!(
        name.as_str(),
        "avg"
            | "count"
            | "group_concat"
            | "string_agg"
            | "sum"
            | "total"
            | "json_group_array"
            | "json_group_object"
    ) || matches!(name.as_str(), "min" | "max") && args == 1
}

/// The parts of an expression that are expressions, without those in its subqueries.
pub(super) fn children<'a, 'b>(expr: &'a Expr<'b>) -> Vec<&'a Expr<'b>> {
    let mut out: Vec<&Expr<'b>> = Vec::new();
    let tail =
        |tail: &'a Option<FunctionTail<'b>>| tail.as_ref().and_then(|tail| tail.filter_clause);
    match expr {
        Expr::Between {
            lhs, start, end, ..
        } => out.extend([*lhs, *start, *end]),
        Expr::Binary(left, _, right) => out.extend([*left, *right]),
        Expr::Case {
            base,
            when_then_pairs,
            else_expr,
        } => {
            out.extend(base.iter().copied());
            out.extend(when_then_pairs.iter().flat_map(|(when, then)| [when, then]));
            out.extend(else_expr.iter().copied());
        }
        Expr::Cast { expr, .. } => out.push(expr),
        Expr::Collate(inner, _) | Expr::Unary(_, inner) => out.push(inner),
        Expr::IsNull(inner) | Expr::NotNull(inner) => out.push(inner),
        Expr::FunctionCall {
            args, filter_over, ..
        } => {
            out.extend(args.iter().copied().flatten());
            out.extend(tail(filter_over));
        }
        Expr::FunctionCallStar { filter_over, .. } => out.extend(tail(filter_over)),
        Expr::InList { lhs, rhs, .. } => {
            out.push(lhs);
            out.extend(rhs.iter().copied().flatten());
        }
        Expr::InSelect { lhs, .. } | Expr::InTable { lhs, .. } => out.push(lhs),
        Expr::Like {
            lhs, rhs, escape, ..
        } => {
            out.extend([*lhs, *rhs]);
            out.extend(escape.iter().copied());
        }
        Expr::Parenthesized(inner) => out.extend(inner.iter()),
        Expr::DoublyQualified(..)
        | Expr::Exists(_)
        | Expr::Id(_)
        | Expr::Literal(_)
        | Expr::Name(_)
        | Expr::Qualified(..)
        | Expr::Raise(..)
        | Expr::Subquery(_)
        | Expr::Variable(_) => {}
    }
    out
}
