//! The error groups of a list that are read.

use diesel::prelude::*;

use super::{Which, bound};
use crate::analytics::window::Window;
use crate::analytics::{Scope, list};

/// The groups of a list that are read, of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pick {
    /// A text that they must have, in lower case.
    pub(crate) search: Option<String>,
    /// `message`, `service`, `count`, `first` or `last`.
    pub(crate) rank: &'static str,
    pub(crate) descending: bool,
    /// Number of groups of higher rank that are left out: a multiple of a thousand.
    pub(crate) first: usize,
    /// The services and keys of the only groups that are read; the others are counted as left out.
    pub(crate) keys: Option<Vec<(String, u64)>>,
}

impl Default for Pick {
    /// The most frequent ones.
    fn default() -> Self {
        Self {
            search: None,
            rank: "count",
            descending: true,
            first: 0,
            keys: None,
        }
    }
}

impl Pick {
    /// The keys as the query compares them, a JSON array.
    pub(super) fn keys(&self) -> Option<String> {
        let text = |(service, key): &(String, u64)| format!("{service}\t{}", key.cast_signed());
        let keys: Vec<String> = self.keys.as_ref()?.iter().map(text).collect();
        Some(serde_json::to_string(&keys).unwrap_or_default())
    }
}

/// The groups that have the text that is searched for, a JSON array; nothing where all are asked for.
pub(super) fn search(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    search: Option<&String>,
) -> QueryResult<Option<String>> {
    let pick = list::Pick {
        search: search.cloned(),
        ..list::Pick::default()
    };
    let names = bound(include_str!("names.sql"), scope, Which::default(), window);
    let found = pick.ids(conn, &names)?;
    Ok(found.map(|ids| serde_json::to_string(&ids).unwrap_or_default()))
}
