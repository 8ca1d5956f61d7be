//! The tables that a statement names: a reading of its words, no parser. A name too many does no harm to its users, who
//! know which tables there are.

use sql_lexer::{Kind, Lexer, Token, is_keyword};

use super::plan::Plan;

/// Tokens that are looked at.
const LOOK_AT: usize = 4_096;

/// A table, and the name by which the statement calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::insight) struct Named {
    pub(in crate::insight) table: String,
    /// The table's own name where it has no other.
    pub(in crate::insight) alias: String,
}

/// The tables behind FROM, JOIN and UPDATE, in the order of the text.
pub(in crate::insight) fn tables(sql: &str) -> Vec<Named> {
    let tokens: Vec<Token<'_>> = Lexer::guess(sql).significant().take(LOOK_AT).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        if !is_one_of(token, &["FROM", "JOIN", "STRAIGHT_JOIN", "UPDATE"]) {
            continue;
        }
        while let Some(named) = named(&tokens, &mut at) {
            if !found.contains(&named) {
                found.push(named);
            }
            match tokens.get(at) {
                Some(token) if token.text == "," => at += 1,
                _ => break,
            }
        }
    }
    found
}

/// The tables that a plan scans whole, by their own names, each once. Rows that the statement makes itself, by a
/// subquery or behind WITH, are no table.
pub(in crate::insight) fn scanned<'a>(plan: &'a Plan, named: &'a [Named]) -> Vec<&'a str> {
    let is_made = |name: &str| {
        plan.all().any(|step| {
            let detail = step.detail.as_str();
            let made = detail.strip_prefix("CO-ROUTINE ");
            made.or_else(|| detail.strip_prefix("MATERIALIZE ")) == Some(name)
        })
    };
    let mut found = Vec::new();
    for alias in plan.scanned() {
        let table = table_of(named, alias);
        if !is_made(alias) && !is_made(table) && !found.contains(&table) {
            found.push(table);
        }
    }
    found
}

/// The table that a plan calls by a name.
fn table_of<'a>(tables: &'a [Named], name: &'a str) -> &'a str {
    tables
        .iter()
        .find(|named| named.alias.eq_ignore_ascii_case(name))
        .map_or(name, |named| &named.table)
}

/// A table with its alias, and the place behind it.
fn named(tokens: &[Token<'_>], at: &mut usize) -> Option<Named> {
    while tokens
        .get(*at)
        .is_some_and(|token| is_one_of(token, &["ONLY", "LATERAL"]))
    {
        *at += 1;
    }
    let mut last = name(tokens.get(*at)?)?;
    let mut table = last.clone();
    *at += 1;
    while tokens.get(*at).is_some_and(|token| token.text == ".") {
        let Some(part) = tokens.get(*at + 1).and_then(|token| token.name()) else {
            break;
        };
        table = format!("{table}.{part}");
        last = part;
        *at += 2;
    }
    // A function that returns rows.
    if tokens.get(*at).is_some_and(|token| token.text == "(") {
        return None;
    }
    if tokens
        .get(*at)
        .is_some_and(|token| is_one_of(token, &["AS"]))
    {
        *at += 1;
    }
    let alias = tokens.get(*at).and_then(name);
    if alias.is_some() {
        *at += 1;
    }
    Some(Named {
        table,
        alias: alias.unwrap_or(last),
    })
}

/// Words that may stand behind a table, and which a fingerprint takes for names.
const BEHIND: [&str; 4] = ["INDEXED", "FORCE", "STRAIGHT_JOIN", "TABLESAMPLE"];

/// A name that is no word of SQL.
fn name(token: &Token<'_>) -> Option<String> {
    let is_sql = token.kind == Kind::Word && (is_keyword(token.text) || is_one_of(token, &BEHIND));
    token.name().filter(|_| token.closed && !is_sql)
}

fn is_one_of(token: &Token<'_>, words: &[&str]) -> bool {
    token.kind == Kind::Word
        && words
            .iter()
            .any(|word| word.eq_ignore_ascii_case(token.text))
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::of_details;
    use super::*;

    #[test]
    fn tables_are_named_with_their_aliases_in_the_order_of_the_text() {
        for (sql, expected) in [
            ("SELECT 1", ""),
            ("SELECT name FROM people WHERE id = ?", "people=people"),
            (
                "SELECT * FROM people p JOIN \"visit\" AS v ON v.person = p.id LEFT JOIN `tag` ON 1",
                "people=p visit=v tag=tag",
            ),
            (
                "SELECT * FROM people AS p, main.visit WHERE p.id = visit.person",
                "people=p main.visit=visit",
            ),
            (
                "SELECT (SELECT max(at) FROM visit WHERE person = id) FROM people ORDER BY id",
                "visit=visit people=people",
            ),
            (
                "SELECT n FROM (SELECT count(*) AS n FROM visit GROUP BY person) AS x WHERE n > ?",
                "visit=visit",
            ),
            (
                "UPDATE people SET age = (SELECT max(age) FROM visit)",
                "people=people visit=visit",
            ),
            (
                "DELETE FROM people WHERE id IN (SELECT person FROM visit)",
                "people=people visit=visit",
            ),
            ("SELECT * FROM json_each(?)", ""),
            ("SELECT * FROM people a JOIN people b", "people=a people=b"),
            (
                "SELECT * FROM people INDEXED BY a JOIN visit STRAIGHT_JOIN tag",
                "people=people visit=visit tag=tag",
            ),
            ("SELECT * FROM", ""),
            ("SELECT * FROM people.", "people=people"),
        ] {
            let found = tables(sql);
            let found: Vec<String> = found
                .iter()
                .map(|named| format!("{}={}", named.table, named.alias))
                .collect();
            assert_eq!(found.join(" "), expected, "{sql}");
        }
        let named = tables("SELECT * FROM people p JOIN visit");
        assert_eq!(
            ["P", "visit", "other"].map(|alias| table_of(&named, alias)),
            ["people", "visit", "other"]
        );
    }

    #[test]
    fn rows_that_a_statement_makes_itself_are_no_table_that_is_scanned() {
        for (sql, details, expected) in [
            (
                "SELECT * FROM people p JOIN visit v ON 1",
                &["SCAN p", "SCAN v", "SCAN p"][..],
                "people visit",
            ),
            (
                "SELECT * FROM (SELECT person FROM visit GROUP BY person) WHERE person > ?",
                &["CO-ROUTINE (subquery-1)", "SCAN visit", "SCAN (subquery-1)"],
                "visit",
            ),
            (
                "WITH recent AS (SELECT * FROM visit) SELECT * FROM recent r JOIN people p ON 1",
                &["MATERIALIZE recent", "SCAN visit", "SCAN r", "SCAN p"],
                "visit people",
            ),
            ("SELECT 1", &[], ""),
        ] {
            let (plan, named) = (of_details(details), tables(sql));
            assert_eq!(scanned(&plan, &named).join(" "), expected, "{sql}");
        }
    }
}
