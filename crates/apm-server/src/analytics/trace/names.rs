//! Names of the items of a trace. Items have numbers of rows in dictionaries; each different set of numbers is
//! read once, so that a trace of many items costs what its different names cost.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::item::What;
use super::row::ItemRow;
use crate::analytics::sql::Sql;

/// Numbers that are asked for in one question.
const TOGETHER: usize = 2_000;
/// Bytes of names that are read whole; those beyond are cut, so that a trace of many long names stays within bounds.
const WHOLE: usize = 24 << 20;
/// Letters that are left of a name that is cut.
const CUT: usize = 40;

/// The key by which two items are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    is_transaction: bool,
    group: i64,
    destination: Option<i64>,
    statement: Option<i64>,
    result: Option<i64>,
}

/// The different things that the items of a trace are, by number.
#[derive(Debug, Default)]
pub(super) struct Names {
    keys: Vec<Key>,
    numbers: HashMap<Key, u32, foldhash::fast::RandomState>,
}

#[derive(QueryableByName)]
struct Group {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    agent: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    subtype: String,
    #[diesel(sql_type = Text)]
    action: String,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct Hashed {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
}

/// Words of which equal ones are held once.
#[derive(Default)]
struct Words {
    known: HashMap<Arc<str>, Arc<str>>,
    bytes: usize,
}

impl Words {
    fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        let cut = match text.char_indices().nth(CUT) {
            Some((end, _)) if self.bytes > WHOLE => format!("{}…", &text[..end]),
            _ => text.to_owned(),
        };
        self.bytes += cut.len();
        let kept: Arc<str> = cut.into();
        // Cut ones are not found again by their whole text.
        if self.bytes <= WHOLE {
            self.known.insert(Arc::clone(&kept), Arc::clone(&kept));
        }
        kept
    }
}

impl Names {
    /// The number of what an item is.
    pub(super) fn number(&mut self, row: &ItemRow, is_transaction: bool) -> u32 {
        let key = Key {
            is_transaction,
            group: row.group,
            destination: row.destination,
            statement: row.statement,
            result: row.result,
        };
        *self.numbers.entry(key).or_insert_with(|| {
            self.keys.push(key);
            u32::try_from(self.keys.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Reads what they are called, by number.
    pub(super) fn read(self, conn: &mut SqliteConnection) -> QueryResult<Vec<Arc<What>>> {
        let mut words = Words::default();
        let keys = &self.keys;
        let groups = |is_transaction: bool| {
            let of = keys
                .iter()
                .filter(move |key| key.is_transaction == is_transaction);
            of.map(|key| key.group)
        };
        let transactions = named(
            conn,
            include_str!("transaction_names.sql"),
            groups(true),
            &mut words,
        )?;
        let spans = named(
            conn,
            include_str!("span_names.sql"),
            groups(false),
            &mut words,
        )?;
        let destinations = texts(
            conn,
            include_str!("destinations.sql"),
            keys.iter().filter_map(|key| key.destination),
            &mut words,
        )?;
        let results = texts(
            conn,
            include_str!("results.sql"),
            keys.iter().filter_map(|key| key.result),
            &mut words,
        )?;
        let mut fingerprints: HashMap<i64, i64> = HashMap::new();
        by_id(
            conn,
            include_str!("fingerprints.sql"),
            keys.iter().filter_map(|key| key.statement),
            |row: Hashed| _ = fingerprints.insert(row.id, row.fingerprint),
        )?;
        let none: Arc<str> = "".into();
        let of = |texts: &HashMap<i64, Arc<str>>, id: Option<i64>| {
            let found = id.and_then(|id| texts.get(&id));
            Arc::clone(found.unwrap_or(&none))
        };
        let unnamed = What::unnamed(&none);
        Ok((0..)
            .zip(keys)
            .map(|(number, key)| {
                let groups = match key.is_transaction {
                    true => &transactions,
                    false => &spans,
                };
                Arc::new(What {
                    number,
                    destination: of(&destinations, key.destination),
                    result: of(&results, key.result),
                    statement: key.statement,
                    fingerprint: key.statement.and_then(|id| fingerprints.get(&id)).copied(),
                    // A name that retention deleted between two reads is empty.
                    ..groups.get(&key.group).unwrap_or(&unnamed).clone()
                })
            })
            .collect())
    }
}

impl What {
    fn unnamed(none: &Arc<str>) -> Self {
        let none = || Arc::clone(none);
        Self {
            number: 0,
            service: none(),
            environment: none(),
            agent: none(),
            name: none(),
            kind: none(),
            subtype: none(),
            action: none(),
            result: none(),
            destination: none(),
            statement: None,
            fingerprint: None,
        }
    }
}

fn named(
    conn: &mut SqliteConnection,
    sql: &'static str,
    ids: impl Iterator<Item = i64>,
    words: &mut Words,
) -> QueryResult<HashMap<i64, What>> {
    let mut found = HashMap::new();
    by_id(conn, sql, ids, |row: Group| {
        let what = What {
            service: words.keep(&row.service),
            environment: words.keep(&row.environment),
            agent: words.keep(&row.agent),
            name: words.keep(&row.name),
            kind: words.keep(&row.kind),
            subtype: words.keep(&row.subtype),
            action: words.keep(&row.action),
            ..What::unnamed(&"".into())
        };
        found.insert(row.id, what);
    })?;
    Ok(found)
}

fn texts(
    conn: &mut SqliteConnection,
    sql: &'static str,
    ids: impl Iterator<Item = i64>,
    words: &mut Words,
) -> QueryResult<HashMap<i64, Arc<str>>> {
    let mut found = HashMap::new();
    by_id(conn, sql, ids, |row: Named| {
        found.insert(row.id, words.keep(&row.text));
    })?;
    Ok(found)
}

/// The rows of these numbers, each once.
fn by_id<T>(
    conn: &mut SqliteConnection,
    sql: &'static str,
    ids: impl Iterator<Item = i64>,
    mut each: impl FnMut(T),
) -> QueryResult<()>
where
    T: QueryableByName<diesel::sqlite::Sqlite> + 'static,
{
    let mut ids: Vec<i64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    for ids in ids.chunks(TOGETHER) {
        let ids = serde_json::to_string(ids).unwrap_or_default();
        let rows: Vec<T> = Sql::new(sql).bind("ids", ids).load(conn)?;
        rows.into_iter().for_each(&mut each);
    }
    Ok(())
}

/// The texts of statements by number.
///
/// # Errors
/// Those of SQLite.
pub(super) fn statements(
    conn: &mut SqliteConnection,
    ids: impl Iterator<Item = i64>,
) -> QueryResult<HashMap<i64, String>> {
    let mut found = HashMap::new();
    by_id(conn, include_str!("texts.sql"), ids, |row: Named| {
        found.insert(row.id, row.text);
    })?;
    Ok(found)
}
