//! The rows of rollups that make up one line of a list or of a chart.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Scope;
use super::cache::Table;
use super::scanned::Scanned;
use super::sql::Sql;

/// Keys, and the rollup ids that belong to each; ids of one key are added up.
#[derive(Debug, Default)]
pub(super) struct Members {
    keys: Vec<Arc<str>>,
    places: HashMap<i64, usize>,
    /// The requests that they are counted from, where rollups cannot answer.
    scanned: Option<Arc<Scanned>>,
}

/// A row of every `members.sql`.
#[derive(QueryableByName)]
struct Member {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    key: String,
}

impl Members {
    /// Reads the keys of ids.
    pub(super) fn read(conn: &mut SqliteConnection, sql: &Sql) -> QueryResult<Self> {
        let rows: Vec<Member> = sql.load(conn)?;
        Ok(rows.into_iter().map(|row| (row.id, row.key)).collect())
    }

    /// The keys of the transaction groups of a scope.
    pub(super) fn of_scope(
        conn: &mut SqliteConnection,
        scope: &Scope,
        sql: &Sql,
    ) -> QueryResult<Self> {
        Ok(Self {
            scanned: scope.scanned.clone(),
            ..Self::read(conn, sql)?
        })
    }

    /// The requests that they are counted from; nothing where rollups are.
    pub(super) fn scanned(&self) -> Option<&Scanned> {
        self.scanned.as_deref()
    }

    /// Those that stand for the rollups of a table.
    pub(super) fn scanned_for(&self, table: Table) -> Option<&Scanned> {
        self.scanned().filter(|_| table == Table::Transactions)
    }

    /// The keys, in the order of their places.
    pub(super) fn keys(&self) -> &[Arc<str>] {
        &self.keys
    }

    /// Those of some places, in their order.
    pub(super) fn of_places(&self, places: impl Iterator<Item = usize>) -> Self {
        let mut chosen = Self {
            scanned: self.scanned.clone(),
            ..Self::default()
        };
        let mut new = vec![None; self.keys.len()];
        for place in places {
            new[place] = Some(chosen.keys.len());
            chosen.keys.push(Arc::clone(&self.keys[place]));
        }
        let moved = self.places.iter();
        let moved = moved.filter_map(|(id, place)| Some((*id, new[*place]?)));
        chosen.places = moved.collect();
        chosen
    }

    /// Those whose key passes.
    pub(super) fn filter(&self, is_chosen: impl Fn(&str) -> bool) -> Self {
        let places = 0..self.keys.len();
        self.of_places(places.filter(|place| is_chosen(&self.keys[*place])))
    }

    /// All ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = i64> {
        self.places.keys().copied()
    }

    /// The place of an id's key.
    pub(super) fn place(&self, id: i64) -> Option<usize> {
        self.places.get(&id).copied()
    }
}

impl<K: AsRef<str>> FromIterator<(i64, K)> for Members {
    fn from_iter<I: IntoIterator<Item = (i64, K)>>(rows: I) -> Self {
        let mut members = Self::default();
        let mut known: HashMap<Arc<str>, usize> = HashMap::new();
        for (id, key) in rows {
            let key = key.as_ref();
            let place = match known.get(key) {
                Some(place) => *place,
                None => {
                    let key: Arc<str> = key.into();
                    members.keys.push(Arc::clone(&key));
                    known.insert(key, members.keys.len() - 1);
                    members.keys.len() - 1
                }
            };
            members.places.insert(id, place);
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_key_have_one_place() {
        let members: Members = [(1, "a"), (5, "b"), (2, "a")].into_iter().collect();
        assert_eq!(members.keys().len(), 2);
        assert_eq!((members.place(1), members.place(2)), (Some(0), Some(0)));
        assert_eq!((members.place(5), members.place(3)), (Some(1), None));
        let chosen = members.filter(|key| key == "b");
        assert_eq!(chosen.keys().len(), 1);
        assert_eq!((chosen.place(1), chosen.place(5)), (None, Some(0)));
    }
}
