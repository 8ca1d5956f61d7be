//! Conditions of a statement that an index could serve.

use sqlite3_parser::ast::{
    Expr, LikeOperator, Literal, Name, Operator, ResultColumn, SortOrder, SortedColumn,
};

use super::super::tokens::{bare, unquote};
use super::super::{Term, Use};
use super::Walk;
use crate::schema::quote;

/// An expression without the parentheses around it.
pub(super) fn open<'a, 'b>(expr: &'a Expr<'b>) -> &'a Expr<'b> {
    match expr {
        Expr::Parenthesized(inner) if inner.len() == 1 => open(&inner[0]),
        expr => expr,
    }
}

/// The sides of an AND or an OR.
fn sides<'a, 'b>(expr: &'a Expr<'b>, operator: Operator, out: &mut Vec<&'a Expr<'b>>) {
    match open(expr) {
        Expr::Binary(left, found, right) if *found == operator => {
            sides(left, operator, out);
            sides(right, operator, out);
        }
        expr => out.push(expr),
    }
}

fn push(terms: &mut Vec<Term>, term: Term) {
    if !terms.contains(&term) {
        terms.push(term);
    }
}

impl Walk<'_> {
    /// Notes what an index could do for a WHERE or an ON.
    pub(super) fn conditions(&mut self, expr: &Expr<'_>) {
        let mut conjuncts = Vec::new();
        sides(expr, Operator::And, &mut conjuncts);
        for conjunct in conjuncts {
            self.condition(conjunct);
            self.constant(conjunct);
        }
    }

    fn condition(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Binary(_, Operator::Or, _) => self.either(expr),
            Expr::Binary(left, Operator::Equals | Operator::Is, right) => {
                for (term, other) in [(left, right), (right, left)] {
                    self.compared(term, &[other], |used| &mut used.equal);
                }
            }
            Expr::Binary(
                left,
                Operator::Less | Operator::LessEquals | Operator::Greater | Operator::GreaterEquals,
                right,
            ) => {
                for (term, other) in [(left, right), (right, left)] {
                    self.compared(term, &[other], |used| &mut used.range);
                }
            }
            Expr::Between {
                lhs,
                not: false,
                start,
                end,
            } => {
                self.compared(lhs, &[start, end], |used| &mut used.range);
            }
            Expr::InList {
                lhs,
                not: false,
                rhs,
            } => {
                let others: Vec<&Expr<'_>> = rhs.iter().copied().flatten().collect();
                self.compared(lhs, &others, |used| &mut used.equal);
            }
            Expr::InSelect {
                lhs, not: false, ..
            } => {
                self.compared(lhs, &[], |used| &mut used.equal);
            }
            // An index finds NULL as it finds a value.
            Expr::IsNull(inner) => self.compared(inner, &[], |used| &mut used.equal),
            Expr::Like {
                lhs,
                not: false,
                op,
                rhs,
                escape: None,
            } => self.pattern(lhs, *op, rhs),
            _ => {}
        }
    }

    /// A pattern that begins with text of its own is a range. `LIKE` does not tell capitals from small letters, so its
    /// index must not either.
    fn pattern(&mut self, lhs: &Expr<'_>, op: LikeOperator, rhs: &Expr<'_>) {
        let Expr::Literal(Literal::String(pattern)) = rhs else {
            return;
        };
        let begins = unquote(pattern);
        let collation = match op {
            LikeOperator::Like if !begins.starts_with(['%', '_']) => Some("NOCASE"),
            LikeOperator::Glob if !begins.starts_with(['*', '?', '[']) => None,
            _ => return,
        };
        let (Some((at, text)), false) = (self.term(lhs), begins.is_empty()) else {
            return;
        };
        let text = match collation {
            Some(collation) => format!("{text} COLLATE {collation}"),
            None => text,
        };
        push(
            &mut self.uses[at].range,
            Term {
                text,
                descending: false,
            },
        );
    }

    fn compared(
        &mut self,
        expr: &Expr<'_>,
        others: &[&Expr<'_>],
        list: fn(&mut Use) -> &mut Vec<Term>,
    ) {
        let Some((at, mut text)) = self.term(expr) else {
            return;
        };
        // Two columns of one row can only be compared row by row.
        if others.iter().any(|other| self.depends(other).on(at)) {
            return;
        }
        // A key that is compared with another table's column may be found from either side.
        let is_free = others
            .iter()
            .all(|other| self.depends(other).places.is_empty() && !self.depends(other).has_select);
        if is_free && !others.is_empty() && self.is_key(at, &text) {
            self.uses[at].by_key = true;
        }
        // Without a collation of its own the left side takes that of the right one.
        let has_own = matches!(open(expr), Expr::Collate(..));
        if let (false, [Expr::Collate(_, collation)]) = (has_own, others) {
            text = format!("{text} COLLATE {collation}");
        }
        push(
            list(&mut self.uses[at]),
            Term {
                text,
                descending: false,
            },
        );
    }

    fn is_key(&self, at: usize, text: &str) -> bool {
        let table = self.schema.table(&self.uses[at].table);
        let key = table
            .and_then(|table| table.rowid.as_deref())
            .map_or("rowid".to_owned(), quote);
        key == text
    }

    /// An expression as an index of one of the tables at hand would write it.
    fn term(&self, expr: &Expr<'_>) -> Option<(usize, String)> {
        let expr = open(expr);
        let depends = self.depends(expr);
        let at = depends.only()?;
        // A column of the statement around is one value here.
        let is_here = self
            .scopes
            .last()?
            .iter()
            .any(|source| source.at == Some(at));
        (is_here && !depends.has_parameter).then(|| (at, self.indexed(expr)))
    }

    fn indexed(&self, expr: &Expr<'_>) -> String {
        let place = match expr {
            Expr::Collate(inner, collation) => {
                return format!("{} COLLATE {collation}", self.indexed(open(inner)));
            }
            Expr::Id(id) => self.place(None, &unquote(id.0)),
            Expr::Name(name) => self.place(None, &unquote(name.0)),
            Expr::Qualified(table, column) | Expr::DoublyQualified(_, table, column) => {
                self.place(Some(&unquote(table.0)), &unquote(column.0))
            }
            _ => None,
        };
        place.map_or_else(|| bare(expr), |place| place.column)
    }

    /// Equalities of which one has to hold: SQLite can look each up in an index of its own.
    fn either(&mut self, expr: &Expr<'_>) {
        let mut branches = Vec::new();
        sides(expr, Operator::Or, &mut branches);
        let mut found = Vec::new();
        for branch in branches {
            let mut conjuncts = Vec::new();
            sides(branch, Operator::And, &mut conjuncts);
            let term = conjuncts.iter().find_map(|conjunct| match conjunct {
                Expr::Binary(left, Operator::Equals | Operator::Is, right) => {
                    let of = |term: &Expr<'_>, other: &Expr<'_>| {
                        let (at, text) = self.term(term)?;
                        (!self.depends(other).on(at)).then_some((at, text))
                    };
                    of(left, right).or_else(|| of(right, left))
                }
                Expr::InList {
                    lhs, not: false, ..
                } => self.term(lhs),
                _ => None,
            });
            match term {
                Some(term) => found.push(term),
                // One side without an index makes SQLite read all rows.
                None => return,
            }
        }
        for (at, text) in found {
            push(
                &mut self.uses[at].either,
                Term {
                    text,
                    descending: false,
                },
            );
        }
    }

    /// A condition that is the same for every call can be that of a partial index.
    fn constant(&mut self, expr: &Expr<'_>) {
        let is_simple = match expr {
            Expr::Binary(_, operator, _) => !matches!(operator, Operator::And | Operator::Or),
            Expr::IsNull(_) | Expr::NotNull(_) | Expr::InList { .. } => true,
            _ => false,
        };
        if let (Some((at, text)), true) = (self.term(expr), is_simple)
            && !self.uses[at].constant.contains(&text)
        {
            self.uses[at].constant.push(text);
        }
    }

    /// Columns of a USING: each table finds the others' rows by them.
    pub(super) fn using(&mut self, names: &[Name<'_>]) {
        let sources = self.scopes.last().map_or(&[][..], Vec::as_slice);
        let mut found = Vec::new();
        for name in names.iter().map(|name| unquote(name.0)) {
            for at in sources.iter().filter_map(|source| source.at) {
                let table = self.schema.table(&self.uses[at].table);
                if let Some(column) = table.and_then(|table| table.column(&name)) {
                    found.push((at, quote(&column.name)));
                }
            }
        }
        for (at, text) in found {
            self.reads(at, &text);
            push(
                &mut self.uses[at].equal,
                Term {
                    text,
                    descending: false,
                },
            );
        }
    }

    /// GROUP BY and DISTINCT, where one table has all of it.
    pub(super) fn group<'a, 'b: 'a>(&mut self, exprs: impl Iterator<Item = &'a Expr<'b>>) {
        let terms: Option<Vec<_>> = exprs.map(|expr| self.term(expr)).collect();
        let Some((at, terms)) = terms.and_then(one_table) else {
            return;
        };
        if self.uses[at].group.is_empty() {
            self.uses[at].group = terms;
        }
    }

    /// ORDER BY: its first terms, as long as they are of one table.
    pub(super) fn order(&mut self, by: &[SortedColumn<'_>], columns: &[ResultColumn<'_>]) {
        let mut terms: Vec<(usize, Term)> = Vec::new();
        for sorted in by {
            let expr = selected(&sorted.expr, columns).unwrap_or(&sorted.expr);
            let Some((at, text)) = self.term(expr) else {
                break;
            };
            // An index has NULLs only where SQLite sorts them by default.
            if sorted.nulls.is_some() || terms.first().is_some_and(|(first, _)| *first != at) {
                break;
            }
            let descending = sorted.order == Some(SortOrder::Desc);
            terms.push((at, Term { text, descending }));
        }
        // An index is read backwards as well as forwards.
        if terms.iter().all(|(_, term)| term.descending) {
            terms
                .iter_mut()
                .for_each(|(_, term)| term.descending = false);
        }
        let at = terms.first().map(|(at, _)| *at);
        if let Some(at) = at
            && self.uses[at].order.is_empty()
        {
            self.uses[at].order = terms.into_iter().map(|(_, term)| term).collect();
        }
    }

    /// `min(x)` and `max(x)` alone read one end of an index.
    pub(super) fn ends(&mut self, columns: &[ResultColumn<'_>]) {
        if let [
            ResultColumn::Expr(
                Expr::FunctionCall {
                    name,
                    args: Some([arg]),
                    ..
                },
                _,
            ),
        ] = columns
            && matches!(name.0.to_ascii_lowercase().as_str(), "min" | "max")
            && let Some((at, text)) = self.term(arg)
            && self.uses[at].order.is_empty()
        {
            self.uses[at].order = vec![Term {
                text,
                descending: false,
            }];
        }
    }
}

fn one_table(terms: Vec<(usize, String)>) -> Option<(usize, Vec<Term>)> {
    let at = terms.first()?.0;
    if terms.iter().any(|(other, _)| *other != at) {
        return None;
    }
    let terms = terms.into_iter().map(|(_, text)| Term {
        text,
        descending: false,
    });
    Some((at, terms.collect()))
}

/// The expression that a number or an alias in ORDER BY stands for.
fn selected<'a, 'b>(expr: &Expr<'b>, columns: &'a [ResultColumn<'b>]) -> Option<&'a Expr<'b>> {
    if let Some(number) = expr.is_integer() {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        return match columns.get(at)? {
            ResultColumn::Expr(expr, _) => Some(expr),
            _ => None,
        };
    }
    let Expr::Id(id) = expr else { return None };
    columns.iter().find_map(|column| match column {
        ResultColumn::Expr(expr, Some(alias)) => {
            let (sqlite3_parser::ast::As::As(name) | sqlite3_parser::ast::As::Elided(name)) = alias;
            unquote(name.0)
                .eq_ignore_ascii_case(&unquote(id.0))
                .then_some(expr)
        }
        _ => None,
    })
}
