//! Rowids of a table: its ends, and places at even distances between them.
//!
//! Services choose rowids as they like, also at random from one end of `i64` to the other. So differences of two rowids
//! are numbers of 128 bits here, as neither `i64` nor SQLite's own sums hold them.

use rusqlite::{Connection, Result};

/// The lowest and the highest rowid of a table; none where it has no rows. `name`: as SQL writes it.
pub(crate) fn ends(conn: &Connection, name: &str) -> Result<Option<(i64, i64)>> {
    // Apart, each is found at an end of the table. Together, SQLite would read all of it.
    let sql = format!("SELECT (SELECT min(rowid) FROM {name}), (SELECT max(rowid) FROM {name})");
    conn.query_row(&sql, [], |row| {
        let (low, high): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
        Ok(low.zip(high))
    })
}

/// Rowids from the one end to the other, both included: as many as the table can have rows.
pub(crate) fn between((low, high): (i64, i64)) -> u64 {
    let count = i128::from(high) - i128::from(low) + 1;
    u64::try_from(count.max(0)).unwrap_or(u64::MAX)
}

/// So many keys between the ends: the middle of each of equal parts.
pub(crate) fn spread((low, high): (i64, i64), parts: usize) -> impl Iterator<Item = i64> {
    let length = i128::from(high) - i128::from(low);
    (0..parts).map(move |at| {
        let middle = length * (2 * at as i128 + 1) / (2 * parts as i128);
        i64::try_from(i128::from(low) + middle).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_reach_from_one_end_of_the_numbers_to_the_other() {
        let all = (i64::MIN, i64::MAX);
        let keys: Vec<i64> = spread(all, 4).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let eighth = 1 << 61;
        assert_eq!(keys[0], i64::MIN + eighth - 1);
        assert_eq!(keys[3], i64::MAX - eighth);
        assert_eq!(between(all), u64::MAX);
        assert_eq!(spread((1, 9), 2).collect::<Vec<_>>(), [3, 7]);
        assert_eq!((between((1, 9)), between((5, 5))), (9, 1));
    }
}
