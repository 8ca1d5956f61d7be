//! Documents that people made and servers before one engine share: each kind belongs to a module of its own.

use apm_store::share::{Document, SETTING};
use diesel::{QueryResult, SqliteConnection};

use crate::agent_config;
use crate::insight::{marker, triage};

/// The kinds.
pub(crate) const KINDS: &[&str] = &[SETTING, marker::share::KIND, triage::share::KIND];

/// Takes a document that was changed on another server.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn take(conn: &mut SqliteConnection, document: &Document) -> QueryResult<bool> {
    match document.kind.as_str() {
        SETTING => agent_config::take(conn, document),
        marker::share::KIND => marker::share::take(conn, document),
        triage::share::KIND => triage::share::take(conn, document),
        _ => Ok(false),
    }
}
