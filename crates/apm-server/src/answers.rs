//! One answer for each question, rendered as a page, as JSON or as a file.
//!
//! A question is a type that implements [`Question`]: it reads its parameters from the address once, and answers from
//! the store with one struct. The answer decides filters, the order and number of rows, and the comparison with an
//! earlier window. Pages (`ui`), JSON (`api`) and comma-separated files show that struct and decide nothing.

pub(crate) mod alerts;
pub(crate) mod arguments;
pub(crate) mod charts;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod compare_traces;
pub(crate) mod console;
pub(crate) mod correlations;
pub(crate) mod dashboard;
pub(crate) mod dependencies;
pub(crate) mod dependency;
pub(crate) mod discover;
pub(crate) mod elsewhere;
pub(crate) mod error;
pub(crate) mod errors;
pub(crate) mod insights;
pub(crate) mod instances;
pub(crate) mod kept;
mod listed;
pub(crate) mod listing;
pub(crate) mod live;
pub(crate) mod logs;
pub(crate) mod matching;
pub(crate) mod metrics;
pub(crate) mod parameter;
pub(crate) mod period;
pub(crate) mod problem;
pub(crate) mod queries;
pub(crate) mod service;
pub(crate) mod service_map;
pub(crate) mod services;
pub(crate) mod settings;
pub(crate) mod slos;
pub(crate) mod sourced;
pub(crate) mod statement;
mod tools;
pub(crate) mod top;
pub(crate) mod trace;
pub(crate) mod traces;
pub(crate) mod transaction;
pub(crate) mod transactions;
pub(crate) mod versions;
pub(crate) mod vitals;

use std::collections::HashSet;

use apm_store::Store;
use diesel::{QueryResult, SqliteConnection};
use schemars::JsonSchema;
use serde::Serialize;

use crate::analytics::Scope;
use crate::analytics::filter::{self, List};
use crate::analytics::transactions::Transaction;
use crate::analytics::window::Window;
use crate::csv::Table;
use crate::insight::callers::{self, Caller, Wanted};
pub(crate) use arguments::Arguments;
pub(crate) use problem::Problem;
pub use tools::Settings;

/// Things that an answer depends on beside the data and the words of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depends {
    Nothing,
    /// On the range of time.
    Range,
    /// On the present, whatever the range.
    Now,
    /// On files that change without the store's knowing.
    Files,
}

/// The addresses of a question, as actix writes paths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address {
    /// Its page.
    pub(crate) page: &'static str,
    /// Its JSON and its files: the same below `/api/v1`.
    pub(crate) data: &'static str,
}

/// An [`Address`].
macro_rules! at {
    ($path:literal) => {
        $crate::answers::Address {
            page: $path,
            data: concat!("/api/v1", $path),
        }
    };
}
use at;

/// The sources of an answer.
pub(crate) struct Source<'a> {
    pub(crate) conn: &'a mut SqliteConnection,
    pub(crate) store: &'a Store,
    pub(crate) settings: &'a Settings,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Source").finish_non_exhaustive()
    }
}

/// A question: the parameters that it has been asked with.
pub(crate) trait Question: Sized + Send + 'static {
    /// The answer.
    type Answer: Serialize + JsonSchema;

    /// Its page, its JSON and its files.
    const ADDRESS: Address;
    /// A line for the description of the API.
    const SUMMARY: &'static str;
    const DEPENDS: Depends = Depends::Range;
    /// The names of the tables.
    const TABLES: &'static [&'static str] = &[];

    /// Reads the parameters.
    fn read(arguments: &Arguments) -> Result<Self, Problem>;

    /// Answers from the store.
    fn answer(&self, source: &mut Source<'_>) -> Result<Self::Answer, Problem>;

    /// The answer's tables, for files.
    fn tables(_: &Self::Answer) -> Vec<Table> {
        Vec::new()
    }

    /// True if the same question has the same answer as long as nothing arrives.
    fn is_settled(_: &Self::Answer) -> bool {
        true
    }
}

/// The scope for another list of the same answer; nothing where the query names fields that this list does not have.
pub(crate) fn beside(scope: &Scope, list: List) -> Option<Scope> {
    match &scope.query {
        Some(query) if filter::check(query, list).is_err() => None,
        _ => Some(scope.clone()),
    }
}

/// Statements of the requests of these groups.
fn sql_of_requests(
    conn: &mut SqliteConnection,
    scope: &Scope,
    groups: &[Transaction],
    window: &Window,
) -> QueryResult<Vec<Caller>> {
    // Statements are counted for whole groups: of some of their requests they are not known.
    if scope.scanned.is_some() {
        return Ok(Vec::new());
    }
    Ok(of_groups(
        callers::list(conn, scope, Wanted::All, window)?,
        groups,
    ))
}

/// The callers of these groups.
fn of_groups(mut callers: Vec<Caller>, groups: &[Transaction]) -> Vec<Caller> {
    let listed: HashSet<(&str, &str)> = groups
        .iter()
        .map(|group| (group.kind.as_str(), group.name.as_str()))
        .collect();
    callers.retain(|caller| listed.contains(&(&*caller.kind, &*caller.transaction)));
    callers
}
