//! The values that the parameters of a statement stand for.

use sqlite3_parser::ast::{Expr, LikeOperator, Operator};

use super::super::tokens::{bare, text, unquote};
use super::super::{Bound, Role};
use super::Walk;
use super::scope::Place;

/// The name of the parameter that an expression is, such as `?1`.
fn parameter(expr: &Expr<'_>) -> Option<String> {
    match expr {
        // The parser leaves the `?` of a numbered parameter out.
        Expr::Variable(name) if name.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(format!("?{name}"))
        }
        Expr::Variable(name) => Some((*name).to_owned()),
        Expr::Parenthesized(inner) if inner.len() == 1 => parameter(&inner[0]),
        Expr::Collate(inner, _) | Expr::Cast { expr: inner, .. } | Expr::Unary(_, inner) => {
            parameter(inner)
        }
        _ => None,
    }
}

fn bound(operator: Operator) -> Option<Bound> {
    match operator {
        Operator::Equals | Operator::Is | Operator::NotEquals | Operator::IsNot => {
            Some(Bound::Equal)
        }
        Operator::Greater | Operator::GreaterEquals => Some(Bound::Low),
        Operator::Less | Operator::LessEquals => Some(Bound::High),
        _ => None,
    }
}

fn flipped(bound: Bound) -> Bound {
    match bound {
        Bound::Low => Bound::High,
        Bound::High => Bound::Low,
        bound => bound,
    }
}

impl Walk<'_> {
    /// Notes what a parameter stands for. The first place that says so decides.
    fn note(&mut self, name: String, role: Role) {
        match self.parameters.iter_mut().find(|(known, _)| *known == name) {
            None => self.parameters.push((name, role)),
            Some((_, known @ Role::Unknown(_))) => *known = role,
            Some(_) => {}
        }
    }

    /// Walks through an expression.
    pub(in super::super) fn expr(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Binary(left, operator, right) => match bound(*operator) {
                Some(bound) => {
                    // Either side may be the parameter; on the left the operator is read backwards.
                    self.pair(left, right, flipped(bound), 0, expr);
                    self.pair(right, left, bound, 0, expr);
                }
                None if matches!(operator, Operator::And | Operator::Or) => self.parts(expr),
                // An operand of a sum or a product.
                None => [*left, *right]
                    .into_iter()
                    .for_each(|side| self.number(side, 1)),
            },
            Expr::Between {
                lhs, start, end, ..
            } => {
                self.pair(start, lhs, Bound::Low, 0, expr);
                self.pair(end, lhs, Bound::High, 0, expr);
                // `? BETWEEN low AND high` looks for one value as well.
                self.pair(lhs, start, Bound::Equal, 0, expr);
            }
            Expr::InList { lhs, rhs, .. } => {
                for (shift, value) in rhs.iter().copied().flatten().enumerate() {
                    self.pair(value, lhs, Bound::Equal, shift, expr);
                }
                match rhs {
                    Some([first, ..]) => self.pair(lhs, first, Bound::Equal, 0, expr),
                    _ => self.expr(lhs),
                }
            }
            Expr::Like {
                lhs,
                op,
                rhs,
                escape,
                ..
            } => {
                match op {
                    LikeOperator::Like => self.pair(rhs, lhs, Bound::Like, 0, expr),
                    LikeOperator::Glob => self.pair(rhs, lhs, Bound::Glob, 0, expr),
                    LikeOperator::Match | LikeOperator::Regexp => self.unknown(rhs, expr),
                }
                self.expr(lhs);
                escape.iter().for_each(|escape| self.unknown(escape, expr));
            }
            Expr::Exists(select) | Expr::Subquery(select) => self.select(select),
            Expr::InSelect { lhs, rhs, .. } => {
                self.unknown(lhs, expr);
                self.select(rhs);
            }
            Expr::Id(id) => self.column(self.place(None, &unquote(id.0))),
            Expr::Name(name) => self.column(self.place(None, &unquote(name.0))),
            Expr::Qualified(table, column) | Expr::DoublyQualified(_, table, column) => {
                self.column(self.place(Some(&unquote(table.0)), &unquote(column.0)));
            }
            expr => {
                for child in super::scope::children(expr) {
                    self.unknown(child, expr);
                }
                if let Some(name) = parameter(expr) {
                    self.note(
                        name,
                        Role::Unknown("no column is compared with it".to_owned()),
                    );
                }
            }
        }
    }

    fn column(&mut self, place: Option<Place>) {
        if let Some(place) = place {
            self.reads(place.at, &place.column);
        }
    }

    /// A parameter that no column is compared with, or another expression.
    fn unknown(&mut self, expr: &Expr<'_>, around: &Expr<'_>) {
        match parameter(expr) {
            Some(name) => self.note(
                name,
                Role::Unknown(format!(
                    "no column is compared with it in {}",
                    short(around)
                )),
            ),
            None => self.expr(expr),
        }
    }

    /// A parameter that stands for itself, or another expression.
    pub(super) fn number(&mut self, expr: &Expr<'_>, number: i64) {
        match parameter(expr) {
            Some(name) => self.note(name, Role::Number(number)),
            None => self.expr(expr),
        }
    }

    /// A value of a list of columns or of VALUES.
    pub(super) fn alone(&mut self, expr: &Expr<'_>) {
        self.number(expr, 1);
    }

    /// A value for a column of a new row.
    pub(super) fn new_value(&mut self, expr: &Expr<'_>, table: &str, column: &str, row: usize) {
        match parameter(expr) {
            Some(name) => {
                let (table, column) = (table.to_owned(), column.to_owned());
                self.note(name, Role::New { table, column, row });
            }
            None => self.expr(expr),
        }
    }

    /// A value that a column gets.
    pub(super) fn set_value(&mut self, expr: &Expr<'_>, place: &Place, shift: usize) {
        let Some(name) = parameter(expr) else {
            return self.expr(expr);
        };
        let used = &self.uses[place.at];
        let role = Role::Of {
            table: used.table.clone(),
            alias: used.alias.clone(),
            expression: place.column.clone(),
            bound: Bound::Equal,
            shift,
        };
        self.note(name, role);
    }

    /// Notes a comparison: of a parameter with another expression, or of two other expressions.
    fn pair(
        &mut self,
        value: &Expr<'_>,
        other: &Expr<'_>,
        bound: Bound,
        shift: usize,
        around: &Expr<'_>,
    ) {
        let Some(name) = parameter(value) else {
            return self.expr(value);
        };
        let depends = self.depends(other);
        let role = match depends.only() {
            Some(at) if !depends.has_parameter => Role::Of {
                table: self.uses[at].table.clone(),
                alias: self.uses[at].alias.clone(),
                expression: bare(other),
                bound,
                shift,
            },
            // No row holds a count or a sum, and 1 is as good as any other number.
            _ if depends.has_aggregate || self.in_having && depends.is_unclear => Role::Number(1),
            _ if depends.is_unclear => {
                Role::Unknown(format!("{} is no column of a table", text(other)))
            }
            _ => Role::Unknown(format!(
                "no column is compared with it in {}",
                short(around)
            )),
        };
        self.note(name, role);
    }
}

/// The beginning of an expression.
fn short(expr: &Expr<'_>) -> String {
    let text = text(expr);
    match text.char_indices().nth(60) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
