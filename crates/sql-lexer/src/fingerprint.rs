//! Statement fingerprints: which statements are the same but for their values.
//!
//! [`Fingerprint::from_text`] tokenizes any text that an agent may send as a statement (cut off, not SQLite's dialect,
//! not SQL at all) and never fails. Comments and white space are dropped, keywords are upper-cased, identifiers stay as
//! written, every literal and parameter becomes `?`, lists in `IN (…)` and `ARRAY[…]` and rows after `VALUES` are
//! folded to `…`; in those, `NULL` and its like are values as others. So are names that a program makes by counting: of
//! savepoints, cursors, prepared statements, channels. Of names of temporary tables the numbers go. Pieces that repeat
//! (`OR a = 1 OR a = 2`, `WHEN … THEN …`, `UNION ALL SELECT …`, one statement many times) fold. The hash of that text
//! (XXH64, seed 0) is stable: it stands in URLs and in databases.
//!
//! SQLite reads `"…"` as a string where no such column exists, and people write it so. It becomes `?` where a value is
//! expected and it is not followed by `.` or `(`; in lists of columns and where a comparison begins it stays an
//! identifier.
//!
//! Bodies of Mongo's and Elasticsearch's requests keep their keys, commands of Redis the first part of their key.
//!
//! It does not parse. Two texts that differ in more than values, spacing and the case of keywords differ.

mod fold;
mod json;
mod language;
mod made_up;
mod normalize;
mod place;
mod redis;
mod repeat;
mod subject;
mod temporary;

use xxhash_rust::xxh64::xxh64;

use language::Language;
use normalize::Normalizer;
use subject::Subject;

use crate::Lexer;

/// The longest normalised text in bytes, give or take a token: what follows does not count.
pub const MAX_NORMALIZED: usize = 16 * 1024;

/// A statement without its values: its hash, its text, its verb and its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// XXH64 of `normalized`; 16 hex digits in URLs.
    pub hash: u64,
    /// The statement with `?` for values.
    pub normalized: String,
    /// `SELECT`, `INSERT`, …; the first word in capitals where it is none of SQL's; empty for an empty text.
    pub verb: String,
    /// The table that it reads first or writes, without quotes; empty where there is none.
    pub table: String,
}

impl Fingerprint {
    /// The fingerprint of a statement of which nothing but its text is known.
    #[must_use]
    pub fn from_text(sql: &str) -> Self {
        Self::of_subtype(sql, "")
    }

    /// The fingerprint of a statement of a span with this subtype: `mysql`, `redis`, …; it decides what the text may be
    /// either way.
    #[must_use]
    pub fn of_subtype(sql: &str, subtype: &str) -> Self {
        let (normalized, subject) = match Language::detect(subtype, sql) {
            Language::Json => json::normalize(sql),
            Language::Redis => redis::normalize(sql),
            Language::Sql(quotes) => {
                let tokens = Lexer::guess(sql).significant();
                let normalized = Normalizer::new(quotes).run(tokens.clone());
                (repeat::fold(normalized), subject::find(tokens))
            }
        };
        let Subject { verb, table } = subject;
        Self {
            hash: xxh64(normalized.as_bytes(), 0),
            normalized,
            verb,
            table,
        }
    }
}

#[cfg(test)]
mod tests;
