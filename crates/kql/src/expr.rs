//! A query as a tree.

use super::wildcard::Pattern;

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// Everything: the empty query.
    All,
    /// All of these; at least two.
    And(Vec<Expr>),
    /// One of these; at least two.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// `field:*`
    Exists(Field),
    /// `field:value`
    Is(Field, Value),
    /// `field >= value`
    Range(Field, Order, Bound),
    /// A bare word or quoted text: somewhere in the event.
    Text(Value),
}

/// A field's name, perhaps with wildcards (`http.*`).
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// As written, escapes resolved; what errors show.
    pub name: String,
    /// Set when the name holds a wildcard.
    pub pattern: Option<Pattern>,
}

/// A value that a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Exactly this text (or the number or boolean that it spells).
    Exact(String),
    /// Text with `*` in it, not quoted.
    Wildcard(Pattern),
}

/// The comparison of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Order {
    /// The operator, the same in KQL and SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether an ordering of (field, bound) satisfies the comparison.
    #[must_use]
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// The end of a range.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A number; never NaN.
    Number(f64),
    /// A time in microseconds since the epoch: the bound of `@timestamp`.
    Time(i64),
    /// The bound of an address.
    Address(std::net::IpAddr),
    /// Anything else, compared byte by byte.
    Text(String),
}

/// Whether a field is searched for its words, ignoring case, rather than compared as a whole.
#[must_use]
pub fn is_full_text(field: &str) -> bool {
    matches!(
        field,
        "message"
            | "error.message"
            | "error.log.message"
            | "error.exception.message"
            | "error.stack_trace"
            | "span.db.statement"
            | "http.request.body.original"
    )
}
