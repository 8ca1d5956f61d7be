//! Queries of a database that reports on its statements: SQLite.
//!
//! Reports cost time for each statement, so they are switched off while nobody wants to know of queries: in a request
//! that is not sampled, outside of a transaction, and over the limit of spans.

use std::sync::Arc;

use diesel::connection::{DebugQuery, InstrumentationEvent};
use sqlite_meter::{Finished, Metered};

use super::Tracer;
use crate::integrations::diesel::expected::{Expected, Query};
use crate::integrations::diesel::reports::Reports;
use crate::integrations::diesel::statement::{Reported, Statement};
use crate::recording::finished_span::QueryDetails;
use crate::recording::span_kind::Tail;

/// The switch of the reports, if there are any.
pub(super) type Switch<'a> = Option<sqlite_meter::Switch<'a>>;

#[derive(Debug, Default)]
pub(super) struct Meter {
    expected: Expected,
    reports: Reports,
}

impl Meter {
    /// Diesel keeps the prepared statement of the query that runs.
    pub(super) fn is_kept(&mut self) {
        self.expected.is_kept();
    }
}

impl Tracer {
    /// The connection's database reports on its statements.
    pub(in crate::integrations::diesel) fn measured(mut self) -> Self {
        self.meter = Some(Meter::default());
        self.statements.is_reported = true;
        self
    }

    /// A query begins. Has its statements reported if they are wanted, and returns the tail of the statement that it is
    /// expected to be, if its text is to come from the database.
    #[inline]
    pub(super) fn expect(
        &mut self,
        query: &dyn DebugQuery,
        wanted: bool,
        switch: Switch<'_>,
    ) -> Option<Arc<Tail>> {
        let meter = self.meter.as_mut()?;
        meter.expected.run(query);
        if let Some(switch) = switch {
            switch.set(wanted);
        }
        if !wanted {
            return None;
        }
        let expected = meter.expected.statement();
        meter.reports.open(expected);
        expected.map(|it| Arc::clone(&it.tail))
    }

    /// The next query begins a transaction of the database.
    pub(super) fn begins_transaction(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.expected.announce(Query::Begin);
        }
    }

    /// The next query commits one.
    pub(super) fn commits_transaction(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.expected.announce(Query::Commit);
        }
    }

    /// The query that runs is known to have this text.
    pub(super) fn learn(&mut self, statement: &Arc<Statement>) {
        if let Some(meter) = &mut self.meter {
            meter.expected.learn(statement);
        }
    }

    /// The database's report on the query that has ended. `written`: a hash of its text, if Diesel has written it.
    #[inline]
    pub(super) fn reported(
        &mut self,
        written: Option<u64>,
        details: &mut QueryDetails,
    ) -> Reported {
        match &mut self.meter {
            Some(meter) => meter.reports.close(written, details),
            None => Reported::Nothing,
        }
    }
}

impl Metered for Tracer {
    fn on_connection_event(
        &mut self,
        event: InstrumentationEvent<'_>,
        reports: sqlite_meter::Switch<'_>,
    ) {
        self.on_event(event, Some(reports));
    }

    fn on_finished(&mut self, finished: &Finished<'_>) {
        if let Some(meter) = &mut self.meter {
            meter.reports.add(finished, &mut self.statements);
        }
    }
}
