//! A hash of a query's bind values, by which a repeated question is told from a similar one.
//!
//! The key is random and never leaves the process, so that nobody who reads a hash can try values until one fits. Only
//! SELECTs are hashed: whether a loop of INSERTs has equal values says nothing.

use std::hash::{BuildHasher as _, DefaultHasher, Hasher as _, RandomState};
use std::sync::LazyLock;

/// Bytes of values that are read; longer ones are not hashed.
const MOST: usize = 512;

/// Made anew by each process.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Takes the text of the values piece by piece.
#[derive(Debug)]
pub(super) struct BindHash {
    hasher: DefaultHasher,
    bytes: usize,
}

impl BindHash {
    /// Begins the hash of a statement's values, if it is one that asks.
    pub(super) fn for_statement(sql: &str) -> Option<Self> {
        let asks = |verb: &str| {
            sql.get(..verb.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(verb))
        };
        (asks("SELECT") || asks("WITH")).then(|| Self {
            hasher: KEY.build_hasher(),
            bytes: 0,
        })
    }

    /// Adds a piece. Whether more is wanted.
    pub(super) fn add(&mut self, piece: &str) -> bool {
        self.bytes += piece.len();
        self.hasher.write(piece.as_bytes());
        self.bytes <= MOST
    }

    /// The hash; none without values, or with more of them than are read.
    pub(super) fn finish(self) -> Option<u64> {
        // Diesel writes `[]` where there are no values.
        (self.bytes > "[]".len() && self.bytes <= MOST).then(|| self.hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(sql: &str, pieces: &[&str]) -> Option<u64> {
        let mut hash = BindHash::for_statement(sql)?;
        for piece in pieces {
            hash.add(piece);
        }
        hash.finish()
    }

    #[test]
    fn equal_values_have_equal_hashes_and_others_have_others() {
        let one = hash("SELECT ?", &["[", "1", "]"]);
        assert!(one.is_some());
        assert_eq!(one, hash("SELECT ?", &["[1", "]"]));
        assert_ne!(one, hash("SELECT ?", &["[", "2", "]"]));
    }

    #[test]
    fn writes_no_values_and_very_long_ones_have_none() {
        assert_eq!(hash("INSERT INTO t VALUES (?)", &["[1]"]), None);
        assert_eq!(hash("SELECT 1", &["[", "]"]), None);
        assert_eq!(hash("", &["[1]"]), None);
        assert_eq!(hash("SELECT ?", &[&"1".repeat(MOST + 1)]), None);
        assert!(hash("with x as (select ?) select 1", &["[1]"]).is_some());
    }
}
