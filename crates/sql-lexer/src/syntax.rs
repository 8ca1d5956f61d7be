//! The parts of SQL that dialects write differently.

use crate::dialect::Dialect;

/// The effect of a backslash in quotes on the character after it. In `E'…'` it always escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backslash {
    /// Nothing, as the standard has it.
    Plain,
    /// It escapes in `'…'`.
    InStrings,
    /// It escapes in `'…'` and `"…"`, as MySQL has it.
    Escapes,
    /// Nobody knows: where it stands before a quote, all that follows belongs to the token.
    Doubtful,
}

/// The meaning of `[`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brackets {
    /// A name, as SQL Server and SQLite have it.
    Names,
    /// An operator, as PostgreSQL has it.
    Operators,
    /// An operator after an operand and within brackets, else a name.
    Guess,
}

/// Comments within `/* … */`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comments {
    /// Comments hold comments, as PostgreSQL has it.
    Nested,
    /// Comments hold comments until one is found that then would not end.
    NestedIfClosed,
    /// As `Nested`, but what stands in `/*!50000 … */` is read, as MySQL runs it.
    Conditional,
}

/// The meaning of a `$tag$` without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dollars {
    /// A string up to the end of the text. A tag may begin with a digit.
    ToEndAnyTag,
    /// A string up to the end of the text.
    ToEnd,
    /// A sign up to the next blank.
    ToBlank,
}

/// The meaning of `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// An operator, as PostgreSQL has it.
    Operator,
    /// A comment, as MySQL has it.
    Comment,
    /// A comment, unless it looks like one of PostgreSQL's operators within a line.
    Guess,
    /// As `Guess`, but a name may begin with it, as SQL Server has it.
    GuessNames,
}

/// The rules by which a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The effect of a backslash.
    pub backslash: Backslash,
    /// The meaning of `[`.
    pub brackets: Brackets,
    /// Comments within comments.
    pub comments: Comments,
    /// Whether `//` begins a comment, as CQL has it.
    pub slash_comments: bool,
    /// The meaning of `#`.
    pub hash: Hash,
    /// The meaning of a `$tag$` without an end.
    pub dollars: Dollars,
    /// Whether names hold `$`.
    pub dollar_names: bool,
    /// Whether a number may have several points and underscores: `1.2.3`, `1_000`.
    pub loose_numbers: bool,
}

impl Syntax {
    /// As Elastic's agents read a statement to name it.
    pub const SIGNATURE: Self = Self {
        backslash: Backslash::InStrings,
        brackets: Brackets::Names,
        comments: Comments::Nested,
        slash_comments: true,
        hash: Hash::Operator,
        dollars: Dollars::ToBlank,
        dollar_names: true,
        loose_numbers: false,
    };

    /// A reading that takes for a literal or a comment whatever may be one.
    #[must_use]
    pub fn cautious(dialect: Dialect) -> Self {
        Self {
            backslash: Backslash::Doubtful,
            brackets: match dialect {
                Dialect::Sqlite => Brackets::Names,
                _ => Brackets::Operators,
            },
            comments: Comments::Conditional,
            slash_comments: false,
            hash: match dialect {
                Dialect::Mysql => Hash::Comment,
                Dialect::Postgresql => Hash::Operator,
                _ => Hash::Guess,
            },
            dollars: Dollars::ToEnd,
            dollar_names: false,
            loose_numbers: true,
        }
    }
}
