//! The words of SQL.

/// Words that are never a table or a column without quotes, or hardly ever; sorted. Words that people do use as
/// names (`name`, `key`, `type`, `date`, `count` …) are left out: a fingerprint keeps a name as it was written.
/// A change of this list changes the fingerprints of statements that are stored.
const KEYWORDS: &[&str] = &[
    "ABORT",
    "ADD",
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "AS",
    "ASC",
    "ATTACH",
    "AUTOINCREMENT",
    "BEGIN",
    "BETWEEN",
    "BY",
    "CALL",
    "CASCADE",
    "CASE",
    "CAST",
    "CHECK",
    "COLLATE",
    "COLUMN",
    "COMMIT",
    "CONFLICT",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DEFAULT",
    "DEFERRED",
    "DELETE",
    "DESC",
    "DETACH",
    "DISTINCT",
    "DO",
    "DROP",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXCLUSIVE",
    "EXECUTE",
    "EXISTS",
    "EXPLAIN",
    "FETCH",
    "FOR",
    "FOREIGN",
    "FROM",
    "FULL",
    "GLOB",
    "GRANT",
    "GROUP",
    "HAVING",
    "IF",
    "IGNORE",
    "ILIKE",
    "IMMEDIATE",
    "IN",
    "INDEX",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "ISNULL",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCK",
    "MERGE",
    "NATURAL",
    "NOT",
    "NOTHING",
    "NOTNULL",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRAGMA",
    "PRIMARY",
    "RECURSIVE",
    "REFERENCES",
    "REGEXP",
    "REINDEX",
    "RELEASE",
    "RENAME",
    "REPLACE",
    "RETURNING",
    "REVOKE",
    "RIGHT",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "SET",
    "TABLE",
    "TEMPORARY",
    "THEN",
    "TO",
    "TRANSACTION",
    "TRUNCATE",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USING",
    "VACUUM",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHOUT",
];

/// Words that also name tables and columns: those of definitions, and those of SQLite's query plans. Sorted.
const CONTEXTUAL: &[&str] = &[
    "AUTOMATIC",
    "COVERING",
    "KEY",
    "PLAN",
    "QUERY",
    "SCAN",
    "SEARCH",
    "TEMP",
    "TRIGGER",
    "USE",
];

/// The longest of both lists.
const LONGEST: usize = 17;

/// Whether a word is one of SQL's, in any case, and hardly ever a name without quotes.
#[must_use]
pub fn is_keyword(word: &str) -> bool {
    is_in(KEYWORDS, word)
}

/// Whether a word is likely one of SQL's where people read it, in any case. It may be a name.
pub(crate) fn is_shown_as_keyword(word: &str) -> bool {
    is_in(KEYWORDS, word) || is_in(CONTEXTUAL, word)
}

fn is_in(sorted: &[&str], word: &str) -> bool {
    // On the stack: each word of each statement is looked up.
    let mut upper = [0; LONGEST];
    let Some(upper) = upper.get_mut(..word.len()) else {
        return false;
    };
    upper.copy_from_slice(word.as_bytes());
    upper.make_ascii_uppercase();
    sorted
        .binary_search_by(|keyword| keyword.as_bytes().cmp(upper))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_fit() {
        assert!(KEYWORDS.is_sorted() && CONTEXTUAL.is_sorted());
        assert!(
            CONTEXTUAL
                .iter()
                .all(|word| is_shown_as_keyword(word) && !is_keyword(word))
        );
        assert!(KEYWORDS.iter().all(|word| is_keyword(word)));
        assert!(
            is_keyword("select")
                && !is_keyword("selects")
                && !is_keyword("a_rather_long_identifier")
        );
    }
}
