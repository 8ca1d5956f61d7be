//! Decisions of people that servers before one engine share: settings of agents, markers, states of errors.
//!
//! Each change of a document has a version above the one before, by the clock where that is later. The one with the
//! highest version is kept everywhere; of two with the same version, the one that the engine has. See ADR 336.

use std::collections::BTreeSet;

use apm_time::LATEST;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use serde::{Deserialize, Serialize};

use crate::statement::Run as _;

/// Documents of a kind that are remembered: as many as there are markers.
const MOST: i64 = 12_000;

/// Bytes of a document of another server, at most.
const LARGEST: usize = 64 << 10;

/// Settings stay when everything is deleted.
pub const SETTING: &str = "setting";

/// A document that servers share, as it is in the store and in the engine.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName, Serialize, Deserialize)]
pub struct Document {
    /// The kind of thing that it is about.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// The thing of this kind, as JSON.
    #[diesel(sql_type = Text)]
    pub key: String,
    /// µs since the epoch of its last change, and more than the version before.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    /// The server that made the change.
    #[diesel(sql_type = Text)]
    pub node: String,
    /// JSON; none where it was removed.
    #[diesel(sql_type = Nullable<Text>)]
    pub body: Option<String>,
}

/// Puts a document of another server where it belongs, within the transaction that notes it. False: it is of a kind
/// that is not known here, or damaged.
pub type Take = fn(&mut SqliteConnection, &Document) -> QueryResult<bool>;

/// Notes a change that was made here, in the transaction of the change. Nothing is noted on a server that never had an
/// engine: of what it has then, the settings are shared when it gets one.
pub fn publish(
    conn: &mut SqliteConnection,
    kind: &str,
    key: &str,
    body: Option<&str>,
    now: i64,
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO share_document (kind, key, version, node, body, is_sent) \
         SELECT ?1, ?2, ?4, node, ?3, FALSE FROM share_node WHERE TRUE \
         ON CONFLICT DO UPDATE SET version = max(excluded.version, version + 1), node = excluded.node, \
         body = excluded.body, is_sent = FALSE",
    )
    .bind::<Text, _>(kind)
    .bind::<Text, _>(key)
    .bind::<Nullable<Text>, _>(body)
    .bind::<BigInt, _>(now)
    .run(conn)?;
    limit(conn, kind)
}

/// The settings from before the first engine. Any change is newer.
pub(super) fn begin(conn: &mut SqliteConnection) -> QueryResult<()> {
    sql_query(
        "INSERT OR IGNORE INTO share_document (kind, key, version, node, body, is_sent) \
         SELECT ?, json_array(service, environment), 1, node, settings, FALSE FROM agent_config, share_node",
    )
    .bind::<Text, _>(SETTING)
    .run(conn)
    .map(drop)
}

/// The documents that the engine does not have yet, the oldest first.
pub fn pending(conn: &mut SqliteConnection, most: i64) -> QueryResult<Vec<Document>> {
    sql_query(
        "SELECT kind, key, version, node, body FROM share_document WHERE NOT is_sent ORDER BY version LIMIT +?",
    )
    .bind::<BigInt, _>(most)
    .load(conn)
}

/// The engine has a document, or a newer one.
pub fn mark_sent(conn: &mut SqliteConnection, document: &Document) -> QueryResult<()> {
    sql_query("UPDATE share_document SET is_sent = TRUE WHERE kind = ? AND key = ? AND version = ?")
        .bind::<Text, _>(&document.kind)
        .bind::<Text, _>(&document.key)
        .bind::<BigInt, _>(document.version)
        .run(conn)
        .map(drop)
}

/// The documents of a kind that the engine has, as far as is known here: the key and the version of each.
pub fn sent_of(conn: &mut SqliteConnection, kind: &str) -> QueryResult<Vec<(String, i64)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        key: String,
        #[diesel(sql_type = BigInt)]
        version: i64,
    }
    let rows: Vec<Row> =
        sql_query("SELECT key, version FROM share_document WHERE kind = ? AND is_sent")
            .bind::<Text, _>(kind)
            .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.key, row.version)).collect())
}

/// The engine lacks documents of a kind that it had: they wait again.
pub fn mark_unsent(
    conn: &mut SqliteConnection,
    kind: &str,
    missing: &[(String, i64)],
) -> QueryResult<()> {
    for (key, version) in missing {
        sql_query(
            "UPDATE share_document SET is_sent = FALSE WHERE kind = ? AND key = ? AND version = ?",
        )
        .bind::<Text, _>(kind)
        .bind::<Text, _>(key)
        .bind::<BigInt, _>(version)
        .run(conn)?;
    }
    Ok(())
}

/// Characters of the name of a service or an environment, at most: the intake takes no longer one.
const LONGEST_NAME: usize = 1024;

/// True if the intake could have taken the name of a service or an environment, so that another server may share it.
#[must_use]
pub fn fits_name(name: &str) -> bool {
    name.chars().nth(LONGEST_NAME).is_none()
}

impl Document {
    /// Whether a document of another server is larger than what a server takes.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        let body = self.body.as_ref().map_or(0, String::len);
        self.kind.len() + self.key.len() + self.node.len() + body > LARGEST
    }

    /// Whether another change can be later than this one: a change that is made here must have a later version.
    fn can_be_followed(&self) -> bool {
        (0..=LATEST).contains(&self.version)
    }
}

/// The documents that are newer than what is here, of those that the engine has.
pub fn newer(conn: &mut SqliteConnection, found: Vec<Document>) -> QueryResult<Vec<Document>> {
    let own = super::given_node(conn)?;
    let mut newer = Vec::new();
    for document in found {
        let is_own = own.as_ref() == Some(&document.node);
        let is_newer = match known(conn, &document)? {
            Some(known) => {
                let is_other = known.node != document.node || known.body != document.body;
                document.version > known.version || (document.version == known.version && is_other)
            }
            // A document that was made here and is not here was deleted with everything else.
            None => !is_own || document.kind == SETTING,
        };
        if is_newer {
            newer.push(document);
        }
    }
    Ok(newer)
}

/// The outcome of [`receive`].
#[derive(Debug, Default)]
pub struct Received {
    /// Documents that were taken.
    pub taken: usize,
    /// Documents that [`Take`] did not take. They are not noted here, so that a later version may take them.
    pub refused: Vec<Document>,
}

/// Takes documents that are still newer than what is here.
pub fn receive(
    conn: &mut SqliteConnection,
    found: Vec<Document>,
    take: Take,
) -> QueryResult<Received> {
    let mut received = Received::default();
    let mut kinds = BTreeSet::new();
    // A change that was made here since the engine was asked may be newer.
    for document in newer(conn, found)? {
        let is_sound = !document.is_too_large() && document.can_be_followed();
        if !is_sound || !take(conn, &document)? {
            received.refused.push(document);
            continue;
        }
        received.taken += 1;
        sql_query(
            "INSERT OR REPLACE INTO share_document (kind, key, version, node, body, is_sent) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind::<Text, _>(&document.kind)
        .bind::<Text, _>(&document.key)
        .bind::<BigInt, _>(document.version)
        .bind::<Text, _>(&document.node)
        .bind::<Nullable<Text>, _>(&document.body)
        .bind::<Bool, _>(true)
        .run(conn)?;
        kinds.insert(document.kind);
    }
    // The rows of a kind are counted once, not for each document.
    for kind in &kinds {
        limit(conn, kind)?;
    }
    Ok(received)
}

fn known(conn: &mut SqliteConnection, document: &Document) -> QueryResult<Option<Document>> {
    sql_query(
        "SELECT kind, key, version, node, body FROM share_document WHERE kind = ? AND key = ?",
    )
    .bind::<Text, _>(&document.kind)
    .bind::<Text, _>(&document.key)
    .get_result(conn)
    .optional()
}

/// Forgets the oldest documents of a kind where there are too many.
fn limit(conn: &mut SqliteConnection, kind: &str) -> QueryResult<()> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let count: Count = sql_query("SELECT count(*) AS n FROM share_document WHERE kind = ?")
        .bind::<Text, _>(kind)
        .get_result(conn)?;
    // Some slack, so that many go at a time.
    if count.n > MOST + MOST / 10 {
        sql_query(
            "DELETE FROM share_document WHERE kind = ?1 AND version <= (SELECT version FROM share_document \
             WHERE kind = ?1 ORDER BY version DESC LIMIT 1 OFFSET ?2)",
        )
        .bind::<Text, _>(kind)
        .bind::<BigInt, _>(MOST)
        .run(conn)?;
    }
    Ok(())
}
