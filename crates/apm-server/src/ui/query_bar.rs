//! The reach of the query bar of a page: a list of rollups by a few fields, documents by any, or nothing on the page
//! itself.

use jiff::tz::TimeZone;
use kql::{Expr, KqlError};

use crate::analytics::filter::{self, List};

/// The reach of the query bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryBar {
    /// Rows that are made of rollups, which tell few fields apart.
    List(List),
    /// Rows that are made of rollups, or of requests where a query names other fields.
    Requests,
    /// Events, by any field.
    Documents,
    /// Nothing here: what is typed leads to Discover.
    Elsewhere,
}

/// Lists that a query may fit.
const LISTS: [List; 5] = [
    List::Transactions,
    List::Errors,
    List::Statements,
    List::Dependencies,
    List::Metrics,
];

impl QueryBar {
    /// The bar of an address; `segments` are its path.
    pub(crate) fn for_segments(segments: &[&str]) -> Self {
        match segments {
            ["services"]
            | ["services", _]
            | ["services", _, "transactions"]
            | ["services", _, "transactions", "view" | "correlations"] => Self::Requests,
            ["services", _, "instances" | "versions"] => Self::List(List::Transactions),
            ["errors"] | ["services", _, "errors"] | ["services", _, "errors", _] => {
                Self::List(List::Errors)
            }
            ["queries"] | ["queries", _] => Self::List(List::Statements),
            ["services", _, "dependencies" | "map"] | ["dependencies", ..] | ["map"] => {
                Self::List(List::Dependencies)
            }
            ["services", _, "metrics"] => Self::List(List::Metrics),
            ["traces"] | ["discover"] | ["live"] | ["logs"] | ["services", _, "logs"] => {
                Self::Documents
            }
            _ => Self::Elsewhere,
        }
    }

    /// The same of a path as it was requested.
    pub(crate) fn of_path(path: &str) -> Self {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        Self::for_segments(&segments)
    }

    /// An example that works here.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Requests => "Filter requests, e.g. labels.plan: pro",
            Self::List(List::Transactions) => "Filter, e.g. transaction.name: GET*",
            Self::List(List::Statements) => "Filter, e.g. span.subtype: sqlite",
            Self::List(List::Errors | List::Dependencies | List::Metrics) => {
                "Filter, e.g. service.environment: production"
            }
            Self::Documents => "Filter, e.g. transaction.result: \"HTTP 5xx\"",
            Self::Elsewhere => "Search in Discover",
        }
    }
}

/// The fault of a query and its place: characters from its start, and how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) says: String,
    pub(crate) place: Option<(usize, usize)>,
}

/// With a capital letter and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), chars.as_str())
}

impl From<&KqlError> for Trouble {
    fn from(error: &KqlError) -> Self {
        let says = format!(
            "{} at character {}, found {}",
            error.expected,
            error.position + 1,
            error.found
        );
        Self {
            says: sentence(&says),
            place: Some((error.position, 1)),
        }
    }
}

impl From<String> for Trouble {
    fn from(says: String) -> Self {
        Self { says, place: None }
    }
}

/// The query of an address, read once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// Nothing where it is empty or cannot be read.
    pub(crate) expr: Option<Expr>,
    pub(crate) trouble: Option<Trouble>,
    /// Lists that it can filter.
    fits: Vec<List>,
}

impl Query {
    /// Reads `text` for the page with this bar; dates in it are those of `zone`.
    pub(crate) fn read(text: &str, bar: QueryBar, now: i64, zone: &TimeZone) -> Self {
        let expr = match kql::parse_in(text, now, zone) {
            Ok(Expr::All) => return Self::default(),
            Ok(expr) => expr,
            Err(error) => {
                let trouble = Some(Trouble::from(&error));
                return Self {
                    trouble,
                    ..Self::default()
                };
            }
        };
        // All lists are tried, since links to other pages take the query along where it fits there.
        let fits = LISTS
            .into_iter()
            .filter(|list| filter::check(&expr, *list).is_ok());
        let trouble = match bar {
            QueryBar::List(list) => filter::check(&expr, list).err().map(|says| Trouble {
                says: sentence(&says),
                place: foreign(&expr, list).and_then(|word| place(text, &word)),
            }),
            QueryBar::Requests | QueryBar::Documents | QueryBar::Elsewhere => None,
        };
        Self {
            fits: fits.collect(),
            trouble,
            expr: Some(expr),
        }
    }

    /// True if a link to a page with this bar takes the query along.
    pub(crate) fn goes_to(&self, bar: QueryBar) -> bool {
        match bar {
            QueryBar::List(list) => self.fits.contains(&list),
            QueryBar::Requests | QueryBar::Documents => self.expr.is_some(),
            QueryBar::Elsewhere => false,
        }
    }
}

/// The first word of a query that a list does not know, as it was read.
fn foreign(expr: &Expr, list: List) -> Option<String> {
    let unknown = |field: &kql::Field| {
        let known = list.fields().contains(&field.name.as_str());
        (!known).then(|| field.name.clone())
    };
    match expr {
        Expr::All => None,
        Expr::And(parts) | Expr::Or(parts) => parts.iter().find_map(|part| foreign(part, list)),
        Expr::Not(inner) => foreign(inner, list),
        Expr::Exists(field) | Expr::Is(field, _) | Expr::Range(field, ..) => unknown(field),
        Expr::Text(kql::Value::Exact(text)) => Some(text.clone()),
        Expr::Text(kql::Value::Wildcard(_)) => None,
    }
}

/// The place of a word in a text, in characters.
fn place(text: &str, word: &str) -> Option<(usize, usize)> {
    let at = text.find(word).filter(|_| !word.is_empty())?;
    Some((text[..at].chars().count(), word.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, path: &str) -> Query {
        Query::read(text, QueryBar::of_path(path), 0, &TimeZone::UTC)
    }

    #[test]
    fn an_error_points_at_the_place() {
        let trouble = read("transaction.name:", "/services").trouble.unwrap();
        assert_eq!(trouble.place, Some((17, 1)));
        let foreign = read("service.name:é and url.path:\"/a\"", "/errors");
        let trouble = foreign.trouble.unwrap();
        assert_eq!(trouble.place, Some((19, 8)), "{}", trouble.says);
        assert!(trouble.says.contains("service.name"));
        assert_eq!(
            read("words", "/errors").trouble.unwrap().place,
            Some((0, 5))
        );
        for path in ["/discover", "/services", "/services/a"] {
            assert_eq!(read("url.path:\"/a\"", path).trouble, None);
        }
    }

    #[test]
    fn a_query_goes_along_to_pages_that_it_can_filter() {
        let query = read("transaction.name:GET*", "/services");
        for (path, goes) in [
            ("/services/my%20app", true),
            ("/services/a/transactions/view", true),
            ("/services/a/errors", false),
            ("/queries", false),
            ("/discover", true),
            ("/traces", true),
            ("/traces/00", false),
            ("/settings", false),
        ] {
            assert_eq!(query.goes_to(QueryBar::of_path(path)), goes, "{path}");
        }
        assert!(!read("", "/services").goes_to(QueryBar::Documents));
        assert!(read("service.name:a", "/services").goes_to(QueryBar::List(List::Metrics)));
    }
}
