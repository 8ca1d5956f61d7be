//! The rows of rollups that make up one line of a list or of a chart.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use foldhash::HashMap;

use super::Scope;
use super::cache::Table;
use super::scanned::Scanned;
use super::sql::{self, Sql};

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
        let mut found = Found::default();
        sql.each(conn, |row: Member| found.add(row.id, &row.key))?;
        Ok(found.members)
    }

    /// The keys of the transaction groups of a scope.
    pub(super) fn of_scope(
        conn: &mut SqliteConnection,
        scope: &Scope,
        sql: &Sql,
    ) -> QueryResult<Self> {
        let members = Self::read(conn, sql)?;
        if let Some(scanned) = &scope.scanned {
            sql::note(|| scanned.sql().to_owned());
        }
        Ok(Self {
            scanned: scope.scanned.clone(),
            ..members
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
        let mut found = Found::default();
        for (id, key) in rows {
            found.add(id, key.as_ref());
        }
        found.members
    }
}

/// Members that are found one after the other.
#[derive(Default)]
struct Found {
    members: Members,
    /// The places of the keys.
    known: HashMap<Arc<str>, usize>,
}

impl Found {
    fn add(&mut self, id: i64, key: &str) {
        let place = match self.known.get(key) {
            Some(place) => *place,
            None => {
                let place = self.members.keys.len();
                let key: Arc<str> = key.into();
                self.members.keys.push(Arc::clone(&key));
                self.known.insert(key, place);
                place
            }
        };
        self.members.places.insert(id, place);
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
