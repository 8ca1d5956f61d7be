//! Tables of names in the documentation, against the code.

use std::collections::BTreeSet;

use kql::{Bound, Expr, Field, Order, Value};
use rusqlite::Connection;

use super::blocks::{blocks, first_cells};
use super::{page, root};
use crate::support::get;

/// The part of a page below a heading, up to the next heading of the same level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// A server on a file of its own.
fn server(dir: &tempfile::TempDir) -> apm_server::Running {
    let mut config = apm_server::Config::default();
    config.listen = "127.0.0.1:0".to_owned();
    config.database = dir.path().join("apm.db");
    apm_server::Server::start(config).unwrap()
}

#[actix_web::test]
async fn the_page_on_views_has_each_view_with_its_columns() {
    let dir = tempfile::tempdir().unwrap();
    drop(server(&dir));
    let store = Connection::open(dir.path().join("apm.db")).unwrap();
    let names = |sql: &str, of: &str| -> Vec<String> {
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([of], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let page = page("sql-views.md");
    let views = names(
        "SELECT name FROM sqlite_schema WHERE type = ? AND name LIKE 'v~_%' ESCAPE '~'",
        "view",
    );
    assert!(views.len() >= 5, "{views:?}");
    for view in views {
        let columns = names("SELECT name FROM pragma_table_info(?)", &view);
        assert_eq!(first_cells(section(&page, &view)), columns, "{view}");
    }
}

#[test]
fn the_page_on_the_api_has_each_address() {
    let page = page("api.md");
    let rows = section(&page, "Addresses")
        .lines()
        .filter(|line| line.contains("| `/api/v1"));
    let documented: BTreeSet<_> = rows
        .map(|row| {
            let mut cells = row
                .split('|')
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .skip(1);
            (cells.next().unwrap().to_lowercase(), cells.next().unwrap())
        })
        .collect();
    let status = ("get".to_owned(), "/api/v1/status".to_owned());
    let known: BTreeSet<_> = apm_server::api::addresses()
        .into_iter()
        .chain([status])
        .collect();
    assert_eq!(documented, known);
}

/// The kinds of conditions that an expression is made of. A kind that is added to the language has to be added here,
/// and so to the page.
fn kinds(expr: &Expr, found: &mut BTreeSet<&'static str>) {
    let value = |value: &Value| match value {
        Value::Exact(_) => "a value",
        Value::Wildcard(_) => "a value with a wildcard",
    };
    let field = |field: &Field| match field.pattern {
        Some(_) => "a field with a wildcard",
        None => "a field",
    };
    match expr {
        Expr::All => drop(found.insert("everything")),
        Expr::And(items) => {
            found.insert("and");
            items.iter().for_each(|item| kinds(item, found));
        }
        Expr::Or(items) => {
            found.insert("or");
            items.iter().for_each(|item| kinds(item, found));
        }
        Expr::Not(inner) => {
            found.insert("not");
            kinds(inner, found);
        }
        Expr::Exists(of) => found.extend(["exists", field(of)]),
        Expr::Is(of, is) => found.extend(["is", field(of), value(is)]),
        Expr::Text(text) => found.extend(["text", value(text)]),
        Expr::Range(of, order, bound) => {
            let order = match order {
                Order::Less => "<",
                Order::AtMost => "<=",
                Order::Greater => ">",
                Order::AtLeast => ">=",
            };
            let bound = match bound {
                Bound::Number(_) => "a number as a bound",
                Bound::Time(_) => "a time as a bound",
                Bound::Address(_) => "an address as a bound",
                Bound::Text(_) => "a text as a bound",
            };
            found.extend([order, bound, field(of)]);
        }
    }
}

#[test]
fn the_page_on_kql_shows_each_kind_of_condition() {
    const ALL: [&str; 17] = [
        "<",
        "<=",
        ">",
        ">=",
        "a field",
        "a field with a wildcard",
        "a number as a bound",
        "a text as a bound",
        "a time as a bound",
        "a value",
        "a value with a wildcard",
        "an address as a bound",
        "and",
        "exists",
        "is",
        "not",
        "or",
    ];
    let mut found = BTreeSet::new();
    for block in blocks(&root().join("docs/kql.md"))
        .iter()
        .filter(|block| block.language == "kql")
    {
        for query in block.text.lines() {
            kinds(
                &kql::parse(query, 1_795_953_600_000_000).unwrap(),
                &mut found,
            );
        }
    }
    assert_eq!(found, ALL.into_iter().chain(["text"]).collect());
    let table = page("kql.md");
    for order in [Order::Less, Order::AtMost, Order::Greater, Order::AtLeast] {
        assert!(
            table.contains(&format!("`field {} 10`", order.as_str())),
            "{order:?}"
        );
    }
}

#[test]
fn the_page_on_kql_has_the_limits_and_the_fields_that_are_searched_for_words() {
    let page = page("kql.md");
    let source = std::fs::read_to_string(root().join("crates/kql/src/expr.rs")).unwrap();
    let (_, rest) = source.split_once("fn is_full_text").unwrap();
    let (body, _) = rest.split_once("\n}").unwrap();
    let known: BTreeSet<_> = body
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    let documented: BTreeSet<_> = first_cells(section(&page, "Words")).into_iter().collect();
    assert_eq!(documented, known);

    assert!(page.contains("at most 4096 bytes, and at most 64 levels"));
    let parses = |query: String| kql::parse(&query, 0).is_ok();
    assert!(parses("a".repeat(4096)) && !parses("a".repeat(4097)));
    let nested = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert!(parses(nested(64)) && !parses(nested(65)));
}

#[test]
fn each_feature_of_the_agent_is_explained_and_the_tests_have_those_that_docs_rs_shows() {
    let folder = root().join("crates/apm-agent");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let tests = &manifest["dev-dependencies"]["apm-agent"]["features"];
    assert_eq!(
        tests,
        &manifest["package"]["metadata"]["docs"]["rs"]["features"]
    );
    let readme = read("README.md");
    let features = manifest["features"].as_table().unwrap().keys();
    let unknown: Vec<_> = features
        .filter(|name| *name != "default" && !readme.contains(&format!("`{name}`")))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[actix_web::test]
async fn the_page_on_kql_has_the_fields_of_each_list() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(&dir);
    let page = page("kql.md");
    for (row, address) in [
        ("errors", "errors"),
        ("queries", "queries"),
        ("dependencies, metrics", "dependencies"),
        ("dependencies, metrics", "services/any/metrics"),
    ] {
        let refused = get(&format!("{}/api/v1/{address}?q=nothing:1", server.url()))
            .await
            .json();
        let fields = refused["error"]
            .as_str()
            .unwrap()
            .split("filtered by ")
            .nth(1)
            .unwrap();
        let fields = fields.split(" only").next().unwrap().replace(", ", "`, `");
        assert!(
            page.contains(&format!("| {row} | `{fields}` |")),
            "{row}: {fields}"
        );
    }
}

#[test]
fn the_page_on_operating_has_each_trouble_of_the_store() {
    let page = page("operating.md");
    let documented = first_cells(section(&page, "When it says that something is wrong"));
    let source = std::fs::read_to_string(root().join("crates/apm-store/src/error.rs")).unwrap();
    let reasons = source
        .split("pub fn reason(&self)")
        .nth(1)
        .expect("the words");
    let words: BTreeSet<String> = reasons
        .lines()
        .take_while(|line| !line.starts_with('}'))
        .filter_map(|line| Some(line.split_once("=> \"")?.1.split('"').next()?.to_owned()))
        .collect();
    assert!(words.len() >= 10, "{words:?}");
    let documented: BTreeSet<String> = documented.into_iter().collect();
    assert_eq!(documented, words);
}
