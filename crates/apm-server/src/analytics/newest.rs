//! The newest rows of several groups together, without looking at the rest of any of them.

use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use super::sql::Sql;

/// A row with a time.
pub(super) trait Timed: QueryableByName<Sqlite> + 'static {
    /// When (µs since the epoch), and the event's number.
    fn at(&self) -> (i64, i64);
}

/// At most `limit` rows, newest first. `sql` asks for those of `:group` from `:since` on, newest first, at
/// most `:limit`: each group is read by its index only as far as it is newer than what was found before.
pub(super) fn newest<R: Timed>(
    conn: &mut SqliteConnection,
    groups: &[i64],
    (from, limit): (i64, i64),
    sql: impl Fn() -> Sql,
) -> QueryResult<Vec<R>> {
    let most = usize::try_from(limit).unwrap_or_default();
    let mut found: Vec<R> = Vec::new();
    for group in groups {
        let since = match found.last() {
            Some(last) if found.len() >= most => last.at().0,
            _ => from,
        };
        let sql = sql()
            .bind("group", *group)
            .bind("since", since)
            .bind("limit", limit);
        found.extend(sql.load::<R>(conn)?);
        found.sort_unstable_by_key(|row| std::cmp::Reverse(row.at()));
        found.truncate(most);
    }
    Ok(found)
}
