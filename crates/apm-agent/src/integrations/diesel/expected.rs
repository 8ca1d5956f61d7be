//! The statement that a query is expected to be, for a database that tells its text when it has run.
//!
//! Diesel announces the queries by which it begins and commits a transaction of the database. Their type is that of all
//! texts that are run as they are, so they are told by the announcement: mostly a connection begins each transaction
//! alike. What is expected is compared with what has run, so a wrong guess costs time and nothing else.

use std::sync::Arc;

use diesel::connection::DebugQuery;

use super::query_type::{QueryType, QueryTypes};
use super::statement::Statement;

/// A query, as far as it is known before it runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Query {
    Of(QueryType),
    /// It begins a transaction of the database.
    Begin,
    Commit,
}

/// The statements of a connection's queries so far.
#[derive(Debug, Default)]
pub(super) struct Expected {
    types: QueryTypes,
    /// The statements by which it began and committed a transaction last.
    begin: Option<Arc<Statement>>,
    commit: Option<Arc<Statement>>,
    /// The query that will run next, if Diesel has announced it.
    announced: Option<Query>,
    /// The query that runs.
    running: Option<Query>,
}

impl Expected {
    /// Diesel will run this query next.
    #[inline]
    pub(super) fn announce(&mut self, query: Query) {
        self.announced = Some(query);
    }

    /// A query begins.
    #[inline]
    pub(super) fn run(&mut self, query: &dyn DebugQuery) {
        let announced = self.announced.take();
        self.running = announced.or_else(|| QueryType::detect(query).map(Query::Of));
    }

    /// The statement that the query that runs is expected to be.
    #[inline]
    pub(super) fn statement(&mut self) -> Option<&Arc<Statement>> {
        match self.running? {
            Query::Of(query_type) => self.types.get(query_type),
            Query::Begin => self.begin.as_ref(),
            Query::Commit => self.commit.as_ref(),
        }
    }

    /// Diesel keeps the prepared statement of the query that runs.
    pub(super) fn is_kept(&mut self) {
        if let Some(Query::Of(query_type)) = self.running {
            self.types.is_kept(query_type);
        }
    }

    /// The query that runs is known to be this statement.
    pub(super) fn learn(&mut self, statement: &Arc<Statement>) {
        let place = match self.running {
            Some(Query::Of(query_type)) => return self.types.learn(query_type, statement),
            Some(Query::Begin) => &mut self.begin,
            Some(Query::Commit) => &mut self.commit,
            None => return,
        };
        *place = statement.is_short().then(|| Arc::clone(statement));
    }
}
