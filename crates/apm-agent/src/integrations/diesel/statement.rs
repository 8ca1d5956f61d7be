//! Statements without their bind values, and what is constant about each.

#[cfg(feature = "sqlite-meter")]
use std::collections::HashMap;
use std::fmt::{self, Write as _};
#[cfg(feature = "sqlite-meter")]
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use diesel::connection::DebugQuery;
use sql_lexer::Dialect;

use super::bind_hash::BindHash;
#[cfg(feature = "sqlite-meter")]
use super::fold::Folding;
use super::fold::fold;
#[cfg(plans)]
use super::plans::Source;
use crate::encode::json;
use crate::recording::span_kind::{SpanKind, Tail};
use crate::recording::statement;

/// Between the statement and its values in Diesel's text of a query, as a piece of its own. Pinned by a test.
const BINDS: &str = " -- binds: ";
/// Bytes of a statement that are read: enough for 10 000 characters of any script.
const MAX_BYTES: usize = 4 * json::LONG;
/// Statements that a connection remembers.
const SLOTS: usize = 128;
/// Places where a statement may stand: two that share one must not forget each other with every query.
const PLACES: usize = 8;
/// Longer statements are rare, and often unique: not worth the memory.
const MAX_REMEMBERED: usize = 4 * 1024;
/// Prepared statements that a connection remembers.
#[cfg(feature = "sqlite-meter")]
const PREPARED: usize = 256;
/// The text with which r2d2 tests a connection.
const PING: &str = "SELECT 1";

/// Takes the text of a query up to its values, and of those at most a hash.
struct Sink<'a> {
    sql: &'a mut String,
    binds_seen: bool,
    hash_binds: bool,
    hash: Option<BindHash>,
}

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.binds_seen {
            let more = self.hash.as_mut().is_some_and(|hash| hash.add(piece));
            return if more { Ok(()) } else { Err(fmt::Error) };
        }
        if piece == BINDS {
            self.binds_seen = true;
            self.hash = self
                .hash_binds
                .then(|| BindHash::for_statement(self.sql))
                .flatten();
            // An error ends the rendering of values that nobody needs.
            return if self.hash.is_some() {
                Ok(())
            } else {
                Err(fmt::Error)
            };
        }
        let room = MAX_BYTES.saturating_sub(self.sql.len());
        if piece.len() > room {
            self.sql.push_str(&piece[..piece.floor_char_boundary(room)]);
            return Err(fmt::Error);
        }
        self.sql.push_str(piece);
        Ok(())
    }
}

/// Writes the statement of a query into `sql`, without its values; these are hashed, if that is wanted and they are
/// few.
pub(super) fn write_sql(sql: &mut String, query: &dyn DebugQuery, hash_binds: bool) -> Option<u64> {
    sql.clear();
    let mut sink = Sink {
        sql,
        binds_seen: false,
        hash_binds,
        hash: None,
    };
    // An error is how the sink stops Diesel.
    let _ = write!(sink, "{query}");
    let Sink {
        binds_seen, hash, ..
    } = sink;
    // Should Diesel ever write the separator in another way, values must not get out.
    if !binds_seen
        && sql.ends_with(']')
        && let Some(at) = sql.rfind(" -- binds: [")
    {
        sql.truncate(at);
    }
    hash.and_then(BindHash::finish)
}

/// The constant part of a statement.
#[derive(Debug)]
pub(super) struct Statement {
    sql: Box<str>,
    pub(super) tail: Arc<Tail>,
    pub(super) facts: Facts,
}

/// The facts of a statement that the recording of a query asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Of the text.
    pub(super) hash: u64,
    /// Whether its bind values are worth a hash.
    pub(super) asks: bool,
    /// It is r2d2's test of a connection, unless it runs in a database transaction.
    pub(super) is_ping: bool,
    /// Whether its span shows how many rows it has changed.
    pub(super) shows_rows: bool,
    /// Whether SQLite knows how many rows it has changed.
    #[cfg(feature = "sqlite-meter")]
    pub(super) changes: bool,
}

/// The statement of a query, as its database has reported it.
#[derive(Debug, Default)]
pub(super) enum Reported {
    /// There was none whose text is the query's.
    #[default]
    Nothing,
    /// That which was expected.
    #[cfg(feature = "sqlite-meter")]
    Expected(Facts),
    #[cfg(feature = "sqlite-meter")]
    Other(Arc<Statement>),
}

impl Statement {
    /// Whether it is worth the memory.
    pub(super) fn is_short(&self) -> bool {
        self.sql.len() <= MAX_REMEMBERED
    }

    #[cfg(feature = "sqlite-meter")]
    #[inline]
    pub(super) fn has_text(&self, sql: &[u8]) -> bool {
        *self.sql.as_bytes() == *sql
    }

    pub(super) fn has_text_of(&self, other: &Self) -> bool {
        self.sql == other.sql
    }
}

/// The statements that a connection has seen, by a hash of their text; the text is compared, a hash is never trusted.
#[derive(Debug)]
pub(super) struct Statements {
    slots: Box<[Option<Arc<Statement>>]>,
    /// The same by what SQLite has prepared. It may use an address again, so the text is compared here too.
    #[cfg(feature = "sqlite-meter")]
    prepared: HashMap<sqlite_meter::StatementKey, Arc<Statement>, BuildHasherDefault<Folding>>,
    kind: Arc<SpanKind>,
    instance: Option<Box<str>>,
    dialect: Dialect,
    /// The source of the plans of statements.
    #[cfg(plans)]
    pub(super) plans: Option<Arc<Source>>,
    /// Whether a plan is asked for only when SQLite reports the statement, which then tells of whose tables it is.
    #[cfg(feature = "sqlite-meter")]
    pub(super) is_reported: bool,
    /// A new statement whose plan was not asked for yet.
    #[cfg(feature = "sqlite-meter")]
    unplanned: Option<Arc<Statement>>,
    /// Whether all literals are masked, not only those of statements with secrets.
    pub(super) sanitize: bool,
}

impl Statements {
    pub(super) fn new(kind: Arc<SpanKind>, instance: Option<&str>) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| None).collect(),
            #[cfg(feature = "sqlite-meter")]
            prepared: HashMap::default(),
            dialect: Dialect::of_subtype(kind.subtype.as_deref().unwrap_or_default()),
            #[cfg(plans)]
            plans: None,
            #[cfg(feature = "sqlite-meter")]
            is_reported: false,
            #[cfg(feature = "sqlite-meter")]
            unplanned: None,
            sanitize: false,
            kind,
            instance: instance.map(Into::into),
        }
    }

    /// A statement that SQLite has prepared.
    #[cfg(feature = "sqlite-meter")]
    pub(super) fn prepared(&mut self, finished: &sqlite_meter::Finished<'_>) -> Arc<Statement> {
        if let Some(known) = self.prepared.get(&finished.key())
            && *known.sql.as_bytes() == *finished.sql_bytes()
        {
            return Arc::clone(known);
        }
        let sql = finished.sql();
        let statement = self.get(&sql[..sql.floor_char_boundary(MAX_BYTES)]);
        if statement.is_short() {
            if self.prepared.len() >= PREPARED {
                self.prepared.clear();
            }
            self.prepared.insert(finished.key(), Arc::clone(&statement));
        }
        statement
    }

    /// A statement by its text.
    pub(super) fn get(&mut self, sql: &str) -> Arc<Statement> {
        let hash = hash(sql.as_bytes());
        if sql.len() > MAX_REMEMBERED {
            return Arc::new(self.make(sql, hash));
        }
        let home = hash as usize % SLOTS;
        // If all places are taken, the first one is given to the new statement.
        let mut free = home;
        for place in (home..home + PLACES).map(|place| place % SLOTS) {
            match &self.slots[place] {
                Some(known) if *known.sql == *sql => return Arc::clone(known),
                Some(_) => {}
                // Places are filled one after the other, so an empty one ends the search.
                None => {
                    free = place;
                    break;
                }
            }
        }
        let statement = Arc::new(self.make(sql, hash));
        #[cfg(plans)]
        self.plan(&statement);
        self.slots[free] = Some(Arc::clone(&statement));
        statement
    }

    /// Asks for the plan of a statement that is new.
    #[cfg(plans)]
    fn plan(&mut self, new: &Arc<Statement>) {
        let Some(plans) = &self.plans else { return };
        if new.facts.is_ping {
            return;
        }
        #[cfg(feature = "sqlite-meter")]
        let new = match self.is_reported {
            true => match self.unplanned.replace(Arc::clone(new)) {
                // It was not reported by its text.
                Some(before) => &before.clone(),
                None => return,
            },
            false => new,
        };
        plans.ask(&new.sql, new.facts.hash);
    }

    /// SQLite has reported a statement that is new: asks for its plan, if the agent's own connection finds the same
    /// tables.
    #[cfg(feature = "sqlite-meter")]
    pub(super) fn ran(&mut self, finished: &sqlite_meter::Finished<'_>) {
        let ran = bare(finished.sql_bytes());
        let new = self
            .unplanned
            .take_if(|new| bare(new.sql.as_bytes()) == ran);
        if let (Some(plans), Some(new)) = (&self.plans, new) {
            plans.ask_if_of_main(&new.sql, new.facts.hash, || finished.is_of_main());
        }
    }

    fn make(&self, sql: &str, hash: u64) -> Statement {
        let tail = self.encode(sql);
        let facts = Facts {
            hash,
            asks: BindHash::for_statement(sql).is_some(),
            is_ping: sql == PING,
            shows_rows: tail.changes_rows(),
            #[cfg(feature = "sqlite-meter")]
            changes: tail.changes_rows(),
        };
        Statement {
            sql: sql.into(),
            tail: Arc::new(tail),
            facts,
        }
    }

    fn encode(&self, sql: &str) -> Tail {
        statement::tail(
            &self.kind,
            self.instance.as_deref(),
            sql,
            self.dialect,
            self.sanitize,
        )
    }
}

/// A text without what may follow its last word.
#[cfg(feature = "sqlite-meter")]
fn bare(sql: &[u8]) -> &[u8] {
    let sql = sql.trim_ascii();
    sql.strip_suffix(b";").unwrap_or(sql)
}

/// Of other statements SQLite has the number of rows that an earlier one changed.
#[cfg(feature = "sqlite-meter")]
pub(super) fn changes_rows(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii_start();
    // BEGIN and COMMIT of each transaction, and most that read, are told by their first letter.
    match sql.first() {
        Some(b'I' | b'U' | b'D' | b'R' | b'i' | b'u' | b'd' | b'r') => {}
        // Comments, and WITH, which are rare.
        Some(b'-' | b'/' | b'W' | b'w') => {
            return crate::sql::changes_rows(&String::from_utf8_lossy(sql), Dialect::Sqlite);
        }
        _ => return false,
    }
    [&b"INSERT"[..], b"UPDATE", b"DELETE", b"REPLACE"]
        .iter()
        .any(|verb| {
            sql.get(..verb.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(verb))
        })
}

/// Eight bytes at a time: fast, and good enough for a table whose entries are compared.
pub(super) fn hash(text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let hash = words.iter().fold(text.len() as u64, |hash, word| {
        fold(hash, u64::from_le_bytes(*word))
    });
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(hash, u64::from_le_bytes(last))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Statements of a SQLite database.
    pub(in crate::integrations::diesel) fn statements() -> Statements {
        let kind = SpanKind {
            span_type: "db".into(),
            subtype: Some("sqlite".into()),
            exit: true,
            target: None,
        };
        Statements::new(Arc::new(kind), None)
    }

    #[cfg(feature = "sqlite-meter")]
    #[test]
    fn statements_that_change_rows_are_told_by_their_verbs() {
        for sql in [
            "INSERT INTO a VALUES (1)",
            " update a SET b = 1",
            "Delete FROM a",
            "\nREPLACE INTO a VALUES (1)",
            "/* a */ INSERT INTO a VALUES (1)",
            "-- a\nDELETE FROM a",
            "with b AS (SELECT 1) INSERT INTO a SELECT * FROM b",
        ] {
            assert!(changes_rows(sql.as_bytes()), "{sql}");
        }
        for sql in [
            "SELECT 1",
            "BEGIN",
            "ROLLBACK",
            "DETACH a",
            "INS",
            "",
            " ",
            "WITH a AS (SELECT 1) SELECT 1",
        ] {
            assert!(!changes_rows(sql.as_bytes()), "{sql}");
        }
    }

    #[test]
    fn the_statements_of_a_service_are_all_remembered() {
        let mut statements = statements();
        let texts: Vec<_> = (0..48)
            .map(|number| format!("SELECT * FROM `table_{number}`"))
            .collect();
        let first: Vec<_> = texts.iter().map(|sql| statements.get(sql)).collect();
        for (sql, first) in texts.iter().zip(&first) {
            assert!(Arc::ptr_eq(&statements.get(sql), first), "{sql}");
        }
    }

    #[test]
    fn more_statements_than_there_is_room_for_are_still_told_apart() {
        let mut statements = statements();
        for number in 0..1000 {
            let statement = statements.get(&format!("SELECT * FROM `table_{number}`"));
            assert_eq!(*statement.tail.name, *format!("SELECT FROM table_{number}"));
        }
    }
}
