//! Values that columns get: those of new rows, and those of rows that are changed.

use sqlite3_parser::ast::{
    Expr, InsertBody, OneSelect, QualifiedName, ResultColumn, Set, Upsert, UpsertDo,
};

use super::super::tokens::unquote;
use super::Walk;
use super::scope::Source;
use crate::schema::Table;

impl Walk<'_> {
    /// The rows that an INSERT makes, and what it does about those that are there already.
    pub(super) fn insert(
        &mut self,
        name: &QualifiedName<'_>,
        columns: Option<Vec<String>>,
        body: &InsertBody<'_>,
    ) -> Result<(), String> {
        let source = self.target(name)?;
        let table = source
            .at
            .and_then(|at| self.schema.table(&self.uses[at].table));
        let stored = |table: &Table| -> Vec<String> {
            let stored = table.columns.iter().filter(|column| column.is_stored);
            stored.map(|column| column.name.clone()).collect()
        };
        let columns = columns.or_else(|| table.map(stored)).unwrap_or_default();
        let table = table.map_or_else(String::new, |table| table.name.clone());
        let InsertBody::Select(select, upsert) = body else {
            return Ok(());
        };
        self.with(select.with.as_ref());
        let compounds = select
            .body
            .compounds
            .iter()
            .flatten()
            .map(|compound| &compound.select);
        let mut row = 0;
        for one in std::iter::once(&select.body.select).chain(compounds) {
            match one {
                OneSelect::Values(rows) => {
                    for values in rows.iter() {
                        for (value, column) in values.iter().zip(&columns) {
                            self.new_value(value, &table, column, row);
                        }
                        row += 1;
                    }
                }
                OneSelect::Select {
                    columns: selected, ..
                } => {
                    for (value, column) in selected.iter().zip(&columns) {
                        if let ResultColumn::Expr(value, _) = value {
                            self.new_value(value, &table, column, row);
                        }
                    }
                    row += 1;
                    self.one_select(one, None);
                }
            }
        }
        self.limit(select.limit);
        self.scopes.push(vec![
            source,
            // This is the row that was refused, which no index finds.
            Source {
                alias: "excluded".to_owned(),
                at: None,
            },
        ]);
        let mut next: Option<&Upsert<'_>> = *upsert;
        while let Some(upsert) = next {
            if let UpsertDo::Set { sets, where_clause } = &upsert.do_clause {
                self.sets(sets, row);
                self.filter(where_clause.as_ref());
            }
            next = upsert.next;
        }
        self.scopes.pop();
        Ok(())
    }

    /// Columns that get a value. That of a parameter is taken from the same row as what finds the row.
    pub(super) fn sets(&mut self, sets: &[Set<'_>], shift: usize) {
        for set in sets {
            let values = match &set.expr {
                // `SET (a, b) = (?, ?)`
                Expr::Parenthesized(values) if set.col_names.len() > 1 => values.iter().collect(),
                value => vec![value],
            };
            for (name, value) in set.col_names.iter().zip(values) {
                let place = self.place(None, &unquote(name.0));
                match place {
                    Some(place) => self.set_value(value, &place, shift),
                    None => self.expr(value),
                }
            }
        }
    }
}
