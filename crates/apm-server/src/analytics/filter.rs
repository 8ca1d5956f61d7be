//! The query bar on lists: a KQL query as a condition on what their rollups tell apart.
//!
//! A `.sql` file says where a condition can go, and on what, by a line such as
//! `AND TRUE -- q: transactions`; in the shell it reads as it stands. Fields that a list cannot tell
//! apart are refused ([`check`]), not ignored: a filter that does nothing misleads.

use kql::Expr;

use super::condition::{Column, ColumnType, Condition};
use super::sql::Sql;

/// The kind of thing that a list has rows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// Services and transaction groups: `s` is the service, `g` the group.
    Transactions,
    /// Error groups: `s` and `g`.
    Errors,
    /// Statements: `s` and `q`.
    Statements,
    /// Destinations: `s` and `d`.
    Dependencies,
    /// Gauges: `s`.
    Metrics,
}

impl List {
    const ALL: [Self; 5] = [
        Self::Transactions,
        Self::Errors,
        Self::Statements,
        Self::Dependencies,
        Self::Metrics,
    ];

    fn marker(self) -> &'static str {
        match self {
            Self::Transactions => "TRUE -- q: transactions",
            Self::Errors => "TRUE -- q: errors",
            Self::Statements => "TRUE -- q: statements",
            Self::Dependencies => "TRUE -- q: dependencies",
            Self::Metrics => "TRUE -- q: metrics",
        }
    }

    fn columns(self) -> fn(&str) -> Option<Column> {
        match self {
            Self::Transactions => transactions,
            Self::Errors => errors,
            Self::Statements => statements,
            Self::Dependencies => dependencies,
            Self::Metrics => metrics,
        }
    }

    /// The fields that its filter may name.
    #[must_use]
    pub(crate) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Transactions => &[
                "service.name",
                "service.environment",
                "transaction.name",
                "transaction.type",
            ],
            Self::Errors => &["service.name", "service.environment", "error.grouping_key"],
            Self::Statements => &["service.name", "service.environment", "span.subtype"],
            Self::Dependencies | Self::Metrics => &["service.name", "service.environment"],
        }
    }
}

/// Whether a list can be filtered by a query; if not, why, and what would be right.
///
/// # Errors
/// A sentence for the reader.
pub(crate) fn check(query: &Expr, list: List) -> Result<(), String> {
    if Condition::new(query, &list.columns()).exact {
        return Ok(());
    }
    Err(format!(
        "this list can be filtered by {} only; search for other fields in Discover",
        list.fields().join(", ")
    ))
}

/// Puts the query where the text has room for it.
pub(super) fn apply(sql: Sql, query: Option<&Expr>) -> Sql {
    let Some(query) = query else {
        return sql;
    };
    for list in List::ALL {
        if !sql.text().contains(list.marker()) {
            continue;
        }
        let condition = Condition::new(query, &list.columns());
        let binds = condition.binds.iter().enumerate();
        let sql = sql.replace(list.marker(), condition.sql());
        return binds.fold(sql, |sql, (index, value)| {
            sql.bind(format!("q{index}"), value.clone())
        });
    }
    sql
}

fn column(value: &'static str, kept: ColumnType) -> Option<Column> {
    Some(Column {
        value,
        kept,
        within: None,
    })
}

fn of_service(field: &str, event: &'static str) -> Option<Column> {
    match field {
        "service.name" => column("s.name", ColumnType::Text),
        "service.environment" => column("s.environment", ColumnType::Text),
        "processor.event" => column("", ColumnType::Constant(event)),
        _ => None,
    }
}

fn transactions(field: &str) -> Option<Column> {
    match field {
        "transaction.name" => column("g.name", ColumnType::Text),
        "transaction.type" => column("g.type", ColumnType::Text),
        _ => of_service(field, "transaction"),
    }
}

fn errors(field: &str) -> Option<Column> {
    match field {
        "error.grouping_key" => column("printf('%016x', g.grouping_key)", ColumnType::Text),
        _ => of_service(field, "error"),
    }
}

fn statements(field: &str) -> Option<Column> {
    match field {
        "span.subtype" => column("q.subtype", ColumnType::Text),
        _ => of_service(field, "span"),
    }
}

fn dependencies(field: &str) -> Option<Column> {
    of_service(field, "span")
}

fn metrics(field: &str) -> Option<Column> {
    of_service(field, "metric")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kql::parse;

    #[test]
    fn a_list_says_by_what_it_can_be_filtered() {
        let check = |query, list| check(&parse(query, 0).unwrap(), list);
        assert_eq!(
            check(
                "transaction.name:GET* and not service.name:x",
                List::Transactions
            ),
            Ok(())
        );
        assert_eq!(check("", List::Metrics), Ok(()));
        let refused = check("transaction.result:\"HTTP 5xx\"", List::Transactions).unwrap_err();
        assert!(
            refused.contains("transaction.name") && refused.contains("Discover"),
            "{refused}"
        );
        assert!(check("transaction.name:x", List::Errors).is_err());
        assert!(check("words", List::Statements).is_err());
    }

    #[test]
    fn every_listed_field_is_one_that_columns_know() {
        for list in List::ALL {
            for field in list.fields() {
                assert!((list.columns())(field).is_some(), "{list:?} {field}");
            }
        }
    }

    #[test]
    fn the_condition_goes_where_the_text_has_room() {
        let query = parse("service.name:\"it's\"", 0).unwrap();
        let text = "SELECT 1 FROM service s WHERE TRUE\n  AND TRUE -- q: errors\nORDER BY 1";
        let sql = apply(Sql::new(text), Some(&query));
        assert_eq!(
            sql.shell(),
            "SELECT 1 FROM service s WHERE TRUE\n  AND (s.name IS 'it''s')\nORDER BY 1"
        );
        assert_eq!(apply(Sql::new(text), None), Sql::new(text));
        assert_eq!(
            apply(Sql::new("SELECT 1"), Some(&query)),
            Sql::new("SELECT 1")
        );
    }
}
