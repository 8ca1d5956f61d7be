//! The tables of a FROM, and the conditions of its joins.

use sqlite3_parser::ast::{As, Cmd, FromClause, JoinConstraint, SelectTable, Stmt};
use sqlite3_parser::lexer::sql::Parser;
use sqlite3_parser::{Bump, FallibleIterator as _};

use super::super::tokens::unquote;
use super::Walk;
use super::scope::Source;

impl Walk<'_> {
    /// The tables of a FROM.
    pub(super) fn from(&mut self, from: Option<&FromClause<'_>>, scope: &mut Vec<Source>) {
        let Some(from) = from else { return };
        let joined = from.joins.iter().flatten().map(|join| &join.table);
        for table in from.select.into_iter().chain(joined) {
            let alias = |given: &Option<As<'_>>, name: &str| match given {
                Some(As::As(name) | As::Elided(name)) => unquote(name.0),
                None => name.to_owned(),
            };
            match table {
                SelectTable::Table(name, given, _) => {
                    let table = unquote(name.name.0);
                    let source = self.named(&table, alias(given, &table));
                    scope.push(source);
                }
                SelectTable::TableCall(name, args, given) => {
                    args.iter()
                        .copied()
                        .flatten()
                        .for_each(|arg| self.alone(arg));
                    scope.push(Source {
                        alias: alias(given, &unquote(name.name.0)),
                        at: None,
                    });
                }
                SelectTable::Select(select, given) => {
                    // Its columns are not those of a table, so no index of the outer statement can be on them.
                    self.select(select);
                    scope.push(Source {
                        alias: alias(given, ""),
                        at: None,
                    });
                }
                SelectTable::Sub(inner, _) => self.from(Some(inner), scope),
            }
        }
    }

    /// A table or a view; of a view also what is behind it.
    fn named(&mut self, name: &str, alias: String) -> Source {
        let is_hidden = self
            .hidden
            .iter()
            .any(|hidden| hidden.eq_ignore_ascii_case(name));
        let Some(table) = self.schema.table(name).filter(|_| !is_hidden) else {
            return Source { alias, at: None };
        };
        if let Some(view) = &table.view {
            let bump = Bump::new();
            let command = Parser::new(&bump, view.as_bytes()).next();
            if let Ok(Some(Cmd::Stmt(Stmt::CreateView { select, .. }))) = command {
                // A view sees nothing of the statement around it.
                let outer = std::mem::take(&mut self.scopes);
                self.select(select);
                self.scopes = outer;
            }
        }
        self.source(&table.name, alias)
    }

    /// The conditions of joins.
    pub(super) fn joined(&mut self, from: Option<&FromClause<'_>>) {
        let Some(from) = from else { return };
        for join in from.joins.iter().flatten() {
            match &join.constraint {
                Some(JoinConstraint::On(condition)) => self.filter(Some(condition)),
                Some(JoinConstraint::Using(names)) => self.using(names),
                None => {}
            }
            if let SelectTable::Sub(inner, _) = &join.table {
                self.joined(Some(inner));
            }
        }
    }
}
