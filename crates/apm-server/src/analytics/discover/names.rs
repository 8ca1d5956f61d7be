//! Matching transactions by name: the newest of them, counted from their rows where columns decide which match.

use apm_store::StoreError;
use apm_store::event::Kind;
use diesel::prelude::*;

use super::group::Tally;
use super::group::rows::{self, Part};
use super::walk::Search;
use super::{Groups, Request, group};

/// Transactions that are looked at, the newest. More would say the same, and cost more the more there are.
const LOOKED_AT: u64 = 20_000;

const FIELD: &str = "transaction.name";

/// The names of the newest matching transactions, the most frequent first. `complete` says whether these are all that
/// match.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn names(conn: &mut SqliteConnection, request: &Request) -> Result<Groups, StoreError> {
    let search = Search::new(request);
    let part = match &*search.parts {
        [(Kind::Transaction, condition)] => Part::new(Kind::Transaction, condition, FIELD),
        _ => None,
    };
    let Some(part) = part else {
        return group(conn, request, FIELD);
    };
    let mut tally = Tally::new(FIELD);
    let deadline = request.limits.begin();
    let complete = rows::count(conn, request, (&[part], LOOKED_AT), &deadline, &mut tally)?;
    Ok(tally.finish(complete))
}
