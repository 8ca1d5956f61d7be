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
pub(crate) mod part;
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

use apm_store::Store;
use diesel::{QueryResult, SqliteConnection};
use schemars::JsonSchema;
use serde::Serialize;

use crate::analytics::Scope;
use crate::analytics::filter::{self, List};
use crate::analytics::transactions::Transaction;
use crate::analytics::window::Window;
use crate::csv::Table;
use crate::insight::callers::{Caller, Used, Wanted};
pub(crate) use arguments::Arguments;
use part::Part;
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

    /// The rows of the first table among all, where an answer may have a part of them.
    fn part(_: &Self::Answer) -> Option<Part> {
        None
    }

    /// The same of each table, where another than the first may be cut, too.
    fn part_of(answer: &Self::Answer, table: &str) -> Option<Part> {
        Self::part(answer).filter(|_| Self::TABLES.first() == Some(&table))
    }

    /// True if the same question has the same answer as long as nothing arrives.
    fn is_settled(_: &Self::Answer) -> bool {
        true
    }
}

/// The name of a file with a table of an answer. Where the answer has a part of the rows, the name says which.
pub(crate) fn file_name<Q: Question>(answer: &Q::Answer, table: &str) -> String {
    match Q::part_of(answer, table).filter(|part| part.shown < part.total) {
        Some(part) => format!("{table}-{part}.csv"),
        None => format!("{table}.csv"),
    }
}

/// The scope for another list of the same answer; nothing where the query names fields that this list does not have.
pub(crate) fn beside(scope: &Scope, list: List) -> Option<Scope> {
    match &scope.query {
        Some(query) if filter::check(query, list).is_err() => None,
        _ => Some(scope.clone()),
    }
}

/// The statements of the requests of a scope; nothing where only some requests of groups are asked for, as statements
/// are counted for whole groups.
fn used_by_requests(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Option<Used>> {
    match scope.scanned {
        Some(_) => Ok(None),
        None => Used::read(conn, scope, Wanted::All, window).map(Some),
    }
}

/// Those of some groups.
fn of_groups(
    conn: &mut SqliteConnection,
    used: Option<&Used>,
    groups: &[Transaction],
) -> QueryResult<Vec<Caller>> {
    let ids = groups.iter().flat_map(|group| &group.ids);
    match used {
        Some(used) => used.of_groups(conn, &ids.copied().collect()),
        None => Ok(Vec::new()),
    }
}
