//! `/suggest`: what the query bar could go on with, as a list for the script that asked. Fields by their names, values
//! by how often the newest events have them.

use std::collections::HashMap;
use std::time::Duration;

use apm_store::StoreError;
use diesel::SqliteConnection;
use kql::Expr;
use maud::{Markup, html};

use super::Answer;
use crate::analytics::discover::{self, Found, Limits, Request};
use crate::analytics::filter::List;
use crate::sort_rows::SortRows as _;
use crate::ui::number::grouped;
use crate::ui::query_bar::QueryBar;
use crate::ui::view::View;

/// Events that are looked at.
const LOOKED_AT: usize = 400;
/// Suggestions shown.
const MOST: usize = 12;
/// Longer values are no use as a filter to choose from.
const LONGEST: usize = 120;

/// The token that is being typed, at the end of a query.
#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    /// The beginning of a field's name.
    Field(&'a str),
    /// A field, and the beginning of its value.
    Value(&'a str, &'a str),
}

/// The last token of `text`, and where it starts in bytes.
fn token(text: &str) -> (usize, Token<'_>) {
    let mut start = 0;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                quoted = !quoted;
                start = if quoted { at } else { at + 1 };
            }
            ':' | '(' | ')' | '<' | '>' | '=' if !quoted => start = at + 1,
            c if c.is_whitespace() && !quoted => start = at + c.len_utf8(),
            _ => {}
        }
    }
    let typed = text[start..].trim_start_matches('"');
    let before = text[..start].trim_end();
    let name = |before: &'_ str| -> usize {
        before
            .char_indices()
            .rev()
            .find(|(_, c)| c.is_whitespace() || "()\"".contains(*c))
            .map_or(0, |(at, c)| at + c.len_utf8())
    };
    match before.strip_suffix(':') {
        Some(before) => {
            let before = before.trim_end();
            (start, Token::Value(&before[name(before)..], typed))
        }
        None => (start, Token::Field(typed)),
    }
}

/// One suggestion: what is shown, what the whole query becomes, and how many events say so.
struct Choice {
    shown: String,
    becomes: String,
    count: Option<usize>,
}

/// The list; `on` is the path of the page whose bar it is.
pub(crate) fn suggestions(conn: &mut SqliteConnection, view: &View) -> Result<Answer, StoreError> {
    let bar = match QueryBar::of_path(view.param("on").unwrap_or("")) {
        // A bar that can filter nothing leads to Discover, which takes any field.
        QueryBar::Elsewhere => QueryBar::Documents,
        bar => bar,
    };
    let text = view.param("text").unwrap_or("");
    let (start, token) = token(text);
    let kept = &text[..start];
    let names = match (bar, &token) {
        (QueryBar::List(list), Token::Field(typed)) => Some((list.fields(), *typed)),
        _ => None,
    };
    let choices = match (names, token) {
        (Some((names, typed)), _) => {
            let names = names
                .iter()
                .map(|name| ((*name).to_owned(), None))
                .collect();
            fields(kept, typed, names)
        }
        (None, Token::Field(typed)) => {
            let found = newest(conn, view, Expr::All)?;
            let all = discover::fields(found.hits.iter().map(|hit| &hit.document));
            let names = all.into_iter().map(|field| (field.name, Some(field.count)));
            fields(kept, typed, names.collect())
        }
        (None, Token::Value(field, typed)) => {
            let found = newest(conn, view, kinds(bar, view.clock.now))?;
            values(kept, field, typed, &found)
        }
    };
    Ok(Answer::Fragment(markup(&choices)))
}

/// The events that a list is made of.
fn kinds(bar: QueryBar, now: i64) -> Expr {
    let text = match bar {
        QueryBar::Requests | QueryBar::List(List::Transactions) => "processor.event: transaction",
        QueryBar::List(List::Errors) => "processor.event: error",
        QueryBar::List(List::Statements | List::Dependencies) => "processor.event: span",
        QueryBar::List(List::Metrics) => "processor.event: metric",
        QueryBar::Documents | QueryBar::Elsewhere => "",
    };
    kql::parse(text, now).unwrap_or(Expr::All)
}

fn newest(conn: &mut SqliteConnection, view: &View, query: Expr) -> Result<Found, StoreError> {
    let request = Request {
        query,
        range: view.range,
        size: LOOKED_AT,
        after: None,
        limits: Limits {
            deadline: Duration::from_millis(300),
        },
    };
    discover::search(conn, &request)
}

/// Names that hold what is typed, those that begin with it first.
fn fields(kept: &str, typed: &str, names: Vec<(String, Option<usize>)>) -> Vec<Choice> {
    let typed = typed.to_lowercase();
    let mut found: Vec<_> = names
        .into_iter()
        .filter(|(name, _)| name.to_lowercase().contains(&typed))
        .collect();
    found.sort_rows_by_key(|(name, count)| {
        let begins = name.to_lowercase().starts_with(&typed);
        (!begins, std::cmp::Reverse(count.unwrap_or(0)), name.clone())
    });
    found.truncate(MOST);
    let choice = |(shown, count): (String, Option<usize>)| Choice {
        becomes: format!("{kept}{shown}: "),
        shown,
        count,
    };
    found.into_iter().map(choice).collect()
}

fn values(kept: &str, field: &str, typed: &str, found: &Found) -> Vec<Choice> {
    let typed = typed.to_lowercase();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for hit in &found.hits {
        kql::for_each_leaf(&hit.document, &mut |name, leaf| {
            if name == field {
                let value = kql::text_of(leaf);
                if value.chars().count() <= LONGEST && value.to_lowercase().contains(&typed) {
                    *counts.entry(value.into_owned()).or_default() += 1;
                }
            }
        });
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(MOST);
    let choice = |(shown, count): (String, usize)| Choice {
        becomes: format!("{kept}{} ", crate::ui::view::quoted(&shown)),
        shown,
        count: Some(count),
    };
    counts.into_iter().map(choice).collect()
}

fn markup(choices: &[Choice]) -> Markup {
    html! {
        ul.suggest id="q-list" role="listbox" aria-label="Suggestions" {
            @for (i, choice) in choices.iter().enumerate() {
                li id={ "q-" (i) } role="option" aria-selected="false" data-becomes=(choice.becomes) {
                    code title=(choice.shown) { (choice.shown) }
                    @if let Some(count) = choice.count { span { (grouped(count as u64)) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_last_is_gone_on_with() {
        for (text, start, want) in [
            ("", 0, Token::Field("")),
            ("tran", 0, Token::Field("tran")),
            ("service.name:", 13, Token::Value("service.name", "")),
            ("service.name: sh", 14, Token::Value("service.name", "sh")),
            ("a:1 and not b: \"GET /x", 15, Token::Value("b", "GET /x")),
            ("a:\"x y\" and tr", 12, Token::Field("tr")),
            ("(a:1 or b", 8, Token::Field("b")),
            ("a:\"say \\\"hi", 2, Token::Value("a", "say \\\"hi")),
        ] {
            assert_eq!(token(text), (start, want), "{text}");
        }
    }

    #[test]
    fn a_choice_keeps_what_stands_before_it() {
        let names = vec![("url.path".to_owned(), None), ("span.url".to_owned(), None)];
        let found = fields("a:1 and ", "UR", names);
        let becomes: Vec<&str> = found.iter().map(|choice| choice.becomes.as_str()).collect();
        assert_eq!(becomes, ["a:1 and url.path: ", "a:1 and span.url: "]);
    }
}
