//! Walks through a statement, with the tables that are known at each place.

mod from;
mod insert;
mod parameters;
mod scope;
mod terms;

use sqlite3_parser::ast::{
    Distinctness, Expr, Limit, OneSelect, QualifiedName, ResultColumn, Select, SortedColumn, Stmt,
    With,
};

use super::tokens::unquote;
use super::{Reading, Role, Use};
use crate::schema::{Schema, quote};
use scope::{Source, children};

/// The deepest nesting of selects: views name views.
const DEEPEST: usize = 40;

/// Most uses of tables in one statement.
const USES: usize = 200;

pub(super) struct Walk<'s> {
    schema: &'s Schema,
    scopes: Vec<Vec<Source>>,
    uses: Vec<Use>,
    parameters: Vec<(String, Role)>,
    /// Names of WITH that hide tables.
    hidden: Vec<String>,
    writes: Option<String>,
    depth: usize,
    /// Whether it is in a HAVING, where names may be those of counts and sums.
    in_having: bool,
}

impl<'s> Walk<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        Self {
            schema,
            scopes: Vec::new(),
            uses: Vec::new(),
            parameters: Vec::new(),
            hidden: Vec::new(),
            writes: None,
            depth: 0,
            in_having: false,
        }
    }

    pub(super) fn into_reading(self) -> Reading {
        Reading {
            sql: String::new(),
            uses: self.uses,
            parameters: self.parameters,
            writes: self.writes,
        }
    }

    pub(super) fn statement(&mut self, statement: &Stmt<'_>) -> Result<(), String> {
        match statement {
            Stmt::Select(select) => self.select(select),
            Stmt::Insert {
                with,
                tbl_name,
                columns,
                body,
                returning,
                ..
            } => {
                self.with(with.as_ref());
                let names = columns
                    .as_ref()
                    .map(|names| names.iter().map(|name| unquote(name.0)));
                self.insert(tbl_name, names.map(Iterator::collect), body)?;
                self.returning(*returning);
            }
            Stmt::Update {
                with,
                tbl_name,
                sets,
                from,
                where_clause,
                returning,
                order_by,
                limit,
                ..
            } => {
                self.with(with.as_ref());
                // The columns that are set are those of the first source.
                let mut scope = vec![self.target(tbl_name)?];
                self.from(from.as_ref(), &mut scope);
                self.scopes.push(scope);
                self.sets(sets, 0);
                self.filter(where_clause.as_ref());
                self.sorted(*order_by, &[]);
                self.limit(*limit);
                self.returning(*returning);
                self.scopes.pop();
            }
            Stmt::Delete {
                with,
                tbl_name,
                where_clause,
                returning,
                order_by,
                limit,
                ..
            } => {
                self.with(with.as_ref());
                let scope = vec![self.target(tbl_name)?];
                self.scopes.push(scope);
                self.filter(where_clause.as_ref());
                self.sorted(*order_by, &[]);
                self.limit(*limit);
                self.returning(*returning);
                self.scopes.pop();
            }
            Stmt::Begin(..)
            | Stmt::Commit(_)
            | Stmt::Rollback { .. }
            | Stmt::Savepoint(_)
            | Stmt::Release(_) => {
                return Err(
                    "it begins or ends a transaction, which has no cost of its own".to_owned(),
                );
            }
            _ => return Err("only SELECT, INSERT, UPDATE and DELETE are measured".to_owned()),
        }
        Ok(())
    }

    fn target(&mut self, name: &QualifiedName<'_>) -> Result<Source, String> {
        let table = unquote(name.name.0);
        let alias = name
            .alias
            .as_ref()
            .map_or_else(|| table.clone(), |alias| unquote(alias.0));
        let Some(found) = self.schema.table(&table) else {
            return Err(format!("there is no table {table}"));
        };
        self.writes = Some(found.name.clone());
        Ok(self.source(&found.name.clone(), alias))
    }

    /// Notes a use of a table.
    fn source(&mut self, table: &str, alias: String) -> Source {
        if self.uses.len() >= USES {
            return Source { alias, at: None };
        }
        self.uses.push(Use {
            table: table.to_owned(),
            alias: alias.clone(),
            ..Use::default()
        });
        Source {
            alias,
            at: Some(self.uses.len() - 1),
        }
    }

    /// Notes that a column is read.
    pub(super) fn reads(&mut self, at: usize, column: &str) {
        let columns = &mut self.uses[at].columns;
        if !columns.iter().any(|known| known == column) {
            columns.push(column.to_owned());
        }
    }

    fn returning(&mut self, columns: Option<&[ResultColumn<'_>]>) {
        for column in columns.into_iter().flatten() {
            if let ResultColumn::Expr(expr, _) = column {
                self.expr(expr);
            }
        }
    }

    fn with(&mut self, with: Option<&With<'_>>) {
        let Some(with) = with else { return };
        // A CTE may name itself and those beside it.
        self.hidden
            .extend(with.ctes.iter().map(|cte| unquote(cte.tbl_name.0)));
        for cte in with.ctes {
            self.select(cte.select);
        }
    }

    pub(super) fn select(&mut self, select: &Select<'_>) {
        if self.depth >= DEEPEST {
            return;
        }
        self.depth += 1;
        let hidden = self.hidden.len();
        self.with(select.with.as_ref());
        let compounds = select.body.compounds.as_ref();
        // A compound is sorted as a whole, so that no index gives its order.
        let order = select.order_by.filter(|_| compounds.is_none());
        self.one_select(&select.body.select, order);
        for compound in compounds.into_iter().flatten() {
            self.one_select(&compound.select, None);
        }
        self.limit(select.limit);
        self.hidden.truncate(hidden);
        self.depth -= 1;
    }

    fn one_select(&mut self, select: &OneSelect<'_>, order: Option<&[SortedColumn<'_>]>) {
        let OneSelect::Select {
            distinctness,
            columns,
            from,
            where_clause,
            group_by,
            having,
            ..
        } = select
        else {
            if let OneSelect::Values(rows) = select {
                rows.iter()
                    .flat_map(|row| row.iter())
                    .for_each(|value| self.alone(value));
            }
            return;
        };
        // A HAVING around a subquery says nothing of the names within it.
        let is_within_having = std::mem::take(&mut self.in_having);
        let mut scope = Vec::new();
        self.from(from.as_ref(), &mut scope);
        // Only now: what stands in FROM does not see the tables beside it.
        self.scopes.push(scope);
        self.joined(from.as_ref());
        self.columns(columns);
        self.filter(*where_clause);
        if let Some(group_by) = group_by {
            self.group(group_by.iter());
            group_by.iter().for_each(|expr| self.expr(expr));
        } else if *distinctness == Some(Distinctness::Distinct) {
            // DISTINCT groups by all columns.
            self.group(columns.iter().filter_map(|column| match column {
                ResultColumn::Expr(expr, _) => Some(expr),
                _ => None,
            }));
        } else {
            self.ends(columns);
        }
        if let Some(having) = having {
            self.in_having = true;
            self.expr(having);
            self.in_having = false;
        }
        self.sorted(order, columns);
        self.scopes.pop();
        self.in_having = is_within_having;
    }

    fn sorted(&mut self, by: Option<&[SortedColumn<'_>]>, columns: &[ResultColumn<'_>]) {
        let Some(by) = by else { return };
        self.order(by, columns);
        by.iter().for_each(|sorted| self.expr(&sorted.expr));
    }

    fn filter(&mut self, condition: Option<&Expr<'_>>) {
        if let Some(condition) = condition {
            self.conditions(condition);
            self.expr(condition);
        }
    }

    fn columns(&mut self, columns: &[ResultColumn<'_>]) {
        for column in columns {
            match column {
                ResultColumn::Expr(expr, _) => self.alone(expr),
                ResultColumn::Star => self.all(None),
                ResultColumn::TableStar(name) => self.all(Some(&unquote(name.0))),
            }
        }
    }

    /// Every column of the tables at hand, or of one of them.
    fn all(&mut self, alias: Option<&str>) {
        let sources = self.scopes.last().map_or(&[][..], Vec::as_slice);
        let named = sources
            .iter()
            .filter(|source| alias.is_none_or(|alias| alias.eq_ignore_ascii_case(&source.alias)));
        let named: Vec<usize> = named.filter_map(|source| source.at).collect();
        for at in named {
            let columns = self
                .schema
                .table(&self.uses[at].table)
                .map(|table| &table.columns);
            for column in columns.into_iter().flatten() {
                self.reads(at, &quote(&column.name));
            }
        }
    }

    fn limit(&mut self, limit: Option<&Limit<'_>>) {
        let Some(limit) = limit else { return };
        self.number(&limit.expr, 20);
        if let Some(offset) = &limit.offset {
            self.number(offset, 0);
        }
    }

    /// Walks into the parts of an expression that have no rule of their own.
    pub(super) fn parts(&mut self, expr: &Expr<'_>) {
        for child in children(expr) {
            self.expr(child);
        }
    }
}
