//! The services and environments that a reader has chosen, where they are not just one.
//!
//! A `.sql` file narrows its rows by `(:service IS NULL OR s.name = :service)`, and reads like that in the shell. Where
//! several names are chosen, or all but some, the same place of the text gets the list of names as well. A search for
//! documents gets them as a query.

use kql::Expr;
use serde::Serialize;

use super::discover::all_of;
use super::sql::Sql;

/// The names that pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub enum Choice {
    /// All of them.
    #[default]
    All,
    /// These.
    Only(Vec<String>),
    /// All but these.
    Without(Vec<String>),
}

impl Choice {
    /// The names of `only` that are not in `without`; nothing in `only` means all names.
    #[must_use]
    pub fn new(only: Vec<String>, without: Vec<String>) -> Self {
        match (only.is_empty(), without.is_empty()) {
            (true, true) => Self::All,
            (true, false) => Self::Without(without),
            _ => Self::Only(
                only.into_iter()
                    .filter(|name| !without.contains(name))
                    .collect(),
            ),
        }
    }

    /// True if it narrows nothing.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// The name, where just one is chosen.
    #[must_use]
    pub fn one(&self) -> Option<&str> {
        match self {
            Self::Only(names) if names.len() == 1 => names.first().map(String::as_str),
            _ => None,
        }
    }

    /// Whether a name passes.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        let is_in = |names: &[String]| names.iter().any(|known| known == name);
        match self {
            Self::All => true,
            Self::Only(names) => is_in(names),
            Self::Without(names) => !is_in(names),
        }
    }

    /// The same of a field of documents, as a query.
    fn query(&self, field: &str) -> Expr {
        // Our own text, with a value that is escaped: it always parses, and names no time.
        let is = |name: &String| kql::parse(&kql::filter(field, name), 0).ok();
        match self {
            Self::All => Expr::All,
            Self::Only(names) => Expr::Or(names.iter().filter_map(is).collect()),
            Self::Without(names) => all_of(
                names
                    .iter()
                    .filter_map(is)
                    .map(|expr| Expr::Not(Box::new(expr))),
            ),
        }
    }

    /// Adds the names wherever the text compares a column with the one of `parameter`.
    fn narrow(&self, sql: Sql, parameter: &str) -> Sql {
        let (names, not) = match self {
            Self::All => return sql,
            Self::Only(names) => (names, ""),
            Self::Without(names) => (names, "NOT "),
        };
        let list = format!("chosen_{parameter}");
        let places = places(sql.text(), parameter);
        let sql = places.iter().fold(sql, |sql, (whole, column)| {
            let narrowed =
                format!("({whole}) AND ({column} {not}IN (SELECT value FROM json_each(:{list})))");
            sql.replace(whole, &narrowed)
        });
        sql.bind(list, serde_json::to_string(names).unwrap_or_default())
    }
}

/// The places of a text that compare a column with a parameter which may be NULL, each once: all of it, and the part
/// before the `=`.
fn places(text: &str, parameter: &str) -> Vec<(String, String)> {
    let (head, tail) = (
        format!(":{parameter} IS NULL OR "),
        format!(" = :{parameter}"),
    );
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(&head) {
        let from = &rest[at..];
        let Some(end) = from.find(&tail) else { break };
        let place = (
            from[..end + tail.len()].to_owned(),
            from[head.len()..end].to_owned(),
        );
        rest = &from[end + tail.len()..];
        if !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

/// The choice of a reader.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// `service.name`
    pub services: Choice,
    /// `service.environment`
    pub environments: Choice,
}

impl Chosen {
    /// The same for the SQL of a list.
    pub(super) fn apply(&self, sql: Sql) -> Sql {
        let sql = self.services.narrow(sql, "service");
        self.environments.narrow(sql, "environment")
    }

    /// The same as a query over documents.
    #[must_use]
    pub fn query(&self) -> Expr {
        all_of([
            self.services.query("service.name"),
            self.environments.query("service.environment"),
        ])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_excluded_is_taken_from_what_is_chosen() {
        let choice = |only, without| Choice::new(names(only), names(without));
        assert_eq!(choice(&[], &[]), Choice::All);
        assert_eq!(choice(&["a", "b"], &["b"]).one(), Some("a"));
        assert_eq!(choice(&["a"], &["a"]), Choice::Only(Vec::new()));
        let without = choice(&[], &["a"]);
        assert!(!without.allows("a") && without.allows("b"));
    }

    #[test]
    fn every_place_that_compares_the_name_gets_the_list() {
        let text = "FROM s WHERE (:service IS NULL OR s.name = :service) AND x\n\
                    UNION WHERE (:service IS NULL OR service = '' OR service = :service)\n\
                    AND (:environment IS NULL OR s.environment = :environment)";
        let chosen = Chosen {
            services: Choice::Only(names(&["it's", "b"])),
            environments: Choice::Without(names(&["dev"])),
        };
        let sql = chosen.apply(Sql::new(text));
        let sql = sql
            .bind("service", None::<i64>)
            .bind("environment", None::<i64>);
        assert_eq!(
            sql.shell(),
            "FROM s WHERE ((NULL IS NULL OR s.name = NULL) AND \
             (s.name IN (SELECT value FROM json_each('[\"it''s\",\"b\"]')))) AND x\n\
             UNION WHERE ((NULL IS NULL OR service = '' OR service = NULL) AND \
             (service = '' OR service IN (SELECT value FROM json_each('[\"it''s\",\"b\"]'))))\n\
             AND ((NULL IS NULL OR s.environment = NULL) AND \
             (s.environment NOT IN (SELECT value FROM json_each('[\"dev\"]'))))"
        );
        assert_eq!(Chosen::default().apply(Sql::new(text)), Sql::new(text));
    }

    #[test]
    fn documents_are_chosen_likewise() {
        let document = |service: &str, environment: &str| {
            let named = json!({"name": service, "environment": environment});
            json!({ "service": named })
        };
        let chosen = Chosen {
            services: Choice::Only(names(&["a \"b\"", "c*"])),
            environments: Choice::Without(names(&["dev", "test"])),
        };
        let query = chosen.query();
        for (service, environment, matches) in [
            ("a \"b\"", "prod", true),
            ("c*", "prod", true),
            ("cd", "prod", false),
            ("c*", "dev", false),
            ("c*", "test", false),
        ] {
            let document = document(service, environment);
            assert_eq!(kql::matches(&query, &document), matches, "{document}");
        }
        let nobody = Chosen {
            services: Choice::Only(Vec::new()),
            ..Chosen::default()
        };
        assert!(!kql::matches(&nobody.query(), &document("a", "b")));
    }
}
