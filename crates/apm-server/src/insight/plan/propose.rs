//! Indexes that might help, by what the statement compares, groups and sorts by.
//!
//! A proposal is only a candidate: the caller asks SQLite what it would do with it, and shows those that make the plan
//! cheaper. So the reading of the text may be simple: words and commas, no parser.

use sql_lexer::{Kind as TokenKind, Lexer, Token};

use super::Plan;
use super::meaning::Kind;
use super::schema::{Schema, Table};

/// Columns of an index that serves reading; more make writing dear.
const WIDEST: usize = 4;

/// An index that might help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

impl Candidate {
    /// `CREATE INDEX people_city ON people (city)`
    pub(super) fn statement(&self) -> String {
        let name = format!("{}_{}", self.table, self.columns.join("_"));
        let columns: Vec<String> = self.columns.iter().map(|column| quote(column)).collect();
        format!(
            "CREATE INDEX {} ON {} ({})",
            quote(&name),
            quote(&self.table),
            columns.join(", ")
        )
    }
}

/// A name as SQL writes it: bare where it can be.
fn quote(name: &str) -> String {
    let bare = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && ![
            "order", "group", "index", "table", "select", "where", "from", "values", "check",
            "default",
        ]
        .contains(&name.to_ascii_lowercase().as_str());
    if bare {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Candidates for the tables that the plan reads whole or sorts, the likeliest first.
pub(super) fn candidates(sql: &str, plan: &Plan, schema: &Schema) -> Vec<Candidate> {
    let text = Text::read(sql);
    let mut found = Vec::new();
    for step in plan.all() {
        let costly = matches!(
            step.meaning.kind,
            Kind::FullScan | Kind::IndexScan | Kind::AutomaticIndex
        );
        let Some(alias) = step.meaning.table.as_deref().filter(|_| costly) else {
            continue;
        };
        let Some(table) = schema.table(text.table_of(alias)) else {
            continue;
        };
        let equal = text.columns(Clause::Equal, alias, table);
        let range = text.columns(Clause::Range, alias, table);
        let group = text.columns(Clause::Group, alias, table);
        let order = text.columns(Clause::Order, alias, table);
        // Behind the columns that are compared by `=`, an index serves one group, order or range.
        for tail in [&group, &order, &range] {
            if !tail.is_empty() {
                push(&mut found, table, &[&equal, tail]);
            }
        }
        push(&mut found, table, &[&equal]);
        push(&mut found, table, &[&equal, &range, &group]);
        push(&mut found, table, &[&group]);
        push(&mut found, table, &[&order]);
    }
    found
}

fn push(found: &mut Vec<Candidate>, table: &Table, parts: &[&Vec<String>]) {
    let mut columns: Vec<String> = Vec::new();
    for column in parts.iter().flat_map(|part| part.iter()) {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    columns.truncate(WIDEST);
    let candidate = Candidate {
        table: table.name.clone(),
        columns,
    };
    if !candidate.columns.is_empty() && !found.contains(&candidate) {
        found.push(candidate);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clause {
    Select,
    From,
    /// Conditions, until an operator says which.
    Where,
    Equal,
    Range,
    Group,
    Order,
    Rest,
}

/// Names of a statement with the clause in which they stand.
#[derive(Debug, Default)]
struct Text {
    /// (clause, qualifier, column)
    names: Vec<(Clause, Option<String>, String)>,
    /// (alias, table)
    tables: Vec<(String, String)>,
}

impl Text {
    fn read(sql: &str) -> Self {
        let tokens: Vec<Token<'_>> = Lexer::guess(sql).significant().collect();
        let word = |at: usize| {
            tokens
                .get(at)
                .map_or(String::new(), |token| token.text.to_ascii_uppercase())
        };
        let mut text = Self::default();
        let mut clause = Clause::Rest;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if token.kind == TokenKind::Word {
                let next = match token.text.to_ascii_uppercase().as_str() {
                    "SELECT" | "RETURNING" => Some(Clause::Select),
                    "FROM" | "JOIN" | "INTO" | "UPDATE" => Some(Clause::From),
                    "WHERE" | "ON" | "AND" | "OR" | "HAVING" | "NOT" => Some(Clause::Where),
                    "GROUP" => Some(Clause::Group),
                    "ORDER" => Some(Clause::Order),
                    "LIMIT" | "SET" | "VALUES" | "UNION" | "EXCEPT" | "INTERSECT" => {
                        Some(Clause::Rest)
                    }
                    _ => None,
                };
                if let Some(next) = next {
                    clause = next;
                    at += 1;
                    continue;
                }
            }
            let Some(first) = name(token) else {
                at += 1;
                continue;
            };
            if word(at + 1) == "(" && clause != Clause::From {
                // A function: the columns inside of it are of no use to an index.
                at = past_parenthesis(&tokens, at + 1);
                continue;
            }
            let mut parts = vec![first];
            while word(at + 1) == "." {
                let Some(part) = tokens.get(at + 2).and_then(name) else {
                    break;
                };
                parts.push(part);
                at += 2;
            }
            at += 1;
            text.add(&mut clause, parts, &word(at), tokens.get(at), &word(at + 1));
        }
        text
    }

    fn add(
        &mut self,
        clause: &mut Clause,
        mut parts: Vec<String>,
        after: &str,
        next: Option<&Token<'_>>,
        then: &str,
    ) {
        let Some(column) = parts.pop() else { return };
        match clause {
            Clause::From => {
                let alias = if after == "AS" {
                    Some(then.to_owned())
                } else {
                    next.filter(|token| token.kind == TokenKind::Word)
                        .map(|token| token.text.to_ascii_uppercase())
                };
                // A table with an alias may still be called by its name.
                self.tables.push((column.clone(), column.clone()));
                if let Some(alias) = alias {
                    self.tables.push((alias, column));
                }
                // An alias or a comma follows.
            }
            Clause::Where => {
                let kind = match after {
                    "=" | "==" | "IN" | "IS" => Clause::Equal,
                    "<" | ">" | "<=" | ">=" | "BETWEEN" => Clause::Range,
                    _ => return,
                };
                self.names.push((kind, parts.pop(), column));
            }
            Clause::Group | Clause::Order
                if !matches!(
                    column.to_ascii_uppercase().as_str(),
                    "BY" | "ASC" | "DESC" | "NULLS" | "FIRST" | "LAST" | "COLLATE" | "NOCASE"
                ) =>
            {
                self.names.push((*clause, parts.pop(), column));
            }
            _ => {}
        }
    }

    /// The table behind an alias.
    fn table_of<'a>(&'a self, alias: &'a str) -> &'a str {
        self.tables
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(alias))
            .map_or(alias, |(_, table)| table)
    }

    /// The columns of a table that stand in a clause, as the table writes them.
    fn columns(&self, clause: Clause, alias: &str, table: &Table) -> Vec<String> {
        let mut columns = Vec::new();
        for (kind, qualifier, column) in &self.names {
            let is_ours = qualifier.as_deref().is_none_or(|qualifier| {
                qualifier.eq_ignore_ascii_case(alias) || qualifier.eq_ignore_ascii_case(&table.name)
            });
            let known = table
                .columns
                .iter()
                .find(|known| known.eq_ignore_ascii_case(column));
            if let Some(known) = known.filter(|_| *kind == clause && is_ours)
                && !columns.contains(known)
            {
                columns.push(known.clone());
            }
        }
        columns
    }
}

/// A whole name without its quotes.
fn name(token: &Token<'_>) -> Option<String> {
    token.name().filter(|_| token.closed)
}

fn past_parenthesis(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match (token.kind, token.text) {
            (TokenKind::Punctuation, "(") => depth += 1,
            (TokenKind::Punctuation, ")") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests;
